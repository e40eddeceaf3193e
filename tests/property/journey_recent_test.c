/* journey_recent_test.c: responses, and what follows steps of the map, by an automaton that starts
 * again from its packed state after every fact, equal those of a definition that looks at the whole
 * timeline for every touch. Times are whole steps, so that ties, and windows that end exactly at a
 * touch, are frequent. Merges and splits are journey_derive_test's.
 *
 * RECENT_SEED runs one seed, RECENT_SEEDS sets their number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/journey_world.h"
#include "tests/support/random.h"

#ifdef __SANITIZE_ADDRESS__
enum { DEFAULT_SEEDS = 2000 };
#else
enum { DEFAULT_SEEDS = 20000 };
#endif
enum { FACTS_MAX = 40, MANY_FACTS = 150, HOURS = 24 * 7 };
#define HOUR   (INT64_C(3600) * US_PER_SECOND)
#define WINDOW (HOURS * HOUR)

static struct journey_world world;
static struct random dice;

static uint32_t draw(uint32_t n)
{
    return random_below(&dice, n);
}

/* One segment with figures: who looked at something within a week. */
static const char segments[] =
    "{\"segments\":[{\"id\":\"lookers\",\"figures\":true,"
    "\"when\":{\"did\":{\"events\":[\"Product Viewed\"]},\"within\":\"P7D\"}}]}";

static const struct {
    const char *event, *campaign, *direction, *device, *host, *department;
    bool is_bot;
} texts[] = {
    {"Campaign Sent", "x", NULL, NULL, NULL, "marketing", false},
    {"Contact Sent", "y", NULL, "phone", NULL, NULL, false},
    {"Contact Sent", NULL, NULL, NULL, NULL, NULL, false},
    {"Email Opened", "x", NULL, "phone", NULL, NULL, false},
    {"Email Opened", "y", NULL, NULL, "google.de", NULL, false},
    {"Email Opened", "x", NULL, NULL, NULL, NULL, true},
    {"Campaign Sent", "x", "inbound", NULL, NULL, NULL, false},
    {"Product Viewed", NULL, NULL, "desktop", "google.de", "web", false},
    {"Note Taken", "x", "none", NULL, NULL, NULL, false},
    {"Letter", "x", "outbound", NULL, NULL, NULL, false},
    {"Order Completed", NULL, NULL, NULL, NULL, "stores", false},
};
enum { TEXTS = sizeof texts / sizeof *texts };

static void add_shapes(void)
{
    for (int i = 0; i < TEXTS; i++)
        world_shape(&world, &(struct shape_text){.type = SPAN("track"),
                                                 .event_name = span_of(texts[i].event),
                                                 .channel = i % 2 ? SPAN("email") : SPAN("web"),
                                                 .campaign_id = span_of(texts[i].campaign),
                                                 .direction = span_of(texts[i].direction),
                                                 .device_type = span_of(texts[i].device),
                                                 .host = span_of(texts[i].host),
                                                 .department = span_of(texts[i].department),
                                                 .currency = i % 3 ? SPAN("EUR") : SPAN("USD"),
                                                 .is_bot = texts[i].is_bot});
}

struct timeline {
    struct touch items[MANY_FACTS];
    size_t count;
    uint8_t stages[MANY_FACTS]; /* before each fact, as the automaton has them */
};

static int by_key(const void *a, const void *b)
{
    return touch_key_compare(&((const struct touch *)a)->key, &((const struct touch *)b)->key);
}

