/* journey_shapes.c: every step walks the one list of attributes (SHAPE_TEXTS), so that key, row,
 * parameters and the touchpoint's fields always agree. */
#include "services/journey-tracker/store/journey_shapes.h"

#include <stdlib.h>

#include "common/codec/digest.h"
#include "common/codec/unicode.h"
#include "journey_tracker_sql.h"
#include "services/journey-tracker/store/journey_dictionary.h"

struct pending {
    struct shape_ref **items;
    size_t count, capacity;
};

struct shapes {
    struct db *db;
    struct journey_policy *policy;
    struct dictionary dictionary;
    struct statement insert, load;
    struct arena arena; /* texts and shapes: they live as long as the process */
    struct map by_key;  /* hash of the shape's key -> const struct shape * */
    struct map by_code; /* code -> const struct shape * */
    struct map batch;   /* hash of the key -> struct shape_ref *, of the batch */
    struct pending pending;
};

/* ---- attributes ---- */

static const struct attribute {
    const char *column; /* of journey.shapes */
    size_t offset;      /* of the text in struct shape_text */
} attributes[] = {
#define ATTRIBUTE(member, column, field) {column, offsetof(struct shape_text, member)},
    SHAPE_TEXTS(ATTRIBUTE)};
enum { ATTRIBUTES = sizeof attributes / sizeof *attributes };

static struct span *text_at(struct shape_text *text, size_t i)
{
    return (struct span *)((char *)text + attributes[i].offset);
}

static struct span text_of(const struct shape_text *text, size_t i)
{
    return *(const struct span *)((const char *)text + attributes[i].offset);
}

/* An empty text counts as absent. */
static struct span present(struct span text)
{
    return text.len ? text : SPAN_NONE;
}

static void describe(const struct touchpoint *tp, struct shape_text *out)
{
#define DESCRIBE(member, column, field) out->member = field;
    SHAPE_TEXTS(DESCRIBE)
    out->has_click_id = tp->campaign.click_id.len > 0;
    out->is_bot = tp->is_bot;
}

static struct shape_text copy_text(struct arena *arena, const struct shape_text *text)
{
    struct shape_text copy = *text;
    for (size_t i = 0; i < ATTRIBUTES; i++)
        *text_at(&copy, i) = arena_copy(arena, text_of(text, i));
    return copy;
}

static struct span shape_key(struct arena *arena, const struct shape_text *text)
{
    struct strbuf key = {.arena = arena};
    size_t total = 1;
    for (size_t i = 0; i < ATTRIBUTES; i++)
        total += text_of(text, i).len + 3;
    strbuf_reserve(&key, total);
    pack_byte(&key, (uint8_t)(text->has_click_id | text->is_bot << 1));
    for (size_t i = 0; i < ATTRIBUTES; i++) {
        struct span part = text_of(text, i);
        pack_varint(&key, part.ptr ? part.len + 1 : 0);
        strbuf_add(&key, part.ptr, part.len);
    }
    return strbuf_span(&key);
}

static void add_columns(struct strbuf *sql)
{
    for (size_t i = 0; i < ATTRIBUTES; i++)
        strbuf_addf(sql, ", %s", attributes[i].column);
}

enum { FIRST_TEXT_PARAM = 4 };

static const char *insert_sql(struct arena *arena)
{
    struct strbuf sql = {.arena = arena};
    strbuf_addf(&sql, "INSERT INTO journey.shapes (hash, has_click_id, is_bot");
    add_columns(&sql);
    strbuf_addf(&sql, ") VALUES ($1, $2, $3");
    for (size_t i = 0; i < ATTRIBUTES; i++)
        strbuf_addf(&sql, ", $%zu", FIRST_TEXT_PARAM + i);
    strbuf_addf(&sql, ") ON CONFLICT (hash) DO NOTHING");
    return sql.ptr;
}

enum { FIRST_TEXT_COLUMN = 3 };

static const char *load_sql(struct arena *arena)
{
    struct strbuf sql = {.arena = arena};
    strbuf_addf(&sql, "SELECT shape, has_click_id, is_bot");
    add_columns(&sql);
    strbuf_addf(&sql, " FROM journey.shapes WHERE $1 = 0 OR shape = $1");
    return sql.ptr;
}

static void read_row(const struct db_result *r, int row, struct shape_text *out)
{
    out->has_click_id = db_bool(r, row, 1);
    out->is_bot = db_bool(r, row, 2);
    for (size_t i = 0; i < ATTRIBUTES; i++)
        *text_at(out, i) = db_bytes(r, row, FIRST_TEXT_COLUMN + (int)i);
}

/* ---- in memory ---- */

