/* calendar.h: contacts in days, weeks and months, by the clocks of everywhere where the customer
 * may be. A day is from midnight to midnight there, however many hours that is. */
#ifndef TUTTI_CONTACT_CALENDAR_H
#define TUTTI_CONTACT_CALENDAR_H

#include "services/suppression/logic/rules/closings.h"
#include "services/suppression/logic/rules/counted.h"

enum calendar_unit { CALENDAR_DAY, CALENDAR_WEEK, CALENDAR_MONTH, CALENDAR_NONE };

struct calendar {
    int unit;              /* enum calendar_unit */
    bool begins_on_sunday; /* of weeks; else on Monday */
};

/* The first day of the period that the day is in, and of the next one; days since 1970. */
int32_t calendar_start(const struct calendar *calendar, int32_t day);
int32_t calendar_end(const struct calendar *calendar, int32_t day);

/* A contact beyond the limit is refused in the whole period, in each of the zones. No place may be
 * missing that is in the period of `at` or later. Returns the most places in the period of `at` in
 * any zone, with one more contact at `at`. */
int32_t calendar_close(const struct calendar *calendar, const struct zone *const *zones,
                       size_t zone_count, const struct places *places, int32_t limit,
                       struct instant at, struct arena *arena, struct closings *out);
/* No contact of the period of `at`, in any of the zones, is earlier. */
struct instant calendar_since(const struct calendar *calendar, const struct zone *const *zones,
                              size_t zone_count, struct instant at);

#endif
