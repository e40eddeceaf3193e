/* journey_saving.h: what a transaction writes besides facts, anchors and states: derived rows,
 * checkpoints, numbered diffs, stage messages. */
#ifndef TUTTI_JOURNEY_SAVING_H
#define TUTTI_JOURNEY_SAVING_H

#include "services/journey-tracker/journey_tracker.h"

struct saving {
    struct journey_effects effects;
    struct checkpoints checkpoints, dead_checkpoints;
};

void saving_init(struct saving *saving, struct arena *arena);
/* Advances the state by one touch and notes a checkpoint where its instant is one: the last state
 * of an instant replaces those before. */
void saving_advance(const struct tracker *tracker, struct saving *saving, int64_t profile,
                    struct journey_state *state, const struct touch *touch);
/* The end of a transaction before its commit: rows, numbers, outboxes. profile_of (short key of an
 * anchor -> struct id) gives stage messages their profile. Never REJECT: a refused row is not a
 * touchpoint's fault, but FATAL. */
enum outcome saving_write(struct tracker *tracker, struct journey_flush *flush,
                          struct saving *saving, const struct map *profile_of, struct err *err);

#endif
