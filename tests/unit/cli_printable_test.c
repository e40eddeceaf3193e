/* cli_printable_test.c: what producers and operators typed does not steer the terminal that shows
 * it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/printable.h"

static void hidden_characters_are_escaped(void **state)
{
    static const struct {
        struct span in;
        const char *out;
    } rows[] = {
        {SPAN(""), ""},
        {SPAN("Product Viewed"), "Product Viewed"},
        {SPAN("Jäger \xE6\x97\xA5 \xF0\x9F\x98\x80"), "Jäger \xE6\x97\xA5 \xF0\x9F\x98\x80"},
        {SPAN("a\x1b[31mb"), "a\\u001b[31mb"},
        {SPAN("a\nb\tc\x7f"), "a\\u000ab\\u0009c\\u007f"},
        {SPAN("a\0b"), "a\\u0000b"},
        {SPAN("\xC2\x9B"
              "31m"),
         "\\u009b31m"},                                /* the one-character form of ESC [ */
        {SPAN("\xC2\xA0"), "\xC2\xA0"},                /* no-break space */
        {SPAN("jane\xE2\x80\xAE@x"), "jane\\u202e@x"}, /* right-to-left override */
        {SPAN("\xE2\x81\xA6x\xE2\x81\xA9"), "\\u2066x\\u2069"},         /* isolates */
        {SPAN("ja\xE2\x80\x8Bne\xEF\xBB\xBF"), "ja\\u200bne\\ufeff"},   /* no width at all */
        {SPAN("\xE2\x80\x8D\xE2\x80\x8C"), "\xE2\x80\x8D\xE2\x80\x8C"}, /* joiners */
        /* Hebrew is no trick */
        {SPAN("\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D"), "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D"},
    };
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(printable(&arena, rows[i].in), rows[i].out);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(hidden_characters_are_escaped)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
