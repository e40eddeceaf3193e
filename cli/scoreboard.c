/* scoreboard.c: `tutti scoreboard`. */
#include "cli/session.h"
#include "operations/inspect/inspect.h"

static enum exit_status run_scoreboard(struct call *call)
{
    struct session s;
    session_open(&s, call);
    return session_close(&s, scoreboard_report(&s.desk, &s.report, &s.err));
}

static const struct option options[] = {
    {"json", NULL, "One JSON object."},
    {NULL, NULL, NULL},
};

const struct command command_scoreboard = {
    .name = "scoreboard",
    .arguments = "",
    .summary = "Print goals, targets, the funnel, credit per campaign, transitions, opportunities "
               "and contact decisions",
    .details = "Reads the views rpt_shared_goals_daily, rpt_shared_goals, rpt_funnel, "
               "rpt_attributions_daily, rpt_journey_map, rpt_opportunities and "
               "fct_contact_decisions.",
    .options = options,
    .max_arguments = 0,
    .run = run_scoreboard,
};
