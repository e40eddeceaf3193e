/* explain_why.h: `tutti explain --why A B`: the chain of evidence that unites two identifiers, or what keeps them apart. */
#ifndef TUTTI_CLI_EXPLAIN_WHY_H
#define TUTTI_CLI_EXPLAIN_WHY_H

#include "cli/database.h"

enum outcome explain_why(struct call *call, struct db *db, const struct id *a, const struct id *b, struct err *err);

#endif
