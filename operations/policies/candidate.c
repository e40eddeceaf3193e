/* candidate.c: the file, the policy, and warnings; see candidate.h. */
#include "operations/policies/candidate.h"

#include "common/service/generation.h"
#include "services/identity-resolver/policy/identity_policy.h"

void candidate_warn(struct desk *desk, const char *path, const struct warnings *warnings)
{
    for (size_t i = 0; i < warnings->count; i++)
        desk_warn(desk, "%s: " SPAN_FMT, path, SPAN_ARG(warnings->items[i]));
}

enum outcome identity_candidate_read(struct desk *desk, const char *path, struct span *text,
                                     struct identity_policy *out, struct err *err)
{
    struct strbuf bytes = {.arena = desk->arena};
    struct warnings warnings;
    CHECK(generation_read_file(&bytes, path, err));
    *text = strbuf_span(&bytes);
    CHECK(identity_policy_read_text(desk->arena, *text, path, out, err));
    identity_policy_warnings(desk->arena, out, &warnings);
    candidate_warn(desk, path, &warnings);
    return OUTCOME_OK;
}
