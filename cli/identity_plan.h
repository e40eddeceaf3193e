/* identity_plan.h: what a candidate policy would change, and the report of it. */
#ifndef TUTTI_CLI_IDENTITY_PLAN_H
#define TUTTI_CLI_IDENTITY_PLAN_H

#include "cli/identity_active.h"
#include "cli/identity_compare.h"

enum { PLAN_CURRENCIES = 16 };

/* Sums over the profiles that a policy would change. */
struct plan_money {
    char currency[8];
    int64_t conversions, micros;
};
struct plan_stakes {
    size_t profiles; /* affected */
    struct plan_money money[PLAN_CURRENCIES];
    size_t money_count;
    bool *loses_opt_out; /* per node that names a profile today */
    size_t opt_outs;     /* profiles of which a side would lose an opt-out */
};
enum outcome plan_stakes(struct db *db, struct arena *arena, const struct evidence *evidence,
                         const struct comparison *comparison, struct plan_stakes *out,
                         struct err *err);

/* The report as text, or as one JSON object without the final brace. limit: examples of each kind.
 */
void plan_report(struct call *call, const struct evidence *evidence,
                 const struct comparison *comparison, const struct plan_stakes *stakes,
                 size_t limit, struct strbuf *json);

#endif
