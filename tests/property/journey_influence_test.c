/* journey_influence_test.c: the steps of paths, by the automaton that starts again from its packed
 * state after every fact, equal those of a definition that cuts the whole timeline at conversions
 * and pauses. Times are whole steps, so that ties, and pauses of exactly the lookback, are
 * frequent.
 *
 * INFLUENCE_SEED runs one seed, INFLUENCE_SEEDS sets their number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/journey-tracker/logic/journey_internal.h"
#include "tests/support/journey_world.h"
#include "tests/support/random.h"

enum { SEEDS = 20000, FACTS_MAX = 14 };
#define HOUR (3600 * US_PER_SECOND)

static const char segments[] =
    "{\"segments\":[{\"id\":\"recent\",\"figures\":true,"
    "\"when\":{\"did\":{\"events\":[\"Order Completed\"]},\"within\":\"P30D\"}}]}";

static struct journey_world world;
static struct random dice;

/* Sends of campaigns a, b and c, of none, and of one that is named like a word of steps; paid
 * visits; touches that are no steps; an order, and a loan. */
enum { A, B, C, PLAIN, NAMED, VISIT, PAGE, MACHINE, IDENTIFY, ORDER, LOAN, SHAPES };

static void add_send(const char *campaign)
{
    struct shape_text text = {.type = SPAN("track"),
                              .event_name = SPAN("Campaign Sent"),
                              .channel = SPAN("email"),
                              .direction = SPAN("outbound")};
    if (campaign)
        text.campaign_id = span_of(campaign);
    world_shape(&world, &text);
}

static void open_world(void)
{
    static const char *const campaigns[] = {"a", "b", "c", NULL, "(none)"};
    world_open_segments(&world, segments);
    world_follow_paths(&world);
    world.policy.has_creditable = true;
    *arena_push(&world.arena, &world.policy.creditable) = SPAN("Campaign Sent");
    world.policy.visits = arena_array(&world.arena, struct visit_rule, 1);
    world.policy.visits[world.policy.visit_count++] = (struct visit_rule){.click_id = true};
    for (int i = A; i <= NAMED; i++)
        add_send(campaigns[i]);
    struct shape_text visit = {.type = SPAN("page"),
                               .channel = SPAN("web"),
                               .click_network = SPAN("google"),
                               .has_click_id = true};
    world_shape(&world, &visit);
    world_event(&world, "Page");
    visit.is_bot = true;
    world_shape(&world, &visit);
    world_shape(&world, &(struct shape_text){.type = SPAN("identify"), .channel = SPAN("crm")});
    world_event(&world, "Order Completed");
    world_event(&world, "Loan Funded");
}

struct timeline {
    struct touch items[FACTS_MAX];
    size_t count;
};

static void add_fact(struct timeline *t, int shape, int64_t hours)
{
    struct touch *touch = &t->items[t->count];
    *touch = world_touch(&world.shapes[shape], hours * HOUR, (uint32_t)t->count + 1);
    t->count++;
    if (shape == ORDER)
        world_set_value(touch, (int64_t)t->count);
}

static int by_key(const void *a, const void *b)
{
    return touch_key_compare(&((const struct touch *)a)->key, &((const struct touch *)b)->key);
}

/* ---- the definition ---- */
struct defining {
    const struct influence_rule *rule;
    const struct timeline *t;
    struct journey_effects *effects;
};

static int shape_of(const struct touch *touch)
{
    return (int)(touch->shape - world.shapes);
}

static bool is_inbound(const struct touch *touch)
{
    int shape = shape_of(touch);
    return shape == VISIT || shape == PAGE || shape == ORDER || shape == LOAN;
}

static bool converts(const struct defining *d, size_t at)
{
    const struct touch *touch = &d->t->items[at];
    size_t inbound = 0;
    if (span_is(d->rule->goal, "sale"))
        return shape_of(touch) == ORDER;
    if (span_is(d->rule->goal, "funded"))
        return shape_of(touch) == LOAN;
    for (size_t i = 0; i <= at; i++)
        inbound += is_inbound(&d->t->items[i]);
    return is_inbound(touch) && inbound == 3;
}

static uint32_t node_of(const struct defining *d, size_t at)
{
    int shape = shape_of(&d->t->items[at]);
    const char *const kinds[] = {"email:Campaign Sent", "ads:google"};
    const char *const campaigns[] = {"a", "b", "c"};
    const char *const channels[] = {"email", "web"};
    if (d->rule->node == PATH_BY_CHANNEL)
        return world_code(&world, span_of(channels[shape == VISIT]));
    if (d->rule->node == PATH_BY_CAMPAIGN && shape <= C)
        return world_code(&world, span_of(campaigns[shape]));
    return world_code(&world, span_of(kinds[shape == VISIT]));
}

