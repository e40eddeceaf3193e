/* policy.c: `tutti policy`. */
#include "cli/session.h"
#include "operations/policies/policies.h"

static const char *policy_dir(struct call *call)
{
    const char *given = call_argument(call, 1);
    return given ? given : config_text(call->config, "policy.dir");
}

static enum outcome check(struct session *s, const char *dir)
{
    CHECK(policies_check(&s->desk, dir, &s->err));
    say("the policies in %s are valid", dir);
    return OUTCOME_OK;
}

static enum outcome apply(struct session *s, const char *dir)
{
    int32_t generation;
    CHECK(policies_apply(&s->desk, dir, &generation, &s->err));
    say("the policies in %s are active (generation %d)", dir, generation);
    return OUTCOME_OK;
}

static enum exit_status run_policy(struct call *call)
{
    struct session s;
    const char *what = call_argument(call, 0), *dir = policy_dir(call);
    if (what == NULL || (strcmp(what, "check") != 0 && strcmp(what, "apply") != 0))
        return misuse(call, "expected check or apply");
    bool applies = strcmp(what, "apply") == 0 && !call_has(call, "dry-run");
    session_open(&s, call);
    return session_close(&s, applies ? apply(&s, dir) : check(&s, dir));
}

static const struct option options[] = {
    {"dry-run", NULL, "Only check the files."},
    {NULL, NULL, NULL},
};

const struct command command_policy = {
    .name = "policy",
    .arguments = "check|apply [DIR]",
    .summary = "Check a set of policies, or make it the active one",
    .details =
        "apply needs the services stopped. It derives every profile again from the stored "
        "touchpoints, and can be run again\n"
        "where it was interrupted. Services refuse to start with other files than the active ones.",
    .options = options,
    .max_arguments = 2,
    .run = run_policy,
};
