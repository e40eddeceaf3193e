/* journey_credit_test.c: what each touch gets of a conversion, by model: the examples of
 * docs/figures.md by name, and what must hold of any numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/journey_world.h"
#include "tests/support/random.h"

enum { MOST = 9, ROUNDS = 20000 };
#define UNITS(n) ((int64_t)(n)*1000000)
#define DAYS(n)  ((int64_t)(n)*86400)

static struct arena arena;

static const struct vector {
    const char *name;
    enum credit_model model;
    int64_t total;
    uint32_t n;
    int64_t seconds[MOST]; /* before the conversion */
    int64_t parts[MOST];
} vectors[] = {
    {"position of 100.00 over 1", MODEL_POSITION_BASED, UNITS(100), 1, {0}, {UNITS(100)}},
    {"position of 100.00 over 2", MODEL_POSITION_BASED, UNITS(100), 2, {0}, {UNITS(50), UNITS(50)}},
    {"position of 100.00 over 4",
     MODEL_POSITION_BASED,
     UNITS(100),
     4,
     {0},
     {UNITS(40), UNITS(10), UNITS(10), UNITS(40)}},
    {"position of 140.00 over 3",
     MODEL_POSITION_BASED,
     UNITS(140),
     3,
     {0},
     {UNITS(56), UNITS(28), UNITS(56)}},
    {"position of one conversion over 5",
     MODEL_POSITION_BASED,
     CREDIT_WHOLE,
     5,
     {0},
     {400000, 66667, 66667, 66666, 400000}},
    {"decay of 100.00 at 14 days, 7 days and 1 second",
     MODEL_TIME_DECAY,
     UNITS(100),
     3,
     {DAYS(14), DAYS(7), 1},
     {14285714, 28571429, 57142857}},
    {"decay of 10.00 at 30 days, 3.5 days and 1 hour",
     MODEL_TIME_DECAY,
     UNITS(10),
     3,
     {DAYS(30), 302400, 3600},
     {292458, 4020996, 5686546}},
    {"decay of what is all too old is equal",
     MODEL_TIME_DECAY,
     5,
     2,
     {DAYS(217), DAYS(218)},
     {3, 2}},
    {"31 half-lives are too old", MODEL_TIME_DECAY, UNITS(1), 2, {DAYS(217), 0}, {0, UNITS(1)}},
};

static void touches_before(const int64_t *seconds, uint32_t n, struct tail_touch *touches)
{
    for (uint32_t i = 0; i < n; i++)
        touches[i] = (struct tail_touch){.at = {-seconds[i] * US_PER_SECOND}};
}

static void share(const struct credit_rules *rules, const struct vector *v, micros_sum *parts)
{
    struct tail_touch touches[MOST];
    int64_t weights[MOST];
    touches_before(v->seconds, v->n, touches);
    credit_weights(rules, v->model, touches, v->n, (struct instant){0}, weights);
    credit_apportion(&arena, v->total, weights, v->n, parts);
}

static void test_vectors(void **state)
{
    const struct credit_rules rules = journey_policy_default_credit();
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        micros_sum parts[MOST];
        share(&rules, &vectors[i], parts);
        for (uint32_t j = 0; j < vectors[i].n; j++)
            if (parts[j] != vectors[i].parts[j])
                fail_msg("%s: touch %u gets %lld", vectors[i].name, j, (long long)parts[j]);
    }
}

static void test_positions_of_any_percent(void **state)
{
    static const struct {
        uint32_t first, last, n;
        int64_t parts[3];
    } rows[] = {
        {0, 0, 2, {50, 50}},   {0, 0, 3, {0, 100, 0}},   {100, 0, 3, {100, 0, 0}},
        {30, 10, 2, {75, 25}}, {50, 50, 3, {50, 0, 50}},
    };
    struct credit_rules rules = journey_policy_default_credit();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        micros_sum parts[MOST];
        rules.first = rows[i].first;
        rules.last = rows[i].last;
        share(&rules, &(struct vector){"", MODEL_POSITION_BASED, 100, rows[i].n, {0}, {0}}, parts);
        for (uint32_t j = 0; j < rows[i].n; j++)
            assert_true(parts[j] == rows[i].parts[j]);
    }
}

