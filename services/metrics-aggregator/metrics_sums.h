/* metrics_sums.h: merged cells as rows of metrics.cells. */
#ifndef TUTTI_METRICS_SUMS_H
#define TUTTI_METRICS_SUMS_H

#include "services/metrics-aggregator/logic/merge.h"
#include "services/metrics-aggregator/metrics_store.h"

/* Sorted by cell, then by lane; those that are all 0 are left out. In the arena. */
struct sum_row *metrics_sum_rows(struct arena *arena, const struct merge *merge, size_t *count);

/* Inside a transaction of a tool: adds cells, several of one key too, to the sums of lane 0 in the
 * slot that the connection uses. FATAL "sum_overflow", "cell_collision". */
enum outcome metrics_add_cells(struct db *db, struct arena *arena, const struct cell *cells,
                               size_t count, struct err *err);

#endif
