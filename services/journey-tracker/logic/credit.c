/* credit.c: dividing a conversion's value among its touches, exact to the micro-unit. */
#include <stdlib.h>

#include "services/journey-tracker/logic/journey_internal.h"

int64_t credit_split(int64_t total, uint32_t n, uint32_t i)
{
    uint64_t size = total < 0 ? -(uint64_t)total : (uint64_t)total;
    int64_t part = (int64_t)(size / n + (i < size % n));
    return total < 0 ? -part : part;
}

/* ---- weights ---- */
static int64_t position_weight(const struct credit_rules *rules, uint32_t n, uint32_t i)
{
    int64_t between = n - 2;
    if (n == 1 || (n == 2 && rules->first + rules->last == 0))
        return 1;
    if (n == 2)
        return i == 0 ? rules->first : rules->last;
    if (i == 0)
        return rules->first * between;
    return i + 1 == n ? rules->last * between : 100 - rules->first - rules->last;
}

static const uint32_t decay[] = {
#define DECAY(weight) weight,
#include "services/journey-tracker/logic/decay.def"
};
enum { DECAY_STEPS = sizeof decay / sizeof *decay, DECAY_HALVES = 31 };

static int64_t decay_weight(const struct credit_rules *rules, struct duration before)
{
    int64_t steps =
        DECAY_STEPS * (before.us / US_PER_SECOND) / (rules->half_life.us / US_PER_SECOND);
    int64_t halves = steps / DECAY_STEPS;
    return halves < DECAY_HALVES ? decay[steps % DECAY_STEPS] >> halves : 0;
}

static bool all_zero(const int64_t *weights, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (weights[i] != 0)
            return false;
    return true;
}

void credit_weights(const struct credit_rules *rules, enum credit_model model,
                    const struct tail_touch *touches, uint32_t n, struct instant converted_at,
                    int64_t *weights)
{
    for (uint32_t i = 0; i < n; i++)
        weights[i] = model == MODEL_POSITION_BASED
                         ? position_weight(rules, n, i)
                         : decay_weight(rules, instant_since(converted_at, touches[i].at));
    if (!all_zero(weights, n))
        return;
    for (uint32_t i = 0; i < n; i++)
        weights[i] = 1;
}

/* ---- parts ---- */
struct remainder {
    int64_t size;
    uint32_t i;
};

static int larger_first(const void *a, const void *b)
{
    const struct remainder *x = a, *y = b;
    if (x->size != y->size)
        return x->size > y->size ? -1 : 1;
    return x->i < y->i ? -1 : 1;
}

void credit_apportion(struct arena *arena, micros_sum total, const int64_t *weights, uint32_t n,
                      micros_sum *parts)
{
    struct remainder *rest = arena_array(arena, struct remainder, n);
    micros_sum size = total < 0 ? -total : total, left = size, sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += weights[i];
    for (uint32_t i = 0; i < n; i++) {
        micros_sum share = size * weights[i];
        parts[i] = share / sum;
        rest[i] = (struct remainder){(int64_t)(share - parts[i] * sum), i};
        left -= parts[i];
    }
    if (left > 0)
        qsort(rest, n, sizeof *rest, larger_first);
    for (uint32_t k = 0; k < left; k++)
        parts[rest[k].i]++;
    for (uint32_t i = 0; i < n && total < 0; i++)
        parts[i] = -parts[i];
}
