/* journey_channels.c: hosts and patterns of hosts are brought into the form in which shapes have
 * them. */
#include "services/journey-tracker/policy/journey_channels.h"

#include <strings.h>

#include "common/codec/unicode.h"
#include "services/journey-tracker/logic/referrers.h"
#include "services/journey-tracker/policy/journey_filter.h"

/* A label of a domain is written in ASCII as a whole, so a `*` in it would stand for other letters
 * than the reader thinks. */
static bool has_broken_label(struct span pattern)
{
    bool is_wide = false, has_star = false;
    for (size_t i = 0; i < pattern.len; i++) {
        is_wide = pattern.ptr[i] != '.' && (is_wide || (pattern.ptr[i] & 0x80) != 0);
        has_star = pattern.ptr[i] != '.' && (has_star || pattern.ptr[i] == '*');
        if (is_wide && has_star)
            return true;
    }
    return false;
}

static enum outcome make_host_pattern(struct arena *arena, const struct json *value,
                                      struct span *pattern, struct err *err)
{
    if (has_broken_label(*pattern))
        return json_fail(value, err,
                         "`*` beside letters that are not ASCII: write this part of the name as "
                         "browsers do (xn--...), or as `*` alone");
    *pattern = unicode_host(arena, *pattern);
    if (pattern->len == 0 || memchr(pattern->ptr, '/', pattern->len) ||
        memchr(pattern->ptr, ':', pattern->len))
        return json_fail(value, err,
                         "expected a host such as www.example.com, without https://, "
                         "port and path");
    return OUTCOME_OK;
}

/* ---- channels.json ---- */
static enum outcome read_channel_rule(struct arena *arena, const struct json *object,
                                      struct channel_rule *rule, struct err *err)
{
    CHECK(json_check_keys(object, "channel network",
                          "referrer_host utm_medium utm_source click_network", err));
    CHECK(json_text(object, "referrer_host", &rule->referrer_host, err));
    CHECK(json_text(object, "utm_medium", &rule->utm_medium, err));
    CHECK(json_text(object, "utm_source", &rule->utm_source, err));
    CHECK(json_text(object, "click_network", &rule->click_network, err));
    CHECK(json_text(object, "channel", &rule->channel, err));
    CHECK(json_text(object, "network", &rule->network, err));
    if (rule->referrer_host.ptr)
        return make_host_pattern(arena, json_get(object, "referrer_host"), &rule->referrer_host,
                                 err);
    if (!rule->utm_medium.ptr && !rule->utm_source.ptr && !rule->click_network.ptr)
        return json_fail(
            object, err,
            "a channel rule needs referrer_host, utm_medium, utm_source or click_network");
    return OUTCOME_OK;
}

static enum outcome read_rules(struct arena *arena, const struct json *document,
                               struct journey_policy *policy, struct err *err)
{
    const struct json *list = NULL;
    CHECK(json_list(document, "rules", &list, err));
    policy->channel_count = (uint32_t)json_count(list);
    policy->channels = arena_array(arena, struct channel_rule, json_count(list));
    for (size_t i = 0; i < json_count(list); i++)
        CHECK(read_channel_rule(arena, json_at(list, i), &policy->channels[i], err));
    return OUTCOME_OK;
}

static enum outcome read_own_hosts(struct arena *arena, const struct json *document,
                                   struct journey_policy *policy, struct err *err)
{
    const struct json *list = json_get(document, "own_hosts");
    CHECK(journey_texts_read(arena, document, "own_hosts", &policy->own_hosts, err));
    if (policy->own_hosts.count > POLICY_MAX_OWN_HOSTS)
        return json_fail(list, err, "at most %d patterns", POLICY_MAX_OWN_HOSTS);
    for (size_t i = 0; i < policy->own_hosts.count; i++)
        CHECK(make_host_pattern(arena, json_at(list, i), &policy->own_hosts.items[i], err));
    return OUTCOME_OK;
}

static bool is_listed_before(const struct span_list *list, size_t n)
{
    const struct span *items = list->items;
    for (size_t i = 0; i < n; i++)
        if (items[i].len == items[n].len &&
            strncasecmp(items[i].ptr, items[n].ptr, items[n].len) == 0)
            return true;
    return false;
}

