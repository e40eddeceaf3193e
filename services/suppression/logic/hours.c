/* hours.c: see hours.h. */
#include "services/suppression/logic/hours.h"

static const struct duration horizon = {100 * US_PER_DAY};

/* ---- what a clock shows ---- */

/* 0 = Monday. */
static int weekday_of(int32_t day)
{
    return (day_weekday(day) + 6) % 7;
}

static bool has_day(int days, int weekday)
{
    return (days >> weekday & 1) != 0;
}

/* A window that goes on into the next day belongs to the day on which it begins. */
static bool window_holds(const struct hours_window *window, int weekday, int32_t second)
{
    bool begins_today = has_day(window->days, weekday),
         began_yesterday = has_day(window->days, (weekday + 6) % 7);
    if (window->from < window->to)
        return begins_today && window->from <= second && second < window->to;
    return (begins_today && second >= window->from) || (began_yesterday && second < window->to);
}

static bool week_holds(const struct hours *hours, int weekday, int32_t second)
{
    if (has_day(hours->also, weekday))
        return true;
    for (size_t i = 0; i < hours->window_count; i++)
        if (window_holds(&hours->windows[i], weekday, second))
            return true;
    return false;
}

bool hours_hold(const struct hours *hours, struct zone_time shown)
{
    for (size_t i = 0; i < hours->date_count; i++)
        if (hours->dates[i] == shown.day)
            return true;
    return week_holds(hours, weekday_of(shown.day), shown.second);
}

bool hours_are_always(const struct hours *hours)
{
    for (int weekday = 0; weekday < 7; weekday++)
        for (int32_t second = 0; second < DAY_SECONDS; second += 60)
            if (!week_holds(hours, weekday, second))
                return false;
    return true;
}

/* ---- from instant to instant ---- */

bool clock_is_closed(const struct clock_rule *rule, const struct zone *zone, struct instant at)
{
    return hours_hold(rule->hours, zone_time(zone, at)) != rule->is_open_within;
}

/* How far ahead the clock shows the time of the day, if it is not changed; more than nothing. */
static int64_t ahead(int64_t in_day, int32_t second)
{
    int64_t us = second * US_PER_SECOND - in_day;
    return us > 0 ? us : us + US_PER_DAY;
}

static int64_t nearer(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The first instant after `at` at which the clock of a zone may open or close the rule: it shows a
 * midnight, or where a window begins or ends, or it is changed. */
static struct instant boundary_after(const struct hours *hours, const struct zone *zone,
                                     struct instant at)
{
    struct instant change = zone_change_after(zone, at);
    int64_t in_day = (at.us + zone_offset(zone, at) * US_PER_SECOND) % US_PER_DAY;
    in_day += in_day < 0 ? US_PER_DAY : 0;
    int64_t least = ahead(in_day, 0);
    for (size_t i = 0; i < hours->window_count; i++) {
        least = nearer(least, ahead(in_day, hours->windows[i].from));
        least = nearer(least, ahead(in_day, hours->windows[i].to));
    }
    struct instant next = instant_plus(at, (struct duration){least});
    return instant_compare(change, next) < 0 ? change : next;
}

/* The first instant after `at`, before `end`, at which the rule is closed, or is not, in a zone. */
static struct instant first_after(const struct clock_rule *rule, const struct zone *zone,
                                  bool is_closed, struct instant at, struct instant end)
{
    do
        at = boundary_after(rule->hours, zone, at);
    while (instant_compare(at, end) < 0 && clock_is_closed(rule, zone, at) != is_closed);
    return instant_compare(at, end) < 0 ? at : INSTANT_NEVER;
}

static struct instant closes_before(const struct clock_rule *rule, struct instant at,
                                    struct instant end)
{
    struct instant first = INSTANT_NEVER;
    for (size_t i = 0; i < rule->zone_count; i++) {
        struct instant closed = first_after(rule, rule->zones[i], true, at, end);
        if (instant_compare(closed, first) < 0)
            first = end = closed;
    }
    return first;
}

static const struct zone *closed_zone(const struct clock_rule *rule, struct instant at)
{
    for (size_t i = 0; i < rule->zone_count; i++)
        if (clock_is_closed(rule, rule->zones[i], at))
            return rule->zones[i];
    return NULL;
}

struct instant clock_opens(const struct clock_rule *rule, struct instant at, struct duration least)
{
    const struct duration step = {1};
    struct instant end = instant_plus(instant_plus(at, horizon), step);
    while (instant_compare(at, end) < 0) {
        const struct zone *closed = closed_zone(rule, at);
        if (closed) {
            at = first_after(rule, closed, false, at, end);
            continue;
        }
        struct instant closes = closes_before(rule, at, instant_plus(at, least));
        if (closes.us == INSTANT_NEVER.us)
            return at;
        at = closes;
    }
    return INSTANT_NEVER;
}

struct instant clock_closes(const struct clock_rule *rule, struct instant at)
{
    return closes_before(rule, at, instant_plus(at, horizon));
}
