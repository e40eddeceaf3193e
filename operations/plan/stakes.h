/* stakes.h: what hangs on the profiles that a candidate policy would change. */
#ifndef TUTTI_OPERATIONS_PLAN_STAKES_H
#define TUTTI_OPERATIONS_PLAN_STAKES_H

#include "operations/plan/compare.h"
#include "operations/report.h"

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

/* What was found, for plan_report. */
struct plan_findings {
    const struct evidence *evidence;
    const struct comparison *comparison;
    const struct plan_stakes *stakes;
    size_t limit; /* examples of each kind */
};
/* plan_report.c: numbers, money, the largest profiles and examples. */
void plan_report(const struct plan_findings *findings, struct report *report);

#endif
