/* journey_internal.h: what the files of the derivation share. Only logic/ includes it. */
#ifndef TUTTI_JOURNEY_INTERNAL_H
#define TUTTI_JOURNEY_INTERNAL_H

#include "services/journey-tracker/logic/journey.h"

/* Wrapping is defined, so that taking back is always exact. */
static inline int64_t wrap_add(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static inline int64_t wrap_sub(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

__extension__ typedef unsigned __int128 micros_bits;

static inline micros_sum sum_add(micros_sum a, micros_sum b)
{
    return (micros_sum)((micros_bits)a + (micros_bits)b);
}

static inline micros_sum sum_sub(micros_sum a, micros_sum b)
{
    return (micros_sum)((micros_bits)a - (micros_bits)b);
}

static inline bool instant_is_set(struct instant t)
{
    return t.us != INT64_MIN;
}

static inline int32_t reporting_day(const struct journey_policy *policy, struct instant t)
{
    return instant_day(t, policy->reporting_offset);
}

/* First day of the month of t. */
int32_t reporting_month(const struct journey_policy *policy, struct instant t);

/* The conversion rule that a touch matches; -1: none. */
static inline int touch_conversion(const struct touch *touch)
{
    return touch->value_micros > 0 ? touch->shape->positive : touch->shape->otherwise;
}

/* Goals whose filter the touch matches, one bit each. */
static inline uint64_t touch_goals(const struct journey_policy *policy, const struct touch *touch)
{
    return touch->shape->goals & (touch->value_micros > 0 ? UINT64_MAX : ~policy->goals_positive);
}

/* What the touch adds to a goal of value or margin_else_value; 0 for other measures. */
int64_t goal_micros(const struct journey_goal *goal, const struct touch *touch);

/* Stage at t, given that no inbound touch lies between state->last_inbound and t. */
uint8_t journey_stage_at(const struct journey_state *state, struct instant t);

/* ---- effects ---- */
/* Values of a cell, for effects_add; valid until the next call. */
int64_t *effects_cell(struct journey_effects *effects, const struct cell_key *key);
static inline void effects_add(const struct journey_effects *effects, int64_t *sum, int64_t amount)
{
    *sum = effects->sign < 0 ? wrap_sub(*sum, amount) : wrap_add(*sum, amount);
}

/* Adds micro-units to value k of a cell and to its high part: an amount alone may be as large as 64
 * bits hold. */
static inline void effects_add_micros(const struct journey_effects *effects, int64_t *values, int k,
                                      int64_t micros)
{
    effects_add(effects, &values[k + CELL_HIGH], micros / CELL_LIMIT);
    effects_add(effects, &values[k], micros % CELL_LIMIT);
    cell_carry(values, k);
}

/* The stage or status of one customer changes from `from` (0: was in none) to `to` (0: leaves). */
void effects_stock(struct journey_effects *effects, enum cell_family family, int32_t day,
                   uint32_t from, uint32_t to);

/* A customer goes from one stage and status to others: the status alone, and each goal that asks
 * for a stage as well. */
struct position {
    uint32_t stage, status;
};
void effects_status(struct journey_effects *effects, const struct journey_policy *policy,
                    int32_t day, struct position from, struct position to);

struct step {
    int32_t month;
    uint32_t stage, from, to, from_department, to_department;
    int64_t wait; /* microseconds; -1 for (start) and (exit): none */
};
void effects_step(struct journey_effects *effects, const struct step *step);

struct conversion {
    const struct touch *touch;
    uint32_t goal;
    bool is_first;
    uint8_t stage_before;
    int32_t day;
    bool is_left_out;      /* its goal is credited and does not count this touch */
    uint32_t unidentified; /* code of UNIDENTIFIED_PART; 0: somebody bought it */
};
/* Credit cells and the row of one conversion; eligible are its n eligible touches, oldest first. */
void effects_conversion(struct journey_effects *effects, const struct conversion *conversion,
                        const struct tail_touch *eligible, uint32_t n);

/* ---- tail ---- */
void tail_prune(struct journey_tail *tail, struct instant since);
void tail_push(struct journey_tail *tail, struct arena *arena, const struct touch *touch,
               uint32_t max);
/* Contact Failed: the newest send that has not failed yet and has its decision; without a decision,
 * that of its channel and campaign. */
void tail_fail(struct journey_tail *tail, const struct touch *failure);
/* The touches that share credit, oldest first; valid until the tail changes. */
const struct tail_touch *tail_eligible(const struct journey_tail *tail, struct arena *arena,
                                       uint32_t *count);
bool tail_equal(const struct journey_tail *a, const struct journey_tail *b);

/* ---- deadlines ---- */
struct deadline {
    enum stage_reason reason;
    struct instant at;
    uint8_t from_status, to_status;
};
enum { DEADLINES_MAX = 3 };
/* All deadlines that act if no inbound touch follows, in order. */
size_t journey_deadlines(const struct journey_policy *policy, const struct journey_state *state,
                         struct deadline out[DEADLINES_MAX]);

/* The entry of currency, made if absent. */
struct currency_sum *journey_sum(struct journey_state *state, uint32_t currency);

#endif
