/* journey_store.c: the columns of a fact; conversions, stage changes and checkpoints as arrays, one
 * statement for all rows of a transaction. */
#include "services/journey-tracker/store/journey_store.h"

#include <stdlib.h>

#include "common/codec/digest.h"
#include "journey_tracker_sql.h"

/* A column of journey.facts and its member; the last word: whether the derivation reads it. */
/* clang-format off */
#define COLUMN(name, type, is_read) {#name, type, offsetof(struct journey_fact, name), is_read}

static const struct fact_column fact_columns[] = {
    COLUMN(shape, FACT_INT4, true),
    COLUMN(received_at, FACT_INSTANT, false),
    COLUMN(value_micros, FACT_INT8, true),
    COLUMN(margin_micros, FACT_INT8, true),
    COLUMN(cost_micros, FACT_INT8, true),
    COLUMN(score, FACT_INT2, true),
    COLUMN(zone, FACT_INT2, true),
    COLUMN(message_id, FACT_TEXT, false),
    COLUMN(order_id, FACT_TEXT, true),
    COLUMN(content_id, FACT_TEXT, false),
    COLUMN(product_id, FACT_TEXT, false),
    COLUMN(location_id, FACT_TEXT, false),
    COLUMN(agent_id, FACT_TEXT, false),
    COLUMN(decision_id, FACT_TEXT, true),
    COLUMN(case_id, FACT_TEXT, false),
    COLUMN(opportunity_id, FACT_TEXT, true),
    COLUMN(lines, FACT_TEXT, true),
    COLUMN(line_amounts, FACT_TEXT, false),
    COLUMN(others, FACT_BYTEA, false),
    COLUMN(traits, FACT_BYTEA, true),
};
/* clang-format on */

const struct timeline_schema journey_timeline = {
    .schema = "journey",
    .states = "states", /* of the slot */
    .columns = fact_columns,
    .column_count = sizeof fact_columns / sizeof *fact_columns,
    .fact_size = sizeof(struct journey_fact),
};

/* Deletes and upserts take their rows in one order everywhere. */
static int key_compare(const void *a, const void *b)
{
    const struct touch_key *x = a, *y = b;
    if (x->anchor != y->anchor)
        return x->anchor < y->anchor ? -1 : 1;
    return touch_key_compare(x, y);
}

static int goal_compare(uint32_t a, uint32_t b)
{
    return a == b ? 0 : a < b ? -1 : 1;
}

static int conversion_compare(const void *a, const void *b)
{
    const struct conversion_row *x = a, *y = b;
    int c = key_compare(&x->key, &y->key);
    return c ? c : goal_compare(x->goal, y->goal);
}

/* The id of a row whose goal is not the first of its touchpoint; 0: the first goal's row needs
 * none.
 */
static struct id further_id(struct arena *arena, const struct id *event_id, struct span goal)
{
    struct strbuf bytes = {.arena = arena};
    if (goal.ptr == NULL)
        return (struct id){0};
    strbuf_add(&bytes, event_id->bytes, sizeof event_id->bytes);
    strbuf_add(&bytes, goal.ptr, goal.len);
    return digest_bytes(strbuf_span(&bytes));
}

/* Sorts rows that begin with their touch_key, and begins parameters with these keys. */
static void sorted_keys(struct params *p, struct arena *arena, void *rows, size_t count,
                        size_t stride, int (*compare)(const void *, const void *))
{
    const struct touch_key *first = rows;
    qsort(rows, count, stride, compare);
    params_init(p, arena);
    params_int8_array(p, &first->anchor, stride, count);
    params_timestamptz_array(p, &first->at, stride, count);
    params_uuid_array(p, &first->event_id, stride, count);
}

/* Runs a statement over the keys of sorted rows. */
static enum outcome run_on_repeats(struct db *db, struct arena *arena,
                                   const struct statement *statement, struct repeat_rows *rows,
                                   struct err *err)
{
    struct params p;
    if (rows->count == 0)
        return OUTCOME_OK;
    sorted_keys(&p, arena, rows->items, rows->count, sizeof *rows->items, key_compare);
    return db_run(db, statement, &p, NULL, NULL, err);
}

enum outcome journey_store_remove_repeats(struct db *db, struct arena *arena,
                                          struct repeat_rows *rows, struct err *err)
{
    return run_on_repeats(db, arena, &sql_delete_repeats, rows, err);
}

