/* policy.h: generations of policies: what `tutti policy apply` shares with `tutti identity apply`,
 * which derives everything again where facts get other anchors. */
#ifndef TUTTI_CLI_POLICY_H
#define TUTTI_CLI_POLICY_H

#include "cli/database.h"
#include "common/service/generation.h"

/* Finds the active generation by generation->id: its number, 0 if it is not the active one;
 * *complete: nothing is left to derive.
 */
enum outcome policy_find_active(struct db *db, struct arena *arena, struct generation *generation,
                                bool *complete, struct err *err);
/* Inside a transaction: the policies of dir are active under a new number, and what was derived
 * before is gone. */
enum outcome policy_start_generation(struct db *db, struct arena *arena, const char *dir,
                                     struct generation *generation, struct err *err);
/* Derives every profile that is of another generation; shows its progress. Can be run again. */
enum outcome policy_sweep(struct db *db, const char *dir, const struct generation *generation,
                          struct err *err);

static inline const char *policy_dir_of(const struct call *call)
{
    return config_text(call->config, "policy.dir");
}

#endif
