/* identity_order.c: `tutti identity unlink|link|release`. */
#include "cli/identity.h"
#include "operations/orders/order.h"

static enum order_kind kind_of(const struct call *call)
{
    const char *word = call_argument(call, 0);
    if (strcmp(word, "link") == 0)
        return call_has(call, "same-person") ? ORDER_SAME : ORDER_LINK;
    return strcmp(word, "unlink") == 0 ? ORDER_CUT : ORDER_RELEASE;
}

static enum outcome execute(struct session *s, struct order *order)
{
    int64_t version = 0;
    CHECK(order_execute(order, &s->report, &version, &s->err));
    if (!call_has(s->call, "json"))
        say("done; %s %lld", version ? "identity change" : "nothing moved, version",
            (long long)version);
    return OUTCOME_OK;
}

static enum outcome run(struct session *s, const struct order_request *request)
{
    struct order *order = NULL;
    enum outcome outcome = order_look(&s->desk, request, &s->report, &order, &s->err);
    session_show(s);
    if (outcome == OUTCOME_OK && request->executes)
        outcome = execute(s, order);
    else if (outcome == OUTCOME_OK && !call_has(s->call, "json"))
        say("nothing was changed; --execute acts");
    order_close(order);
    return outcome;
}

enum exit_status identity_order(struct call *call)
{
    struct session s;
    int64_t schema_id;
    struct order_request request = {
        .kind = kind_of(call),
        .identifiers = {call_argument(call, 1), call_argument(call, 2)},
        .actor = identity_actor(call),
        .reason = call_option(call, "reason"),
        .executes = call_has(call, "execute"),
        .forces = call_has(call, "force"),
        .resolved_topic =
            call_option_or(call, "topic", config_text(call->config, "topic.resolved")),
        .suppression_group = call_option_or(call, "group", "suppression"),
    };
    if (request.reason == NULL || span_trim(span_of(request.reason)).len == 0)
        return misuse(call, "--reason is missing");
    if (call_has(call, "same-person") && request.kind != ORDER_SAME)
        return misuse(call, "--same-person belongs to link");
    session_open(&s, call);
    if (!call_seconds(call, "wait", IDENTITY_MOST_SECONDS, 60, &s.desk.wait) ||
        !call_number(call, "schema-id", 1, INT32_MAX, 1, &schema_id))
        return EXIT_USAGE;
    request.schema_id = (int32_t)schema_id;
    return session_close(&s, run(&s, &request));
}
