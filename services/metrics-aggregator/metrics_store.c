/* metrics_store.c: rows as arrays, one statement of sql/ for all rows of a flush. */
#include "services/metrics-aggregator/metrics_store.h"

#include <xxhash.h>

#include "metrics_aggregator_sql.h"

int64_t metrics_store_cell_hash(const struct cell_key *key)
{
    return (int64_t)XXH3_64bits(key, sizeof *key);
}

enum outcome metrics_store_lock_lanes(struct db *db, struct arena *arena, const int32_t *lanes,
                                      size_t count, struct metrics_lane_row *rows, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_int4_array(&p, lanes, sizeof *lanes, count);
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_insert_progress, &p, NULL, NULL, err));
    CHECK(db_run(db, &sql_lock_progress, &p, &r, NULL, err));
    if ((size_t)db_rows(r) != count)
        return err_set(err, OUTCOME_FATAL, "progress_missing",
                       "metrics.progress has lost rows: lanes must never be deleted");
    for (size_t i = 0; i < count; i++)
        rows[i] = (struct metrics_lane_row){db_int4(r, (int)i, 0), db_int8(r, (int)i, 1)};
    return OUTCOME_OK;
}

enum outcome metrics_store_move_lanes(struct db *db, struct arena *arena,
                                      const struct metrics_lane_row *rows, size_t count,
                                      struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_int4_array(&p, &rows->lane, sizeof *rows, count);
    params_int8_array(&p, &rows->next_seq, sizeof *rows, count);
    return db_run(db, &sql_update_progress, &p, NULL, NULL, err);
}

enum outcome metrics_store_find_diffs(struct db *db, struct arena *arena, int32_t lane,
                                      int64_t first, int64_t last, struct db_result **rows,
                                      struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_int4(&p, lane);
    params_int8(&p, first);
    params_int8(&p, last);
    return db_run(db, &sql_find_diffs, &p, rows, NULL, err);
}

enum outcome metrics_store_find_generation(struct db *db, struct arena *arena,
                                           const struct id *generation, int32_t *number,
                                           struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_uuid(&p, generation);
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_find_generation, &p, &r, NULL, err));
    *number = db_rows(r) > 0 ? db_int4(r, 0, 0) : 0;
    return OUTCOME_OK;
}

/* Dictionary codes are positive int4. Any other value comes back unchanged too, from the same 32
 * bits. */
static void key_params(struct params *p, struct arena *arena, const struct sum_row *rows,
                       size_t count)
{
    params_init(p, arena);
    params_int8_array(p, &rows->cell, sizeof *rows, count);
    params_int4_array(p, (const int32_t *)&rows->key.family, sizeof *rows, count);
    params_int4_array(p, &rows->key.period, sizeof *rows, count);
    for (int i = 0; i < CELL_DIMS; i++)
        params_int4_array(p, (const int32_t *)&rows->key.dims[i], sizeof *rows, count);
}

enum outcome metrics_store_add_keys(struct db *db, struct arena *arena, const struct sum_row *rows,
                                    size_t count, struct err *err)
{
    struct params p;
    key_params(&p, arena, rows, count);
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_insert_cell_keys, &p, NULL, NULL, err));
    CHECK(db_run(db, &sql_find_collisions, &p, &r, NULL, err));
    if (db_rows(r) > 0)
        return err_set(err, OUTCOME_FATAL, "cell_collision", "two cells have the hash %lld",
                       (long long)db_int8(r, 0, 0));
    return OUTCOME_OK;
}

static enum outcome overflow(struct db *db, enum outcome outcome, const char *table,
                             struct err *err)
{
    if (outcome == OUTCOME_REJECT && db_sqlstate_is(db, "22003"))
        return err_set(err, OUTCOME_FATAL, "sum_overflow",
                       "a stored sum in %s would not fit into 64 bits any more", table);
    return outcome;
}

enum outcome metrics_store_add_sums(struct db *db, struct arena *arena, const struct sum_row *rows,
                                    size_t count, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_int8_array(&p, &rows->cell, sizeof *rows, count);
    params_int4_array(&p, &rows->lane, sizeof *rows, count);
    for (int i = 0; i < CELL_VALUES; i++)
        params_int8_array(&p, &rows->values[i], sizeof *rows, count);
    return overflow(db, db_run(db, &sql_upsert_cells, &p, NULL, NULL, err), "metrics.cells", err);
}

enum outcome metrics_store_add_late(struct db *db, struct arena *arena, const struct sum_row *rows,
                                    size_t count, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_int8_array(&p, &rows->cell, sizeof *rows, count);
    params_int4_array(&p, &rows->lane, sizeof *rows, count);
    params_int2_array(&p, &rows->closed_kinds, sizeof *rows, count);
    for (int i = 0; i < CELL_VALUES; i++)
        params_int8_array(&p, &rows->values[i], sizeof *rows, count);
    return overflow(db, db_run(db, &sql_upsert_late, &p, NULL, NULL, err), "metrics.late", err);
}

enum outcome metrics_store_find_closed_day(struct db *db, struct arena *arena,
                                           const struct id *generation, int32_t *day,
                                           struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_uuid(&p, generation);
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_find_closed_day, &p, &r, NULL, err));
    if (db_rows(r) == 0)
        return err_set(err, OUTCOME_FATAL, "generation_unknown",
                       "journey.policies lacks the active policies: run `tutti policy apply`");
    *day = db_int4(r, 0, 0);
    return OUTCOME_OK;
}
