/* zone.h: what a clock on the wall shows in a time zone, and when it shows it.
 *
 * A zone is a table of changes of the clocks. Dates are days since 1970-01-01 (day_to_civil), times
 * of the day are seconds since its midnight. */
#ifndef TUTTI_BASE_ZONE_H
#define TUTTI_BASE_ZONE_H

#include "common/base/instant.h"

enum {
    ZONE_LAST_YEAR = 2100, /* rules that go on for ever are written out to the end of it */
    DAY_SECONDS = 86400,
};

/* Read-only. All zeros is UTC. */
struct zone {
    int32_t first;            /* seconds east of UTC before the first change */
    uint32_t count;           /* changes */
    const struct instant *at; /* their instants, ascending */
    const int32_t *offset;    /* seconds east of UTC from this change on */
};

extern const struct zone zone_utc;

/* Seconds east of UTC at an instant. */
int32_t zone_offset(const struct zone *zone, struct instant t);

/* The first change of the clocks after t; INSTANT_NEVER: none. */
struct instant zone_change_after(const struct zone *zone, struct instant t);

static inline int32_t zone_day(const struct zone *zone, struct instant t)
{
    return instant_day(t, zone->count == 0 ? zone->first : zone_offset(zone, t));
}

/* The date and the time of the day that a clock shows. */
struct zone_time {
    int32_t day, second;
};
struct zone_time zone_time(const struct zone *zone, struct instant t);
static inline int zone_hour(const struct zone *zone, struct instant t)
{
    return zone_time(zone, t).second / 3600;
}

/* 0 = Sunday to 6. */
int day_weekday(int32_t day);
/* First days of the week (a Monday), month and quarter of a day. */
int32_t day_week(int32_t day);
int32_t day_month(int32_t day);
int32_t day_quarter(int32_t day);

/* The first instant of a day: its midnight, the first one if there are two. Where the clocks skip
 * midnight it is the change; where they skip the whole day, the start of the next one. */
struct instant zone_midnight(const struct zone *zone, int32_t day);

/* The first instant from t on at which the clock shows this time of the day. A time that comes
 * twice is met twice; one that a change of the clocks skips is met at the change. */
struct instant zone_next(const struct zone *zone, struct instant t, int32_t second);

/* Whether the clock shows a date and time never, once or twice; *first is the first instant that
 * does, or the change that skips it. */
int zone_instants(const struct zone *zone, struct zone_time time, struct instant *first);

#endif
