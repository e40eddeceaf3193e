/* identity_candidate.c: see identity_candidate.h. */
#include "cli/identity_candidate.h"

#include "cli/command.h"
#include "common/service/generation.h"
#include "services/identity-resolver/policy/identity_policy.h"

static void tell_vain(struct arena *arena, const char *path, const struct identity_policy *policy)
{
    struct policy_warnings warnings;
    identity_policy_warnings(arena, policy, &warnings);
    for (size_t i = 0; i < warnings.count; i++)
        warn("%s: " SPAN_FMT, path, SPAN_ARG(warnings.items[i]));
}

enum outcome identity_candidate_read(struct arena *arena, const char *path, struct span *text,
                                     struct identity_policy *out, struct err *err)
{
    struct strbuf bytes = {.arena = arena};
    CHECK(generation_read_file(&bytes, path, err));
    *text = strbuf_span(&bytes);
    CHECK(identity_policy_read_text(arena, *text, path, out, err));
    tell_vain(arena, path, out);
    return OUTCOME_OK;
}
