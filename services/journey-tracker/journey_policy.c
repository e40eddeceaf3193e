/* journey_policy.c: one function per section of journey.json; each names the keys that it takes.
 * The other documents have readers of their own. */
#include "services/journey-tracker/journey_policy.h"

#include "common/service/generation.h"
#include "common/service/zones.h"
#include "services/journey-tracker/policy/journey_channels.h"
#include "services/journey-tracker/policy/journey_filter.h"
#include "services/journey-tracker/policy/journey_goals.h"
#include "services/journey-tracker/policy/journey_influence.h"
#include "services/journey-tracker/policy/journey_orchestration.h"
#include "services/journey-tracker/policy/journey_responses.h"
#include "services/journey-tracker/policy/journey_segments.h"
#include "services/journey-tracker/policy/journey_traits.h"

/* ---- stages ---- */
/* The list of the text under a key, as a filter has it; empty without the key. */
static enum outcome read_only_text(struct arena *arena, const struct json *object, const char *key,
                                   struct span_list *out, struct err *err)
{
    return json_get(object, key) ? json_as_text(json_get(object, key), arena_push(arena, out), err)
                                 : OUTCOME_OK;
}

static enum outcome read_rule_filter(struct arena *arena, const struct json *object,
                                     struct touch_filter *out, struct err *err)
{
    CHECK(read_only_text(arena, object, "event", &out->events, err));
    CHECK(read_only_text(arena, object, "channel", &out->channels, err));
    return journey_scores_read(object, out, err);
}

static bool has_condition(const struct stage_rule *rule)
{
    const struct touch_filter *on = &rule->on;
    return on->events.count > 0 || on->channels.count > 0 || on->score_kind.ptr || on->has_score ||
           rule->segment.ptr;
}

static enum outcome read_rule(struct arena *arena, const struct json *object,
                              struct stage_rule *rule, struct err *err)
{
    int64_t nth = 0;
    CHECK(json_check_keys(
        object, "",
        "event channel score_kind score_min score_max segment after nth within later_day", err));
    CHECK(read_rule_filter(arena, object, &rule->on, err));
    CHECK(json_text(object, "segment", &rule->segment, err));
    CHECK(json_text(object, "after", &rule->after, err));
    CHECK(json_int(object, "nth", 1, 1000, &nth, err));
    CHECK(json_duration(object, "within", &rule->within, err));
    CHECK(json_bool(object, "later_day", &rule->later_day, err));
    rule->nth = (uint16_t)nth;
    if (!has_condition(rule))
        return json_fail(object, err,
                         "a stage rule needs at least one of event, channel, score_kind, "
                         "score_min, score_max, segment");
    return OUTCOME_OK;
}

static enum outcome read_stage(struct arena *arena, const struct json *object,
                               struct journey_policy *policy, struct err *err)
{
    int stage = 0;
    const struct json *rules = NULL;
    CHECK(json_check_keys(object, "stage", "rules", err));
    CHECK(json_choice(object, "stage", WORD_CHOICES(WORDS_STAGES), &stage, err));
    CHECK(json_list(object, "rules", &rules, err));
    for (size_t i = 0; i < json_count(rules); i++) {
        if (policy->rule_count == POLICY_MAX_RULES)
            return json_fail(json_at(rules, i), err, "at most %d stage rules", POLICY_MAX_RULES);
        struct stage_rule *rule = &policy->rules[policy->rule_count++];
        *rule = (struct stage_rule){.stage = (enum journey_stage)(STAGE_INQUIRY + stage)};
        CHECK(read_rule(arena, json_at(rules, i), rule, err));
    }
    return OUTCOME_OK;
}

static enum outcome read_stages(struct arena *arena, const struct json *journey,
                                struct journey_policy *policy, struct err *err)
{
    const struct json *stages = NULL;
    CHECK(json_list(journey, "stages", &stages, err));
    for (size_t i = 0; i < json_count(stages); i++)
        CHECK(read_stage(arena, json_at(stages, i), policy, err));
    return OUTCOME_OK;
}

/* ---- status ---- */
static enum outcome read_status_rule(struct arena *arena, const struct json *status,
                                     const char *key, struct duration *after, struct span_list *on,
                                     struct err *err)
{
    const struct json *object = NULL;
    CHECK(json_section(status, key, &object, err));
    if (object == NULL)
        return OUTCOME_OK;
    CHECK(json_check_keys(object, "", "after on", err));
    CHECK(json_duration(object, "after", after, err));
    return journey_texts_read(arena, object, "on", on, err);
}

