/* unnamed.c: see unnamed.h. */
#include "operations/inspect/unnamed.h"

#include "inspect_sql.h"
#include "operations/policies/active.h"
#include "services/identity-resolver/policy/identity_policy.h"

enum outcome unnamed_requests(struct db *db, struct arena *arena, struct db_result **rows,
                              struct err *err)
{
    struct active_row active;
    struct identity_policy *policy = arena_new(arena, struct identity_policy);
    struct params p;
    CHECK(active_read(db, arena, &active, err));
    if (active.version > 0)
        CHECK(
            identity_policy_parse(arena, active.policy, "the active identity policy", policy, err));
    params_init(&p, arena);
    params_text_array(&p, &policy->types->address_of, sizeof *policy->types, policy->type_count);
    return db_run(db, &sql_doctor_requests, &p, rows, NULL, err);
}
