/* journey_goals_test.c: customers of periods and the funnel, by the automaton that starts again
 * from its packed state after every fact it may start again from, equal those of a definition that
 * asks all facts. GOALS_SEED runs one seed, GOALS_SEEDS sets their number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/words/periods.h"
#include "services/journey-tracker/logic/journey_internal.h"
#include "tests/support/journey_world.h"
#include "tests/support/random.h"

/* Sanitizers make a seed slow, and look for faults that fewer of them show. */
#ifdef __SANITIZE_ADDRESS__
enum { SEEDS = 3000 };
#else
enum { SEEDS = 20000 };
#endif

enum { FACTS_MAX = 24 };
#define DAY    US_PER_DAY
#define WINDOW (30 * DAY)

static const char segments[] = "{\"segments\":[{\"id\":\"contacted\",\"figures\":true,\"when\":{"
                               "\"did\":{\"events\":[\"Campaign Sent\"]},\"within\":\"P30D\"}}]}";
static const char *const events[] = {"Page",
                                     "Page",
                                     "Product Viewed",
                                     "Order Completed",
                                     "Order Completed",
                                     "Account Created",
                                     "Review Submitted",
                                     "Campaign Sent",
                                     "Campaign Sent"};

static struct journey_world world;
static struct random dice;

static uint32_t draw(uint32_t n)
{
    return random_below(&dice, n);
}

struct timeline {
    struct touch items[FACTS_MAX];
    size_t count;
};

static int by_key(const void *a, const void *b)
{
    return touch_key_compare(&((const struct touch *)a)->key, &((const struct touch *)b)->key);
}

/* Weeks, months and quarters are left and met again, and so are whole journeys. */
static int64_t random_gap(void)
{
    static const int64_t gaps[] = {0,
                                   0,
                                   1,
                                   DAY / 2,
                                   DAY,
                                   2 * DAY,
                                   6 * DAY,
                                   7 * DAY,
                                   15 * DAY,
                                   30 * DAY,
                                   30 * DAY + 1,
                                   60 * DAY,
                                   90 * DAY,
                                   365 * DAY,
                                   365 * DAY + 1};
    uint32_t n = sizeof gaps / sizeof *gaps;
    return gaps[draw(draw(4) ? 10 : n)];
}

static void random_timeline(struct timeline *t)
{
    int64_t at = (int64_t)draw(400) * DAY + (int64_t)draw(3) * (DAY / 2);
    t->count = draw(FACTS_MAX) + 1;
    for (size_t i = 0; i < t->count; i++) {
        const int64_t values[] = {MICROS_ABSENT, 0, 1};
        at += random_gap();
        t->items[i] = world_touch(&world.shapes[draw(world.shape_count)], at, (uint32_t)i + 1);
        world_set_value(&t->items[i], values[draw(3)]);
    }
    qsort(t->items, t->count, sizeof *t->items, by_key);
}

/* ---- the definition ---- */

static void add(struct map *cells, struct cell_key key, bool is_contacted, int64_t first,
                int64_t second, int64_t third, int segment_dim)
{
    for (int s = 0; s <= is_contacted; s++) {
        key.dims[segment_dim] = s ? world.policy.segments.items[0].code : 0;
        int64_t *v = map_put(cells, &key, NULL);
        v[0] += first;
        v[1] += second;
        v[2] += third;
    }
}

static bool is_order(const struct touch *touch)
{
    return span_is(touch->shape->event, "Order Completed");
}

static bool is_sent(const struct touch *touch)
{
    return span_is(touch->shape->event, "Campaign Sent");
}

/* Whether something was sent in the 30 days before this fact. */
static bool is_contacted(const struct timeline *t, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (is_sent(&t->items[j]) && t->items[j].key.at.us > t->items[i].key.at.us - WINDOW)
            return true;
    return false;
}

static bool counts(const char *goal, const struct touch *touch)
{
    if (strcmp(goal, "orders") == 0)
        return is_order(touch);
    if (strcmp(goal, "sale") == 0)
        return is_order(touch) && touch->value_micros > 0;
    return touch->shape->channel == world_code(&world, SPAN("app"));
}

static const struct {
    const char *goal;
    enum period_kind kind;
} windows[] = {
    {"sale", PERIOD_DAY},     {"sale", PERIOD_WEEK},   {"sale", PERIOD_MONTH},
    {"sale", PERIOD_QUARTER}, {"orders", PERIOD_DAY},  {"orders", PERIOD_WEEK},
    {"app", PERIOD_DAY},      {"app", PERIOD_QUARTER},
};

static int32_t period_of(const struct touch *touch, enum period_kind kind)
{
    return period_start(kind, zone_day(&world.policy.zone, touch->key.at));
}

static bool is_first(const struct timeline *t, size_t i, const char *goal, enum period_kind kind)
{
    for (size_t j = 0; j < i; j++)
        if (counts(goal, &t->items[j]) &&
            period_of(&t->items[j], kind) == period_of(&t->items[i], kind))
            return false;
    return counts(goal, &t->items[i]);
}

