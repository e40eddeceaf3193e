/* journey_orchestration.h: reads orchestration.json. */
#ifndef TUTTI_JOURNEY_ORCHESTRATION_READER_H
#define TUTTI_JOURNEY_ORCHESTRATION_READER_H

#include "common/codec/json.h"
#include "services/journey-tracker/logic/policy.h"

/* Fills policy->offers, whose filters join policy->filters; document NULL: there are none. The
 * segments are read before. Texts stay borrowed, lists go to arena. */
enum outcome journey_orchestration_read(struct arena *arena, const struct json *document,
                                        struct journey_policy *policy, struct err *err);

#endif
