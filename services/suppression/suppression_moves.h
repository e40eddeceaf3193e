/* suppression_moves.h: identity changes that no suppression will read, applied by a tool; for
 * `tutti erase --without`. */
#ifndef TUTTI_SUPPRESSION_MOVES_H
#define TUTTI_SUPPRESSION_MOVES_H

#include "common/runtime/config.h"
#include "common/timeline/timeline.h"

/* As if they had been read: the anchors move, and what that revokes waits in the outbox of lane 0,
 * which always has an owner. A service that reads them later finds nothing newer. FATAL where
 * policy.dir is not the active generation; the caller rolls back. */
enum outcome suppression_moves_apply(struct db *db, const struct config *config,
                                     const struct anchor_move *moves, size_t count,
                                     struct err *err);

#endif
