/* identity_apply.h: the switch to another identity policy, and the review of all profiles under it.
 */
#ifndef TUTTI_CLI_IDENTITY_APPLY_H
#define TUTTI_CLI_IDENTITY_APPLY_H

#include "cli/identity_active.h"

/* FATAL where another `tutti identity apply` is at work, or another version is active. */
enum outcome apply_hold_alone(struct db *db, int32_t version, struct err *err);
/* Switches to the policy and reviews every profile under it, or goes on where an earlier run ended.
 */
enum outcome apply_policy(struct call *call, struct db *db, struct span text,
                          const struct active_row *active, size_t batch, struct err *err);

#endif
