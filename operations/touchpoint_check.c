/* touchpoint_check.c: decodes as the services do; see touchpoint_check.h. */
#include "operations/touchpoint_check.h"

#include <unistd.h>

#include "common/runtime/clock.h"
#include "common/service/generation.h"
#include "services/identity-resolver/policy/identity_policy.h"

enum outcome touchpoint_check_open(const struct config *config, const struct avro_plan *plan,
                                   struct arena *arena, struct touchpoint_check *out,
                                   struct err *err)
{
    const char *path =
        generation_policy_path(arena, config_text(config, "policy.dir"), "identity.json");
    out->plan = plan;
    identity_policy_init(&out->policy);
    return access(path, F_OK) == 0 ? identity_policy_read(arena, path, &out->policy, err)
                                   : OUTCOME_OK;
}

enum outcome touchpoint_check(const struct touchpoint_check *check, struct span payload,
                              struct err *err)
{
    struct touchpoint touchpoint;
    CHECK(touchpoint_decode(check->plan, payload, &touchpoint, err));
    return identity_check_times(&check->policy, clock_now(),
                                (struct instant){touchpoint.occurred_at}, err);
}
