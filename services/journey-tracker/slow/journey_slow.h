/* journey_slow.h: the slow transaction: profiles with late touches, repeats, new or moved anchors,
 * all under locks. */
#ifndef TUTTI_JOURNEY_SLOW_H
#define TUTTI_JOURNEY_SLOW_H

#include "services/journey-tracker/journey_tracker.h"

/* One transaction over these arrivals (indexes into flush->arrivals), all moves and the sweep of
 * the flush. Another one follows if it met a repeat among facts that looked new, or a sale that
 * must be locked first. */
enum outcome slow_run(struct tracker *tracker, struct journey_flush *flush,
                      const uint32_t *arrivals, size_t count, struct err *err);

#endif
