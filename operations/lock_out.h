/* lock_out.h: what must not run at the same time as an operation. */
#ifndef TUTTI_OPERATIONS_LOCK_OUT_H
#define TUTTI_OPERATIONS_LOCK_OUT_H

#include "operations/desk.h"

/* Takes the exclusive side of the lock that every running service holds, until the connection
 * closes. FATAL "services_running" if one still runs after a second. */
enum outcome lock_out_all(struct desk *desk, struct err *err);
/* FATAL "anchors_under_way" where `tutti identity apply` has not given every fact its anchor yet.
 */
enum outcome check_anchors_settled(struct desk *desk, struct err *err);
/* Both. */
enum outcome lock_out_services(struct desk *desk, struct err *err);
/* Takes the shared side, as a service does: policies cannot be applied meanwhile. REJECT
 * "policy_apply_running". Checks the anchors, too. */
enum outcome lock_out_policies(struct desk *desk, struct err *err);

#endif
