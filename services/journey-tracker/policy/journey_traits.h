/* journey_traits.h: reads traits.json, and makes rows of journey.traits from what facts say. */
#ifndef TUTTI_JOURNEY_TRAITS_H
#define TUTTI_JOURNEY_TRAITS_H

#include "common/codec/json.h"
#include "services/journey-tracker/logic/policy.h"

/* Reads the document into policy->traits; NULL: there is no such file, and no trait. */
enum outcome journey_traits_read(struct arena *arena, const struct json *document,
                                 struct journey_policy *policy, struct err *err);

#endif
