/* timeline.h: facts, the map anchor -> profile, and state rows under locks; shared by
 * journey-tracker and suppression.
 *
 * A timeline is a set of facts with one key (anchor, occurred_at, event_id). A profile is looked up
 * through the anchor map and never stored in a fact, so merging or splitting people changes only
 * that small map. The functions below are called in ONE order inside a transaction, which is also
 * the lock order of the whole system:
 *
 *     erasures -> facts -> (traits, sales of journey-tracker) -> anchors -> states -> lane ->
 * outbox
 *
 * Fast path (everything cached and later than the cached last fact): facts by COPY, states by
 * compare-and-swap of `ver`; no anchor locks, no reads. Any doubt (duplicate key, a row missing
 * from the swap): roll back and take the slow path.
 *
 * Slow path:
 *   (a) Insert the facts that are not there.
 *   (b) Lock or insert ALL anchors of new facts and moves; apply moves with a newer version.
 *   (c) Lock the states of old and new profiles.
 *   (d) Only then, in new statements, read members and facts.
 *
 * The protocol simulators check this; docs/architecture.md says what each safeguard is worth. */
#ifndef TUTTI_TIMELINE_TIMELINE_H
#define TUTTI_TIMELINE_TIMELINE_H

#include "common/store/db.h"

/* First member of every service's own fact structure. */
struct fact_key {
    int64_t anchor; /* id_short of the anchor id */
    struct instant occurred_at;
    struct id event_id;
};

/* anchor, time, event: the order of the table's key */
int fact_key_compare(const void *a, const void *b);

enum fact_column_type {
    FACT_INT2,
    FACT_INT4,
    FACT_INT8,
    FACT_INSTANT,
    FACT_TEXT,
    FACT_BYTEA,
    FACT_BOOL
};

/* A column after the key. Absent values: INT16_MIN, INT32_MIN, INT64_MIN (also for instants),
 * SPAN_NONE. */
struct fact_column {
    const char *name;
    enum fact_column_type type;
    size_t offset; /* in the service's fact structure */
    bool is_read;  /* timeline_read_facts fills it */
};

struct timeline_schema {
    const char *schema; /* "journey": prefix of tables and statement names */
    const char *states; /* the table of states, with its schema unless search_path leads to it */
    const struct fact_column *columns;
    size_t column_count;
    size_t fact_size;
};

struct timeline;
struct timeline *timeline_new(const struct timeline_schema *schema);
void timeline_free(struct timeline *timeline);

/* Sorts facts (an array of the service's structures) by key and drops repeats of a key; returns how
 * many remain. */
size_t timeline_sort_facts(const struct timeline *timeline, void *facts, size_t count);

/* Fast path: COPY of sorted facts. REJECT with SQLSTATE 23505 if one is already there. */
enum outcome timeline_copy_facts(struct timeline *timeline, struct db *db, const void *facts,
                                 size_t count, struct err *err);
/* Slow path (a): inserted[i] tells whether facts[i] (sorted) was really inserted. RETRY "fact_race"
 * if another transaction inserted one of them meanwhile. */
enum outcome timeline_insert_facts(struct timeline *timeline, struct db *db, struct arena *arena,
                                   const void *facts, size_t count, bool *inserted,
                                   struct err *err);

/* Versions of the identity map are multiples of 4. They are one more where the profile is shared:
 * its only member links too many people to mean one. Facts of its anchors are kept and count for
 * nothing. They are two more where the identifier is of a unique type: its profile is identified.
 */
static inline bool version_is_shared(int64_t version)
{
    return version & 1;
}

static inline bool version_is_person(int64_t version)
{
    return version & 2;
}

/* What a message says of an anchor; the message is a touchpoint or an identity change. */
struct anchor_move {
    struct id anchor_id, profile_id;
    int64_t version;
};

struct anchor_row {
    int64_t anchor;
    struct id anchor_id, profile_id; /* profile after the moves */
    /* profile before this transaction; nil if this transaction inserted the row */
    struct id old_profile_id;
    int64_t version;
    /* moved: the anchor was there, and now has another profile, became shared or the identifier of
     * a person, or no longer is */
    bool is_inserted, is_moved;
    bool was_shared; /* before this transaction */
    /* the row's version grew, even if the profile is the same: an older move must lose */
    bool is_newer;
};

/* Slow path (b): locks, inserts and moves. moves need not be sorted or unique (the newest version
 * wins). Rows come sorted by anchor. REJECT "anchor_collision" if two anchor ids share a short key.
 * RETRY "anchor_race" if another transaction inserted one of them meanwhile. */
enum outcome timeline_lock_anchors(struct timeline *timeline, struct db *db, struct arena *arena,
                                   const struct anchor_move *moves, size_t count,
                                   struct anchor_row **rows, size_t *row_count, struct err *err);

struct state_row {
    int64_t profile;
    int64_t ver, members;
    int32_t generation;
    bool is_absent;      /* not there when locked: timeline_save_states inserts it */
    struct span payload; /* in the arena; empty if absent */
};

/* Slow path (c): locks the existing rows, sorted. profiles: short keys in any order, with repeats.
 * A missing row locks nothing: two transactions may derive a new profile at once, and
 * timeline_save_states lets only one of them commit. */
enum outcome timeline_lock_states(struct timeline *timeline, struct db *db, struct arena *arena,
                                  const int64_t *profiles, size_t count, struct state_row **rows,
                                  size_t *row_count, struct err *err);
/* The same row of a sorted array, or NULL. */
struct state_row *timeline_find_state(struct state_row *rows, size_t count, int64_t profile);

struct member_row {
    int64_t profile, anchor, version;
};
/* Slow path (d): anchors of profiles that count (are not shared), sorted by (profile, anchor). */
enum outcome timeline_members(struct timeline *timeline, struct db *db, struct arena *arena,
                              const int64_t *profiles, size_t count, struct member_row **rows,
                              size_t *row_count, struct err *err);

/* A part of an anchor's timeline, in whole instants: from < occurred_at <= until. */
struct fact_range {
    int64_t anchor;
    struct instant from, until;
};
/* Facts of the ranges, in the service's structures, in an arena, sorted by key. A new statement
 * under the locks. */
enum outcome timeline_read_facts(struct timeline *timeline, struct db *db, struct arena *arena,
                                 const struct fact_range *ranges, size_t count, void **facts,
                                 size_t *fact_count, struct err *err);
/* Time of the first fact of each anchor (INSTANT_NEVER if none), in the order given. */
enum outcome timeline_first_facts(struct timeline *timeline, struct db *db, struct arena *arena,
                                  const int64_t *anchors, size_t count, struct instant *first,
                                  struct err *err);

/* Writes states under their locks and inserts the absent ones: ver becomes rows[i].ver + 1, members
 * rows[i].members (both updated in rows). RETRY "state_race" if another transaction inserted one
 * meanwhile: this one was derived from old data. */
enum outcome timeline_save_states(struct timeline *timeline, struct db *db, struct arena *arena,
                                  struct state_row *rows, size_t count, struct err *err);
/* Fast path: the same as a compare-and-swap on ver, without locks taken before. rows are sorted by
 * profile. *swapped: all rows matched. */
enum outcome timeline_swap_states(struct timeline *timeline, struct db *db, struct arena *arena,
                                  struct state_row *rows, size_t count, bool *swapped,
                                  struct err *err);

#endif
