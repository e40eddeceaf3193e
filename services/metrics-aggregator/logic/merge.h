/* merge.h: cells of many diffs become one sum per (lane, cell), so that each is written once per
 * flush. Pure. */
#ifndef TUTTI_METRICS_MERGE_H
#define TUTTI_METRICS_MERGE_H

#include "common/base/arena.h"
#include "common/base/cell.h"
#include "common/base/map.h"
#include "common/base/outcome.h"

/* The sum of a cell over one lane. */
struct lane_cell {
    struct cell_key key;
    int32_t lane;
    int64_t values[CELL_VALUES];
};

struct merge {
    struct arena *arena; /* of the flush */
    struct map sums;     /* (key, lane) -> values */
};

void merge_init(struct merge *merge, struct arena *arena);
/* FATAL "sum_overflow" where a sum leaves its 64 bits (money: 126); the merge is then worthless. */
enum outcome merge_add(struct merge *merge, int32_t lane, const struct cell *cells, size_t count,
                       struct err *err);
/* Adds the sums of another merge. */
enum outcome merge_join(struct merge *merge, const struct merge *other, struct err *err);
/* The sums that are not all 0, in table order, in the arena. */
struct lane_cell *merge_list(const struct merge *merge, size_t *count);

#endif
