/* zone.c: lookups in a table of changes; see zone.h. */
#include "common/base/zone.h"

const struct zone zone_utc = {0};

/* How many changes are at or before t. */
static uint32_t changes_until(const struct zone *zone, int64_t us)
{
    /* Without branches to guess wrong: every touch asks. */
    const struct instant *from = zone->at;
    uint32_t left = zone->count;
    while (left > 1) {
        uint32_t half = left / 2;
        from += from[half - 1].us <= us ? half : 0;
        left -= half;
    }
    return left == 0 ? 0 : (uint32_t)(from - zone->at) + (from->us <= us);
}

/* Between two changes the clock runs evenly: piece 0 is before the first change, piece i begins
 * with change i - 1. */
static int32_t piece_offset(const struct zone *zone, uint32_t piece)
{
    return piece == 0 ? zone->first : zone->offset[piece - 1];
}

static struct instant piece_end(const struct zone *zone, uint32_t piece)
{
    return piece < zone->count ? zone->at[piece] : INSTANT_NEVER;
}

static struct instant piece_start(const struct zone *zone, uint32_t piece)
{
    return piece == 0 ? INSTANT_FIRST : zone->at[piece - 1];
}

int32_t zone_offset(const struct zone *zone, struct instant t)
{
    return piece_offset(zone, changes_until(zone, t.us));
}

struct instant zone_change_after(const struct zone *zone, struct instant t)
{
    return piece_end(zone, changes_until(zone, t.us));
}

static struct duration seconds(int64_t n)
{
    return (struct duration){n * US_PER_SECOND};
}

/* What a clock shows, as if it stood in Greenwich. */
static struct instant shown(struct instant t, int32_t offset)
{
    return instant_plus(t, seconds(offset));
}

struct zone_time zone_time(const struct zone *zone, struct instant t)
{
    int32_t offset = zone_offset(zone, t), day = instant_day(t, offset);
    int64_t in_day = shown(t, offset).us % US_PER_DAY;
    if (in_day < 0)
        in_day += US_PER_DAY;
    return (struct zone_time){day, (int32_t)(in_day / US_PER_SECOND)};
}

/* 1970-01-01 was a Thursday. */
int day_weekday(int32_t day)
{
    return (int)((((int64_t)day + 4) % 7 + 7) % 7);
}

int32_t day_week(int32_t day)
{
    return day - (day_weekday(day) + 6) % 7;
}

int32_t day_month(int32_t day)
{
    int year, month, date;
    day_to_civil(day, &year, &month, &date);
    return day - date + 1;
}

int32_t day_quarter(int32_t day)
{
    int year, month, date;
    day_to_civil(day, &year, &month, &date);
    return day_from_civil(year, month - (month - 1) % 3, 1);
}

/* ---- from what the clock shows to instants ---- */

/* The first piece that can show `wanted` or more. No clock is more than a day and a few hours from
 * UTC. */
static uint32_t piece_before(const struct zone *zone, struct instant wanted)
{
    return changes_until(zone, instant_minus(wanted, (struct duration){2 * US_PER_DAY}).us);
}

static struct instant time_instant(struct zone_time time)
{
    return (struct instant){time.day * US_PER_DAY + time.second * US_PER_SECOND};
}

int zone_instants(const struct zone *zone, struct zone_time time, struct instant *first)
{
    const struct instant wanted = time_instant(time);
    int found = 0;
    *first = INSTANT_NEVER;
    for (uint32_t piece = piece_before(zone, wanted); piece <= zone->count; piece++) {
        struct instant start = piece_start(zone, piece), end = piece_end(zone, piece),
                       t = instant_minus(wanted, seconds(piece_offset(zone, piece)));
        if (instant_compare(start, instant_plus(wanted, (struct duration){2 * US_PER_DAY})) > 0)
            break;
        bool is_inside = instant_compare(start, t) <= 0 && instant_compare(t, end) < 0;
        /* Before this piece the clock showed less, and it begins with more. */
        bool is_skipped = found == 0 && instant_compare(t, start) < 0 &&
                          instant_compare(*first, INSTANT_NEVER) == 0;
        if (is_inside && found++ == 0)
            *first = t;
        if (is_skipped)
            *first = start;
    }
    return found;
}

struct instant zone_midnight(const struct zone *zone, int32_t day)
{
    const struct instant wanted = time_instant((struct zone_time){day, 0});
    for (uint32_t piece = piece_before(zone, wanted); piece < zone->count; piece++) {
        struct instant start = piece_start(zone, piece),
                       t = instant_minus(wanted, seconds(piece_offset(zone, piece)));
        if (instant_compare(t, start) < 0)
            return start;
        if (instant_compare(t, piece_end(zone, piece)) < 0)
            return t;
    }
    struct instant start = piece_start(zone, zone->count),
                   t = instant_minus(wanted, seconds(piece_offset(zone, zone->count)));
    return instant_compare(t, start) < 0 ? start : t;
}

/* The first instant from t on with this time of the day, were there no change. */
static struct instant next_even(struct instant t, int32_t offset, int32_t second)
{
    int64_t past = (shown(t, offset).us - second * US_PER_SECOND) % US_PER_DAY;
    if (past < 0)
        past += US_PER_DAY;
    return past == 0 ? t : instant_plus(t, (struct duration){US_PER_DAY - past});
}

/* Whether the clocks go forward from `before` to `after` over this time of the day. */
static bool skips(struct instant t, int32_t before, int32_t after, int32_t second)
{
    struct instant first = next_even(t, before, second);
    return after > before && instant_since(first, t).us < seconds(after - before).us;
}

struct instant zone_next(const struct zone *zone, struct instant t, int32_t second)
{
    for (uint32_t piece = changes_until(zone, t.us); piece < zone->count; piece++) {
        const struct instant end = piece_end(zone, piece);
        int32_t offset = piece_offset(zone, piece);
        struct instant found = next_even(t, offset, second);
        if (instant_compare(found, end) < 0)
            return found;
        if (skips(end, offset, piece_offset(zone, piece + 1), second))
            return end;
        t = end;
    }
    return next_even(t, piece_offset(zone, zone->count), second);
}
