/* base_zone_test.c: files of time zones made for one question each, and what their clocks show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/pack.h"
#include "common/base/tzif.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct arena arena;

static int release(void **state)
{
    arena_reset(&arena);
    return 0;
}

static void put_header(struct strbuf *out, char version, uint32_t leaps, uint32_t times,
                       uint32_t types)
{
    strbuf_addf(out, "TZif");
    pack_byte(out, (uint8_t)version);
    strbuf_add(out, (char[15]){0}, 15);
    pack_be32(out, 0);
    pack_be32(out, 0);
    pack_be32(out, leaps);
    pack_be32(out, times);
    pack_be32(out, types);
    pack_be32(out, 4);
}

static void put_type(struct strbuf *out, int32_t offset)
{
    pack_be32(out, (uint32_t)offset);
    pack_be16(out, 0);
}

/* A file with this rule and, unless `at` is INT64_MIN, one change from -05:00 to +01:00. */
static struct span file(char version, int64_t at, const char *rule)
{
    const uint32_t times = at != INT64_MIN;
    struct strbuf out = {.arena = &arena};
    put_header(&out, version, 0, 0, 1);
    put_type(&out, 0);
    strbuf_add(&out, "UTC", 4);
    put_header(&out, version, 0, times, 2);
    if (times) {
        pack_be64(&out, (uint64_t)at);
        pack_byte(&out, 1);
    }
    put_type(&out, -5 * 3600);
    put_type(&out, 3600);
    strbuf_add(&out, "ABC", 4);
    strbuf_addf(&out, "\n%s\n", rule);
    return strbuf_span(&out);
}

static struct zone ruled(const char *rule)
{
    struct zone zone;
    struct err err = {0};
    if (tzif_read(&arena, file('3', INT64_MIN, rule), &zone, &err) != OUTCOME_OK)
        fail_msg("%s: %s", rule, err.message);
    return zone;
}

static struct instant at(const char *text)
{
    struct instant t = {0};
    assert_true(instant_parse(span_of(text), &t));
    return t;
}

static void assert_instant(struct instant t, const char *expected)
{
    char text[32];
    instant_format(t, text);
    text[19] = 'Z';
    text[20] = 0;
    assert_string_equal(text, expected);
}

#define NEW_YORK "EST5EDT,M3.2.0,M11.1.0"
#define HAVANA   "CST5CDT,M3.2.0/0,M11.1.0/1"
#define NUUK     "<-02>2<-01>,M3.5.0/-1,M10.5.0/0"

static void rules_hold_at_both_sides_of_a_change(void **state)
{
    static const struct {
        const char *rule, *at;
        int32_t offset;
    } rows[] = {
        {"UTC0", "2026-06-01T00:00:00Z", 0},
        {"<+0530>-5:30", "2026-06-01T00:00:00Z", 19800},
        {"<-00>+1:02:03", "2026-06-01T00:00:00Z", -3723},
        {NEW_YORK, "2026-03-08T06:59:59Z", -18000},
        {NEW_YORK, "2026-03-08T07:00:00Z", -14400},
        {NEW_YORK, "2026-11-01T05:59:59Z", -14400},
        {NEW_YORK, "2026-11-01T06:00:00Z", -18000},
        {NEW_YORK, "2100-07-01T00:00:00Z", -14400},
        /* The southern summer goes over the new year. */
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-01-01T00:00:00Z", 39600},
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-07-01T00:00:00Z", 36000},
        /* A change on the day before, by a negative time. */
        {NUUK, "2026-03-29T00:59:59Z", -7200},
        {NUUK, "2026-03-29T01:00:00Z", -3600},
        /* Half an hour of summer, days of the year with and without 29 February. */
        {"AAA-10BBB-10:30,J60,J300", "2024-02-29T15:59:59Z", 36000},
        {"AAA-10BBB-10:30,J60,J300", "2024-02-29T16:00:00Z", 37800},
        {"AAA-10BBB-10:30,59,J300", "2024-02-28T16:00:00Z", 37800},
        {"AAA-10BBB-10:30,59,J300", "2023-02-28T16:00:00Z", 37800},
        /* Summer time all year round. */
        {"EST5EDT,0/0,J365/25", "2026-01-01T05:00:00Z", -14400},
        {"EST5EDT,0/0,J365/25", "2026-07-01T00:00:00Z", -14400},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct zone zone = ruled(rows[i].rule);
        int32_t offset = zone_offset(&zone, at(rows[i].at));
        if (offset != rows[i].offset)
            fail_msg("%s at %s: %d", rows[i].rule, rows[i].at, offset);
    }
}

