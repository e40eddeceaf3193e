/* metrics_store.h: the statements of metrics-aggregator, one function each. */
#ifndef TUTTI_METRICS_STORE_H
#define TUTTI_METRICS_STORE_H

#include "common/base/cell.h"
#include "common/store/db.h"

/* A sum as a row of metrics.cells with its key as a row of metrics.cell_keys. */
struct sum_row {
    int64_t cell; /* XXH3-64 of the bytes of struct cell_key */
    struct cell_key key;
    int32_t lane;
    int64_t values[CELL_VALUES];
    int16_t closed_kinds; /* late_kinds; 0: no row of metrics.late */
};

struct metrics_lane_row {
    int32_t lane;
    int64_t next_seq;
};

int64_t metrics_store_cell_hash(const struct cell_key *key);

/* Inside a transaction. Makes the rows of lanes that have none, locks all in the order of lanes,
 * and reads next_seq. The lanes are ascending and distinct; rows[i] belongs to lanes[i]. */
enum outcome metrics_store_lock_lanes(struct db *db, struct arena *arena, const int32_t *lanes,
                                      size_t count, struct metrics_lane_row *rows, struct err *err);
enum outcome metrics_store_move_lanes(struct db *db, struct arena *arena,
                                      const struct metrics_lane_row *rows, size_t count,
                                      struct err *err);

/* A few of the producer's diffs with first <= seq <= last, ascending: (seq, message). The result
 * lives in arena. */
enum outcome metrics_store_find_diffs(struct db *db, struct arena *arena, int32_t lane,
                                      int64_t first, int64_t last, struct db_result **rows,
                                      struct err *err);
/* Number of a generation; 0 if it was never active. */
enum outcome metrics_store_find_generation(struct db *db, struct arena *arena,
                                           const struct id *generation, int32_t *number,
                                           struct err *err);

/* Stores the keys of rows that are sorted by cell and distinct. FATAL "cell_collision" if another
 * key with the same hash is stored. */
enum outcome metrics_store_add_keys(struct db *db, struct arena *arena, const struct sum_row *rows,
                                    size_t count, struct err *err);
/* Adds the values to the stored sums. Rows sorted by (cell, lane), distinct. FATAL "sum_overflow"
 * beyond 64 bits (money: 126). */
enum outcome metrics_store_add_sums(struct db *db, struct arena *arena, const struct sum_row *rows,
                                    size_t count, struct err *err);

/* The day before which a period is closed when it ends: late_kinds. FATAL "generation_unknown"
 * without such policies. */
enum outcome metrics_store_find_closed_day(struct db *db, struct arena *arena,
                                           const struct id *generation, int32_t *day,
                                           struct err *err);
/* The same as metrics_store_add_sums for metrics.late. */
enum outcome metrics_store_add_late(struct db *db, struct arena *arena, const struct sum_row *rows,
                                    size_t count, struct err *err);

#endif
