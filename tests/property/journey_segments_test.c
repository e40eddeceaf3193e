/* journey_segments_test.c: memberships and the segments before a touch, by the automaton that
 * starts again from its packed state after every fact, equal those of a definition that asks all
 * facts at every instant. The definition reads the condition's JSON by itself. Times are whole
 * steps, so that ties, and windows that end exactly at a touch, are frequent.
 *
 * SEGMENTS_SEED runs one seed, SEGMENTS_SEEDS sets their number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/words/said.h"
#include "services/journey-tracker/journey_policy.h"
#include "services/journey-tracker/logic/journey_internal.h"
#include "tests/support/journey_documents.h"
#include "tests/support/random.h"

enum { SEEDS = 5000, FACTS_MAX = 16, WORLD_SEGMENTS = 6, SHAPES = 16 };
#define DAY US_PER_DAY

static struct random dice;

static uint32_t draw(uint32_t n)
{
    return random_below(&dice, n);
}

/* ---- a world of a few shapes ---- */
/* a, b, c are touches of that event; x is no touch; d is outbound; e is none of the filters'. */
static const struct shape_text shape_texts[] = {
    {.type = SPAN("track"), .event_name = SPAN("a"), .currency = SPAN("EUR")},
    {.type = SPAN("track"), .event_name = SPAN("b"), .currency = SPAN("EUR")},
    {.type = SPAN("track"), .event_name = SPAN("c"), .score_kind = SPAN("nps")},
    {.type = SPAN("track"), .event_name = SPAN("a"), .direction = SPAN("outbound")},
    {.type = SPAN("track"),
     .event_name = SPAN("b"),
     .direction = SPAN("none"),
     .currency = SPAN("EUR")},
    {.type = SPAN("track"), .event_name = SPAN("e"), .score_kind = SPAN("nps")},
    {.type = SPAN("track"), .event_name = SPAN("a"), .currency = SPAN("USD")},
    {.type = SPAN("track"), .event_name = SPAN("c"), .is_bot = true},
    {.type = SPAN("track"), .event_name = SPAN("order"), .currency = SPAN("EUR")},
};
enum { SHAPE_COUNT = sizeof shape_texts / sizeof *shape_texts };

static const char journey_text[] =
    "{\"stages\":[{\"stage\":\"consideration\",\"rules\":[{\"event\":\"b\"}]},"
    "{\"stage\":\"purchase\",\"rules\":[{\"event\":\"c\"}]}],"
    "\"status\":{\"at_risk\":{\"after\":\"P28D\"},\"lapsed\":{\"after\":\"P56D\",\"on\":[\"c\"]}},"
    "\"attribution\":{\"conversions\":[{\"goal\":\"g\",\"event\":\"order\",\"value\":\"any\"}]}}";
static const char traits_text[] =
    "{\"traits\":[{\"name\":\"city\",\"type\":\"text\",\"rule\":\"latest\",\"sources\":[\"crm\"]},"
    "{\"name\":\"kids\",\"type\":\"number\",\"rule\":\"max\"},"
    "{\"name\":\"born\",\"type\":\"date\",\"rule\":\"first\",\"sources\":[\"crm\"]}]}";

struct world {
    struct arena arena;
    struct journey_policy policy;
    const struct json *segments;          /* the list */
    struct shape shapes[2 * SHAPE_COUNT]; /* the second half is of the CRM */
    struct word_list words;
};

static void world_open(struct world *w, const char *segments)
{
    memset(w, 0, sizeof *w);
    struct err err;
    const struct journey_documents documents = {
        .journey = document_of(&w->arena, "segments.json", journey_text),
        .goals = document_of(&w->arena, "segments.json", "{\"goals\":[]}"),
        .channels = document_of(&w->arena, "segments.json", "{\"rules\":[]}"),
        .traits = document_of(&w->arena, "segments.json", traits_text),
        .segments = document_of(&w->arena, "segments.json", segments),
    };
    if (journey_policy_read(&w->arena, &documents, &w->policy, &err) != OUTCOME_OK)
        fail_msg("%s: %s", segments, err.message);
    assert_int_equal(journey_policy_intern(&w->policy, word_list_intern, &w->words, &err),
                     OUTCOME_OK);
    w->segments = json_get(documents.segments, "segments");
    for (uint32_t i = 0; i < 2 * SHAPE_COUNT; i++) {
        struct shape_text text = shape_texts[i % SHAPE_COUNT];
        text.source = i < SHAPE_COUNT ? SPAN("urn:test") : SPAN("crm");
        text.channel = SPAN("web");
        shape_compile(&w->policy, &text, &w->arena, &w->shapes[i]);
        w->shapes[i].code = i + 1;
        if (text.currency.ptr)
            word_list_intern(&w->words, text.currency, &w->shapes[i].currency, &err);
    }
}

static const struct shape *find_shape(void *context, uint32_t code)
{
    return &((struct world *)context)->shapes[code - 1];
}

