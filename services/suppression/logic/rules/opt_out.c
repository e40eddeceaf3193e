/* opt_out.c: denies where the last word on the channel is no, or where nothing is known and the
 * policy asks for a yes. */
#include "services/suppression/logic/consent.h"
#include "services/suppression/logic/rules.h"

static void ask(const struct contact_rule *rule, const struct question *q, struct finding *finding)
{
    const struct ledger *ledger = q->ledger;
    bool allow_unknown = policy_allows_unknown(q->policy, q->request->channel);
    const struct contact_fact *last =
        consent_last_word(ledger->facts, ledger->fact_count, q->request->channel);
    finding->allowed = allow_unknown ? SPAN("opted in or unknown") : SPAN("opted in");
    finding->observed = SPAN("unknown");
    finding->passed = allow_unknown;
    finding->opens = INSTANT_NEVER;
    if (last == NULL)
        return;
    finding->passed = consent_of(last, q->request->channel) > 0;
    finding->since = last->at;
    finding->observed = rule_event_and_time(
        q->arena, finding->passed ? SPAN("opted in") : SPAN("opted out"), last->at);
}

const struct rule_kind rule_opt_out = {
    .name = "opt_out",
    .cause = "opt_out",
    .revokes = REVOKES_ON_SIGNAL,
    .binds_named = true,
    .ask = ask,
};
