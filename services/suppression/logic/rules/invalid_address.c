/* invalid_address.c: denies where every address that the request relies on has failed on its
 * channel. An address fails by `nth` events of `on` in a row, until one of `until` or until `for`
 * is over. */
#include <stdlib.h>

#include "services/suppression/logic/addresses.h"
#include "services/suppression/logic/rules/lasting.h"

enum { MOST_FAILURES = 10 };

struct invalid_address {
    struct lasting lasting;
    int32_t nth;
};

static const struct invalid_address defaults = {.lasting = {.lasts = DURATION_NONE}, .nth = 1};

/* What may have failed: an address, or, of a customer without any, the channel. */
struct subject {
    const struct contact_rule *rule;
    const struct question *question;
    struct span channel;
    const struct asked_address *address; /* NULL: the channel */
    bool is_only;                        /* the customer was seen with no other of the channel */
};

/* How often in a row it failed, and with what the last time. */
struct failures {
    const struct contact_fact *last; /* NULL: none since it worked */
    int32_t count;
};

/* A copy stands under the address that it names. */
static bool names_no_address(const struct subject *s, const struct contact_fact *fact)
{
    if (contact_is_copy(fact))
        return false;
    return span_equal(fact->channel, s->channel)
               ? fact->addresses.len == 0
               : !addresses_named_by(s->question->ledger->addresses, s->channel, fact);
}

static bool is_about(const struct contact_fact *fact, const void *arg)
{
    const struct subject *s = arg;
    bool names_it = s->address && contact_names(fact, s->address->address);
    if (!span_equal(fact->channel, s->channel)) {
        struct span about =
            policy_reported_channel(s->question->policy, fact->channel, fact->event);
        if (about.ptr == NULL)
            return names_it;
        if (!span_equal(about, s->channel))
            return false;
    }
    if (s->address == NULL || names_it)
        return true;
    /* one that names no address is about all that the customer was seen with by then */
    return instant_compare(s->address->known_since, fact->at) <= 0 && names_no_address(s, fact);
}

/* A success that names no address does not say which one works again. */
static bool works(const struct subject *s, const struct contact_fact *fact,
                  const struct failures *failures)
{
    bool is_vague = s->address && names_no_address(s, fact);
    return !is_vague || s->is_only || failures->last == NULL || names_no_address(s, failures->last);
}

/* A message that is told again with another anchor failed once. */
static void add_failure(struct failures *failures, const struct contact_fact *fact)
{
    if (failures->last == NULL || !contact_is_same_touchpoint(failures->last, fact))
        failures->count++;
    failures->last = fact;
}

/* A fact in its place: what says that the address works counts from when it came in. */
struct placed {
    struct instant at;
    bool fails; /* of one instant a failure counts more, so it comes last */
    const struct contact_fact *fact;
};

static int placed_compare(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    int c = instant_compare(x->at, y->at);
    c = c ? c : x->fails - y->fails;
    return c ? c : contact_fact_order(x->fact, y->fact);
}

static size_t place(const struct subject *s, const struct address_facts *facts, struct placed *out)
{
    size_t count = 0;
    for (size_t i = 0; i < facts->count; i++) {
        const struct contact_fact *fact = facts->items[i];
        bool fails = rule_is_triggered(s->rule, fact);
        if (!is_about(fact, s) || !(fails || names_contain(&s->rule->until, fact->event)))
            continue;
        out[count++] = (struct placed){fails ? fact->at : contact_frees_at(fact), fails, fact};
    }
    if (count > 1)
        qsort(out, count, sizeof *out, placed_compare);
    return count;
}

static struct failures failures_of(const struct subject *s, const struct address_facts *facts,
                                   struct arena *arena)
{
    struct failures failures = {NULL, 0};
    struct placed *placed = arena_array(arena, struct placed, facts->count);
    size_t count = place(s, facts, placed);
    for (size_t i = 0; i < count; i++)
        if (placed[i].fails)
            add_failure(&failures, placed[i].fact);
        else if (works(s, placed[i].fact, &failures))
            failures = (struct failures){NULL, 0};
    return failures;
}

