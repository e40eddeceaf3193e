/* runtime_telemetry_test.c: the exposition text, and that promtool finds nothing to say about it.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/runtime/telemetry.h"

static void assert_line(const char *text, const char *line)
{
    size_t n = strlen(line);
    for (const char *at = text; (at = strstr(at, line)); at += n)
        if ((at == text || at[-1] == '\n') && at[n] == '\n')
            return;
    fail_msg("no line \"%s\" in\n%s", line, text);
}

static size_t occurrences(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        count++;
    return count;
}

static void counters_and_gauges(void **state)
{
    struct metric *ok = metric_counter("records_processed_total", "topic=\"t\",result=\"ok\"",
                                       "Records \\ processed\nby result.");
    struct metric *late =
        metric_counter("records_processed_total", "topic=\"t\",result=\"late\"", "ignored");
    struct metric *up = metric_gauge("db_up", "", "1 while the database answers.");
    metric_add(ok, 2);
    metric_add(ok, 1);
    metric_add(late, 0.5);
    metric_set(up, 1);
    assert_ptr_equal(
        metric_counter("records_processed_total", "topic=\"t\",result=\"ok\"", "again"), ok);
    assert_true(metric_value(ok) == 3 && metric_value(late) == 0.5 && metric_value(up) == 1);
    char *text = telemetry_render();
    assert_line(text, "# HELP tutti_records_processed_total Records \\\\ processed\\nby result.");
    assert_line(text, "# TYPE tutti_records_processed_total counter");
    assert_line(text, "tutti_records_processed_total{topic=\"t\",result=\"ok\"} 3");
    assert_line(text, "tutti_records_processed_total{topic=\"t\",result=\"late\"} 0.5");
    assert_line(text, "# TYPE tutti_db_up gauge");
    assert_line(text, "tutti_db_up 1");
    assert_int_equal(occurrences(text, "# TYPE tutti_records_processed_total "), 1);
    free(text);
}

static void histograms(void **state)
{
    static const double bounds[] = {0.1, 1, 10};
    struct metric *h = metric_histogram("event_delay_seconds", "topic=\"t\"", "Delay.", bounds, 3);
    metric_observe(h, 0.1);
    metric_observe(h, 0.5);
    metric_observe(h, 11);
    metric_observe(h, -1);
    struct metric *usual = metric_histogram("batch_seconds", "", "Time of one batch.", NULL, 0);
    metric_observe(usual, 0.003);
    assert_true(metric_value(h) == 4 && metric_value(usual) == 1);
    char *text = telemetry_render();
    assert_line(text, "# TYPE tutti_event_delay_seconds histogram");
    assert_line(text, "tutti_event_delay_seconds_bucket{topic=\"t\",le=\"0.1\"} 2");
    assert_line(text, "tutti_event_delay_seconds_bucket{topic=\"t\",le=\"1\"} 3");
    assert_line(text, "tutti_event_delay_seconds_bucket{topic=\"t\",le=\"10\"} 3");
    assert_line(text, "tutti_event_delay_seconds_bucket{topic=\"t\",le=\"+Inf\"} 4");
    assert_line(text, "tutti_event_delay_seconds_sum{topic=\"t\"} 10.6");
    assert_line(text, "tutti_event_delay_seconds_count{topic=\"t\"} 4");
    assert_line(text, "tutti_batch_seconds_bucket{le=\"0.0025\"} 0");
    assert_line(text, "tutti_batch_seconds_bucket{le=\"0.005\"} 1");
    assert_line(text, "tutti_batch_seconds_bucket{le=\"60\"} 1");
    free(text);
}

static void numbers(void **state)
{
    static const struct {
        double value;
        const char *line;
    } rows[] = {
        {0, "tutti_number 0"},
        {-1.5, "tutti_number -1.5"},
        {1e300, "tutti_number 1e+300"},
        {123456789012345, "tutti_number 123456789012345"},
        {9007199254740993.0, "tutti_number 9007199254740992"},
        {0.1, "tutti_number 0.1"},
        {1.0 / 3, "tutti_number 0.3333333333333333"},
        {(double)INFINITY, "tutti_number +Inf"},
        {-(double)INFINITY, "tutti_number -Inf"},
        {(double)NAN, "tutti_number NaN"},
    };
    struct metric *number = metric_gauge("number", "", "A number.");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        metric_set(number, rows[i].value);
        char *text = telemetry_render();
        assert_line(text, rows[i].line);
        free(text);
    }
    metric_set(number, 0);
}

static void labels(void **state)
{
    static const struct {
        const char *labels, *line;
    } rows[] = {
        {"a=\"\"", "tutti_labelled{a=\"\"} 0"},
        {"a=\"x\\\"\\\\\\n\"", "tutti_labelled{a=\"x\\\"\\\\\\n\"} 0"},
        {"a=\"x\"} 1\ntutti_evil{b=\"y\"",
         "tutti_labelled{malformed=\"a=\\\"x\\\"} 1\\ntutti_evil{b=\\\"y\\\"\"} 0"},
        {"a=\"x", "tutti_labelled{malformed=\"a=\\\"x\"} 0"},
        {"a=\"x\",", "tutti_labelled{malformed=\"a=\\\"x\\\",\"} 0"},
        {"a=\"\\q\"", "tutti_labelled{malformed=\"a=\\\"\\\\q\\\"\"} 0"},
        {"A=\"x\"", "tutti_labelled{malformed=\"A=\\\"x\\\"\"} 0"},
        {"a=\"\xFF\"", "tutti_labelled{malformed=\"?\"} 0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        metric_gauge("labelled", rows[i].labels, "Labels.");
        char *text = telemetry_render();
        assert_line(text, rows[i].line);
        free(text);
    }
}

static void made_labels(void **state)
{
    char text[64] = "", small[12] = "";
    metric_label(text, sizeof text, "type", "a\"b\\c\nd");
    assert_string_equal(metric_label(text, sizeof text, "n", "\xFF"),
                        "type=\"a\\\"b\\\\c\\nd\",n=\"?\"");
    metric_label(small, sizeof small, "a", "1");
    assert_string_equal(metric_label(small, sizeof small, "b", "123456"), "a=\"1\"");
}

static double value_of(const char *text, const char *name)
{
    char line[128];
    snprintf(line, sizeof line, "\n%s ", name);
    const char *at = strstr(text, line);
    assert_non_null(at);
    return strtod(at + strlen(line), NULL);
}

static void process_and_build(void **state)
{
    char *text = telemetry_render();
    assert_non_null(strstr(text, "tutti_build_info{version=\""));
    double fds = value_of(text, "process_open_fds");
    assert_true(value_of(text, "process_cpu_seconds_total") > 0);
    assert_true(value_of(text, "process_resident_memory_bytes") > 100000);
    double start = value_of(text, "process_start_time_seconds");
    assert_true(start > 1.6e9 && start <= (double)time(NULL) + 2 &&
                start > (double)time(NULL) - 3600);
    assert_true(fds >= 3 && value_of(text, "process_max_fds") >= fds);
    free(text);
    int fd = dup(STDOUT_FILENO);
    text = telemetry_render();
    assert_true(value_of(text, "process_open_fds") == fds + 1);
    free(text);
    close(fd);
}

/* Registers series of every type and lets promtool lint the text. Where promtool is missing, the
 * test says so. */
static void promtool_agrees(void **state)
{
    if (system("command -v promtool >/dev/null 2>&1") != 0) {
        print_message("promtool is not installed\n");
        skip();
    }
    metric_gauge("kafka_consumer_lag", "topic=\"a.b.v1\",partition=\"0\"", "Records not yet read.");
    metric_gauge("oldest_unpublished_seconds", "", "Age of the oldest row of the outbox.");
    metric_counter("kafka_rebalances_total", "", "Assignments received.");
    /* pclose gives the status of promtool: 3 where the linter has anything to say. */
    FILE *to = popen("promtool check metrics", "w");
    char *text = telemetry_render();
    fputs(text, to);
    free(text);
    assert_int_equal(WEXITSTATUS(pclose(to)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_and_gauges),
        cmocka_unit_test(histograms),
        cmocka_unit_test(numbers),
        cmocka_unit_test(labels),
        cmocka_unit_test(made_labels),
        cmocka_unit_test(process_and_build),
        cmocka_unit_test(promtool_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
