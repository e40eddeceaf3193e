/* policy.c: links each rule to the events and goals that it names, and gives texts their codes. */
#include "services/journey-tracker/logic/policy.h"

#include "common/base/nearest.h"
#include "common/base/span.h"

static enum outcome invalid(struct err *err, const char *what, struct span which)
{
    return err_set(err, OUTCOME_FATAL, "policy_invalid", "%s: \"" SPAN_FMT "\"", what,
                   SPAN_ARG(which));
}

/* Highest stage first; rules of one stage keep their order. */
static void sort_rules(struct journey_policy *policy)
{
    for (uint32_t i = 1; i < policy->rule_count; i++) {
        struct stage_rule rule = policy->rules[i];
        uint32_t at = i;
        for (; at > 0 && policy->rules[at - 1].stage < rule.stage; at--)
            policy->rules[at] = policy->rules[at - 1];
        policy->rules[at] = rule;
    }
}

static int counted_index(const struct journey_policy *policy, struct span event)
{
    for (uint32_t i = 0; i < policy->counted_count; i++)
        if (span_equal(policy->counted[i].event, event))
            return (int)i;
    return -1;
}

static enum outcome list_counted(struct journey_policy *policy, struct err *err)
{
    policy->counted_count = 0;
    for (uint32_t i = 0; i < policy->conversion_count; i++) {
        struct span event = policy->conversions[i].event;
        if (counted_index(policy, event) >= 0 ||
            span_list_has(&policy->orders.return_events, event))
            continue;
        if (policy->counted_count == POLICY_MAX_COUNTED)
            return invalid(err, "too many conversion events", event);
        policy->counted[policy->counted_count++] = (struct counted_event){.event = event};
    }
    return OUTCOME_OK;
}

static bool same_goal(const struct conversion_rule *a, const struct conversion_rule *b)
{
    return span_equal(a->goal, b->goal);
}

static bool has_goal(const struct journey_policy *policy, const struct conversion_set *set,
                     const struct conversion_rule *rule)
{
    for (uint8_t i = 0; i < set->count; i++)
        if (same_goal(&policy->conversions[set->rules[i]], rule))
            return true;
    return false;
}

struct conversion_set conversions_of(const struct journey_policy *policy, struct span event,
                                     bool has_value)
{
    struct conversion_set set = {0};
    for (uint32_t i = 0; i < policy->conversion_count && set.count < TOUCH_MAX_GOALS; i++) {
        const struct conversion_rule *rule = &policy->conversions[i];
        if (span_equal(rule->event, event) && (rule->any_value || has_value) &&
            !has_goal(policy, &set, rule))
            set.rules[set.count++] = (int16_t)i;
    }
    return set;
}

static enum outcome check_goals_of(const struct journey_policy *policy, struct span event,
                                   struct err *err)
{
    struct conversion_set set = conversions_of(policy, event, true);
    for (uint32_t i = 0; i < policy->conversion_count; i++)
        if (span_equal(policy->conversions[i].event, event) &&
            !has_goal(policy, &set, &policy->conversions[i]))
            return err_set(err, OUTCOME_FATAL, "policy_invalid",
                           "attribution.conversions: \"" SPAN_FMT
                           "\" converts for more than %d goals",
                           SPAN_ARG(event), TOUCH_MAX_GOALS);
    return OUTCOME_OK;
}

/* Gives each goal of a conversion rule its bit. */
static enum outcome link_conversions(struct journey_policy *policy, struct err *err)
{
    uint8_t slots = 0;
    for (uint32_t i = 0; i < policy->conversion_count; i++) {
        struct conversion_rule *rule = &policy->conversions[i];
        uint32_t first = 0;
        while (!same_goal(&policy->conversions[first], rule))
            first++;
        if (first == i && slots == POLICY_MAX_SOLD_GOALS)
            return err_set(err, OUTCOME_FATAL, "policy_invalid",
                           "attribution.conversions: more than %d goals", POLICY_MAX_SOLD_GOALS);
        rule->goal_slot = first == i ? slots++ : policy->conversions[first].goal_slot;
        if (i == 0 || rule->lookback.us > policy->lookback.us)
            policy->lookback = rule->lookback;
        CHECK(check_goals_of(policy, rule->event, err));
    }
    return OUTCOME_OK;
}

