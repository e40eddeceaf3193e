/* journey_orders_test.c: returns and orders that are told twice: one table row per rule of
 * docs/figures.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/journey_world.h"

#define D(n) ((n)*US_PER_DAY)
#define NONE MICROS_ABSENT

/* Who tells what. */
enum teller {
    NOBODY,
    SHOP,
    TILL,
    BACK,
    SHOP_EUR,
    RETURNED,
    REFUNDED,
    TILL_RETURNED,
    LOAN,
    TELLERS
};

struct line {
    enum teller teller;
    int hour;
    const char *order_id;
    int64_t value;
};

struct fixture {
    struct journey_world world;
    struct journey_state state;
    struct journey_effects effects;
    const struct shape *tellers[TELLERS];
    const struct shape *sent;
};

static const struct shape *told_by(struct journey_world *world, const char *source,
                                   const char *event, const char *currency)
{
    return world_shape(world, &(struct shape_text){.source = span_of(source),
                                                   .type = SPAN("track"),
                                                   .event_name = span_of(event),
                                                   .channel = SPAN("web"),
                                                   .currency = span_of(currency)});
}

static struct fixture *open_fixture(void)
{
    static struct fixture f;
    memset(&f, 0, sizeof f);
    world_open(&f.world);
    journey_state_init(&f.state, &f.world.arena);
    journey_effects_init(&f.effects, &f.world.arena);
    f.tellers[SHOP] = told_by(&f.world, "urn:shop", "Order Completed", "USD");
    f.tellers[TILL] = told_by(&f.world, "urn:till", "Order Completed", "USD");
    f.tellers[BACK] = told_by(&f.world, "urn:back", "Order Completed", "USD");
    f.tellers[SHOP_EUR] = told_by(&f.world, "urn:shop", "Order Completed", "EUR");
    f.tellers[RETURNED] = told_by(&f.world, "urn:shop", "Order Returned", "USD");
    f.tellers[REFUNDED] = told_by(&f.world, "urn:pay", "Order Refunded", "USD");
    f.tellers[TILL_RETURNED] = told_by(&f.world, "urn:till", "Order Returned", "USD");
    f.tellers[LOAN] = told_by(&f.world, "urn:shop", "Loan Funded", "USD");
    f.sent = world_event(&f.world, "Campaign Sent");
    return &f;
}

static void pass(struct fixture *f, const struct line *line, uint32_t id)
{
    struct touch touch =
        world_touch(f->tellers[line->teller], line->hour * INT64_C(3600) * US_PER_SECOND, id);
    world_set_value(&touch, line->value);
    world_name_order(&f->world, &touch, line->order_id);
    journey_advance(&f->world.policy, &f->state, &touch, &f->effects);
}

static int64_t goal_sum(const struct fixture *f, const char *goal, int which)
{
    uint32_t code = world_code((struct journey_world *)&f->world, span_of(goal));
    struct cell cell;
    int64_t sum = 0;
    for (size_t i = 0; journey_effects_next(&f->effects, &i, &cell);)
        if (cell.key.family == CELL_GOAL && cell.key.dims[0] == code)
            sum += cell.values[which];
    return sum;
}

static int64_t credited(const struct fixture *f, bool is_attributed, int which)
{
    struct cell cell;
    int64_t sum = 0;
    for (size_t i = 0; journey_effects_next(&f->effects, &i, &cell);)
        if (cell.key.family == CELL_CREDIT && cell.key.dims[1] == MODEL_LINEAR &&
            (cell.key.dims[2] != 0) == is_attributed)
            sum += cell.values[which];
    return sum;
}

/* A mailing goes out at hour 0. `sale` is all that the goal counts, `own` what the mailing keeps of
 * it, `orders` the number of orders. */
