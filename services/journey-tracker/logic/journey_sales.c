/* journey_sales.c: what a sale is, which of the touches that tell it owns it, and what it adds
 * where no customer is known. */
#include "services/journey-tracker/logic/journey_internal.h"

static bool has_amount(int64_t micros)
{
    return micros != MICROS_ABSENT && micros != 0;
}

bool journey_is_sale(const struct journey_policy *policy, const struct touch *touch)
{
    if (touch_conversion(touch) >= 0)
        return true;
    return (has_amount(touch->value_micros) || has_amount(touch->margin_micros)) &&
           (touch_goals(policy, touch) & policy->goals_money) != 0;
}

int journey_claim_compare(const struct sale_claim *a, const struct sale_claim *b)
{
    if (a->holder != b->holder)
        return a->holder < b->holder ? -1 : 1;
    if (a->rank != b->rank)
        return a->rank > b->rank ? -1 : 1;
    return (a->anchor > b->anchor) - (a->anchor < b->anchor);
}

static void count_alone(const struct journey_policy *policy, const struct touch *touch,
                        const struct journey_goal *goal, struct journey_effects *effects)
{
    uint32_t currency = goal->measure == MEASURE_COUNT ? 0 : touch->shape->currency;
    struct cell_key key = {CELL_GOAL,
                           reporting_day(policy, touch->key.at),
                           {goal->code, policy->unidentified, policy->unidentified, currency}};
    int64_t *v = effects_cell(effects, &key);
    effects_add(effects, &v[0], 1);
    effects_add_micros(effects, v, 1, goal_micros(goal, touch));
}

static void convert_alone(const struct journey_policy *policy, const struct touch *touch,
                          uint64_t counted, struct journey_effects *effects)
{
    const struct conversion_rule *rule = &policy->conversions[touch_conversion(touch)];
    struct conversion conversion = {.touch = touch,
                                    .goal = rule->goal_code,
                                    .day = reporting_day(policy, touch->key.at),
                                    .is_left_out = (rule->credited & ~counted) != 0,
                                    .unidentified = policy->unidentified};
    effects_conversion(effects, &conversion, NULL, 0);
}

void journey_alone(const struct journey_policy *policy, const struct touch *touch,
                   struct journey_effects *effects)
{
    uint64_t counted = touch_goals(policy, touch) & policy->goals_alone;
    for (uint64_t goals = counted; goals; goals &= goals - 1)
        count_alone(policy, touch, &policy->goals[__builtin_ctzll(goals)], effects);
    if (touch_conversion(touch) >= 0)
        convert_alone(policy, touch, counted, effects);
}
