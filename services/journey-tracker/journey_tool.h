/* journey_tool.h: a tracker without a pipeline, for tools that derive stored facts again. */
#ifndef TUTTI_JOURNEY_TOOL_H
#define TUTTI_JOURNEY_TOOL_H

#include "services/journey-tracker/journey_tracker.h"

/* Reads the policies of dir, which live in the arena, and the time zones of the generation, whose
 * slot the connection must use. *tracker is all zeros before; close it even after an error. */
enum outcome tool_tracker_open(struct tracker *tracker, struct db *db, const char *dir,
                               const struct generation *generation, struct arena *arena,
                               struct err *err);
void tool_tracker_close(struct tracker *tracker);

#endif
