/* candidate.c: the file, the policy, and warnings; see candidate.h. */
#include "operations/policies/candidate.h"

#include "common/service/generation.h"
#include "services/identity-resolver/policy/identity_policy.h"

static void warn_of_idle_rules(struct desk *desk, const char *path,
                               const struct identity_policy *policy)
{
    struct policy_warnings warnings;
    identity_policy_warnings(desk->arena, policy, &warnings);
    for (size_t i = 0; i < warnings.count; i++)
        desk_warn(desk, "%s: " SPAN_FMT, path, SPAN_ARG(warnings.items[i]));
}

enum outcome identity_candidate_read(struct desk *desk, const char *path, struct span *text,
                                     struct identity_policy *out, struct err *err)
{
    struct strbuf bytes = {.arena = desk->arena};
    CHECK(generation_read_file(&bytes, path, err));
    *text = strbuf_span(&bytes);
    CHECK(identity_policy_read_text(desk->arena, *text, path, out, err));
    warn_of_idle_rules(desk, path, out);
    return OUTCOME_OK;
}
