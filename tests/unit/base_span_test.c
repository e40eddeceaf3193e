/* base_span_test.c: one row per rule of span.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/span.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void clean_utf8(void **state)
{
    static const struct {
        const char *rule;
        struct span text;
        bool clean;
    } rows[] = {
        {"absent", {NULL, 0}, true},
        {"empty", SPAN(""), true},
        {"ASCII", SPAN("a touchpoint of some length"), true},
        {"lowest of two bytes", SPAN("\xC2\x80"), true},
        {"lowest of three bytes", SPAN("\xE0\xA0\x80"), true},
        {"below the surrogates", SPAN("\xED\x9F\xBF"), true},
        {"above the surrogates", SPAN("\xEE\x80\x80"), true},
        {"lowest of four bytes", SPAN("\xF0\x90\x80\x80"), true},
        {"highest code point", SPAN("\xF4\x8F\xBF\xBF"), true},
        {"mixed after eight ASCII bytes",
         SPAN("12345678\xC3\xBC"
              "12345678"),
         true},
        {"NUL", SPAN("a\0b"), false},
        {"NUL in a word of eight",
         SPAN("1234567\0"
              "12345678"),
         false},
        {"lone continuation", SPAN("\x80"), false},
        {"overlong two", SPAN("\xC0\xAF"), false},
        {"overlong two, C1", SPAN("\xC1\xBF"), false},
        {"overlong three", SPAN("\xE0\x9F\xBF"), false},
        {"overlong four", SPAN("\xF0\x8F\xBF\xBF"), false},
        {"lowest surrogate", SPAN("\xED\xA0\x80"), false},
        {"highest surrogate", SPAN("\xED\xBF\xBF"), false},
        {"above U+10FFFF", SPAN("\xF4\x90\x80\x80"), false},
        {"F5", SPAN("\xF5\x80\x80\x80"), false},
        {"FF", SPAN("\xFF"), false},
        {"cut two", SPAN("\xC3"), false},
        {"cut three", SPAN("\xE2\x82"), false},
        {"cut four", SPAN("\xF0\x9F\x98"), false},
        {"third byte no continuation",
         SPAN("\xE2\x82"
              "a"),
         false},
        {"fourth byte no continuation",
         SPAN("\xF0\x9F\x98"
              "a"),
         false},
        {"bad at the end of a long text", SPAN("0123456789abcdef0123456\x80"), false},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (span_is_clean_utf8(rows[i].text) != rows[i].clean)
            fail_msg("%s", rows[i].rule);
}

/* Every code point encoded by the definition is clean, except NUL and surrogates. */
static void every_code_point(void **state)
{
    for (uint32_t c = 1; c <= 0x110000; c++) {
        char b[4];
        size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        for (size_t i = n; i-- > 1;)
            b[i] = (char)(0x80 | ((c >> (6 * (n - 1 - i))) & 0x3F));
        b[0] = (char)(n == 1 ? c : (0xF00u >> n & 0xFF) | (c >> (6 * (n - 1))));
        bool expected = c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF);
        if (span_is_clean_utf8((struct span){b, n}) != expected)
            fail_msg("U+%04X", c);
    }
}

static void equality_and_order(void **state)
{
    static const struct {
        struct span a, b;
        int order;
    } rows[] = {
        {SPAN(""), SPAN(""), 0},          {{NULL, 0}, SPAN(""), 0},     {SPAN("a"), SPAN("a"), 0},
        {SPAN("a"), SPAN("b"), -1},       {SPAN("b"), SPAN("a"), 1},    {SPAN("a"), SPAN("aa"), -1},
        {SPAN("aa"), SPAN("a"), 1},       {SPAN("\x80"), SPAN("a"), 1}, {{NULL, 0}, SPAN("a"), -1},
        {SPAN("a\0a"), SPAN("a\0b"), -1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int c = span_compare(rows[i].a, rows[i].b);
        assert_int_equal((c > 0) - (c < 0), rows[i].order);
        assert_int_equal(span_equal(rows[i].a, rows[i].b), rows[i].order == 0);
    }
    assert_true(span_is(SPAN("kafka"), "kafka"));
    assert_false(span_is(SPAN("kafka"), "kafk"));
    assert_null(span_of(NULL).ptr);
}

static void trim(void **state)
{
    static const struct {
        struct span in;
        const char *out;
    } rows[] = {
        {SPAN(""), ""},   {SPAN(" \t\r\n\v\f"), ""}, {SPAN(" a b "), "a b"},
        {SPAN("a"), "a"}, {SPAN("\r\na\n"), "a"},    {SPAN("\xC2\xA0"), "\xC2\xA0"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_true(span_is(span_trim(rows[i].in), rows[i].out));
    assert_int_equal(span_trim(SPAN_NONE).len, 0);
}

static void distance(void **state)
{
    static const struct {
        const char *a, *b;
        unsigned distance;
    } rows[] = {
        {"", "", 0},           {"", "abc", 3},           {"abc", "", 3},
        {"flush", "flush", 0}, {"flush", "flsh", 1},     {"flush", "flushs", 1},
        {"flush", "flash", 1}, {"kitten", "sitting", 3}, {"ab", "ba", 2},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(span_distance(span_of(rows[i].a), span_of(rows[i].b)), rows[i].distance);
        assert_int_equal(span_distance(span_of(rows[i].b), span_of(rows[i].a)), rows[i].distance);
    }
    char text[65];
    memset(text, 'x', sizeof text);
    assert_int_equal(span_distance((struct span){text, 64}, (struct span){text, 64}), 0);
    assert_int_equal(span_distance((struct span){text, 65}, SPAN("x")), 255);
}

static void fields_are_taken_one_by_one(void **state)
{
    struct span rest = SPAN("a,,bc,");
    assert_true(span_is(span_take(&rest, ','), "a"));
    assert_int_equal(span_take(&rest, ',').len, 0);
    assert_true(span_is(span_take(&rest, ','), "bc"));
    assert_int_equal(rest.len, 0);
    struct span none = SPAN_NONE;
    assert_null(span_take(&none, ',').ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_taken_one_by_one),
        cmocka_unit_test(clean_utf8),
        cmocka_unit_test(every_code_point),
        cmocka_unit_test(equality_and_order),
        cmocka_unit_test(trim),
        cmocka_unit_test(distance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
