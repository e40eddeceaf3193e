/* journey_influence.h: reads `influence` of journey.json. */
#ifndef TUTTI_JOURNEY_INFLUENCE_READ_H
#define TUTTI_JOURNEY_INFLUENCE_READ_H

#include "common/codec/json.h"
#include "services/journey-tracker/logic/policy.h"

/* journey: the document. policy->lookback is the default of theirs; journey_policy_finish finds
 * the goals. */
enum outcome journey_influence_read(const struct json *journey, struct journey_policy *policy,
                                    struct err *err);

#endif
