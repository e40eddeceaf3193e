/* identity_policy.h: reading policies/identity.json. */
#ifndef TUTTI_IDENTITY_POLICY_H
#define TUTTI_IDENTITY_POLICY_H

#include "common/base/outcome.h"
#include "common/base/warnings.h"
#include "services/identity-resolver/logic/identity.h"

/* The policy lives in the arena. FATAL with file and position for any rule that is broken. */
enum outcome identity_policy_read(struct arena *arena, const char *path,
                                  struct identity_policy *out, struct err *err);
/* The same for the text of a file that was read already, with the same errors. The path must live
 * as long as the policy. */
enum outcome identity_policy_read_text(struct arena *arena, struct span text, const char *path,
                                       struct identity_policy *out, struct err *err);
/* The same from the text that the database keeps. Errors call it `name`, which must live as long as
 * the policy. REJECT instead of FATAL. A null is the same as nothing, because files had nulls once.
 */
enum outcome identity_policy_parse(struct arena *arena, struct span text, const char *name,
                                   struct identity_policy *out, struct err *err);

/* Settings of a valid policy that have no effect. */
void identity_policy_warnings(struct arena *arena, const struct identity_policy *policy,
                              struct warnings *out);

/* One line of text that fixes the meaning of stored identifiers: types, ranks, normalisers, hashing
 * and scopes. Limits and blocked values are no part of it. */
struct span identity_policy_anchor_rules(struct arena *arena, const struct identity_policy *policy);

#endif