static enum outcome read_status(struct arena *arena, const struct json *journey,
                                struct journey_policy *policy, struct err *err)
{
    const struct json *status = NULL;
    policy->at_risk_after.us = INT64_MAX;
    policy->lapsed_after = JOURNEY_END;
    CHECK(json_section(journey, "status", &status, err));
    if (status == NULL)
        return OUTCOME_OK;
    CHECK(json_check_keys(status, "", "at_risk lapsed", err));
    CHECK(read_status_rule(arena, status, "at_risk", &policy->at_risk_after, &policy->at_risk_on,
                           err));
    return read_status_rule(arena, status, "lapsed", &policy->lapsed_after, &policy->lapsed_on,
                            err);
}

/* ---- attribution ---- */
static enum outcome read_conversion(const struct json *object, struct conversion_rule *rule,
                                    struct err *err)
{
    int value = 0;
    CHECK(json_check_keys(object, "goal event", "value lookback", err));
    CHECK(json_text(object, "goal", &rule->goal, err));
    CHECK(json_text(object, "event", &rule->event, err));
    CHECK(json_choice(object, "value", "positive|any", &value, err));
    rule->any_value = value == 1;
    CHECK(json_duration(object, "lookback", &rule->lookback, err));
    if (rule->lookback.us > 365 * US_PER_DAY && json_get(object, "lookback"))
        return json_fail(json_get(object, "lookback"), err, "must not be above P365D");
    return OUTCOME_OK;
}

static enum outcome read_conversions(struct arena *arena, const struct json *attribution,
                                     struct journey_policy *policy, struct err *err)
{
    const struct json *list = NULL;
    CHECK(json_list(attribution, "conversions", &list, err));
    policy->conversion_count = (uint32_t)json_count(list);
    policy->conversions = arena_array(arena, struct conversion_rule, json_count(list));
    for (size_t i = 0; i < json_count(list); i++) {
        policy->conversions[i].lookback = policy->lookback;
        CHECK(read_conversion(json_at(list, i), &policy->conversions[i], err));
    }
    return OUTCOME_OK;
}

/* A visit of the list `creditable`; its texts are conditions of channels.json. */
static enum outcome read_visit(const struct json *object, struct visit_rule *rule, struct err *err)
{
    *rule = (struct visit_rule){0};
    CHECK(json_check_keys(object, "", "utm_medium utm_source click_network click_id", err));
    CHECK(json_text(object, "utm_medium", &rule->utm_medium, err));
    CHECK(json_text(object, "utm_source", &rule->utm_source, err));
    CHECK(json_text(object, "click_network", &rule->click_network, err));
    CHECK(json_bool(object, "click_id", &rule->click_id, err));
    if (!rule->utm_medium.ptr && !rule->utm_source.ptr && !rule->click_network.ptr &&
        !rule->click_id)
        return json_fail(object, err,
                         "a visit needs utm_medium, utm_source, click_network or click_id: true");
    return OUTCOME_OK;
}

static enum outcome read_creditable(struct arena *arena, const struct json *attribution,
                                    struct journey_policy *policy, struct err *err)
{
    const struct json *list = NULL;
    CHECK(json_list(attribution, "creditable", &list, err));
    policy->has_creditable = list != NULL;
    policy->visits = arena_array(arena, struct visit_rule, json_count(list));
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *entry = json_at(list, i);
        if (json_shape(entry) == SHAPE_OBJECT)
            CHECK(read_visit(entry, &policy->visits[policy->visit_count++], err));
        else
            CHECK(json_as_text(entry, arena_push(arena, &policy->creditable), err));
    }
    return OUTCOME_OK;
}

static enum outcome read_models(const struct json *attribution, struct credit_rules *credit,
                                struct err *err)
{
    const struct json *list = NULL;
    CHECK(json_list(attribution, "models", &list, err));
    if (list == NULL)
        return OUTCOME_OK;
    if (json_count(list) == 0)
        return json_fail(list, err, "must name at least one model");
    credit->models = 0;
    for (size_t i = 0; i < json_count(list); i++) {
        int model = 0;
        CHECK(json_as_choice(json_at(list, i), WORD_CHOICES(WORDS_MODELS), &model, err));
        if (credit->models >> (model + 1) & 1)
            return json_fail(json_at(list, i), err, "stands twice");
        credit->models |= UINT32_C(1) << (model + 1);
    }
    return OUTCOME_OK;
}