static void a_rule_follows_the_last_change(void **state)
{
    struct zone zone;
    int64_t change = at("2026-05-01").us / US_PER_SECOND;
    assert_int_equal(tzif_read(&arena, file('2', change, "A-1"), &zone, NULL), OUTCOME_REJECT);
    assert_int_equal(
        tzif_read(&arena, file('2', change, "CET-1CEST,M3.5.0,M10.5.0/3"), &zone, NULL),
        OUTCOME_OK);
    assert_int_equal(zone.first, -18000);
    assert_int_equal(zone_offset(&zone, at("2026-04-15")), -18000);
    assert_int_equal(zone_offset(&zone, at("2026-05-01")), 3600);
    assert_int_equal(zone_offset(&zone, at("2026-12-01")), 3600);
    assert_int_equal(zone_offset(&zone, at("2027-05-01")), 7200);
}

static void a_file_of_version_1_has_short_times_and_no_rule(void **state)
{
    struct strbuf out = {.arena = &arena};
    struct zone zone;
    put_header(&out, 0, 0, 2, 2);
    pack_be32(&out, (uint32_t)-100);
    pack_be32(&out, 100);
    strbuf_add(&out, "\1\0", 2);
    put_type(&out, -3600);
    put_type(&out, 7200);
    strbuf_add(&out, "ABC", 4);
    assert_int_equal(tzif_read(&arena, strbuf_span(&out), &zone, NULL), OUTCOME_OK);
    assert_int_equal(zone.count, 2);
    assert_int_equal(zone_offset(&zone, (struct instant){-101 * US_PER_SECOND}), -3600);
    assert_int_equal(zone_offset(&zone, (struct instant){-100 * US_PER_SECOND}), 7200);
    assert_int_equal(zone_offset(&zone, (struct instant){100 * US_PER_SECOND}), -3600);
}

static void other_files_are_refused(void **state)
{
    static const char *const rules[] = {
        "",
        "E5",
        "EST",
        "EST5EDT",
        "EST5EDT,M3.2.0",
        "EST5EDT,,",
        "EST26",
        "EST5EDT4,M13.1.0,M11.1.0",
        "EST5EDT,M3.0.0,M11.1.0",
        "EST5EDT,M3.2.7,M11.1.0",
        "EST5EDT,J0,J300",
        "EST5EDT,366,J300",
        "EST5EDT,J1/168,J300",
        "EST5 ",
        "<EST5",
        "EST5:60",
    };
    struct zone zone;
    struct span good = file('4', 0, NEW_YORK);
    for (size_t i = 1; i < COUNT(rules); i++)
        if (tzif_read(&arena, file('2', 0, rules[i]), &zone, NULL) != OUTCOME_REJECT)
            fail_msg("accepted: %s", rules[i]);
    assert_int_equal(tzif_read(&arena, file('2', 0, rules[0]), &zone, NULL), OUTCOME_OK);
    for (size_t length = 0; length < good.len; length++)
        assert_int_equal(tzif_read(&arena, (struct span){good.ptr, length}, &zone, NULL),
                         OUTCOME_REJECT);
    assert_int_equal(tzif_read(&arena, file('5', 0, NEW_YORK), &zone, NULL), OUTCOME_REJECT);
}

/* New York, 2026: the day of a moment before and after midnight, in winter and in summer. */
static void a_day_is_that_of_the_local_date(void **state)
{
    struct zone zone = ruled(NEW_YORK);
    int32_t march = day_from_civil(2026, 3, 1);
    assert_int_equal(zone_day(&zone, at("2026-03-08T04:59:00Z")), march + 6);
    assert_int_equal(zone_day(&zone, at("2026-03-08T05:01:00Z")), march + 7);
    assert_int_equal(zone_day(&zone, at("2026-03-09T03:59:00Z")), march + 7);
    assert_int_equal(zone_day(&zone, at("2026-03-09T04:01:00Z")), march + 8);
    assert_int_equal(zone_hour(&zone, at("2026-11-01T05:30:00Z")), 1);
    assert_int_equal(zone_hour(&zone, at("2026-11-01T06:30:00Z")), 1);
    assert_int_equal(zone_time(&zone, at("1969-07-20T20:17:40Z")).second, 16 * 3600 + 1060);
}

