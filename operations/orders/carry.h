/* carry.h: opt-outs, holds and pauses that a split would take from one side of a profile, as
 * touchpoints of their own.
 *
 * An opt-out, a hold or a pause is a fact of the identifiers of its touchpoint. When a profile is
 * divided, a side that has none of them would be free again. So whatever holds for the profile and
 * would not hold for a side is said again, at its own time, for every identifier of that side,
 * before the cut: source urn:tutti:identity, message_id derived from order, anchor and original, so
 * that saying it twice is one touchpoint. They go to the topic of resolved touchpoints, because a
 * stored identifier is a keyed hash that no input touchpoint could name. They have no direction:
 * they take part in no figure. */
#ifndef TUTTI_OPERATIONS_ORDERS_CARRY_H
#define TUTTI_OPERATIONS_ORDERS_CARRY_H

#include "operations/desk.h"
#include "operations/orders/effect.h"

struct carried {
    struct id anchor_id, profile_id; /* the profile as it is stored now */
    int64_t version;
    struct id event_id;
    struct instant occurred_at;
    struct span message_id, event, channel, case_id, order_id;
    int16_t score; /* CONTACT_SCORE_ABSENT where the original has none */
    /* channels, separated by blanks, or preferences_json of a pause; both SPAN_NONE: repeats what a
     * hold is made of */
    struct span opt_out, pause;
};

struct carried_list {
    struct carried *items;
    size_t count, capacity;
};

/* What the plan would take from someone, by the active contact policy. order: names the order in
 * message ids. */
enum outcome carry_find(struct db *db, struct arena *arena, const struct effect_members *members,
                        const char *order, struct carried_list *out, struct err *err);

/* Waits until suppression's consumer group has read everything that is in the topic now: what it
 * has not stored, carry_find does not know. RETRY "suppression_behind" after desk->wait. */
enum outcome carry_catch_up(struct desk *desk, const char *group, const char *topic,
                            struct err *err);

/* As the section "carried"; as "carried_latest", those that may be missing after the cut. */
void carry_report(const struct carried_list *list, struct report *report);
void carry_report_latest(const struct carried_list *list, struct report *report);

/* Sends them and waits until suppression has stored all: RETRY "carry_timeout" after desk->wait.
 */
enum outcome carry_send(struct desk *desk, const struct carried_list *list, const char *topic,
                        int32_t schema_id, struct err *err);

#endif
