/* touchpoint_check.h: what identity-resolver would say of a touchpoint that is sent now. */
#ifndef TUTTI_OPERATIONS_TOUCHPOINT_CHECK_H
#define TUTTI_OPERATIONS_TOUCHPOINT_CHECK_H

#include "common/codec/touchpoint.h"
#include "common/runtime/config.h"
#include "services/identity-resolver/logic/identity.h"

struct touchpoint_check {
    const struct avro_plan *plan; /* of the writer's schema */
    struct identity_policy policy;
};

/* Reads identity.json of policy.dir into the arena. Where there is none, the defaults hold. */
enum outcome touchpoint_check_open(const struct config *config, const struct avro_plan *plan,
                                   struct arena *arena, struct touchpoint_check *out,
                                   struct err *err);

/* REJECT with the code and the message of the dead letter that it would become. payload: the Avro
 * bytes behind the prefix. */
enum outcome touchpoint_check(const struct touchpoint_check *check, struct span payload,
                              struct err *err);

#endif
