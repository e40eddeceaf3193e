/* apply.c: with the services stopped everything is derived in its place; else beside them. */
#include "operations/following/apply.h"

#include <string.h>

#include "operations/following/following.h"
#include "operations/lock_out.h"
#include "operations/policies/ledger.h"
#include "operations/policies/read_again.h"
#include "policies_sql.h"

/* In one transaction: the new generation is active, and what was derived under the old one is gone.
 */
static enum outcome switch_generation(struct db *db, struct arena *arena, const char *dir,
                                      const struct zone_choice *zones,
                                      struct generation *generation, struct err *err)
{
    CHECK(db_begin(db, err));
    enum outcome outcome = zone_store(db, arena, zones, err);
    if (outcome == OUTCOME_OK)
        outcome = policy_start_generation(db, arena, dir, generation, err);
    return db_end(db, outcome, err);
}

static enum outcome derive(struct desk *desk, const struct policy_order *order,
                           struct policy_folder *folder, struct err *err)
{
    struct generation *generation = &folder->generation;
    enum outcome outcome = lock_out_services(desk, err);
    if (outcome != OUTCOME_OK && strcmp(err->code, "services_running") == 0 &&
        generation->number == 0)
        return policies_follow(desk, order, folder, err);
    CHECK(outcome);
    if (generation->number == 0)
        CHECK(
            switch_generation(desk->db, desk->arena, order->dir, &folder->zones, generation, err));
    CHECK(policy_read_again(desk, &order->readers, err));
    CHECK(policy_renew_ledger(desk, order->dir, generation, err));
    CHECK(policy_sweep(desk, order->dir, generation, err));
    return db_run(desk->db, &sql_policy_mark_complete, NULL, NULL, NULL, err);
}

enum outcome policies_apply(struct desk *desk, const struct policy_order *order, int32_t *number,
                            struct err *err)
{
    struct policy_folder folder;
    CHECK(policies_prepare(desk, order, &folder, err));
    if (!folder.is_complete)
        CHECK(derive(desk, order, &folder, err));
    if (folder.has_targets)
        CHECK(goal_targets_store(desk->db, desk->arena, &folder.targets, err));
    *number = folder.generation.number;
    return OUTCOME_OK;
}
