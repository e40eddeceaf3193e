/* policies.h: the policies of policy.dir as one generation: checked, made active, and everything
 * derived again under them. `tutti identity apply` uses the parts where facts get other anchors. */
#ifndef TUTTI_OPERATIONS_POLICIES_POLICIES_H
#define TUTTI_OPERATIONS_POLICIES_POLICIES_H

#include "common/service/generation.h"
#include "operations/desk.h"
#include "operations/policies/goal_targets.h"
#include "operations/policies/zone_store.h"
#include "operations/readers.h"

/* Reads every file of dir; FATAL with file and place for any rule that is broken; warns
 * of rules that are valid and can hardly be meant. Needs no database; the names of time zones are
 * those of this host. */
enum outcome policies_check(struct desk *desk, const char *dir, struct err *err);

/* Checks a targets.json against the goals that are active, and writes it in place of the one before
 * if writes. The services may run. *count is how many targets there are. */
enum outcome policies_targets(struct desk *desk, const char *path, bool writes, size_t *count,
                              struct err *err);

struct policy_order {
    const char *dir;
    bool may_pause;     /* services may wait for profiles that cannot be caught up with */
    bool refresh_zones; /* take the time zones of this host, not those of the active generation */
    struct readers readers; /* suppression may have to read again what is not stored */
};
/* What the files of a folder say, as far as more than the check needs it. */
struct policy_folder {
    struct journey_policy *journey;
    struct contact_policy *contact;
    struct goal_targets targets;
    bool has_targets;
    struct zone_choice zones; /* that they work by */
    struct generation generation;
    bool is_complete; /* it is the active one, and everything is derived */
};
/* Checks the files of order->dir and connects; folder lives as long as the desk. */
enum outcome policies_prepare(struct desk *desk, const struct policy_order *order,
                              struct policy_folder *folder, struct err *err);

/* Finds the active generation by generation->id: its number, 0 if it is not the active one;
 * *complete: nothing is left to derive.
 */
enum outcome policy_find_active(struct db *db, struct arena *arena, struct generation *generation,
                                bool *complete, struct err *err);
/* Inside a transaction: the policies of dir are active under a new number, with the stored time
 * zones generation->zones, and what was derived before is gone. */
enum outcome policy_start_generation(struct db *db, struct arena *arena, const char *dir,
                                     struct generation *generation, struct err *err);
/* Derives every profile that is of another generation. Can be run again. */
enum outcome policy_sweep(struct desk *desk, const char *dir, const struct generation *generation,
                          struct err *err);

/* One JSON object with every file of dir under its name. */
enum outcome policy_bundle(struct arena *arena, const char *dir, struct span *out, struct err *err);

#endif