static void weeks_months_and_quarters_have_a_first_day(void **state)
{
    int32_t before = day_from_civil(2026, 12, 31), after = day_from_civil(2027, 1, 2);
    assert_int_equal(day_week(before), day_from_civil(2026, 12, 28));
    assert_int_equal(day_week(after), day_from_civil(2026, 12, 28));
    assert_int_equal(day_week(day_from_civil(2026, 12, 28)), day_from_civil(2026, 12, 28));
    assert_int_equal(day_week(-4), -10);
    assert_int_equal(day_weekday(before), 4);
    assert_int_equal(day_weekday(-5), 6);
    assert_int_equal(day_month(before), day_from_civil(2026, 12, 1));
    assert_int_equal(day_month(after), day_from_civil(2027, 1, 1));
    assert_int_equal(day_quarter(before), day_from_civil(2026, 10, 1));
    assert_int_equal(day_quarter(after), day_from_civil(2027, 1, 1));
    assert_int_equal(day_quarter(day_from_civil(2027, 6, 30)), day_from_civil(2027, 4, 1));
}

static void a_day_begins_at_its_first_instant(void **state)
{
    struct zone utc = zone_utc, havana = ruled(HAVANA);
    assert_instant(zone_midnight(&utc, day_from_civil(2026, 1, 1)), "2026-01-01T00:00:00Z");
    /* 00:00 is skipped on 8 March, and comes twice on 1 November. */
    assert_instant(zone_midnight(&havana, day_from_civil(2026, 3, 8)), "2026-03-08T05:00:00Z");
    assert_instant(zone_midnight(&havana, day_from_civil(2026, 11, 1)), "2026-11-01T04:00:00Z");
    assert_instant(zone_midnight(&havana, day_from_civil(2026, 11, 2)), "2026-11-02T05:00:00Z");
}

static void a_time_of_the_day_comes_once_or_twice_or_is_skipped(void **state)
{
    struct zone zone = ruled(NEW_YORK);
    const int32_t spring = day_from_civil(2026, 3, 8), autumn = day_from_civil(2026, 11, 1);
    struct instant first;
    assert_int_equal(zone_instants(&zone, (struct zone_time){spring, 9000}, &first), 0);
    assert_instant(first, "2026-03-08T07:00:00Z");
    assert_int_equal(zone_instants(&zone, (struct zone_time){spring, 10800}, &first), 1);
    assert_instant(first, "2026-03-08T07:00:00Z");
    assert_int_equal(zone_instants(&zone, (struct zone_time){autumn, 5400}, &first), 2);
    assert_instant(first, "2026-11-01T05:30:00Z");
    assert_int_equal(zone_instants(&zone, (struct zone_time){autumn, 7200}, &first), 1);
    assert_instant(first, "2026-11-01T07:00:00Z");
}

static void the_next_time_of_the_day(void **state)
{
    struct zone utc = zone_utc, zone = ruled(NEW_YORK);
    static const struct {
        const char *from, *next;
        int32_t second;
    } rows[] = {
        {"2026-01-15T14:00:00Z", "2026-01-15T14:00:00Z", 9 * 3600},
        {"2026-01-15T14:00:01Z", "2026-01-16T14:00:00Z", 9 * 3600},
        {"2026-03-08T06:00:00Z", "2026-03-08T07:00:00Z", 9000}, /* skipped */
        {"2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z", 9000},
        {"2026-11-01T05:00:00Z", "2026-11-01T05:30:00Z", 5400}, /* twice */
        {"2026-11-01T05:30:01Z", "2026-11-01T06:30:00Z", 5400},
        {"2026-11-01T06:30:01Z", "2026-11-02T06:30:00Z", 5400},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_instant(zone_next(&zone, at(rows[i].from), rows[i].second), rows[i].next);
    assert_instant(zone_next(&utc, at("1969-12-31T23:30:00Z"), 3600), "1970-01-01T01:00:00Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(rules_hold_at_both_sides_of_a_change, release),
        cmocka_unit_test_teardown(a_rule_follows_the_last_change, release),
        cmocka_unit_test_teardown(a_file_of_version_1_has_short_times_and_no_rule, release),
        cmocka_unit_test_teardown(other_files_are_refused, release),
        cmocka_unit_test_teardown(a_day_is_that_of_the_local_date, release),
        cmocka_unit_test_teardown(weeks_months_and_quarters_have_a_first_day, release),
        cmocka_unit_test_teardown(a_day_begins_at_its_first_instant, release),
        cmocka_unit_test_teardown(a_time_of_the_day_comes_once_or_twice_or_is_skipped, release),
        cmocka_unit_test_teardown(the_next_time_of_the_day, release),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&arena);
    return failed;
}