static void at_least(uint16_t *value, uint16_t least)
{
    if (*value < least)
        *value = least;
}

static struct span event_named(const struct stage_rule *rule)
{
    return rule->on.events.count > 0 ? rule->on.events.items[0] : SPAN("");
}

static enum outcome link_nth(struct journey_policy *policy, struct stage_rule *rule,
                             struct err *err)
{
    const struct span event_name = event_named(rule);
    rule->counted = (int16_t)counted_index(policy, event_name);
    if (rule->counted < 0)
        return invalid(err, "a stage rule with nth needs the event of a conversion", event_name);
    struct counted_event *event = &policy->counted[rule->counted];
    at_least(&event->enough, (uint16_t)(rule->nth - 1));
    if (rule->later_day) {
        at_least(&event->enough, 1);
        event->later_day = true;
    }
    if (rule->within.us > 0 && rule->nth > POLICY_MAX_WITHIN)
        return invalid(err, "nth with within is too large", event_name);
    if (rule->within.us > 0 && event->times < rule->nth - 1)
        event->times = (uint8_t)(rule->nth - 1);
    return OUTCOME_OK;
}

static enum outcome link_segment(const struct journey_policy *policy, struct stage_rule *rule,
                                 struct err *err)
{
    struct nearest nearest;
    if (rule->segment.ptr == NULL)
        return OUTCOME_OK;
    uint32_t position = segment_rules_find(&policy->segments, rule->segment, &nearest);
    if (position < policy->segments.count) {
        rule->in_segment = UINT32_C(1) << position;
        return OUTCOME_OK;
    }
    if (nearest.name.ptr == NULL)
        return invalid(err, "`segment` of a stage rule is not in segments.json", rule->segment);
    return err_set(err, OUTCOME_FATAL, "policy_invalid",
                   "a stage rule names segment \"" SPAN_FMT
                   "\", which is not in segments.json; did you mean \"" SPAN_FMT "\"?",
                   SPAN_ARG(rule->segment), SPAN_ARG(nearest.name));
}

static enum outcome link_rule(struct journey_policy *policy, struct stage_rule *rule,
                              struct err *err)
{
    CHECK(journey_policy_filter(policy, &rule->on, &rule->filter, err));
    CHECK(link_segment(policy, rule, err));
    if (rule->nth == 0 && (rule->within.us > 0 || rule->later_day))
        return invalid(err, "a stage rule with within or later_day needs nth", event_named(rule));
    if (rule->after.ptr != NULL) {
        rule->after_index = (int16_t)counted_index(policy, rule->after);
        if (rule->after_index < 0)
            return invalid(err, "`after` of a stage rule names no event of a conversion",
                           rule->after);
        at_least(&policy->counted[rule->after_index].enough, 1);
    }
    return rule->nth ? link_nth(policy, rule, err) : OUTCOME_OK;
}

static bool adds_money(const struct journey_goal *goal)
{
    return goal->measure == MEASURE_VALUE || goal->measure == MEASURE_MARGIN_ELSE_VALUE;
}

static void link_goal(struct journey_policy *policy, uint32_t index)
{
    const struct journey_goal *goal = &policy->goals[index];
    uint64_t bit = UINT64_C(1) << index;
    policy->goals_asking |= goal->on.positive || goal->on.has_score ? bit : 0;
    policy->goals_narrow |= goal->from_stage != STAGE_NONE || goal->identified ? bit : 0;
    policy->asks_identified |= goal->identified;
    policy->goals_money |= adds_money(goal) ? bit : 0;
    policy->goals_alone |= goal_is_of_touches(goal) && goal->nth == 0 ? bit : 0;
    for (uint32_t i = 0; i < policy->conversion_count && goal->credited; i++)
        if (span_equal(policy->conversions[i].goal, goal->id))
            policy->conversions[i].credited = bit;
}

