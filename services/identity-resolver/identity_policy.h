/* identity_policy.h: reading policies/identity.json. */
#ifndef TUTTI_IDENTITY_POLICY_H
#define TUTTI_IDENTITY_POLICY_H

#include "common/base/outcome.h"
#include "services/identity-resolver/logic/identity.h"

/* Everything lives in the arena. FATAL with file and position for any rule that is broken. */
enum outcome identity_policy_read(struct arena *arena, const char *path, struct identity_policy *out, struct err *err);
/* The same from a text, such as the one the database keeps; name is what errors call it and must live as long as the policy.
 * REJECT instead of FATAL. */
enum outcome identity_policy_parse(struct arena *arena, struct span text, const char *name, struct identity_policy *out,
                                   struct err *err);

/* What fixes the meaning of stored identifiers: types, ranks, normalisers, hashing, scopes; limits and blocked values do not; as
 * one line of text. */
struct span identity_policy_anchor_rules(struct arena *arena, const struct identity_policy *policy);

#endif
