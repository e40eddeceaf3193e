/* codec_items_json_test.c: what is read of the lines of an order: a row per rule of
 * docs/figures.md, tutti.fct_conversion_lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/pack.h"
#include "common/codec/items_json.h"
#include "common/words/order_lines.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The text with `|` for what separates parts and `;` for what ends a line. */
static const char *shown(struct arena *arena, struct span text)
{
    char *out = arena_printf(arena, SPAN_FMT, SPAN_ARG(text));
    for (char *at = out; *at; at++)
        *at = *at == ORDER_LINE_SEPARATOR ? '|' : *at == '\n' ? ';' : *at;
    return out;
}

static const struct {
    const char *json, *lines, *amounts;
} rows[] = {
    {"[{\"product_id\":\"p\",\"category\":\"food/fruit\",\"quantity\":2,\"value\":3.5,"
     "\"margin\":-0.25}]",
     "p|food/fruit;", "2000000|3500000|-250000;"},
    {"[{\"sku\":\"s\"},{\"item_id\":7,\"item_category\":\"c\"},{\"product_category\":1.50}]",
     "s|;7|c;|1.50;", ""},
    {"[{\"product_id\":\"\",\"sku\":null,\"item_id\":\"i\"}]", "i|;", ""},
    {"[{\"product_id\":\"a\\u001fb\",\"sku\":true}]", "", ""},
    {"[{\"color\":\"red\"},7,[1],null,{\"value\":1},{},{\"sku\":\"a\"}]", ";;;;;;a|;",
     ";;;;|1000000|;"},
    {"[]", "", ""},
    {"", "", ""},
    /* money */
    {"[{\"price\":\"19.99\",\"quantity\":3}]", "", "3000000|59970000|;"},
    {"[{\"price\":2,\"quantity\":\"many\"}]", "", "|2000000|;"},
    {"[{\"value\":\"ten\",\"price\":2}]", "", "|2000000|;"},
    {"[{\"value\":0,\"price\":2}]", "", "|0|;"},
    {"[{\"value\":1,\"value\":2}]", "", "|2000000|;"},
    {"[{\"value\":true,\"margin\":\"1e3\"}]", "", ""},
    {"[{\"value\":1e3,\"margin\":-1.5E-1}]", "", "|1000000000|-150000;"},
    {"[{\"value\":0.0000005,\"margin\":-0.0000005,\"quantity\":0.00000049999}]", "", "0|1|-1;"},
    {"[{\"price\":0.000001,\"quantity\":0.5},{\"price\":-0.000001,\"quantity\":0.5}]", "",
     "500000|1|;500000|-1|;"},
    /* more digits than a double has */
    {"[{\"value\":8999999999999.123457,\"margin\":1234567890123.000001}]", "",
     "|8999999999999123457|1234567890123000001;"},
    {"[{\"value\":9000000000000,\"margin\":9000000000000.000001}]", "", "|9000000000000000000|;"},
    {"[{\"value\":1e400,\"margin\":12345678901234567890}]", "", ""},
    {"[{\"value\":-9223372036854.775808,\"margin\":0e99999999999}]", "", "||0;"},
    {"[{\"price\":9000000000000,\"quantity\":-9000000000000}]", "", "-9000000000000000000||;"},
    {"[{\"value\":\"007.10\",\"margin\":\" 1\",\"quantity\":\"1.\"}]", "", "|7100000|;"},
};

static void test_rows(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena = {0};
        struct items items = items_json_read(&arena, span_of(rows[i].json));
        const char *lines = shown(&arena, items.lines), *amounts = shown(&arena, items.amounts);
        if (items.is_unreadable || strcmp(lines, rows[i].lines) != 0 ||
            strcmp(amounts, rows[i].amounts) != 0)
            fail_msg("%s: \"%s\" \"%s\"", rows[i].json, lines, amounts);
        assert_true((items.lines.ptr == NULL) == (*rows[i].lines == 0));
        assert_true((items.amounts.ptr == NULL) == (*rows[i].amounts == 0));
        arena_free(&arena);
    }
}

static void test_no_list(void **state)
{
    static const char *const texts[] = {
        "{\"sku\":\"a\"}",
        "{\"items\":[{\"sku\":\"a\"}]}",
        "7",
        "null",
        " ",
        "[{\"sku\":\"a\"}",
        "[{\"sku\":\"a\"},]",
        "[{\"sku\":\"a\"}]x",
        "[{\"sku\":\"a\",\"value\":01}]",
        "[{\"sku\":\"a\",\"value\":NaN}]",
        "[{\"sku\":\"\\ud800\"}]",
        "[{\"sku\":\"a\xff\"}]",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct arena arena = {0};
        struct items items = items_json_read(&arena, span_of(texts[i]));
        if (!items.is_unreadable || items.lines.len + items.amounts.len > 0)
            fail_msg("%s", texts[i]);
        arena_free(&arena);
    }
}

static void test_first_64_entries(void **state)
{
    struct arena arena = {0};
    struct strbuf text = {.arena = &arena};
    struct order_line line;
    size_t count = 0;
    for (int i = 0; i < 70; i++)
        strbuf_addf(&text, "%c{\"sku\":%d,\"value\":1}", i ? ',' : '[', i);
    strbuf_addf(&text, "]");
    struct items items = items_json_read(&arena, strbuf_span(&text));
    for (struct span rest = items.lines; order_line_next(&rest, &line);)
        count++;
    assert_int_equal(count, 64);
    assert_int_equal(items.amounts.len, 64 * strlen("|1000000|;"));
    arena_free(&arena);
}

static void test_lines_that_name_nothing_are_passed_over(void **state)
{
    struct span rest = SPAN("\n\na\x1f\n\n\x1f"
                            "c\n");
    struct order_line line;
    assert_true(order_line_next(&rest, &line) && span_is(line.product_id, "a"));
    assert_true(order_line_next(&rest, &line) && span_is(line.category, "c"));
    assert_false(order_line_next(&rest, &line));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_no_list),
        cmocka_unit_test(test_first_64_entries),
        cmocka_unit_test(test_lines_that_name_nothing_are_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
