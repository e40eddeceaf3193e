/* base_outcome_test.c: filling and prefixing of struct err, also where the text is too long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/outcome.h"

static void set_fills_and_returns(void **state)
{
    struct err err;
    assert_int_equal(err_set(&err, OUTCOME_RETRY, "db_down", "line %d of %s", 7, "x"),
                     OUTCOME_RETRY);
    assert_int_equal(err.outcome, OUTCOME_RETRY);
    assert_string_equal(err.code, "db_down");
    assert_string_equal(err.message, "line 7 of x");
    assert_int_equal(err_set(NULL, OUTCOME_REJECT, "c", "m"), OUTCOME_REJECT);
    assert_int_equal(OUTCOME_OK, 0);
}

static void prefix_goes_before(void **state)
{
    struct err err;
    err_set(&err, OUTCOME_FATAL, "c", "inner");
    assert_int_equal(err_prefix(&err, "file %s", "a"), OUTCOME_FATAL);
    assert_string_equal(err.message, "file a: inner");
    assert_string_equal(err.code, "c");
    err_prefix(&err, "%s", "");
    assert_string_equal(err.message, ": file a: inner");
}

/* Whatever the lengths, the message ends inside its array and begins with the prefix. */
static void long_texts_are_cut(void **state)
{
    char text[1000];
    for (size_t message = 0; message < 600; message += 7)
        for (size_t prefix = 0; prefix < 300; prefix += 11) {
            struct err err;
            memset(&err, 0x7F, sizeof err);
            memset(text, 'm', sizeof text);
            text[message] = '\0';
            err_set(&err, OUTCOME_FATAL, "c", "%s", text);
            memset(text, 'p', sizeof text);
            text[prefix] = '\0';
            err_prefix(&err, "%s", text);
            size_t p = prefix < 199 ? prefix : 199, m = message < 479 ? message : 479;
            size_t total = p + 2 + m < 479 ? p + 2 + m : 479;
            assert_int_equal(strnlen(err.message, sizeof err.message), total);
            assert_int_equal(strspn(err.message, "p"), p);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_fills_and_returns),
        cmocka_unit_test(prefix_goes_before),
        cmocka_unit_test(long_texts_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