static bool is_recent_buyer(const struct defining *d, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (shape_of(&d->t->items[i]) == ORDER &&
            d->t->items[i].key.at.us > d->t->items[at].key.at.us - 30 * US_PER_DAY)
            return true;
    return false;
}

/* Takes a step away: of the automaton's nothing may be left. `first` is what decides the segments,
 * `to` the fact that is led to, -1 the end. */
static void take(const struct defining *d, size_t first, const char *from, uint32_t from_node,
                 const char *to, int fact, struct instant at)
{
    bool is_conversion = to && strcmp(to, "(conversion)") == 0;
    for (int in = 0; in < (is_recent_buyer(d, first) ? 2 : 1); in++) {
        struct cell_key key = {CELL_PATH,
                               reporting_month(&world.policy, at),
                               {world_code(&world, d->rule->goal),
                                in ? world_code(&world, SPAN("recent")) : 0,
                                from ? world_code(&world, span_of(from)) : from_node,
                                to ? world_code(&world, span_of(to)) : node_of(d, (size_t)fact)}};
        const struct touch *touch = fact >= 0 ? &d->t->items[fact] : NULL;
        if (is_conversion && shape_of(touch) == ORDER)
            key.dims[4] = world_code(&world, SPAN("USD"));
        int64_t *v = effects_cell(d->effects, &key);
        v[0]--;
        v[2] -= to == NULL && touch->shape->direction == DIRECTION_OUTBOUND;
        v[1] -= is_conversion && shape_of(touch) == ORDER ? touch->value_micros : 0;
    }
}

static bool is_step(const struct defining *d, size_t at)
{
    return shape_of(&d->t->items[at]) <= VISIT && !converts(d, at);
}

/* The touches of one path are up to a pause of more than the lookback, or a conversion. */
static void define(const struct defining *d)
{
    bool is_open = false;
    size_t first = 0, last = 0;
    for (size_t i = 0; i <= d->t->count; i++) {
        bool is_end = i == d->t->count, is_conversion = !is_end && converts(d, i);
        struct instant at = is_end ? INSTANT_NEVER : d->t->items[i].key.at;
        struct instant end = {d->t->items[last].key.at.us + d->rule->lookback.us};
        if (is_open && (is_end || at.us > end.us) && (is_end || is_conversion || is_step(d, i))) {
            take(d, first, NULL, node_of(d, last), "(none)", -1, end);
            is_open = false;
        }
        if (is_conversion) {
            take(d, is_open ? first : i, is_open ? NULL : "(start)", is_open ? node_of(d, last) : 0,
                 "(conversion)", (int)i, at);
            is_open = false;
            if (d->rule->first_only)
                return;
        } else if (!is_end && is_step(d, i)) {
            first = is_open ? first : i;
            take(d, first, is_open ? NULL : "(start)", is_open ? node_of(d, last) : 0, NULL, (int)i,
                 at);
            is_open = true;
            last = i;
        }
    }
}

/* ---- the automaton ---- */
static void automate(const struct timeline *t, struct arena *arena, struct journey_effects *effects)
{
    struct journey_state state;
    struct shape_lookup lookup = world_lookup(&world);
    journey_state_init(&state, arena);
    for (size_t i = 0; i < t->count; i++) {
        struct strbuf packed = {.arena = arena};
        struct err err;
        uint32_t missing;
        journey_advance(&world.policy, &state, &t->items[i], effects);
        journey_state_pack(&world.policy, &state, &packed);
        assert_int_equal(journey_state_unpack(&world.policy, strbuf_span(&packed), &lookup, arena,
                                              &state, &missing, &err),
                         OUTCOME_OK);
    }
    journey_trailing(&world.policy, &state, effects);
}

static const char *word_of(uint32_t code)
{
    return code ? arena_printf(&world.arena, SPAN_FMT, SPAN_ARG(world.words[code - 1])) : "-";
}

/* What is left of paths as text, "" where nothing is. */
static const char *left(const struct journey_effects *effects, struct arena *arena)
{
    struct strbuf out = {.arena = arena};
    struct cell cell;
    size_t cursor = 0;
    while (journey_effects_next(effects, &cursor, &cell))
        if (cell.key.family == CELL_PATH)
            strbuf_addf(&out, "%s %s %s > %s, day %d: %lld steps, %lld sent, %lld micros\n",
                        word_of(cell.key.dims[0]), word_of(cell.key.dims[1]),
                        word_of(cell.key.dims[2]), word_of(cell.key.dims[3]), cell.key.period,
                        (long long)cell.values[0], (long long)cell.values[2],
                        (long long)cell.values[1]);
    pack_byte(&out, 0);
    return out.ptr;
}

