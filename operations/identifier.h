/* identifier.h: an identifier as a person names it, <type>:<value> or a UUID, as the id that the
 * database has. */
#ifndef TUTTI_OPERATIONS_IDENTIFIER_H
#define TUTTI_OPERATIONS_IDENTIFIER_H

#include "common/codec/digest.h"
#include "operations/desk.h"
#include "services/identity-resolver/logic/identity.h"

/* A value is normalised by the active identity policy (or the file of policy.dir while there is
 * none) and hashed with the key of identity.key_file, as identity-resolver does it. REJECT "usage",
 * "identifier_type" or "identifier_blocked". The identifier need not exist. */
enum outcome identifier_parse(struct desk *desk, const char *text, struct id *out, struct err *err);

/* The active identity policy, or the file of policy.dir while there is none; in the desk's arena.
 */
enum outcome identifier_policy(struct desk *desk, struct identity_policy *out, struct err *err);

/* The hash of a value under a key, as a touchpoint that carries nothing else would give it; false
 * where it is blocked or not usable. is_digest: as a value that comes hashed. Scratch space comes
 * from the arena. */
bool identifier_hash(struct arena *arena, const struct identity_policy *policy,
                     const struct digest_key *key, struct span type, struct span value,
                     bool is_digest, struct id *out);

/* Its profile today. REJECT "identifier_unknown" if it was never seen. */
enum outcome identifier_profile(struct desk *desk, const struct id *identifier, struct id *profile,
                                struct err *err);

#endif
