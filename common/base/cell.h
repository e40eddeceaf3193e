/* cell.h: a cell of the shared figures: a family, a period, up to ten dictionary codes and up to
 * eight signed sums.
 *
 * A cell is a sum of signed weights over everything that happened, so it is exact under late data,
 * merges and replays. Codes are those of journey.dictionary (0 = absent); periods are days since
 * 1970-01-01 (months: their first day). Sums of micro-units may leave 64 bits (a day of a bank in a
 * small currency, or absurd input): value k is then the rest of a division by 2^62, and value k +
 * CELL_HIGH what was divided. Zero stays all zeros. */
#ifndef TUTTI_BASE_CELL_H
#define TUTTI_BASE_CELL_H

#include <stdbool.h>
#include <stdint.h>

enum { CELL_DIMS = 10, CELL_VALUES = 8, CELL_HIGH = 5 };
#define CELL_LIMIT (INT64_C(1) << 62)

/* CELL_GOAL = 1, CELL_GOAL_CUSTOMERS, ...: families.def says what each counts. */
enum cell_family {
#define CELL_FAMILY(name, number, ...) CELL_##name = number,
#include "common/base/families.def"
};

/* CREDIT_HAS_MARGIN, ...: values of dimensions that have bits. */
enum cell_bit {
#define CELL_BIT(family, index, name, number, ...) family##_##name = 1 << (number),
#include "common/base/families.def"
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

/* True if value k of the family may leave 64 bits. */
static inline bool cell_is_money(uint32_t family, int k)
{
    enum { COUNT, MONEY };
#define CELL_VALUE(name, index, column, kind, ...)                                                 \
    if (kind == MONEY && family == CELL_##name && k == index)                                      \
        return true;
#include "common/base/families.def"
    return false;
}

/* After something below 2^62 was added to value k. */
static inline void cell_carry(int64_t *values, int k)
{
    values[k + CELL_HIGH] += values[k] / CELL_LIMIT;
    values[k] %= CELL_LIMIT;
}

#endif