static const struct {
    const char *says;
    struct line lines[6];
    int64_t sale, own, orders;
} histories[] = {
    {"an order", {{SHOP, 1, "a", 100}}, 100, 100, 1},
    {"returned in full", {{SHOP, 1, "a", 100}, {RETURNED, 900, "a", -100}}, 0, 0, 0},
    {"the sign of a return says nothing",
     {{SHOP, 1, "a", 100}, {RETURNED, 900, "a", 100}},
     0,
     0,
     0},
    {"without a value it is all", {{SHOP, 1, "a", 100}, {RETURNED, 9, "a", NONE}}, 0, 0, 0},
    {"0 is a value", {{SHOP, 1, "a", 100}, {RETURNED, 9, "a", 0}}, 100, 100, 1},
    {"in part", {{SHOP, 1, "a", 100}, {RETURNED, 9, "a", -40}}, 60, 60, 1},
    {"in two parts",
     {{SHOP, 1, "a", 100}, {RETURNED, 9, "a", -40}, {RETURNED, 10, "a", -60}},
     0,
     0,
     0},
    {"twice the same by one teller",
     {{SHOP, 1, "a", 100}, {RETURNED, 9, "a", -40}, {RETURNED, 10, "a", -40}},
     20,
     20,
     1},
    {"told by two events",
     {{SHOP, 1, "a", 100}, {RETURNED, 9, "a", -40}, {REFUNDED, 10, "a", -40}},
     60,
     60,
     1},
    {"told by two sources",
     {{SHOP, 1, "a", 100}, {RETURNED, 9, "a", -100}, {TILL_RETURNED, 10, "a", -100}},
     0,
     0,
     0},
    {"two of each",
     {{SHOP, 1, "a", 100},
      {RETURNED, 9, "a", -40},
      {RETURNED, 10, "a", -40},
      {REFUNDED, 11, "a", -40},
      {REFUNDED, 12, "a", -40}},
     20,
     20,
     1},
    {"without a value, then told with it",
     {{SHOP, 1, "a", 100}, {RETURNED, 9, "a", NONE}, {REFUNDED, 10, "a", -100}},
     0,
     0,
     0},
    {"told with it, then without a value",
     {{SHOP, 1, "a", 100}, {RETURNED, 9, "a", -100}, {REFUNDED, 10, "a", NONE}},
     0,
     0,
     0},
    {"more than the order", {{SHOP, 1, "a", 100}, {RETURNED, 9, "a", -130}}, -30, 0, 0},
    {"a negative order", {{SHOP, 1, "a", 100}, {SHOP, 9, "a", -100}}, 0, 0, 0},
    {"a negative order told again as a refund",
     {{SHOP, 1, "a", 100}, {SHOP, 9, "a", -100}, {REFUNDED, 10, "a", -100}},
     0,
     0,
     0},
    {"without an order id", {{SHOP, 1, "", 100}, {RETURNED, 9, "", -100}}, 0, 100, 1},
    {"of another order", {{SHOP, 1, "a", 100}, {RETURNED, 9, "b", -100}}, 0, 100, 1},
    {"of no order", {{RETURNED, 9, "b", -100}}, -100, 0, 0},
    {"of no order and no value", {{RETURNED, 9, "b", NONE}}, 0, 0, 0},
    {"of no order, told by two sources",
     {{RETURNED, 9, "b", -100}, {REFUNDED, 10, "b", -100}},
     -100,
     0,
     0},
    {"of no order, two of each",
     {{RETURNED, 9, "b", -40},
      {REFUNDED, 10, "b", -40},
      {REFUNDED, 11, "b", -40},
      {RETURNED, 12, "b", -40}},
     -80,
     0,
     0},
    {"of no order, and another amount",
     {{RETURNED, 9, "b", -100}, {REFUNDED, 10, "b", -90}},
     -190,
     0,
     0},
    {"of no order, and more than 90 days later",
     {{RETURNED, 9, "b", -100}, {REFUNDED, 10 + 90 * 24, "b", -100}},
     -200,
     0,
     0},
    {"of no order id, told by two sources",
     {{RETURNED, 9, "", -100}, {REFUNDED, 10, "", -100}},
     -200,
     0,
     0},
    {"of no order, then of one",
     {{RETURNED, 9, "b", -100}, {SHOP, 10, "b", 100}, {REFUNDED, 11, "b", -100}},
     -100,
     0,
     0},
    {"in another currency than its order",
     {{SHOP_EUR, 1, "a", 100}, {RETURNED, 9, "a", -40}, {REFUNDED, 10, "a", -40}},
     60,
     100,
     1},
    {"and its order is told again",
     {{SHOP_EUR, 1, "a", 100}, {RETURNED, 2, "a", -40}, {SHOP_EUR, 3, "a", 10}},
     70,
     110,
     1},
    {"before its order", {{RETURNED, 1, "a", -100}, {SHOP, 9, "a", 100}}, 0, 100, 1},
    {"in the instant of its order", {{SHOP, 1, "a", 100}, {RETURNED, 1, "a", -100}}, 0, 0, 0},
    {"90 days later", {{SHOP, 1, "a", 100}, {RETURNED, 1 + 90 * 24, "a", -100}}, 0, 0, 0},
    {"later than that", {{SHOP, 1, "a", 100}, {RETURNED, 2 + 90 * 24, "a", -100}}, 0, 100, 1},
    {"told in two shipments", {{SHOP, 1, "a", 60}, {SHOP, 2, "a", 40}}, 100, 100, 1},
    {"and returned", {{SHOP, 1, "a", 60}, {SHOP, 2, "a", 40}, {RETURNED, 9, "a", NONE}}, 0, 0, 0},
    {"told by two systems", {{SHOP, 1, "a", 50}, {BACK, 2, "a", 48}}, 50, 50, 1},
    {"the preferred one later", {{SHOP, 1, "a", 50}, {TILL, 2, "a", 48}}, 48, 48, 1},
    {"the preferred one first", {{TILL, 1, "a", 48}, {SHOP, 2, "a", 50}}, 48, 48, 1},
    {"parts of the preferred one",
     {{SHOP, 1, "a", 50}, {TILL, 2, "a", 20}, {TILL, 3, "a", 28}, {SHOP, 4, "a", 5}},
     48,
     48,
     1},
    {"the first that has a value", {{SHOP, 1, "a", NONE}, {BACK, 2, "a", 50}}, 50, 50, 1},
    {"0 is no value of an order", {{SHOP, 1, "a", 0}, {BACK, 2, "a", 50}}, 50, 50, 1},
    {"a copy without a value", {{SHOP, 1, "a", 50}, {BACK, 2, "a", NONE}}, 50, 50, 1},
    {"a day later", {{SHOP, 1, "a", 50}, {BACK, 25, "a", 50}}, 50, 50, 1},
    {"later than that", {{SHOP, 1, "a", 50}, {BACK, 26, "a", 50}}, 100, 100, 2},
    {"measured from the first",
     {{SHOP, 1, "a", 50}, {BACK, 20, "a", 50}, {BACK, 40, "a", 50}},
     100,
     100,
     2},
    {"two orders", {{SHOP, 1, "a", 50}, {SHOP, 2, "b", 50}}, 100, 100, 2},
    {"without ids", {{SHOP, 1, "", 50}, {BACK, 1, "", 50}}, 100, 100, 2},
    {"one source, two currencies", {{SHOP, 1, "a", 50}, {SHOP_EUR, 2, "a", 46}}, 96, 96, 2},
    {"two sources, two currencies", {{BACK, 1, "a", 50}, {SHOP_EUR, 2, "a", 46}}, 50, 50, 1},
    {"returned, then told by another system",
     {{SHOP, 1, "a", 50}, {RETURNED, 2, "a", -50}, {BACK, 3, "a", 50}},
     0,
     0,
     0},
    {"the newest order of an id is returned first",
     {{SHOP, 1, "a", 50}, {SHOP, 99, "a", 70}, {RETURNED, 100, "a", -70}},
     50,
     50,
     1},
};

