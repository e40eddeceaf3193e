/* invalid_address.c: denies the channel that `nth` events of `on` came from in a row, until one of
 * `until` comes from it or `for` is over. */
#include "services/suppression/logic/rules/lasting.h"

enum { MOST_FAILURES = 10 };

struct invalid_address {
    struct lasting lasting;
    int32_t nth;
};

static const struct invalid_address defaults = {.lasting = {.lasts = DURATION_NONE}, .nth = 1};

/* How often in a row the address failed, and with what the last time. */
struct failures {
    const struct contact_fact *last; /* NULL: none since it worked */
    int32_t count;
};

static bool is_of_channel(const struct contact_fact *fact, const struct question *q)
{
    return !contact_is_copy(fact) && span_equal(fact->channel, q->request->channel);
}

/* A message that is told again with another anchor failed once. */
static void add_failure(struct failures *failures, const struct contact_fact *fact)
{
    if (failures->last == NULL || !contact_is_same_touchpoint(failures->last, fact))
        failures->count++;
    failures->last = fact;
}

/* The facts of one instant, up to `end`: a failure counts more than what says that it works. */
static void add_instant(const struct contact_rule *rule, const struct question *q, size_t start,
                        size_t end, struct failures *failures)
{
    const struct contact_fact *const *facts = q->ledger->facts;
    for (size_t i = start; i < end; i++)
        if (is_of_channel(facts[i], q) && names_contain(&rule->until, facts[i]->event))
            *failures = (struct failures){NULL, 0};
    for (size_t i = start; i < end; i++)
        if (is_of_channel(facts[i], q) && rule_is_triggered(rule, facts[i]))
            add_failure(failures, facts[i]);
}

static void ask(const struct contact_rule *rule, const struct question *q, struct finding *finding)
{
    const struct invalid_address *own = rule->own;
    const struct ledger *ledger = q->ledger;
    struct failures failures = {NULL, 0};
    for (size_t start = 0, end = 0; start < ledger->fact_count; start = end) {
        while (end < ledger->fact_count && ledger->facts[end]->at.us == ledger->facts[start]->at.us)
            end++;
        add_instant(rule, q, start, end, &failures);
    }
    const struct contact_fact *cause = failures.count >= own->nth ? failures.last : NULL;
    lasting_judge(q, cause, cause ? lasting_end(rule, cause->at) : INSTANT_FIRST,
                  SPAN("no failure"), finding);
    if (own->nth == 1)
        return;
    finding->allowed = span_of(arena_printf(q->arena, "fewer than %d failures", own->nth));
    if (cause == NULL)
        finding->observed = span_of(arena_printf(q->arena, "%d", failures.count));
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
    .cause = "invalid_address",
    .revokes = REVOKES_ON_SIGNAL,
    .keys = keys,
    .own_size = sizeof(struct invalid_address),
    .own_defaults = &defaults,
    .check = check,
    .ask = ask,
};
