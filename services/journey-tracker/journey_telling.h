/* journey_telling.h: what a transaction tells other systems: changes of stage, and opportunities.
 */
#ifndef TUTTI_JOURNEY_TELLING_H
#define TUTTI_JOURNEY_TELLING_H

#include "services/journey-tracker/journey_tracker.h"

/* Adds the messages about what the transaction wrote and removed to flush->told and to the outbox.
 * All of them have one version, the id of their row. profile_of: anchor -> struct id. */
enum outcome telling_write(struct tracker *tracker, struct journey_flush *flush,
                           const struct journey_effects *effects, const struct map *profile_of,
                           struct err *err);

/* The bytes of one message about a change of stage, in the arena. Of the touch, event_id and anchor
 * count. */
struct span stage_change_text(struct arena *arena, const struct stage_row *row,
                              const struct id *profile_id, int64_t version, bool is_taken_back);
/* How a step (enum opportunity_step; 0: taken back) is called in a message. */
struct span opportunity_state_text(int step);

#endif