static void test_decay_of_a_half_life(void **state)
{
    struct credit_rules rules = journey_policy_default_credit();
    struct tail_touch touches[4];
    const int64_t seconds[] = {0, 3600 / 64, 1800, 3600 / 64 * 63 + 63};
    int64_t weights[4], sum = 0;
    rules.half_life = (struct duration){3600 * US_PER_SECOND};
    touches_before(seconds, 4, touches);
    credit_weights(&rules, MODEL_TIME_DECAY, touches, 4, (struct instant){0}, weights);
    assert_true(weights[0] == 2147483648 && weights[1] == 2147483648 && weights[2] == 1518500250 &&
                weights[3] == 1085434106);
    for (int64_t step = 0; step < 64; step++) {
        struct tail_touch touch = {.at = {-(step * 225 + 3) / 4 * US_PER_SECOND}};
        credit_weights(&rules, MODEL_TIME_DECAY, &touch, 1, (struct instant){0}, weights);
        sum += weights[0];
    }
    assert_true(sum == 99679088301);
}

/* ---- any numbers ---- */
static struct random dice;

static int64_t random_amount(void)
{
    int64_t amount = (int64_t)random_next(&dice) >> random_below(&dice, 63);
    return amount == INT64_MIN ? INT64_MAX : amount;
}

static void check_parts(micros_sum total, const int64_t *weights, uint32_t n,
                        const micros_sum *parts)
{
    micros_sum sum = 0, all = 0;
    for (uint32_t i = 0; i < n; i++)
        all += weights[i];
    for (uint32_t i = 0; i < n; i++) {
        micros_sum exact = total * weights[i], part = parts[i] * all;
        sum += parts[i];
        assert_true(total < 0 ? parts[i] <= 0 : parts[i] >= 0);
        assert_true(exact - part < all && part - exact < all); /* less than a unit off */
        for (uint32_t j = 0; j < i; j++)
            if (weights[i] == weights[j])
                assert_true(total < 0 ? parts[j] <= parts[i] : parts[j] >= parts[i]);
    }
    assert_true(sum == total);
}

static void test_parts_of_any_numbers(void **state)
{
    dice = random_from_environment();
    for (int round = 0; round < ROUNDS; round++) {
        micros_sum parts[MOST];
        int64_t weights[MOST] = {0};
        uint32_t n = 1 + (uint32_t)random_below(&dice, MOST);
        int64_t total = random_amount();
        for (uint32_t i = 0; i < n; i++)
            weights[i] = (int64_t)random_below(&dice, round % 2 ? 4 : 1U << 31);
        weights[random_below(&dice, n)] += 1;
        credit_apportion(&arena, total, weights, n, parts);
        check_parts(total, weights, n, parts);
        for (uint32_t i = 0; i < n; i++)
            weights[i] = 1 + round;
        credit_apportion(&arena, total, weights, n, parts);
        for (uint32_t i = 0; i < n; i++)
            assert_true(parts[i] == credit_split(total, n, i));
        arena_reset(&arena);
    }
}

/* ---- cells ---- */
static int64_t credit_of(const struct journey_world *world, const struct journey_effects *effects,
                         enum credit_model model, uint32_t campaign)
{
    struct cell cell;
    int64_t sum = 0;
    for (size_t i = 0; journey_effects_next(effects, &i, &cell);)
        if (cell.key.family == CELL_CREDIT && cell.key.dims[1] == (uint32_t)model &&
            cell.key.dims[5] == campaign)
            sum += cell.values[1];
    return sum;
}

static void pass(struct journey_world *world, struct journey_effects *effects,
                 struct journey_state *state, struct touch touch)
{
    journey_advance(&world->policy, state, &touch, effects);
}

/* Three sends of campaigns 1 to 3, and an order of 140 that comes in parts and goes back in parts.
 * After each of them the touches have what they would have of the sum. */