enum outcome journey_store_write_repeats(struct db *db, struct arena *arena,
                                         struct repeat_rows *rows, struct err *err)
{
    return run_on_repeats(db, arena, &sql_insert_repeats, rows, err);
}

enum outcome journey_store_remove_conversions(struct db *db, struct arena *arena,
                                              struct conversion_rows *rows, struct err *err)
{
    const size_t stride = sizeof *rows->items;
    struct params p;
    if (rows->count == 0)
        return OUTCOME_OK;
    sorted_keys(&p, arena, rows->items, rows->count, stride, conversion_compare);
    params_int4_array(&p, (const int32_t *)&rows->items->goal, stride, rows->count);
    return db_run(db, &sql_delete_conversions, &p, NULL, NULL, err);
}

enum outcome journey_store_write_conversions(struct db *db, struct arena *arena,
                                             struct conversion_rows *rows, struct err *err)
{
    size_t n = rows->count, stride = sizeof *rows->items;
    struct params p;
    if (n == 0)
        return OUTCOME_OK;
    sorted_keys(&p, arena, rows->items, n, stride, conversion_compare);
    int16_t *stages = arena_array(arena, int16_t, n);
    struct id *further = arena_array(arena, struct id, n);
    for (size_t i = 0; i < n; i++) {
        stages[i] = rows->items[i].stage_before;
        further[i] = further_id(arena, &rows->items[i].key.event_id, rows->items[i].further);
    }
    params_int4_array(&p, (const int32_t *)&rows->items->goal, stride, n);
    params_uuid_array(&p, further, sizeof *further, n);
    params_int4_array(&p, (const int32_t *)&rows->items->shape, stride, n);
    params_bool_array(&p, &rows->items->is_first, stride, n);
    params_int2_array(&p, stages, sizeof *stages, n);
    params_int8_array(&p, &rows->items->value, stride, n);
    params_smallest_is_null(&p);
    params_int8_array(&p, &rows->items->margin, stride, n);
    params_smallest_is_null(&p);
    params_int4_array(&p, (const int32_t *)&rows->items->eligible_count, stride, n);
    params_bytea_array(&p, &rows->items->eligible, stride, n);
    return db_run(db, &sql_upsert_conversions, &p, NULL, NULL, err);
}

static int order_compare(const void *a, const void *b)
{
    const struct order_change *x = a, *y = b;
    int c = key_compare(&x->key, &y->key);
    return c ? c : goal_compare(x->goal, y->goal);
}

/* The key of each row, after sorting. */
static void order_keys(struct params *p, struct arena *arena, const struct order_changes *rows)
{
    const size_t stride = sizeof *rows->items;
    sorted_keys(p, arena, rows->items, rows->count, stride, order_compare);
    params_int4_array(p, (const int32_t *)&rows->items->goal, stride, rows->count);
}

enum outcome journey_store_remove_orders(struct db *db, struct arena *arena,
                                         struct order_changes *rows, struct err *err)
{
    if (rows->count == 0)
        return OUTCOME_OK;
    struct params p;
    order_keys(&p, arena, rows);
    return db_run(db, &sql_delete_order_changes, &p, NULL, NULL, err);
}

/* What an order is called, and which orders there are: a time of INSTANT_FIRST means none. */
static bool *known_orders(struct arena *arena, struct order_changes *rows)
{
    bool *known = arena_array(arena, bool, rows->count);
    for (size_t i = 0; i < rows->count; i++) {
        known[i] = instant_compare(rows->items[i].order.at, INSTANT_FIRST) != 0;
        if (!known[i])
            rows->items[i].order.at = rows->items[i].key.at;
    }
    return known;
}

static void order_amounts(struct params *p, const struct order_changes *rows)
{
    const struct order_change *first = rows->items;
    size_t n = rows->count, stride = sizeof *first;
    params_int4_array(p, (const int32_t *)&first->seller, stride, n);
    params_int4_array(p, (const int32_t *)&first->money, stride, n);
    params_int4_array(p, &first->share, stride, n);
    params_int8_array(p, &first->value, stride, n);
    params_int8_array(p, &first->margin, stride, n);
    params_smallest_is_null(p);
    params_int8_array(p, &first->value_before, stride, n);
    params_int8_array(p, &first->margin_before, stride, n);
    params_int8_array(p, &first->over, stride, n);
    params_int4_array(p, (const int32_t *)&first->touch_count, stride, n);
    params_bytea_array(p, &first->touches, stride, n);
}

