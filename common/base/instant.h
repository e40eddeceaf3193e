/* instant.h: time wrapped in structs, so that event time, wall time and durations cannot be mixed.
 * Microseconds UTC. */
#ifndef TUTTI_BASE_INSTANT_H
#define TUTTI_BASE_INSTANT_H

#include "common/base/span.h"

struct instant {
    int64_t us; /* microseconds since 1970-01-01T00:00:00Z */
};

struct duration {
    int64_t us;
};

#define US_PER_SECOND INT64_C(1000000)
#define US_PER_DAY    (INT64_C(86400) * US_PER_SECOND)
#define INSTANT_NEVER ((struct instant){INT64_MAX})
#define INSTANT_FIRST ((struct instant){INT64_MIN})
/* Microseconds between 1970 and PostgreSQL's epoch 2000-01-01. */
#define POSTGRES_EPOCH_US (INT64_C(946684800) * US_PER_SECOND)

static inline int instant_compare(struct instant a, struct instant b)
{
    return (a.us > b.us) - (a.us < b.us);
}

static inline struct instant instant_plus(struct instant t, struct duration d)
{
    struct instant r;
    if (__builtin_add_overflow(t.us, d.us, &r.us))
        r.us = d.us > 0 ? INT64_MAX : INT64_MIN;
    return r;
}

static inline struct instant instant_minus(struct instant t, struct duration d)
{
    struct instant r;
    if (__builtin_sub_overflow(t.us, d.us, &r.us))
        r.us = d.us > 0 ? INT64_MIN : INT64_MAX;
    return r;
}

static inline struct duration instant_since(struct instant later, struct instant earlier)
{
    struct duration r;
    if (__builtin_sub_overflow(later.us, earlier.us, &r.us))
        r.us = later.us > earlier.us ? INT64_MAX : INT64_MIN;
    return r;
}

/* Days since 1970-01-01, rounded down, of t seen offset_seconds east of UTC. */
int32_t instant_day(struct instant t, int32_t offset_seconds);

/* Civil date of a day number (proleptic Gregorian; Howard Hinnant's days algorithm) and back. */
void day_to_civil(int32_t day, int *year, int *month, int *date);
int32_t day_from_civil(int year, int month, int date);

/* ISO 8601 durations of years (365 days), weeks, days, hours, minutes, seconds (P30D, PT30M, P2W,
 * P1DT12H), each unit at most once and in this order. Months are refused, because their length
 * depends on a calendar. False if malformed or negative. */
bool duration_parse(struct span text, struct duration *out);

/* RFC 3339 with Z or a numeric offset; decimals beyond the sixth are cut ("2017-01-01T06:53:26Z");
 * a bare date is midnight UTC.
 */
bool instant_parse(struct span text, struct instant *out);
/* "2017-01-01T06:53:26.000000Z" into text (at least 32 bytes). */
void instant_format(struct instant t, char *text);

#endif
