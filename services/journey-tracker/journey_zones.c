/* journey_zones.c: the time zones of the tracker's generation. */
#include "common/service/zones.h"
#include "services/journey-tracker/journey_policy.h"
#include "services/journey-tracker/journey_tracker.h"

enum outcome tracker_load_zones(struct tracker *tracker, struct arena *arena, struct err *err)
{
    CHECK(zones_load(tracker->db, arena, &tracker->generation.zones, &tracker->zones, err));
    return journey_policy_set_zones(arena, &tracker->policy, &tracker->zones, err);
}
