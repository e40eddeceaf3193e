/* identity_policy_warnings.c: finds settings of a valid policy that have no effect. */
#include "common/base/pack.h"
#include "services/identity-resolver/policy/identity_policy.h"

struct search {
    struct arena *arena;
    const struct identity_policy *policy;
    struct warnings *out;
};

static void add(struct search *search, const char *text)
{
    warnings_add(search->arena, search->out, text);
}

static bool may_link(const struct identity_policy *policy, size_t a, size_t b)
{
    return policy->types[a].links && policy->types[b].links &&
           identity_may_link(policy, (int16_t)a, (int16_t)b);
}

static bool links_any(const struct identity_policy *policy, size_t type)
{
    for (size_t i = 0; i < policy->type_count; i++)
        if (may_link(policy, type, i))
            return true;
    return false;
}

/* Two of a unique type are never in one profile. */
static bool joins_any(const struct identity_policy *policy)
{
    for (size_t i = 0; i < policy->type_count; i++)
        for (size_t j = i; j < policy->type_count; j++)
            if (may_link(policy, i, j) && (i != j || !policy->types[i].is_unique))
                return true;
    return false;
}

/* An operator's links are bound by unique and limit all the same. */
static void look_at_bounds(struct search *search, const struct identity_type *type)
{
    const char *why = type->links ? "may link with no type" : "links nothing";
    if (type->is_unique)
        add(search,
            arena_printf(search->arena,
                         "the type \"" SPAN_FMT "\" %s: its \"unique\" acts on links by hand alone",
                         SPAN_ARG(type->name), why));
    if (type->limit != IDENTITY_UNBOUNDED)
        add(search,
            arena_printf(search->arena,
                         "the type \"" SPAN_FMT "\" %s: its \"limit\" acts on links by hand alone",
                         SPAN_ARG(type->name), why));
}

/* Links that a pair refuses are counted; links of a type that links nothing are not stored at all.
 */
static void look_at_max_links(struct search *search, const struct identity_type *type)
{
    const struct identity_policy *policy = search->policy;
    for (size_t i = 0; i < policy->type_count; i++) {
        const struct identity_type *other = &policy->types[i];
        if (type->max_links[i] == IDENTITY_UNBOUNDED || (type->links && other->links))
            continue;
        add(search, arena_printf(search->arena,
                                 "the type \"" SPAN_FMT "\": its \"max_links\" of \"" SPAN_FMT
                                 "\" is never reached: \"" SPAN_FMT "\" links nothing",
                                 SPAN_ARG(type->name), SPAN_ARG(other->name),
                                 SPAN_ARG(type->links ? other->name : type->name)));
    }
}

/* Another limit comes first. */
static void look_at_order(struct search *search, const struct identity_type *type)
{
    const struct identity_policy *policy = search->policy;
    if (type->links && type->is_unique && type->limit != IDENTITY_UNBOUNDED)
        add(search,
            arena_printf(search->arena,
                         "the type \"" SPAN_FMT "\" is unique: its \"limit\" is never reached",
                         SPAN_ARG(type->name)));
    for (size_t i = 0; i < policy->type_count; i++)
        if (type->links && policy->types[i].links && policy->types[i].counts &&
            type->max_links[i] != IDENTITY_UNBOUNDED && type->max_links[i] > policy->max_degree)
            add(search, arena_printf(search->arena,
                                     "the type \"" SPAN_FMT "\": its \"max_links\" of \"" SPAN_FMT
                                     "\" is never reached: \"max_degree\" is smaller",
                                     SPAN_ARG(type->name), SPAN_ARG(policy->types[i].name)));
}

static bool is_bounded(const struct identity_policy *policy, const struct identity_type *type)
{
    for (size_t i = 0; i < policy->type_count; i++)
        if (type->max_links[i] != IDENTITY_UNBOUNDED)
            return true;
    return type->is_unique || type->limit != IDENTITY_UNBOUNDED;
}

/* Neither max_identifiers nor max_degree looks at a type that does not count. */
static void look_at_counts(struct search *search, const struct identity_type *type)
{
    if (type->links && !type->counts && !is_bounded(search->policy, type))
        add(search,
            arena_printf(search->arena,
                         "the type \"" SPAN_FMT "\" does not count and has no \"limit\" and "
                         "no \"max_links\": nothing bounds how many of it one person has, "
                         "or how many people it joins",
                         SPAN_ARG(type->name)));
}

static bool counts_any(const struct identity_policy *policy)
{
    for (size_t i = 0; i < policy->type_count; i++)
        if (policy->types[i].links && policy->types[i].counts)
            return true;
    return false;
}

void identity_policy_warnings(struct arena *arena, const struct identity_policy *policy,
                              struct warnings *out)
{
    struct search search = {arena, policy, out};
    *out = (struct warnings){0};
    if (!joins_any(policy))
        add(&search, "nothing links: no touchpoint ever makes two identifiers one person");
    if (joins_any(policy) && !counts_any(policy))
        add(&search, "no type counts: \"max_identifiers\" and \"max_degree\" are never reached");
    for (size_t i = 0; i < policy->type_count; i++) {
        if (!links_any(policy, i))
            look_at_bounds(&search, &policy->types[i]);
        look_at_max_links(&search, &policy->types[i]);
        look_at_order(&search, &policy->types[i]);
        look_at_counts(&search, &policy->types[i]);
    }
}
