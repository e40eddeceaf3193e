/* calendar.c: see calendar.h. */
#include "services/suppression/logic/rules/calendar.h"

int32_t calendar_start(const struct calendar *calendar, int32_t day)
{
    switch (calendar->unit) {
    case CALENDAR_WEEK:
        return calendar->begins_on_sunday ? day - day_weekday(day) : day_week(day);
    case CALENDAR_MONTH:
        return day_month(day);
    default:
        return day;
    }
}

int32_t calendar_end(const struct calendar *calendar, int32_t day)
{
    int32_t start = calendar_start(calendar, day);
    switch (calendar->unit) {
    case CALENDAR_WEEK:
        return start + 7;
    case CALENDAR_MONTH:
        return day_month(start + 31);
    default:
        return start + 1;
    }
}

/* ---- in one zone ---- */

static int32_t period_of(const struct calendar *calendar, const struct zone *zone,
                         struct instant at)
{
    return calendar_start(calendar, zone_day(zone, at));
}

/* How many different places the contacts from *i on take that are in its period. *i becomes the
 * first one after it. */
static int32_t count_period(const struct calendar *calendar, const struct zone *zone,
                            const struct places *places, size_t *i)
{
    const size_t first = *i;
    const int32_t period = period_of(calendar, zone, places->items[first].at);
    int32_t count = 0;
    for (; *i < places->count; ++*i) {
        const struct placed_contact *contact = &places->items[*i];
        if (period_of(calendar, zone, contact->at) != period)
            break;
        uint32_t *held = &places->items[contact->place].held;
        count += *held != first + 1;
        *held = (uint32_t)first + 1;
    }
    return count;
}

static int32_t close_in(const struct calendar *calendar, const struct zone *zone,
                        const struct places *places, int32_t limit, struct instant at,
                        struct arena *arena, struct closings *out)
{
    int32_t mine = period_of(calendar, zone, at), most = 1;
    for (size_t i = 0; i < places->count; i++)
        places->items[i].held = 0;
    for (size_t i = 0; i < places->count;) {
        int32_t period = period_of(calendar, zone, places->items[i].at),
                count = count_period(calendar, zone, places, &i);
        if (period == mine)
            most = count + 1;
        if (count >= limit)
            closings_add(out, arena,
                         (struct closing){zone_midnight(zone, period),
                                          zone_midnight(zone, calendar_end(calendar, period))});
    }
    return most;
}

/* ---- in all zones ---- */

int32_t calendar_close(const struct calendar *calendar, const struct zone *const *zones,
                       size_t zone_count, const struct places *places, int32_t limit,
                       struct instant at, struct arena *arena, struct closings *out)
{
    int32_t most = 1;
    for (size_t i = 0; i < zone_count; i++) {
        struct closings closings = {0};
        int32_t here = close_in(calendar, zones[i], places, limit, at, arena, &closings);
        most = here > most ? here : most;
        *out = i == 0 ? closings : closings_unite(out, &closings, arena);
    }
    if (limit == 0) {
        *out = (struct closings){0};
        closings_add(out, arena, (struct closing){INSTANT_FIRST, INSTANT_NEVER});
    }
    return most;
}

struct instant calendar_since(const struct calendar *calendar, const struct zone *const *zones,
                              size_t zone_count, struct instant at)
{
    struct instant since = at;
    for (size_t i = 0; i < zone_count; i++) {
        struct instant start = zone_midnight(zones[i], period_of(calendar, zones[i], at));
        since = instant_compare(start, since) < 0 ? start : since;
    }
    return since;
}
