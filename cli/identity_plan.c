/* identity_plan.c: `tutti identity plan|apply`. */
#include "cli/identity.h"
#include "operations/plan/plan.h"

enum { MAX_EXAMPLES = 1000, MAX_BATCH = 100000 };

static enum outcome run(struct session *s, const struct plan_request *request)
{
    struct plan *plan = NULL;
    bool has_act = false;
    enum outcome outcome = plan_look(&s->desk, request, &s->report, &plan, &has_act, &s->err);
    session_show(s);
    if (has_act && request->executes)
        outcome = plan_act(plan, &s->err);
    else if (has_act)
        say("nothing was changed; --execute acts");
    plan_close(plan);
    return outcome;
}

enum exit_status identity_plan(struct call *call)
{
    struct session s;
    int64_t limit, batch;
    if (call_option(call, "policy") == NULL)
        return misuse(call, "--policy is missing");
    if (!call_number(call, "limit", 0, MAX_EXAMPLES, 5, &limit) ||
        !call_number(call, "batch", 1, MAX_BATCH, 500, &batch))
        return EXIT_USAGE;
    struct plan_request request = {
        .path = call_option(call, "policy"),
        .applies = strcmp(call_argument(call, 0), "apply") == 0,
        .executes = call_has(call, "execute"),
        .forces = call_has(call, "force"),
        .limit = (size_t)limit,
        .batch = (size_t)batch,
        .actor = identity_actor(call),
        .readers = {
            .resolved_topic =
                call_option_or(call, "topic", config_text(call->config, "topic.resolved")),
            .changes_topic = call_option_or(call, "changes-topic",
                                            config_text(call->config, "topic.identity.changes")),
            .journey_group = call_option_or(call, "journey-group", "journey-tracker"),
            .suppression_group = call_option_or(call, "group", "suppression"),
        }};
    session_open(&s, call);
    return session_close(&s, run(&s, &request));
}
