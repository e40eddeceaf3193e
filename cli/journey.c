/* journey.c: `tutti journey after`. */
#include "cli/days.h"
#include "cli/session.h"
#include "operations/inspect/paths.h"

#include <string.h>

enum { MAX_NTH = 100, MAX_KINDS = 1000 };

static bool read_within(const struct call *call, struct duration *within)
{
    const char *text = call_option(call, "within");
    *within = (struct duration){PATHS_MAX_WITHIN_DAYS * US_PER_DAY};
    if (text == NULL)
        return true;
    struct duration given;
    if (duration_parse(span_of(text), &given) && given.us <= within->us) {
        *within = given;
        return true;
    }
    complain("--within: expected an ISO 8601 duration of at most P365D, such as P1D, got \"%.40s\"",
             text);
    return false;
}

static bool read_steps(const struct call *call, struct paths_request *request)
{
    int64_t steps, nth, kinds;
    if (!call_number(call, "steps", 1, PATHS_MAX_STEPS, 3, &steps) ||
        !call_number(call, "nth", 1, MAX_NTH, 0, &nth) ||
        !call_number(call, "top", 1, MAX_KINDS, 10, &kinds))
        return false;
    request->step_count = nth ? 1 : (size_t)steps;
    for (size_t i = 0; i < request->step_count; i++)
        request->steps[i] = nth ? (int32_t)nth : (int32_t)i + 1;
    request->kinds = (int32_t)kinds;
    return true;
}

static enum exit_status run_journey(struct call *call)
{
    struct session s;
    const char *word = call_argument(call, 0), *node = call_argument(call, 1);
    if (word == NULL || strcmp(word, "after") != 0)
        return misuse(call, "expected after");
    if (call_has(call, "steps") && call_has(call, "nth"))
        return misuse(call, "--steps and --nth exclude each other");
    if (node == NULL && !call_has(call, "nth"))
        return misuse(call, "expected a kind of touch, or --nth");
    struct paths_request request = {.node = node ? node : PATHS_START,
                                    .segment = call_option(call, "segment")};
    if (!call_days(call, &request.first, &request.last) || !read_within(call, &request.within) ||
        !read_steps(call, &request))
        return EXIT_USAGE;
    session_open(&s, call);
    return session_close(&s, paths_after(&s.desk, &request, &s.report, &s.err));
}

static const struct option options[] = {
    {"steps", "N", "Steps that are shown, 1 to 5 (3)."},
    {"nth", "N", "Only step N, 1 to 100; without a kind: the touch number N of journeys."},
    {"within", "DURATION", "From a touch to the next one at most (P365D)."},
    {"from", "DATE", "First day of the touches that are started from."},
    {"to", "DATE", "Last day of them."},
    {"segment", "ID", "Only customers who were in this segment at that touch."},
    {"top", "N", "Kinds per step; the rest is one row (10)."},
    {"json", NULL, "One JSON object."},
    {NULL, NULL, NULL},
};

const struct command command_journey = {
    .name = "journey",
    .arguments = "after [KIND]",
    .summary = "Show where customers go after a touch, step by step",
    .details =
        "KIND is a node of the journey map, such as search:google or (conversion); (start) is the\n"
        "beginning of a journey. The rows of a step add up to the touches that are started from,\n"
        "which stand as step 0. A customer may be in several rows.",
    .options = options,
    .max_arguments = 2,
    .run = run_journey,
};
