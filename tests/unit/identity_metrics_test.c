/* identity_metrics_test.c: what an alert is made from survives the transactions after it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "services/identity-resolver/resolver_metrics.h"

enum { MAX_IDENTIFIERS = 100 };

static void the_largest_profile_is_that_of_all_transactions(void **state)
{
    static const struct {
        size_t size, largest, large;
    } rows[] = {{20, 20, 0}, {50, 50, 0}, {51, 51, 1}, {60, 60, 2},
                {20, 60, 2}, {0, 60, 2},  {55, 60, 3}};
    struct resolver_metrics metrics;
    resolver_metrics_open(&metrics);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct committed_change change = {.counts.largest_profile = rows[i].size};
        resolver_metrics_add(&metrics, &change, MAX_IDENTIFIERS);
        assert_int_equal(metric_value(metrics.largest), rows[i].largest);
        assert_int_equal(metric_value(metrics.large), rows[i].large);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_profile_is_that_of_all_transactions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