static void test_parts_of_an_order(void **state)
{
    static const int64_t pieces[] = {UNITS(100) + 1, UNITS(40) - 1, -UNITS(47), -UNITS(93)};
    struct journey_world world;
    struct journey_effects effects;
    struct journey_state s;
    uint32_t campaigns[3];
    world_open(&world);
    world.policy.credit.models |= 1 << MODEL_POSITION_BASED | 1 << MODEL_TIME_DECAY;
    journey_state_init(&s, &world.arena);
    journey_effects_init(&effects, &world.arena);
    for (uint32_t i = 0; i < 3; i++) {
        const char *id = (const char *[]){"1", "2", "3"}[i];
        const struct shape *sent =
            world_shape(&world, &(struct shape_text){.type = SPAN("Campaign Sent"),
                                                     .channel = SPAN("email"),
                                                     .campaign_id = span_of(id)});
        campaigns[i] = sent->campaign;
        pass(&world, &effects, &s, world_touch(sent, (6 + 7 * i) * US_PER_DAY, i + 1));
    }
    micros_sum sum = 0;
    for (uint32_t i = 0; i < 4; i++) {
        const char *event = pieces[i] > 0 ? "Order Completed" : "Order Returned";
        struct touch touch = world_touch(world_event(&world, event), (20 + i) * US_PER_DAY, 9 + i);
        if (pieces[i] > 0)
            touch.key.at = (struct instant){20 * US_PER_DAY + i};
        world_set_value(&touch, pieces[i]);
        world_name_order(&world, &touch, "17");
        pass(&world, &effects, &s, touch);
        sum += pieces[i];
        for (int model = MODEL_POSITION_BASED; model <= MODEL_TIME_DECAY; model++) {
            micros_sum parts[3];
            share(&world.policy.credit,
                  &(struct vector){
                      "", (enum credit_model)model, (int64_t)sum, 3, {DAYS(14), DAYS(7), 0}, {0}},
                  parts);
            for (uint32_t j = 0; j < 3; j++)
                assert_true(credit_of(&world, &effects, (enum credit_model)model, campaigns[j]) ==
                            parts[j]);
        }
    }
    world_close(&world);
}

static void test_only_listed_models_have_cells(void **state)
{
    struct journey_world world;
    struct journey_effects effects;
    struct journey_state s;
    struct cell cell;
    uint32_t cells = 0;
    world_open(&world);
    world.policy.credit.models = 1 << MODEL_TIME_DECAY;
    journey_state_init(&s, &world.arena);
    journey_effects_init(&effects, &world.arena);
    struct touch order = world_touch(world_event(&world, "Order Completed"), US_PER_DAY, 1);
    world_set_value(&order, 5);
    pass(&world, &effects, &s, order);
    for (size_t i = 0; journey_effects_next(&effects, &i, &cell);)
        if (cell.key.family == CELL_CREDIT) {
            assert_int_equal(cell.key.dims[1], MODEL_TIME_DECAY);
            cells++;
        }
    assert_int_equal(cells, 1);
    world_close(&world);
}

/* ---- several goals of a touch ---- */
struct goals_world {
    struct journey_world world;
    struct journey_effects effects;
    struct journey_state state;
    const struct shape *sent, *order, *back;
};

static void open_goals(struct goals_world *g)
{
    world_open_goals(&g->world, NULL);
    journey_state_init(&g->state, &g->world.arena);
    journey_effects_init(&g->effects, &g->world.arena);
    g->sent = world_event(&g->world, "Campaign Sent");
    g->order = world_event(&g->world, "Order Completed");
    g->back = world_event(&g->world, "Order Returned");
}

static void pass_of(struct goals_world *g, const struct shape *shape, int64_t at, uint32_t id,
                    int64_t value)
{
    struct touch touch = world_touch(shape, at, id);
    world_set_value(&touch, value);
    world_name_order(&g->world, &touch, "17");
    pass(&g->world, &g->effects, &g->state, touch);
}

static int64_t linear_credit(struct goals_world *g, const char *goal, uint32_t channel)
{
    struct cell cell;
    int64_t sum = 0;
    for (size_t i = 0; journey_effects_next(&g->effects, &i, &cell);)
        if (cell.key.family == CELL_CREDIT && cell.key.dims[1] == MODEL_LINEAR &&
            cell.key.dims[0] == world_code(&g->world, span_of(goal)) && cell.key.dims[2] == channel)
            sum += cell.values[1];
    return sum;
}

