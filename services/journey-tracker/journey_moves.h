/* journey_moves.h: for `tutti erase --without`: a tool applies identity changes where no
 * journey-tracker runs that could read them. */
#ifndef TUTTI_JOURNEY_MOVES_H
#define TUTTI_JOURNEY_MOVES_H

#include "common/runtime/config.h"
#include "common/timeline/timeline.h"

/* Applies the moves as if they had been read: the anchors move, both profiles are derived again,
 * and the diffs wait in the outbox of lane 0. A journey-tracker that reads the same moves later
 * finds nothing newer. FATAL where policy.dir is not the active generation. Runs its own
 * transactions. */
enum outcome journey_moves_apply(struct db *db, const struct config *config,
                                 const struct anchor_move *moves, size_t count, struct err *err);

/* Inside a transaction: takes the unpublished messages of these profiles out of the outbox; *taken
 * is how many there were. */
enum outcome journey_moves_forget_messages(struct db *db, struct arena *arena,
                                           const struct id *profiles, size_t count, size_t *taken,
                                           struct err *err);

#endif
