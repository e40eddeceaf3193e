/* bus_order_test.c: the merge by record timestamp: order, ties, waiting, giving up, bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/bus/order.h"

static size_t dropped;

static void drop(void *item)
{
    dropped++;
}

static struct order *order_of(size_t lanes, size_t max_items, size_t max_bytes)
{
    struct order *order = order_new(max_items, max_bytes);
    order_reset(order, lanes, drop);
    dropped = 0;
    return order;
}

/* Items are their own numbers, so that a test can name them. */
static void push(struct order *order, size_t lane, int64_t timestamp, uintptr_t number)
{
    order_push(order, lane, timestamp, (void *)number, 10);
}

static void expect(struct order *order, size_t wanted_lane, uintptr_t wanted)
{
    size_t lane = 99;
    assert_int_equal((uintptr_t)order_pop(order, &lane), wanted);
    assert_int_equal(lane, wanted_lane);
}

static void expect_none(struct order *order)
{
    size_t lane;
    assert_null(order_pop(order, &lane));
}

static void oldest_first_ties_to_the_lower_lane(void **state)
{
    struct order *order = order_of(3, 100, 10000);
    push(order, 2, 5, 25);
    push(order, 1, 5, 15);
    push(order, 0, 7, 7);
    push(order, 1, 6, 16);
    for (size_t lane = 0; lane < 3; lane++)
        order_end(order, lane);
    expect(order, 1, 15);
    expect(order, 2, 25);
    expect(order, 1, 16);
    expect(order, 0, 7);
    expect_none(order);
    assert_true(order_is_drained(order));
    order_free(order, drop);
}

static void an_empty_lane_is_waited_for_until_its_end_is_known(void **state)
{
    struct order *order = order_of(2, 100, 10000);
    push(order, 0, 1, 1);
    push(order, 0, 3, 3);
    assert_true(order_is_waiting(order));
    assert_true(order_is_waited_for(order, 1));
    expect_none(order);
    push(order, 1, 2, 2);
    expect(order, 0, 1);
    expect(order, 1, 2);
    expect_none(order); /* lane 1 is empty again and may have more */
    order_end(order, 1);
    expect(order, 0, 3);
    assert_true(order_is_waiting(order)); /* for lane 0 */
    assert_false(order_is_drained(order));
    order_end(order, 0);
    assert_true(order_is_drained(order));
    order_free(order, drop);
}

static void an_end_mark_before_the_last_item_is_taken_counts(void **state)
{
    struct order *order = order_of(2, 100, 10000);
    push(order, 0, 1, 1);
    order_end(order, 0);
    push(order, 1, 2, 2);
    push(order, 1, 3, 3);
    expect(order, 0, 1);
    expect(order, 1, 2);
    push(order, 0, 9, 9); /* the end mark is void: more may follow */
    expect(order, 1, 3);
    order_end(order, 1);
    expect(order, 0, 9);
    assert_true(order_is_waiting(order));
    order_free(order, drop);
}

static void a_lane_given_up_is_waited_for_again_once_it_delivers(void **state)
{
    struct order *order = order_of(3, 100, 10000);
    push(order, 0, 10, 10);
    push(order, 0, 30, 30);
    assert_int_equal(order_give_up(order), 2);
    expect(order, 0, 10);
    push(order, 1, 20, 20);
    expect(order, 1, 20);
    expect_none(order);
    assert_int_equal(order_give_up(order), 1); /* lane 1 only: lane 2 was given up before */
    expect(order, 0, 30);
    assert_false(order_is_drained(order));
    order_free(order, drop);
}

static void the_budget_bounds_all_lanes_but_never_an_empty_one(void **state)
{
    struct order *order = order_of(2, 3, 1000);
    for (uintptr_t i = 1; i <= 3; i++) {
        assert_true(order_has_room(order, 0));
        push(order, 0, (int64_t)i, i);
    }
    assert_false(order_has_room(order, 0));
    assert_true(order_has_room(order, 1));
    push(order, 1, 2, 22);
    assert_false(order_has_room(order, 1));
    assert_int_equal(order_count(order), 4);
    order_free(order, drop);
    order = order_of(1, 100, 25);
    push(order, 0, 1, 1);
    push(order, 0, 2, 2);
    assert_true(order_has_room(order, 0));
    push(order, 0, 3, 3);
    assert_false(order_has_room(order, 0));
    assert_int_equal(order_bytes(order), 30);
    order_free(order, drop);
    assert_int_equal(dropped, 3);
}