/* ---- facts ---- */
/* What a fact says of a trait, as a text: the definition compares texts. */
struct said_text {
    const char *trait;
    int rank;
    const char *value; /* as JSON; NULL: nothing */
};

struct fact {
    struct touch touch;
    const struct shape_text *text;
    struct said_text said;
};

static int trait_index(const struct world *w, const char *name)
{
    for (uint32_t i = 0; i < w->policy.trait_count; i++)
        if (span_is(w->policy.traits[i].name, name))
            return (int)i;
    return -1;
}

/* A second shape of each text comes from the CRM. */
static void say(struct world *w, struct fact *fact, struct said_text text)
{
    struct strbuf bytes = {.arena = &w->arena};
    struct said said = {.name = span_of(text.trait), .kind = SAID_NOTHING};
    if (text.value && w->policy.traits[trait_index(w, text.trait)].type == TRAIT_NUMBER) {
        said.kind = SAID_NUMBER;
        said.number = strtoll(text.value, NULL, 10) * 1000000;
    } else if (text.value) {
        said.kind = SAID_WORDS;
        said.text = span_of(text.value);
    }
    said_pack(&bytes, &said);
    fact->said = text;
    fact->touch.traits = strbuf_span(&bytes);
    if (text.rank == 0 && strcmp(text.trait, "kids") != 0)
        fact->touch.shape += SHAPE_COUNT;
}

static struct fact make_fact(struct world *w, uint32_t shape, int64_t at, uint32_t id)
{
    struct fact fact = {.text = &shape_texts[shape]};
    fact.touch = (struct touch){.shape = &w->shapes[shape],
                                .value_micros = MICROS_ABSENT,
                                .margin_micros = MICROS_ABSENT,
                                .cost_micros = MICROS_ABSENT,
                                .score = SCORE_ABSENT};
    fact.touch.key.at.us = at;
    fact.touch.key.event_id.bytes[15] = (uint8_t)id;
    fact.touch.key.event_id.bytes[14] = (uint8_t)(id >> 8);
    fact.touch.key.rank = (uint8_t)touch_rank_of(fact.touch.shape, fact.touch.value_micros);
    return fact;
}

static void set_value(struct fact *fact, int64_t micros)
{
    fact->touch.value_micros = micros;
    fact->touch.key.rank = (uint8_t)touch_rank_of(fact->touch.shape, micros);
}

struct timeline {
    struct fact items[FACTS_MAX];
    size_t count;
};

static int fact_order(const void *a, const void *b)
{
    return touch_key_compare(&((const struct fact *)a)->touch.key,
                             &((const struct fact *)b)->touch.key);
}

static void settle(struct timeline *t)
{
    qsort(t->items, t->count, sizeof *t->items, fact_order);
}

/* ---- the definition ---- */
struct asked {
    const struct world *w;
    const struct timeline *facts;
    size_t seen; /* the first so many facts */
    int64_t t;
    bool is_strict; /* before a touch: deadlines before t */
};

static bool is_inbound(const struct fact *f)
{
    return f->touch.shape->direction == DIRECTION_INBOUND && f->touch.shape->is_touch;
}

static bool is_bot(const struct fact *f)
{
    return f->text->is_bot;
}

static bool is_refund(const struct fact *f)
{
    return span_is(f->text->event_name, "order") && f->touch.value_micros < 0 &&
           f->touch.value_micros != MICROS_ABSENT;
}

static bool has_text(const struct json *list, struct span text)
{
    struct span each;
    struct err err;
    for (size_t i = 0; i < json_count(list); i++)
        if (json_as_text(json_at(list, i), &each, &err) == OUTCOME_OK && span_equal(each, text))
            return true;
    return list == NULL;
}

/* The filters of this test ask for events, direction and value only. */
static bool fits(const struct json *filter, const struct fact *f)
{
    struct span direction = SPAN_NONE;
    struct err err;
    if (is_bot(f) || !has_text(json_get(filter, "events"), f->text->event_name))
        return false;
    bool none = span_is(f->text->direction, "none"), out = span_is(f->text->direction, "outbound");
    if (none && json_get(filter, "events") == NULL)
        return false;
    json_text(filter, "direction", &direction, &err);
    if (direction.ptr && (none || span_is(direction, "outbound") != out))
        return false;
    return json_get(filter, "value") == NULL || f->touch.value_micros > 0;
}

static int64_t window_of(const struct json *c, const char *key)
{
    struct duration d = {-1};
    struct err err;
    json_duration(c, key, &d, &err);
    return d.us;
}

static int64_t number_of(const struct json *c, const char *key)
{
    int64_t n = 0;
    struct err err;
    json_int(c, key, INT64_MIN, INT64_MAX, &n, &err);
    return n;
}

static int64_t money_of(const struct json *c, const char *key)
{
    struct span text = SPAN_NONE;
    struct err err;
    json_text(c, key, &text, &err);
    return text.ptr ? strtoll(text.ptr, NULL, 10) * 1000000 : 0;
}

