/* journey_channels.h: reads channels.json and referrers.json. */
#ifndef TUTTI_JOURNEY_CHANNELS_H
#define TUTTI_JOURNEY_CHANNELS_H

#include "common/codec/json.h"
#include "services/journey-tracker/logic/policy.h"

/* Fills policy->channels, own_hosts and networks. Texts stay borrowed, lists and patterns of hosts
 * go to arena. */
enum outcome journey_channels_read(struct arena *arena, const struct json *document,
                                   struct journey_policy *policy, struct err *err);

/* Fills policy->referrers; document NULL: there are none. */
enum outcome journey_referrers_read(struct arena *arena, const struct json *document,
                                    struct journey_policy *policy, struct err *err);

#endif
