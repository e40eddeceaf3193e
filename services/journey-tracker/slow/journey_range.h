/* journey_range.h: derives a range of a timeline again: from the newest state before the first
 * change until nothing differs. */
#ifndef TUTTI_JOURNEY_RANGE_H
#define TUTTI_JOURNEY_RANGE_H

#include "services/journey-tracker/journey_saving.h"

/* A profile in the slow transaction. */
struct slow_profile {
    struct state_row *row;
    struct id profile_id;
    bool gained, lost; /* an anchor that was there moved in or out */
    /* The goals that ask for identified customers count it: before and after this transaction. */
    bool was_identified, is_identified;
    bool has_person; /* a locked anchor of it is of a unique type */

    /* Facts inserted by this transaction, in time order. */
    struct touch *fresh;
    size_t fresh_count;

    /* Anchors without and with the moves of this transaction; the latter are sorted. */
    int64_t *anchors_before, *anchors_after;
    size_t before_count, after_count;

    /* Stored touches between these begin or cease to own their sale. */
    bool sales_changed;
    struct instant first_sale, last_sale;

    struct instant first_change; /* no fact differs before it */
    struct instant last_change;  /* no fact differs after it */
    struct saving *own;         /* takes what changes with this profile alone; NULL: nothing does */
    struct journey_state state; /* out */
};

/* Which facts count differently: bits of the values of `taken` below. */
enum { TAKEN_BEFORE = 1, TAKEN_AFTER = 2 };

/* Derives every profile again from the newest state before its first change. What changes goes to
 * `saving`, or to profiles[i].own where that is set. fresh_facts (struct
 * fact_key) has what this transaction inserted; taken (struct fact_key -> uint8_t) the facts that
 * do not own their sale before or after it. */
enum outcome range_rederive(struct tracker *tracker, struct saving *saving,
                            struct slow_profile *profiles, size_t count,
                            const struct map *fresh_facts, const struct map *taken,
                            struct err *err);

#endif
