/* runtime_log_test.c: the lines on stderr in both forms, from any bytes, and the limit of repeats.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <cmocka.h>

#include "common/runtime/log.h"
#include "common/runtime/log_limit.h"
#include "common/runtime/log_text.h"

enum { TEXT = 65536 };

static FILE *captured;
static int saved_stderr;
static char text[TEXT];

static void capture(void)
{
    captured = tmpfile();
    saved_stderr = dup(STDERR_FILENO);
    dup2(fileno(captured), STDERR_FILENO);
}

static const char *captured_text(void)
{
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    rewind(captured);
    text[fread(text, 1, TEXT - 1, captured)] = '\0';
    fclose(captured);
    return text;
}

static size_t count_of(const char *in, const char *part)
{
    size_t count = 0;
    for (const char *at = in; (at = strstr(at, part)); at += strlen(part))
        count++;
    return count;
}

static void json_line(void **state)
{
    capture();
    log_open("identity-resolver", "info", "json");
    log_event(LOG_WARN, "db_down", "message", "no \"route\"\n", "offset", log_int(-42), "partition",
              NULL, NULL);
    const char *line = captured_text();
    json_error_t error;
    json_t *root = json_loads(line, 0, &error);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "level")), "warn");
    assert_string_equal(json_string_value(json_object_get(root, "event")), "db_down");
    assert_string_equal(json_string_value(json_object_get(root, "service")), "identity-resolver");
    assert_string_equal(json_string_value(json_object_get(root, "message")), "no \"route\"\n");
    assert_int_equal(json_integer_value(json_object_get(root, "offset")), -42);
    assert_true(json_is_null(json_object_get(root, "partition")));
    assert_int_equal(strlen(json_string_value(json_object_get(root, "time"))), 27);
    assert_int_equal(count_of(line, "\n"), 1);
    json_decref(root);
}

static void logfmt_line(void **state)
{
    capture();
    log_open("suppression", "info", "logfmt");
    log_event(LOG_INFO, "started", "path", "/etc/x", "message", "two words", "empty", "", "n",
              log_int(7), "absent", NULL, NULL);
    const char *line = captured_text();
    assert_true(strncmp(line, "time=2", 6) == 0);
    assert_non_null(strstr(line, "Z level=info event=started service=suppression path=/etc/x "
                                 "message=\"two words\" empty=\"\" n=7 absent=null\n"));
}

static void auto_is_json_where_stderr_is_no_terminal(void **state)
{
    capture();
    log_open("s", "info", "auto");
    log_event(LOG_INFO, "x", NULL);
    assert_int_equal(captured_text()[0], '{');
}

static void levels(void **state)
{
    static const struct {
        const char *level;
        size_t lines;
    } rows[] = {{"debug", 4}, {"info", 3}, {"warn", 2}, {"error", 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        capture();
        log_open("s", rows[i].level, "json");
        for (int level = LOG_DEBUG; level <= LOG_ERROR; level++)
            log_event((enum log_level)level, "x", NULL);
        assert_int_equal(count_of(captured_text(), "\n"), rows[i].lines);
        assert_int_equal(log_enabled(LOG_DEBUG), i == 0);
        assert_true(log_enabled(LOG_ERROR));
    }
}

static void quoting(void **state)
{
    static const struct {
        struct span in;
        const char *json, *logfmt;
    } rows[] = {
        {SPAN(""), "\"\"", "\"\""},
        {SPAN("a-b"), "\"a-b\"", "a-b"},
        {SPAN("a b"), "\"a b\"", "\"a b\""},
        {SPAN("a=b"), "\"a=b\"", "\"a=b\""},
        {SPAN("\"\\\b\f\n\r\t"), "\"\\\"\\\\\\b\\f\\n\\r\\t\"", "\"\\\"\\\\\\b\\f\\n\\r\\t\""},
        {SPAN("\0\x01\x1F\x7F"), "\"\\u0000\\u0001\\u001f\\u007f\"",
         "\"\\u0000\\u0001\\u001f\\u007f\""},
        {SPAN("\xC3\xBC\xF0\x9F\x98\x80"), "\"\xC3\xBC\xF0\x9F\x98\x80\"",
         "\"\xC3\xBC\xF0\x9F\x98\x80\""},
        {SPAN("\xFF"
              "a"),
         "\"\xEF\xBF\xBD"
         "a\"",
         "\"\xEF\xBF\xBD"
         "a\""},
        {SPAN("\xC3"), "\"\xEF\xBF\xBD\"", "\"\xEF\xBF\xBD\""},
        {SPAN("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"",
         "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct strbuf out = {0};
        json_quote(&out, rows[i].in);
        assert_string_equal(out.ptr, rows[i].json);
        strbuf_reset(&out);
        logfmt_value(&out, rows[i].in);
        assert_string_equal(out.ptr, rows[i].logfmt);
        strbuf_free(&out);
    }
}

/* Every pair of bytes, and random longer ones, give JSON that a strict reader accepts. */
static void any_bytes_give_valid_json(void **state)
{
    uint32_t seed = 7;
    for (unsigned i = 0; i < 65536 + 20000; i++) {
        char bytes[16] = {(char)(i >> 8), (char)i};
        size_t n = 2;
        for (; i >= 65536 && n < sizeof bytes; n++)
            bytes[n] = (char)((seed = seed * 1664525u + 1013904223u) >> 24);
        struct strbuf out = {0};
        json_quote(&out, (struct span){bytes, n});
        json_t *value = json_loadb(out.ptr, out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        if (value == NULL)
            fail_msg("bytes %u", i);
        json_decref(value);
        strbuf_free(&out);
    }
}

static void at_most_ten_per_second_and_kind(void **state)
{
    struct log_limit limit = {0};
    struct log_limit_slot due;
    for (int i = 0; i < 25; i++)
        assert_int_equal(log_limit_pass(&limit, LOG_WARN, "a", 1000 + i), i < LOG_LIMIT_BURST);
    assert_true(log_limit_pass(&limit, LOG_WARN, "b", 1100));
    assert_true(log_limit_pass(&limit, LOG_ERROR, "a", 1100));
    assert_false(log_limit_due(&limit, 1000 + 999999, &due));
    assert_true(log_limit_due(&limit, 1000 + 1000000, &due));
    assert_string_equal(due.event, "a");
    assert_int_equal(due.level, LOG_WARN);
    assert_int_equal(due.suppressed, 15);
    assert_false(log_limit_due(&limit, INT64_MAX, &due));
    assert_true(log_limit_pass(&limit, LOG_WARN, "a", 1000 + 1000000));
}

static void many_kinds_of_events(void **state)
{
    struct log_limit limit = {0};
    struct log_limit_slot due;
    char name[32];
    for (int i = 0; i < 12; i++)
        log_limit_pass(&limit, LOG_INFO, "kept", 5);
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "event_%d", i);
        assert_true(log_limit_pass(&limit, LOG_INFO, name, 10 + i));
    }
    assert_true(log_limit_due(&limit, INT64_MAX, &due));
    assert_string_equal(due.event, "kept");
    assert_int_equal(due.suppressed, 2);
}