static void compare(const struct timeline *t, struct arena *arena, const char *what)
{
    struct journey_effects effects;
    journey_effects_init(&effects, arena);
    automate(t, arena, &effects);
    for (uint32_t i = 0; i < world.policy.influence_count; i++)
        define(&(struct defining){&world.policy.influence[i], t, &effects});
    const char *rest = left(&effects, arena);
    if (*rest != 0)
        fail_msg("%s: the automaton has, and the definition has not:\n%s", what, rest);
}

static void test_random(void **state)
{
    const char *only = getenv("INFLUENCE_SEED"), *number = getenv("INFLUENCE_SEEDS");
    unsigned long from = only ? strtoul(only, NULL, 10) : 1,
                  count = number ? strtoul(number, NULL, 10) : SEEDS;
    struct arena arena = {0};
    for (unsigned long seed = from; seed < from + (only ? 1 : count); seed++) {
        static const int64_t steps[] = {1, 24, 168, 720};
        struct timeline t = {.count = 0};
        dice.state = seed * UINT64_C(0x2545f4914f6cdd1d);
        int64_t step = steps[random_below(&dice, 4)];
        for (size_t n = random_below(&dice, FACTS_MAX + 1); n > 0; n--)
            add_fact(&t, (int)random_below(&dice, SHAPES), random_below(&dice, 10) * step);
        qsort(t.items, t.count, sizeof *t.items, by_key);
        compare(&t, &arena, arena_printf(&arena, "seed %lu", seed));
        arena_reset(&arena);
    }
    arena_free(&arena);
}

/* ---- vectors ---- */
struct vector_fact {
    int64_t hours;
    int shape;
};

static const struct {
    const char *name;
    struct vector_fact facts[7]; /* hours 0 and below end them, but for the first */
    const char *steps;
} vectors[] = {
    {"P1 two conversions, a path that ends before the next one",
     {{0, A}, {100, B}, {200, B}, {300, ORDER}, {400, ORDER}, {500, C}, {1300, A}},
     "(start)>(conversion) 0, (start)>a 0, (start)>a 31, (start)>c 0, a>(none) 59, a>b 0, "
     "b>(conversion) 0, b>b 0, c>(none) 31, "},
    {"P2 the first conversion is another customer's",
     {{0, A}, {100, B}, {200, B}, {400, ORDER}, {500, C}, {1300, A}},
     "(start)>a 0, (start)>a 31, (start)>c 0, a>(none) 59, a>b 0, b>(conversion) 0, b>b 0, "
     "c>(none) 31, "},
};

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The steps to goal sale of everybody with the first day of their month, sorted. */
static const char *steps_of(const struct timeline *t, struct arena *arena)
{
    struct journey_effects effects;
    struct strbuf out = {.arena = arena};
    struct cell cell;
    const char *steps[2 * FACTS_MAX];
    size_t cursor = 0, count = 0;
    journey_effects_init(&effects, arena);
    automate(t, arena, &effects);
    while (journey_effects_next(&effects, &cursor, &cell))
        if (cell.key.family == CELL_PATH && cell.key.dims[1] == 0 &&
            cell.key.dims[0] == world_code(&world, SPAN("sale")))
            steps[count++] = arena_printf(arena, "%s>%s %d, ", word_of(cell.key.dims[2]),
                                          word_of(cell.key.dims[3]), cell.key.period);
    qsort(steps, count, sizeof *steps, by_text);
    for (size_t i = 0; i < count; i++)
        strbuf_addf(&out, "%s", steps[i]);
    pack_byte(&out, 0);
    return out.ptr;
}

static void test_vectors(void **state)
{
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct timeline t = {.count = 0};
        for (size_t j = 0; j < 7 && (j == 0 || vectors[i].facts[j].hours > 0); j++)
            add_fact(&t, vectors[i].facts[j].shape, vectors[i].facts[j].hours);
        compare(&t, &arena, vectors[i].name);
        const char *steps = steps_of(&t, &arena);
        if (strcmp(steps, vectors[i].steps) != 0)
            fail_msg("%s: %s", vectors[i].name, steps);
    }
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_vectors),
                                       cmocka_unit_test(test_random)};
    open_world();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    world_close(&world);
    return failed;
}