static struct failures failures_of_channel(const struct subject *s, const struct question *q)
{
    struct address_facts facts = {
        arena_array(q->arena, const struct contact_fact *, q->ledger->fact_count), 0};
    for (size_t i = 0; i < q->ledger->fact_count; i++)
        if (!contact_is_copy(q->ledger->facts[i]))
            facts.items[facts.count++] = q->ledger->facts[i];
    return failures_of(s, &facts, q->arena);
}

/* -1, 0 or 1: which is the better address: one with fewer failures, then one that works sooner. */
static int compare(const struct failures *a, const struct failures *b)
{
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    return a->last && b->last ? instant_compare(a->last->at, b->last->at) : 0;
}

static bool has_failed(const struct question *q, const struct contact_rule *rule,
                       const struct failures *failures)
{
    const struct invalid_address *own = rule->own;
    return failures->last && failures->count >= own->nth &&
           instant_compare(lasting_end(rule, failures->last->at), q->planned_at) > 0;
}

/* Of several addresses the one that may be used, or may be used first. */
static struct failures failures_of_best(struct subject *s, const struct question *q,
                                        const struct asked_addresses *asked)
{
    struct failures best = {NULL, 0};
    for (size_t i = 0; i < asked->count; i++) {
        s->address = &asked->items[i];
        struct address_facts facts =
            addresses_gather(q->ledger, s->address->address, is_about, s, q->arena);
        struct failures failures = failures_of(s, &facts, q->arena);
        bool is_better = has_failed(q, s->rule, &best) != has_failed(q, s->rule, &failures)
                             ? !has_failed(q, s->rule, &failures)
                             : compare(&failures, &best) < 0;
        best = i == 0 || is_better ? failures : best;
    }
    return best;
}

static void judge(const struct contact_rule *rule, const struct question *q,
                  const struct failures *failures, struct finding *finding)
{
    const struct invalid_address *own = rule->own;
    const struct contact_fact *cause = failures->count >= own->nth ? failures->last : NULL;
    lasting_judge(q, cause, cause ? lasting_end(rule, cause->at) : INSTANT_FIRST,
                  SPAN("no failure"), finding);
    if (cause && contact_is_copy(cause)) {
        finding->observed = SPAN("address failed"); /* another person's event is not shown */
        finding->since = INSTANT_FIRST;
    }
    if (own->nth == 1)
        return;
    finding->allowed = span_of(arena_printf(q->arena, "fewer than %d failures", own->nth));
    if (cause == NULL)
        finding->observed = span_of(arena_printf(q->arena, "%d", failures->count));
}

static void ask(const struct contact_rule *rule, const struct question *q, struct finding *finding)
{
    struct asked_addresses asked = addresses_asked(q->ledger->addresses, q->request, q->arena);
    struct subject s = {rule, q, q->request->channel, NULL, asked.count == 1};
    struct failures failures =
        asked.count ? failures_of_best(&s, q, &asked) : failures_of_channel(&s, q);
    judge(rule, q, &failures, finding);
}

static const char *check(const struct contact_rule *rule)
{
    const struct invalid_address *own = rule->own;
    if (own->nth < 1 || own->nth > MOST_FAILURES)
        return "nth: 1 to 10";
    return own->nth > 1 && rule->until.count == 0 ? "nth above 1 needs until" : NULL;
}

static const struct rule_key keys[] = {
    {.name = "on", KEY_EVENTS, .is_required = true},
    {.name = "for",
     KEY_DURATION,
     .offset = offsetof(struct invalid_address, lasting) + offsetof(struct lasting, lasts)},
    {.name = "until", KEY_UNTIL},
    {.name = "nth", KEY_COUNT, .offset = offsetof(struct invalid_address, nth)},
    {NULL},
};

const struct rule_kind rule_invalid_address = {
    .name = "invalid_address",
    .says = "messages do not reach the customer at this address ({observed})",
    .cause = "invalid_address",
    .revokes = REVOKES_ON_SIGNAL,
    .keys = keys,
    .own_size = sizeof(struct invalid_address),
    .own_defaults = &defaults,
    .check = check,
    .ask = ask,
};
