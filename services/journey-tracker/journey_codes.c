/* journey_codes.c: see journey_codes.h. */
#include "services/journey-tracker/journey_codes.h"

#include <stdlib.h>

#include "common/codec/digest.h"
#include "journey_tracker_sql.h"

struct pending {
    struct shape_ref **items;
    size_t count, capacity;
};

struct codes {
    struct db *db;
    struct journey_policy *policy;
    struct arena arena; /* texts and shapes: they live as long as the process */
    struct map strings; /* hash of the text -> code */
    struct map by_key;  /* hash of the shape's key -> const struct shape * */
    struct map by_code; /* code -> const struct shape * */
    struct map batch;   /* hash of the key -> struct shape_ref *, of the batch */
    struct pending pending;
};

/* ---- dictionary ---- */

static void remember_code(struct codes *codes, struct span text, uint32_t code)
{
    struct id hash = hash128(text);
    *(uint32_t *)map_put(&codes->strings, &hash, NULL) = code;
}

static enum outcome load_codes(struct codes *codes, struct arena *arena, const struct span *texts,
                               size_t count, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    if (texts)
        params_text_array(&p, texts, sizeof *texts, count);
    struct db_result *r = NULL;
    CHECK(db_run(codes->db, texts ? &sql_find_codes : &sql_all_codes, &p, &r, NULL, err));
    for (int i = 0; i < db_rows(r); i++)
        remember_code(codes, db_bytes(r, i, 1), (uint32_t)db_int4(r, i, 0));
    return OUTCOME_OK;
}

/* Code of a text; 0 for an absent one. New texts are written at once. */
static enum outcome intern(void *context, struct span text, uint32_t *code, struct err *err)
{
    struct codes *codes = context;
    *code = 0;
    if (text.ptr == NULL)
        return OUTCOME_OK;
    struct id hash = hash128(text);
    const uint32_t *known = map_find(&codes->strings, &hash);
    struct arena arena = {0};
    enum outcome o = OUTCOME_OK;
    if (known == NULL) {
        struct params p;
        params_init(&p, &arena);
        params_text_array(&p, &text, sizeof text, 1);
        o = db_run(codes->db, &sql_insert_codes, &p, NULL, NULL, err);
        if (o == OUTCOME_OK)
            o = load_codes(codes, &arena, &text, 1, err);
        known = map_find(&codes->strings, &hash);
    }
    arena_free(&arena);
    if (o != OUTCOME_OK)
        return o;
    if (known == NULL)
        return err_set(err, OUTCOME_RETRY, "dictionary", "a dictionary code is not visible yet");
    *code = *known;
    return OUTCOME_OK;
}

/* ---- shapes ---- */

static enum outcome intern_shape(struct codes *codes, struct shape *shape,
                                 const struct shape_text *text, struct err *err)
{
    CHECK(intern(codes, shape->kind_text, &shape->kind, err));
    CHECK(intern(codes, text->channel, &shape->channel, err));
    CHECK(intern(codes, text->department, &shape->department, err));
    CHECK(intern(codes, text->purpose, &shape->purpose, err));
    CHECK(intern(codes, text->campaign_id, &shape->campaign, err));
    return intern(codes, text->currency, &shape->currency, err);
}

static struct shape_text copy_text(struct arena *arena, const struct shape_text *text)
{
    struct shape_text copy = *text;
    struct span *spans[] = {&copy.source,        &copy.type,          &copy.event_name,
                            &copy.channel,       &copy.direction,     &copy.department,
                            &copy.purpose,       &copy.platform,      &copy.campaign_id,
                            &copy.campaign_name, &copy.click_network, &copy.utm_medium,
                            &copy.utm_source,    &copy.referrer_host, &copy.score_kind,
                            &copy.currency,      &copy.device_type,   &copy.product_category,
                            &copy.country};
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++)
        *spans[i] = arena_copy(arena, *spans[i]);
    return copy;
}

static struct span shape_key(struct arena *arena, const struct shape_text *t,
                             struct span contact_class)
{
    const struct span *spans[] = {&t->source,      &t->type,          &t->event_name,
                                  &t->channel,     &t->direction,     &t->department,
                                  &t->purpose,     &contact_class,    &t->platform,
                                  &t->campaign_id, &t->campaign_name, &t->click_network,
                                  &t->utm_medium,  &t->utm_source,    &t->referrer_host,
                                  &t->score_kind,  &t->currency,      &t->product_category,
                                  &t->device_type, &t->country};
    struct strbuf key = {.arena = arena};
    size_t total = 64;
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++)
        total += spans[i]->len + 3;
    strbuf_reserve(&key, total);
    pack_byte(&key, t->has_click_id);
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        pack_varint(&key, spans[i]->ptr ? spans[i]->len + 1 : 0);
        strbuf_add(&key, spans[i]->ptr, spans[i]->len);
    }
    return strbuf_span(&key);
}

