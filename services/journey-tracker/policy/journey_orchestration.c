/* journey_orchestration.c: one function per part of a rule; each names the keys that it takes. */
#include "services/journey-tracker/policy/journey_orchestration.h"

#include "common/base/nearest.h"
#include "common/codec/digest.h"
#include "services/journey-tracker/policy/journey_filter.h"

enum { TEXT_MAX = 64, HOUR = 3600, EXPIRES_DAYS_MAX = 365, COOLING_DAYS_MAX = 730 };

struct reader {
    struct arena *arena;
    struct journey_policy *policy;
    uint32_t never_if; /* bits of segments */
};

/* ---- parts ---- */

/* Adds the filter of a key, if it is there. */
static enum outcome read_filter(const struct reader *r, const struct json *object, const char *key,
                                struct offer_filters *out, struct err *err)
{
    const struct json *value = json_get(object, key);
    struct touch_filter filter;
    if (value == NULL)
        return OUTCOME_OK;
    CHECK(journey_filter_read(r->arena, value, &filter, err));
    return json_placed(
        value, journey_policy_filter(r->policy, &filter, &out->items[out->count++], err), err);
}

static enum outcome read_text(const struct json *object, const char *key, struct span *out,
                              struct err *err)
{
    CHECK(json_text(object, key, out, err));
    if (out->ptr && (out->len == 0 || out->len > TEXT_MAX))
        return json_fail(json_get(object, key), err, "expected 1 to %d bytes", TEXT_MAX);
    return OUTCOME_OK;
}

static enum outcome read_id(const struct json *object, struct span *out, struct err *err)
{
    CHECK(read_text(object, "id", out, err));
    if (out->ptr[0] == '(')
        return json_fail(json_get(object, "id"), err, "an id does not begin with `(`");
    return OUTCOME_OK;
}

/* Without the key *out stays as it is. */
static enum outcome read_length(const struct json *object, const char *key, int64_t least_seconds,
                                int most_days, struct duration *out, struct err *err)
{
    CHECK(json_duration(object, key, out, err));
    if (json_get(object, key) == NULL)
        return OUTCOME_OK;
    if (out->us < least_seconds * US_PER_SECOND || out->us > most_days * US_PER_DAY)
        return json_fail(json_get(object, key), err, "expected %s to P%dD",
                         least_seconds ? "PT1H" : "PT0S", most_days);
    return OUTCOME_OK;
}

static enum outcome find_segment(const struct reader *r, const struct json *value, uint32_t *out,
                                 struct err *err)
{
    const struct segment_rules *rules = &r->policy->segments;
    struct span id = SPAN_NONE;
    CHECK(json_as_text(value, &id, err));
    struct nearest nearest;
    uint32_t position = segment_rules_find(rules, id, &nearest);
    if (position < rules->count) {
        *out |= UINT32_C(1) << position;
        return OUTCOME_OK;
    }
    return json_fail_nearest(value, &nearest,
                             arena_printf(r->arena,
                                          "no segment \"" SPAN_FMT
                                          "\": declare it in segments.json, for example with "
                                          "{\"open\": ...}",
                                          SPAN_ARG(id)),
                             err);
}

/* Adds the segments of a list as bits. */
static enum outcome read_segments(const struct reader *r, const struct json *object,
                                  const char *key, uint32_t *out, struct err *err)
{
    const struct json *list = NULL;
    CHECK(json_list(object, key, &list, err));
    for (size_t i = 0; i < json_count(list); i++)
        CHECK(find_segment(r, json_at(list, i), out, err));
    return OUTCOME_OK;
}

/* ---- offers ---- */
static enum outcome check_ends(const struct json *object, const struct offer *offer,
                               struct err *err)
{
    for (int i = 0; i < offer->cancel_on.count && offer->done_on.count > 0; i++)
        if (offer->done_on.items[0] == offer->cancel_on.items[i])
            return json_fail(json_get(object, "done_on"), err,
                             "equals `cancel_on`: what wins cannot cancel");
    return OUTCOME_OK;
}

