/* report_query.c: sections that are the answer of one statement; see report_query.h. */
#include "operations/report_query.h"

static struct report_cell cell_of(const struct db_result *r, int row, int column,
                                  enum cell_kind kind)
{
    if (db_is_null(r, row, column))
        return cell_null();
    return (struct report_cell){.kind = kind, .text = db_bytes(r, row, column)};
}

static void add_rows(struct report *report, struct report_part *section, const struct db_result *r)
{
    struct report_cell cells[REPORT_MAX_COLUMNS];
    for (int row = 0; row < db_rows(r); row++) {
        for (size_t i = 0; i < section->column_count; i++)
            cells[i] = cell_of(r, row, (int)i, section->form->columns[i].kind);
        report_add_row(report, section, cells);
    }
}

enum outcome report_query(struct report *report, struct db *db, const struct section_form *form,
                          const struct statement *statement, const struct params *params,
                          size_t *rows, struct err *err)
{
    struct params none;
    struct db_result *r = NULL;
    params_init(&none, report->arena);
    if (db_run(db, statement, params ? params : &none, &r, NULL, err) != OUTCOME_OK)
        return err_prefix(err, "%s", form->title);
    add_rows(report, report_section(report, form), r);
    if (rows)
        *rows = (size_t)db_rows(r);
    return OUTCOME_OK;
}

const char *result_text(struct arena *arena, const struct db_result *result, int row, int column)
{
    if (db_is_null(result, row, column))
        return "";
    return arena_printf(arena, SPAN_FMT, SPAN_ARG(db_bytes(result, row, column)));
}
