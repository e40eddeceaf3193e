/* policy.c: what the policy says of single identifiers and pairs. */
#include "services/identity-resolver/logic/identity.h"

void identity_policy_init(struct identity_policy *policy)
{
    *policy = (struct identity_policy){.calling_code = SPAN("1"),
                                       .min_time = {365 * US_PER_DAY}, /* 1971-01-01 */
                                       .max_identifiers = IDENTITY_UNBOUNDED,
                                       .max_degree = IDENTITY_UNBOUNDED};
    for (size_t i = 0; i < IDENTITY_MAX_TYPES; i++) {
        policy->types[i] =
            (struct identity_type){.links = true, .counts = true, .limit = IDENTITY_UNBOUNDED};
        for (size_t j = 0; j < IDENTITY_MAX_TYPES; j++) {
            policy->types[i].max_links[j] = IDENTITY_UNBOUNDED;
            policy->pairs[i][j] = (struct identity_pair){true, LINK_EXACT};
        }
    }
}

/* A producer's clock may be so far ahead of the Kafka record's timestamp. */
static const struct duration clock_error = {US_PER_DAY};

enum outcome identity_check_times(const struct identity_policy *policy, struct instant recorded_at,
                                  struct instant occurred_at, struct err *err)
{
    if (instant_compare(occurred_at, instant_plus(recorded_at, clock_error)) > 0)
        return err_set(err, OUTCOME_REJECT, "time_in_the_future",
                       "occurred_at is more than 24 hours after the timestamp of the record");
    if (instant_compare(occurred_at, policy->min_time) < 0)
        return err_set(err, OUTCOME_REJECT, "time_too_old",
                       "occurred_at is before min_time of identity.json");
    return OUTCOME_OK;
}

static bool matches_topic(struct span wanted, struct span topic)
{
    if (wanted.len == 0 || wanted.ptr[wanted.len - 1] != '*')
        return wanted.len == 0 || span_equal(wanted, topic);
    return topic.len >= wanted.len - 1 && memcmp(topic.ptr, wanted.ptr, wanted.len - 1) == 0;
}

bool identity_may_alias(const struct identity_policy *policy, struct span topic, struct span source)
{
    for (size_t i = 0; i < policy->trust_count; i++)
        if (span_equal(policy->may_alias[i].source, source) &&
            matches_topic(policy->may_alias[i].topic, topic))
            return true;
    return false;
}

bool identity_may_link(const struct identity_policy *policy, int16_t type_a, int16_t type_b)
{
    return policy->pairs[type_a][type_b].may_link;
}

enum link_strength identity_strength(const struct identity_policy *policy, int16_t type_a,
                                     int16_t type_b)
{
    return policy->pairs[type_a][type_b].strength;
}

bool identity_is_quarantined(const struct identity_policy *policy, int16_t type,
                             const uint32_t *degree_by_type, uint32_t degree)
{
    for (size_t i = 0; i < policy->type_count; i++) {
        if (degree_by_type[i] > policy->types[type].max_links[i])
            return true;
        if (!policy->types[i].counts)
            degree -= degree_by_type[i];
    }
    return degree > policy->max_degree;
}

const char *identity_refusal_name(enum refusal refusal)
{
    static const char *const names[] = {NULL,     "pair",  "quarantine",     "cut",
                                        "unique", "limit", "max_identifiers"};
    return names[refusal];
}
