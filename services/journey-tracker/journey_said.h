/* journey_said.h: from traits_json to what a fact keeps of it, and on to rows of journey.traits.
 *
 * Rows are written once the facts are: only a fact that was not there before may say anything.
 * Writing a row is choosing the greater of two places, so the order of facts does not matter. They
 * stand between facts and sales in the order of locks. */
#ifndef TUTTI_JOURNEY_SAID_H
#define TUTTI_JOURNEY_SAID_H

#include "services/journey-tracker/journey_tracker.h"

/* What is kept of a traits_json, in the arena; SPAN_NONE: nothing. */
struct span traits_said(const struct tracker *tracker, struct arena *arena,
                        struct span traits_json);

/* Adds to journey.traits what new facts say. */
enum outcome traits_write(struct tracker *tracker, struct arena *arena, const struct facts *facts,
                          struct err *err);

/* The facts of a result whose columns are those of find_sayings.sql; they borrow from it. */
void traits_facts(const struct db_result *r, struct arena *arena, struct facts *facts);
/* Makes journey.traits again from all facts, for policies that may declare other traits. */
enum outcome traits_make_again(struct tracker *tracker, struct err *err);

#endif