static enum outcome read_networks(struct arena *arena, const struct json *document,
                                  struct journey_policy *policy, struct err *err)
{
    const struct json *list = json_get(document, "networks");
    const struct span_list *networks = &policy->networks;
    CHECK(journey_texts_read(arena, document, "networks", &policy->networks, err));
    if (networks->count > POLICY_MAX_NETWORKS)
        return json_fail(list, err, "at most %d networks", POLICY_MAX_NETWORKS);
    for (size_t i = 0; i < networks->count; i++) {
        if (networks->items[i].len == 0)
            return json_fail(json_at(list, i), err, "expected a text that is not empty");
        if (is_listed_before(networks, i))
            return json_fail(json_at(list, i), err, "\"" SPAN_FMT "\" stands twice",
                             SPAN_ARG(networks->items[i]));
    }
    return OUTCOME_OK;
}

/* Without a list each such visit would be at one node, "(other)": hardly what the rule is for. */
static enum outcome check_sources(const struct json *document, const struct journey_policy *policy,
                                  struct err *err)
{
    const struct json *rules = json_get(document, "rules");
    for (uint32_t i = 0; i < policy->channel_count && policy->networks.count == 0; i++)
        if (span_is(policy->channels[i].network, NETWORK_OF_SOURCE))
            return json_fail(json_at(rules, i), err,
                             "the network " NETWORK_OF_SOURCE " needs `networks`: the sources that "
                             "get a node of their own");
    return OUTCOME_OK;
}

enum outcome journey_channels_read(struct arena *arena, const struct json *document,
                                   struct journey_policy *policy, struct err *err)
{
    CHECK(json_check_keys(document, "rules", "own_hosts networks", err));
    CHECK(read_rules(arena, document, policy, err));
    CHECK(read_own_hosts(arena, document, policy, err));
    CHECK(read_networks(arena, document, policy, err));
    return check_sources(document, policy, err);
}

/* ---- referrers.json ---- */
static enum outcome read_referrer(const struct json *pair, struct referrer *out, struct err *err)
{
    if (json_shape(pair) != SHAPE_LIST || json_count(pair) != 2)
        return json_fail(pair, err, "expected [\"channel\", \"network\"]");
    CHECK(json_as_text(json_at(pair, 0), &out->channel, err));
    CHECK(json_as_text(json_at(pair, 1), &out->network, err));
    if (out->channel.len == 0 || out->network.len == 0)
        return json_fail(pair, err, "expected two texts that are not empty");
    return OUTCOME_OK;
}

static enum outcome add_referrer(struct arena *arena, const struct json *pair, struct map *table,
                                 struct err *err)
{
    struct referrer referrer = {SPAN_NONE, SPAN_NONE};
    struct span host = unicode_host(arena, json_key(pair));
    CHECK(read_referrer(pair, &referrer, err));
    if (!referrers_is_host(host))
        return json_fail(pair, err,
                         "\"" SPAN_FMT "\" is no host such as www.example.com; patterns belong to "
                         "the rules of channels.json",
                         SPAN_ARG(json_key(pair)));
    if (!referrers_add(table, host, &referrer))
        return json_fail(pair, err, "\"" SPAN_FMT "\" stands twice, in another spelling",
                         SPAN_ARG(json_key(pair)));
    return OUTCOME_OK;
}

enum outcome journey_referrers_read(struct arena *arena, const struct json *document,
                                    struct journey_policy *policy, struct err *err)
{
    referrers_init(&policy->referrers, arena);
    if (document == NULL)
        return OUTCOME_OK;
    if (json_shape(document) != SHAPE_OBJECT)
        return json_fail(document, err, "expected an object: host to [channel, network]");
    for (size_t i = 0; i < json_count(document); i++) {
        const struct json *pair = json_at(document, i);
        if (span_is(json_key(pair), "$schema"))
            continue;
        if (policy->referrers.count == REFERRERS_MAX)
            return json_fail(document, err, "at most %d hosts", REFERRERS_MAX);
        CHECK(add_referrer(arena, pair, &policy->referrers, err));
    }
    return OUTCOME_OK;
}
