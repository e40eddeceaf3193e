/* explain_why.h: `tutti explain --why A B`: the chain of evidence that unites two identifiers, or
 * what keeps them apart. */
#ifndef TUTTI_CLI_EXPLAIN_WHY_H
#define TUTTI_CLI_EXPLAIN_WHY_H

#include "cli/database.h"
#include "services/identity-resolver/logic/identity.h"

enum outcome explain_why(struct call *call, struct db *db, const struct id *a, const struct id *b,
                         struct err *err);

enum { WHY_MOST_ROWS = 20000 }; /* of sql/why_evidence.sql */

/* What speaks for or against two identifiers being one customer. */
struct evidence_row {
    struct id a, b;
    bool is_inside; /* both ends in one profile */
    struct instant at;
    struct span kind; /* touchpoint, link, cut */
    int16_t refused_by;
    struct span type_a, type_b, what;
};

struct why_rows {
    struct evidence_row *items; /* by time */
    size_t count;
};

/* explain_why_judge.c: fills refused_by of orders that link identifiers of the two profiles, where
 * it is not known. */
enum outcome why_judge_orders(struct call *call, struct db *db, const struct id *profiles,
                              struct why_rows *rows, struct err *err);

#endif