static void random_timeline(struct timeline *t)
{
    static const int steps[] = {1, 24, HOURS, 360};
    bool is_long = draw(20) == 0;
    int step = is_long ? 1 : steps[draw(4)];
    t->count = 1 + draw(is_long ? MANY_FACTS : FACTS_MAX);
    for (size_t i = 0; i < t->count; i++) {
        struct touch *touch = &t->items[i];
        *touch = world_touch(&world.shapes[draw(TEXTS)],
                             (int64_t)draw(is_long ? 200 : 10) * step * HOUR, (uint32_t)i);
        world_set_value(touch, draw(2) ? MICROS_ABSENT : (int64_t)draw(4));
        touch->cost_micros = draw(3) ? MICROS_ABSENT : (int64_t)draw(3);
        touch->score = draw(5) ? SCORE_ABSENT : (int16_t)(40 * (int)draw(4) - 40);
        touch->decision = draw(3);
        touch->zone = (int16_t)(draw(4) ? 0 : draw(4)); /* 3 is no zone of the world */
    }
    qsort(t->items, t->count, sizeof *t->items, by_key);
}

/* ---- the definition ---- */
static void add(struct figures *f, const struct cell_key *key, int value, int64_t amount)
{
    int64_t *sum = map_put(&f->cells, key, NULL);
    sum[value] += amount;
}

static bool is_inbound(const struct touch *touch)
{
    return touch->shape->is_touch && touch->shape->direction == DIRECTION_INBOUND;
}

static bool is_send(const struct touch *touch)
{
    bool named = span_is(touch->shape->event, "Contact Sent") ||
                 span_is(touch->shape->event, "Campaign Sent");
    return named && touch->shape->direction == DIRECTION_OUTBOUND;
}

static bool is_conversion(const struct touch *touch)
{
    return span_is(touch->shape->event, "Order Completed") && touch->value_micros > 0;
}

static int32_t day_of(int64_t us)
{
    return instant_day((struct instant){us}, 0);
}

/* The segments that touch n counts in. */
static int shown(const struct timeline *t, size_t n, uint32_t codes[2])
{
    int64_t at = t->items[n].key.at.us;
    codes[0] = 0;
    codes[1] = world.policy.segments.items[0].code;
    for (size_t i = 0; i < n; i++)
        if (span_is(t->items[i].shape->event, "Product Viewed") &&
            t->items[i].key.at.us > at - WINDOW)
            return 2;
    return 1;
}

/* Hour and weekday where the customer is. */
static void local_time(const struct timeline *t, size_t n, uint32_t *hour, uint32_t *weekday)
{
    int64_t at = t->items[n].key.at.us;
    int offset = 0;
    for (size_t i = 0; i <= n; i++)
        if (t->items[i].zone > 0)
            offset = t->items[i].zone == 1 ? -5 : t->items[i].zone == 2 ? 9 : 0;
    at += offset * HOUR;
    *hour = (uint32_t)((at - day_of(at) * US_PER_DAY) / HOUR);
    *weekday = (uint32_t)((day_of(at) + 4) % 7 + 7) % 7;
}

/* Of the inbound touches before touch n the last device and network. */
static void known_before(const struct timeline *t, size_t n, uint32_t *device, uint32_t *network)
{
    *device = *network = 0;
    for (size_t i = 0; i < n; i++)
        if (is_inbound(&t->items[i])) {
            *device = t->items[i].shape->device ? t->items[i].shape->device : *device;
            *network = t->items[i].shape->network_code ? t->items[i].shape->network_code : *network;
        }
}

/* The send that touch n means; SIZE_MAX: none. */
static size_t meant(const struct timeline *t, size_t n)
{
    const struct touch *answer = &t->items[n];
    size_t by_campaign = SIZE_MAX;
    int seen = 0;
    for (size_t i = n; i-- > 0 && seen < RESPONSES_MAX;) {
        const struct touch *send = &t->items[i];
        if (!is_send(send))
            continue;
        seen++;
        if (send->key.at.us < answer->key.at.us - WINDOW)
            continue;
        if (answer->decision && send->decision == answer->decision)
            return i;
        if (answer->shape->campaign && answer->shape->campaign == send->shape->campaign &&
            by_campaign == SIZE_MAX)
            by_campaign = i;
    }
    return by_campaign;
}