/* Compiles a shape that the database has under `code` and keeps it for good. */
static enum outcome keep_shape(struct codes *codes, const struct shape_text *text, struct span key,
                               uint32_t code, struct err *err)
{
    struct shape_text own = copy_text(&codes->arena, text);
    struct shape *shape = arena_new(&codes->arena, struct shape);
    shape_compile(codes->policy, &own, &codes->arena, shape);
    CHECK(intern_shape(codes, shape, &own, err));
    shape->code = code;
    struct id hash = hash128(key);
    *(const struct shape **)map_put(&codes->by_key, &hash, NULL) = shape;
    *(const struct shape **)map_put(&codes->by_code, &code, NULL) = shape;
    return OUTCOME_OK;
}

static struct shape_text text_of_row(const struct db_result *r, int i, struct span *contact_class)
{
    *contact_class = db_bytes(r, i, 8);
    return (struct shape_text){
        .source = db_bytes(r, i, 1),
        .type = db_bytes(r, i, 2),
        .event_name = db_bytes(r, i, 3),
        .channel = db_bytes(r, i, 4),
        .direction = db_bytes(r, i, 5),
        .department = db_bytes(r, i, 6),
        .purpose = db_bytes(r, i, 7),
        .platform = db_bytes(r, i, 9),
        .campaign_id = db_bytes(r, i, 10),
        .campaign_name = db_bytes(r, i, 11),
        .has_click_id = db_bool(r, i, 12),
        .click_network = db_bytes(r, i, 13),
        .utm_source = db_bytes(r, i, 14),
        .utm_medium = db_bytes(r, i, 15),
        .referrer_host = db_bytes(r, i, 16),
        .score_kind = db_bytes(r, i, 17),
        .currency = db_bytes(r, i, 18),
        .product_category = db_bytes(r, i, 19),
        .device_type = db_bytes(r, i, 20),
        .country = db_bytes(r, i, 21),
    };
}

enum outcome codes_load_shape(struct codes *codes, struct arena *arena, uint32_t code,
                              struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_int4(&p, (int32_t)code);
    struct db_result *r = NULL;
    enum outcome o = db_run(codes->db, &sql_load_shapes, &p, &r, NULL, err);
    for (int i = 0; o == OUTCOME_OK && i < db_rows(r); i++) {
        struct span contact_class;
        struct shape_text text = text_of_row(r, i, &contact_class);
        o = keep_shape(codes, &text, shape_key(arena, &text, contact_class),
                       (uint32_t)db_int4(r, i, 0), err);
    }
    if (o == OUTCOME_OK && code != 0 && db_rows(r) == 0)
        o = err_set(err, OUTCOME_FATAL, "shape_missing",
                    "journey.shapes has no row %u that a state refers to", code);
    return o;
}

const struct shape *codes_find(void *context, uint32_t code)
{
    struct codes *codes = context;
    const struct shape **found = map_find(&codes->by_code, &code);
    return found ? *found : NULL;
}

static enum outcome insert_shape(struct codes *codes, struct arena *arena,
                                 const struct shape_ref *ref, const struct id *hash,
                                 struct err *err)
{
    const struct shape_text *t = &ref->text;
    struct shape shape;
    shape_compile(codes->policy, t, arena, &shape);
    struct params p;
    params_init(&p, arena);
    params_uuid(&p, hash);
    params_text(&p, t->source);
    params_text(&p, t->type);
    params_text(&p, t->event_name);
    params_text(&p, t->channel);
    params_text(&p, t->direction);
    params_text(&p, t->department);
    params_text(&p, t->purpose);
    params_text(&p, ref->contact_class);
    params_text(&p, t->platform);
    params_text(&p, t->campaign_id);
    params_text(&p, t->campaign_name);
    params_bool(&p, t->has_click_id);
    params_text(&p, t->click_network);
    params_text(&p, t->utm_source);
    params_text(&p, t->utm_medium);
    params_text(&p, t->referrer_host);
    params_text(&p, t->score_kind);
    params_text(&p, t->currency);
    params_text(&p, t->product_category);
    params_text(&p, t->device_type);
    params_text(&p, t->country);
    params_text(&p, shape.network);
    params_text(&p, shape.kind_text);
    params_bool(&p, shape.positive >= 0 || shape.otherwise >= 0);
    params_bool(&p, shape.otherwise < 0);
    return db_run(codes->db, &sql_insert_shape, &p, NULL, NULL, err);
}

enum outcome codes_write_meanings(struct codes *codes, struct arena *arena, struct err *err)
{
    const struct shape **entry;
    for (size_t i = 0; (entry = map_next(&codes->by_code, &i, NULL));) {
        const struct shape *shape = *entry;
        struct params p;
        params_init(&p, arena);
        params_int4(&p, (int32_t)shape->code);
        params_text(&p, shape->network);
        params_text(&p, shape->kind_text);
        params_bool(&p, shape->positive >= 0 || shape->otherwise >= 0);
        params_bool(&p, shape->otherwise < 0);
        CHECK(db_run(codes->db, &sql_update_shape, &p, NULL, NULL, err));
    }
    return OUTCOME_OK;
}

