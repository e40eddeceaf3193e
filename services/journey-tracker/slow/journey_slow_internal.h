/* journey_slow_internal.h: the working set of one slow transaction and its steps. Only the
 * journey_slow*.c files include it. The steps (a) to (d) are those of docs/architecture.md. */
#ifndef TUTTI_JOURNEY_SLOW_INTERNAL_H
#define TUTTI_JOURNEY_SLOW_INTERNAL_H

#include "services/journey-tracker/slow/journey_range.h"
#include "services/journey-tracker/store/journey_sale_rows.h"

struct shorts {
    int64_t *items;
    size_t count, capacity;
};

/* A touchpoint whose sale other touchpoints tell, too. */
struct rival {
    struct sale_row row;
    bool is_new;                /* inserted by this transaction */
    bool was_owner;             /* before this transaction */
    bool is_stored;             /* journey.sales names it at present */
    bool owns;                  /* out */
    uint8_t old_holder, holder; /* enum sale_holder before and after this transaction */
};
struct rivals {
    struct rival *items;
    size_t count, capacity;
};

struct slow {
    struct tracker *tracker;
    struct journey_flush *flush;
    const uint32_t *indexes; /* of the arrivals, into flush->arrivals */
    size_t index_count;
    bool is_careful;             /* every fact may be a repeat: no COPY */
    bool is_repeat;              /* out: COPY met a repeat, and the transaction is lost */
    bool is_short;               /* out: more sales must be locked, and the transaction is lost */
    struct sale_rows more_sales; /* sales to lock that no new fact tells */

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
    struct map fresh;         /* struct fact_key -> inserted by this transaction */
    struct sale_rows alone;   /* new sales that nobody else tells */
    struct rivals rivals;     /* sorted by sale, then anchor */
    struct map rival_anchors; /* their anchors */
    struct map taken;         /* struct fact_key -> TAKEN_BEFORE, TAKEN_AFTER */
    struct map profile_of;    /* anchor -> struct id */
    struct saving saving;
};

/* journey_slow_facts.c */
/* Step (a): a fact that was there already is a duplicate and plays no part. Only what was really
 * inserted stays in slow->facts. Sets is_repeat. */
enum outcome slow_insert_facts(struct slow *slow, struct err *err);

/* journey_slow_sales.c */
/* Step (a): the sales of the inserted facts, and locks on those that others tell, too. */
enum outcome slow_claim_sales(struct slow *slow, struct err *err);
/* Adds the anchors of the rivals, so that step (b) locks them. */
enum outcome slow_rival_anchors(struct slow *slow, struct journey_anchor_moves *moves,
                                struct err *err);
/* After step (c): chooses the owners, counts sales without a customer, and notes in which profiles
 * a stored touch changes. Sets is_short. */
enum outcome slow_settle_sales(struct slow *slow, struct err *err);
/* The rival with this key; NULL if the fact has no rivals. */
const struct rival *slow_find_rival(const struct slow *slow, const struct fact_key *key);
/* Which facts of these profiles do not own their sale. */
enum outcome slow_find_taken(struct slow *slow, const struct slow_profile *profiles, size_t count,
                             struct err *err);
enum outcome slow_write_sales(struct slow *slow, struct err *err);

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
