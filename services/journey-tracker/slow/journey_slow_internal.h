/* journey_slow_internal.h: the working set of one slow transaction and its steps. Only the
 * journey_slow*.c files include it. The steps (a) to (d) are those of docs/architecture.md. */
#ifndef TUTTI_JOURNEY_SLOW_INTERNAL_H
#define TUTTI_JOURNEY_SLOW_INTERNAL_H

#include "services/journey-tracker/slow/journey_range.h"

struct shorts {
    int64_t *items;
    size_t count, capacity;
};

struct slow {
    struct tracker *tracker;
    struct journey_flush *flush;
    const uint32_t *indexes; /* of the arrivals, into flush->arrivals */
    size_t index_count;
    bool is_careful; /* every fact may be a repeat: no COPY */
    bool is_repeat;  /* out: COPY met a repeat, and the transaction is lost */

    struct facts facts; /* really inserted ones, sorted by key */
    struct anchor_row *anchors;
    size_t anchor_count;
    struct state_row *states;
    size_t state_count;
    struct slow_profile *profiles; /* profiles[i] is that of states[i] */
    struct member_row *members;
    size_t member_count;
    struct move *moves; /* anchors that moved, under both profiles; sorted by profile */
    size_t move_count;
    struct map fresh;      /* struct fact_key -> inserted by this transaction */
    struct map profile_of; /* anchor -> struct id */
    struct saving saving;
};

/* journey_slow_facts.c */
/* Step (a): a fact that was there already is a duplicate and plays no part. Only what was really
 * inserted stays in slow->facts. Sets is_repeat. */
enum outcome slow_insert_facts(struct slow *slow, struct err *err);

/* journey_slow_locks.c */
/* Step (b): the anchors of facts really inserted, and everything that identity changes say. */
enum outcome slow_lock_anchors(struct slow *slow, struct err *err);
/* Step (c): the states of the profiles of these anchors, old and new. */
enum outcome slow_lock_states(struct slow *slow, struct err *err);
/* Notes which profiles gained or lost an anchor; `members` of both grows. */
void slow_note_moves(struct slow *slow);
/* One of the locked profiles; NULL if it is not locked. */
struct anchor_row *slow_find_anchor(struct slow *slow, int64_t anchor);
struct slow_profile *slow_find_profile(struct slow *slow, const struct id *profile_id);

/* journey_slow_derive.c */
/* Step (d): first the inserted facts as touches of their profiles, in time order. */
enum outcome slow_collect_fresh(struct slow *slow, struct err *err);
/* Then the new state of every locked profile, and in slow->saving what changes with it. */
enum outcome slow_derive(struct slow *slow, struct err *err);

#endif
