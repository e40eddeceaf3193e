/* credit.c: dividing a conversion's value among its touches, exact to the micro-unit. */
#include "services/journey-tracker/logic/journey.h"

int64_t credit_split(int64_t total, uint32_t n, uint32_t i)
{
    uint64_t size = total < 0 ? -(uint64_t)total : (uint64_t)total;
    int64_t part = (int64_t)(size / n + (i < size % n));
    return total < 0 ? -part : part;
}

int64_t credit_part(enum credit_model model, int64_t total, uint32_t n, uint32_t i)
{
    switch (model) {
    case MODEL_FIRST_TOUCH:
        return i == 0 ? total : 0;
    case MODEL_LAST_TOUCH:
        return i + 1 == n ? total : 0;
    case MODEL_LINEAR:
        return credit_split(total, n, i);
    case MODEL_NONE:
        break;
    }
    return 0;
}
