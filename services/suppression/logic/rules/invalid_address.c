/* invalid_address.c: denies the channel that an event of `on` came from, until one of `until` comes
 * from it or `for` is over. */
#include "services/suppression/logic/rules/lasting.h"

static void ask(const struct contact_rule *rule, const struct question *q, struct finding *finding)
{
    const struct contact_fact *cause = NULL;
    for (size_t i = 0; i < q->ledger->fact_count; i++) {
        const struct contact_fact *f = q->ledger->facts[i];
        if (contact_is_copy(f) || !span_equal(f->channel, q->request->channel))
            continue;
        if (rule_is_triggered(rule, f))
            cause = f;
        else if (names_contain(&rule->until, f->event))
            cause = NULL;
    }
    lasting_judge(q, cause, cause ? lasting_end(rule, cause->at) : INSTANT_FIRST,
                  SPAN("no failure"), finding);
}

static const struct rule_key keys[] = {
    {.name = "on", KEY_EVENTS, .is_required = true},
    LASTING_KEY_FOR,
    {.name = "until", KEY_UNTIL},
    {NULL},
};

const struct rule_kind rule_invalid_address = {
    .name = "invalid_address",
    .cause = "invalid_address",
    .revokes = REVOKES_ON_SIGNAL,
    .keys = keys,
    .own_size = sizeof(struct lasting),
    .own_defaults = &lasting_defaults,
    .ask = ask,
};