static void test_histories(void **state)
{
    for (size_t i = 0; i < sizeof histories / sizeof *histories; i++) {
        struct fixture *f = open_fixture();
        struct touch mail = world_touch(f->sent, 0, 999);
        world_set_value(&mail, NONE);
        journey_advance(&f->world.policy, &f->state, &mail, &f->effects);
        for (uint32_t j = 0; histories[i].lines[j].teller; j++)
            pass(f, &histories[i].lines[j], j + 1);
        int64_t sale = goal_sum(f, "sale", 1), own = credited(f, true, 1),
                whole = own + credited(f, false, 1);
        if (sale != histories[i].sale || own != histories[i].own || whole != sale ||
            goal_sum(f, "orders", 0) - goal_sum(f, "orders", 2) != histories[i].orders ||
            f->state.order_count != histories[i].orders || f->effects.missed_window)
            fail_msg("%s: sale %lld, own %lld, whole %lld, orders %lld, order_count %lld",
                     histories[i].says, (long long)sale, (long long)own, (long long)whole,
                     (long long)(goal_sum(f, "orders", 0) - goal_sum(f, "orders", 2)),
                     (long long)f->state.order_count);
        world_close(&f->world);
    }
}

static void test_events_that_are_not_listed(void **state)
{
    struct fixture *f = open_fixture();
    for (int month = 0; month < 12; month++)
        pass(f, &(struct line){LOAN, month, "contract", 10}, (uint32_t)month + 1);
    assert_int_equal(f->state.order_count, 12);
    assert_int_equal(credited(f, false, 1), 120);
    pass(f, &(struct line){RETURNED, 20, "contract", NONE}, 99);
    assert_int_equal(f->state.order_count, 11);
    assert_int_equal(credited(f, false, 1), 110);
    world_close(&f->world);
}