static void the_second_half_of_the_budget_is_for_lanes_that_are_behind(void **state)
{
    struct order *order = order_of(2, 8, 10000);
    push(order, 0, 100, 1);
    push(order, 1, 1000, 2);
    order_balance(order);
    assert_true(order_has_room(order, 0));
    assert_true(order_has_room(order, 1)); /* plenty left */
    push(order, 0, 110, 3);
    push(order, 1, 1100, 4);
    order_balance(order);
    assert_true(order_has_room(order, 0));
    assert_false(order_has_room(order, 1)); /* reaches far beyond lane 0 */
    push(order, 0, 2000, 5);
    order_balance(order);
    assert_false(order_has_room(order, 0));
    assert_true(order_has_room(order, 1));
    order_free(order, drop);
}

static void reset_drops_everything_and_starts_anew(void **state)
{
    struct order *order = order_of(2, 100, 10000);
    push(order, 0, 1, 1);
    push(order, 1, 2, 2);
    expect(order, 0, 1);
    order_reset(order, 5, drop);
    assert_int_equal(dropped, 1);
    assert_int_equal(order_count(order), 0);
    assert_int_equal(order_bytes(order), 0);
    for (size_t lane = 0; lane < 5; lane++)
        assert_true(order_is_waited_for(order, lane));
    order_reset(order, 0, drop);
    assert_true(order_is_drained(order));
    expect_none(order);
    order_free(order, drop);
}

/* Skewed lanes of very different rates, fed only where there is room, as the consumer does it. */
struct feed {
    int64_t at, step;
    size_t left;
};

static void feed_lanes(struct order *order, struct feed *feeds, size_t lanes, unsigned *random)
{
    order_balance(order);
    for (size_t lane = 0; lane < lanes; lane++) {
        for (unsigned n = (unsigned)rand_r(random) % 40; n > 0 && order_has_room(order, lane);
             n--) {
            if (feeds[lane].left == 0) {
                order_end(order, lane);
                break;
            }
            feeds[lane].left--;
            feeds[lane].at += feeds[lane].step * (rand_r(random) % 3);
            push(order, lane, feeds[lane].at, (uintptr_t)feeds[lane].at + 1);
        }
    }
}

static void random_lanes_of_different_rates_come_out_sorted(void **state)
{
    for (unsigned seed = 1; seed <= 50; seed++) {
        enum { LANES = 9 };
        unsigned random = seed;
        struct order *order = order_of(LANES, 200, 1 << 20);
        struct feed feeds[LANES];
        size_t total = 0, taken = 0, lane = 0;
        for (size_t i = 0; i < LANES; i++) {
            feeds[i] = (struct feed){.step = 1 + (int64_t)(i * i * 10), .left = 5000 / (1 + i * i)};
            total += feeds[i].left;
        }
        uintptr_t last = 0, item;
        while (!order_is_drained(order)) {
            feed_lanes(order, feeds, LANES, &random);
            assert_true(order_count(order) <= 200 + LANES);
            while ((item = (uintptr_t)order_pop(order, &lane))) {
                if (item < last)
                    fail_msg("seed %u: %lu after %lu", seed, (unsigned long)item,
                             (unsigned long)last);
                last = item;
                taken++;
            }
        }
        assert_int_equal(taken, total);
        order_free(order, drop);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(oldest_first_ties_to_the_lower_lane),
        cmocka_unit_test(an_empty_lane_is_waited_for_until_its_end_is_known),
        cmocka_unit_test(an_end_mark_before_the_last_item_is_taken_counts),
        cmocka_unit_test(a_lane_given_up_is_waited_for_again_once_it_delivers),
        cmocka_unit_test(the_budget_bounds_all_lanes_but_never_an_empty_one),
        cmocka_unit_test(the_second_half_of_the_budget_is_for_lanes_that_are_behind),
        cmocka_unit_test(reset_drops_everything_and_starts_anew),
        cmocka_unit_test(random_lanes_of_different_rates_come_out_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
