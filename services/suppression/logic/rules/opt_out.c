/* opt_out.c: denies where the customer said no to the channel or to the class of contact, where
 * nothing is known and the policy asks for a yes, or where an address that the request relies on
 * said no to the channel. */
#include "services/suppression/logic/addresses.h"
#include "services/suppression/logic/consent.h"
#include "services/suppression/logic/rules.h"

/* When the word counts: a yes that is dated ahead counts from when it was received. */
static struct instant counts_at(const struct consent_answer *answer)
{
    return answer->word == CONSENT_IN ? contact_frees_at(answer->fact) : answer->fact->at;
}

static struct span describe(struct arena *arena, struct span what,
                            const struct consent_answer *answer)
{
    if (contact_is_copy(answer->fact) && answer->word == CONSENT_OUT)
        return SPAN("address said no"); /* when, and by what, is another person's business */
    struct span text = rule_event_and_time(arena, what, counts_at(answer));
    char time[32];
    if (answer->vain == NULL)
        return text;
    instant_format(contact_frees_at(answer->vain), time);
    return span_of(arena_printf(arena, SPAN_FMT ", which the yes to all at %s does not lift",
                                SPAN_ARG(text), time));
}

static struct consent_answer answer_to(const struct question *q, enum consent_about about,
                                       struct span name)
{
    return consent_ask(q->policy, q->ledger->facts, q->ledger->fact_count,
                       consent_key_of(about, name));
}

static bool is_wanted(const struct contact_fact *fact, const void *address)
{
    return address == NULL || contact_names(fact, *(const int64_t *)address);
}

/* The newest no of anybody against the newest yes of the customer, which must name an address that
 * the request names. */
static struct consent_answer address_answer(const struct question *q,
                                            const struct asked_address *asked, bool is_named)
{
    struct address_facts facts = addresses_gather(q->ledger, asked->address, is_wanted,
                                                  is_named ? &asked->address : NULL, q->arena);
    return consent_ask(q->policy, facts.items, facts.count,
                       consent_key_of(CONSENT_CHANNEL, q->request->channel));
}

static void ask_addresses(const struct question *q, struct finding *finding)
{
    struct asked_addresses asked = addresses_asked(q->ledger->addresses, q->request, q->arena);
    for (size_t i = 0; i < asked.count; i++) {
        struct consent_answer answer = address_answer(q, &asked.items[i], asked.is_named);
        if (answer.word != CONSENT_OUT)
            continue;
        finding->passed = false;
        finding->observed = describe(q->arena, SPAN("opted out"), &answer);
        if (!contact_is_copy(answer.fact))
            finding->since = counts_at(&answer);
        return;
    }
}

static void ask_customer(const struct question *q, struct finding *finding)
{
    bool allow_unknown = policy_allows_unknown(q->policy, q->request->channel);
    struct consent_answer channel = answer_to(q, CONSENT_CHANNEL, q->request->channel),
                          class = answer_to(q, CONSENT_CLASS, q->request->class), *last = &channel;
    struct span what = channel.word == CONSENT_IN ? SPAN("opted in") : SPAN("opted out");
    if (channel.word != CONSENT_OUT && class.word == CONSENT_OUT) {
        last = &class;
        what =
            span_of(arena_printf(q->arena, "opted out of " SPAN_FMT, SPAN_ARG(q->request->class)));
    }
    finding->allowed = allow_unknown ? SPAN("opted in or unknown") : SPAN("opted in");
    finding->observed = SPAN("unknown");
    finding->passed = last->word == CONSENT_IN || (allow_unknown && last->word == CONSENT_SILENT);
    finding->opens = INSTANT_NEVER;
    if (last->fact == NULL && last->unconfirmed)
        finding->observed = span_of(
            arena_printf(q->arena, SPAN_FMT ", not confirmed",
                         SPAN_ARG(rule_event_and_time(q->arena, SPAN("opted in"),
                                                      contact_frees_at(last->unconfirmed)))));
    if (last->fact == NULL)
        return;
    if (!contact_is_copy(last->fact))
        finding->since = counts_at(last);
    finding->observed = describe(q->arena, what, last);
}

static void ask(const struct contact_rule *rule, const struct question *q, struct finding *finding)
{
    ask_customer(q, finding);
    if (finding->passed)
        ask_addresses(q, finding);
}

const struct rule_kind rule_opt_out = {
    .name = "opt_out",
    .says = "the customer said no to this channel, or has not said yes to it ({observed})",
    .cause = "opt_out",
    .revokes = REVOKES_ON_SIGNAL,
    .binds_named = true,
    .ask = ask,
};