static enum outcome read_position(const struct json *attribution, struct credit_rules *credit,
                                  struct err *err)
{
    const struct json *position = NULL;
    int64_t first = credit->first, last = credit->last;
    CHECK(json_section(attribution, "position", &position, err));
    if (position == NULL)
        return OUTCOME_OK;
    CHECK(json_check_keys(position, "first last", "", err));
    CHECK(json_int(position, "first", 0, 100, &first, err));
    CHECK(json_int(position, "last", 0, 100, &last, err));
    if (first + last > 100)
        return json_fail(position, err, "`first` and `last` are more than 100 percent together");
    credit->first = (uint32_t)first;
    credit->last = (uint32_t)last;
    return OUTCOME_OK;
}

static enum outcome read_half_life(const struct json *attribution, struct credit_rules *credit,
                                   struct err *err)
{
    CHECK(json_duration(attribution, "half_life", &credit->half_life, err));
    if (credit->half_life.us < 3600 * US_PER_SECOND || credit->half_life.us > 365 * US_PER_DAY)
        return json_fail(json_get(attribution, "half_life"), err,
                         "must be a time from PT1H to P365D");
    return OUTCOME_OK;
}

/* The model of goals is one of those that reports have. */
static enum outcome read_stored_model(const struct json *attribution, struct credit_rules *credit,
                                      struct err *err)
{
    int model = MODEL_LINEAR - 1;
    CHECK(json_choice(attribution, "stored_model", WORD_CHOICES(WORDS_MODELS), &model, err));
    credit->stored = (enum credit_model)(model + 1);
    if (!(credit->models >> credit->stored & 1))
        return json_fail(attribution, err, "`stored_model` is %s, which `models` does not list",
                         model_word(credit->stored));
    return OUTCOME_OK;
}

static enum outcome read_credit(const struct json *attribution, struct credit_rules *credit,
                                struct err *err)
{
    *credit = journey_policy_default_credit();
    CHECK(read_models(attribution, credit, err));
    CHECK(read_position(attribution, credit, err));
    CHECK(read_half_life(attribution, credit, err));
    return read_stored_model(attribution, credit, err);
}

static enum outcome read_attribution(struct arena *arena, const struct json *journey,
                                     struct journey_policy *policy, struct err *err)
{
    const struct json *attribution = NULL;
    policy->lookback = (struct duration){30 * US_PER_DAY};
    CHECK(json_section(journey, "attribution", &attribution, err));
    CHECK(json_check_keys(attribution, "conversions",
                          "lookback creditable models position half_life stored_model", err));
    CHECK(json_duration(attribution, "lookback", &policy->lookback, err));
    CHECK(read_conversions(arena, attribution, policy, err));
    CHECK(read_creditable(arena, attribution, policy, err));
    return read_credit(attribution, &policy->credit, err);
}

/* ---- returns and orders ---- */
static enum outcome read_returns(struct arena *arena, const struct json *journey,
                                 struct order_rules *orders, struct err *err)
{
    const struct json *returns = NULL;
    CHECK(json_section(journey, "returns", &returns, err));
    if (returns == NULL)
        return OUTCOME_OK;
    CHECK(json_check_keys(returns, "", "events within", err));
    if (json_get(returns, "events"))
        orders->return_events = (struct span_list){0};
    CHECK(journey_texts_read(arena, returns, "events", &orders->return_events, err));
    return json_duration(returns, "within", &orders->return_within, err);
}

static enum outcome read_orders(struct arena *arena, const struct json *journey,
                                struct order_rules *orders, struct err *err)
{
    const struct json *object = NULL;
    int scope = 0;
    CHECK(json_section(journey, "orders", &object, err));
    if (object == NULL)
        return OUTCOME_OK;
    CHECK(json_check_keys(object, "events", "within scope prefer", err));
    CHECK(journey_texts_read(arena, object, "events", &orders->events, err));
    CHECK(json_duration(object, "within", &orders->within, err));
    CHECK(json_choice(object, "scope", "global|source", &scope, err));
    CHECK(journey_texts_read(arena, object, "prefer", &orders->prefer, err));
    orders->by_source = scope == 1;
    if (orders->by_source && orders->prefer.count > 0)
        return json_fail(object, err,
                         "`prefer` chooses between sources that tell one order; with scope source "
                         "there is only one");
    if (orders->prefer.count >= POLICY_NOT_PREFERRED)
        return json_fail(object, err, "at most %d sources in `prefer`", POLICY_NOT_PREFERRED - 1);
    return OUTCOME_OK;
}

