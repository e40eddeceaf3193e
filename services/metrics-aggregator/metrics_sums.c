/* metrics_sums.c: see metrics_sums.h. */
#include "services/metrics-aggregator/metrics_sums.h"

#include <stdlib.h>
#include <string.h>

static int row_compare(const void *a, const void *b)
{
    const struct sum_row *x = a, *y = b;
    if (x->cell != y->cell)
        return x->cell < y->cell ? -1 : 1;
    return (x->lane > y->lane) - (x->lane < y->lane);
}

struct sum_row *metrics_sum_rows(struct arena *arena, const struct merge *merge, size_t *count)
{
    const struct lane_cell *sums = merge_list(merge, count);
    struct sum_row *rows = arena_array(arena, struct sum_row, *count);
    for (size_t i = 0; i < *count; i++) {
        rows[i] = (struct sum_row){.cell = metrics_store_cell_hash(&sums[i].key),
                                   .key = sums[i].key,
                                   .lane = sums[i].lane};
        memcpy(rows[i].values, sums[i].values, sizeof sums[i].values);
    }
    if (*count > 1)
        qsort(rows, *count, sizeof *rows, row_compare);
    return rows;
}

enum outcome metrics_add_cells(struct db *db, struct arena *arena, const struct cell *cells,
                               size_t count, struct err *err)
{
    struct merge merge;
    size_t row_count = 0;
    merge_init(&merge, arena);
    CHECK(merge_add(&merge, 0, cells, count, err));
    struct sum_row *rows = metrics_sum_rows(arena, &merge, &row_count);
    if (row_count == 0)
        return OUTCOME_OK;
    CHECK(metrics_store_add_keys(db, arena, rows, row_count, err));
    return metrics_store_add_sums(db, arena, rows, row_count, err);
}
