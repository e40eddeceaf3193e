/* journey_segments.h: reads segments.json. */
#ifndef TUTTI_JOURNEY_SEGMENTS_READER_H
#define TUTTI_JOURNEY_SEGMENTS_READER_H

#include "common/codec/json.h"
#include "services/journey-tracker/logic/policy.h"

/* Fills policy->segments, whose filters join policy->filters; document NULL: there are none. The
 * traits are read before. Texts stay borrowed, lists go to arena. */
enum outcome journey_segments_read(struct arena *arena, const struct json *document,
                                   struct journey_policy *policy, struct err *err);

#endif
