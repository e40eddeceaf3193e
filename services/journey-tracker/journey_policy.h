/* journey_policy.h: reads journey.json, goals.json, channels.json, referrers.json, traits.json,
 * segments.json and orchestration.json into the policy that the derivation uses. */
#ifndef TUTTI_JOURNEY_POLICY_H
#define TUTTI_JOURNEY_POLICY_H

#include "common/base/arena.h"
#include "common/base/warnings.h"
#include "common/base/zone_set.h"
#include "common/codec/json.h"
#include "common/service/policy_source.h"
#include "services/journey-tracker/logic/policy.h"

/* The documents of a policy; the last four may be NULL: there are none. */
struct journey_documents {
    const struct json *journey, *goals, *channels, *referrers, *traits, *segments, *orchestration;
};

/* Checks shape and meaning of the documents. Texts stay borrowed from the documents' arena; lists
 * go to arena. Errors have the code "json_invalid" or "policy_invalid" and name the document
 * and the place, for example "journey.json: stages[4].rules[0].nth: ...". Dictionary codes are set
 * later, by journey_policy_intern. */
enum outcome journey_policy_read(struct arena *arena, const struct journey_documents *documents,
                                 struct journey_policy *out, struct err *err);

/* The same from files, or from what was applied. FATAL if one cannot be read; referrers.json,
 * traits.json, segments.json and orchestration.json may be absent. Texts may be borrowed from the
 * source. */
enum outcome journey_policy_load(struct arena *arena, const struct policy_source *source,
                                 struct journey_policy *out, struct err *err);

/* Looks the policy's time zones up; zones must live as long as the policy. FATAL "policy_invalid"
 * with the place of a name that is none, and the nearest one. */
enum outcome journey_policy_set_zones(struct arena *arena, struct journey_policy *policy,
                                      const struct zone_set *zones, struct err *err);

/* What a valid journey.json says and can hardly mean, with its place in the file. */
void journey_policy_warnings(struct arena *arena, const struct journey_policy *policy,
                             struct warnings *out);

#endif
