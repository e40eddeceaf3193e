/* influence.c: `tutti influence`. */
#include "operations/inspect/influence.h"

#include "cli/days.h"
#include "cli/session.h"

#include <stdlib.h>
#include <string.h>

/* "20%" becomes "20"; false and a message if it is no share. */
static bool read_share(struct call *call, char *digits, size_t size, const char **share)
{
    const char *text = call_option(call, "stop");
    *share = NULL;
    if (text == NULL)
        return true;
    size_t length = strspn(text, "0123456789.");
    char *end = digits;
    if (length > 0 && length < size && strcmp(text + length, "%") == 0) {
        memcpy(digits, text, length);
        digits[length] = 0;
        double percent = strtod(digits, &end);
        if (*end == 0 && percent > 0 && percent <= 100) {
            *share = digits;
            return true;
        }
    }
    complain("--stop: expected a share of all sends, up to 100%%, such as 20%%, got \"%.40s\"",
             text);
    return false;
}

static enum exit_status run_influence(struct call *call)
{
    struct session s;
    char digits[16];
    struct influence_request request = {.goal = call_option(call, "goal"),
                                        .segment = call_option(call, "segment")};
    if (request.goal == NULL)
        return misuse(call, "expected --goal");
    if (!call_days(call, &request.first, &request.last) ||
        !read_share(call, digits, sizeof digits, &request.share))
        return EXIT_USAGE;
    session_open(&s, call);
    return session_close(&s, influence_report(&s.desk, &request, &s.report, &s.err));
}

static const struct option options[] = {
    {"goal", "ID", "The goal, one of `influence` of journey.json."},
    {"stop", "SHARE", "Say what to stop to save at most this share of all sends, such as 20%."},
    {"from", "DATE", "First day; its whole month counts."},
    {"to", "DATE", "Last day; its whole month counts."},
    {"segment", "ID", "Only paths of customers who were in this segment before its first touch."},
    {"json", NULL, "One JSON object."},
    {NULL, NULL, NULL},
};

const struct command command_influence = {
    .name = "influence",
    .arguments = "",
    .summary = "Show which touches lead to a goal, and which of them could be stopped",
    .details =
        "Without --stop: what each campaign, kind or channel does for the goal. With it: what to\n"
        "stop, the least loss per send first. Each loss is the most that can be lost: it takes\n"
        "everybody who met a stopped touch for lost. The order is a good one, not the best of all.",
    .options = options,
    .max_arguments = 0,
    .run = run_influence,
};
