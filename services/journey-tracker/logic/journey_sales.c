/* journey_sales.c: what a sale is, which of the touches that tell it owns it, and what it adds
 * where no customer is known. */
#include "services/journey-tracker/logic/journey_internal.h"

static bool has_amount(int64_t micros)
{
    return micros != MICROS_ABSENT && micros != 0;
}

/* Who owns a sale is asked before lines and score are known, so neither plays a part. */
static uint64_t sale_goals(const struct journey_policy *policy, const struct touch *touch)
{
    uint64_t goals = touch->shape->goals | touch->shape->line_goals;
    for (uint32_t i = 0; i < policy->goal_count && !is_positive(touch); i++)
        if (policy->goals[i].on.positive)
            goals &= ~(UINT64_C(1) << i);
    return goals;
}

bool journey_is_sale(const struct journey_policy *policy, const struct touch *touch)
{
    if (touch_conversions(touch).count || is_return(touch))
        return true;
    return (has_amount(touch->value_micros) || has_amount(touch->margin_micros)) &&
           (sale_goals(policy, touch) & policy->goals_money) != 0;
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
    const struct order_sums sums = sums_of(touch);
    const struct shown_segments nobody = in_no_segment();
    effects_goal(effects, goal,
                 &(struct goal_amount){.shown = &nobody,
                                       .day = reporting_day(policy, touch->key.at),
                                       .department = policy->unidentified,
                                       .channel = policy->unidentified,
                                       .currency = touch->shape->currency,
                                       .touches = 1,
                                       .value = (int64_t)sums.value,
                                       .by_goal = (int64_t)sums.by_goal});
}

/* The conversion by rule number i of those that the touch matches. */
static void convert_alone(const struct journey_policy *policy, const struct touch *touch,
                          const struct conversion_set *sales, uint8_t i, uint64_t counted,
                          struct journey_effects *effects)
{
    const struct conversion_rule *rule = &policy->conversions[sales->rules[i]];
    const struct shown_segments nobody = in_no_segment();
    effects_credit(effects, &policy->credit,
                   &(struct crediting){.shown = &nobody,
                                       .goal = rule->goal_code,
                                       .day = reporting_day(policy, touch->key.at),
                                       .department = touch->shape->department,
                                       .currency = touch->shape->currency,
                                       .share = CREDIT_WHOLE,
                                       .value = or_zero(touch->value_micros),
                                       .margin = touch->margin_micros,
                                       .is_left_out = (rule->credited & ~counted) != 0,
                                       .unidentified = policy->unidentified},
                   NULL, 0);
    struct conversion_rows *rows =
        effects->sign < 0 ? &effects->conversions_removed : &effects->conversions;
    *arena_push(effects->arena, rows) =
        (struct conversion_row){.key = touch->key,
                                .shape = touch->shape->code,
                                .rule = sales->rules[i],
                                .goal = rule->goal_code,
                                .further = i ? rule->goal : SPAN_NONE,
                                .value = touch->value_micros,
                                .margin = touch->margin_micros,
                                .eligible = SPAN("")};
}

void journey_alone(const struct journey_policy *policy, const struct touch *touch,
                   struct journey_effects *effects)
{
    uint64_t counted = touch_goals(policy, touch) & policy->goals_alone;
    if (is_return(touch)) {
        return_alone(policy, touch, effects);
        return;
    }
    for (uint64_t goals = counted; goals; goals &= goals - 1)
        count_alone(policy, touch, &policy->goals[__builtin_ctzll(goals)], effects);
    const struct conversion_set sales = touch_conversions(touch);
    for (uint8_t i = 0; i < sales.count; i++)
        convert_alone(policy, touch, &sales, i, counted, effects);
}
