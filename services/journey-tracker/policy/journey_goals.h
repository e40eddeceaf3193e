/* journey_goals.h: reads goals.json. */
#ifndef TUTTI_JOURNEY_GOALS_H
#define TUTTI_JOURNEY_GOALS_H

#include "common/codec/json.h"
#include "services/journey-tracker/logic/policy.h"

/* Adds the goals to a policy that has its conversion rules and its segments. A parent stands above
 * its children, so that there are no circles. */
enum outcome journey_goals_read(struct arena *arena, const struct json *document,
                                struct journey_policy *policy, struct err *err);

#endif
