/* codec_preferences_json_test.c: what is kept of preferences_json, and what is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/arena.h"
#include "common/codec/preferences_json.h"
#include "common/words/preferences.h"

static struct arena arena;

static int tear_down(void **state)
{
    arena_free(&arena);
    return 0;
}

/* Fields end with | here, lines with a blank. */
static void expect(const char *json, const char *kept, size_t unreadable)
{
    size_t count = 0;
    struct span text = preferences_json_kept(&arena, span_of(json), &count);
    char *shown = arena_alloc(&arena, text.len + 1);
    for (size_t i = 0; i < text.len; i++)
        shown[i] = text.ptr[i] == 0x1f ? '|' : text.ptr[i] == '\n' ? ' ' : text.ptr[i];
    shown[text.len] = 0;
    assert_string_equal(shown, kept);
    if (count != unreadable)
        fail_msg("%s: %zu unreadable", json, count);
}

static void every_key(void **state)
{
    expect("{\"time_zone\":\"Europe/Berlin\"}", "time_zone|Europe/Berlin| ", 0);
    expect("{\"hours\":{\"from\":\"18:00\",\"to\":\"20:30\"}}", "hours|18:00|20:30| ", 0);
    expect("{\"limit\":{\"count\":0,\"per\":\"P7D\"}}", "limit|0|P7D| ", 0);
    expect("{\"limit\":{\"count\":2,\"per\":\"P365D\",\"channels\":[\"E-Mail\"]}}",
           "limit|2|P365D|E-Mail| ", 0);
    expect("{\"channels\":[\"sms\",\"email\"]}", "channels|sms|email| ", 0);
    expect("{\"pause\":{\"until\":\"2027-03-01T01:00:00+01:00\",\"channels\":[\"email\",\"sms\"]}}",
           "pause|2027-03-01T00:00:00.000000Z|email|sms| ", 0);
    expect("{\"pause\":{\"until\":\"2027-03-01\"}}", "pause|2027-03-01| ", 0);
}

/* In one order, whatever the order of the text: the same is kept of the same. */
static void keys_have_one_order(void **state)
{
    expect("{\"pause\":null,\"time_zone\":\"UTC\",\"limit\":null}", "time_zone|UTC| limit| pause| ",
           0);
}

static void what_cannot_be_read_is_left_out(void **state)
{
    static const char *const unreadable[] = {
        "{\"timezone\":\"UTC\"}",
        "{\"time_zone\":\"\"}",
        "{\"time_zone\":7}",
        "{\"time_zone\":\"a\\nb\"}",
        "{\"hours\":{\"from\":\"8:00\",\"to\":\"20:00\"}}",
        "{\"hours\":{\"from\":\"08:00\",\"to\":\"24:00\"}}",
        "{\"hours\":{\"from\":\"08:00\"}}",
        "{\"limit\":{\"count\":1001,\"per\":\"P7D\"}}",
        "{\"limit\":{\"count\":-1,\"per\":\"P7D\"}}",
        "{\"limit\":{\"count\":1,\"per\":\"PT23H\"}}",
        "{\"limit\":{\"count\":1,\"per\":\"P366D\"}}",
        "{\"limit\":{\"count\":1,\"per\":\"P7D\",\"channels\":[]}}",
        "{\"limit\":3}",
        "{\"channels\":[]}",
        "{\"channels\":[null]}",
        "{\"pause\":{\"until\":\"March\"}}",
        "{\"pause\":{\"until\":\"2027-02-30\"}}",
        "{\"pause\":{\"until\":null}}",
        "{\"pause\":{\"until\":\"2027-03-01\",\"chanels\":[\"email\"]}}",
        "[]",
        "{",
    };
    for (size_t i = 0; i < sizeof unreadable / sizeof *unreadable; i++)
        expect(unreadable[i], "", 1);
    expect("{\"hours\":7,\"channels\":[\"sms\"],\"color\":\"red\"}", "channels|sms| ", 2);
    expect("{}", "", 0);
    expect("", "", 0);
}

static void lines_are_read_back(void **state)
{
    size_t ignored = 0;
    struct preference pause;
    struct span field, text = preferences_json_kept(
                           &arena,
                           SPAN("{\"pause\":{\"until\":\"2027-03-01\",\"channels\":[\"sms\"]},"
                                "\"hours\":null}"),
                           &ignored);
    assert_true(preferences_pause(text));
    assert_true(preference_find(text, SPAN("pause"), &pause));
    assert_true(preference_field(&pause, &field) && span_is(field, "2027-03-01"));
    assert_true(preference_field(&pause, &field) && span_is(field, "sms"));
    assert_false(preference_field(&pause, &field));
    assert_true(preference_find(text, SPAN("hours"), &pause));
    assert_false(preference_field(&pause, &field));
    assert_false(preference_find(text, SPAN("limit"), &pause));
    assert_false(preferences_pause(preferences_json_kept(
        &arena, SPAN("{\"pause\":null,\"hours\":{\"from\":\"08:00\",\"to\":\"09:00\"}}"),
        &ignored)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_key, tear_down),
        cmocka_unit_test_teardown(keys_have_one_order, tear_down),
        cmocka_unit_test_teardown(what_cannot_be_read_is_left_out, tear_down),
        cmocka_unit_test_teardown(lines_are_read_back, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
