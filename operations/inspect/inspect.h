/* inspect.h: questions to PostgreSQL that an operator asks; nothing is changed. */
#ifndef TUTTI_OPERATIONS_INSPECT_INSPECT_H
#define TUTTI_OPERATIONS_INSPECT_INSPECT_H

#include "operations/desk.h"
#include "operations/report.h"

/* The shared figures of all departments: goals, credit, transitions, contact decisions. */
enum outcome scoreboard_report(struct desk *desk, struct report *report, struct err *err);

/* Everything that is known about one customer, and why. identifier: as a person names it
 * (operations/identifier.h). Two identifiers: why.h. */
enum outcome explain_customer(struct desk *desk, const char *identifier, struct report *report,
                              struct err *err);

/* A section of explain: the holds that are open for a profile, in the order of the policy. */
enum outcome holds_report(struct desk *desk, const struct id *profile, struct report *report,
                          struct err *err);

/* Another: what the last contact decisions say, as sentences. */
enum outcome answers_report(struct desk *desk, const struct id *profile, struct report *report,
                            struct err *err);

/* Brokers, topics, database, migrations, policies, and what was begun and not ended: a section of
 * findings, each with its fix. Returns whether nothing failed; warnings do not count. */
bool doctor_examine(struct desk *desk, struct report *report);

#endif
