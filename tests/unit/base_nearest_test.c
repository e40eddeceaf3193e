/* base_nearest_test.c: which of some names is the nearest, and which is too far away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/nearest.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void the_nearest_name_within_the_bound(void **state)
{
    static const struct {
        const char *rule, *wanted;
        unsigned most;
        const char *names[3], *nearest;
        unsigned distance;
    } rows[] = {
        {"one letter off", "emial", 3, {"phone", "email", "mail"}, "email", 2},
        {"the first of two at one distance", "cat", 3, {"bat", "hat"}, "bat", 1},
        {"the name itself", "email", 0, {"mail", "email"}, "email", 0},
        {"just near enough", "abcd", 3, {"awxy"}, "awxy", 3},
        {"too far away", "abcd", 3, {"wxyz"}, NULL, 3},
        {"without a bound", "abcd", NEAREST_ANY, {"uvwxyz"}, "uvwxyz", 6},
        {"no names", "abcd", 3, {NULL}, NULL, 3},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct nearest nearest = nearest_start(span_of(rows[i].wanted), rows[i].most);
        for (size_t j = 0; j < 3 && rows[i].names[j]; j++)
            nearest_consider(&nearest, span_of(rows[i].names[j]));
        if (!span_equal(nearest.name, span_of(rows[i].nearest)) ||
            nearest.distance != rows[i].distance)
            fail_msg("%s: " SPAN_FMT " at %u", rows[i].rule, SPAN_ARG(nearest.name),
                     nearest.distance);
    }
}

static void names_of_more_than_64_bytes_are_near_only_without_a_bound(void **state)
{
    static const char text[65] = {'x'};
    struct span unlike = {text, 65};
    struct nearest bounded = nearest_start(SPAN("x"), 3),
                   any = nearest_start(SPAN("x"), NEAREST_ANY);
    nearest_consider(&bounded, unlike);
    nearest_consider(&any, unlike);
    assert_null(bounded.name.ptr);
    assert_ptr_equal(any.name.ptr, text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_name_within_the_bound),
        cmocka_unit_test(names_of_more_than_64_bytes_are_near_only_without_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
