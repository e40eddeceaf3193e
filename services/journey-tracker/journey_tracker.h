/* journey_tracker.h: one flush of journey-tracker: which profiles take the fast path, which take
 * the slow path, and what is saved.
 *
 * A flush is split by profile. A profile takes the fast path if it and its anchors are cached and
 * current, and if all its touches lie after the cached last one. Facts then go in by COPY, states
 * by compare-and-swap. All other profiles share one slow transaction, under locks in the order of
 * timeline.h. Both paths end alike: derived rows, one number of the lane per chunk, outbox, commit.
 */
#ifndef TUTTI_JOURNEY_TRACKER_H
#define TUTTI_JOURNEY_TRACKER_H

#include "common/base/zone_set.h"
#include "common/service/generation.h"
#include "services/journey-tracker/journey_cache.h"
#include "services/journey-tracker/store/journey_lanes.h"
#include "services/journey-tracker/store/journey_sale_rows.h"
#include "services/journey-tracker/store/journey_shapes.h"
#include "services/journey-tracker/store/journey_store.h"

/* A touchpoint of the flush. */
struct arrival {
    struct id anchor_id, profile_id; /* as the message says */
    int64_t version;
    const struct shape_ref *shape;
    struct journey_fact fact;
    int64_t profile; /* short key of the profile to which it is taken to belong */
    uint8_t rank;    /* enum touch_rank */
};

struct arrivals {
    struct arrival *items;
    size_t count, capacity;
};

struct journey_anchor_moves {
    struct anchor_move *items;
    size_t count, capacity;
};

/* Committed diffs wait here until the flush is published. */
struct diff_rows {
    struct diff_row *items;
    size_t count, capacity;
};

/* What lives as long as the service, or as long as a tool that derives. */
struct tracker {
    struct db *db;
    struct journey_policy policy;
    struct generation generation;
    struct zone_set zones; /* of the generation */
    struct erased *erased; /* NULL: a tool that derives only what is stored */
    struct shapes *shapes;
    struct timeline *timeline;
    struct journey_cache cache;
    struct arena scratch; /* of one profile at a time */
    int32_t diff_partitions;
    int careful_flushes; /* so many slow flushes expect repeats among new facts */
    struct metric *fast, *slow, *fallbacks, *rederived;
    struct metric *traits_left_out, *traits_unfit; /* NULL: a tool that reads no touchpoints */
};

struct journey_flush {
    struct arena *arena;
    int32_t lane;
    struct arrivals arrivals;
    struct journey_anchor_moves moves; /* of identity changes */

    /* Profiles to derive again under other policies. Such a flush tells nothing. */
    const int64_t *sweep;
    size_t sweep_count;

    /* out: committed and to be published */
    struct journey_lane_row lane_row;
    struct diff_rows diffs;
    struct told_messages told;
};

/* Reads the time zones of tracker->generation, and those that the policy names. They live in the
 * arena of the policy. */
enum outcome tracker_load_zones(struct tracker *tracker, struct arena *arena, struct err *err);

/* Runs the flush: the fast transaction, then the slow one. Idempotent: the same arrivals again
 * change nothing. */
enum outcome tracker_flush(struct tracker *tracker, struct journey_flush *flush, struct err *err);

#endif