static bool is_live(const struct asked *q, int64_t at, int64_t window)
{
    return window < 0 || at > q->t - window;
}

static bool did(const struct asked *q, const struct json *c)
{
    int64_t n = 0, window = window_of(c, "within");
    for (size_t i = 0; i < q->seen; i++) {
        const struct fact *f = &q->facts->items[i];
        n += fits(json_get(c, "did"), f) && !is_refund(f) && is_live(q, f->touch.key.at.us, window);
    }
    if (json_get(c, "at_most"))
        return n <= number_of(c, "at_most");
    return n >= (json_get(c, "at_least") ? number_of(c, "at_least") : 1);
}

static bool spent(const struct asked *q, const struct json *c)
{
    int64_t sum = 0, days = window_of(c, "within") / DAY,
            day = instant_day((struct instant){q->t}, 0);
    struct span currency = SPAN_NONE;
    struct err err;
    json_text(c, "currency", &currency, &err);
    for (size_t i = 0; i < q->seen; i++) {
        const struct fact *f = &q->facts->items[i];
        int64_t of = instant_day(f->touch.key.at, 0);
        if (!fits(json_get(c, "spent"), f) || of <= day - days ||
            !span_equal(f->text->currency, currency) || f->touch.value_micros == MICROS_ABSENT)
            continue;
        sum += f->touch.value_micros;
    }
    return json_get(c, "below") ? sum < money_of(c, "below") : sum >= money_of(c, "at_least");
}

static bool opened(const struct asked *q, const struct json *c)
{
    bool is_open = false;
    int64_t at = 0;
    for (size_t i = 0; i < q->seen; i++) {
        const struct fact *f = &q->facts->items[i];
        bool opens = fits(json_get(c, "open"), f), ends = fits(json_get(c, "until"), f);
        if (is_refund(f) || (!opens && !ends))
            continue;
        is_open = opens;
        at = f->touch.key.at.us;
    }
    return is_open && is_live(q, at, window_of(c, "within"));
}

static bool scored(const struct asked *q, const struct json *c)
{
    const struct json *score = json_get(c, "last_score");
    const struct fact *last = NULL;
    struct span kind = SPAN_NONE;
    struct err err;
    json_text(score, "kind", &kind, &err);
    for (size_t i = 0; i < q->seen; i++) {
        const struct fact *f = &q->facts->items[i];
        if (f->touch.score != SCORE_ABSENT &&
            (kind.ptr == NULL ||
             (f->text->score_kind.ptr && span_equal(kind, f->text->score_kind))))
            last = f;
    }
    if (last == NULL || !is_live(q, last->touch.key.at.us, window_of(c, "within")))
        return false;
    return json_get(score, "at_most") ? last->touch.score <= number_of(score, "at_most")
                                      : last->touch.score >= number_of(score, "at_least");
}

/* Of all observations the best: the source first, then the rule. */
static const struct said_text *value_of(const struct asked *q, const char *trait)
{
    const struct said_text *best = NULL;
    const struct journey_trait *rule = &q->w->policy.traits[trait_index(q->w, trait)];
    for (size_t i = 0; i < q->seen; i++) {
        const struct said_text *s = &q->facts->items[i].said;
        if (s->trait == NULL || strcmp(s->trait, trait) != 0)
            continue;
        bool better = best == NULL || s->rank < best->rank;
        if (best && s->rank == best->rank)
            better = rule->rule == TRAIT_LATEST ||
                     (rule->rule == TRAIT_MAX && atoi(s->value) > atoi(best->value));
        if (better)
            best = s;
    }
    return best && best->value ? best : NULL;
}

static bool has_trait(const struct asked *q, const struct json *c)
{
    struct span name = SPAN_NONE, wanted = SPAN_NONE;
    char text[32];
    struct err err;
    json_text(c, "trait", &name, &err);
    snprintf(text, sizeof text, SPAN_FMT, SPAN_ARG(name));
    const struct said_text *said = value_of(q, text);
    if (said == NULL || json_get(c, "known"))
        return said != NULL;
    if (json_get(c, "at_least") && json_shape(json_get(c, "at_least")) == SHAPE_INT)
        return atoi(said->value) >= number_of(c, "at_least");
    if (json_get(c, "at_most")) {
        json_text(c, "at_most", &wanted, &err);
        return span_compare(span_of(said->value), wanted) <= 0; /* of dates */
    }
    if (json_get(c, "in"))
        return has_text(json_get(c, "in"), span_of(said->value));
    json_text(c, "is", &wanted, &err);
    return span_is(wanted, said->value);
}

static bool is_new(const struct asked *q, const struct json *c)
{
    for (size_t i = 0; i < q->seen; i++) {
        const struct fact *f = &q->facts->items[i];
        if (!is_bot(f) && f->touch.shape->is_touch)
            return f->touch.key.at.us > q->t - window_of(c, "new_within");
    }
    return false;
}