static void link_windows(struct journey_policy *policy)
{
    uint8_t slots = 0;
    for (uint32_t i = 0; i < policy->goal_count; i++)
        if (policy->goals[i].windows)
            policy->goals[i].window_slot = slots++;
    policy->has_windows = slots > 0;
}

static enum outcome link_goals(struct journey_policy *policy, struct err *err)
{
    uint8_t slots = 0;
    link_windows(policy);
    policy->goals_asking = policy->goals_narrow = 0;
    policy->asks_identified = false;
    policy->goals_money = policy->goals_alone = 0;
    for (uint32_t i = 0; i < policy->goal_count; i++) {
        struct journey_goal *goal = &policy->goals[i];
        link_goal(policy, i);
        if (goal_is_of_touches(goal))
            CHECK(journey_policy_filter(policy, &goal->on, &goal->filter, err));
        if (goal->nth == 0)
            continue;
        if (slots == POLICY_MAX_NTH_GOALS)
            return invalid(err, "too many goals with nth", goal->id);
        policy->nth_goals[slots] = (uint8_t)i;
        goal->nth_slot = slots++;
    }
    return OUTCOME_OK;
}

static enum outcome check_status(const struct journey_policy *policy, struct err *err)
{
    if (policy->lapsed_after.us > JOURNEY_END.us)
        return invalid(err, "status.lapsed.after is above", SPAN("P365D"));
    if (policy->at_risk_after.us != INT64_MAX &&
        policy->at_risk_after.us >= policy->lapsed_after.us)
        return invalid(err, "status.at_risk.after is not below", SPAN("status.lapsed.after"));
    for (size_t i = 0; i < policy->at_risk_on.count; i++)
        for (size_t j = 0; j < policy->lapsed_on.count; j++)
            if (span_equal(policy->at_risk_on.items[i], policy->lapsed_on.items[j]))
                return invalid(err, "event in both status.at_risk.on and status.lapsed.on",
                               policy->lapsed_on.items[j]);
    return OUTCOME_OK;
}

static void push_text(struct span_list *list, struct arena *arena, struct span text)
{
    *arena_push(arena, list) = text;
}

struct credit_rules journey_policy_default_credit(void)
{
    return (struct credit_rules){
        .models = 1 << MODEL_FIRST_TOUCH | 1 << MODEL_LAST_TOUCH | 1 << MODEL_LINEAR,
        .stored = MODEL_LINEAR,
        .first = 40,
        .last = 40,
        .half_life = {7 * US_PER_DAY},
    };
}

void journey_policy_default_orders(struct order_rules *orders, struct arena *arena)
{
    *orders = (struct order_rules){.return_within = {90 * US_PER_DAY}, .within = {US_PER_DAY}};
    push_text(&orders->return_events, arena, SPAN("Order Returned"));
    push_text(&orders->return_events, arena, SPAN("Order Refunded"));
}

static enum outcome no_conversion_event(const struct journey_policy *policy, struct span event,
                                        struct err *err)
{
    struct nearest nearest = nearest_start(event, NEAREST_ANY);
    for (uint32_t i = 0; i < policy->counted_count; i++)
        nearest_consider(&nearest, policy->counted[i].event);
    if (nearest.name.ptr == NULL)
        return invalid(err, "orders.events names no event of a conversion", event);
    return err_set(err, OUTCOME_FATAL, "policy_invalid",
                   "orders.events: \"" SPAN_FMT
                   "\" is no event of a conversion; did you mean \"" SPAN_FMT "\"?",
                   SPAN_ARG(event), SPAN_ARG(nearest.name));
}

/* Orders of the journey before this one are never remembered, so that counts of a journey hold. */
static enum outcome check_order_times(const struct order_rules *orders, struct err *err)
{
    if (orders->return_within.us > JOURNEY_END.us)
        return invalid(err, "returns.within is above", SPAN("P365D"));
    if (orders->within.us > JOURNEY_END.us)
        return invalid(err, "orders.within is above", SPAN("P365D"));
    return OUTCOME_OK;
}

