/* journey_policy_warnings.c: finds what a valid journey.json says and can hardly mean. */
#include "services/journey-tracker/journey_policy.h"

static void look_at_lengths(struct arena *arena, const struct journey_policy *policy,
                            struct warnings *out)
{
    if (policy->session.us == 0)
        warnings_add(arena, out, "session: is zero: every inbound touch begins a new session");
    if (policy->at_risk_after.us == 0)
        warnings_add(arena, out,
                     "status.at_risk.after: is zero: customers are at risk as soon as they came");
    if (policy->lapsed_after.us == 0)
        warnings_add(arena, out,
                     "status.lapsed.after: is zero: customers have lapsed as soon as they came");
    if (policy->lookback.us == 0)
        warnings_add(arena, out,
                     "attribution.lookback: is zero: only touches at the very instant of the "
                     "conversion get credit");
    for (uint32_t i = 0; i < policy->conversion_count && policy->lookback.us > 0; i++)
        if (policy->conversions[i].lookback.us == 0)
            warnings_add(arena, out,
                         arena_printf(arena,
                                      "attribution.conversions[%u].lookback: is zero: only touches "
                                      "at the very instant of the conversion get credit",
                                      i));
}

static bool is_conversion(const struct journey_policy *policy, struct span event)
{
    for (uint32_t i = 0; i < policy->conversion_count; i++)
        if (span_equal(policy->conversions[i].event, event))
            return true;
    return false;
}

/* Who subtracts returns by a rule of their own would do it twice; such a rule does nothing. */
static void look_at_returns(struct arena *arena, const struct journey_policy *policy,
                            struct warnings *out)
{
    for (uint32_t i = 0; i < policy->conversion_count; i++)
        if (span_list_has(&policy->orders.return_events, policy->conversions[i].event))
            warnings_add(arena, out,
                         arena_printf(arena,
                                      "attribution.conversions[%u] has no effect: \"" SPAN_FMT
                                      "\" is an event of returns, which are taken back by "
                                      "themselves",
                                      i, SPAN_ARG(policy->conversions[i].event)));
}

void journey_policy_warnings(struct arena *arena, const struct journey_policy *policy,
                             struct warnings *out)
{
    *out = (struct warnings){0};
    look_at_lengths(arena, policy, out);
    look_at_returns(arena, policy, out);
    for (size_t i = 0; i < policy->creditable.count; i++)
        if (is_conversion(policy, policy->creditable.items[i]))
            warnings_add(arena, out,
                         arena_printf(arena,
                                      "attribution.creditable: \"" SPAN_FMT
                                      "\" is a conversion: a sale would get credit for the next",
                                      SPAN_ARG(policy->creditable.items[i])));
}