/* The second order on a later day is retention, unless the first was given back. */
static void test_stages_count_what_was_kept(void **state)
{
    static const struct {
        struct line lines[4];
        enum journey_stage stage;
    } rows[] = {
        {{{SHOP, 1, "a", 50}, {SHOP, 30, "b", 50}}, STAGE_RETENTION},
        {{{SHOP, 1, "a", 50}, {RETURNED, 2, "a", -50}, {SHOP, 30, "b", 50}}, STAGE_PURCHASE},
        {{{SHOP, 1, "a", 50}, {RETURNED, 2, "a", -20}, {SHOP, 30, "b", 50}}, STAGE_RETENTION},
        {{{SHOP, 1, "a", 50}, {SHOP, 30, "b", 50}, {RETURNED, 31, "b", -50}}, STAGE_RETENTION},
        {{{SHOP, 1, "a", 60}, {SHOP, 25, "a", 40}}, STAGE_PURCHASE},
        {{{SHOP, 1, "", 50}, {SHOP, 30, "b", 50}}, STAGE_RETENTION},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = open_fixture();
        for (uint32_t j = 0; rows[i].lines[j].teller; j++)
            pass(f, &rows[i].lines[j], j + 1);
        assert_int_equal(f->state.stage, rows[i].stage);
        world_close(&f->world);
    }
}

