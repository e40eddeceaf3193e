/* scoreboard.c: the shared figures of all departments, from the public views. */
#include "inspect_sql.h"
#include "operations/inspect/inspect.h"
#include "operations/report_query.h"

static const struct part {
    const struct statement *statement;
    struct section_form form;
} parts[] = {
    {&sql_scoreboard_goals,
     {.name = "goals",
      .title = "Shared goals",
      .columns = {{"goal", CELL_TEXT},
                  {"metric", CELL_TEXT},
                  {"unit", CELL_TEXT},
                  {"currency", CELL_TEXT},
                  {"value", CELL_NUMBER},
                  {"from", CELL_TEXT},
                  {"to", CELL_TEXT}}}},
    {&sql_scoreboard_periods,
     {.name = "periods",
      .title = "Periods: the newest of each kind, with targets, customers, and what came too late",
      .columns = {{"goal", CELL_TEXT},
                  {"department", CELL_TEXT},
                  {"period", CELL_TEXT},
                  {"from", CELL_TEXT},
                  {"currency", CELL_TEXT},
                  {"value", CELL_NUMBER},
                  {"target", CELL_NUMBER},
                  {"customers", CELL_NUMBER},
                  {"corrected", CELL_NUMBER}}}},
    {&sql_scoreboard_funnel,
     {.name = "funnel",
      .title = "Funnel: journeys by the month of their first touch, per cent of the stage before "
               "(brackets: no source feeds it)",
      .columns = {{"month", CELL_TEXT},
                  {"inquiry", CELL_TEXT},
                  {"consideration", CELL_TEXT},
                  {"purchase", CELL_TEXT},
                  {"onboarding", CELL_TEXT},
                  {"retention", CELL_TEXT},
                  {"loyalty", CELL_TEXT},
                  {"advocacy", CELL_TEXT}}}},
    {&sql_scoreboard_credit,
     {.name = "credit",
      .title = "Revenue credited to campaigns",
      .columns = {{"campaign", CELL_TEXT},
                  {"currency", CELL_TEXT},
                  {"first_touch", CELL_NUMBER},
                  {"last_touch", CELL_NUMBER},
                  {"linear", CELL_NUMBER}}}},
    {&sql_scoreboard_map,
     {.name = "transitions",
      .title = "Where customers go next",
      .columns = {{"from", CELL_TEXT},
                  {"to", CELL_TEXT},
                  {"transitions", CELL_NUMBER},
                  {"mean_wait", CELL_NUMBER}}}},
    {&sql_scoreboard_opportunities,
     {.name = "opportunities",
      .title = "Opportunities by department",
      .columns = {{"department", CELL_TEXT},
                  {"opened", CELL_NUMBER},
                  {"accepted", CELL_NUMBER},
                  {"acceptance", CELL_NUMBER},
                  {"won", CELL_NUMBER},
                  {"win_rate", CELL_NUMBER}}}},
    {&sql_scoreboard_decisions,
     {.name = "decisions",
      .title = "Contact decisions",
      .columns = {{"verdict", CELL_TEXT},
                  {"reason", CELL_TEXT},
                  {"rule", CELL_TEXT},
                  {"requests", CELL_NUMBER}}}},
};

enum outcome scoreboard_report(struct desk *desk, struct report *report, struct err *err)
{
    CHECK(desk_connect(desk, err));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        CHECK(report_query(report, desk->db, &parts[i].form, parts[i].statement, NULL, NULL, err));
    return OUTCOME_OK;
}
