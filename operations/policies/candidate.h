/* candidate.h: files of policies that are not active yet, read in one way for every operation. */
#ifndef TUTTI_OPERATIONS_POLICIES_CANDIDATE_H
#define TUTTI_OPERATIONS_POLICIES_CANDIDATE_H

#include "common/base/warnings.h"
#include "operations/desk.h"
#include "services/identity-resolver/logic/identity.h"

/* The bytes of the file and the policy, in the arena of the desk; path must live as long. FATAL
 * with file and place for any rule that is broken; warns of rules that are valid and have no
 * effect. */
enum outcome identity_candidate_read(struct desk *desk, const char *path, struct span *text,
                                     struct identity_policy *out, struct err *err);
/* Tells each warning with the path of its file. */
void candidate_warn(struct desk *desk, const char *path, const struct warnings *warnings);

#endif
