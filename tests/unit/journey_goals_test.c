/* journey_goals_test.c: customers of days, weeks, months and quarters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/words/periods.h"
#include "tests/support/journey_world.h"

static struct journey_world world;
static struct journey_effects effects;
static const struct shape *order, *page;

static int open_world(void **state)
{
    world_open(&world);
    journey_effects_init(&effects, &world.arena);
    order = world_event(&world, "Order Completed");
    page = world_event(&world, "Page");
    return 0;
}

static int close_world(void **state)
{
    world_close(&world);
    return 0;
}

static struct instant at(const char *text)
{
    struct instant t;
    assert_true(instant_parse(span_of(text), &t));
    return t;
}

static int32_t day(const char *date)
{
    return instant_day(at(date), 0);
}

/* Orders of one customer at these times, oldest first; ends with NULL. */
static void customer(const char *const *times)
{
    struct journey_state state;
    journey_state_init(&state, &world.arena);
    for (uint32_t i = 0; times[i]; i++) {
        struct touch touch = world_touch(order, at(times[i]).us, i + 1);
        world_set_value(&touch, 1);
        journey_advance(&world.policy, &state, &touch, &effects);
    }
}

/* Customers of the goal in the period of this kind that begins on the date. */
static int64_t customers(const char *goal, enum period_kind kind, const char *date)
{
    struct cell cell;
    int64_t sum = 0;
    int32_t from = day(date);
    assert_int_equal(period_start(kind, from), from);
    for (size_t i = 0; journey_effects_next(&effects, &i, &cell);)
        if (cell.key.family == CELL_GOAL_CUSTOMERS &&
            cell.key.dims[0] == world_code(&world, span_of(goal)) && cell.key.dims[2] == kind &&
            cell.key.period >= from && cell.key.period < period_end(kind, from))
            sum += cell.values[0];
    return sum;
}

static const char *const a[] = {"2026-03-30", "2026-03-31", "2026-04-02", NULL};
static const char *const b[] = {"2026-04-05", NULL};
static const char *const c[] = {"2026-03-29", NULL};
static const char *const both[] = {"2026-03-30", "2026-03-31", "2026-04-02", "2026-04-05", NULL};

static void w1_who_buys_twice_in_a_period_is_one_customer(void **state)
{
    customer(a);
    customer(b);
    customer(c);
    assert_int_equal(customers("sale", PERIOD_DAY, "2026-03-30"), 1);
    assert_int_equal(customers("sale", PERIOD_DAY, "2026-03-31"), 1);
    assert_int_equal(customers("sale", PERIOD_WEEK, "2026-03-30"), 2);
    assert_int_equal(customers("sale", PERIOD_WEEK, "2026-03-23"), 1);
    assert_int_equal(customers("sale", PERIOD_MONTH, "2026-03-01"), 2);
    assert_int_equal(customers("sale", PERIOD_MONTH, "2026-04-01"), 2);
    assert_int_equal(customers("sale", PERIOD_QUARTER, "2026-01-01"), 2);
    assert_int_equal(customers("sale", PERIOD_QUARTER, "2026-04-01"), 2);
}

static void w2_two_who_are_one_are_one_customer(void **state)
{
    customer(both);
    customer(c);
    assert_int_equal(customers("sale", PERIOD_WEEK, "2026-03-30"), 1);
    assert_int_equal(customers("sale", PERIOD_WEEK, "2026-03-23"), 1);
    assert_int_equal(customers("sale", PERIOD_MONTH, "2026-03-01"), 2);
    assert_int_equal(customers("sale", PERIOD_MONTH, "2026-04-01"), 1);
    assert_int_equal(customers("sale", PERIOD_QUARTER, "2026-04-01"), 1);
}

static void a_goal_counts_the_windows_that_it_names(void **state)
{
    customer(a);
    assert_int_equal(customers("orders", PERIOD_WEEK, "2026-03-30"), 1);
    assert_int_equal(customers("orders", PERIOD_MONTH, "2026-03-01"), 0);
    assert_int_equal(customers("profit", PERIOD_WEEK, "2026-03-30"), 0);
    assert_int_equal(customers("profit", PERIOD_DAY, "2026-03-30"), 1);
}

/* The clocks of New York change on 8 March and 1 November 2026. */
static void d1_a_day_is_that_of_the_reporting_zone(void **state)
{
    static struct instant changes[2];
    static const int32_t offsets[] = {-4 * 3600, -5 * 3600};
    static const char *const times[] = {"2026-03-08T04:59:00Z",
                                        "2026-03-08T05:01:00Z",
                                        "2026-03-09T03:59:00Z",
                                        "2026-03-09T04:01:00Z",
                                        "2026-11-01T05:30:00Z",
                                        "2026-11-01T06:30:00Z",
                                        NULL};
    changes[0] = at("2026-03-08T07:00:00Z");
    changes[1] = at("2026-11-01T06:00:00Z");
    world.policy.zone = (struct zone){-5 * 3600, 2, changes, offsets};
    customer(times);
    assert_int_equal(customers("sale", PERIOD_DAY, "2026-03-07"), 1);
    assert_int_equal(customers("sale", PERIOD_DAY, "2026-03-08"), 1);
    assert_int_equal(customers("sale", PERIOD_DAY, "2026-03-09"), 1);
    assert_int_equal(customers("sale", PERIOD_DAY, "2026-11-01"), 1);
    assert_int_equal(customers("sale", PERIOD_WEEK, "2026-03-02"), 1); /* to Sunday, 8 March */
    assert_int_equal(customers("sale", PERIOD_WEEK, "2026-03-09"), 1);
    assert_int_equal(customers("sale", PERIOD_MONTH, "2026-03-01"), 1);
    assert_int_equal(zone_hour(&world.policy.zone, at(times[4])), 1);
    assert_int_equal(zone_hour(&world.policy.zone, at(times[5])), 1);
}

static void d2_a_week_across_the_new_year_is_one_week(void **state)
{
    static const char *const times[] = {"2026-12-31", "2027-01-02", NULL};
    customer(times);
    assert_int_equal(customers("sale", PERIOD_WEEK, "2026-12-28"), 1);
    assert_int_equal(customers("sale", PERIOD_MONTH, "2026-12-01"), 1);
    assert_int_equal(customers("sale", PERIOD_MONTH, "2027-01-01"), 1);
    assert_int_equal(customers("sale", PERIOD_QUARTER, "2026-10-01"), 1);
    assert_int_equal(customers("sale", PERIOD_QUARTER, "2027-01-01"), 1);
}

static void periods_end_where_the_next_ones_begin(void **state)
{
    for (int32_t today = day("2023-12-01"); today < day("2028-03-02"); today++)
        for (int kind = PERIOD_DAY; kind < PERIOD_COUNT; kind++) {
            enum period_kind k = (enum period_kind)kind;
            int32_t end = period_end(k, today);
            assert_true(period_start(k, today) <= today && today < end);
            assert_int_equal(period_start(k, end - 1), period_start(k, today));
            assert_int_equal(period_start(k, end), end);
        }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(w1_who_buys_twice_in_a_period_is_one_customer),
        TEST(w2_two_who_are_one_are_one_customer),
        TEST(a_goal_counts_the_windows_that_it_names),
        TEST(d1_a_day_is_that_of_the_reporting_zone),
        TEST(d2_a_week_across_the_new_year_is_one_week),
        TEST(periods_end_where_the_next_ones_begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
