/* random.h: a small seeded generator for property tests: splitmix64. The seed comes from TUTTI_SEED
 * or the clock, and is printed.
 */
#ifndef TUTTI_TESTS_RANDOM_H
#define TUTTI_TESTS_RANDOM_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct random {
    uint64_t state;
};

static inline uint64_t random_next(struct random *r)
{
    uint64_t z = (r->state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* 0 to n - 1. */
static inline uint32_t random_below(struct random *r, uint32_t n)
{
    return (uint32_t)(random_next(r) % n);
}

static inline struct random random_from_environment(void)
{
    const char *text = getenv("TUTTI_SEED");
    struct random r = {text ? strtoull(text, NULL, 10) : (uint64_t)time(NULL)};
    printf("TUTTI_SEED=%llu\n", (unsigned long long)r.state);
    return r;
}

#endif
