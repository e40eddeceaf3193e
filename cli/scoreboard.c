/* scoreboard.c: `tutti scoreboard`: the shared figures of all departments on one page. */
#include "cli/section.h"
#include "cli_sql.h"

static const struct section sections[] = {
    {"goals",
     "Shared goals",
     &sql_scoreboard_goals,
     {"goal", "metric", "unit", "currency", ">value", "from", "to"}},
    {"credit",
     "Revenue credited to campaigns",
     &sql_scoreboard_credit,
     {"campaign", "currency", ">first_touch", ">last_touch", ">linear"}},
    {"transitions",
     "Where customers go next",
     &sql_scoreboard_map,
     {"from", "to", ">transitions", ">mean_wait"}},
    {"decisions",
     "Contact decisions",
     &sql_scoreboard_decisions,
     {"verdict", "reason", "rule", ">requests"}},
    {.name = NULL},
};

static enum exit_status run_scoreboard(struct call *call)
{
    struct db *db = NULL;
    struct err err = {0};
    enum outcome outcome = database_connect(call, &db, &err);
    if (outcome == OUTCOME_OK)
        outcome = sections_print(call, db, sections, NULL, call_has(call, "json"), &err);
    db_close(db);
    return outcome == OUTCOME_OK ? EXIT_DONE : failed(&err);
}

static const struct option options[] = {
    {"json", NULL, "One JSON object."},
    {NULL, NULL, NULL},
};

const struct command command_scoreboard = {
    .name = "scoreboard",
    .arguments = "",
    .summary = "Print goals, credit per campaign, the biggest transitions and contact decisions",
    .details = "Reads the views rpt_shared_goals_daily, rpt_attributions_daily, rpt_journey_map "
               "and fct_contact_decisions.",
    .options = options,
    .max_arguments = 0,
    .run = run_scoreboard,
};
