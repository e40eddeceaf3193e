/* suppression_hours_test.c: hours of the day by the clocks of real zones: nights on which the
 * clocks change, several zones at once, and random windows against a walk from minute to minute. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/pack.h"
#include "common/base/tzif.h"
#include "services/suppression/logic/hours.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define BERLIN       "Europe/Berlin"
#define NEW_YORK     "America/New_York"
#define LORD_HOWE    "Australia/Lord_Howe"
#define KATHMANDU    "Asia/Kathmandu"

enum { MOST_ZONES = 4, MINUTE = 60 };

static struct arena arena;

static int release(void **state)
{
    arena_reset(&arena);
    return 0;
}

static struct zone zone_named(const char *name)
{
    struct strbuf bytes = {.arena = &arena};
    struct zone zone;
    struct err err = {0};
    char path[128], block[4096];
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("%s: not there", path);
    for (size_t n; (n = fread(block, 1, sizeof block, file)) > 0;)
        strbuf_add(&bytes, block, n);
    fclose(file);
    if (tzif_read(&arena, strbuf_span(&bytes), &zone, &err) != OUTCOME_OK)
        fail_msg("%s: %s", path, err.message);
    return zone;
}

static struct instant at(const char *text)
{
    struct instant t = {0};
    assert_true(instant_parse(span_of(text), &t));
    return t;
}

static const char *text_of(struct instant t)
{
    char *text = arena_alloc(&arena, 32);
    instant_format(t, text);
    return t.us == INSTANT_NEVER.us ? "never" : text;
}

#define TIME(hour, minute) ((hour)*3600 + (minute)*60)
#define ALL                HOURS_EVERY_DAY
enum { MONDAY = 1, SUNDAY = 1 << 6 };

/* closes: the first time after `opens` at which it is quiet again; NULL: not asked. */
static const struct {
    const char *name;
    struct hours_window window;
    const char *zones[MOST_ZONES];
    int also;
    const char *asked, *opens, *closes;
} vectors[] = {
    {"Q1",
     {TIME(21, 0), TIME(9, 0), ALL},
     {BERLIN},
     0,
     "2026-07-01T20:30:00Z",
     "2026-07-02T07:00:00Z",
     "2026-07-02T19:00:00Z"},
    {"Q2 night of 11 hours",
     {TIME(21, 0), TIME(9, 0), ALL},
     {BERLIN},
     0,
     "2026-03-28T20:00:00Z",
     "2026-03-29T07:00:00Z",
     "2026-03-29T19:00:00Z"},
    {"Q3 night of 13 hours",
     {TIME(21, 0), TIME(9, 0), ALL},
     {BERLIN},
     0,
     "2026-10-24T19:00:00Z",
     "2026-10-25T08:00:00Z",
     "2026-10-25T20:00:00Z"},
    {"Q4 end in the gap",
     {TIME(22, 0), TIME(2, 30), ALL},
     {BERLIN},
     0,
     "2026-03-28T23:30:00Z",
     "2026-03-29T01:00:00Z",
     "2026-03-29T20:00:00Z"},
    {"Q5 end in the overlap",
     {TIME(22, 0), TIME(2, 30), ALL},
     {BERLIN},
     0,
     "2026-10-24T23:00:00Z",
     "2026-10-25T00:30:00Z",
     "2026-10-25T01:00:00Z"},
    {"Q6 second pass",
     {TIME(22, 0), TIME(2, 30), ALL},
     {BERLIN},
     0,
     "2026-10-25T01:10:00Z",
     "2026-10-25T01:30:00Z",
     "2026-10-25T21:00:00Z"},
    {"Q7",
     {TIME(21, 0), TIME(8, 0), ALL},
     {NEW_YORK},
     0,
     "2026-03-08T02:00:00Z",
     "2026-03-08T12:00:00Z",
     "2026-03-09T01:00:00Z"},
    {"Q8",
     {TIME(21, 0), TIME(8, 0), ALL},
     {NEW_YORK},
     0,
     "2026-11-01T05:30:00Z",
     "2026-11-01T13:00:00Z",
     "2026-11-02T02:00:00Z"},
    {"Q9 half an hour",
     {TIME(22, 0), TIME(1, 45), ALL},
     {LORD_HOWE},
     0,
     "2026-04-04T12:00:00Z",
     "2026-04-04T14:45:00Z",
     "2026-04-04T15:00:00Z"},
    {"Q10 half an hour again",
     {TIME(22, 0), TIME(1, 45), ALL},
     {LORD_HOWE},
     0,
     "2026-04-04T15:05:00Z",
     "2026-04-04T15:15:00Z",
     "2026-04-05T11:30:00Z"},
    {"Q11 half an hour less",
     {TIME(22, 0), TIME(2, 15), ALL},
     {LORD_HOWE},
     0,
     "2026-10-03T13:00:00Z",
     "2026-10-03T15:30:00Z",
     "2026-10-04T11:00:00Z"},
    {"Q12 three quarters",
     {TIME(21, 0), TIME(9, 0), ALL},
     {KATHMANDU},
     0,
     "2026-01-10T16:00:00Z",
     "2026-01-11T03:15:00Z",
     "2026-01-11T15:15:00Z"},
    {"Q13 night of Monday",
     {TIME(21, 0), TIME(9, 0), MONDAY},
     {BERLIN},
     0,
     "2026-06-02T06:00:00Z",
     "2026-06-02T07:00:00Z",
     NULL},
    {"Q14 not of Sunday",
     {TIME(21, 0), TIME(9, 0), MONDAY},
     {BERLIN},
     0,
     "2026-06-01T06:00:00Z",
     "2026-06-01T06:00:00Z",
     NULL},
    {"Q15 Sundays and Christmas",
     {TIME(20, 0), TIME(8, 0), ALL},
     {BERLIN},
     SUNDAY,
     "2026-12-24T19:30:00Z",
     "2026-12-28T07:00:00Z",
     "2026-12-28T19:00:00Z"},
    {"Q16 at the end",
     {TIME(21, 0), TIME(9, 0), ALL},
     {BERLIN},
     0,
     "2026-07-02T07:00:00Z",
     "2026-07-02T07:00:00Z",
     "2026-07-02T19:00:00Z"},
    {"Q17 at the beginning",
     {TIME(21, 0), TIME(9, 0), ALL},
     {BERLIN},
     0,
     "2026-07-01T19:00:00Z",
     "2026-07-02T07:00:00Z",
     "2026-07-02T19:00:00Z"},
    {"Q18 whole Sunday",
     {TIME(0, 0), TIME(0, 0), SUNDAY},
     {BERLIN},
     0,
     "2026-06-07T12:00:00Z",
     "2026-06-07T22:00:00Z",
     "2026-06-13T22:00:00Z"},
    {"Q19 two ends of the US",
     {TIME(21, 0), TIME(8, 0), ALL},
     {NEW_YORK, "Pacific/Honolulu"},
     0,
     "2026-01-15T17:30:00Z",
     "2026-01-15T18:00:00Z",
     "2026-01-16T02:00:00Z"},
    {"Q20 the same in July",
     {TIME(21, 0), TIME(8, 0), ALL},
     {NEW_YORK, "Pacific/Honolulu"},
     0,
     "2026-07-15T19:00:00Z",
     "2026-07-15T19:00:00Z",
     "2026-07-16T01:00:00Z"},
    {"Q21 two devices",
     {TIME(21, 0), TIME(9, 0), ALL},
     {BERLIN, NEW_YORK},
     0,
     "2026-07-01T08:00:00Z",
     "2026-07-01T13:00:00Z",
     "2026-07-01T19:00:00Z"},
    {"Q22 no hour for all",
     {TIME(21, 0), TIME(9, 0), ALL},
     {"Pacific/Auckland", BERLIN, "America/Los_Angeles"},
     0,
     "2026-07-01T12:00:00Z",
     "never",
     NULL},
};

