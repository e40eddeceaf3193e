/* identity_blocked.h: reading the section "blocked" of policies/identity.json; used by
 * identity_policy.c alone. */
#ifndef TUTTI_IDENTITY_BLOCKED_H
#define TUTTI_IDENTITY_BLOCKED_H

#include "common/codec/json.h"
#include "services/identity-resolver/logic/identity.h"

/* Fills blocked, classes and the blocked values of each type. The types must have been read.
 * section may be NULL. */
enum outcome identity_blocked_read(struct arena *arena, const struct json *section,
                                   struct identity_policy *policy, struct err *err);
/* Index of the type of that name. Errors point to `at`. */
enum outcome identity_type_index(const struct identity_policy *policy, const struct json *at,
                                 struct span name, int16_t *out, struct err *err);

#endif
