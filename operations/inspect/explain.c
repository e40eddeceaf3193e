/* explain.c: one customer: who it is and by which evidence, journey, credit, holds, verdicts. */
#include "inspect_sql.h"
#include "operations/identifier.h"
#include "operations/inspect/inspect.h"
#include "operations/report_query.h"

/* $1 of each statement is the profile. */
static const struct part {
    const struct statement *statement;
    struct section_form form;
} parts[] = {
    {&sql_explain_members,
     {.name = "members",
      .title = "Who: identifiers of this customer",
      .columns = {{"profile", CELL_TEXT},
                  {"identifier", CELL_TEXT},
                  {"type", CELL_TEXT},
                  {"first_seen", CELL_TEXT},
                  {"note", CELL_TEXT}}}},
    {&sql_explain_orders,
     {.name = "orders",
      .title = "What operators ordered about them",
      .columns = {{"made", CELL_TEXT},
                  {"order", CELL_TEXT},
                  {"a", CELL_TEXT},
                  {"b", CELL_TEXT},
                  {"actor", CELL_TEXT},
                  {"reason", CELL_TEXT}}}},
    {&sql_explain_links,
     {.name = "links",
      .title = "Why: which touchpoint first showed two identifiers together",
      .columns = {{"identifier", CELL_TEXT},
                  {"other", CELL_TEXT},
                  {"first_seen", CELL_TEXT},
                  {"touchpoint", CELL_TEXT},
                  {"note", CELL_TEXT}}}},
    {&sql_explain_journey,
     {.name = "journey",
      .title = "Journey",
      .columns = {{"stage", CELL_TEXT},
                  {"since", CELL_TEXT},
                  {"status", CELL_TEXT},
                  {"first_seen", CELL_TEXT},
                  {"last_seen", CELL_TEXT},
                  {"orders", CELL_NUMBER},
                  {"revenue", CELL_NUMBER},
                  {"currency", CELL_TEXT}}}},
    {&sql_explain_touches,
     {.name = "touches",
      .title = "Last touches",
      .columns = {{"occurred", CELL_TEXT},
                  {"direction", CELL_TEXT},
                  {"channel", CELL_TEXT},
                  {"department", CELL_TEXT},
                  {"event", CELL_TEXT},
                  {"campaign", CELL_TEXT},
                  {"revenue", CELL_NUMBER},
                  {"touchpoint", CELL_TEXT}}}},
    {&sql_explain_conversions,
     {.name = "conversions",
      .title = "Last conversions and their credit",
      .columns = {{"converted", CELL_TEXT},
                  {"goal", CELL_TEXT},
                  {"revenue", CELL_NUMBER},
                  {"model", CELL_TEXT},
                  {"channel", CELL_TEXT},
                  {"campaign", CELL_TEXT},
                  {"touched", CELL_TEXT},
                  {"credit", CELL_NUMBER}}}},
};

static const struct part decisions = {&sql_explain_decisions,
                                      {.name = "decisions",
                                       .title = "Contact decisions",
                                       .columns = {{"requested", CELL_TEXT},
                                                   {"channel", CELL_TEXT},
                                                   {"department", CELL_TEXT},
                                                   {"verdict", CELL_TEXT},
                                                   {"reason", CELL_TEXT},
                                                   {"rule", CELL_TEXT},
                                                   {"outcome", CELL_TEXT},
                                                   {"request", CELL_TEXT}}}};

enum outcome explain_customer(struct desk *desk, const char *identifier, struct report *report,
                              struct err *err)
{
    struct id id, profile;
    struct params p;
    CHECK(desk_connect(desk, err));
    CHECK(identifier_parse(desk, identifier, &id, err));
    CHECK(identifier_profile(desk, &id, &profile, err));
    params_init(&p, report->arena);
    params_uuid(&p, &profile);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        CHECK(report_query(report, desk->db, &parts[i].form, parts[i].statement, &p, NULL, err));
    CHECK(holds_report(desk, &profile, report, err));
    CHECK(report_query(report, desk->db, &decisions.form, decisions.statement, &p, NULL, err));
    return answers_report(desk, &profile, report, err);
}
