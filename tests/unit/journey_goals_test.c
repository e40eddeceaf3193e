/* journey_goals_test.c: customers of days, weeks, months and quarters, and the funnel of a month.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/words/periods.h"
#include "tests/support/journey_world.h"

static struct journey_world world;
static struct journey_effects effects;
static const struct shape *order, *page, *viewed, *review;

static int open_world(void **state)
{
    world_open(&world);
    journey_effects_init(&effects, &world.arena);
    order = world_event(&world, "Order Completed");
    page = world_event(&world, "Page");
    viewed = world_event(&world, "Product Viewed");
    review = world_event(&world, "Review Submitted");
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

/* ---- the funnel ---- */
enum { MOST = 8 };
struct journey {
    struct touch items[MOST];
    size_t count;
};

static void add(struct journey *journey, const struct shape *shape, const char *date)
{
    assert_true(journey->count < MOST);
    struct touch touch = world_touch(shape, at(date).us, (uint32_t)journey->count + 1);
    world_set_value(&touch, shape == order ? 1 : MICROS_ABSENT);
    journey->items[journey->count++] = touch;
}

/* Takes the place of `before`, as a late event does. */
static void replace(const struct journey *before, const struct journey *after)
{
    struct journey_state old, new;
    journey_state_init(&old, &world.arena);
    journey_state_init(&new, &world.arena);
    const struct journey_side sides[] = {{&old, before->items, before->count},
                                         {&new, after->items, after->count}};
    journey_rederive(&world.policy, &sides[0], &sides[1], &effects);
}

static void assert_stage(const char *month, enum journey_stage stage, int64_t reached,
                         int64_t passed_over, int64_t days)
{
    const struct cell_key key = {CELL_FUNNEL, day(month), {stage}};
    int64_t found[3] = {0};
    struct cell cell;
    for (size_t i = 0; journey_effects_next(&effects, &i, &cell);)
        if (memcmp(&cell.key, &key, sizeof key) == 0)
            memcpy(found, cell.values, sizeof found);
    if (found[0] != reached || found[1] != passed_over || found[2] != days * 86400)
        fail_msg("%s %s: %lld reached, %lld passed over, %lld s", month, stage_word(stage),
                 (long long)found[0], (long long)found[1], (long long)found[2]);
}

static const struct journey nobody;

static struct journey first_journey(const char *late)
{
    struct journey one = {.count = 0};
    if (late)
        add(&one, page, late);
    add(&one, page, "2026-01-05");
    add(&one, order, "2026-01-09");
    add(&one, order, "2026-03-01");
    return one;
}

static void f1_a_rise_counts_for_every_stage_on_the_way(void **state)
{
    struct journey one = first_journey(NULL), two = {.count = 0}, three = {.count = 0},
                   four = {.count = 0};
    add(&two, page, "2026-01-20");
    add(&two, viewed, "2026-02-01");
    add(&three, order, "2026-01-31");
    add(&four, page, "2026-02-02");
    replace(&nobody, &one);
    replace(&nobody, &two);
    replace(&nobody, &three);
    replace(&nobody, &four);
    assert_stage("2026-01-01", STAGE_INQUIRY, 3, 1, 0);
    assert_stage("2026-01-01", STAGE_CONSIDERATION, 3, 2, 16);
    assert_stage("2026-01-01", STAGE_PURCHASE, 2, 0, 4);
    assert_stage("2026-01-01", STAGE_ONBOARDING, 1, 1, 55);
    assert_stage("2026-01-01", STAGE_RETENTION, 1, 0, 55);
    assert_stage("2026-01-01", STAGE_LOYALTY, 0, 0, 0);
    assert_stage("2026-02-01", STAGE_INQUIRY, 1, 0, 0);
    assert_stage("2026-02-01", STAGE_CONSIDERATION, 0, 0, 0);
}

static void f2_a_late_touch_before_the_first_moves_the_journey(void **state)
{
    struct journey before = first_journey(NULL), after = first_journey("2025-12-30");
    replace(&nobody, &before);
    replace(&before, &after);
    for (int stage = STAGE_INQUIRY; stage < STAGE_COUNT; stage++)
        assert_stage("2026-01-01", (enum journey_stage)stage, 0, 0, 0);
    assert_stage("2025-12-01", STAGE_INQUIRY, 1, 0, 0);
    assert_stage("2025-12-01", STAGE_CONSIDERATION, 1, 1, 10);
    assert_stage("2025-12-01", STAGE_PURCHASE, 1, 0, 10);
    assert_stage("2025-12-01", STAGE_ONBOARDING, 1, 1, 61);
    assert_stage("2025-12-01", STAGE_RETENTION, 1, 0, 61);
}

static void the_start_is_forgotten_where_nothing_is_higher(void **state)
{
    struct journey_state s;
    struct journey one = {.count = 0};
    journey_state_init(&s, &world.arena);
    add(&one, page, "2026-01-05");
    add(&one, review, "2026-01-06");
    add(&one, page, "2027-02-01");
    journey_advance(&world.policy, &s, &one.items[0], NULL);
    assert_non_null(s.funnel);
    journey_advance(&world.policy, &s, &one.items[1], NULL);
    assert_null(s.funnel);
    journey_advance(&world.policy, &s, &one.items[2], NULL); /* a new journey */
    assert_true(s.funnel && s.funnel->start.us == one.items[2].key.at.us);
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
        TEST(f1_a_rise_counts_for_every_stage_on_the_way),
        TEST(f2_a_late_touch_before_the_first_moves_the_journey),
        TEST(the_start_is_forgotten_where_nothing_is_higher),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
