/* report_query.h: a statement's rows as a section of a report. */
#ifndef TUTTI_OPERATIONS_REPORT_QUERY_H
#define TUTTI_OPERATIONS_REPORT_QUERY_H

#include "common/store/db.h"
#include "operations/report.h"

/* Runs the statement, whose columns are all of type text and stand in the order of the form.
 * params (may be NULL) must be built in the report's arena: the cells borrow from the result.
 * rows (may be NULL) is how many there are. An error begins with the section's title. */
enum outcome report_query(struct report *report, struct db *db, const struct section_form *form,
                          const struct statement *statement, const struct params *params,
                          size_t *rows, struct err *err);

/* Text of a column, "" for NULL, in the arena. The column's type must be text. */
const char *result_text(struct arena *arena, const struct db_result *result, int row, int column);

#endif