struct set {
    struct zone zones[MOST_ZONES];
    const struct zone *pointers[MOST_ZONES];
    size_t count;
};

static void expect(const char *name, struct instant found, const char *expected)
{
    struct instant wanted = strcmp(expected, "never") == 0 ? INSTANT_NEVER : at(expected);
    if (instant_compare(found, wanted) != 0)
        fail_msg("%s: %s, expected %s", name, text_of(found), expected);
}

static void every_vector(void **state)
{
    static const int32_t christmas[] = {20812, 20813}; /* 2026-12-25 and 26 */
    for (size_t i = 0; i < COUNT(vectors); i++) {
        struct hours hours = {&vectors[i].window, 1, vectors[i].also, christmas,
                              vectors[i].also ? COUNT(christmas) : 0};
        struct set set = {.count = 0};
        for (; set.count < MOST_ZONES && vectors[i].zones[set.count]; set.count++) {
            set.zones[set.count] = zone_named(vectors[i].zones[set.count]);
            set.pointers[set.count] = &set.zones[set.count];
        }
        struct clock_rule rule = {&hours, set.pointers, set.count, false};
        struct instant opens = clock_opens(&rule, at(vectors[i].asked), (struct duration){0});
        expect(vectors[i].name, opens, vectors[i].opens);
        if (vectors[i].closes)
            expect(vectors[i].name, clock_closes(&rule, opens), vectors[i].closes);
    }
}