static enum outcome settle_one(struct codes *codes, struct arena *arena, struct shape_ref *ref,
                               struct err *err)
{
    struct id hash = digest_bytes(ref->key);
    CHECK(insert_shape(codes, arena, ref, &hash, err));
    struct params p;
    params_init(&p, arena);
    params_uuid(&p, &hash);
    struct db_result *r = NULL;
    CHECK(db_run(codes->db, &sql_find_shape, &p, &r, NULL, err));
    uint32_t code = db_rows(r) ? (uint32_t)db_int4(r, 0, 0) : 0;
    if (code == 0)
        return err_set(err, OUTCOME_RETRY, "shape", "a shape is not visible yet");
    CHECK(keep_shape(codes, &ref->text, ref->key, code, err));
    ref->shape = codes_find(codes, code);
    return OUTCOME_OK;
}

enum outcome codes_settle(struct codes *codes, struct arena *arena, struct err *err)
{
    for (size_t i = 0; i < codes->pending.count; i++)
        if (codes->pending.items[i]->shape == NULL)
            CHECK(settle_one(codes, arena, codes->pending.items[i], err));
    return OUTCOME_OK;
}

void codes_forget_batch(struct codes *codes)
{
    map_clear(&codes->batch);
    codes->pending = (struct pending){0};
}

/* An empty text counts as absent. */
static struct span present(struct span text)
{
    return text.len ? text : SPAN_NONE;
}

/* An absent event_name is the type: the shape stores what every figure calls the event. */
static struct shape_text text_of(const struct touchpoint *tp)
{
    return (struct shape_text){
        .source = tp->source,
        .type = tp->type,
        .event_name = event_of(tp->event_name, tp->type),
        .channel = tp->channel,
        .direction = direction_as_sent(tp->direction),
        .department = present(tp->department),
        .purpose = present(tp->purpose),
        .platform = present(tp->platform),
        .campaign_id = present(tp->campaign.id),
        .campaign_name = present(tp->campaign.name),
        .click_network = present(tp->campaign.click_network),
        .utm_medium = present(tp->campaign.medium),
        .utm_source = present(tp->campaign.source),
        .has_click_id = tp->campaign.click_id.len > 0,
        .referrer_host = shape_referrer_host(tp->page.referrer),
        .score_kind = present(tp->score_kind),
        .currency = present(tp->currency),
        .product_category = present(tp->product_category),
        .device_type = present(tp->device.type),
        .country = present(tp->geo.country),
    };
}

struct shape_ref *codes_shape_ref(struct codes *codes, struct arena *arena,
                                  const struct touchpoint *tp)
{
    struct shape_text text = text_of(tp);
    struct span key = shape_key(arena, &text, present(tp->contact.class));
    struct id hash = hash128(key);
    bool inserted;
    struct shape_ref **slot = map_put(&codes->batch, &hash, &inserted);
    if (!inserted)
        return *slot;
    struct shape_ref *ref = *slot = arena_new(arena, struct shape_ref);
    const struct shape **known = map_find(&codes->by_key, &hash);
    *ref = (struct shape_ref){known ? *known : NULL, text, present(tp->contact.class), key};
    if (known == NULL)
        *arena_push(arena, &codes->pending) = ref;
    return ref;
}

enum outcome codes_open(struct db *db, struct journey_policy *policy, struct codes **out,
                        struct err *err)
{
    struct codes *codes = *out = calloc(1, sizeof *codes);
    if (codes == NULL)
        abort();
    codes->db = db;
    codes->policy = policy;
    map_init(&codes->strings, NULL, sizeof(struct id), sizeof(uint32_t));
    map_init(&codes->by_key, NULL, sizeof(struct id), sizeof(void *));
    map_init(&codes->by_code, NULL, sizeof(uint32_t), sizeof(void *));
    map_init(&codes->batch, NULL, sizeof(struct id), sizeof(void *));
    struct arena arena = {0};
    enum outcome o = load_codes(codes, &arena, NULL, 0, err);
    if (o == OUTCOME_OK)
        o = journey_policy_intern(policy, intern, codes, err);
    if (o == OUTCOME_OK)
        o = codes_load_shape(codes, &arena, 0, err);
    arena_free(&arena);
    return o;
}

void codes_close(struct codes *codes)
{
    if (codes == NULL)
        return;
    map_free(&codes->strings);
    map_free(&codes->by_key);
    map_free(&codes->by_code);
    map_free(&codes->batch);
    arena_free(&codes->arena);
    free(codes);
}