static enum outcome check_offer(const struct reader *r, const struct json *object,
                                const struct offer *offer, struct err *err)
{
    const struct offer_rules *rules = &r->policy->offers;
    for (uint32_t i = 0; i < rules->count; i++)
        if (span_equal(rules->items[i].rule_id, offer->rule_id) &&
            span_equal(rules->items[i].id, offer->id))
            return json_fail(object, err, "offer \"" SPAN_FMT "\" stands twice in its rule",
                             SPAN_ARG(offer->id));
    if (offer->after.us >= offer->expires.us)
        return json_fail(object, err, "`after` is not below `expires`: it would be void before");
    return check_ends(object, offer, err);
}

/* What the rule says of every offer is in `offer` already. */
static enum outcome read_offer(const struct reader *r, const struct json *object,
                               struct offer offer, struct err *err)
{
    struct offer_rules *rules = &r->policy->offers;
    CHECK(json_check_keys(object, "id product owner expires",
                          "after cooling done_on cancel_on not_if title", err));
    CHECK(read_id(object, &offer.id, err));
    CHECK(read_text(object, "product", &offer.product, err));
    CHECK(read_text(object, "owner", &offer.owner, err));
    CHECK(json_text(object, "title", &offer.title, err));
    CHECK(read_length(object, "expires", HOUR, EXPIRES_DAYS_MAX, &offer.expires, err));
    CHECK(read_length(object, "after", 0, EXPIRES_DAYS_MAX, &offer.after, err));
    CHECK(read_length(object, "cooling", 0, COOLING_DAYS_MAX, &offer.cooling, err));
    CHECK(read_filter(r, object, "done_on", &offer.done_on, err));
    CHECK(read_filter(r, object, "cancel_on", &offer.cancel_on, err));
    CHECK(read_segments(r, object, "not_if", &offer.not_if, err));
    CHECK(check_offer(r, object, &offer, err));
    if (rules->count == OFFERS_MAX)
        return json_fail(object, err, "at most %d offers", OFFERS_MAX);
    rules->items[rules->count++] = offer;
    return OUTCOME_OK;
}

static enum outcome read_offers(const struct reader *r, const struct json *object,
                                const struct offer *common, struct err *err)
{
    const struct json *list = NULL;
    CHECK(json_list(object, "offers", &list, err));
    if (json_count(list) == 0 || json_count(list) > OFFERS_OF_RULE_MAX)
        return json_fail(list, err, "expected 1 to %d offers", OFFERS_OF_RULE_MAX);
    for (size_t i = 0; i < json_count(list); i++)
        CHECK(read_offer(r, json_at(list, i), *common, err));
    return OUTCOME_OK;
}

/* ---- rules ---- */
static enum outcome read_rule(const struct reader *r, const struct json *object, struct err *err)
{
    int priority = OFFER_NORMAL - OFFER_LOW;
    struct offer common = {.not_if = r->never_if};
    CHECK(json_check_keys(object, "id on offers", "cancel_on not_if priority", err));
    CHECK(read_id(object, &common.rule_id, err));
    for (uint32_t i = 0; i < r->policy->offers.count; i++)
        if (span_equal(r->policy->offers.items[i].rule_id, common.rule_id))
            return json_fail(object, err, "rule \"" SPAN_FMT "\" stands twice",
                             SPAN_ARG(common.rule_id));
    CHECK(json_choice(object, "priority", "low|normal|high", &priority, err));
    common.priority = (enum offer_priority)(OFFER_LOW + priority);
    CHECK(read_filter(r, object, "on", &common.on, err));
    CHECK(read_filter(r, object, "cancel_on", &common.cancel_on, err));
    CHECK(read_segments(r, object, "not_if", &common.not_if, err));
    return read_offers(r, object, &common, err);
}