static void a_retry_leaves_some_time(void **state)
{
    static const struct hours_window night = {TIME(22, 0), TIME(2, 30), ALL};
    struct zone berlin = zone_named(BERLIN);
    const struct zone *zones[] = {&berlin};
    struct hours hours = {.windows = &night, .window_count = 1};
    struct clock_rule rule = {&hours, zones, 1, false};
    struct instant asked = at("2026-10-24T23:00:00Z");
    expect("15 minutes", clock_opens(&rule, asked, (struct duration){15 * MINUTE * US_PER_SECOND}),
           "2026-10-25T00:30:00Z");
    expect("40 minutes", clock_opens(&rule, asked, (struct duration){40 * MINUTE * US_PER_SECOND}),
           "2026-10-25T01:30:00Z");
    expect("in the last minute",
           clock_opens(&rule, at("2026-07-01T19:59:00Z"),
                       (struct duration){15 * MINUTE * US_PER_SECOND}),
           "2026-07-02T00:30:00Z");
}

static void hours_that_leave_nothing(void **state)
{
    static const struct hours_window halves[] = {{TIME(9, 0), TIME(21, 0), ALL},
                                                 {TIME(21, 0), TIME(9, 0), ALL}};
    static const struct hours_window night = {TIME(21, 0), TIME(9, 0), ALL};
    assert_true(hours_are_always(&(struct hours){.windows = halves, .window_count = 2}));
    assert_false(hours_are_always(&(struct hours){.windows = &night, .window_count = 1}));
    assert_true(
        hours_are_always(&(struct hours){.windows = &night, .window_count = 0, .also = ALL}));
}

/* ---- random windows ---- */

static uint64_t seed = 20261201;

static int chance(int count)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int)((seed >> 33) % (uint64_t)count);
}

static bool is_open(const struct clock_rule *rule, struct instant t)
{
    for (size_t i = 0; i < rule->zone_count; i++)
        if (clock_is_closed(rule, rule->zones[i], t))
            return false;
    return true;
}

static struct instant walk(const struct clock_rule *rule, struct instant t, int32_t least,
                           struct instant end)
{
    for (int32_t open = 0; instant_compare(t, end) < 0;
         t = instant_plus(t, (struct duration){MINUTE * US_PER_SECOND})) {
        open = is_open(rule, t) ? open + 1 : 0;
        if (open > 0 && open >= least)
            return instant_minus(t, (struct duration){(open - 1) * MINUTE * US_PER_SECOND});
    }
    return INSTANT_NEVER;
}

static void as_a_walk_from_minute_to_minute(void **state)
{
    static const char *const names[] = {BERLIN,    NEW_YORK,           LORD_HOWE,
                                        KATHMANDU, "America/Santiago", "America/Havana"};
    struct zone zones[COUNT(names)];
    for (size_t i = 0; i < COUNT(names); i++)
        zones[i] = zone_named(names[i]);
    for (int round = 0; round < 400; round++) {
        struct hours_window windows[2];
        const struct zone *some[3];
        struct hours hours = {windows, (size_t)(1 + chance(2)), chance(4) ? 0 : 1 << chance(7),
                              NULL, 0};
        struct clock_rule rule = {&hours, some, (size_t)(1 + chance(3)), chance(5) == 0};
        for (size_t i = 0; i < hours.window_count; i++)
            windows[i] = (struct hours_window){chance(96) * 15 * MINUTE, chance(96) * 15 * MINUTE,
                                               chance(3) ? ALL : 1 + chance(ALL)};
        for (size_t i = 0; i < rule.zone_count; i++)
            some[i] = &zones[chance(COUNT(names))];
        /* around a change of the clocks, every other time */
        struct instant from = at(chance(2) ? "2026-03-05T00:00:00Z" : "2026-10-20T00:00:00Z");
        from = instant_plus(from, (struct duration){chance(40 * 1440) * MINUTE * US_PER_SECOND});
        int32_t least = chance(2) ? 15 : 0;
        struct instant end = instant_plus(from, (struct duration){10 * US_PER_DAY}),
                       wanted = walk(&rule, from, least, end),
                       found = clock_opens(&rule, from,
                                           (struct duration){least * MINUTE * US_PER_SECOND});
        if (wanted.us == INSTANT_NEVER.us &&
            instant_compare(
                found, instant_minus(end, (struct duration){15 * MINUTE * US_PER_SECOND})) >= 0)
            continue;
        if (instant_compare(found, wanted) != 0)
            fail_msg("round %d: %s, by the minute %s", round, text_of(found), text_of(wanted));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_vector, release),
        cmocka_unit_test_teardown(a_retry_leaves_some_time, release),
        cmocka_unit_test_teardown(hours_that_leave_nothing, release),
        cmocka_unit_test_teardown(as_a_walk_from_minute_to_minute, release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
