/* periods.c: the calendar of the reports. */
#include "common/words/periods.h"

#include "common/base/zone.h"

int32_t period_start(enum period_kind kind, int32_t day)
{
    switch (kind) {
    case PERIOD_WEEK:
        return day_week(day);
    case PERIOD_MONTH:
        return day_month(day);
    case PERIOD_QUARTER:
        return day_quarter(day);
    default:
        return day;
    }
}

int32_t period_end(enum period_kind kind, int32_t day)
{
    static const int32_t longest[] = {0, 1, 7, 31, 92};
    /* A day that is surely of the next period, and not of the one after it. */
    return period_start(kind, period_start(kind, day) + longest[kind]);
}