static enum outcome intern_texts(struct dictionary *dictionary, const struct shape_text *text,
                                 struct shape *shape, struct err *err)
{
    CHECK(dictionary_code(dictionary, shape->kind_text, &shape->kind, err));
    CHECK(dictionary_code(dictionary, text->channel, &shape->channel, err));
    CHECK(dictionary_code(dictionary, text->department, &shape->department, err));
    CHECK(dictionary_code(dictionary, text->purpose, &shape->purpose, err));
    CHECK(dictionary_code(dictionary, text->campaign_id, &shape->campaign, err));
    CHECK(dictionary_code(dictionary, text->device_type, &shape->device, err));
    CHECK(dictionary_code(dictionary, shape->network, &shape->network_code, err));
    return dictionary_code(dictionary, text->currency, &shape->currency, err);
}

static void compile_shape(const struct journey_policy *policy, const struct shape_text *text,
                          struct arena *arena, struct shape *out)
{
    struct shape_text complete = *text;
    complete.host = present(unicode_host(arena, text->referrer_host));
    shape_compile(policy, &complete, arena, out);
}

/* Compiles a shape that the database has under `code` and keeps it for good. */
static enum outcome keep_shape(struct shapes *shapes, const struct shape_text *text,
                               struct span key, uint32_t code, struct err *err)
{
    struct shape_text own = copy_text(&shapes->arena, text);
    struct shape *shape = arena_new(&shapes->arena, struct shape);
    compile_shape(shapes->policy, &own, &shapes->arena, shape);
    CHECK(intern_texts(&shapes->dictionary, &own, shape, err));
    shape->code = code;
    struct id hash = hash128(key);
    *(const struct shape **)map_put(&shapes->by_key, &hash, NULL) = shape;
    *(const struct shape **)map_put(&shapes->by_code, &code, NULL) = shape;
    return OUTCOME_OK;
}

enum outcome shapes_load(struct shapes *shapes, struct arena *arena, uint32_t code, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_int4(&p, (int32_t)code);
    struct db_result *r = NULL;
    CHECK(db_run(shapes->db, &shapes->load, &p, &r, NULL, err));
    for (int row = 0; row < db_rows(r); row++) {
        struct shape_text text;
        read_row(r, row, &text);
        uint32_t found = (uint32_t)db_int4(r, row, 0);
        CHECK(keep_shape(shapes, &text, shape_key(arena, &text), found, err));
    }
    if (code != 0 && db_rows(r) == 0)
        return err_set(err, OUTCOME_FATAL, "shape_missing",
                       "journey.shapes has no row %u that a state refers to", code);
    return OUTCOME_OK;
}

const struct shape *shapes_find(void *context, uint32_t code)
{
    struct shapes *shapes = context;
    const struct shape **found = map_find(&shapes->by_code, &code);
    return found ? *found : NULL;
}

struct shape_ref *shapes_ref(struct shapes *shapes, struct arena *arena,
                             const struct touchpoint *tp)
{
    struct shape_text text;
    describe(tp, &text);
    struct span key = shape_key(arena, &text);
    struct id hash = hash128(key);
    bool inserted;
    struct shape_ref **slot = map_put(&shapes->batch, &hash, &inserted);
    if (!inserted)
        return *slot;
    struct shape_ref *ref = *slot = arena_new(arena, struct shape_ref);
    const struct shape **known = map_find(&shapes->by_key, &hash);
    *ref = (struct shape_ref){known ? *known : NULL, text, key};
    if (known == NULL)
        *arena_push(arena, &shapes->pending) = ref;
    return ref;
}

void shapes_forget_batch(struct shapes *shapes)
{
    map_clear(&shapes->batch);
    shapes->pending = (struct pending){0};
}

/* ---- in the table ---- */

static struct span direction_text(enum direction direction)
{
    return direction == DIRECTION_INBOUND    ? SPAN("inbound")
           : direction == DIRECTION_OUTBOUND ? SPAN("outbound")
                                             : SPAN_NONE;
}

static void add_meaning(struct params *p, const struct journey_policy *policy,
                        const struct shape *shape)
{
    uint64_t money = (shape->goals | shape->line_goals) & policy->goals_money, positive = 0;
    for (uint32_t i = 0; i < policy->goal_count; i++)
        positive |= policy->goals[i].on.positive ? UINT64_C(1) << i : 0;
    params_text(p, shape->network);
    params_text(p, shape->kind_text);
    params_bool(p, shape->positive.count || shape->otherwise.count);
    params_bool(p, shape->otherwise.count == 0);
    params_text(p, direction_text((enum direction)shape->direction));
    params_bool(p, shape->is_touch);
    params_bool(p, (money & ~positive) != 0);
    params_bool(p, money != 0);
    params_bool(p, shape->is_return);
    params_bool(p, shape->opens_case);
    params_bool(p, shape->ends_case);
}

