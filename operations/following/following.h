/* following.h: other policies while everything runs.
 *
 * A follower derives all profiles under the new policies, into the slot that is not active, in
 * passes: each takes those that a service has written since. When few are left, one transaction
 * alone takes the last of them and makes the slot the active one. Until then nothing that is shown
 * or told changes. docs/decisions/0042 has the protocol, tests/model/following.py plays it. */
#ifndef TUTTI_OPERATIONS_FOLLOWING_FOLLOWING_H
#define TUTTI_OPERATIONS_FOLLOWING_FOLLOWING_H

#include "operations/policies/policies.h"

/* Makes the files of order->dir the active policies while services run; goes on where an earlier
 * run ended. Sets number and slot of folder->generation. FATAL "apply_running" while another
 * apply is at work, "contact_changed" where contact.json is another one, "not_catching_up" if
 * customers change faster than they are derived, unless order->may_pause. */
enum outcome policies_follow(struct desk *desk, const struct policy_order *order,
                             struct policy_folder *folder, struct err *err);

#endif