static enum outcome read_journey(struct arena *arena, const struct json *journey,
                                 struct journey_policy *policy, struct err *err)
{
    struct span *zone = &policy->reporting_timezone;
    *zone = SPAN("UTC");
    policy->session = (struct duration){1800 * US_PER_SECOND};
    CHECK(json_check_keys(journey, "stages attribution",
                          "reporting_timezone default_timezone session status no_touch returns "
                          "orders responses influence",
                          err));
    CHECK(json_text(journey, "reporting_timezone", zone, err));
    policy->default_timezone = *zone;
    CHECK(json_text(journey, "default_timezone", &policy->default_timezone, err));
    CHECK(json_duration(journey, "session", &policy->session, err));
    policy->has_no_touch = json_get(journey, "no_touch") != NULL;
    CHECK(journey_texts_read(arena, journey, "no_touch", &policy->no_touch, err));
    CHECK(read_stages(arena, journey, policy, err));
    CHECK(read_status(arena, journey, policy, err));
    journey_policy_default_orders(&policy->orders, arena);
    CHECK(read_returns(arena, journey, &policy->orders, err));
    CHECK(read_orders(arena, journey, &policy->orders, err));
    CHECK(journey_responses_read(arena, journey, &policy->responses, err));
    CHECK(read_attribution(arena, journey, policy, err));
    return journey_influence_read(journey, policy, err);
}

enum outcome journey_policy_read(struct arena *arena, const struct journey_documents *documents,
                                 struct journey_policy *out, struct err *err)
{
    memset(out, 0, sizeof *out);
    out->tail_max = POLICY_TAIL_MAX;
    CHECK(read_journey(arena, documents->journey, out, err));
    CHECK(journey_channels_read(arena, documents->channels, out, err));
    CHECK(journey_referrers_read(arena, documents->referrers, out, err));
    CHECK(journey_traits_read(arena, documents->traits, out, err));
    CHECK(journey_segments_read(arena, documents->segments, out, err));
    CHECK(journey_goals_read(arena, documents->goals, out, err));
    CHECK(journey_orchestration_read(arena, documents->orchestration, out, err));
    if (journey_policy_finish(out, err) != OUTCOME_OK)
        return err_prefix(err, SPAN_FMT, SPAN_ARG(json_name(documents->journey)));
    return OUTCOME_OK;
}

enum outcome journey_policy_set_zones(struct arena *arena, struct journey_policy *policy,
                                      const struct zone_set *zones, struct err *err)
{
    const struct zone *zone = NULL, *other = NULL;
    if (zones_find(zones, arena, policy->reporting_timezone, &zone, err) != OUTCOME_OK)
        return err_prefix(err, "journey.json: reporting_timezone");
    if (zones_find(zones, arena, policy->default_timezone, &other, err) != OUTCOME_OK)
        return err_prefix(err, "journey.json: default_timezone");
    policy->zone = *zone;
    policy->person_zone = *other;
    policy->zones = zones;
    return OUTCOME_OK;
}

enum outcome journey_policy_load(struct arena *arena, const struct policy_source *source,
                                 struct journey_policy *out, struct err *err)
{
    struct journey_documents documents = {0};
    CHECK(policy_source_read(source, arena, "journey.json", &documents.journey, err));
    CHECK(policy_source_read(source, arena, "goals.json", &documents.goals, err));
    CHECK(policy_source_read(source, arena, "channels.json", &documents.channels, err));
    CHECK(policy_source_read(source, arena, "referrers.json", &documents.referrers, err));
    CHECK(policy_source_read(source, arena, "traits.json", &documents.traits, err));
    CHECK(policy_source_read(source, arena, "segments.json", &documents.segments, err));
    CHECK(policy_source_read(source, arena, "orchestration.json", &documents.orchestration, err));
    return journey_policy_read(arena, &documents, out, err);
}
