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

#endif
