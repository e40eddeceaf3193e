/* journey_tracker.h: one flush of journey-tracker: which profiles take the fast path, which the
 * slow one, and what is saved.
 *
 * A flush is split by profile. Fast: every anchor is cached with its profile's present `members`,
 * the state is cached, and all touches lie after its last one: facts by COPY, states by
 * compare-and-swap. Everything else is slow: one transaction under locks in the order of
 * timeline.h. Both end alike: derived rows, then one number per chunk of the lane, outbox, commit.
 */
#ifndef TUTTI_JOURNEY_TRACKER_H
#define TUTTI_JOURNEY_TRACKER_H

#include "common/service/generation.h"
#include "services/journey-tracker/journey_cache.h"
#include "services/journey-tracker/journey_shapes.h"
#include "services/journey-tracker/journey_store.h"

/* A touchpoint of the flush. */
struct arrival {
    struct id anchor_id, profile_id; /* as the message says */
    int64_t version;
    const struct shape_ref *shape;
    struct journey_fact fact;
    int64_t profile; /* short key of the profile it is taken to belong to */
};

struct arrivals {
    struct arrival *items;
    size_t count, capacity;
};

struct journey_anchor_moves {
    struct anchor_move *items;
    size_t count, capacity;
};

struct facts {
    struct journey_fact *items;
    size_t count, capacity;
};

/* A committed diff or stage message waits here until the flush is published. */
struct diff_rows {
    struct diff_row *items;
    size_t count, capacity;
};

struct tracker {
    struct db *db;
    struct journey_policy policy;
    struct generation generation;
    struct erased *erased; /* NULL: a tool that derives only what is stored */
    struct shapes *shapes;
    struct timeline *timeline;
    struct journey_cache cache;
    struct arena scratch; /* of one profile at a time */
    int32_t diff_partitions;
    int careful_flushes; /* so many slow flushes expect repeats among new facts */
    struct metric *fast, *slow, *fallbacks, *rederived;
};

struct journey_flush {
    struct arena *arena;
    int32_t lane;
    struct arrivals arrivals;
    struct journey_anchor_moves moves; /* of identity changes */
    const int64_t *sweep; /* profiles to derive anew after a change of policies; such a flush sends
                             no stage messages */
    size_t sweep_count;
    /* out: committed and to be published */
    struct journey_lane_row lane_row;
    struct diff_rows diffs;
    struct stage_messages stages;
};

/* Runs the flush: fast transaction, then slow one. Idempotent: the same arrivals again change
 * nothing. */
enum outcome tracker_flush(struct tracker *tracker, struct journey_flush *flush, struct err *err);

/* A touch for derive from a stored fact; loads its shape where needed. FATAL "shape_missing" if the
 * database has none. */
enum outcome tracker_touch(struct tracker *tracker, struct arena *arena,
                           const struct journey_fact *fact, struct touch *out, struct err *err);
enum outcome tracker_unpack(struct tracker *tracker, struct arena *arena, struct span payload,
                            struct journey_state *out, struct err *err);
struct span tracker_pack(const struct tracker *tracker, struct arena *arena,
                         const struct journey_state *state);

/* True if a conversion among these touches may need creditable touches that the state's bounded
 * tail does not hold (any more). */
bool tracker_lacks_window(const struct tracker *tracker, const struct journey_state *state,
                          const struct touch *touches, size_t count);

/* What a transaction writes beside facts, anchors and states. */
struct saving {
    struct journey_effects effects;
    struct checkpoints checkpoints, dead_checkpoints;
};
void saving_init(struct saving *saving, struct arena *arena);
/* One touch in about 256 is a checkpoint, chosen by its id: a function of the set of facts, not of
 * arrival. */
bool is_checkpoint(const struct id *event_id);
/* Advances by one touch and notes a checkpoint where it is one. */
void saving_advance(const struct tracker *tracker, struct saving *saving, int64_t profile,
                    struct journey_state *state, const struct touch *touch);
/* Rows, numbers, outboxes: the end of a transaction before its commit. profile_of tells stage
 * messages their profile. */
enum outcome saving_write(struct tracker *tracker, struct journey_flush *flush,
                          struct saving *saving, const struct map *profile_of, struct err *err);

/* The slow transaction over these arrivals (indexes into flush->arrivals) and all moves of the
 * flush. */
enum outcome tracker_slow(struct tracker *tracker, struct journey_flush *flush,
                          const uint32_t *arrivals, size_t count, struct err *err);

/* A profile in the slow transaction; see journey_range.c. */
struct slow_profile {
    struct state_row *row;
    struct id profile_id;
    bool gained, lost;   /* an anchor that was there moved in or out */
    struct touch *fresh; /* facts inserted by this transaction, in time order */
    size_t fresh_count;
    int64_t *anchors_before, *anchors_after; /* members without and with the moves of this
                                                transaction; the latter sorted */
    size_t before_count, after_count;
    struct instant first_change; /* no fact differs before it */
    struct instant last_change;  /* no fact differs after it */
    struct journey_state state;  /* out */
};
/* Derives every profile again from the newest state before its first change. */
enum outcome tracker_rederive(struct tracker *tracker, struct arena *arena, struct saving *saving,
                              struct slow_profile *profiles, size_t count,
                              const struct map *fresh_facts, struct err *err);

#endif
