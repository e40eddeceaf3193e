/* journey_said.c: see journey_said.h. */
#include "services/journey-tracker/journey_said.h"

#include <stdlib.h>

#include "common/codec/traits_json.h"
#include "common/runtime/telemetry.h"
#include "journey_tracker_sql.h"
#include "services/journey-tracker/journey_convert.h"
#include "services/journey-tracker/logic/trait.h"

enum { FACTS_PER_STEP = 5000 };

/* A row of journey.traits. */
struct trait_row {
    int64_t anchor;
    struct instant occurred_at;
    struct span trait, place, value, source;
};

struct trait_rows {
    struct trait_row *items;
    size_t count, capacity;
};

static const struct journey_trait *find_trait(const struct journey_policy *policy, struct span name)
{
    for (uint32_t i = 0; i < policy->trait_count; i++)
        if (span_equal(policy->traits[i].name, name))
            return &policy->traits[i];
    return NULL;
}

static struct span declared_only(const struct journey_policy *policy, struct arena *arena,
                                 struct span said)
{
    struct strbuf out = {.arena = arena};
    struct unpack in = unpack_of(said);
    struct said member;
    while (said_next(&in, &member))
        if (find_trait(policy, member.name))
            said_pack(&out, &member);
    return out.len ? strbuf_span(&out) : SPAN_NONE;
}

static void count_unfit(const struct tracker *tracker, struct span said)
{
    for (uint32_t i = 0; i < tracker->policy.trait_count; i++) {
        struct trait_value value;
        bool is_unfit = false;
        trait_observe(&tracker->policy.traits[i], said, &value, &is_unfit);
        if (is_unfit)
            metric_add(tracker->traits_unfit, 1);
    }
}

struct span traits_said(const struct tracker *tracker, struct arena *arena, struct span traits_json)
{
    uint64_t left_out = 0;
    struct span said = traits_json_said(arena, traits_json, &left_out);
    metric_add(tracker->traits_left_out, (double)left_out);
    count_unfit(tracker, said);
    return tracker->policy.keeps_declared ? declared_only(&tracker->policy, arena, said) : said;
}

static void add_row(struct arena *arena, struct trait_rows *rows, const struct touch *touch,
                    const struct journey_trait *trait, const struct trait_value *value)
{
    uint8_t *place = arena_array(arena, uint8_t, TRAIT_PLACE_SIZE);
    trait_place(trait, trait_source_rank(trait, touch->shape->source), value, &touch->key, place);
    *arena_push(arena, rows) = (struct trait_row){.anchor = touch->key.anchor,
                                                  .occurred_at = touch->key.at,
                                                  .trait = trait->name,
                                                  .place = {(const char *)place, TRAIT_PLACE_SIZE},
                                                  .value = trait_shown(trait, value, arena),
                                                  .source = touch->shape->source};
}

static void add_rows(const struct tracker *tracker, struct arena *arena, struct trait_rows *rows,
                     const struct touch *touch)
{
    for (uint32_t i = 0; i < tracker->policy.trait_count; i++) {
        const struct journey_trait *trait = &tracker->policy.traits[i];
        struct trait_value value;
        if (trait_observe(trait, touch->traits, &value, NULL))
            add_row(arena, rows, touch, trait, &value);
    }
}

/* By anchor and trait, the greatest place first. */
static int row_compare(const void *a, const void *b)
{
    const struct trait_row *x = a, *y = b;
    if (x->anchor != y->anchor)
        return x->anchor < y->anchor ? -1 : 1;
    int c = span_compare(x->trait, y->trait);
    return c ? c : span_compare(y->place, x->place);
}

static void keep_greatest(struct trait_rows *rows)
{
    size_t kept = 0;
    qsort(rows->items, rows->count, sizeof *rows->items, row_compare);
    for (size_t i = 0; i < rows->count; i++) {
        const struct trait_row *row = &rows->items[i];
        if (kept == 0 || rows->items[kept - 1].anchor != row->anchor ||
            !span_equal(rows->items[kept - 1].trait, row->trait))
            rows->items[kept++] = *row;
    }
    rows->count = kept;
}

static enum outcome write_rows(struct db *db, struct arena *arena, struct trait_rows *rows,
                               struct err *err)
{
    if (rows->count == 0)
        return OUTCOME_OK;
    keep_greatest(rows);
    size_t n = rows->count, stride = sizeof *rows->items;
    struct params p;
    params_init(&p, arena);
    params_int8_array(&p, &rows->items->anchor, stride, n);
    params_text_array(&p, &rows->items->trait, stride, n);
    params_bytea_array(&p, &rows->items->place, stride, n);
    params_timestamptz_array(&p, &rows->items->occurred_at, stride, n);
    params_text_array(&p, &rows->items->value, stride, n);
    params_text_array(&p, &rows->items->source, stride, n);
    return db_run(db, &sql_upsert_traits, &p, NULL, NULL, err);
}

enum outcome traits_write(struct tracker *tracker, struct arena *arena, const struct facts *facts,
                          struct err *err)
{
    struct trait_rows rows = {0};
    if (tracker->policy.trait_count == 0)
        return OUTCOME_OK;
    for (size_t i = 0; i < facts->count; i++) {
        struct touch touch;
        if (facts->items[i].traits.len == 0)
            continue;
        CHECK(convert_touch(tracker, arena, &facts->items[i], &touch, err));
        add_rows(tracker, arena, &rows, &touch);
    }
    return write_rows(tracker->db, arena, &rows, err);
}

void traits_facts(const struct db_result *r, struct arena *arena, struct facts *facts)
{
    for (int i = 0; i < db_rows(r); i++)
        *arena_push(arena, facts) = (struct journey_fact){
            .key = {db_int8(r, i, 0), db_timestamptz(r, i, 1), db_uuid(r, i, 2)},
            .shape = db_int4(r, i, 3),
            .value_micros = db_is_null(r, i, 4) ? INT64_MIN : db_int8(r, i, 4),
            .margin_micros = INT64_MIN,
            .cost_micros = INT64_MIN,
            .score = INT16_MIN,
            .zone = INT16_MIN,
            .traits = db_bytes(r, i, 5)};
}

/* The facts after `last` that say something. */
static enum outcome read_facts(struct tracker *tracker, struct arena *arena,
                               const struct fact_key *last, struct facts *facts, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_int8(&p, last->anchor);
    params_timestamptz(&p, last->occurred_at);
    params_uuid(&p, &last->event_id);
    params_int8(&p, FACTS_PER_STEP);
    CHECK(db_run(tracker->db, &sql_find_sayings, &p, &r, NULL, err));
    traits_facts(r, arena, facts);
    return OUTCOME_OK;
}

enum outcome traits_make_again(struct tracker *tracker, struct err *err)
{
    struct arena arena = {0};
    struct fact_key last = {.anchor = INT64_MIN, .occurred_at = INSTANT_FIRST};
    enum outcome outcome = db_run(tracker->db, &sql_delete_traits, NULL, NULL, NULL, err);
    for (bool is_over = tracker->policy.trait_count == 0; outcome == OUTCOME_OK && !is_over;) {
        struct facts facts = {0};
        arena_reset(&arena);
        outcome = read_facts(tracker, &arena, &last, &facts, err);
        if (outcome == OUTCOME_OK)
            outcome = traits_write(tracker, &arena, &facts, err);
        is_over = facts.count < FACTS_PER_STEP;
        if (facts.count > 0)
            last = facts.items[facts.count - 1].key;
    }
    arena_free(&arena);
    return outcome;
}
