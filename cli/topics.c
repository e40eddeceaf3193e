/* topics.c: `tutti topics`. */
#include "operations/topics/topics.h"
#include "cli/session.h"
#include "operations/topics/topic_list.h"

static bool read_options(struct call *call, struct topics_request *request)
{
    int64_t n;
    if (!call_number(call, "partitions", 1, 10000, DEFAULT_PARTITIONS, &n))
        return false;
    request->partitions = (int32_t)n;
    const char *text = call_option(call, "retention");
    request->retention = (struct duration){30 * US_PER_DAY};
    if (text && !duration_parse(span_of(text), &request->retention)) {
        complain("--retention: expected an ISO 8601 duration such as P30D, got \"%.40s\"", text);
        return false;
    }
    return true;
}

static void say_counts(const struct topics_counts *counts, bool applies)
{
    if (applies)
        say("%zu topics created, %zu were there", counts->created, counts->all - counts->created);
    else if (counts->missing)
        say("%zu of %zu topics are missing: `tutti topics apply` creates them", counts->missing,
            counts->all);
    if (counts->differing)
        warn("%zu topics are set differently; they are left as they are", counts->differing);
}

static enum exit_status run_topics(struct call *call)
{
    struct session s;
    struct topics_request request;
    struct topics_counts counts;
    const char *what = call_argument(call, 0);
    bool applies = what && strcmp(what, "apply") == 0;
    if (what && !applies && strcmp(what, "plan") != 0)
        return misuse(call, "expected plan or apply, got \"%.40s\"", what);
    if (!read_options(call, &request))
        return EXIT_USAGE;
    request.applies = applies && !call_has(call, "dry-run");
    session_open(&s, call);
    enum exit_status status =
        session_close(&s, topics_look(&s.desk, &request, &s.report, &counts, &s.err));
    if (status == EXIT_DONE)
        say_counts(&counts, request.applies);
    return status;
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
    .summary = "Show which topics are needed and which are there; apply creates the missing ones",
    .details =
        "A topic that exists is never changed: what differs is reported. The setting topics.input "
        "names the topics that\n"
        "channel systems write to; services read everything that matches ^touchpoints\\..*\\.v1$.",
    .options = options,
    .max_arguments = 1,
    .run = run_topics,
};
