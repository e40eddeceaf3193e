/* words_calling_codes_test.c: what a phone number says of its country. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/words/calling_codes.h"

static const struct {
    const char *number, *countries; /* NULL: it says nothing */
} rows[] = {
    {"+49 170 5550123", "DE"},
    {"0049 (0)170 / 5550123", "DE"},
    {"(+44) 20 7946 0000", "GB GG IM JE"},
    {"+7 495 123-45-67", "KZ RU"},
    {"+9771234567", "NP"},
    {"0170 5550123", NULL},
    {"170+5550123", NULL},
    {"+49 12", NULL},
    {"+49 170 5550123 4567", NULL},
    {"+999 1234567", NULL},
    {"+49 170 CALL ME", NULL},
    {"", NULL},
};

static void every_row(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *found = calling_countries(span_of(rows[i].number));
        bool is_right = rows[i].countries ? found && strcmp(found, rows[i].countries) == 0 : !found;
        if (!is_right)
            fail_msg("%s: %s", rows[i].number, found ? found : "nothing");
    }
    const char *found = calling_countries(SPAN("+1 212 555 0100"));
    assert_non_null(found);
    assert_non_null(strstr(found, "CA"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_row)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
