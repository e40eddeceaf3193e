/* hours.h: hours of the day by the clocks of everywhere where a customer may be.
 *
 * Only instants are turned into what a clock shows, never what it shows into instants. So hours
 * that do not exist, or come twice, need no rule of their own. */
#ifndef TUTTI_CONTACT_HOURS_H
#define TUTTI_CONTACT_HOURS_H

#include "common/base/zone.h"

enum { HOURS_MOST_WINDOWS = 16, HOURS_EVERY_DAY = 0x7f };

/* From `from` until before `to`, seconds of the day. From a later time to an earlier one it goes on
 * into the next day; from a time to the same one it is a whole day. */
struct hours_window {
    int32_t from, to;
    int days; /* bit n: it begins on this weekday; 0 = Monday */
};

struct hours {
    const struct hours_window *windows;
    size_t window_count;  /* at most HOURS_MOST_WINDOWS */
    int also;             /* weekdays from 00:00 to 24:00, as bits */
    const int32_t *dates; /* the same of these days since 1970, in any order */
    size_t date_count;
};

/* True if a clock that shows this is within the hours. */
bool hours_hold(const struct hours *hours, struct zone_time shown);
/* True if no minute of any week is outside the windows and weekdays. */
bool hours_are_always(const struct hours *hours);

/* Opens and closes by the hours, in every zone at once. */
struct clock_rule {
    const struct hours *hours;
    const struct zone *const *zones;
    size_t zone_count;
    bool is_open_within; /* false: it is closed within the hours */
};

bool clock_is_closed(const struct clock_rule *rule, const struct zone *zone, struct instant at);
/* The first instant from `at` on at which it is open in all zones, and stays so for `least`.
 * INSTANT_NEVER: none within 100 days; but for dates, hours repeat by the week. */
struct instant clock_opens(const struct clock_rule *rule, struct instant at, struct duration least);
/* The first instant after `at` at which it is closed in some zone; INSTANT_NEVER: none within 100
 * days. */
struct instant clock_closes(const struct clock_rule *rule, struct instant at);

#endif