enum outcome journey_store_write_orders(struct db *db, struct arena *arena,
                                        struct order_changes *rows, struct err *err)
{
    if (rows->count == 0)
        return OUTCOME_OK;
    struct params p;
    order_keys(&p, arena, rows);
    const struct order_change *first = rows->items;
    size_t n = rows->count, stride = sizeof *first;
    struct id *further = arena_array(arena, struct id, n);
    for (size_t i = 0; i < n; i++)
        further[i] = further_id(arena, &first[i].key.event_id, first[i].further);
    params_uuid_array(&p, further, sizeof *further, n);
    params_int4_array(&p, (const int32_t *)&first->shape, stride, n);
    params_bool_array(&p, &first->is_return, stride, n);
    params_bool_array(&p, &first->is_full, stride, n);
    params_bool_array(&p, &first->is_repeat, stride, n);
    params_bool_array(&p, known_orders(arena, rows), sizeof(bool), n);
    params_int8_array(&p, &first->order.anchor, stride, n);
    params_timestamptz_array(&p, &first->order.at, stride, n);
    params_uuid_array(&p, &first->order.event_id, stride, n);
    order_amounts(&p, rows);
    return db_run(db, &sql_upsert_order_changes, &p, NULL, NULL, err);
}

static int stage_compare(const void *a, const void *b)
{
    const struct stage_row *x = a, *y = b;
    if (x->touch.anchor != y->touch.anchor)
        return x->touch.anchor < y->touch.anchor ? -1 : 1;
    int c = instant_compare(x->changed_at, y->changed_at);
    return c ? c : id_compare(&x->id, &y->id);
}

/* A key may stand in one upsert only once. Of equal keys the last stays. */
static void sort_stages(struct stage_rows *rows)
{
    size_t kept = 0;
    qsort(rows->items, rows->count, sizeof *rows->items, stage_compare);
    for (size_t i = 0; i < rows->count; i++) {
        if (kept > 0 && stage_compare(&rows->items[kept - 1], &rows->items[i]) == 0)
            kept--;
        rows->items[kept++] = rows->items[i];
    }
    rows->count = kept;
}

enum outcome journey_store_remove_stages(struct db *db, struct arena *arena,
                                         struct stage_rows *rows, struct err *err)
{
    size_t stride = sizeof *rows->items;
    if (rows->count == 0)
        return OUTCOME_OK;
    sort_stages(rows);
    struct params p;
    params_init(&p, arena);
    params_int8_array(&p, &rows->items->touch.anchor, stride, rows->count);
    params_timestamptz_array(&p, &rows->items->changed_at, stride, rows->count);
    params_uuid_array(&p, &rows->items->id, stride, rows->count);
    return db_run(db, &sql_delete_stage_changes, &p, NULL, NULL, err);
}

/* The narrow columns of stage rows as arrays of smallint. */
struct stage_columns {
    int16_t from_stage, to_stage, from_status, to_status, reason, position;
    int64_t seconds;
};

static struct stage_columns *stage_columns(struct arena *arena, const struct stage_rows *rows)
{
    /* Reasons as stored: 1 rule, 2 inactivity, 3 exit. */
    static const int16_t stored_reason[] = {[REASON_RULE] = CHANGED_BY_RULE,
                                            [REASON_AT_RISK] = CHANGED_BY_INACTIVITY,
                                            [REASON_LAPSED] = CHANGED_BY_INACTIVITY,
                                            [REASON_EXIT] = CHANGED_BY_EXIT};
    struct stage_columns *columns = arena_array(arena, struct stage_columns, rows->count);
    for (size_t i = 0; i < rows->count; i++) {
        const struct stage_row *row = &rows->items[i];
        columns[i] = (struct stage_columns){
            .from_stage = row->from_stage,
            .to_stage = row->to_stage,
            .from_status = row->from_status,
            .to_status = row->to_status,
            .reason = stored_reason[row->reason],
            .position = row->position,
            .seconds = row->seconds_in_stage < 0 ? INT64_MIN : row->seconds_in_stage};
    }
    return columns;
}

