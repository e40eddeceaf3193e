/* codec_traits_json_test.c: what is kept of a traits_json: a row per rule of docs/figures.md,
 * Observations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/codec/traits_json.h"
#include "common/words/said.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const kinds[] = {"null", "false", "true"};

/* "name=value " of each member, in their order. */
static const char *shown(struct arena *arena, struct span said)
{
    struct strbuf out = {.arena = arena};
    struct unpack in = unpack_of(said);
    struct said member;
    while (said_next(&in, &member)) {
        strbuf_addf(&out, SPAN_FMT "=", SPAN_ARG(member.name));
        if (member.kind == SAID_NUMBER)
            strbuf_addf(&out, "%lld ", (long long)member.number);
        else if (member.kind == SAID_WORDS)
            strbuf_addf(&out, "'" SPAN_FMT "' ", SPAN_ARG(member.text));
        else
            strbuf_addf(&out, "%s ", kinds[member.kind]);
    }
    assert_false(in.failed);
    return out.len ? out.ptr : "";
}

static const struct {
    const char *json, *kept;
    uint64_t left_out;
} rows[] = {
    {"{\"b\":2,\"a\":\"x\",\"c\":null,\"d\":true,\"e\":false}",
     "a='x' b=2000000 c=null d=true e=false ", 0},
    {" \t\r\n{ \"a\" : 1 , \"b\" : [1,{\"c\":[]},\"\"] , \"c\" : {} } ", "a=1000000 ", 2},
    {"{}", "", 0},
    {"", "", 0},
    {"{\"a\":\" K\\u00f6ln\\n\"}", "a='Köln' ", 0},
    {"{\"a\":\"Ko\\u0308ln\"}", "a='Köln' ", 0},
    {"{\"a\":\"\\ud83d\\ude00 \\\"\\\\\\/\\b\\f\\n\\r\\tx\"}", "a='\U0001F600 \"\\/\b\f\n\r\tx' ",
     0},
    {"{\"a\":\"\",\"b\":\"  \"}", "", 2},
    {"{\"a\":1,\"a\":2}", "a=2000000 ", 0},
    {"{\"a\":1,\"a\":[]}", "", 1},
    {"{\"a b\":1,\"\":2,\"\xc3\xa4\":3,\"\\u0061.b-c_D9\":4}", "a.b-c_D9=4000000 ", 0},
    {"{\"a\":1.5e2,\"b\":0.000001,\"c\":0.0000001,\"d\":1.0000000,\"e\":-0,\"f\":1e400}",
     "a=150000000 b=1 d=1000000 e=0 ", 2},
    {"{\"a\":9223372036854.775807,\"b\":9223372036854.775808,\"c\":-9223372036854.775807}",
     "a=9223372036854775807 c=-9223372036854775807 ", 1},
    {"{\"a\":0e99999999999999999999,\"b\":100E-2,\"c\":1e-99999999999999999999}", "a=0 b=1000000 ",
     1},
    {"[1]", "", 0},
    {"{\"a\":1", "", 0},
    {"{\"a\":1}x", "", 0},
    {"{\"a\":1,}", "", 0},
    {"{\"a\":[1,]}", "", 0},
    {"{a:1}", "", 0},
    {"{\"a\":NaN}", "", 0},
    {"{\"a\":nul}", "", 0},
    {"{\"a\":01}", "", 0},
    {"{\"a\":1.}", "", 0},
    {"{\"a\":-}", "", 0},
    {"{\"a\":1e}", "", 0},
    {"{\"a\":\"\n\"}", "", 0},
    {"{\"a\":\"\\x\"}", "", 0},
    {"{\"a\":1,\"b\":\"\\ud800\"}", "", 0},
    {"{\"a\":1,\"b\":\"\\udc00\\ud800\"}", "", 0},
    {"{\"a\":1,\"b\":\"\\u0000\"}", "", 0},
    {"{\"a\":1,\"b\":\"\xff\"}", "", 0},
};

static void test_rows(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena = {0};
        uint64_t left_out = 0;
        struct span said = traits_json_said(&arena, span_of(rows[i].json), &left_out);
        const char *found = shown(&arena, said);
        if (strcmp(found, rows[i].kept) != 0 || left_out != rows[i].left_out)
            fail_msg("%s: \"%s\", %d left out", rows[i].json, found, (int)left_out);
        assert_true((said.ptr == NULL) == (*rows[i].kept == 0));
        arena_free(&arena);
    }
}

static struct span repeated(struct arena *arena, const char *before, const char *part, int times,
                            const char *after)
{
    struct strbuf out = {.arena = arena};
    strbuf_addf(&out, "%s", before);
    for (int i = 0; i < times; i++)
        strbuf_addf(&out, "%s", part);
    strbuf_addf(&out, "%s", after);
    return strbuf_span(&out);
}

static void test_limits(void **state)
{
    struct arena arena = {0};
    uint64_t left_out = 0;
    struct span text = repeated(&arena, "{\"a\":\"", "x", SAID_TEXT, "\"}");
    assert_true(traits_json_said(&arena, text, &left_out).len > SAID_TEXT);
    text = repeated(&arena, "{\"a\":\"", "x", SAID_TEXT + 1, "\"}");
    assert_int_equal(traits_json_said(&arena, text, &left_out).len, 0);
    assert_int_equal(left_out, 1);
    text = repeated(&arena, "{\"", "k", SAID_NAME, "\":1}");
    assert_true(traits_json_said(&arena, text, &left_out).len > SAID_NAME);
    text = repeated(&arena, "{\"", "k", SAID_NAME + 1, "\":1}");
    assert_int_equal(traits_json_said(&arena, text, &left_out).len, 0);
    text = repeated(&arena, "{\"a\":1,\"b\":", "[", 99, "");
    text = repeated(&arena, arena_printf(&arena, SPAN_FMT, SPAN_ARG(text)), "]", 99, "}");
    assert_string_equal(shown(&arena, traits_json_said(&arena, text, &left_out)), "a=1000000 ");
    text = repeated(&arena, "{\"a\":1,\"b\":", "[", 100, "");
    text = repeated(&arena, arena_printf(&arena, SPAN_FMT, SPAN_ARG(text)), "]", 100, "}");
    assert_int_equal(traits_json_said(&arena, text, &left_out).len, 0);
    arena_free(&arena);
}

static void test_first_64_names(void **state)
{
    struct arena arena = {0};
    struct strbuf text = {.arena = &arena};
    uint64_t left_out = 0, count = 0;
    struct said member, last = {0};
    for (int i = 69; i >= 0; i--)
        strbuf_addf(&text, "%c\"k%03d\":%d", i == 69 ? '{' : ',', i, i);
    strbuf_addf(&text, "}");
    struct unpack in = unpack_of(traits_json_said(&arena, strbuf_span(&text), &left_out));
    for (; said_next(&in, &member); count++)
        last = member;
    assert_int_equal(count, SAID_MEMBERS);
    assert_true(span_is(last.name, "k063"));
    assert_int_equal(left_out, 6);
    arena_free(&arena);
}

static void test_every_cut_is_read_without_harm(void **state)
{
    static const char json[] =
        "{\"a\":\"\\u00e4\\n\",\"b\":[1.5e3,{\"c\":null}],\"d\":-1.25,\"e\":true}";
    for (size_t n = 0; n < sizeof json - 1; n++) {
        struct arena arena = {0};
        uint64_t left_out = 0;
        assert_int_equal(traits_json_said(&arena, (struct span){json, n}, &left_out).len, 0);
        arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_first_64_names),
        cmocka_unit_test(test_every_cut_is_read_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
