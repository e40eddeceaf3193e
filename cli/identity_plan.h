/* identity_plan.h: what `tutti identity plan` and `apply` share: the candidate, the active policy, and the report. */
#ifndef TUTTI_CLI_IDENTITY_PLAN_H
#define TUTTI_CLI_IDENTITY_PLAN_H

#include "cli/identity_compare.h"

enum { PLAN_CURRENCIES = 16 };

/* The active row of identity.policies. */
struct active_row {
    int32_t version; /* 0: none */
    struct id hash, swept_to;
    struct span policy;
    bool is_complete;
};
/* Whether this file is the active policy. */
bool plan_is_active(struct span text, const struct active_row *active);
enum outcome plan_read_active(struct db *db, struct arena *arena, struct active_row *out, struct err *err);

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
enum outcome plan_stakes(struct db *db, struct arena *arena, const struct evidence *evidence, const struct comparison *comparison,
                         struct plan_stakes *out, struct err *err);

/* The report as text, or as one JSON object without the final brace. limit: examples of each kind. */
void plan_report(struct call *call, const struct evidence *evidence, const struct comparison *comparison,
                 const struct plan_stakes *stakes, size_t limit, struct strbuf *json);

/* FATAL where another `tutti identity apply` is at work, or another version is active. */
enum outcome plan_hold_alone(struct db *db, int32_t version, struct err *err);
/* Switches to the policy and reviews every profile under it, or goes on where an earlier run ended. */
enum outcome plan_apply(struct call *call, struct db *db, struct span text, const struct active_row *active, size_t batch,
                        struct err *err);

#endif
