/* shape.c: matches a shape's texts against the rules of the policy: channels, stages, goals,
 * conversions. */
#include "services/journey-tracker/logic/shape.h"

#include <strings.h>

#include "services/journey-tracker/logic/referrers.h"

static struct span after(struct span s, size_t n)
{
    return (struct span){s.ptr + n, s.len - n};
}

/* Up to the first of the stop characters. */
static struct span before_any(struct span s, const char *stops)
{
    size_t n = 0;
    while (n < s.len && strchr(stops, s.ptr[n]) == NULL)
        n++;
    return (struct span){s.ptr, n};
}

struct span shape_referrer_host(struct span url)
{
    const char *scheme = url.len ? memmem(url.ptr, url.len, "://", 3) : NULL;
    if (scheme == NULL)
        return SPAN_NONE;
    struct span rest = before_any(after(url, (size_t)(scheme - url.ptr) + 3), "/?#\\");
    const char *at = rest.len ? memrchr(rest.ptr, '@', rest.len) : NULL;
    if (at)
        rest = after(rest, (size_t)(at - rest.ptr) + 1);
    rest = before_any(rest, ":");
    return rest.len ? rest : SPAN_NONE;
}

static struct span without_www(struct span host)
{
    struct span www = SPAN("www.*");
    return host.ptr && pattern_matches(www, host, true) ? after(host, 4) : host;
}

static bool condition_holds(struct span pattern, struct span text)
{
    return pattern.ptr == NULL || (text.ptr != NULL && pattern_matches(pattern, text, false));
}

static bool host_matches(struct span pattern, struct span host)
{
    if (pattern.ptr == NULL)
        return true;
    return host.ptr && (pattern_matches(pattern, host, true) ||
                        pattern_matches(pattern, without_www(host), true));
}

/* A source is a free text: only those of the list give nodes to the map. */
static struct span source_network(const struct journey_policy *policy, struct span source)
{
    for (size_t i = 0; i < policy->networks.count && source.ptr; i++)
        if (policy->networks.items[i].len == source.len &&
            strncasecmp(policy->networks.items[i].ptr, source.ptr, source.len) == 0)
            return policy->networks.items[i];
    return source.ptr ? SPAN("(other)") : SPAN_NONE;
}

static struct span rule_network(const struct journey_policy *policy,
                                const struct channel_rule *rule, const struct shape_text *text)
{
    if (span_is(rule->network, NETWORK_OF_SOURCE))
        return source_network(policy, text->utm_source);
    return span_is(rule->network, "(click_network)") ? text->click_network : rule->network;
}

static bool rule_matches(const struct channel_rule *rule, const struct shape_text *text,
                         struct span host)
{
    return host_matches(rule->referrer_host, host) &&
           condition_holds(rule->utm_medium, text->utm_medium) &&
           condition_holds(rule->utm_source, text->utm_source) &&
           condition_holds(rule->click_network, text->click_network);
}

/* The host that a visitor came from; SPAN_NONE if it is one's own. */
static struct span foreign_host(const struct journey_policy *policy, struct span host)
{
    for (size_t i = 0; i < policy->own_hosts.count; i++)
        if (host_matches(policy->own_hosts.items[i], host))
            return SPAN_NONE;
    return host;
}

/* Channel and network of the node by the rules, else by the list; a network of SPAN_NONE: neither
 * knows. */
static struct referrer origin_of(const struct journey_policy *policy, const struct shape_text *text)
{
    struct span host = foreign_host(policy, text->host);
    for (uint32_t i = 0; i < policy->channel_count; i++) {
        const struct channel_rule *rule = &policy->channels[i];
        struct span network = rule_network(policy, rule, text);
        if (network.ptr && rule_matches(rule, text, host))
            return (struct referrer){rule->channel, network};
    }
    const struct referrer *listed = referrers_find(&policy->referrers, host);
    return listed ? *listed : (struct referrer){SPAN_NONE, SPAN_NONE};
}

