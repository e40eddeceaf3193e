/* deadline.h: bounded waits of tests. A bound ends a test that hangs; it does not judge how fast
 * the machine is, so it is far above what a wait takes. */
#ifndef TUTTI_TESTS_SUPPORT_DEADLINE_H
#define TUTTI_TESTS_SUPPORT_DEADLINE_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/instant.h"
#include "common/runtime/clock.h"

#define DEADLINE_SECONDS 240
#define DEADLINE_MS      (DEADLINE_SECONDS * 1000)

struct deadline {
    int64_t start_us;
};

static inline struct deadline deadline_start(void)
{
    return (struct deadline){clock_monotonic_us()};
}

/* Ends the program once the bound has passed. Call it in each round of a wait. */
static inline void deadline_check(struct deadline deadline, const char *what)
{
    if (clock_monotonic_us() - deadline.start_us < DEADLINE_SECONDS * US_PER_SECOND)
        return;
    fprintf(stderr, "not within %d s: %s\n", DEADLINE_SECONDS, what);
    exit(1);
}

#endif