/* Sends 40 and 10 days and an hour before the order: each goal has those of its own lookback. */
static void test_each_goal_has_its_lookback(void **state)
{
    static const struct {
        const char *goal;
        uint32_t eligible;
        bool is_further;
    } rows[] = {{"mailed", 1, false}, {"sale", 2, true}, {"influenced", 3, true}};
    struct goals_world g;
    open_goals(&g);
    pass_of(&g, g.sent, 10 * US_PER_DAY, 1, MICROS_ABSENT);
    pass_of(&g, g.sent, 40 * US_PER_DAY, 2, MICROS_ABSENT);
    pass_of(&g, g.sent, 50 * US_PER_DAY - 3600 * US_PER_SECOND, 3, MICROS_ABSENT);
    pass_of(&g, g.order, 50 * US_PER_DAY, 4, 60);
    assert_int_equal(g.effects.conversions.count, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct conversion_row *row = &g.effects.conversions.items[i];
        assert_int_equal(row->goal, world_code(&g.world, span_of(rows[i].goal)));
        assert_int_equal(row->eligible_count, rows[i].eligible);
        assert_int_equal(row->further.ptr != NULL, rows[i].is_further);
        assert_true(row->is_first);
        assert_int_equal(linear_credit(&g, rows[i].goal, g.sent->channel), 60);
    }
    assert_int_equal(journey_state_revenue(&g.state).conversions, 1);
    assert_int_equal(journey_state_revenue(&g.state).revenue, 60);
    world_close(&g.world);
}

/* Only `influenced` takes an order without a value: for the others a later one is the first. */
static void test_first_is_first_of_its_goal(void **state)
{
    struct goals_world g;
    open_goals(&g);
    pass_of(&g, g.order, 1 * US_PER_DAY, 1, 0);
    pass_of(&g, g.order, 5 * US_PER_DAY, 2, 7);
    const struct conversion_row *rows = g.effects.conversions.items;
    assert_int_equal(g.effects.conversions.count, 4);
    assert_true(rows[0].is_first && rows[0].further.ptr == NULL);
    assert_true(rows[1].is_first && rows[2].is_first && !rows[3].is_first);
    assert_true(rows[0].goal == rows[3].goal && rows[3].further.ptr != NULL);
    world_close(&g.world);
}

static void test_a_return_takes_from_each_goal(void **state)
{
    static const char *const goals[] = {"mailed", "sale", "influenced"};
    struct goals_world g;
    open_goals(&g);
    pass_of(&g, g.sent, 10 * US_PER_DAY, 1, MICROS_ABSENT);
    pass_of(&g, g.order, 20 * US_PER_DAY, 2, 60);
    pass_of(&g, g.back, 30 * US_PER_DAY, 3, 25);
    pass_of(&g, g.back, 31 * US_PER_DAY, 4, 50); /* 15 more than is left */
    assert_int_equal(g.effects.orders.count, 6);
    for (uint32_t i = 0; i < 3; i++) {
        const struct order_change *row = &g.effects.orders.items[i];
        assert_int_equal(row->goal, world_code(&g.world, span_of(goals[i])));
        assert_int_equal(row->touch_count, i ? 1 : 0);
        assert_int_equal(row->value, -25);
        assert_int_equal(row->further.ptr != NULL, i > 0);
        assert_int_equal(linear_credit(&g, goals[i], g.sent->channel), 0);
        assert_int_equal(linear_credit(&g, goals[i], 0), -15);
    }
    assert_int_equal(journey_state_revenue(&g.state).revenue, -15);
    world_close(&g.world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_positions_of_any_percent),
        cmocka_unit_test(test_decay_of_a_half_life),
        cmocka_unit_test(test_parts_of_any_numbers),
        cmocka_unit_test(test_parts_of_an_order),
        cmocka_unit_test(test_only_listed_models_have_cells),
        cmocka_unit_test(test_each_goal_has_its_lookback),
        cmocka_unit_test(test_first_is_first_of_its_goal),
        cmocka_unit_test(test_a_return_takes_from_each_goal),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&arena);
    return failed;
}
