/* journey_opportunity_rows.c: steps of opportunities as arrays, one statement for all of a
 * transaction. */
#include <stdlib.h>

#include "journey_tracker_sql.h"
#include "services/journey-tracker/store/journey_store.h"

static int opportunity_compare(const void *a, const void *b)
{
    const struct opportunity_row *x = a, *y = b;
    int c = id_compare(&x->id, &y->id);
    if (c == 0)
        c = x->step - y->step;
    return c ? c : touch_key_compare(&x->by, &y->by);
}

/* The steps of sorted rows. */
static void opportunity_keys(struct params *p, struct arena *arena, struct opportunity_rows *rows)
{
    const size_t stride = sizeof *rows->items;
    int16_t *steps = arena_array(arena, int16_t, rows->count);
    qsort(rows->items, rows->count, stride, opportunity_compare);
    for (size_t i = 0; i < rows->count; i++)
        steps[i] = rows->items[i].step;
    params_init(p, arena);
    params_uuid_array(p, &rows->items->id, stride, rows->count);
    params_int2_array(p, steps, sizeof *steps, rows->count);
    params_timestamptz_array(p, &rows->items->by.at, stride, rows->count);
    params_uuid_array(p, &rows->items->by.event_id, stride, rows->count);
    params_int8_array(p, &rows->items->by.anchor, stride, rows->count);
}

enum outcome journey_store_remove_opportunities(struct db *db, struct arena *arena,
                                                struct opportunity_rows *rows, struct err *err)
{
    struct params p;
    if (rows->count == 0)
        return OUTCOME_OK;
    opportunity_keys(&p, arena, rows);
    return db_run(db, &sql_delete_opportunities, &p, NULL, NULL, err);
}

enum outcome journey_store_write_opportunities(struct db *db, struct arena *arena,
                                               struct opportunity_rows *rows, struct err *err)
{
    const size_t stride = sizeof *rows->items;
    struct params p;
    if (rows->count == 0)
        return OUTCOME_OK;
    opportunity_keys(&p, arena, rows);
    params_int8_array(&p, &rows->items->trigger.anchor, stride, rows->count);
    params_int4_array(&p, (const int32_t *)&rows->items->rule_code, stride, rows->count);
    params_int4_array(&p, (const int32_t *)&rows->items->code, stride, rows->count);
    return db_run(db, &sql_insert_opportunities, &p, NULL, NULL, err);
}

enum outcome journey_store_find_opportunities(struct db *db, struct arena *arena,
                                              const struct opportunity_rows *rows,
                                              struct opportunity_steps *out, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_uuid_array(&p, &rows->items->id, sizeof *rows->items, rows->count);
    CHECK(db_run(db, &sql_find_opportunities, &p, &r, NULL, err));
    out->count = (size_t)db_rows(r);
    out->items = arena_array(arena, struct opportunity_step_found, out->count);
    for (size_t i = 0; i < out->count; i++)
        out->items[i] = (struct opportunity_step_found){
            db_uuid(r, (int)i, 0), db_int2(r, (int)i, 1), db_timestamptz(r, (int)i, 2)};
    return OUTCOME_OK;
}
