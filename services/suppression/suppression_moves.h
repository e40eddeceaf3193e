/* suppression_moves.h: identity changes that no suppression will read, applied by a tool; for
 * `tutti erase --without`. */
#ifndef TUTTI_SUPPRESSION_MOVES_H
#define TUTTI_SUPPRESSION_MOVES_H

#include "common/runtime/config.h"
#include "common/service/generation.h"
#include "common/timeline/timeline.h"

/* As if they had been read: the anchors move, and what that revokes waits in the outbox of lane 0,
 * which always has an owner. A service that reads them later finds nothing newer. FATAL where
 * policy.dir is not the active generation; the caller rolls back. */
enum outcome suppression_moves_apply(struct db *db, const struct config *config,
                                     const struct anchor_move *moves, size_t count,
                                     struct err *err);

/* Judges the open grants of these profiles (at least one) again by the policy in the folder, which
 * must be the active generation. What that revokes waits in the outbox as above. */
enum outcome suppression_judge_again(struct db *db, const char *policy_dir,
                                     const struct generation *generation, const struct id *profiles,
                                     size_t count, struct err *err);

#endif