static void what_is_suppressed_is_summed_up(void **state)
{
    capture();
    log_open("s", "info", "json");
    for (int i = 0; i < 500; i++)
        log_event(LOG_ERROR, "noise", "i", log_int(i), NULL);
    log_flush();
    log_flush();
    const char *lines = captured_text();
    size_t written = count_of(lines, "\"event\":\"noise\""), sum = 0;
    for (const char *at = lines; (at = strstr(at, "\"suppressed_event\":\"noise\",\"count\":"));) {
        at += strlen("\"suppressed_event\":\"noise\",\"count\":");
        sum += strtoul(at, NULL, 10);
    }
    /* Nothing is lost from the count, even where the machine needed more than a second. */
    assert_int_equal(written + sum, 500);
    assert_true(written >= LOG_LIMIT_BURST && written < 500);
}

static void numbers_rotate(void **state)
{
    const char *first = log_int(1);
    for (int i = 2; i <= 8; i++)
        log_int(i);
    assert_string_equal(first, "1");
    assert_string_equal(log_int(INT64_MIN), "-9223372036854775808");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_line),
        cmocka_unit_test(logfmt_line),
        cmocka_unit_test(auto_is_json_where_stderr_is_no_terminal),
        cmocka_unit_test(levels),
        cmocka_unit_test(quoting),
        cmocka_unit_test(any_bytes_give_valid_json),
        cmocka_unit_test(at_most_ten_per_second_and_kind),
        cmocka_unit_test(many_kinds_of_events),
        cmocka_unit_test(what_is_suppressed_is_summed_up),
        cmocka_unit_test(numbers_rotate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
