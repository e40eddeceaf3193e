/* timeline_states.c: state rows: locks them, reads members, writes them under the lock or by
 * compare-and-swap. */
#include <stdlib.h>

#include "common/timeline/timeline_sql.h"

static int int8_compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t *sorted_unique(struct arena *arena, const int64_t *values, size_t *count)
{
    int64_t *sorted = arena_array(arena, int64_t, *count);
    memcpy(sorted, values, *count * sizeof *sorted);
    qsort(sorted, *count, sizeof *sorted, int8_compare);
    size_t n = 0;
    for (size_t i = 0; i < *count; i++)
        if (n == 0 || sorted[n - 1] != sorted[i])
            sorted[n++] = sorted[i];
    *count = n;
    return sorted;
}

static enum outcome run_on_keys(struct timeline *tl, enum timeline_statement which, struct db *db,
                                struct arena *arena, const int64_t *keys, size_t count,
                                struct db_result **result, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_int8_array(&p, keys, sizeof *keys, count);
    return db_run(db, &tl->statements[which], &p, result, NULL, err);
}

struct state_row *timeline_find_state(struct state_row *rows, size_t count, int64_t profile)
{
    struct state_row key = {.profile = profile};
    /* profile is the first member */
    return count == 0 ? NULL : bsearch(&key, rows, count, sizeof *rows, int8_compare);
}

static void take_states(const struct db_result *result, struct arena *arena, struct state_row *rows,
                        size_t count)
{
    for (int r = 0; r < db_rows(result); r++) {
        struct state_row *row = timeline_find_state(rows, count, db_int8(result, r, 0));
        row->is_absent = false;
        row->ver = db_int8(result, r, 1);
        row->members = db_int8(result, r, 2);
        row->generation = db_int4(result, r, 3);
        row->payload = arena_copy(arena, db_bytes(result, r, 4));
    }
}

enum outcome timeline_lock_states(struct timeline *tl, struct db *db, struct arena *arena,
                                  const int64_t *profiles, size_t count, struct state_row **out,
                                  size_t *out_count, struct err *err)
{
    *out_count = 0;
    if (count == 0)
        return OUTCOME_OK;
    int64_t *keys = sorted_unique(arena, profiles, &count);
    struct state_row *rows = arena_array(arena, struct state_row, count);
    for (size_t i = 0; i < count; i++)
        rows[i] = (struct state_row){.profile = keys[i], .is_absent = true, .payload = SPAN("")};
    struct db_result *result = NULL;
    CHECK(run_on_keys(tl, SQL_LOCK_STATES, db, arena, keys, count, &result, err));
    take_states(result, arena, rows, count);
    *out = rows;
    *out_count = count;
    return OUTCOME_OK;
}

enum outcome timeline_members(struct timeline *tl, struct db *db, struct arena *arena,
                              const int64_t *profiles, size_t count, struct member_row **rows,
                              size_t *row_count, struct err *err)
{
    *row_count = 0;
    if (count == 0)
        return OUTCOME_OK;
    struct id *low = arena_array(arena, struct id, count),
              *high = arena_array(arena, struct id, count);
    for (size_t i = 0; i < count; i++)
        id_short_range(profiles[i], &low[i], &high[i]);
    struct params p;
    params_init(&p, arena);
    params_uuid_array(&p, low, sizeof *low, count);
    params_uuid_array(&p, high, sizeof *high, count);
    struct db_result *result = NULL;
    CHECK(db_run(db, &tl->statements[SQL_MEMBERS], &p, &result, NULL, err));
    *row_count = (size_t)db_rows(result);
    *rows = arena_array(arena, struct member_row, *row_count);
    for (int r = 0; r < db_rows(result); r++)
        (*rows)[r] = (struct member_row){db_int8(result, r, 0), db_int8(result, r, 1),
                                         db_int8(result, r, 2)};
    return OUTCOME_OK;
}

static enum outcome update_states(struct timeline *tl, struct db *db, struct arena *arena,
                                  const struct state_row *rows, size_t count, struct err *err)
{
    int64_t written = 0;
    if (count == 0)
        return OUTCOME_OK;
    struct params p;
    params_init(&p, arena);
    params_int8_array(&p, &rows->profile, sizeof *rows, count);
    params_int8_array(&p, &rows->ver, sizeof *rows, count);
    params_int8_array(&p, &rows->members, sizeof *rows, count);
    params_int4_array(&p, &rows->generation, sizeof *rows, count);
    params_bytea_array(&p, &rows->payload, sizeof *rows, count);
    CHECK(db_run(db, &tl->statements[SQL_SAVE_STATES], &p, NULL, &written, err));
    if (written != (int64_t)count)
        return err_set(err, OUTCOME_RETRY, "state_race", "a locked state is gone");
    return OUTCOME_OK;
}

static enum outcome insert_states(struct timeline *tl, struct db *db, const struct state_row *rows,
                                  size_t count, struct err *err)
{
    if (count == 0)
        return OUTCOME_OK;
    CHECK(db_copy_begin(db, tl->statements[SQL_COPY_STATES].sql, err));
    for (size_t i = 0; i < count; i++) {
        copy_row(db, 5);
        copy_int8(db, rows[i].profile);
        copy_int8(db, rows[i].ver + 1);
        copy_int8(db, rows[i].members);
        copy_int4(db, rows[i].generation);
        copy_bytes(db, rows[i].payload);
    }
    return timeline_copy_end(db, "state_race", err);
}

enum outcome timeline_save_states(struct timeline *tl, struct db *db, struct arena *arena,
                                  struct state_row *rows, size_t count, struct err *err)
{
    struct state_row *parts = arena_array(arena, struct state_row, count);
    size_t old = 0, absent = count;
    for (size_t i = count; i-- > 0;) /* both parts stay sorted */
        if (rows[i].is_absent)
            parts[--absent] = rows[i];
    for (size_t i = 0; i < count; i++)
        if (!rows[i].is_absent)
            parts[old++] = rows[i];
    CHECK(update_states(tl, db, arena, parts, old, err));
    CHECK(insert_states(tl, db, parts + old, count - old, err));
    for (size_t i = 0; i < count; i++) {
        rows[i].ver++;
        rows[i].is_absent = false;
    }
    return OUTCOME_OK;
}

enum outcome timeline_swap_states(struct timeline *tl, struct db *db, struct arena *arena,
                                  struct state_row *rows, size_t count, bool *swapped,
                                  struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_int8_array(&p, &rows->profile, sizeof *rows, count);
    params_int8_array(&p, &rows->ver, sizeof *rows, count);
    params_int4_array(&p, &rows->generation, sizeof *rows, count);
    params_bytea_array(&p, &rows->payload, sizeof *rows, count);
    int64_t updated = 0;
    *swapped = false;
    CHECK(db_run(db, &tl->statements[SQL_SWAP_STATES], &p, NULL, &updated, err));
    *swapped = updated == (int64_t)count;
    for (size_t i = 0; *swapped && i < count; i++)
        rows[i].ver++;
    return OUTCOME_OK;
}
