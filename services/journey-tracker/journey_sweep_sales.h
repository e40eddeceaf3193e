/* journey_sweep_sales.h: journey.sales again under other policies, and what sales without a
 * customer add to the figures. */
#ifndef TUTTI_JOURNEY_SWEEP_SALES_H
#define TUTTI_JOURNEY_SWEEP_SALES_H

#include "services/journey-tracker/journey_saving.h"

/* One transaction, once per generation. Runs before any profile is derived again; no service runs.
 * The arena is reset. */
enum outcome sweep_sales(struct tracker *tracker, struct arena *arena, struct err *err);

/* How far the sales without a customer are counted; starts with zeros. */
struct alone_sales {
    struct fact_key last;
    int64_t last_kept;
    bool is_started, is_kept; /* is_kept: those of erased people are left */
};
/* What the next of them add, into `saving`. *is_done at the end. */
enum outcome alone_sales_next(struct tracker *tracker, struct alone_sales *at,
                              struct saving *saving, bool *is_done, struct err *err);

#endif
