/* suppression_arms.c: the statements of suppression_arms.h; the SQL is in sql/. */
#include "services/suppression/suppression_arms.h"

#include <stdlib.h>

#include "suppression_sql.h"

static int arm_compare(const void *a, const void *b)
{
    const struct arm *x = a, *y = b;
    if (x->anchor != y->anchor)
        return x->anchor < y->anchor ? -1 : 1;
    return span_compare(x->holdout, y->holdout);
}

static int request_compare(const void *key, const void *element)
{
    return id_compare(key, &((const struct decision_row *)element)->request_id);
}

/* Another customer of the batch may have asked by the same request, and another instance first. */
static bool was_decided(const struct arm *arm, const struct decision_rows *decisions)
{
    const struct decision_row *row = decisions->count
                                         ? bsearch(&arm->request_id, decisions->items,
                                                   decisions->count, sizeof *row, request_compare)
                                         : NULL;
    return row && row->is_inserted && row->anchor == arm->anchor;
}

enum outcome arms_find(struct db *db, struct arena *arena, const int64_t *anchors, size_t count,
                       struct arms *out, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_int8_array(&p, anchors, sizeof *anchors, count);
    CHECK(db_run(db, &sql_find_arms, &p, &r, NULL, err));
    for (int row = 0; row < db_rows(r); row++)
        *arena_push(arena, out) = (struct arm){.anchor = db_int8(r, row, 0),
                                               .holdout = arena_copy(arena, db_bytes(r, row, 1)),
                                               .arm = db_int2(r, row, 2)};
    return OUTCOME_OK;
}

enum outcome arms_store(struct db *db, struct arena *arena, const struct arms *arms,
                        const struct decision_rows *decisions, struct err *err)
{
    struct arm *rows = arena_array(arena, struct arm, arms->count);
    size_t count = 0;
    for (size_t i = 0; i < arms->count; i++)
        if (was_decided(&arms->items[i], decisions))
            rows[count++] = arms->items[i];
    if (count == 0)
        return OUTCOME_OK;
    qsort(rows, count, sizeof *rows, arm_compare);
    struct params p;
    params_init(&p, arena);
    params_text_array(&p, &rows->holdout, sizeof *rows, count);
    params_int8_array(&p, &rows->anchor, sizeof *rows, count);
    params_int2_array(&p, &rows->arm, sizeof *rows, count);
    params_int2_array(&p, &rows->basis_points, sizeof *rows, count);
    params_timestamptz_array(&p, &rows->assigned_at, sizeof *rows, count);
    params_uuid_array(&p, &rows->request_id, sizeof *rows, count);
    return db_run(db, &sql_insert_arms, &p, NULL, NULL, err);
}
