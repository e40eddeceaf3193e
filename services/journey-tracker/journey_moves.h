/* journey_moves.h: identity changes that no journey-tracker will read, applied by a tool; for
 * `tutti erase --without`. */
#ifndef TUTTI_JOURNEY_MOVES_H
#define TUTTI_JOURNEY_MOVES_H

#include "common/runtime/config.h"
#include "common/timeline/timeline.h"

/* As if they had been read: the anchors move, both profiles are derived again, and the diffs wait
 * in the outbox of lane 0. Whoever reads them later finds nothing newer. FATAL where policy.dir is
 * not the active generation; the caller rolls back. */
enum outcome journey_moves_apply(struct db *db, const struct config *config,
                                 const struct anchor_move *moves, size_t count, struct err *err);

/* Inside a transaction: messages of these profiles that wait to be published are taken out of the
 * outbox; *taken says how many.
 */
enum outcome journey_moves_forget_messages(struct db *db, struct arena *arena,
                                           const struct id *profiles, size_t count, size_t *taken,
                                           struct err *err);

#endif