enum outcome journey_store_write_stages(struct db *db, struct arena *arena, struct stage_rows *rows,
                                        struct err *err)
{
    size_t stride = sizeof *rows->items;
    if (rows->count == 0)
        return OUTCOME_OK;
    sort_stages(rows);
    size_t n = rows->count;
    struct stage_columns *columns = stage_columns(arena, rows);
    struct params p;
    params_init(&p, arena);
    params_uuid_array(&p, &rows->items->id, stride, n);
    params_uuid_array(&p, &rows->items->touch.event_id, stride, n);
    params_int8_array(&p, &rows->items->touch.anchor, stride, n);
    params_int4_array(&p, (const int32_t *)&rows->items->journey_number, stride, n);
    params_timestamptz_array(&p, &rows->items->changed_at, stride, n);
    params_int2_array(&p, &columns->from_stage, sizeof *columns, n);
    params_int2_array(&p, &columns->to_stage, sizeof *columns, n);
    params_int2_array(&p, &columns->from_status, sizeof *columns, n);
    params_int2_array(&p, &columns->to_status, sizeof *columns, n);
    params_int2_array(&p, &columns->reason, sizeof *columns, n);
    params_int8_array(&p, &columns->seconds, sizeof *columns, n);
    params_smallest_is_null(&p);
    params_int2_array(&p, &columns->position, sizeof *columns, n);
    return db_run(db, &sql_upsert_stage_changes, &p, NULL, NULL, err);
}

static int membership_compare(const void *a, const void *b)
{
    const struct membership_row *x = a, *y = b;
    if (x->touch.anchor != y->touch.anchor)
        return x->touch.anchor < y->touch.anchor ? -1 : 1;
    int c = instant_compare(x->changed_at, y->changed_at);
    if (c == 0)
        c = (x->code > y->code) - (x->code < y->code);
    return c ? c : id_compare(&x->touch.event_id, &y->touch.event_id);
}

/* The keys of sorted rows. */
static void membership_keys(struct params *p, struct arena *arena, struct membership_rows *rows)
{
    const size_t stride = sizeof *rows->items;
    qsort(rows->items, rows->count, stride, membership_compare);
    params_init(p, arena);
    params_int8_array(p, &rows->items->touch.anchor, stride, rows->count);
    params_timestamptz_array(p, &rows->items->changed_at, stride, rows->count);
    params_int4_array(p, (const int32_t *)&rows->items->code, stride, rows->count);
    params_uuid_array(p, &rows->items->touch.event_id, stride, rows->count);
}

enum outcome journey_store_remove_memberships(struct db *db, struct arena *arena,
                                              struct membership_rows *rows, struct err *err)
{
    struct params p;
    if (rows->count == 0)
        return OUTCOME_OK;
    membership_keys(&p, arena, rows);
    return db_run(db, &sql_delete_memberships, &p, NULL, NULL, err);
}

enum outcome journey_store_write_memberships(struct db *db, struct arena *arena,
                                             struct membership_rows *rows, struct err *err)
{
    struct params p;
    if (rows->count == 0)
        return OUTCOME_OK;
    membership_keys(&p, arena, rows);
    params_bool_array(&p, &rows->items->is_in, sizeof *rows->items, rows->count);
    return db_run(db, &sql_upsert_memberships, &p, NULL, NULL, err);
}

enum outcome journey_store_remove_responses(struct db *db, struct arena *arena,
                                            struct response_rows *rows, struct err *err)
{
    struct params p;
    if (rows->count == 0)
        return OUTCOME_OK;
    sorted_keys(&p, arena, rows->items, rows->count, sizeof *rows->items, key_compare);
    return db_run(db, &sql_delete_responses, &p, NULL, NULL, err);
}

enum outcome journey_store_write_responses(struct db *db, struct arena *arena,
                                           struct response_rows *rows, struct err *err)
{
    struct params p;
    size_t n = rows->count, stride = sizeof *rows->items;
    if (n == 0)
        return OUTCOME_OK;
    sorted_keys(&p, arena, rows->items, n, stride, key_compare);
    int16_t *ranks = arena_array(arena, int16_t, n);
    for (size_t i = 0; i < n; i++)
        ranks[i] = rows->items[i].key.rank;
    params_int2_array(&p, ranks, sizeof *ranks, n);
    params_uuid_array(&p, &rows->items->send_id, stride, n);
    params_timestamptz_array(&p, &rows->items->sent_at, stride, n);
    params_int4_array(&p, (const int32_t *)&rows->items->send_shape, stride, n);
    params_int4_array(&p, (const int32_t *)&rows->items->shape, stride, n);
    params_int2_array(&p, &rows->items->local_hour, stride, n);
    return db_run(db, &sql_upsert_responses, &p, NULL, NULL, err);
}

