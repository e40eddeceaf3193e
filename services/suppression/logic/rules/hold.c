/* hold.c: denies from an event or a bad score of `on` until an event of `release` and `then`
 * longer, or until `for` is over. */
#include "services/suppression/logic/rules/lasting.h"

static void ask(const struct contact_rule *rule, const struct question *q, struct finding *finding)
{
    const struct lasting *own = rule->own;
    const struct contact_fact *cause = NULL;
    struct instant ends = INSTANT_FIRST;
    for (size_t i = 0; i < q->ledger->fact_count; i++) {
        const struct contact_fact *f = q->ledger->facts[i];
        if (rule_is_triggered(rule, f) && instant_compare(lasting_end(rule, f->at), ends) >= 0) {
            cause = f;
            ends = lasting_end(rule, f->at);
        } else if (names_contain(&rule->until, f->event)) {
            struct instant after = instant_plus(f->at, own->then);
            ends = instant_compare(after, ends) < 0 ? after : ends;
        }
    }
    lasting_judge(q, cause, ends, SPAN("no hold"), finding);
}

static const struct rule_key keys[] = {
    {.name = "on", KEY_SIGNALS, .is_required = true},
    LASTING_KEY_FOR,
    {.name = "then", KEY_DURATION, .offset = offsetof(struct lasting, then)},
    {.name = "release", KEY_UNTIL},
    {NULL},
};

const struct rule_kind rule_hold = {
    .name = "hold",
    .cause = "hold",
    .revokes = REVOKES_ON_SIGNAL,
    .binds_named = true,
    .keys = keys,
    .own_size = sizeof(struct lasting),
    .own_defaults = &lasting_defaults,
    .ask = ask,
};