static enum outcome check_return_events(const struct journey_policy *policy, struct err *err)
{
    const struct order_rules *orders = &policy->orders;
    for (size_t i = 0; i < orders->return_events.count; i++) {
        struct span event = orders->return_events.items[i];
        if (span_list_has(&orders->events, event))
            return invalid(err, "event in both returns.events and orders.events", event);
        if (span_list_has(&policy->at_risk_on, event) || span_list_has(&policy->lapsed_on, event))
            return invalid(err, "a return changes no status, but status names its event", event);
    }
    return OUTCOME_OK;
}

/* The rule of the first order event: one of orders.events, if there is any. */
static int16_t stand_in_rule(const struct journey_policy *policy)
{
    int16_t first = -1;
    for (uint32_t i = 0; i < policy->conversion_count; i++) {
        struct span event = policy->conversions[i].event;
        if (span_list_has(&policy->orders.return_events, event))
            continue;
        if (span_list_has(&policy->orders.events, event))
            return (int16_t)i;
        if (first < 0)
            first = (int16_t)i;
    }
    return first;
}

static enum outcome link_orders(struct journey_policy *policy, struct err *err)
{
    struct order_rules *orders = &policy->orders;
    CHECK(check_order_times(orders, err));
    CHECK(check_return_events(policy, err));
    for (size_t i = 0; i < orders->events.count; i++)
        if (counted_index(policy, orders->events.items[i]) < 0)
            return no_conversion_event(policy, orders->events.items[i], err);
    orders->keep =
        orders->return_within.us > orders->within.us ? orders->return_within : orders->within;
    orders->stand_in = stand_in_rule(policy);
    return OUTCOME_OK;
}

/* ---- influence ---- */
static bool names_goal(const struct journey_policy *policy, struct span goal)
{
    for (uint32_t i = 0; i < policy->conversion_count; i++)
        if (span_equal(policy->conversions[i].goal, goal))
            return true;
    return false;
}

static int goal_index(const struct journey_policy *policy, struct span id)
{
    for (uint32_t i = 0; i < policy->goal_count; i++)
        if (span_equal(policy->goals[i].id, id))
            return (int)i;
    return -1;
}

static bool is_converted_to(const struct journey_goal *goal)
{
    return goal->status == STATUS_NONE && goal->on.direction != DIRECTION_OUTBOUND;
}

static enum outcome no_influenced_goal(const struct journey_policy *policy, struct span goal,
                                       struct err *err)
{
    struct nearest nearest = nearest_start(goal, NEAREST_ANY);
    for (uint32_t i = 0; i < policy->conversion_count; i++)
        nearest_consider(&nearest, policy->conversions[i].goal);
    for (uint32_t i = 0; i < policy->goal_count; i++)
        if (is_converted_to(&policy->goals[i]))
            nearest_consider(&nearest, policy->goals[i].id);
    if (nearest.name.ptr == NULL)
        return invalid(err, "influence: there is no goal", goal);
    return err_set(err, OUTCOME_FATAL, "policy_invalid",
                   "influence: there is no goal \"" SPAN_FMT "\"; did you mean \"" SPAN_FMT "\"?",
                   SPAN_ARG(goal), SPAN_ARG(nearest.name));
}

static enum outcome link_influence(const struct journey_policy *policy, struct influence_rule *rule,
                                   struct err *err)
{
    int goal = goal_index(policy, rule->goal);
    rule->counted_by = -1;
    if (names_goal(policy, rule->goal))
        return OUTCOME_OK;
    if (goal < 0)
        return no_influenced_goal(policy, rule->goal, err);
    if (!is_converted_to(&policy->goals[goal]))
        return invalid(err, "influence: no touch of a customer counts for the goal", rule->goal);
    rule->counted_by = (int8_t)goal;
    return OUTCOME_OK;
}