/* Runs a statement over arrays of (profile, at). */
static enum outcome find_around(struct db *db, struct arena *arena,
                                const struct statement *statement, const struct checkpoint *wanted,
                                size_t count, struct db_result **result, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_int8_array(&p, &wanted->profile, sizeof *wanted, count);
    params_timestamptz_array(&p, &wanted->at, sizeof *wanted, count);
    return db_run(db, statement, &p, result, NULL, err);
}

enum outcome journey_store_find_checkpoints(struct db *db, struct arena *arena,
                                            struct checkpoint *wanted, size_t count,
                                            struct err *err)
{
    struct db_result *r = NULL;
    CHECK(find_around(db, arena, &sql_find_checkpoints, wanted, count, &r, err));
    for (int i = 0; i < db_rows(r); i++) {
        struct checkpoint *c = &wanted[db_int8(r, i, 0) - 1];
        c->at = db_timestamptz(r, i, 1);
        c->payload = arena_copy(arena, db_bytes(r, i, 2));
    }
    return OUTCOME_OK;
}

enum outcome journey_store_find_stops(struct db *db, struct arena *arena, struct checkpoint *wanted,
                                      size_t count, struct err *err)
{
    struct db_result *r = NULL;
    CHECK(find_around(db, arena, &sql_find_stops, wanted, count, &r, err));
    for (size_t i = 0; i < count; i++)
        wanted[i].at = INSTANT_NEVER;
    for (int i = 0; i < db_rows(r); i++)
        wanted[db_int8(r, i, 0) - 1].at = db_timestamptz(r, i, 1);
    return OUTCOME_OK;
}

static int checkpoint_compare(const void *a, const void *b)
{
    const struct checkpoint *x = a, *y = b;
    if (x->profile != y->profile)
        return x->profile < y->profile ? -1 : 1;
    return instant_compare(x->at, y->at);
}

static void checkpoint_keys(struct params *p, struct arena *arena, const struct checkpoints *list)
{
    params_init(p, arena);
    params_int8_array(p, &list->items->profile, sizeof *list->items, list->count);
    params_timestamptz_array(p, &list->items->at, sizeof *list->items, list->count);
}

/* Those of one key keep their order, so that the last of them can be told. */
static int checkpoint_order(const void *a, const void *b)
{
    const struct checkpoint *x = *(const struct checkpoint *const *)a,
                            *y = *(const struct checkpoint *const *)b;
    int c = checkpoint_compare(x, y);
    return c ? c : (x > y) - (x < y);
}

static void sort_checkpoints(struct arena *arena, struct checkpoints *list)
{
    const struct checkpoint **order = arena_array(arena, const struct checkpoint *, list->count);
    struct checkpoint *sorted = arena_array(arena, struct checkpoint, list->count);
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        order[i] = &list->items[i];
    qsort(order, list->count, sizeof *order, checkpoint_order);
    for (size_t i = 0; i < list->count; i++) {
        if (kept > 0 && checkpoint_compare(&sorted[kept - 1], order[i]) == 0)
            kept--;
        sorted[kept++] = *order[i];
    }
    *list = (struct checkpoints){sorted, kept, list->count};
}

enum outcome journey_store_delete_checkpoints(struct db *db, struct arena *arena,
                                              const struct checkpoints *list, struct err *err)
{
    if (list->count == 0)
        return OUTCOME_OK;
    qsort(list->items, list->count, sizeof *list->items, checkpoint_compare);
    struct params p;
    checkpoint_keys(&p, arena, list);
    return db_run(db, &sql_delete_checkpoints, &p, NULL, NULL, err);
}

enum outcome journey_store_write_checkpoints(struct db *db, struct arena *arena,
                                             struct checkpoints *list, struct err *err)
{
    if (list->count == 0)
        return OUTCOME_OK;
    sort_checkpoints(arena, list);
    struct params p;
    checkpoint_keys(&p, arena, list);
    params_bytea_array(&p, &list->items->payload, sizeof *list->items, list->count);
    return db_run(db, &sql_upsert_checkpoints, &p, NULL, NULL, err);
}