/* Stage and status, walked through inbound touches and deadlines. */
struct place {
    const char *stage, *status;
};

static int stage_height(const char *stage)
{
    return strcmp(stage, "purchase") == 0        ? 3
           : strcmp(stage, "consideration") == 0 ? 2
                                                 : *stage != 0;
}

static void lapse(struct place *p, int64_t last, int64_t until, bool inclusive)
{
    const struct {
        int64_t after;
        const char *status;
    } deadlines[] = {{28 * DAY, "at_risk"}, {56 * DAY, "lapsed"}, {365 * DAY, NULL}};
    for (int i = 0; i < 3; i++) {
        int64_t at = last + deadlines[i].after;
        if (at > until || (at == until && !inclusive))
            return;
        if (deadlines[i].status == NULL)
            p->stage = "";
        else if (strcmp(p->status, "lapsed") != 0)
            p->status = deadlines[i].status;
    }
}

static void step(struct place *p, const struct fact *f)
{
    const char *stage = span_is(f->text->event_name, "c")   ? "purchase"
                        : span_is(f->text->event_name, "b") ? "consideration"
                                                            : "inquiry";
    if (stage_height(stage) > stage_height(p->stage))
        p->stage = stage;
    bool was_away = strcmp(p->status, "lapsed") == 0 || strcmp(p->status, "won_back") == 0;
    p->status = span_is(f->text->event_name, "c") ? "lapsed" : was_away ? "won_back" : "active";
}

static struct place place_of(const struct asked *q)
{
    struct place p = {"", ""};
    int64_t last = INT64_MIN;
    for (size_t i = 0; i < q->seen; i++) {
        const struct fact *f = &q->facts->items[i];
        if (!is_inbound(f) || is_refund(f))
            continue;
        if (last != INT64_MIN)
            lapse(&p, last, f->touch.key.at.us, false);
        step(&p, f);
        last = f->touch.key.at.us;
    }
    if (last != INT64_MIN)
        lapse(&p, last, q->t, !q->is_strict);
    return p;
}

static bool holds(const struct asked *q, const struct json *c);

static bool holds_segment(const struct asked *q, const struct json *id)
{
    struct span wanted = SPAN_NONE, each = SPAN_NONE;
    struct err err;
    json_as_text(id, &wanted, &err);
    for (size_t i = 0; i < json_count(q->w->segments); i++) {
        json_text(json_at(q->w->segments, i), "id", &each, &err);
        if (span_equal(wanted, each))
            return holds(q, json_get(json_at(q->w->segments, i), "when"));
    }
    fail();
    return false;
}

static bool holds(const struct asked *q, const struct json *c)
{
    const struct json *list = json_get(c, "all") ? json_get(c, "all") : json_get(c, "any");
    if (list) {
        bool all = json_get(c, "all") != NULL;
        for (size_t i = 0; i < json_count(list); i++)
            if (holds(q, json_at(list, i)) != all)
                return !all;
        return all;
    }
    if (json_get(c, "not"))
        return !holds(q, json_get(c, "not"));
    if (json_get(c, "segment"))
        return holds_segment(q, json_get(c, "segment"));
    if (json_get(c, "did"))
        return did(q, c);
    if (json_get(c, "spent"))
        return spent(q, c);
    if (json_get(c, "open"))
        return opened(q, c);
    if (json_get(c, "last_score"))
        return scored(q, c);
    if (json_get(c, "trait"))
        return has_trait(q, c);
    if (json_get(c, "new_within"))
        return is_new(q, c);
    struct place p = place_of(q);
    if (json_get(c, "status"))
        return *p.status && has_text(json_get(c, "status"), span_of(p.status));
    if (json_get(c, "stage"))
        return *p.stage && has_text(json_get(c, "stage"), span_of(p.stage));
    struct span least = SPAN_NONE;
    struct err err;
    json_text(c, "stage_at_least", &least, &err);
    return stage_height(p.stage) >= (span_is(least, "purchase") ? 3 : 2);
}

/* ---- both ways, as text ---- */
struct story {
    struct strbuf rows, masks; /* changes of membership; segments before each fact */
};

static void add_row(struct strbuf *out, int64_t at, size_t segment, bool is_in,
                    const struct touch_key *by)
{
    strbuf_addf(out, "%lld %zu %s by %02x%02x\n", (long long)at, segment, is_in ? "in" : "out",
                by->event_id.bytes[14], by->event_id.bytes[15]);
}

struct instants {
    int64_t *items;
    size_t count, capacity;
};

