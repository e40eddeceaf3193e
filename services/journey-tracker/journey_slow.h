/* journey_slow.h: the working set of one slow transaction and its steps, shared by the
 * journey_slow*.c files; the steps (a) to (d) are those of docs/architecture.md. */
#ifndef TUTTI_JOURNEY_SLOW_H
#define TUTTI_JOURNEY_SLOW_H

#include "services/journey-tracker/journey_tracker.h"

struct shorts {
    int64_t *items;
    size_t count, capacity;
};

struct slow {
    struct tracker *tracker;
    struct journey_flush *flush;
    bool is_careful;    /* every fact may be a repeat: no COPY */
    struct facts facts; /* sorted by key */
    bool *inserted;     /* of facts */
    struct anchor_row *anchors;
    size_t anchor_count;
    struct state_row *states;
    size_t state_count;
    struct member_row *members;
    size_t member_count;
    struct slow_profile *profiles; /* beside states */
    struct move *moves;            /* anchors that moved, under both profiles; sorted by profile */
    size_t move_count;
    struct map fresh;      /* struct fact_key -> inserted by this transaction */
    struct map profile_of; /* anchor -> struct id */
    struct saving saving;
};

/* journey_slow_facts.c, step (a): what was there already is a duplicate and plays no part; only
 * what was really inserted stays in slow->facts. *is_repeat: COPY met one, and the transaction is
 * lost. */
enum outcome slow_insert_facts(struct slow *slow, const uint32_t *indexes, size_t count,
                               bool *is_repeat, struct err *err);

/* journey_slow_locks.c */
/* Step (b): anchors of facts really inserted, and everything identity changes say. */
enum outcome slow_lock_anchors(struct slow *slow, const uint32_t *indexes, size_t count,
                               struct err *err);
/* Step (c): states of the profiles of these anchors, old and new. */
enum outcome slow_lock_states(struct slow *slow, struct err *err);
/* Which profiles gained or lost an anchor; `members` of both grows. */
void slow_note_moves(struct slow *slow);
/* Among what is locked; NULL if it is not. */
struct anchor_row *slow_find_anchor(struct slow *slow, int64_t anchor);
struct slow_profile *slow_find_profile(struct slow *slow, const struct id *profile_id);

/* journey_slow_derive.c, step (d) */
/* The inserted facts as touches of their profiles, in time order. */
enum outcome slow_collect_fresh(struct slow *slow, struct err *err);
/* The new state of every locked profile, and what changes with it in slow->saving. */
enum outcome slow_derive(struct slow *slow, struct err *err);

#endif
