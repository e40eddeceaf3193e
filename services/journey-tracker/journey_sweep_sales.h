/* journey_sweep_sales.h: journey.sales again under other policies, and what sales without a
 * customer add to the figures. */
#ifndef TUTTI_JOURNEY_SWEEP_SALES_H
#define TUTTI_JOURNEY_SWEEP_SALES_H

#include "services/journey-tracker/journey_tracker.h"

/* One transaction, once per generation. Runs before any profile is derived again; no service runs.
 * The arena is reset. */
enum outcome sweep_sales(struct tracker *tracker, struct arena *arena, struct err *err);

#endif