struct moment {
    size_t send, at; /* positions: whose channel and segments, and whose time */
    uint32_t device, network;
};

static void add_moment(struct figures *f, const struct timeline *t, const struct moment *m,
                       int value, int64_t amount)
{
    const struct touch *send = &t->items[m->send];
    uint32_t codes[2], hour, weekday;
    local_time(t, m->at, &hour, &weekday);
    for (int i = shown(t, m->send, codes); i-- > 0;) {
        const struct cell_key key = {CELL_RESPONSES,
                                     day_month(day_of(t->items[m->at].key.at.us)),
                                     {send->shape->channel, send->shape->department, hour, weekday,
                                      m->device, m->network, codes[i]}};
        add(f, &key, value, amount);
    }
}

static void define_responses(const struct timeline *t, struct figures *f)
{
    bool answered[MANY_FACTS] = {false};
    for (size_t n = 0; n < t->count; n++) {
        const struct touch *touch = &t->items[n];
        struct moment sent = {n, n, 0, 0};
        known_before(t, n, &sent.device, &sent.network);
        if (is_send(touch))
            add_moment(f, t, &sent, 0, 1);
        size_t send = is_inbound(touch) ? meant(t, n) : SIZE_MAX;
        if (send == SIZE_MAX || answered[send])
            continue;
        answered[send] = true;
        int64_t wait = touch->key.at.us - t->items[send].key.at.us;
        sent.send = sent.at = send;
        known_before(t, send, &sent.device, &sent.network);
        add_moment(f, t, &sent, 1, 1);
        add_moment(f, t, &sent, 2, wait / 1000);
        add_moment(f, t,
                   &(struct moment){send, n, touch->shape->device, touch->shape->network_code}, 3,
                   1);
    }
}

/* The cell of the step to touch n. */
static struct cell_key step_to(const struct timeline *t, size_t n, uint32_t family)
{
    const struct touch *touch = &t->items[n], *before = NULL;
    for (size_t i = 0; i < n; i++)
        before = t->items[i].shape->is_touch ? &t->items[i] : before;
    struct cell_key key = {family, day_month(day_of(touch->key.at.us)), {t->stages[n]}};
    key.dims[2] = is_conversion(touch) ? world.policy.conversion_node : touch->shape->kind;
    key.dims[4] = touch->shape->department;
    if (before && touch->key.at.us - before->key.at.us <= 365 * US_PER_DAY) {
        key.dims[1] = is_conversion(before) ? world.policy.conversion_node : before->shape->kind;
        key.dims[3] = before->shape->department;
    }
    return key;
}

static void add_step(const struct timeline *t, struct figures *f, size_t n, uint32_t family,
                     uint32_t currency, int value, int64_t amount)
{
    struct cell_key key = step_to(t, n, family);
    uint32_t codes[2];
    key.dims[6] = currency;
    for (int i = shown(t, n, codes); i-- > 0;) {
        key.dims[5] = codes[i];
        add(f, &key, value, amount);
    }
}

/* The first conversion or score after touch n, if the touch is one of the newest 64 before it. */
static const struct touch *follower(const struct timeline *t, size_t n, bool of_score)
{
    int touches = 0;
    for (size_t i = n + 1; i < t->count; i++) {
        const struct touch *touch = &t->items[i];
        if (!touch->shape->is_touch || touch->key.at.us > t->items[n].key.at.us + WINDOW)
            continue;
        touches++;
        if (of_score ? touch->score != SCORE_ABSENT : is_conversion(touch))
            return touches <= 64 ? touch : NULL;
    }
    return NULL;
}

