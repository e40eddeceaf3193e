/* policy.c: `tutti policy`. */
#include "cli/session.h"
#include "operations/following/apply.h"
#include "operations/following/trial.h"
#include "operations/policies/referrers.h"

enum { MOST_SECONDS = 3600 };

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

static enum outcome apply(struct session *s, const struct policy_order *order)
{
    int32_t generation;
    CHECK(policies_apply(&s->desk, order, &generation, &s->err));
    say("the policies in %s are active (generation %d)", order->dir, generation);
    return OUTCOME_OK;
}

static enum outcome plan(struct session *s, const struct policy_order *order)
{
    return policies_plan(&s->desk, order, &s->report, &s->err);
}

static enum outcome targets(struct session *s, const char *path, bool writes)
{
    size_t count = 0;
    CHECK(policies_targets(&s->desk, path, writes, &count, &s->err));
    say(writes ? "%zu targets are written, and no others are left" : "%zu targets are valid",
        count);
    return OUTCOME_OK;
}

static enum exit_status run_targets(struct call *call)
{
    struct session s;
    const char *path = call_argument(call, 1);
    if (path == NULL)
        return misuse(call, "expected the FILE of the targets");
    session_open(&s, call);
    return session_close(&s, targets(&s, path, !call_has(call, "dry-run")));
}

static enum exit_status convert_referrers(struct call *call)
{
    const struct json *list = NULL;
    struct strbuf text = {.arena = &call->arena};
    struct referrer_counts counts = {0};
    struct err err = {0};
    const char *path = call_argument(call, 1);
    if (path == NULL)
        return misuse(call, "expected a FILE");
    enum outcome outcome = json_read_file(&call->arena, path, &list, &err);
    if (outcome == OUTCOME_OK)
        outcome = referrers_convert(&call->arena, list, &text, &counts, &err);
    if (outcome != OUTCOME_OK)
        return failed(&err);
    fwrite(text.ptr, 1, text.len, stdout);
    say("%zu hosts; left out: %zu that are no hosts, %zu that were listed before", counts.hosts,
        counts.left_out, counts.doublings);
    return EXIT_DONE;
}

static enum exit_status run_policy(struct call *call)
{
    struct session s;
    const char *what = call_argument(call, 0), *dir = policy_dir(call);
    if (what && strcmp(what, "targets") == 0)
        return run_targets(call);
    if (what && strcmp(what, "referrers") == 0)
        return convert_referrers(call);
    bool plans = what && strcmp(what, "plan") == 0;
    if (what == NULL || (!plans && strcmp(what, "check") != 0 && strcmp(what, "apply") != 0))
        return misuse(call, "expected check, plan, apply, targets or referrers");
    bool applies = strcmp(what, "apply") == 0 && !call_has(call, "dry-run");
    struct policy_order order = {
        .dir = dir,
        .may_pause = call_has(call, "pause"),
        .refresh_zones = call_has(call, "refresh-zones"),
        .readers = {.resolved_topic =
                        call_option_or(call, "topic", config_text(call->config, "topic.resolved")),
                    .journey_group = call_option_or(call, "journey-group", "journey-tracker"),
                    .suppression_group = call_option_or(call, "group", "suppression")},
    };
    session_open(&s, call);
    if (!call_seconds(call, "wait", MOST_SECONDS, 60, &s.desk.wait))
        return EXIT_USAGE;
    if (plans)
        return session_close(&s, plan(&s, &order));
    return session_close(&s, applies ? apply(&s, &order) : check(&s, dir));
}

static const struct option options[] = {
    {"json", NULL, "plan: one JSON object."},
    {"dry-run", NULL, "apply, targets: only check the files."},
    {"wait", "SECONDS",
     "apply: so long until Kafka notices that killed instances have ended (60)."},
    {"topic", "NAME", "apply: topic of resolved touchpoints (tutti.touchpoints-resolved.v1)."},
    {"group", "NAME", "apply: suppression's consumer group (suppression)."},
    {"journey-group", "NAME", "apply: journey-tracker's consumer group (journey-tracker)."},
    {"pause", NULL, "apply: services wait where customers change faster than they are derived."},
    {"refresh-zones", NULL, "Take the time zones of this host (package tzdata)."},
    {NULL, NULL, NULL},
};

const struct command command_policy = {
    .name = "policy",
    .arguments = "check|plan|apply [DIR], targets FILE, referrers FILE",
    .summary = "Check a set of policies, make it the active one, set targets, or convert a list",
    .details =
        "apply derives every profile again from the stored touchpoints, and can be run again where "
        "it was interrupted.\n"
        "While services run it derives beside them, and switches once it has caught up. With "
        "another contact.json it needs\n"
        "them stopped. Where suppression has read more than journey-tracker, its group is set "
        "back then: what a new rule\n"
        "asks for is read again.\n"
        "plan derives in the same way, shows which figures would be others, and leaves all as it "
        "was.\n"
        "The first apply stores the time zones of this host; later ones keep them, unless asked to "
        "refresh them.\n"
        "targets writes a targets.json at once, in place of the one before; the services may run. "
        "apply writes that of DIR, if\n"
        "there is one, and else leaves the targets as they are.\n"
        "referrers reads a list of known sites in the form of Snowplow's referers.json or of "
        "Ghost's referrers.json, and\n"
        "prints it as a referrers.json for your policies.",
    .options = options,
    .max_arguments = 2,
    .run = run_policy,
};
