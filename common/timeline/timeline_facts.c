/* timeline_facts.c: writes and reads facts with the columns that a service declares. */
#include <stdlib.h>

#include "common/timeline/timeline_sql.h"

int fact_key_compare(const void *a, const void *b)
{
    const struct fact_key *x = a, *y = b;
    if (x->anchor != y->anchor)
        return x->anchor < y->anchor ? -1 : 1;
    int c = instant_compare(x->occurred_at, y->occurred_at);
    return c ? c : id_compare(&x->event_id, &y->event_id);
}

struct timeline *timeline_new(const struct timeline_schema *schema)
{
    struct timeline *tl = calloc(1, sizeof *tl);
    if (tl == NULL)
        abort();
    tl->schema = schema;
    timeline_build_sql(tl);
    return tl;
}

void timeline_free(struct timeline *tl)
{
    if (tl)
        arena_free(&tl->arena);
    free(tl);
}

static const char *fact_at(const struct timeline *tl, const void *facts, size_t i)
{
    return (const char *)facts + i * tl->schema->fact_size;
}

size_t timeline_sort_facts(const struct timeline *tl, void *facts, size_t count)
{
    size_t size = tl->schema->fact_size, kept = 0;
    qsort(facts, count, size, fact_key_compare);
    for (size_t i = 0; i < count; i++) {
        char *from = (char *)facts + i * size, *to = (char *)facts + kept * size;
        if (kept > 0 && fact_key_compare(to - size, from) == 0)
            continue;
        if (to != from)
            memcpy(to, from, size);
        kept++;
    }
    return kept;
}

static void copy_column(struct db *db, const struct fact_column *column, const char *fact)
{
    const void *v = fact + column->offset;
    switch (column->type) {
    case FACT_INT2:
        *(const int16_t *)v == INT16_MIN ? copy_null(db) : copy_int2(db, *(const int16_t *)v);
        break;
    case FACT_INT4:
        *(const int32_t *)v == INT32_MIN ? copy_null(db) : copy_int4(db, *(const int32_t *)v);
        break;
    case FACT_INT8:
        *(const int64_t *)v == INT64_MIN ? copy_null(db) : copy_int8(db, *(const int64_t *)v);
        break;
    case FACT_INSTANT:
        *(const int64_t *)v == INT64_MIN ? copy_null(db)
                                         : copy_timestamptz(db, *(const struct instant *)v);
        break;
    case FACT_TEXT:
    case FACT_BYTEA:
        copy_bytes(db, *(const struct span *)v);
        break;
    case FACT_BOOL:
        copy_bool(db, *(const bool *)v);
        break;
    }
}

static void copy_fact(const struct timeline *tl, struct db *db, const char *fact)
{
    const struct timeline_schema *schema = tl->schema;
    const struct fact_key *key = (const void *)fact;
    copy_row(db, (int16_t)(3 + schema->column_count));
    copy_int8(db, key->anchor);
    copy_timestamptz(db, key->occurred_at);
    copy_uuid(db, &key->event_id);
    for (size_t c = 0; c < schema->column_count; c++)
        copy_column(db, &schema->columns[c], fact);
}

enum outcome timeline_copy_facts(struct timeline *tl, struct db *db, const void *facts,
                                 size_t count, struct err *err)
{
    CHECK(db_copy_begin(db, tl->statements[SQL_COPY_FACTS].sql, err));
    for (size_t i = 0; i < count; i++)
        copy_fact(tl, db, fact_at(tl, facts, i));
    return db_copy_end(db, NULL, err);
}

/* Clears the marks of the facts that are there. */
static enum outcome find_facts(struct timeline *tl, struct db *db, struct arena *arena,
                               const void *facts, size_t count, bool *is_new, struct err *err)
{
    size_t stride = tl->schema->fact_size;
    const struct fact_key *key = facts;
    struct params p;
    struct db_result *result = NULL;
    params_init(&p, arena);
    params_int8_array(&p, &key->anchor, stride, count);
    params_timestamptz_array(&p, &key->occurred_at, stride, count);
    params_uuid_array(&p, &key->event_id, stride, count);
    CHECK(db_run(db, &tl->statements[SQL_FIND_FACTS], &p, &result, NULL, err));
    for (int r = 0; r < db_rows(result); r++)
        is_new[db_int8(result, r, 0) - 1] = false;
    return OUTCOME_OK;
}

