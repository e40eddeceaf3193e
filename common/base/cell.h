/* cell.h: a cell of the shared figures: a family, a period, dictionary codes and up to eight signed
 * sums.
 *
 * A cell is a sum of signed weights over everything that happened, so it is exact under late data,
 * merges and replays. Codes are those of journey.dictionary (0 = absent); periods are days since
 * 1970-01-01 (months: their first day). Sums of micro-units may leave 64 bits (a day of a bank in a
 * small currency, or absurd input): value k is then the rest of a division by 2^62, and value k +
 * CELL_HIGH what was divided. Zero stays all zeros. */
#ifndef TUTTI_BASE_CELL_H
#define TUTTI_BASE_CELL_H

#include <stdint.h>

enum { CELL_DIMS = 8, CELL_VALUES = 8, CELL_HIGH = 5, CELL_MONEY = 1, CELL_MONEY_END = 3 };

enum cell_family {
    /* day; goal, department, channel, currency; values: touches, micros (and value 6: their high
       part). Own split of a goal. */
    CELL_GOAL = 1,
    /* day; goal; values: distinct customers (first matching touch of the profile that day). */
    CELL_GOAL_CUSTOMERS = 2,
    /* day; goal, model (1 first, 2 last, 3 linear), touch channel, touch department, touch purpose,
     * campaign, conversion department, currency; values: credit in millionths, revenue micros,
     * margin micros, rows (and values 6 and 7: the high parts of both micros). touch channel 0 =
     * unattributed. */
    CELL_CREDIT = 3,
    /* month; stage before, from kind, to kind, from department, to department; values: steps, wait
     * in ms (each rounded down), then steps by wait:
     * <= 1 h, <= 1 d, <= 7 d, <= 30 d, above. Kinds 0 = (start) as from, (exit) as to; stage 0 =
     * none. */
    CELL_STEP = 4,
    /* day; status (enum journey_status); values: change of the number of customers in it, entries
       into it. */
    CELL_STATUS = 5,
    /* day; stage; values: change of the number of customers in it, entries into it. */
    CELL_STAGE = 6,
};

struct cell_key {
    uint32_t family;
    int32_t period;
    uint32_t dims[CELL_DIMS];
};

struct cell {
    struct cell_key key;
    int64_t values[CELL_VALUES];
};

/* After something below 2^62 was added to value k. */
static inline void cell_carry(int64_t *values, int k)
{
    const int64_t limit = INT64_C(1) << 62;
    values[k + CELL_HIGH] += values[k] / limit;
    values[k] %= limit;
}

#endif
