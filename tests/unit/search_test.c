/* search_test.c: the first row whose key is not below. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/search.h"

struct row {
    char other;
    int64_t key;
};

static const struct row rows[] = {{'a', -5}, {'b', 0}, {'c', 0}, {'d', 7}, {'e', INT64_MAX}};

static const struct {
    int64_t key;
    size_t found;
} searched[] = {{INT64_MIN, 0}, {-5, 0}, {-4, 1}, {0, 1}, {1, 3}, {7, 3}, {8, 4}, {INT64_MAX, 4}};

static void the_first_that_is_not_below(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof searched / sizeof *searched; i++)
        assert_int_equal(lower_bound(rows, sizeof rows / sizeof *rows, sizeof *rows,
                                     offsetof(struct row, key), searched[i].key),
                         searched[i].found);
}

static void a_key_is_there_or_not(void **state)
{
    (void)state;
    const size_t count = sizeof rows / sizeof *rows, stride = sizeof *rows;
    assert_true(has_key(rows, count, stride, offsetof(struct row, key), 0));
    assert_true(has_key(rows, count, stride, offsetof(struct row, key), INT64_MAX));
    assert_false(has_key(rows, count, stride, offsetof(struct row, key), 1));
    assert_false(has_key(rows, 4, stride, offsetof(struct row, key), INT64_MAX));
    assert_false(has_key(NULL, 0, stride, offsetof(struct row, key), 0));
}

static void none_is_left(void **state)
{
    (void)state;
    assert_int_equal(lower_bound(rows, 4, sizeof *rows, offsetof(struct row, key), 8), 4);
    assert_int_equal(lower_bound(NULL, 0, sizeof *rows, offsetof(struct row, key), 8), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_that_is_not_below),
        cmocka_unit_test(none_is_left),
        cmocka_unit_test(a_key_is_there_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
