/* inspect.h: questions to PostgreSQL that an operator asks; nothing is changed. */
#ifndef TUTTI_OPERATIONS_INSPECT_INSPECT_H
#define TUTTI_OPERATIONS_INSPECT_INSPECT_H

#include "operations/desk.h"
#include "operations/report.h"

/* The shared figures of all departments: goals, credit, transitions, contact decisions. */
enum outcome scoreboard(struct desk *desk, struct report *report, struct err *err);

/* Everything that is known about one customer, and why. identifier: as a person names it
 * (operations/identifier.h). Two identifiers: why.h. */
enum outcome explain(struct desk *desk, const char *identifier, struct report *report,
                     struct err *err);

#endif
