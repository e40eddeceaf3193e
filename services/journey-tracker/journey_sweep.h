/* journey_sweep.h: for `tutti policy apply`: derives every profile again after other policies were
 * activated.
 *
 * The services are stopped meanwhile. A sweep can be resumed: each state row carries the generation
 * in which it was derived, and a step takes rows of other generations. The diffs wait in the outbox
 * of lane 0 until a journey-tracker runs again. */
#ifndef TUTTI_JOURNEY_SWEEP_H
#define TUTTI_JOURNEY_SWEEP_H

#include "common/service/generation.h"

struct sweep;

/* Inside the transaction that activates a generation: drops what was derived under the old one.
 * Facts and states stay. */
enum outcome journey_sweep_clear(struct db *db, struct err *err);
/* Reads the policies of dir and gives every shape its new meaning. *total = profiles to derive. */
enum outcome journey_sweep_open(struct db *db, const char *dir, const struct generation *generation,
                                struct sweep **out, uint64_t *total, struct err *err);
/* Derives up to 2,000 profiles in one transaction; *done = how many, 0 at the end. */
enum outcome journey_sweep_step(struct sweep *sweep, size_t *done, struct err *err);
void journey_sweep_close(struct sweep *sweep);

#endif