static void name_kind(const struct journey_policy *policy, const struct shape_text *text,
                      struct arena *arena, struct shape *out)
{
    struct referrer origin = {SPAN_NONE, SPAN_NONE};
    if (out->direction == DIRECTION_INBOUND)
        origin = origin_of(policy, text);
    bool is_known = origin.network.ptr != NULL;
    out->network = is_known ? origin.network : text->click_network;
    struct span left = is_known ? origin.channel : text->channel,
                right = is_known ? origin.network : out->event;
    char *kind = arena_alloc(arena, left.len + right.len + 1);
    memcpy(kind, left.ptr ? left.ptr : "", left.len);
    kind[left.len] = ':';
    memcpy(kind + left.len + 1, right.ptr ? right.ptr : "", right.len);
    out->kind_text = (struct span){kind, left.len + 1 + right.len};
}

static struct filter_subject subject_of(const struct shape_text *text, const struct shape *shape)
{
    return (struct filter_subject){
        .event = shape->event,
        .channel = text->channel,
        .network = shape->network,
        .department = text->department,
        .purpose = text->purpose,
        .campaign = text->campaign_id,
        .category = text->product_category,
        .score_kind = text->score_kind,
        .direction = (enum direction)shape->direction,
    };
}

static void set_filters(const struct journey_policy *policy, const struct shape_text *text,
                        struct shape *out)
{
    const struct filter_subject subject = subject_of(text, out);
    for (uint32_t i = 0; i < policy->filter_count; i++) {
        enum filter_answer answer = filter_ask(&policy->filters[i], &subject);
        if (answer == FILTER_YES)
            filter_set_add(&out->filters, i);
        else if (answer == FILTER_BY_LINES)
            filter_set_add(&out->line_filters, i);
    }
}

static void set_rules(const struct journey_policy *policy, struct shape *out)
{
    for (uint32_t i = 0; i < policy->rule_count && out->direction == DIRECTION_INBOUND; i++) {
        unsigned filter = policy->rules[i].filter;
        uint64_t bit = UINT64_C(1) << i;
        out->rules |= filter_set_has(&out->filters, filter) ? bit : 0;
        out->line_rules |= filter_set_has(&out->line_filters, filter) ? bit : 0;
    }
}

/* A bot's visit counts only as money. */
static bool may_count(const struct journey_goal *goal, const struct shape *shape)
{
    if (!goal_is_of_touches(goal))
        return false;
    return shape->is_touch || shape->direction == DIRECTION_NONE || goal->measure != MEASURE_COUNT;
}

static void set_goals(const struct journey_policy *policy, struct shape *out)
{
    out->goals = out->line_goals = 0;
    for (uint32_t i = 0; i < policy->goal_count; i++) {
        const struct journey_goal *goal = &policy->goals[i];
        uint64_t bit = UINT64_C(1) << i;
        if (!may_count(goal, out))
            continue;
        out->goals |= filter_set_has(&out->filters, goal->filter) ? bit : 0;
        out->line_goals |= filter_set_has(&out->line_filters, goal->filter) ? bit : 0;
    }
}

static bool folded_matches(struct span pattern, struct span text)
{
    return pattern.ptr == NULL || (text.ptr != NULL && pattern_matches(pattern, text, true));
}

static bool is_listed_visit(const struct journey_policy *policy, const struct shape_text *text)
{
    for (uint32_t i = 0; i < policy->visit_count; i++) {
        const struct visit_rule *rule = &policy->visits[i];
        if (folded_matches(rule->utm_medium, text->utm_medium) &&
            folded_matches(rule->utm_source, text->utm_source) &&
            folded_matches(rule->click_network, text->click_network) &&
            (!rule->click_id || text->has_click_id))
            return true;
    }
    return false;
}

/* Goals that sum up money and match the shape. `positive` is no matter: the shape stands for an
 * order. */
static uint64_t money_goals(const struct journey_policy *policy, uint64_t goals)
{
    for (uint32_t i = 0; i < policy->goal_count; i++)
        if (policy->goals[i].measure == MEASURE_COUNT || policy->goals[i].nth)
            goals &= ~(UINT64_C(1) << i);
    return goals;
}

