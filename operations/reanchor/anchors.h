/* anchors.h: facts under the anchors that other ranks choose: `tutti identity apply` where
 * types, ranks or rules for values differ.
 *
 * A fact names all identifiers of its touchpoint. So the strongest of them can be chosen again, of
 * what they are under the new rules (renaming.h). That moves facts to other keys, and puts another
 * identifier into the middle of what a touchpoint linked.
 * The services must be stopped and have nothing left to read, because what they would read names
 * former anchors. The work has phases, each in bounded transactions that store how far they came
 * (tutti_meta.reanchoring). Killed anywhere, it goes on there when it is run again. No service
 * starts before its end. */
#ifndef TUTTI_OPERATIONS_REANCHOR_ANCHORS_H
#define TUTTI_OPERATIONS_REANCHOR_ANCHORS_H

#include "common/codec/seal.h"
#include "common/codec/touchpoint.h"
#include "operations/desk.h"
#include "operations/policies/active.h"
#include "operations/readers.h"
#include "services/identity-resolver/logic/identity.h"

/* An identifier of a fact: its short key, and the rank of its type. */
struct ranked {
    int64_t key;
    int32_t rank; /* or what orders as ranks do */
    uint32_t at;  /* the caller's */
};
/* The strongest first, as identity_collect orders them: by rank, then by id; without repeats.
 * Returns how many there are. */
size_t anchors_sort(struct ranked *items, size_t count);

/* The most identifiers of one fact: identity_collect gives no more. */
enum { ANCHORS_MOST = TOUCHPOINT_MAX_IDENTIFIERS + 8 };
/* The short keys of a fact: its anchor and the others. */
size_t anchors_keys(int64_t anchor, struct span others, int64_t keys[ANCHORS_MOST]);

/* Whether the candidate's anchor rules differ from the current ones, and FATAL where stored
 * identifiers do not allow that: a type that is gone; another scope of one that has identifiers, or
 * one that links no more; other rules for values that are not a matter of the forms before, or
 * whose raw values are not kept. */
enum outcome anchors_check_rules(struct db *db, struct arena *arena,
                                 const struct identity_policy *candidate,
                                 const struct identity_policy *current, bool *differ,
                                 struct err *err);
/* Warns what a type that is new, or links now, means. */
void anchors_warn_added(struct desk *desk, const struct identity_policy *candidate,
                        const struct identity_policy *current);

/* The switch that is under way; version 0: none. */
struct anchors_state {
    int32_t version; /* of the identity policy */
    int16_t phase;
};
enum outcome anchors_read_state(struct db *db, struct anchors_state *out, struct err *err);

struct anchors_apply {
    struct desk *desk;
    struct readers readers;
    const char *actor;
    struct span text; /* of the candidate's file */
    const struct identity_policy *candidate, *current;
    struct active_row active;
    struct anchors_state state;
    size_t batch;
    struct seal_keys raw_keys;
    bool has_raw_keys;
};
/* Begins, or goes on with the switch under way: then the candidate must be the active policy. */
enum outcome anchors_apply(struct anchors_apply *apply, struct err *err);

/* REJECT unless every message was read by journey-tracker and suppression. Then removes the
 * resolved touchpoints that are in their topic: read again, they would come under their old
 * anchors. */
enum outcome anchors_drain(struct desk *desk, const struct readers *readers, struct err *err);

/* One transaction over the next `limit` facts of a schema, "journey" or "suppression"; *count is
 * how many there were. policy: the one that is active now. */
enum anchors_schema { ANCHORS_JOURNEY, ANCHORS_SUPPRESSION };
enum outcome anchors_facts_step(struct db *db, struct arena *arena, enum anchors_schema schema,
                                const struct identity_policy *policy, size_t limit, size_t *count,
                                struct err *err);

/* One transaction over the next `limit` identifiers that become others (tutti_meta.renamed): what
 * they become is stored, and they are gone; facts still name them. keys: NULL where none is set. */
enum outcome anchors_rename_step(struct db *db, struct arena *arena, const struct seal_keys *keys,
                                 size_t limit, size_t *count, struct err *err);
/* The same once all facts and profiles are done: nothing names them any more. */
enum outcome anchors_forget_step(struct db *db, struct arena *arena, size_t limit, size_t *count,
                                 struct err *err);

#endif
