/* clock.c: the wall clock and the monotonic clock in microseconds. */
#include "common/runtime/clock.h"

#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * US_PER_SECOND + t.tv_nsec / 1000;
}

struct instant clock_now(void)
{
    return (struct instant){read_clock(CLOCK_REALTIME)};
}

int64_t clock_monotonic_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}
