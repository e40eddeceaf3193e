/* identity_candidate.h: an identity.json as somebody wrote it: read in one way, whatever is done
 * with it. */
#ifndef TUTTI_CLI_IDENTITY_CANDIDATE_H
#define TUTTI_CLI_IDENTITY_CANDIDATE_H

#include "common/base/outcome.h"
#include "services/identity-resolver/logic/identity.h"

/* The bytes of the file and the policy, in the arena; path must live as long. FATAL with file and
 * place for any rule that is broken; warns of what is valid and acts on nothing. */
enum outcome identity_candidate_read(struct arena *arena, const char *path, struct span *text,
                                     struct identity_policy *out, struct err *err);

#endif
