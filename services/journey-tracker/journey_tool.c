/* journey_tool.c: see journey_tool.h. */
#include "services/journey-tracker/journey_tool.h"

#include "common/runtime/telemetry.h"
#include "services/journey-tracker/journey_policy.h"

enum outcome tool_tracker_open(struct tracker *tracker, struct db *db, const char *dir,
                               const struct generation *generation, struct arena *arena,
                               struct err *err)
{
    struct tracker *t = tracker;
    t->db = db;
    t->generation = *generation;
    t->diff_partitions = 1;
    t->fast = t->slow = t->fallbacks = t->rederived =
        metric_counter("sweep_profiles_total", "", "Profiles derived again.");
    t->timeline = timeline_new(&journey_timeline);
    journey_cache_open(&t->cache, 1 << 20);
    struct policy_source source = policy_source_folder(dir);
    CHECK(journey_policy_load(arena, &source, &t->policy, err));
    CHECK(tracker_load_zones(t, arena, err));
    return shapes_open(db, &t->policy, &t->shapes, err);
}

void tool_tracker_close(struct tracker *tracker)
{
    timeline_free(tracker->timeline);
    shapes_close(tracker->shapes);
    journey_cache_close(&tracker->cache);
    arena_free(&tracker->scratch);
}
