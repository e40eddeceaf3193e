/* base_instant_test.c: the calendar against the C library, and every rule of the texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "common/base/instant.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Every day of the years 1583 to 2600. */
static void civil_dates_equal_timegm(void **state)
{
    for (int32_t day = day_from_civil(1583, 1, 1); day < day_from_civil(2600, 12, 31); day++) {
        time_t seconds = (time_t)day * 86400;
        struct tm tm;
        int y, m, d;
        gmtime_r(&seconds, &tm);
        day_to_civil(day, &y, &m, &d);
        if (y != tm.tm_year + 1900 || m != tm.tm_mon + 1 || d != tm.tm_mday ||
            day_from_civil(y, m, d) != day || timegm(&tm) != seconds)
            fail_msg("day %d", day);
    }
}

static void days_round_down(void **state)
{
    static const struct {
        int64_t us;
        int32_t offset, day;
    } rows[] = {
        {0, 0, 0},
        {-1, 0, -1},
        {US_PER_DAY - 1, 0, 0},
        {US_PER_DAY, 0, 1},
        {-US_PER_DAY, 0, -1},
        {-US_PER_DAY - 1, 0, -2},
        {0, -1, -1},
        {US_PER_DAY - 1, 3600, 1},
        {INT64_MAX, 64800, 106751991},
        {INT64_MIN, -64800, -106751992},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(instant_day((struct instant){rows[i].us}, rows[i].offset), rows[i].day);
}

static void durations(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds; /* -1: refused */
    } rows[] = {
        {"PT0S", 0},
        {"PT30S", 30},
        {"PT30M", 1800},
        {"PT2H", 7200},
        {"P30D", 30 * 86400},
        {"P2W", 14 * 86400},
        {"P1Y", 365 * 86400},
        {"P1DT12H", 129600},
        {"P1Y2W3DT4H5M6S", (365 + 14 + 3) * 86400 + 4 * 3600 + 5 * 60 + 6},
        {"PT2592000S", 2592000},
        {"PT100000000S", 100000000},
        {"", -1},
        {"P", -1},
        {"PT", -1},
        {"P1DT", -1},
        {"P1M", -1},
        {"1D", -1},
        {"p1d", -1},
        {"P-1D", -1},
        {"-P1D", -1},
        {"P1H", -1},
        {"PT1D", -1},
        {"P1D1D", -1},
        {"PT1S1H", -1},
        {"P1DT1HT1M", -1},
        {"PT1.5S", -1},
        {"P1D ", -1},
        {"P1", -1},
        {"PD", -1},
        {"P999999999999Y", -1},
        {"PT9999999999999S", -1},
        {"P99999999999DT1S", -1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct duration d = {-1};
        bool valid = duration_parse(span_of(rows[i].text), &d);
        if (valid != (rows[i].seconds >= 0) || (valid && d.us != rows[i].seconds * US_PER_SECOND))
            fail_msg("%s", rows[i].text);
    }
}

static void instants(void **state)
{
    static const struct {
        const char *text, *formatted; /* NULL: refused */
    } rows[] = {
        {"2017-01-01T06:53:26Z", "2017-01-01T06:53:26.000000Z"},
        {"2017-01-01t06:53:26z", "2017-01-01T06:53:26.000000Z"},
        {"2017-01-01 06:53:26Z", "2017-01-01T06:53:26.000000Z"},
        {"2017-01-01", "2017-01-01T00:00:00.000000Z"},
        {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"},
        {"1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"},
        {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"},
        {"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
        {"2017-01-01T06:53:26.5Z", "2017-01-01T06:53:26.500000Z"},
        {"2017-01-01T06:53:26.123456789Z", "2017-01-01T06:53:26.123456Z"},
        {"2017-01-01T00:30:00+01:00", "2016-12-31T23:30:00.000000Z"},
        {"2017-01-01T00:30:00-0530", "2017-01-01T06:00:00.000000Z"},
        {"2017-01-01T00:30:00+01", "2016-12-31T23:30:00.000000Z"},
        {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z"},
        {"2016-02-29", "2016-02-29T00:00:00.000000Z"},
        {"2000-02-29", "2000-02-29T00:00:00.000000Z"},
        {"", NULL},
        {"2017-02-29", NULL},
        {"1900-02-29", NULL},
        {"2017-04-31", NULL},
        {"2017-00-10", NULL},
        {"2017-13-10", NULL},
        {"2017-01-00", NULL},
        {"2017-1-1", NULL},
        {"17-01-01", NULL},
        {"20170101", NULL},
        {"2017-01-01T", NULL},
        {"2017-01-01T06:53:26", NULL},
        {"2017-01-01T06:53Z", NULL},
        {"2017-01-01T6:53:26Z", NULL},
        {"2017-01-01T24:00:00Z", NULL},
        {"2017-01-01T06:60:00Z", NULL},
        {"2017-01-01T06:53:61Z", NULL},
        {"2017-01-01T06:53:26.Z", NULL},
        {"2017-01-01T06:53:26+", NULL},
        {"2017-01-01T06:53:26+1", NULL},
        {"2017-01-01T06:53:26+01:", NULL},
        {"2017-01-01T06:53:26+01:0", NULL},
        {"2017-01-01T06:53:26+19:00", NULL},
        {"2017-01-01T06:53:26+01:60", NULL},
        {"2017-01-01T06:53:26Zx", NULL},
        {"2017-01-01T06:53:26+01:00x", NULL},
        {" 2017-01-01", NULL},
        {"-2017-01-01", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct instant t;
        char text[32];
        bool valid = instant_parse(span_of(rows[i].text), &t);
        if (valid != (rows[i].formatted != NULL))
            fail_msg("%s", rows[i].text);
        if (!valid)
            continue;
        instant_format(t, text);
        assert_string_equal(text, rows[i].formatted);
    }
}

/* A text that is cut anywhere is either refused or, at ten characters, the bare date. */
static void cut_instants(void **state)
{
    const char *whole = "2017-01-01T06:53:26.123456+01:00";
    for (size_t n = 0; n < strlen(whole); n++) {
        struct instant t;
        bool offset_is_whole = n == strlen(whole) - 3;
        assert_int_equal(instant_parse((struct span){whole, n}, &t), n == 10 || offset_is_whole);
    }
}

static void extremes_format(void **state)
{
    char text[32];
    instant_format(INSTANT_NEVER, text);
    assert_string_equal(text, "294247-01-10T04:00:54.775807Z");
    instant_format(INSTANT_FIRST, text);
    assert_string_equal(text, "-290308-12-21T19:59:05.224192Z");
    instant_format((struct instant){POSTGRES_EPOCH_US}, text);
    assert_string_equal(text, "2000-01-01T00:00:00.000000Z");
}

static void arithmetic_saturates(void **state)
{
    struct instant t = {100};
    assert_int_equal(instant_plus(t, (struct duration){5}).us, 105);
    assert_int_equal(instant_minus(t, (struct duration){5}).us, 95);
    assert_int_equal(instant_since(t, (struct instant){40}).us, 60);
    assert_int_equal(instant_plus(INSTANT_NEVER, (struct duration){1}).us, INT64_MAX);
    assert_int_equal(instant_plus(INSTANT_FIRST, (struct duration){-1}).us, INT64_MIN);
    assert_int_equal(instant_minus(INSTANT_FIRST, (struct duration){1}).us, INT64_MIN);
    assert_int_equal(instant_minus(INSTANT_NEVER, (struct duration){-1}).us, INT64_MAX);
    assert_int_equal(instant_since(INSTANT_NEVER, INSTANT_FIRST).us, INT64_MAX);
    assert_int_equal(instant_since(INSTANT_FIRST, INSTANT_NEVER).us, INT64_MIN);
    assert_true(instant_compare(INSTANT_FIRST, INSTANT_NEVER) < 0);
    assert_int_equal(instant_compare(t, t), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(civil_dates_equal_timegm),
        cmocka_unit_test(days_round_down),
        cmocka_unit_test(durations),
        cmocka_unit_test(instants),
        cmocka_unit_test(cut_instants),
        cmocka_unit_test(extremes_format),
        cmocka_unit_test(arithmetic_saturates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
