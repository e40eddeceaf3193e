/* journey_traits.c: see journey_traits.h. */
#include "services/journey-tracker/policy/journey_traits.h"

#include "common/words/said.h"

/* Traits that Tutti computes stand beside the declared ones. */
static const char *const computed[] = {"timezone",       "preferred_channel", "preferred_device",
                                       "preferred_hour", "last_score",        "score_trend_90d"};

static enum outcome read_sources(struct arena *arena, const struct json *object,
                                 struct span_list *out, struct err *err)
{
    const struct json *list = NULL;
    CHECK(json_list(object, "sources", &list, err));
    if (list && (json_count(list) < 1 || json_count(list) > POLICY_MAX_SOURCES))
        return json_fail(list, err, "expected 1 to %d sources", POLICY_MAX_SOURCES);
    for (size_t i = 0; i < json_count(list); i++) {
        struct span source;
        CHECK(json_as_text(json_at(list, i), &source, err));
        if (source.len < 1 || source.len > SAID_TEXT)
            return json_fail(json_at(list, i), err, "expected 1 to %d bytes", SAID_TEXT);
        if (span_list_has(out, source))
            return json_fail(json_at(list, i), err, "source \"" SPAN_FMT "\" stands twice",
                             SPAN_ARG(source));
        *arena_push(arena, out) = source;
    }
    return OUTCOME_OK;
}

static enum outcome check_name(const struct json *object, const struct journey_policy *policy,
                               struct span name, struct err *err)
{
    const struct json *at = json_get(object, "name");
    if (!said_is_name(name))
        return json_fail(at, err, "expected 1 to %d letters, digits, `_`, `-` or `.`", SAID_NAME);
    for (size_t i = 0; i < sizeof computed / sizeof *computed; i++)
        if (span_is(name, computed[i]))
            return json_fail(at, err, "Tutti computes \"%s\": use another name", computed[i]);
    for (uint32_t i = 0; i < policy->trait_count; i++)
        if (span_equal(policy->traits[i].name, name))
            return json_fail(at, err, "trait \"" SPAN_FMT "\" stands twice", SPAN_ARG(name));
    return OUTCOME_OK;
}

static enum outcome read_trait(struct arena *arena, const struct json *object,
                               struct journey_policy *policy, struct err *err)
{
    struct journey_trait trait = {0};
    int type = 0, rule = 0;
    CHECK(json_check_keys(object, "name type rule", "sources title", err));
    CHECK(json_text(object, "name", &trait.name, err));
    CHECK(json_text(object, "title", &trait.title, err));
    CHECK(json_choice(object, "type", "text|number|boolean|date", &type, err));
    CHECK(json_choice(object, "rule", "latest|first|max|min", &rule, err));
    CHECK(check_name(object, policy, trait.name, err));
    bool is_ordered = type == TRAIT_NUMBER || type == TRAIT_DATE;
    if (!is_ordered && (rule == TRAIT_MAX || rule == TRAIT_MIN))
        return json_fail(json_get(object, "rule"), err, "a %s has no %s",
                         type == TRAIT_TEXT ? "text" : "boolean",
                         rule == TRAIT_MAX ? "max" : "min");
    trait.type = (uint8_t)type;
    trait.rule = (uint8_t)rule;
    CHECK(read_sources(arena, object, &trait.sources, err));
    policy->traits[policy->trait_count++] = trait;
    return OUTCOME_OK;
}

enum outcome journey_traits_read(struct arena *arena, const struct json *document,
                                 struct journey_policy *policy, struct err *err)
{
    const struct json *list = NULL;
    int keep = 0;
    policy->trait_count = 0;
    if (document == NULL)
        return OUTCOME_OK;
    CHECK(json_check_keys(document, "traits", "keep", err));
    CHECK(json_choice(document, "keep", "all|declared", &keep, err));
    CHECK(json_list(document, "traits", &list, err));
    policy->keeps_declared = keep == 1;
    if (json_count(list) > POLICY_MAX_TRAITS)
        return json_fail(list, err, "at most %d traits", POLICY_MAX_TRAITS);
    for (size_t i = 0; i < json_count(list); i++)
        CHECK(read_trait(arena, json_at(list, i), policy, err));
    return OUTCOME_OK;
}
