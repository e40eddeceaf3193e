/* review.h: the switch to another identity policy, and the review of all profiles under it.
 */
#ifndef TUTTI_OPERATIONS_POLICIES_REVIEW_H
#define TUTTI_OPERATIONS_POLICIES_REVIEW_H

#include "operations/desk.h"
#include "operations/policies/active.h"

/* Keeps other identity and policies from being applied until the desk closes. FATAL
 * "apply_running" where another apply is at work. */
enum outcome apply_hold_review(struct desk *desk, struct err *err);
/* FATAL where another apply is at work, or another version is active. */
enum outcome apply_hold_alone(struct desk *desk, int32_t version, struct err *err);
/* Switches to the policy and reviews every profile under it, or goes on where an earlier run ended.
 */
struct policy_review {
    struct span text; /* of the policy's file */
    struct active_row active;
    const char *actor;
    size_t batch; /* profiles per transaction */
};
enum outcome apply_policy(struct desk *desk, const struct policy_review *review, struct err *err);

#endif
