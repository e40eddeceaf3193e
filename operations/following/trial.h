/* trial.h: what other policies would change, tried on everybody while services run. */
#ifndef TUTTI_OPERATIONS_FOLLOWING_TRIAL_H
#define TUTTI_OPERATIONS_FOLLOWING_TRIAL_H

#include "operations/policies/policies.h"
#include "operations/report.h"

/* Derives everybody under the files of order->dir, into the slot that is not active, and compares
 * the figures with those of the active policies. Nothing is left of it; what services show and tell
 * does not change. FATAL "apply_running" while an apply is at work, "apply_interrupted" where one
 * was interrupted: a trial would throw away what it derived. */
enum outcome policies_plan(struct desk *desk, const struct policy_order *order,
                           struct report *report, struct err *err);

#endif