static bool names_orders(const struct journey_policy *policy, const struct journey_goal *goal)
{
    for (size_t i = 0; i < goal->on.events.count; i++)
        for (uint32_t j = 0; j < policy->counted_count; j++)
            if (span_equal(goal->on.events.items[i], policy->counted[j].event))
                return true;
    return false;
}

/* Goals that count a return as a touch of its own. Money of any event is money of orders: there a
 * return takes it from its order. */
static uint64_t counts_of_return(const struct journey_policy *policy, uint64_t own)
{
    for (uint32_t i = 0; i < policy->goal_count; i++) {
        const struct journey_goal *goal = &policy->goals[i];
        bool is_own = goal->on.events.count > 0 ? !names_orders(policy, goal)
                                                : goal->measure == MEASURE_COUNT;
        if (!is_own)
            own &= ~(UINT64_C(1) << i);
    }
    return own;
}

/* What the shape does as a return. One without an order counts where an order of the stand-in
 * rule's event would. */
static void set_return(const struct journey_policy *policy, const struct shape_text *text,
                       struct shape *out)
{
    if (!out->is_return && !out->is_order)
        return;
    out->stand_in = out->positive;
    if (out->stand_in.count == 0 && policy->orders.stand_in >= 0)
        out->stand_in =
            conversions_of(policy, policy->conversions[policy->orders.stand_in].event, true);
    out->return_counts = counts_of_return(policy, out->goals | out->line_goals);
    if (out->stand_in.count == 0)
        return;
    struct shape order = *out;
    order.event = policy->conversions[out->stand_in.rules[0]].event;
    order.filters = order.line_filters = (struct filter_set){0};
    set_filters(policy, text, &order);
    set_goals(policy, &order);
    out->return_goals = money_goals(policy, order.goals);
    out->return_line_goals = money_goals(policy, order.line_goals);
}

static uint8_t preferred_place(const struct journey_policy *policy, struct span source)
{
    const struct span_list *prefer = &policy->orders.prefer;
    for (size_t i = 0; i < prefer->count; i++)
        if (span_equal(prefer->items[i], source))
            return (uint8_t)i;
    return POLICY_NOT_PREFERRED;
}

static bool is_creditable(const struct journey_policy *policy, const struct shape_text *text,
                          const struct shape *shape)
{
    if (!shape->is_touch)
        return false;
    bool inbound = shape->direction == DIRECTION_INBOUND;
    if (policy->has_creditable)
        return span_list_has(&policy->creditable, shape->event) ||
               (inbound && is_listed_visit(policy, text));
    return text->campaign_id.ptr || (inbound && text->has_click_id);
}

static bool is_conversion_event(const struct journey_policy *policy, struct span event)
{
    for (uint32_t i = 0; i < policy->conversion_count; i++)
        if (span_equal(policy->conversions[i].event, event))
            return true;
    return false;
}

/* Conversion rules by value, the counted event, and whether the event may earn credit. */
static void set_conversion(const struct journey_policy *policy, const struct shape_text *text,
                           struct shape *out)
{
    bool inbound = out->direction == DIRECTION_INBOUND;
    bool listed = !out->is_return && is_conversion_event(policy, out->event);
    out->counted = -1;
    if (listed && inbound) {
        out->positive = conversions_of(policy, out->event, true);
        out->otherwise = conversions_of(policy, out->event, false);
    }
    for (uint32_t i = 0; i < policy->counted_count && inbound; i++)
        if (span_equal(policy->counted[i].event, out->event))
            out->counted = (int8_t)i;
    out->is_order = inbound && listed;
    out->returns_below_0 = out->is_order;
    out->is_told = out->is_order && span_list_has(&policy->orders.events, out->event);
    out->creditable = !listed && !out->is_return && is_creditable(policy, text, out);
}

static bool is_listed_as_no_touch(const struct journey_policy *policy, struct span event)
{
    return policy->has_no_touch ? span_list_has(&policy->no_touch, event)
                                : is_no_touch_by_default(event);
}

