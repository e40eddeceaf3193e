/* random.h: seeded random numbers (splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom
 * number generators", 2014). */
#ifndef TUTTI_DATA_RANDOM_H
#define TUTTI_DATA_RANDOM_H

#include <math.h>
#include <stdint.h>

static inline uint64_t random_mix(uint64_t v)
{
    v = (v ^ (v >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ (v >> 27)) * UINT64_C(0x94d049bb133111eb);
    return v ^ (v >> 31);
}

struct random {
    uint64_t state;
};

/* A stream of its own for every (seed, what, index). */
static inline struct random random_of(uint64_t seed, uint64_t what, uint64_t index)
{
    return (struct random){
        random_mix(random_mix(seed + what * UINT64_C(0x9e3779b97f4a7c15)) + index)};
}

static inline uint64_t random_next(struct random *r)
{
    r->state += UINT64_C(0x9e3779b97f4a7c15);
    return random_mix(r->state);
}

/* 0 <= v < bound, by the high half of a product: the bias is below bound / 2^64. */
static inline uint64_t random_below(struct random *r, uint64_t bound)
{
    return (uint64_t)(((unsigned __int128)random_next(r) * bound) >> 64);
}

/* 0 <= v < 1 */
static inline double random_unit(struct random *r)
{
    return (double)(random_next(r) >> 11) * 0x1p-53;
}

static inline int random_chance(struct random *r, double probability)
{
    return random_unit(r) < probability;
}

static inline double random_exponential(struct random *r, double mean)
{
    return -mean * log1p(-random_unit(r));
}

/* Standard normal (Box and Muller). */
static inline double random_normal(struct random *r)
{
    double radius = sqrt(-2 * log1p(-random_unit(r)));
    return radius * cos(6.283185307179586 * random_unit(r));
}

#endif
