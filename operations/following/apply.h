/* apply.h: other policies become the active ones. */
#ifndef TUTTI_OPERATIONS_FOLLOWING_APPLY_H
#define TUTTI_OPERATIONS_FOLLOWING_APPLY_H

#include "operations/policies/policies.h"

/* Makes the files of order->dir the active policies and derives every profile again; goes on where
 * an earlier run ended. Writes their targets, if there are any. Where services run, these go on
 * meanwhile (following.h); but not if contact.json is another one. *number is the one they got. */
enum outcome policies_apply(struct desk *desk, const struct policy_order *order, int32_t *number,
                            struct err *err);

#endif
