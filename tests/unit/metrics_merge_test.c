/* metrics_merge_test.c: sums of many diffs; which numbered diff is next, repeated or missing; what
 * comes too late for which periods. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/instant.h"
#include "common/words/words.h"
#include "services/metrics-aggregator/logic/late.h"
#include "services/metrics-aggregator/logic/merge.h"
#include "services/metrics-aggregator/logic/sequence.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int by_period_then_lane(const void *a, const void *b)
{
    const struct lane_cell *x = a, *y = b;
    if (x->key.period != y->key.period)
        return x->key.period < y->key.period ? -1 : 1;
    return (x->lane > y->lane) - (x->lane < y->lane);
}

static void sums_by_lane_and_cell(void **state)
{
    static const struct cell first[] = {
        {{CELL_GOAL, 1, {5}}, {2, -7}}, {{CELL_GOAL, 2, {5}}, {1}}, {{CELL_GOAL, 3, {5}}, {9}}};
    static const struct cell second[] = {{{CELL_GOAL, 1, {5}}, {40, 7}},
                                         {{CELL_GOAL, 2, {5}}, {-1}}};
    struct arena arena = {0};
    struct merge merge;
    size_t count;
    merge_init(&merge, &arena);
    assert_int_equal(merge_add(&merge, 0, first, COUNT(first), NULL), OUTCOME_OK);
    assert_int_equal(merge_add(&merge, 0, second, COUNT(second), NULL), OUTCOME_OK);
    assert_int_equal(merge_add(&merge, 1, second, 1, NULL), OUTCOME_OK);
    struct lane_cell *list = merge_list(&merge, &count);
    qsort(list, count, sizeof *list, by_period_then_lane);
    assert_int_equal(count, 3);
    assert_int_equal(list[0].values[0], 42);
    assert_int_equal(list[0].values[1], 0);
    assert_int_equal(list[1].lane, 1);
    assert_int_equal(list[1].values[1], 7);
    assert_int_equal(list[2].key.period, 3);
    assert_int_equal(list[2].values[0], 9);
    arena_free(&arena);
}

/* Rest and quotient of 2^62; nothing is left of a sum that is taken back. */
static void money_leaves_64_bits(void **state)
{
    static const struct cell more = {{CELL_CREDIT, 1, {0}}, {0, INT64_MAX / 2, INT64_MIN / 2 + 1}},
                             less = {{CELL_CREDIT, 1, {0}},
                                     {0, -(INT64_MAX / 2), -(INT64_MIN / 2 + 1)}};
    struct arena arena = {0};
    struct merge merge;
    size_t count;
    merge_init(&merge, &arena);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(merge_add(&merge, 3, &more, 1, NULL), OUTCOME_OK);
    struct lane_cell *list = merge_list(&merge, &count);
    __extension__ __int128 limit = (__int128)1 << 62, want = (__int128)1000 * (INT64_MAX / 2);
    assert_true(list[0].values[1] + list[0].values[6] * limit == want);
    assert_true(list[0].values[2] + list[0].values[7] * limit == -want);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(merge_add(&merge, 3, &less, 1, NULL), OUTCOME_OK);
    merge_list(&merge, &count);
    assert_int_equal(count, 0);
    arena_free(&arena);
}

static void overflow_is_fatal(void **state)
{
    static const struct cell big = {{CELL_STEP, 1, {0}}, {0, 0, INT64_MAX}},
                             one = {{CELL_STEP, 1, {0}}, {0, 0, 1}};
    struct arena arena = {0};
    struct merge merge;
    struct err err = {0};
    merge_init(&merge, &arena);
    assert_int_equal(merge_add(&merge, 3, &big, 1, &err), OUTCOME_OK);
    assert_int_equal(merge_add(&merge, 4, &one, 1, &err), OUTCOME_OK);
    assert_int_equal(merge_add(&merge, 3, &one, 1, &err), OUTCOME_FATAL);
    assert_string_equal(err.code, "sum_overflow");
    arena_free(&arena);
}

/* Walks a sequence with an outbox that has every number; numbers in `more` announce a successor.
 * Writes the steps as text: "5" applied from the topic, "f5" fetched. */
