/* backoff.h: how long to wait before the next attempt: doubling, capped, with jitter so that
 * competitors do not meet again. */
#ifndef TUTTI_SERVICE_BACKOFF_H
#define TUTTI_SERVICE_BACKOFF_H

#include <stdint.h>

struct backoff {
    int64_t first_us, limit_us; /* the first wait and the longest */
    int64_t step_us;            /* the next wait before jitter; 0: the first */
    uint32_t random;            /* any seed */
};

static inline void backoff_reset(struct backoff *backoff)
{
    backoff->step_us = 0;
}

/* The next wait: half of the step and a random part of the other half. */
static inline int64_t backoff_next_us(struct backoff *backoff)
{
    int64_t step = backoff->step_us ? backoff->step_us : backoff->first_us;
    backoff->step_us = step < backoff->limit_us / 2 ? step * 2 : backoff->limit_us;
    backoff->random = backoff->random * 1664525u + 1013904223u;
    return step / 2 + (int64_t)((uint64_t)(step - step / 2) * (backoff->random >> 8) >> 24);
}

#endif