static enum outcome insert_shape(struct shapes *shapes, struct arena *arena,
                                 const struct shape_ref *ref, const struct id *hash,
                                 struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_uuid(&p, hash);
    params_bool(&p, ref->text.has_click_id);
    params_bool(&p, ref->text.is_bot);
    for (size_t i = 0; i < ATTRIBUTES; i++)
        params_text(&p, text_of(&ref->text, i));
    return db_run(shapes->db, &shapes->insert, &p, NULL, NULL, err);
}

static enum outcome write_meaning(struct shapes *shapes, struct arena *arena,
                                  const struct shape *shape, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_int4(&p, (int32_t)shape->code);
    add_meaning(&p, shapes->policy, shape);
    return db_run(shapes->db, &sql_upsert_shape_meaning, &p, NULL, NULL, err);
}

enum outcome shapes_write_meanings(struct shapes *shapes, struct arena *arena, struct err *err)
{
    const struct shape **entry;
    for (size_t i = 0; (entry = map_next(&shapes->by_code, &i, NULL));)
        CHECK(write_meaning(shapes, arena, *entry, err));
    return OUTCOME_OK;
}

enum outcome shapes_write_missing(struct shapes *shapes, struct arena *arena, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    CHECK(db_run(shapes->db, &sql_find_unmeant_shapes, &p, &r, NULL, err));
    for (int row = 0; row < db_rows(r); row++) {
        uint32_t code = (uint32_t)db_int4(r, row, 0);
        if (shapes_find(shapes, code) == NULL)
            CHECK(shapes_load(shapes, arena, code, err));
        CHECK(write_meaning(shapes, arena, shapes_find(shapes, code), err));
    }
    return OUTCOME_OK;
}

static enum outcome settle_one(struct shapes *shapes, struct arena *arena,
                               const struct generation *generation, struct shape_ref *ref,
                               struct err *err)
{
    struct id hash = digest_bytes(ref->key);
    CHECK(generation_still_active(shapes->db, arena, generation, NULL, err));
    CHECK(insert_shape(shapes, arena, ref, &hash, err));
    struct params p;
    params_init(&p, arena);
    params_uuid(&p, &hash);
    struct db_result *r = NULL;
    CHECK(db_run(shapes->db, &sql_find_shape, &p, &r, NULL, err));
    uint32_t code = db_rows(r) ? (uint32_t)db_int4(r, 0, 0) : 0;
    if (code == 0)
        return err_set(err, OUTCOME_RETRY, "shape", "a shape is not visible yet");
    struct shape shape;
    compile_shape(shapes->policy, &ref->text, arena, &shape);
    shape.code = code;
    CHECK(write_meaning(shapes, arena, &shape, err));
    CHECK(db_commit(shapes->db, err));
    CHECK(keep_shape(shapes, &ref->text, ref->key, code, err));
    ref->shape = shapes_find(shapes, code);
    return OUTCOME_OK;
}

enum outcome shapes_settle(struct shapes *shapes, struct arena *arena,
                           const struct generation *generation, struct err *err)
{
    for (size_t i = 0; i < shapes->pending.count; i++) {
        if (shapes->pending.items[i]->shape)
            continue;
        CHECK(db_begin(shapes->db, err));
        enum outcome outcome = settle_one(shapes, arena, generation, shapes->pending.items[i], err);
        if (outcome != OUTCOME_OK)
            db_rollback(shapes->db);
        CHECK(outcome);
    }
    return OUTCOME_OK;
}

/* ---- open and close ---- */

static enum outcome load_all(struct shapes *shapes, struct err *err)
{
    struct arena arena = {0};
    enum outcome outcome = shapes_load(shapes, &arena, 0, err);
    arena_free(&arena);
    return outcome;
}

enum outcome shapes_open(struct db *db, struct journey_policy *policy, struct shapes **out,
                         struct err *err)
{
    struct shapes *shapes = *out = calloc(1, sizeof *shapes);
    if (shapes == NULL)
        abort();
    shapes->db = db;
    shapes->policy = policy;
    shapes->insert = (struct statement){"journey_insert_shape", insert_sql(&shapes->arena)};
    shapes->load = (struct statement){"journey_load_shapes", load_sql(&shapes->arena)};
    map_init(&shapes->by_key, NULL, sizeof(struct id), sizeof(void *));
    map_init(&shapes->by_code, NULL, sizeof(uint32_t), sizeof(void *));
    map_init(&shapes->batch, NULL, sizeof(struct id), sizeof(void *));
    CHECK(dictionary_open(&shapes->dictionary, db, err));
    CHECK(journey_policy_intern(policy, dictionary_code, &shapes->dictionary, err));
    return load_all(shapes, err);
}

void shapes_close(struct shapes *shapes)
{
    if (shapes == NULL)
        return;
    dictionary_close(&shapes->dictionary);
    map_free(&shapes->by_key);
    map_free(&shapes->by_code);
    map_free(&shapes->batch);
    arena_free(&shapes->arena);
    free(shapes);
}
