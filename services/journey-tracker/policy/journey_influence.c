/* journey_influence.c: see journey_influence.h. */
#include "services/journey-tracker/policy/journey_influence.h"

static enum outcome read_lookback(const struct json *object, struct influence_rule *rule,
                                  struct err *err)
{
    CHECK(json_duration(object, "lookback", &rule->lookback, err));
    if (json_get(object, "lookback") &&
        (rule->lookback.us < US_PER_DAY || rule->lookback.us > 365 * US_PER_DAY))
        return json_fail(json_get(object, "lookback"), err, "expected P1D to P365D");
    return OUTCOME_OK;
}

static enum outcome read_rule(const struct json *object, struct journey_policy *policy,
                              struct err *err)
{
    struct influence_rule rule = {.lookback = policy->lookback};
    int node = PATH_BY_CAMPAIGN, conversions = 0;
    CHECK(json_check_keys(object, "goal", "node conversions lookback", err));
    CHECK(json_text(object, "goal", &rule.goal, err));
    CHECK(json_choice(object, "node", "campaign|kind|channel", &node, err));
    CHECK(json_choice(object, "conversions", "first|all", &conversions, err));
    CHECK(read_lookback(object, &rule, err));
    rule.node = (enum path_node)node;
    rule.first_only = conversions == 0;
    for (uint32_t i = 0; i < policy->influence_count; i++)
        if (span_equal(policy->influence[i].goal, rule.goal))
            return json_fail(json_get(object, "goal"), err, "goal \"" SPAN_FMT "\" stands twice",
                             SPAN_ARG(rule.goal));
    policy->influence[policy->influence_count++] = rule;
    return OUTCOME_OK;
}

enum outcome journey_influence_read(const struct json *journey, struct journey_policy *policy,
                                    struct err *err)
{
    const struct json *list = NULL;
    CHECK(json_list(journey, "influence", &list, err));
    if (json_count(list) > POLICY_MAX_INFLUENCE)
        return json_fail(list, err, "%zu goals: at most %d", json_count(list),
                         POLICY_MAX_INFLUENCE);
    for (size_t i = 0; i < json_count(list); i++)
        CHECK(read_rule(json_at(list, i), policy, err));
    return OUTCOME_OK;
}
