/* already_bought.c: denies an offer of a product, or of its category, that the customer bought,
 * until one of `until` undoes it or `for` is over. */
#include "services/suppression/logic/rules/lasting.h"

static bool same_text(struct span a, struct span b)
{
    return a.len > 0 && span_equal(a, b);
}

static bool is_same_product(const struct contact_fact *a, const struct contact_fact *b)
{
    if (a->product_id.len > 0 && b->product_id.len > 0)
        return span_equal(a->product_id, b->product_id);
    return same_text(a->product_category, b->product_category);
}

/* Given back, or ended: one such event undoes all earlier purchases of the product. */
static bool is_undone(const struct contact_rule *rule, const struct question *q, size_t purchase)
{
    for (size_t i = purchase + 1; i < q->ledger->fact_count; i++) {
        const struct contact_fact *f = q->ledger->facts[i];
        if (names_contain(&rule->until, f->event) && is_same_product(f, q->ledger->facts[purchase]))
            return true;
    }
    return false;
}

static void ask(const struct contact_rule *rule, const struct question *q, struct finding *finding)
{
    const struct contact_fact *cause = NULL, *wanted = q->request;
    struct instant ends = INSTANT_FIRST;
    for (size_t i = 0; i < q->ledger->fact_count; i++) {
        const struct contact_fact *f = q->ledger->facts[i];
        if (!same_text(f->product_id, wanted->product_id) &&
            !same_text(f->product_category, wanted->product_category))
            continue;
        if (!rule_is_triggered(rule, f) || is_undone(rule, q, i) ||
            instant_compare(lasting_end(rule, f->at), ends) < 0)
            continue;
        cause = f;
        ends = lasting_end(rule, f->at);
    }
    lasting_judge(q, cause, ends, SPAN("not bought"), finding);
}

static const struct rule_key keys[] = {
    {.name = "on", KEY_EVENTS, .is_required = true},
    LASTING_KEY_FOR,
    {.name = "until", KEY_UNTIL},
    {NULL},
};

const struct rule_kind rule_already_bought = {
    .name = "already_bought",
    .cause = "purchase",
    .revokes = REVOKES_ON_SIGNAL,
    .wants_product = true,
    .keys = keys,
    .own_size = sizeof(struct lasting),
    .own_defaults = &lasting_defaults,
    .ask = ask,
};
