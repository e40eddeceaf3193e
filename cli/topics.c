/* topics.c: `tutti topics`: what topics there should be, what there is, and creating what is
 * missing. */
#include <poll.h>

#include "cli/topic_list.h"
#include "common/codec/json_write.h"

enum topic_state { TOPIC_FINE, TOPIC_MISSING, TOPIC_DIFFERS };

struct plan {
    struct topic_list list;
    struct topic_settings *found;
};

static enum topic_state state_of(struct call *call, const struct plan *plan, size_t i,
                                 const char **difference)
{
    *difference = "";
    if (plan->found[i].partitions == 0)
        return TOPIC_MISSING;
    *difference = topic_difference(&call->arena, &plan->list.wanted[i], &plan->found[i]);
    return **difference ? TOPIC_DIFFERS : TOPIC_FINE;
}

static void print_line(struct call *call, const struct plan *plan, size_t i)
{
    static const char *const words[] = {"ok", "create", "differs"};
    static const enum colour colours[] = {COLOUR_GREEN, COLOUR_BOLD, COLOUR_YELLOW};
    const char *difference;
    enum topic_state state = state_of(call, plan, i, &difference);
    const struct topic_settings *shown =
        state == TOPIC_MISSING ? &plan->list.wanted[i] : &plan->found[i];
    printf("%s%-7s%s  %-38s %3d partitions  %3lld d%s%s\n", colour(stdout, colours[state]),
           words[state], colour(stdout, COLOUR_OFF), plan->list.names[i], shown->partitions,
           (long long)(shown->retention_ms / 86400000), *difference ? "  " : "", difference);
}

static void print_json(struct call *call, const struct plan *plan)
{
    static const char *const words[] = {"ok", "missing", "differs"};
    struct strbuf out = {&call->arena, NULL, 0, 0};
    for (size_t i = 0; i < plan->list.count; i++) {
        const char *difference;
        enum topic_state state = state_of(call, plan, i, &difference);
        strbuf_addf(&out,
                    "%s{\"topic\":\"%s\",\"state\":\"%s\",\"partitions\":%d,\"wanted_partitions\":%"
                    "d,\"difference\":",
                    i ? "," : "[", plan->list.names[i], words[state], plan->found[i].partitions,
                    plan->list.wanted[i].partitions);
        json_add_text(&out, span_of(difference));
        strbuf_addf(&out, "}");
    }
    printf("%s]\n", out.ptr ? out.ptr : "[");
}

static enum outcome create_missing(struct admin *admin, const struct plan *plan, size_t *created,
                                   struct err *err)
{
    for (size_t i = 0; i < plan->list.count; i++) {
        if (plan->found[i].partitions > 0)
            continue;
        enum outcome outcome = admin_create(admin, plan->list.names[i], &plan->list.wanted[i], err);
        if (outcome != OUTCOME_OK)
            return outcome;
        say("created %s with %d partitions", plan->list.names[i], plan->list.wanted[i].partitions);
        ++*created;
    }
    return OUTCOME_OK;
}

static bool read_options(struct call *call, int32_t *partitions, struct duration *retention)
{
    int64_t n;
    if (!call_number(call, "partitions", 1, 10000, DEFAULT_PARTITIONS, &n))
        return false;
    *partitions = (int32_t)n;
    const char *text = call_option(call, "retention");
    *retention = (struct duration){30 * US_PER_DAY};
    if (text && !duration_parse(span_of(text), retention)) {
        complain("--retention: expected an ISO 8601 duration such as P30D, got \"%.40s\"", text);
        return false;
    }
    return true;
}

static enum outcome look(struct call *call, struct admin *admin, struct plan *plan, struct err *err)
{
    plan->found = arena_array(&call->arena, struct topic_settings, plan->list.count);
    return admin_describe(admin, plan->list.names, plan->list.count, plan->found, err);
}

static enum exit_status report(struct call *call, const struct plan *plan, bool apply)
{
    size_t missing = 0, differing = 0;
    const char *difference;
    for (size_t i = 0; i < plan->list.count; i++) {
        enum topic_state state = state_of(call, plan, i, &difference);
        missing += state == TOPIC_MISSING;
        differing += state == TOPIC_DIFFERS;
        if (!call_has(call, "json") && (!apply || state == TOPIC_DIFFERS))
            print_line(call, plan, i);
    }
    if (call_has(call, "json"))
        print_json(call, plan);
    if (!apply && missing)
        say("%zu of %zu topics are missing: `tutti topics apply` creates them", missing,
            plan->list.count);
    if (differing)
        warn("%zu topics are set differently; they are left as they are", differing);
    return EXIT_DONE;
}

/* A broker lists a new topic a moment after it has created it; services that start now must find
 * it. */
static enum outcome wait_for_topics(struct call *call, struct admin *admin, struct plan *plan,
                                    struct err *err)
{
    enum outcome outcome;
    size_t missing = 1;
    for (int tries = 0; tries < 100 && missing > 0; tries++) {
        const char *difference;
        if (tries > 0)
            poll(NULL, 0, 100);
        if ((outcome = look(call, admin, plan, err)) != OUTCOME_OK)
            return outcome;
        missing = 0;
        for (size_t i = 0; i < plan->list.count; i++)
            missing += state_of(call, plan, i, &difference) == TOPIC_MISSING;
    }
    return OUTCOME_OK;
}

static enum exit_status run_topics(struct call *call)
{
    const char *what = call_argument(call, 0);
    bool apply = what && strcmp(what, "apply") == 0;
    if (what && !apply && strcmp(what, "plan") != 0)
        return misuse(call, "expected plan or apply, got \"%.40s\"", what);
    apply = apply && !call_has(call, "dry-run");
    int32_t partitions;
    struct duration retention;
    if (!read_options(call, &partitions, &retention))
        return EXIT_USAGE;
    struct plan plan;
    struct admin *admin = NULL;
    struct err err = {0};
    size_t created = 0;
    topic_list_build(call, partitions, retention, &plan.list);
    enum outcome outcome = admin_open(call->config, &admin, &err);
    if (outcome == OUTCOME_OK)
        outcome = look(call, admin, &plan, &err);
    if (outcome == OUTCOME_OK && apply)
        outcome = create_missing(admin, &plan, &created, &err);
    if (outcome == OUTCOME_OK && created)
        outcome = wait_for_topics(call, admin, &plan, &err);
    admin_close(admin);
    if (outcome != OUTCOME_OK)
        return failed(&err);
    if (apply)
        say("%zu topics created, %zu were there", created, plan.list.count - created);
    return report(call, &plan, apply);
}

static const struct option options[] = {
    {"partitions", "N", "Partitions of touchpoint topics (8)."},
    {"retention", "DURATION",
     "Retention of input topics (P30D); our own keep 14 days, dead letters 90."},
    {"dry-run", NULL, "apply: only show the plan."},
    {"json", NULL, "The plan as JSON."},
    {NULL, NULL, NULL},
};

const struct command command_topics = {
    .name = "topics",
    .arguments = "[plan|apply]",
    .summary = "Show which topics are needed and which are there; apply creates what is missing",
    .details =
        "A topic that exists is never changed: what differs is reported. The setting topics.input "
        "names the topics that\n"
        "channel systems write to; services read everything that matches ^touchpoints\\..*\\.v1$.",
    .options = options,
    .max_arguments = 1,
    .run = run_topics,
};