/* Sales are stronger: neither the list nor the type, `none` or a bot's mark takes one away. */
static void set_direction(const struct journey_policy *policy, const struct shape_text *text,
                          struct shape *out)
{
    enum direction direction = direction_of(text->direction, text->type, out->event);
    out->is_return = span_list_has(&policy->orders.return_events, out->event);
    bool is_sale = out->is_return || (is_conversion_event(policy, out->event) &&
                                      !span_is(text->direction, "outbound"));
    if (is_sale)
        direction = DIRECTION_INBOUND;
    else if (is_listed_as_no_touch(policy, out->event))
        direction = DIRECTION_NONE;
    out->direction = (uint8_t)direction;
    out->is_touch = is_sale || direction == DIRECTION_OUTBOUND ||
                    (direction == DIRECTION_INBOUND && !text->is_bot);
}

static void set_delivery(struct shape *out)
{
    bool is_sent =
        event_is(out->event, EVENT_CONTACT_SENT) || event_is(out->event, EVENT_CAMPAIGN_SENT);
    out->is_send = is_sent && out->direction == DIRECTION_OUTBOUND && out->creditable;
    out->is_failure = event_is(out->event, EVENT_CONTACT_FAILED);
}

/* A bot neither opens a case nor ends one. */
static void set_answer(const struct journey_policy *policy, struct shape *out)
{
    const struct gesture_rules *gestures = &policy->offers.gestures;
    bool may = gestures->is_asked && (out->is_touch || out->direction == DIRECTION_NONE);
    if (event_is(out->event, EVENT_OPPORTUNITY_ACCEPTED))
        out->answer = STEP_ACCEPTED;
    else if (event_is(out->event, EVENT_OPPORTUNITY_DECLINED))
        out->answer = STEP_DECLINED;
    out->opens_case = may && filter_set_has(&out->filters, gestures->case_on);
    out->ends_case = may && filter_set_has(&out->filters, gestures->case_until);
}

void shape_compile(const struct journey_policy *policy, const struct shape_text *text,
                   struct arena *arena, struct shape *out)
{
    memset(out, 0, sizeof *out);
    out->source = text->source;
    out->score_kind = text->score_kind;
    out->event = event_of(text->event_name, text->type);
    set_direction(policy, text, out);
    name_kind(policy, text, arena, out);
    set_conversion(policy, text, out);
    set_delivery(out);
    if (span_list_has(&policy->at_risk_on, out->event))
        out->status = STATUS_AT_RISK;
    else if (span_list_has(&policy->lapsed_on, out->event))
        out->status = STATUS_LAPSED;
    set_filters(policy, text, out);
    set_rules(policy, out);
    set_goals(policy, out);
    set_answer(policy, out);
    out->preferred = preferred_place(policy, text->source);
    set_return(policy, text, out);
}

struct filter_set journey_filters_of_lines(const struct journey_policy *policy, struct span lines)
{
    struct filter_set answered = {0};
    for (uint32_t i = 0; i < policy->filter_count; i++)
        if (filter_set_has(&policy->filters_of_lines, i) &&
            filter_has_line(&policy->filters[i], lines))
            filter_set_add(&answered, i);
    return answered;
}

const struct shape *shape_without_sale(const struct journey_policy *policy, struct arena *arena,
                                       const struct shape *shape)
{
    struct shape *without = arena_new(arena, struct shape);
    *without = *shape;
    without->is_without_sale = true;
    without->goals = without->line_goals = 0;
    without->is_order = without->is_told = false;
    without->return_goals = without->return_line_goals = without->return_counts = 0;
    without->counted = -1;
    without->positive = without->otherwise = (struct conversion_set){0};
    for (uint32_t i = 0; i < policy->rule_count; i++)
        if (policy->rules[i].on.events.count > 0) {
            without->rules &= ~(UINT64_C(1) << i);
            without->line_rules &= ~(UINT64_C(1) << i);
        }
    return without;
}
