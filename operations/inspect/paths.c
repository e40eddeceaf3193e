/* paths.c: see paths.h. */
#include "operations/inspect/paths.h"

#include <inttypes.h>
#include <string.h>

#include "inspect_sql.h"
#include "operations/inspect/exists.h"

enum { STEP, TOUCH, CUSTOMERS, OCCURRENCES, SHARE, MEDIAN };

static const struct section_form steps_form = {
    .name = "steps",
    .columns = {{"step", CELL_INTEGER},
                {"touch", CELL_TEXT},
                {"customers", CELL_INTEGER},
                {"occurrences", CELL_INTEGER},
                {"share_percent", CELL_NUMBER},
                {"median_seconds", CELL_INTEGER},
                {"median_wait", CELL_WORDS}},
};

/* Seconds as people say them. */
static const char *wait_words(struct arena *arena, int64_t seconds)
{
    double s = (double)seconds;
    if (seconds < 7200)
        return arena_printf(arena, "%.1f min", s / 60);
    if (seconds < 172800)
        return arena_printf(arena, "%.1f h", s / 3600);
    return arena_printf(arena, "%.1f d", s / 86400);
}

static void add_rows(struct report *report, const struct db_result *r)
{
    struct report_part *section = report_section(report, &steps_form);
    for (int row = 0; row < db_rows(r); row++) {
        bool waits = !db_is_null(r, row, MEDIAN);
        int64_t median = waits ? db_int8(r, row, MEDIAN) : 0;
        REPORT_ROW(report, section, cell_integer(db_int4(r, row, STEP)),
                   cell_text(db_bytes(r, row, TOUCH)), cell_integer(db_int8(r, row, CUSTOMERS)),
                   cell_integer(db_int8(r, row, OCCURRENCES)),
                   (struct report_cell){.kind = CELL_NUMBER, .text = db_bytes(r, row, SHARE)},
                   waits ? cell_integer(median) : cell_null(),
                   waits ? cell_words(wait_words(report->arena, median)) : cell_null());
    }
}

static bool has_row(const struct db_result *r, const char *touch)
{
    for (int row = 0; row < db_rows(r); row++)
        if (span_is(db_bytes(r, row, TOUCH), touch))
            return true;
    return false;
}

static void say_brackets(struct report *report, const struct db_result *r)
{
    if (has_row(r, "(others)"))
        report_line(report, "(others): all other touches; --top shows more of them");
    if (has_row(r, "(open)"))
        report_line(report, "(open): nothing has followed so far, and the time is not over");
    if (has_row(r, "(end)"))
        report_line(report, "(end): nothing followed in time, at this step or before");
}

static enum outcome say_nothing(struct desk *desk, const struct paths_request *request,
                                struct report *report, struct err *err)
{
    if (strcmp(request->node, PATHS_START) != 0)
        CHECK(must_exist(desk, &sql_journey_nodes, "kind of touch", request->node, err));
    report_section(report, &steps_form);
    report_line(report, "no %s fits the days and the segment", request->node);
    return OUTCOME_OK;
}

static struct span span_or_none(const char *text)
{
    return text ? span_of(text) : SPAN_NONE;
}

enum outcome paths_after(struct desk *desk, const struct paths_request *request,
                         struct report *report, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    CHECK(desk_connect(desk, err));
    if (request->segment)
        CHECK(must_exist(desk, &sql_journey_segments, "segment", request->segment, err));
    params_init(&p, report->arena);
    params_text(&p, span_of(request->node));
    params_text(&p, span_or_none(request->first));
    params_text(&p, span_or_none(request->last));
    params_text(&p, span_or_none(request->segment));
    params_int8(&p, request->within.us);
    params_int4_array(&p, request->steps, sizeof *request->steps, request->step_count);
    params_int4(&p, request->kinds);
    CHECK(db_run(desk->db, &sql_journey_after, &p, &r, NULL, err));
    if (db_rows(r) == 0)
        return say_nothing(desk, request, report, err);
    add_rows(report, r);
    say_brackets(report, r);
    return OUTCOME_OK;
}
