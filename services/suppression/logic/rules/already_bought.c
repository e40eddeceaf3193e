/* already_bought.c: denies an offer of a product, or of its category, that the customer bought,
 * until one of `until` takes it back or its time is over. */
#include "services/suppression/logic/rules/products.h"

static const struct products defaults = {.lasting = {.lasts = DURATION_NONE},
                                         .match = PRODUCTS_ANY};

static void ask(const struct contact_rule *rule, const struct question *q, struct finding *finding)
{
    products_ask(rule, q, SPAN("not bought"), finding);
}

static bool is_path(struct span path)
{
    for (size_t i = 0; i < path.len; i++)
        if (path.ptr[i] == '/' && (i == 0 || i + 1 == path.len || path.ptr[i - 1] == '/'))
            return false;
    return path.len > 0;
}

static const char *check(const struct contact_rule *rule)
{
    const struct products *own = rule->own;
    for (size_t i = 0; i < own->categories.count; i++)
        if (!is_path(own->categories.items[i].name))
            return "for_category: a category has an empty part";
    return NULL;
}

static const struct rule_key keys[] = {
    {.name = "on", KEY_EVENTS, .is_required = true},
    LASTING_KEY_FOR,
    {.name = "for_category",
     KEY_LENGTHS,
     .is_positive = true,
     .offset = offsetof(struct products, categories)},
    {.name = "match",
     KEY_CHOICE,
     .words = "any|product|category",
     .offset = offsetof(struct products, match)},
    {.name = "until", KEY_UNTIL},
    {NULL},
};

const struct rule_kind rule_already_bought = {
    .name = "already_bought",
    .says = "the customer has it already ({observed})",
    .cause = "purchase",
    .revokes = REVOKES_ON_SIGNAL,
    .wants_product = true,
    .ignores_copies = true,
    .keys = keys,
    .own_size = sizeof(struct products),
    .own_defaults = &defaults,
    .check = check,
    .ask = ask,
};