/* A goal with nth counts one order at a time. */
static void test_nth(void **state)
{
    static const struct {
        struct line lines[5];
        int64_t second_orders;
    } rows[] = {
        {{{SHOP, 1, "a", 5}, {SHOP, 2, "b", 5}, {SHOP, 3, "c", 5}}, 1},
        {{{SHOP, 1, "a", 5}, {RETURNED, 2, "a", -5}, {SHOP, 3, "b", 5}}, 0},
        {{{SHOP, 1, "a", 5}, {RETURNED, 2, "a", -5}, {SHOP, 3, "b", 5}, {SHOP, 4, "c", 5}}, 1},
        {{{SHOP, 1, "a", 5}, {SHOP, 2, "b", 5}, {RETURNED, 3, "b", -5}}, 0},
        {{{SHOP, 1, "a", 5}, {SHOP, 2, "b", 5}, {RETURNED, 3, "b", -5}, {SHOP, 4, "c", 5}}, 1},
        {{{SHOP, 1, "a", 5}, {SHOP, 2, "b", 5}, {RETURNED, 3, "a", -5}, {SHOP, 4, "c", 5}}, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = open_fixture();
        for (uint32_t j = 0; rows[i].lines[j].teller; j++)
            pass(f, &rows[i].lines[j], j + 1);
        assert_int_equal(goal_sum(f, "second_order", 0) - goal_sum(f, "second_order", 2),
                         rows[i].second_orders);
        world_close(&f->world);
    }
}

/* A return is no sign of life and no touch that earns credit. */
static void test_return_changes_no_status(void **state)
{
    struct fixture *f = open_fixture();
    pass(f, &(struct line){RETURNED, 0, "a", -5}, 1);
    assert_int_equal(f->state.journey_number, 0);
    assert_int_equal(f->effects.stages.count, 0);
    pass(f, &(struct line){SHOP, 1, "b", 5}, 2);
    pass(f, &(struct line){RETURNED, 24 * 40, "b", -5}, 3);
    assert_int_equal(f->effects.stages.count, 1);
    assert_true(f->state.last_inbound.at.us == INT64_C(3600) * US_PER_SECOND);
    assert_int_equal(f->state.tail.count, 0);
    world_close(&f->world);
}

/* Of more orders than are remembered the oldest can no longer be returned. */
static void test_memory(void **state)
{
    struct fixture *f = open_fixture();
    char id[16];
    for (int i = 0; i <= POLICY_MAX_ORDERS; i++) {
        snprintf(id, sizeof id, "o%d", i);
        pass(f, &(struct line){SHOP, i, id, 10}, (uint32_t)i + 1);
    }
    pass(f, &(struct line){RETURNED, 100, "o0", -10}, 100);
    assert_int_equal(f->state.order_count, POLICY_MAX_ORDERS + 1);
    pass(f, &(struct line){RETURNED, 101, "o1", -10}, 101);
    assert_int_equal(f->state.order_count, POLICY_MAX_ORDERS);
    assert_int_equal(goal_sum(f, "sale", 1), 10 * (POLICY_MAX_ORDERS - 1));
    world_close(&f->world);
}

/* Nor do returns that find no order drive out an order, or more than so many of them each other. */
static void test_memory_of_returns(void **state)
{
    struct fixture *f = open_fixture();
    char id[16];
    pass(f, &(struct line){SHOP, 0, "a", 10}, 1);
    for (int i = 0; i <= POLICY_MAX_UNKNOWN; i++) {
        snprintf(id, sizeof id, "r%d", i);
        pass(f, &(struct line){RETURNED, i + 1, id, -10}, (uint32_t)i + 2);
    }
    assert_int_equal(goal_sum(f, "sale", 1), 10 - 10 * (POLICY_MAX_UNKNOWN + 1));
    pass(f, &(struct line){REFUNDED, 50, "r1", -10}, 100);
    assert_int_equal(goal_sum(f, "sale", 1), 10 - 10 * (POLICY_MAX_UNKNOWN + 1));
    pass(f, &(struct line){REFUNDED, 51, "r0", -10}, 101);
    assert_int_equal(goal_sum(f, "sale", 1), 10 - 10 * (POLICY_MAX_UNKNOWN + 2));
    pass(f, &(struct line){RETURNED, 52, "a", -10}, 102);
    assert_int_equal(f->state.order_count, 0);
    world_close(&f->world);
}

/* What is returned beyond an order has no margin, also where no touch shares. */
static void test_excess_has_no_margin(void **state)
{
    struct fixture *f = open_fixture();
    struct touch order = world_touch(f->tellers[SHOP], 0, 1);
    world_set_value(&order, 100);
    order.margin_micros = 30;
    world_name_order(&f->world, &order, "a");
    journey_advance(&f->world.policy, &f->state, &order, &f->effects);
    pass(f, &(struct line){RETURNED, 1, "a", -100}, 2);
    pass(f, &(struct line){RETURNED, 2, "a", -25}, 3);
    struct cell cell;
    int64_t with_margin = 0;
    for (size_t i = 0; journey_effects_next(&f->effects, &i, &cell);)
        if (cell.key.family == CELL_CREDIT && (cell.key.dims[8] & CREDIT_HAS_MARGIN))
            with_margin += cell.values[1];
    assert_int_equal(with_margin, 0);
    assert_int_equal(credited(f, false, 1), -25);
    world_close(&f->world);
}

static void test_scope(void **state)
{
    struct fixture *f = open_fixture();
    f->world.policy.orders.by_source = true;
    pass(f, &(struct line){SHOP, 1, "1", 10}, 1);
    pass(f, &(struct line){TILL, 2, "1", 20}, 2);
    assert_int_equal(f->state.order_count, 2);
    pass(f, &(struct line){TILL_RETURNED, 3, "1", NONE}, 3);
    assert_int_equal(goal_sum(f, "sale", 1), 10);
    world_close(&f->world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_histories),
        cmocka_unit_test(test_events_that_are_not_listed),
        cmocka_unit_test(test_stages_count_what_was_kept),
        cmocka_unit_test(test_nth),
        cmocka_unit_test(test_return_changes_no_status),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_memory_of_returns),
        cmocka_unit_test(test_excess_has_no_margin),
        cmocka_unit_test(test_scope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