static int int64_order(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void add_widths(struct arena *arena, struct instants *widths, const struct json *c)
{
    struct span key;
    for (size_t i = 0; i < json_count(c); i++) {
        const struct json *child = json_at(c, i);
        key = json_key(child);
        if (span_is(key, "within") || span_is(key, "new_within"))
            *arena_push(arena, widths) =
                window_of(c, span_is(key, "within") ? "within" : "new_within");
        else
            add_widths(arena, widths, child);
    }
}

/* Every instant at which anything may change, and its neighbours. */
static struct instants candidates(struct arena *arena, const struct world *w,
                                  const struct timeline *t)
{
    struct instants widths = {0}, list = {0};
    const int64_t deadlines[] = {0, 28 * DAY, 56 * DAY, 365 * DAY};
    for (int i = 0; i < 4; i++)
        *arena_push(arena, &widths) = deadlines[i];
    add_widths(arena, &widths, w->segments);
    for (size_t i = 0; i < t->count; i++)
        for (size_t j = 0; j < widths.count; j++) {
            int64_t at = t->items[i].touch.key.at.us,
                    day = instant_day(t->items[i].touch.key.at, 0);
            *arena_push(arena, &list) = at + widths.items[j];
            *arena_push(arena, &list) = at + widths.items[j] + 1;
            *arena_push(arena, &list) = (day + widths.items[j] / DAY) * DAY;
        }
    if (list.count > 1)
        qsort(list.items, list.count, sizeof *list.items, int64_order);
    return list;
}

static bool is_member(const struct asked *q, size_t segment)
{
    return holds(q, json_get(json_at(q->w->segments, segment), "when"));
}

static void define(const struct world *w, const struct timeline *t, struct arena *arena,
                   struct story *out)
{
    bool now[SEGMENTS_MAX] = {0};
    struct instants list = candidates(arena, w, t);
    size_t segments = json_count(w->segments), seen = 0;
    for (size_t i = 0; i < list.count; i++) {
        while (seen < t->count && t->items[seen].touch.key.at.us <= list.items[i])
            seen++;
        const struct asked q = {w, t, seen, list.items[i], false};
        for (size_t s = 0; s < segments && seen > 0; s++)
            if (is_member(&q, s) != now[s]) {
                now[s] = !now[s];
                add_row(&out->rows, q.t, s, now[s], &t->items[seen - 1].touch.key);
            }
    }
    for (size_t i = 0; i < t->count; i++) {
        const struct asked q = {w, t, i, t->items[i].touch.key.at.us, true};
        uint32_t mask = 0;
        for (size_t s = 0; s < segments && i > 0; s++)
            mask |= (uint32_t)is_member(&q, s) << s;
        strbuf_addf(&out->masks, "%x ", mask);
    }
}

/* What the automaton finds before a touch, as journey_advance does. */
static uint32_t mask_before(const struct world *w, struct journey_state *state,
                            const struct touch *touch)
{
    struct passing p = {.policy = &w->policy, .state = state, .touch = touch};
    segments_before(&p);
    return p.segments;
}

static void restart(struct world *w, struct journey_state *state, struct arena *arena)
{
    struct strbuf packed = {.arena = arena};
    const struct shape_lookup lookup = {find_shape, w};
    uint32_t missing;
    struct err err;
    journey_state_pack(&w->policy, state, &packed);
    if (journey_state_unpack(&w->policy, strbuf_span(&packed), &lookup, arena, state, &missing,
                             &err) != OUTCOME_OK)
        fail_msg("%s", err.message);
}

static void automate(struct world *w, const struct timeline *t, struct arena *arena, bool restarts,
                     struct story *out)
{
    struct journey_state state;
    struct journey_effects effects;
    journey_effects_init(&effects, arena);
    journey_state_init(&state, arena);
    for (size_t i = 0; i < t->count; i++) {
        struct journey_state copy;
        journey_state_copy(&copy, &state, arena);
        strbuf_addf(&out->masks, "%x ", mask_before(w, &copy, &t->items[i].touch));
        journey_advance(&w->policy, &state, &t->items[i].touch, &effects);
        if (restarts)
            restart(w, &state, arena);
    }
    struct segment_flips flips;
    journey_segments_ahead(&w->policy, &state, arena, &flips);
    for (size_t i = 0; i < effects.memberships.count; i++) {
        const struct membership_row *row = &effects.memberships.items[i];
        add_row(&out->rows, row->changed_at.us, row->segment, row->is_in, &row->touch);
    }
    for (size_t i = 0; i < flips.count; i++)
        add_row(&out->rows, flips.items[i].at.us, flips.items[i].segment, flips.items[i].is_in,
                &state.last);
}

static const char *text_of(struct strbuf *buf)
{
    pack_byte(buf, 0);
    return buf->ptr;
}

static void compare(struct world *w, const struct timeline *t, struct arena *arena,
                    const char *what)
{
    struct story wanted = {{.arena = arena}, {.arena = arena}};
    define(w, t, arena, &wanted);
    const char *rows = text_of(&wanted.rows), *masks = text_of(&wanted.masks);
    for (int restarts = 0; restarts < 2; restarts++) {
        struct story got = {{.arena = arena}, {.arena = arena}};
        automate(w, t, arena, restarts, &got);
        const char *got_rows = text_of(&got.rows), *got_masks = text_of(&got.masks);
        if (strcmp(rows, got_rows) != 0 || strcmp(masks, got_masks) != 0)
            fail_msg("%s\nwanted\n%s%s\ngot (restarts: %d)\n%s%s", what, rows, masks, restarts,
                     got_rows, got_masks);
    }
}

/* ---- random policies and timelines ---- */
static const char *random_filter(void)
{
    static const char *const filters[] = {"{\"events\":[\"a\"]}", "{\"events\":[\"b\",\"order\"]}",
                                          "{\"events\":[\"c\"]}", "{\"direction\":\"inbound\"}",
                                          "{\"events\":[\"a\",\"b\"],\"value\":\"positive\"}"};
    return filters[draw(5)];
}

static void random_atom(struct strbuf *out)
{
    static const char *const windows[] = {"P1D", "P7D", "P30D", "PT1H"};
    static const char *const days[] = {"P1D", "P7D", "P30D"};
    static const char *const traits[] = {
        "{\"trait\":\"city\",\"is\":\"x\"}", "{\"trait\":\"city\",\"in\":[\"x\",\"y\"]}",
        "{\"trait\":\"kids\",\"at_least\":2}", "{\"trait\":\"born\",\"at_most\":\"2000-05-05\"}",
        "{\"trait\":\"city\",\"known\":true}"};
    static const char *const places[] = {
        "{\"status\":[\"active\"]}", "{\"status\":[\"at_risk\",\"won_back\"]}",
        "{\"status\":[\"lapsed\"]}", "{\"stage\":[\"inquiry\",\"purchase\"]}",
        "{\"stage_at_least\":\"consideration\"}"};
    switch (draw(9)) {
    case 0:
    case 1:
        strbuf_addf(out, "{\"did\":%s,\"%s\":%u,\"within\":\"%s\"}", random_filter(),
                    draw(2) ? "at_least" : "at_most", 1 + draw(3), windows[draw(4)]);
        return;
    case 2:
        strbuf_addf(out, "{\"did\":%s,\"at_least\":%u}", random_filter(), 1 + draw(4));
        return;
    case 3:
        strbuf_addf(out,
                    "{\"spent\":%s,\"measure\":\"value\",\"currency\":\"EUR\",\"%s\":\"%u\","
                    "\"within\":\"%s\"}",
                    random_filter(), draw(2) ? "at_least" : "below", 1 + draw(3), days[draw(3)]);
        return;
    case 4:
        strbuf_addf(out, "{\"open\":%s,\"until\":%s%s}", random_filter(), random_filter(),
                    draw(2) ? ",\"within\":\"P10D\"" : "");
        return;
    case 5:
        strbuf_addf(out, "{\"last_score\":{\"%s\":0%s}%s}", draw(2) ? "at_least" : "at_most",
                    draw(2) ? ",\"kind\":\"nps\"" : "", draw(2) ? ",\"within\":\"P20D\"" : "");
        return;
    case 6:
        strbuf_addf(out, "%s", traits[draw(5)]);
        return;
    case 7:
        strbuf_addf(out, "{\"new_within\":\"P15D\"}");
        return;
    default:
        strbuf_addf(out, "%s", places[draw(5)]);
    }
}

static void random_condition(struct strbuf *out, int depth)
{
    uint32_t r = depth > 0 ? draw(100) : 99;
    if (r < 45) {
        strbuf_addf(out, "{\"%s\":[", r < 25 ? "all" : "any");
        random_condition(out, depth - 1);
        strbuf_addf(out, ",");
        random_condition(out, depth - 1);
        strbuf_addf(out, "]}");
    } else if (r < 60) {
        strbuf_addf(out, "{\"not\":");
        random_condition(out, depth - 1);
        strbuf_addf(out, "}");
    } else {
        random_atom(out);
    }
}

static uint32_t sums_in(const char *text)
{
    uint32_t n = 0;
    while ((text = strstr(text, "\"spent\"")) != NULL) {
        text++;
        n++;
    }
    return n;
}

static const char *draw_segments(struct arena *arena)
{
    struct strbuf out = {.arena = arena};
    strbuf_addf(&out, "{\"segments\":[");
    for (int i = 0; i < 4; i++) {
        strbuf_addf(&out, "{\"id\":\"s%d\",\"when\":", i);
        random_condition(&out, 2);
        strbuf_addf(&out, "},");
    }
    strbuf_addf(&out, "{\"id\":\"ref\",\"figures\":true,\"when\":{\"all\":[{\"segment\":\"s0\"},"
                      "{\"not\":{\"segment\":\"s1\"}}]}}]}");
    pack_byte(&out, 0);
    return out.ptr;
}

/* A policy has a limit of sums. */
static const char *random_segments(struct arena *arena)
{
    const char *text = draw_segments(arena);
    while (sums_in(text) > SEGMENT_LEDGERS_MAX)
        text = draw_segments(arena);
    return text;
}

static void random_said(struct world *w, struct fact *fact)
{
    static const char *const cities[] = {"x", "y", "z", NULL};
    static const char *const kids[] = {"1", "2", "3"};
    static const char *const dates[] = {"1999-01-01", "2000-05-05", "2001-01-01"};
    uint32_t r = draw(9);
    if (r < 2)
        say(w, fact, (struct said_text){"city", (int)draw(2), cities[draw(4)]});
    else if (r == 2)
        say(w, fact, (struct said_text){"kids", 0, kids[draw(3)]});
    else if (r == 3)
        say(w, fact, (struct said_text){"born", (int)draw(2), dates[draw(3)]});
}

static void random_timeline(struct world *w, struct timeline *t)
{
    static const int64_t steps[] = {DAY / 24, DAY / 2, DAY, 9 * DAY, 28 * DAY};
    static const int64_t values[] = {MICROS_ABSENT, -1000000, 500000, 1200000, 2000000};
    int64_t unit = steps[draw(5)];
    t->count = 0;
    for (uint32_t n = 1 + draw(FACTS_MAX - 1), i = 0; i < n; i++) {
        struct fact fact = make_fact(w, draw(SHAPE_COUNT), draw(13) * unit, i + 256 * draw(2));
        bool is_order = span_is(fact.text->event_name, "order");
        int64_t value = values[draw(5)];
        /* Only an order takes back with a negative value. */
        set_value(&fact, is_order || value > 0 || draw(2) ? value : MICROS_ABSENT);
        if (draw(3) == 0)
            fact.touch.score = draw(2) ? 40 : -40;
        random_said(w, &fact);
        t->items[t->count++] = fact;
    }
    settle(t);
}

static void test_random(void **state)
{
    const char *only = getenv("SEGMENTS_SEED"), *number = getenv("SEGMENTS_SEEDS");
    unsigned long from = only ? strtoul(only, NULL, 10) : 1,
                  count = number ? strtoul(number, NULL, 10) : SEEDS;
    struct arena arena = {0};
    for (unsigned long seed = from; seed < from + (only ? 1 : count); seed++) {
        struct world *w = arena_new(&arena, struct world);
        struct timeline *t = arena_new(&arena, struct timeline);
        dice.state = seed * UINT64_C(0x2545f4914f6cdd1d);
        const char *segments = random_segments(&arena);
        world_open(w, segments);
        random_timeline(w, t);
        compare(w, t, &arena, arena_printf(&arena, "seed %lu: %s", seed, segments));
        arena_free(&w->arena);
        arena_reset(&arena);
    }
    arena_free(&arena);
}

/* ---- the vectors of docs/figures.md, by name ---- */
struct vector_fact {
    double day;
    const char *event;
    int64_t value; /* whole units; 0: none */
    const char *city;
};

static const struct {
    const char *name, *segments;
    struct vector_fact facts[5];
    const char *rows; /* day segment in|out by fact, from 1 */
    const char *masks;
} vectors[] = {
    {"V1 an order leaves the window though another one comes later",
     "{\"segments\":[{\"id\":\"recent\",\"when\":{\"did\":{\"events\":[\"a\"]},\"within\":\"P30D\"}"
     "},"
     "{\"id\":\"frequent\",\"when\":{\"did\":{\"events\":[\"a\"]},\"at_least\":2,\"within\":"
     "\"P30D\"}}"
     "]}",
     {{0, "a", 0, NULL}, {20, "a", 0, NULL}, {50, "a", 0, NULL}},
     "0.00 0 in 1, 20.00 1 in 2, 30.00 1 out 2, 80.00 0 out 3, ",
     "0 1 0 "},
    {"V2 the late order of day 10",
     "{\"segments\":[{\"id\":\"recent\",\"when\":{\"did\":{\"events\":[\"a\"]},\"within\":\"P30D\"}"
     "},"
     "{\"id\":\"frequent\",\"when\":{\"did\":{\"events\":[\"a\"]},\"at_least\":2,\"within\":"
     "\"P30D\"}}"
     "]}",
     {{0, "a", 0, NULL}, {10, "a", 0, NULL}, {20, "a", 0, NULL}, {50, "a", 0, NULL}},
     "0.00 0 in 1, 10.00 1 in 2, 40.00 1 out 3, 80.00 0 out 4, ",
     "0 1 3 0 "},
    {"V3 a sum over whole days ends at midnight",
     "{\"segments\":[{\"id\":\"gold\",\"when\":{\"spent\":{\"events\":[\"order\"]},\"measure\":"
     "\"value\",\"currency\":\"EUR\",\"at_least\":\"1000\",\"within\":\"P365D\"}}]}",
     {{10.5, "order", 600, NULL},
      {100.5, "order", 500, NULL},
      {120.5, "order", -200, NULL},
      {130.5, "order", 150, NULL}},
     "100.50 0 in 2, 120.50 0 out 3, 130.50 0 in 4, 375.00 0 out 4, ",
     "0 0 1 0 "},
    {"V4 a complaint that is filed twice, and one that lapses",
     "{\"segments\":[{\"id\":\"complaining\",\"when\":{\"open\":{\"events\":[\"a\"]},\"until\":{"
     "\"events\":[\"b\"]},\"within\":\"P21D\"}}]}",
     {{1, "a", 0, NULL}, {10, "a", 0, NULL}, {12, "b", 0, NULL}, {40, "a", 0, NULL}},
     "1.00 0 in 1, 12.00 0 out 3, 40.00 0 in 4, 61.00 0 out 4, ",
     "0 1 1 0 "},
    {"V5 new and without an order",
     "{\"segments\":[{\"id\":\"quiet_new\",\"when\":{\"all\":[{\"new_within\":\"P30D\"},{\"did\":{"
     "\"events\":[\"a\"]},\"at_most\":0,\"within\":\"P365D\"}]}}]}",
     {{5, "e", 0, NULL}, {9, "a", 0, NULL}},
     "5.00 0 in 1, 9.00 0 out 2, ",
     "0 1 "},
    {"V6 a trait before the touch that changes it",
     "{\"segments\":[{\"id\":\"berlin\",\"when\":{\"trait\":\"city\",\"is\":\"Berlin\"}}]}",
     {{1, "e", 0, "Berlin"}, {2, "a", 0, NULL}, {3, "e", 0, "Rome"}, {4, "a", 0, NULL}},
     "1.00 0 in 1, 3.00 0 out 3, ",
     "0 1 1 0 "},
    {"V7 the end of the journey does not change the status",
     "{\"segments\":[{\"id\":\"lost\",\"when\":{\"status\":[\"lapsed\"]}}]}",
     {{0, "e", 0, NULL}, {100, "e", 0, NULL}},
     "56.00 0 in 1, 100.00 0 out 2, 156.00 0 in 2, ",
     "0 1 "},
    {"V8 two people who are one",
     "{\"segments\":[{\"id\":\"recent\",\"when\":{\"did\":{\"events\":[\"a\"]},\"within\":\"P30D\"}"
     "}]"
     "}",
     {{0, "a", 0, NULL}, {40, "a", 0, NULL}},
     "0.00 0 in 1, 30.00 0 out 1, 40.00 0 in 2, 70.00 0 out 2, ",
     "0 0 "},
    {"V9 an order exactly 30 days later: no gap, and no recent buyer before it",
     "{\"segments\":[{\"id\":\"recent\",\"when\":{\"did\":{\"events\":[\"a\"]},\"within\":\"P30D\"}"
     "}]"
     "}",
     {{0, "a", 0, NULL}, {30, "a", 0, NULL}},
     "0.00 0 in 1, 60.00 0 out 2, ",
     "0 0 "},
};

static uint32_t shape_of(const char *event)
{
    for (uint32_t i = 0; i < SHAPE_COUNT; i++)
        if (span_is(shape_texts[i].event_name, event))
            return i;
    fail();
    return 0;
}

static void vector_timeline(struct world *w, const struct vector_fact *facts, struct timeline *t)
{
    t->count = 0;
    for (uint32_t i = 0; i < 5 && facts[i].event; i++) {
        struct fact *fact = &t->items[t->count++];
        *fact =
            make_fact(w, shape_of(facts[i].event), (int64_t)(facts[i].day * (double)DAY), i + 1);
        if (facts[i].value)
            set_value(fact, facts[i].value * 1000000);
        if (facts[i].city)
            say(w, fact, (struct said_text){"city", 0, facts[i].city});
    }
    settle(t);
}

/* Rows by time: "day segment in|out fact, ". */
static const char *short_rows(const char *rows, struct arena *arena)
{
    struct strbuf out = {.arena = arena};
    long long at;
    unsigned segment, fact;
    char way[4];
    int read;
    while (sscanf(rows, "%lld %u %3s by %4x\n%n", &at, &segment, way, &fact, &read) == 4) {
        strbuf_addf(&out, "%.2f %u %s %u, ", (double)at / (double)DAY, segment, way, fact);
        rows += read;
    }
    pack_byte(&out, 0);
    return out.ptr;
}

static void test_vectors(void **state)
{
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct world *w = arena_new(&arena, struct world);
        struct timeline *t = arena_new(&arena, struct timeline);
        struct story got = {{.arena = &arena}, {.arena = &arena}};
        world_open(w, vectors[i].segments);
        vector_timeline(w, vectors[i].facts, t);
        compare(w, t, &arena, vectors[i].name);
        automate(w, t, &arena, true, &got);
        const char *rows = short_rows(text_of(&got.rows), &arena), *masks = text_of(&got.masks);
        if (strcmp(rows, vectors[i].rows) != 0 || strcmp(masks, vectors[i].masks) != 0)
            fail_msg("%s: %s| %s", vectors[i].name, rows, masks);
        arena_free(&w->arena);
    }
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_vectors),
                                       cmocka_unit_test(test_random)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
