/* late.c: which periods of a cell are closed. */
#include "services/metrics-aggregator/logic/late.h"

#include "common/words/periods.h"

unsigned late_kinds(const struct cell_key *key, int32_t closed_day)
{
    unsigned kinds = 0;
    if (key->family != CELL_GOAL && key->family != CELL_CREDIT)
        return 0;
    for (int kind = PERIOD_DAY; kind < PERIOD_COUNT && key->period < closed_day; kind++)
        if (period_end((enum period_kind)kind, key->period) <= closed_day)
            kinds |= 1u << kind;
    return kinds;
}
