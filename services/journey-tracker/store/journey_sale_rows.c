/* journey_sale_rows.c: see journey_sale_rows.h. All rows of a transaction go in one statement each.
 */
#include "services/journey-tracker/store/journey_sale_rows.h"

#include <stdlib.h>

#include "journey_tracker_sql.h"

int sale_compare(const struct fact_key *a, const struct fact_key *b)
{
    int c = instant_compare(a->occurred_at, b->occurred_at);
    return c ? c : id_compare(&a->event_id, &b->event_id);
}

int sale_row_compare(const void *a, const void *b)
{
    const struct fact_key *x = &((const struct sale_row *)a)->key,
                          *y = &((const struct sale_row *)b)->key;
    int c = sale_compare(x, y);
    return c ? c : (x->anchor > y->anchor) - (x->anchor < y->anchor);
}

static void sort_rows(struct sale_rows *rows)
{
    if (rows->count > 1)
        qsort(rows->items, rows->count, sizeof *rows->items, sale_row_compare);
}

static void sale_keys(struct params *p, struct arena *arena, const struct sale_rows *rows)
{
    params_init(p, arena);
    params_timestamptz_array(p, &rows->items->key.occurred_at, sizeof *rows->items, rows->count);
    params_uuid_array(p, &rows->items->key.event_id, sizeof *rows->items, rows->count);
}

static void sale_claims(struct params *p, struct arena *arena, const struct sale_rows *rows)
{
    sale_keys(p, arena, rows);
    params_int8_array(p, &rows->items->key.anchor, sizeof *rows->items, rows->count);
    params_int2_array(p, &rows->items->rank, sizeof *rows->items, rows->count);
}

/* Marks the first of the sorted rows that has the key. */
static void mark_inserted(const struct sale_rows *rows, const struct fact_key *key)
{
    size_t low = 0, high = rows->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (sale_compare(&rows->items[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < rows->count)
        rows->items[low].is_inserted = true;
}

enum outcome journey_store_insert_sales(struct db *db, struct arena *arena,
                                        const struct sale_rows *rows, size_t *inserted,
                                        struct err *err)
{
    *inserted = 0;
    if (rows->count == 0)
        return OUTCOME_OK;
    struct params p;
    struct db_result *r = NULL;
    sale_claims(&p, arena, rows);
    CHECK(db_run(db, &sql_insert_sales, &p, &r, NULL, err));
    *inserted = (size_t)db_rows(r);
    for (int i = 0; i < db_rows(r); i++)
        mark_inserted(rows, &(struct fact_key){.occurred_at = db_timestamptz(r, i, 0),
                                               .event_id = db_uuid(r, i, 1)});
    return OUTCOME_OK;
}

static void take_rows(struct arena *arena, const struct db_result *r, struct sale_rows *out)
{
    for (int i = 0; i < db_rows(r); i++) {
        bool is_null = db_is_null(r, i, 2);
        *arena_push(arena, out) = (struct sale_row){
            .key = {is_null ? 0 : db_int8(r, i, 2), db_timestamptz(r, i, 0), db_uuid(r, i, 1)},
            .rank = db_int2(r, i, 3),
            .is_ownerless = is_null};
    }
    sort_rows(out);
}

static enum outcome find_rows(struct db *db, struct arena *arena, const struct statement *statement,
                              const struct sale_rows *sales, struct sale_rows *out, struct err *err)
{
    if (sales->count == 0)
        return OUTCOME_OK;
    struct params p;
    struct db_result *r = NULL;
    sale_keys(&p, arena, sales);
    CHECK(db_run(db, statement, &p, &r, NULL, err));
    take_rows(arena, r, out);
    return OUTCOME_OK;
}

enum outcome journey_store_lock_sales(struct db *db, struct arena *arena,
                                      const struct sale_rows *sales, struct sale_rows *owners,
                                      struct err *err)
{
    return find_rows(db, arena, &sql_lock_sales, sales, owners, err);
}

enum outcome journey_store_find_copies(struct db *db, struct arena *arena,
                                       const struct sale_rows *sales, struct sale_rows *copies,
                                       struct err *err)
{
    return find_rows(db, arena, &sql_find_sale_copies, sales, copies, err);
}

enum outcome journey_store_find_copies_of(struct db *db, struct arena *arena,
                                          const int64_t *anchors, size_t count,
                                          struct sale_rows *copies, struct err *err)
{
    if (count == 0)
        return OUTCOME_OK;
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_int8_array(&p, anchors, sizeof *anchors, count);
    CHECK(db_run(db, &sql_find_copies_of_anchors, &p, &r, NULL, err));
    take_rows(arena, r, copies);
    return OUTCOME_OK;
}

static enum outcome write_rows(struct db *db, struct arena *arena,
                               const struct statement *statement, struct sale_rows *rows,
                               bool with_rank, struct err *err)
{
    if (rows->count == 0)
        return OUTCOME_OK;
    struct params p;
    sort_rows(rows);
    sale_keys(&p, arena, rows);
    params_int8_array(&p, &rows->items->key.anchor, sizeof *rows->items, rows->count);
    if (with_rank)
        params_int2_array(&p, &rows->items->rank, sizeof *rows->items, rows->count);
    return db_run(db, statement, &p, NULL, NULL, err);
}

enum outcome journey_store_write_owners(struct db *db, struct arena *arena, struct sale_rows *rows,
                                        struct err *err)
{
    return write_rows(db, arena, &sql_update_sales, rows, true, err);
}

enum outcome journey_store_add_copies(struct db *db, struct arena *arena, struct sale_rows *rows,
                                      struct err *err)
{
    return write_rows(db, arena, &sql_insert_sale_copies, rows, true, err);
}

enum outcome journey_store_drop_copies(struct db *db, struct arena *arena, struct sale_rows *rows,
                                       struct err *err)
{
    return write_rows(db, arena, &sql_delete_sale_copies, rows, false, err);
}

enum outcome journey_store_find_anchors(struct db *db, struct arena *arena, const int64_t *anchors,
                                        size_t count, struct anchor_move **out, size_t *out_count,
                                        struct err *err)
{
    *out_count = 0;
    if (count == 0)
        return OUTCOME_OK;
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_int8_array(&p, anchors, sizeof *anchors, count);
    CHECK(db_run(db, &sql_find_anchors, &p, &r, NULL, err));
    *out_count = (size_t)db_rows(r);
    *out = arena_array(arena, struct anchor_move, *out_count);
    for (int i = 0; i < db_rows(r); i++)
        (*out)[i] = (struct anchor_move){db_uuid(r, i, 0), db_uuid(r, i, 1), db_int8(r, i, 2)};
    return OUTCOME_OK;
}