static void define_sequels(const struct timeline *t, struct figures *f)
{
    for (size_t n = 0; n < t->count; n++) {
        const struct touch *touch = &t->items[n];
        if (!touch->shape->is_touch)
            continue;
        if (touch->cost_micros > 0)
            add_step(t, f, n, CELL_STEP_MONEY, touch->shape->currency, 2, touch->cost_micros);
        const struct touch *sale = follower(t, n, false), *score = follower(t, n, true);
        if (sale) {
            add_step(t, f, n, CELL_STEP_AFTER, 0, 0, 1);
            add_step(t, f, n, CELL_STEP_MONEY, sale->shape->currency, 1, sale->value_micros);
        }
        if (score) {
            add_step(t, f, n, CELL_STEP_AFTER, 0, 1, score->score);
            add_step(t, f, n, CELL_STEP_AFTER, 0, 2, 1);
        }
    }
}

/* ---- the automaton ---- */
static void restart(struct journey_state *state, struct arena *arena)
{
    struct strbuf packed = {.arena = arena}, again = {.arena = arena};
    struct shape_lookup lookup = world_lookup(&world);
    uint32_t missing;
    struct err err;
    journey_state_pack(&world.policy, state, &packed);
    if (journey_state_unpack(&world.policy, strbuf_span(&packed), &lookup, arena, state, &missing,
                             &err) != OUTCOME_OK)
        fail_msg("%s", err.message);
    journey_state_pack(&world.policy, state, &again);
    assert_true(span_equal(strbuf_span(&packed), strbuf_span(&again)));
}

static void run(struct timeline *t, struct figures *f, struct arena *arena)
{
    struct journey_state state;
    struct journey_effects effects;
    struct cell cell;
    journey_state_init(&state, arena);
    journey_effects_init(&effects, arena);
    for (size_t i = 0; i < t->count; i++) {
        /* A state of several facts of one instant does not go on from storage. */
        bool may_restart = i == 0 || t->items[i].key.at.us != state.last.at.us;
        if (i > 0 && may_restart)
            restart(&state, arena);
        struct journey_state ahead;
        journey_state_copy(&ahead, &state, arena);
        t->stages[i] = ahead.stage;
        if (instant_compare(state.last_inbound.at, INSTANT_FIRST) == 0 ||
            t->items[i].key.at.us - state.last_inbound.at.us > 365 * US_PER_DAY)
            t->stages[i] = STAGE_NONE;
        journey_advance(&world.policy, &state, &t->items[i], &effects);
    }
    for (size_t i = 0; journey_effects_next(&effects, &i, &cell);)
        if (cell.key.family == CELL_RESPONSES || cell.key.family == CELL_STEP_AFTER ||
            cell.key.family == CELL_STEP_MONEY)
            memcpy(map_put(&f->cells, &cell.key, NULL), cell.values, sizeof cell.values);
}

/* ---- the property ---- */
static void property(struct arena *arena, unsigned long seed)
{
    static struct timeline t;
    struct figures found, defined;
    random_timeline(&t);
    figures_open(&found);
    figures_open(&defined);
    run(&t, &found, arena);
    define_responses(&t, &defined);
    define_sequels(&t, &defined);
    const char *a = figures_text(&found, arena), *b = figures_text(&defined, arena);
    if (strcmp(a, b) != 0)
        fail_msg("seed %lu: found\n%s\ndefined\n%s", seed, a, b);
    figures_close(&found);
    figures_close(&defined);
}

static void test_definition(void **state)
{
    const char *only = getenv("RECENT_SEED"), *number = getenv("RECENT_SEEDS");
    unsigned long first = only ? strtoul(only, NULL, 10) : 1, last = only ? first
                                                                     : number
                                                                         ? strtoul(number, NULL, 10)
                                                                         : DEFAULT_SEEDS;
    struct arena arena = {0};
    for (unsigned long seed = first; seed <= last; seed++) {
        dice.state = seed * UINT64_C(0x2545f4914f6cdd1d);
        property(&arena, seed);
        arena_reset(&arena);
    }
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_definition)};
    world_open_segments(&world, segments);
    add_shapes();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    world_close(&world);
    return failed;
}
