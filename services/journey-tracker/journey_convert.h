/* journey_convert.h: between what is stored (facts, packed states) and what the derivation works
 * on. */
#ifndef TUTTI_JOURNEY_CONVERT_H
#define TUTTI_JOURNEY_CONVERT_H

#include "services/journey-tracker/journey_tracker.h"

/* A touch from a stored fact. Loads its shape where needed; FATAL "shape_missing" if the database
 * does not have it. */
enum outcome convert_touch(struct tracker *tracker, struct arena *arena,
                           const struct journey_fact *fact, struct touch *out, struct err *err);

/* A state that grows in arena; an empty payload is an empty timeline. Loads the shapes that the
 * state names; FATAL "shape_missing" or "state_corrupt". */
enum outcome convert_unpack(struct tracker *tracker, struct arena *arena, struct span payload,
                            struct journey_state *out, struct err *err);
/* The bytes of a state, in arena. */
struct span convert_pack(const struct tracker *tracker, struct arena *arena,
                         const struct journey_state *state);

#endif
