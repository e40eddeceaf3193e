/* never_after.c: denies contacts after an event such as a declined application, until one of
 * `until` or until its time is over. */
#include "services/suppression/logic/rules/products.h"

static const struct products defaults = {.lasting = {.lasts = DURATION_NONE},
                                         .match = PRODUCTS_ANY};

static bool is_ended(const struct contact_rule *rule, const struct question *q,
                     const struct contact_fact *start)
{
    for (size_t i = 0; i < q->ledger->fact_count; i++) {
        const struct contact_fact *f = q->ledger->facts[i];
        if (!contact_is_copy(f) && names_contain(&rule->until, f->event) &&
            lasting_comes_after(start, f))
            return true;
    }
    return false;
}

/* Whatever the event and the request are about. Of the events that nothing ended the last one
 * closes longest. */
static void ask_any(const struct contact_rule *rule, const struct question *q, struct span none,
                    struct finding *finding)
{
    const struct contact_fact *cause = NULL;
    for (size_t i = q->ledger->fact_count; i-- > 0 && cause == NULL;) {
        const struct contact_fact *f = q->ledger->facts[i];
        if (!contact_is_copy(f) && rule_is_triggered(rule, f) && !is_ended(rule, q, f))
            cause = f;
    }
    lasting_judge(q, cause, cause ? lasting_end(rule, cause->at) : INSTANT_FIRST, none, finding);
}

static void ask(const struct contact_rule *rule, const struct question *q, struct finding *finding)
{
    const struct products *own = rule->own;
    if (own->match == PRODUCTS_ANY)
        ask_any(rule, q, SPAN("no such event"), finding);
    else
        products_ask(rule, q, SPAN("no such event"), finding);
}

static const char *doubt(const struct contact_rule *rule)
{
    const struct products *own = rule->own;
    return own->match == PRODUCTS_ANY && rule->until.count > 0
               ? "\"match\" is any: \"until\" ends it for every product"
               : NULL;
}

static const struct rule_key keys[] = {
    {.name = "on", KEY_EVENTS, .is_required = true},
    LASTING_KEY_FOR,
    {.name = "match",
     KEY_CHOICE,
     .words = "any|product|category",
     .offset = offsetof(struct products, match)},
    {.name = "until", KEY_UNTIL},
    {NULL},
};

const struct rule_kind rule_never_after = {
    .name = "never_after",
    .says = "this must not be offered after what happened ({observed})",
    .cause = "never_after",
    .revokes = REVOKES_ON_SIGNAL,
    .ignores_copies = true,
    .keys = keys,
    .own_size = sizeof(struct products),
    .own_defaults = &defaults,
    .doubt = doubt,
    .ask = ask,
};
