/* why.h: the chain of evidence that unites two identifiers, or what keeps them apart. */
#ifndef TUTTI_OPERATIONS_INSPECT_WHY_H
#define TUTTI_OPERATIONS_INSPECT_WHY_H

#include "operations/desk.h"
#include "operations/report.h"
#include "services/identity-resolver/logic/identity.h"

/* a and b as a person names them (operations/identifier.h). Reports one_customer and then either
 * the chain or, as sections, what keeps the two apart. */
enum outcome explain_why(struct desk *desk, const char *a, const char *b, struct report *report,
                         struct err *err);

enum { WHY_MOST_ROWS = 20000 }; /* of sql/why_evidence.sql */

/* What speaks for or against two identifiers being one customer. */
struct evidence_row {
    struct id a, b;
    bool is_inside; /* both ends in one profile */
    bool is_indirect;
    struct instant at;
    struct span kind; /* touchpoint, link, same, cut */
    int16_t refused_by;
    struct span type_a, type_b, what;
};

/* An operator's link, also one of two values of one person. */
static inline bool evidence_is_ordered_link(const struct evidence_row *row)
{
    return span_is(row->kind, "link") || span_is(row->kind, "same");
}

struct why_rows {
    struct evidence_row *items; /* by time */
    size_t count;
};

/* why_judge.c: fills refused_by of orders that link identifiers of the two profiles, where it is
 * not known. */
enum outcome why_judge_orders(struct desk *desk, const struct id *profiles, struct why_rows *rows,
                              struct err *err);

#endif
