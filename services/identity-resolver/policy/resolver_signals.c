/* resolver_signals.c: which touchpoints bind everyone they name: the holds of contact.json, asked
 * from suppression's own reader. */
#include "services/identity-resolver/policy/resolver_signals.h"

#include "common/words/words.h"
#include "services/suppression/policy/suppression_policy.h"

enum outcome signals_read(struct arena *arena, const struct json *contact, struct signals *out,
                          struct err *err)
{
    struct contact_policy *policy = arena_new(arena, struct contact_policy);
    *out = (struct signals){{0}};
    CHECK(suppression_policy_take(arena, contact, policy, err));
    interests_add_rules(&out->holds, arena, policy, true);
    return OUTCOME_OK;
}

static bool opts_out(const struct touchpoint *tp, struct span event)
{
    struct span cursor = tp->consent, channel;
    for (bool value; consent_next(&cursor, &channel, &value);)
        if (!value)
            return true;
    return event_is(event, EVENT_UNSUBSCRIBED);
}

bool signals_include(const struct signals *signals, const struct touchpoint *tp)
{
    struct span event = event_of(tp->event_name, tp->type);
    return opts_out(tp, event) || interests_find(&signals->holds, event) != NULL ||
           (tp->score != LONG_ABSENT && interests_have_score(&signals->holds, tp->score));
}
