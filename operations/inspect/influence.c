/* influence.c: see influence.h. */
#include "operations/inspect/influence.h"

#include <stdlib.h>

#include "inspect_sql.h"
#include "operations/inspect/exists.h"
#include "operations/report_query.h"

/* Above it removal says little: nearly everybody converts anyway. */
#define MOST_P 0.5

static const struct section_form nodes_form = {
    .name = "nodes",
    .title = "Influence",
    .columns = {{"node", CELL_TEXT},
                {"touches", CELL_NUMBER},
                {"sends", CELL_NUMBER},
                {"removal_effect", CELL_NUMBER},
                {"influence", CELL_NUMBER},
                {"expected_loss", CELL_NUMBER}},
};

static const struct section_form stops_form = {
    .name = "stops",
    .title = "What to stop, the least loss per send first",
    .columns = {{"step", CELL_NUMBER},
                {"node", CELL_TEXT},
                {"sends", CELL_NUMBER},
                {"sends_saved", CELL_NUMBER},
                {"expected_loss", CELL_NUMBER}},
};

enum { CONVERSIONS, ON_PATHS, UNPROMPTED, CHANCE, SENDS };

static struct span span_or_none(const char *text)
{
    return text ? span_of(text) : SPAN_NONE;
}

static void fill(struct params *p, const struct influence_request *request, struct arena *arena)
{
    params_init(p, arena);
    params_text(p, span_of(request->goal));
    params_text(p, span_or_none(request->first));
    params_text(p, span_or_none(request->last));
    params_text(p, request->segment ? span_of(request->segment) : SPAN("(all)"));
}

static struct report_cell number_at(const struct db_result *r, int column)
{
    if (db_is_null(r, 0, column))
        return cell_null();
    return (struct report_cell){.kind = CELL_NUMBER, .text = db_bytes(r, 0, column)};
}

static void say_chance(struct report *report, const struct db_result *r)
{
    const char *p = result_text(report->arena, r, 0, CHANCE);
    if (*p == 0)
        return;
    report_line(report, "a path that begins converts with a chance of %s (p)", p);
    if (strtod(p, NULL) > MOST_P)
        report_warn(
            report,
            "p is %s: most paths convert whatever is sent, so to remove a node says little; "
            "let journey.json ask for the first conversions of this goal, or for another goal",
            p);
}

/* False: there are no steps. */
static enum outcome add_sums(struct desk *desk, const struct influence_request *request,
                             struct report *report, bool *is_empty, struct err *err)
{
    static const char *const names[] = {"conversions", "path_conversions", "unprompted_conversions",
                                        "p", "sends"};
    struct params p;
    struct db_result *r = NULL;
    fill(&p, request, report->arena);
    CHECK(db_run(desk->db, &sql_influence_sums, &p, &r, NULL, err));
    *is_empty = db_is_null(r, 0, CONVERSIONS);
    if (*is_empty)
        return OUTCOME_OK;
    report_line(
        report, "%s conversions: %s on paths, %s unprompted; %s sends",
        result_text(report->arena, r, 0, CONVERSIONS), result_text(report->arena, r, 0, ON_PATHS),
        result_text(report->arena, r, 0, UNPROMPTED), result_text(report->arena, r, 0, SENDS));
    for (int i = CONVERSIONS; i <= SENDS; i++)
        report_value(report, names[i], number_at(r, i), NULL);
    say_chance(report, r);
    return OUTCOME_OK;
}

static enum outcome add_stops(struct desk *desk, const struct influence_request *request,
                              struct report *report, struct err *err)
{
    struct params p;
    size_t rows = 0;
    fill(&p, request, report->arena);
    params_text(&p, span_of(request->share));
    CHECK(report_query(report, desk->db, &stops_form, &sql_influence_stops, &p, &rows, err));
    if (rows == 0)
        report_line(report, "every node with sends has more than %s %% of them", request->share);
    report_line(report, "expected_loss: conversions that are lost at most if this row and those "
                        "above it are stopped");
    return OUTCOME_OK;
}

static enum outcome add_nodes(struct desk *desk, const struct influence_request *request,
                              struct report *report, struct err *err)
{
    struct params p;
    fill(&p, request, report->arena);
    CHECK(report_query(report, desk->db, &nodes_form, &sql_influence_nodes, &p, NULL, err));
    report_line(report,
                "expected_loss: conversions that are lost at most if the node alone is stopped");
    return OUTCOME_OK;
}

enum outcome influence_report(struct desk *desk, const struct influence_request *request,
                              struct report *report, struct err *err)
{
    bool is_empty = false;
    CHECK(desk_connect(desk, err));
    CHECK(must_exist(desk, &sql_influence_goals, "goal with paths", request->goal, err));
    if (request->segment)
        CHECK(must_exist(desk, &sql_influence_segments, "segment with figures", request->segment,
                         err));
    CHECK(add_sums(desk, request, report, &is_empty, err));
    if (is_empty) {
        report_line(report, "no step to %s fits the months and the segment", request->goal);
        return OUTCOME_OK;
    }
    return request->share ? add_stops(desk, request, report, err)
                          : add_nodes(desk, request, report, err);
}
