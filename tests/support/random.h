/* random.h: the random numbers of property tests. The seed comes from TUTTI_SEED or the clock, and
 * is printed. */
#ifndef TUTTI_TESTS_RANDOM_H
#define TUTTI_TESTS_RANDOM_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "data/random.h"

static inline struct random random_from_environment(void)
{
    const char *text = getenv("TUTTI_SEED");
    struct random r = {text ? strtoull(text, NULL, 10) : (uint64_t)time(NULL)};
    printf("TUTTI_SEED=%llu\n", (unsigned long long)r.state);
    return r;
}

#endif