enum outcome journey_policy_filter(struct journey_policy *policy, const struct touch_filter *filter,
                                   uint8_t *out, struct err *err)
{
    uint32_t i = 0;
    while (i < policy->filter_count && !filter_equal(&policy->filters[i], filter))
        i++;
    if (i == FILTERS_MAX)
        return err_set(err, OUTCOME_FATAL, "policy_invalid", "more than %d different filters",
                       FILTERS_MAX);
    if (i == policy->filter_count) {
        policy->filters[policy->filter_count++] = *filter;
        if (filter->categories.count > 0)
            filter_set_add(&policy->filters_of_lines, i);
    }
    *out = (uint8_t)i;
    return OUTCOME_OK;
}

enum outcome journey_policy_finish(struct journey_policy *policy, struct err *err)
{
    if (policy->rule_count > POLICY_MAX_RULES || policy->goal_count > POLICY_MAX_GOALS)
        return err_set(err, OUTCOME_FATAL, "policy_invalid", "at most %d stage rules and %d goals",
                       POLICY_MAX_RULES, POLICY_MAX_GOALS);
    CHECK(check_status(policy, err));
    CHECK(link_conversions(policy, err));
    CHECK(list_counted(policy, err));
    CHECK(link_orders(policy, err));
    if (policy->responses.is_asked)
        CHECK(journey_policy_filter(policy, &policy->responses.sends, &policy->responses.filter,
                                    err));
    sort_rules(policy);
    for (uint32_t i = 0; i < policy->rule_count; i++)
        CHECK(link_rule(policy, &policy->rules[i], err));
    CHECK(link_goals(policy, err));
    for (uint32_t i = 0; i < policy->influence_count; i++)
        CHECK(link_influence(policy, &policy->influence[i], err));
    return OUTCOME_OK;
}

static enum outcome intern_paths(struct journey_policy *policy, journey_intern intern,
                                 void *context, struct err *err)
{
    static const char *const words[PATH_WORDS] = {"(start)", "(conversion)", "(none)", "(other)",
                                                  "(unprompted)"};
    for (int i = 0; i < PATH_WORDS && policy->influence_count > 0; i++)
        CHECK(intern(context, span_of(words[i]), &policy->path_words[i], err));
    for (uint32_t i = 0; i < policy->influence_count; i++)
        CHECK(intern(context, policy->influence[i].goal, &policy->influence[i].goal_code, err));
    return OUTCOME_OK;
}

static enum outcome intern_offers(struct offer_rules *rules, journey_intern intern, void *context,
                                  struct err *err)
{
    for (uint32_t i = 0; i < rules->count; i++) {
        CHECK(intern(context, rules->items[i].rule_id, &rules->items[i].rule_code, err));
        CHECK(intern(context, rules->items[i].id, &rules->items[i].code, err));
    }
    return OUTCOME_OK;
}

enum outcome journey_policy_intern(struct journey_policy *policy, journey_intern intern,
                                   void *context, struct err *err)
{
    CHECK(intern(context, SPAN("(conversion)"), &policy->conversion_node, err));
    CHECK(intern(context, SPAN(UNIDENTIFIED_PART), &policy->unidentified, err));
    for (uint32_t i = 0; i < policy->goal_count; i++)
        CHECK(intern(context, policy->goals[i].id, &policy->goals[i].code, err));
    for (uint32_t i = 0; i < policy->segments.count; i++)
        CHECK(intern(context, policy->segments.items[i].id, &policy->segments.items[i].code, err));
    for (uint32_t i = 0; i < policy->segments.slot_count; i++) {
        struct segment_slot *slot = &policy->segments.slots[i];
        if (slot->kind == SLOT_LEDGER)
            CHECK(intern(context, slot->currency, &slot->currency_code, err));
    }
    CHECK(intern_offers(&policy->offers, intern, context, err));
    for (uint32_t i = 0; i < policy->conversion_count; i++)
        CHECK(intern(context, policy->conversions[i].goal, &policy->conversions[i].goal_code, err));
    return intern_paths(policy, intern, context, err);
}