enum outcome timeline_insert_facts(struct timeline *tl, struct db *db, struct arena *arena,
                                   const void *facts, size_t count, bool *inserted, struct err *err)
{
    for (size_t i = 0; i < count; i++)
        inserted[i] = true;
    CHECK(find_facts(tl, db, arena, facts, count, inserted, err));
    CHECK(db_copy_begin(db, tl->statements[SQL_COPY_FACTS].sql, err));
    for (size_t i = 0; i < count; i++)
        if (inserted[i])
            copy_fact(tl, db, fact_at(tl, facts, i));
    return timeline_copy_end(db, "fact_race", err);
}

static void read_column(const struct fact_column *column, char *fact, const struct db_result *r,
                        int row, int c, struct arena *arena)
{
    void *v = fact + column->offset;
    bool null = db_is_null(r, row, c);
    switch (column->type) {
    case FACT_INT2:
        *(int16_t *)v = null ? INT16_MIN : db_int2(r, row, c);
        break;
    case FACT_INT4:
        *(int32_t *)v = null ? INT32_MIN : db_int4(r, row, c);
        break;
    case FACT_INT8:
        *(int64_t *)v = null ? INT64_MIN : db_int8(r, row, c);
        break;
    case FACT_INSTANT:
        ((struct instant *)v)->us = null ? INT64_MIN : db_timestamptz(r, row, c).us;
        break;
    case FACT_TEXT:
    case FACT_BYTEA:
        *(struct span *)v = null ? SPAN_NONE : arena_copy(arena, db_bytes(r, row, c));
        break;
    case FACT_BOOL:
        *(bool *)v = !null && db_bool(r, row, c);
        break;
    }
}

static void *take_facts(const struct timeline *tl, const struct db_result *result,
                        struct arena *arena)
{
    const struct timeline_schema *schema = tl->schema;
    int rows = db_rows(result);
    char *facts = arena_calloc(arena, (size_t)rows, schema->fact_size);
    for (int r = 0; r < rows; r++) {
        char *fact = facts + (size_t)r * schema->fact_size;
        *(struct fact_key *)(void *)fact = (struct fact_key){
            db_int8(result, r, 0), db_timestamptz(result, r, 1), db_uuid(result, r, 2)};
        int column = 3;
        for (size_t c = 0; c < schema->column_count; c++)
            if (schema->columns[c].is_read)
                read_column(&schema->columns[c], fact, result, r, column++, arena);
    }
    qsort(facts, (size_t)rows, schema->fact_size, fact_key_compare);
    return facts;
}

enum outcome timeline_read_facts(struct timeline *tl, struct db *db, struct arena *arena,
                                 const struct fact_range *ranges, size_t count, void **facts,
                                 size_t *fact_count, struct err *err)
{
    size_t stride = sizeof *ranges;
    struct params p;
    params_init(&p, arena);
    params_int8_array(&p, &ranges->anchor, stride, count);
    params_timestamptz_array(&p, &ranges->from, stride, count);
    params_timestamptz_array(&p, &ranges->until, stride, count);
    struct db_result *result = NULL;
    CHECK(db_run(db, &tl->statements[SQL_READ_FACTS], &p, &result, NULL, err));
    *facts = take_facts(tl, result, arena);
    *fact_count = (size_t)db_rows(result);
    return OUTCOME_OK;
}

enum outcome timeline_first_facts(struct timeline *tl, struct db *db, struct arena *arena,
                                  const int64_t *anchors, size_t count, struct instant *first,
                                  struct err *err)
{
    for (size_t i = 0; i < count; i++)
        first[i] = INSTANT_NEVER;
    struct params p;
    params_init(&p, arena);
    params_int8_array(&p, anchors, sizeof *anchors, count);
    struct db_result *result = NULL;
    CHECK(db_run(db, &tl->statements[SQL_FIRST_FACTS], &p, &result, NULL, err));
    for (int r = 0; r < db_rows(result); r++)
        first[db_int8(result, r, 0) - 1] = db_timestamptz(result, r, 1);
    return OUTCOME_OK;
}