static enum outcome read_rules(const struct reader *r, const struct json *document, struct err *err)
{
    const struct json *list = NULL;
    CHECK(json_list(document, "rules", &list, err));
    if (json_count(list) > OFFER_RULES_MAX)
        return json_fail(list, err, "at most %d rules", OFFER_RULES_MAX);
    for (size_t i = 0; i < json_count(list); i++)
        CHECK(read_rule(r, json_at(list, i), err));
    return OUTCOME_OK;
}

/* ---- gestures ---- */
static enum outcome read_limit(const struct reader *r, const struct json *object,
                               struct gesture_rules *gestures, struct err *err)
{
    struct span sent = SPAN_NONE;
    struct gesture_limit *limit = &gestures->limits[gestures->limit_count];
    CHECK(json_check_keys(object, "currency per_case per_agent_month", "", err));
    CHECK(json_text(object, "currency", &sent, err));
    limit->currency = currency_of(sent, r->arena);
    if (limit->currency.ptr == NULL)
        return json_fail(json_get(object, "currency"), err,
                         "expected the three letters of a currency, such as EUR");
    for (uint32_t i = 0; i < gestures->limit_count; i++)
        if (span_equal(gestures->limits[i].currency, limit->currency))
            return json_fail(object, err, "currency " SPAN_FMT " stands twice",
                             SPAN_ARG(limit->currency));
    CHECK(json_amount(object, "per_case", &limit->per_case, err));
    CHECK(json_amount(object, "per_agent_month", &limit->per_agent_month, err));
    if (limit->per_case < 0 || limit->per_agent_month < 0)
        return json_fail(object, err, "a limit is 0 or more");
    gestures->limit_count++;
    return OUTCOME_OK;
}

/* Views ask these two filters, and know no value, score or lines. */
static enum outcome read_case_filter(const struct reader *r, const struct json *object,
                                     const char *key, uint8_t *out, struct err *err)
{
    const struct json *value = json_get(object, key);
    struct offer_filters read = {.count = 0};
    CHECK(read_filter(r, object, key, &read, err));
    const struct touch_filter *filter = &r->policy->filters[read.items[0]];
    if (filter->positive || filter->has_score || filter->categories.count > 0)
        return json_fail(value, err,
                         "a case is opened and ended by events: `value`, `score_min`, `score_max` "
                         "and `categories` are not asked");
    *out = read.items[0];
    return OUTCOME_OK;
}

static enum outcome read_gestures(const struct reader *r, const struct json *document,
                                  struct err *err)
{
    struct gesture_rules *gestures = &r->policy->offers.gestures;
    const struct json *object = NULL, *limits = NULL;
    CHECK(json_section(document, "gestures", &object, err));
    if (object == NULL)
        return OUTCOME_OK;
    gestures->is_asked = true;
    CHECK(json_check_keys(object, "case_on case_until limits", "approver", err));
    CHECK(read_case_filter(r, object, "case_on", &gestures->case_on, err));
    CHECK(read_case_filter(r, object, "case_until", &gestures->case_until, err));
    CHECK(json_list(object, "limits", &limits, err));
    if (json_count(limits) > GESTURE_LIMITS_MAX)
        return json_fail(limits, err, "at most %d limits", GESTURE_LIMITS_MAX);
    for (size_t i = 0; i < json_count(limits); i++)
        CHECK(read_limit(r, json_at(limits, i), gestures, err));
    return read_text(object, "approver", &gestures->approver, err);
}

enum outcome journey_orchestration_read(struct arena *arena, const struct json *document,
                                        struct journey_policy *policy, struct err *err)
{
    struct reader r = {.arena = arena, .policy = policy};
    if (document == NULL)
        return OUTCOME_OK;
    policy->offers.digest = digest_bytes;
    CHECK(json_check_keys(document, "rules", "never_if gestures", err));
    CHECK(read_segments(&r, document, "never_if", &r.never_if, err));
    CHECK(read_rules(&r, document, err));
    CHECK(read_gestures(&r, document, err));
    offer_rules_finish(&policy->offers);
    return OUTCOME_OK;
}