static void define_customers(const struct timeline *t, struct map *cells)
{
    for (size_t w = 0; w < sizeof windows / sizeof *windows; w++)
        for (size_t i = 0; i < t->count; i++)
            if (is_first(t, i, windows[w].goal, windows[w].kind))
                add(cells,
                    (struct cell_key){
                        CELL_GOAL_CUSTOMERS,
                        zone_day(&world.policy.zone, t->items[i].key.at),
                        {world_code(&world, span_of(windows[w].goal)), 0, windows[w].kind}},
                    is_contacted(t, i), 1, 0, 0, 1);
}

static size_t position(const struct timeline *t, const struct touch_key *key)
{
    size_t i = 0;
    while (touch_key_compare(&t->items[i].key, key) != 0)
        i++;
    return i;
}

/* By the rows of stages, which other tests prove. */
static void define_funnel(const struct timeline *t, const struct stage_rows *rows,
                          struct map *cells)
{
    size_t start = 0;
    for (size_t r = 0; r < rows->count; r++) {
        const struct stage_row *row = &rows->items[r];
        if (row->reason != REASON_RULE)
            continue;
        if (row->from_stage == STAGE_NONE)
            start = position(t, &row->touch);
        struct instant began = t->items[start].key.at;
        for (uint32_t stage = row->from_stage + 1u; stage <= row->to_stage; stage++)
            add(cells,
                (struct cell_key){CELL_FUNNEL, reporting_month(&world.policy, began), {stage}},
                is_contacted(t, start), 1, stage < row->to_stage,
                (row->changed_at.us - began.us) / US_PER_SECOND, 1);
    }
}

/* ---- the automaton ---- */
static void restart(struct journey_state *state, struct arena *arena)
{
    struct strbuf packed = {.arena = arena};
    struct shape_lookup lookup = world_lookup(&world);
    uint32_t missing;
    struct err err;
    journey_state_pack(&world.policy, state, &packed);
    assert_int_equal(journey_state_unpack(&world.policy, strbuf_span(&packed), &lookup, arena,
                                          state, &missing, &err),
                     OUTCOME_OK);
}

static void run(const struct timeline *t, struct journey_effects *effects, struct arena *arena)
{
    struct journey_state state;
    journey_state_init(&state, arena);
    for (size_t i = 0; i < t->count; i++) {
        journey_advance(&world.policy, &state, &t->items[i], effects);
        if (i + 1 < t->count && journey_may_follow(&state, &t->items[i + 1].key))
            restart(&state, arena);
    }
}

static bool is_defined(const struct cell_key *key)
{
    for (size_t w = 0; w < sizeof windows / sizeof *windows; w++)
        if (key->family == CELL_GOAL_CUSTOMERS &&
            key->dims[0] == world_code(&world, span_of(windows[w].goal)))
            return true;
    return key->family == CELL_FUNNEL;
}

static void check(const struct timeline *t, struct arena *arena)
{
    struct journey_effects effects;
    struct map want;
    journey_effects_init(&effects, arena);
    map_init(&want, arena, sizeof(struct cell_key), sizeof(int64_t[CELL_VALUES]));
    run(t, &effects, arena);
    define_customers(t, &want);
    define_funnel(t, &effects.stages, &want);
    struct cell cell;
    size_t found = 0;
    for (size_t i = 0; journey_effects_next(&effects, &i, &cell);) {
        if (!is_defined(&cell.key))
            continue;
        const int64_t *values = map_find(&want, &cell.key);
        found++;
        if (values == NULL || memcmp(values, cell.values, sizeof cell.values) != 0)
            fail_msg("family %u period %d dims %u %u %u: %lld, not %lld", cell.key.family,
                     cell.key.period, cell.key.dims[0], cell.key.dims[1], cell.key.dims[2],
                     (long long)cell.values[0], values ? (long long)values[0] : 0);
    }
    assert_int_equal(found, want.count);
}

static void the_definition_holds(void **state)
{
    const char *only = getenv("GOALS_SEED"), *number = getenv("GOALS_SEEDS");
    unsigned long from = only ? strtoul(only, NULL, 10) : 1,
                  count = number ? strtoul(number, NULL, 10) : SEEDS;
    struct arena arena = {0};
    for (unsigned long seed = from; seed < from + (only ? 1 : count); seed++) {
        struct timeline t;
        dice.state = seed * UINT64_C(0x2545f4914f6cdd1d);
        random_timeline(&t);
        fprintf(stderr, "\r%lu ", seed); /* the last one printed is the one that failed */
        check(&t, &arena);
        arena_reset(&arena);
    }
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_definition_holds)};
    world_open_segments(&world, segments);
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        world_event(&world, events[i]);
    world_shape(&world, &(struct shape_text){.type = SPAN("track"),
                                             .event_name = SPAN("Page"),
                                             .channel = SPAN("app")});
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    world_close(&world);
    return failed;
}