static void walk(struct sequence *sequence, const char *more, char *text)
{
    int64_t last;
    enum sequence_step step;
    while ((step = sequence_step(sequence, &last)) != SEQUENCE_DONE) {
        char number = (char)('0' + sequence->next);
        if (step == SEQUENCE_FETCH)
            *text++ = 'f';
        else
            assert_int_equal(sequence_item(sequence)->seq, sequence->next);
        *text++ = number;
        sequence_advance(sequence, strchr(more, number) != NULL);
    }
    *text = '\0';
}

static void order_of_numbers(void **state)
{
    static const struct {
        const char *rule, *topic, *more;
        int64_t next;
        const char *steps;
        size_t dropped;
    } rows[] = {
        {"in order", "123", "", 1, "123", 0},
        {"nothing new", "12", "", 3, "", 2},
        {"nothing at all", "", "", 3, "", 0},
        {"below is dropped", "123", "", 3, "3", 2},
        {"twice is once", "1122", "", 1, "12", 2},
        {"above: what is missing is fetched", "14", "", 1, "1f2f34", 0},
        {"gap before the first", "3", "", 1, "f1f23", 0},
        {"rest of a transaction is fetched", "12", "234", 1, "12f3f4f5", 0},
        {"a whole transaction", "1234", "12", 1, "1234", 0},
        {"gap inside a transaction", "14", "123", 1, "1f2f34", 0},
        {"fetched numbers announce more", "3", "12345", 1, "f1f23f4f5f6", 0},
        {"repeat of an applied transaction's head", "12", "1", 3, "", 2},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct numbered items[16];
        char steps[64];
        size_t count = strlen(rows[i].topic);
        for (size_t j = 0; j < count; j++)
            items[j] = (struct numbered){rows[i].topic[j] - '0',
                                         strchr(rows[i].more, rows[i].topic[j]) != NULL, NULL};
        qsort(items, count, sizeof *items, numbered_compare);
        struct sequence sequence = {.items = items, .count = count, .next = rows[i].next};
        walk(&sequence, rows[i].more, steps);
        if (strcmp(steps, rows[i].steps) != 0 || sequence.dropped != rows[i].dropped)
            fail_msg("%s: %s, dropped %zu", rows[i].rule, steps, sequence.dropped);
    }
}

static void missing_range_is_named(void **state)
{
    static const struct numbered item = {10, true, NULL};
    struct sequence sequence = {.items = &item, .count = 1, .next = 4};
    int64_t last;
    assert_int_equal(sequence_step(&sequence, &last), SEQUENCE_FETCH);
    assert_int_equal(last, 9);
    sequence.next = 10;
    assert_int_equal(sequence_step(&sequence, &last), SEQUENCE_APPLY);
    sequence_advance(&sequence, true);
    assert_int_equal(sequence_step(&sequence, &last), SEQUENCE_FETCH);
    assert_true(last == INT64_MAX);
}

static void a_period_is_late_once_it_is_closed(void **state)
{
    enum {
        DAY = 1 << PERIOD_DAY,
        WEEK = 1 << PERIOD_WEEK,
        MONTH = 1 << PERIOD_MONTH,
        QUARTER = 1 << PERIOD_QUARTER
    };
    /* 31 March 2026 is a Tuesday: its week ends after its month and its quarter. */
    const int32_t april = day_from_civil(2026, 4, 1);
    static const struct {
        int32_t family, closed; /* days after 1 April */
        unsigned kinds;
    } rows[] = {
        {CELL_GOAL, -1, 0},
        {CELL_GOAL, 0, DAY | MONTH | QUARTER},
        {CELL_GOAL, 4, DAY | MONTH | QUARTER},
        {CELL_GOAL, 5, DAY | WEEK | MONTH | QUARTER},
        {CELL_CREDIT, 5, DAY | WEEK | MONTH | QUARTER},
        {CELL_GOAL_CUSTOMERS, 5, 0},
        {CELL_STATUS, 5, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct cell_key key = {(uint32_t)rows[i].family, april - 1, {0}};
        assert_int_equal(late_kinds(&key, april + rows[i].closed), rows[i].kinds);
    }
    const struct cell_key january = {CELL_GOAL, day_from_civil(2026, 1, 31), {0}};
    assert_int_equal(late_kinds(&january, april - 1), DAY | WEEK | MONTH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_period_is_late_once_it_is_closed),
        cmocka_unit_test(sums_by_lane_and_cell),
        cmocka_unit_test(money_leaves_64_bits),
        cmocka_unit_test(overflow_is_fatal),
        cmocka_unit_test(order_of_numbers),
        cmocka_unit_test(missing_range_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
