/* hold.c: denies from an event or a bad score of `on` until an event of `release` that is about it
 * and `then` longer, or until `for` is over. */
#include "services/suppression/logic/rules/lasting.h"

struct hold {
    struct lasting lasting;
    int by; /* enum lasting_by; 0: a release ends everything */
};

static const struct hold defaults = {.lasting = {.lasts = DURATION_NONE}};

static bool ends(const struct contact_rule *rule, const struct contact_fact *start,
                 const struct contact_fact *end)
{
    const struct hold *own = rule->own;
    return rule_is_triggered(rule, start) && names_contain(&rule->until, end->event) &&
           lasting_is_about(start, end, own->by);
}

/* Facts that a rule looks for, in order. */
struct found {
    const struct contact_fact **items;
    size_t count;
};

static struct found find_releases(const struct contact_rule *rule, const struct question *q)
{
    const struct ledger *ledger = q->ledger;
    struct found found = {NULL, 0};
    for (size_t i = 0; i < ledger->fact_count; i++) {
        if (!names_contain(&rule->until, ledger->facts[i]->event))
            continue;
        if (found.items == NULL)
            found.items = arena_array(q->arena, const struct contact_fact *, ledger->fact_count);
        found.items[found.count++] = ledger->facts[i];
    }
    return found;
}

/* What one fact closes lasts until its first release, or until `for` is over. */
static struct instant end_of(const struct contact_rule *rule, const struct contact_fact *start,
                             const struct found *releases)
{
    const struct hold *own = rule->own;
    struct instant end = lasting_end(rule, start->at);
    for (size_t i = 0; i < releases->count; i++) {
        const struct contact_fact *release = releases->items[i];
        struct instant released = instant_plus(contact_frees_at(release), own->lasting.then);
        if (instant_compare(released, end) < 0 && ends(rule, start, release) &&
            lasting_comes_after(start, release))
            end = released;
    }
    return end;
}

static void ask(const struct contact_rule *rule, const struct question *q, struct finding *finding)
{
    const struct contact_fact *cause = NULL;
    struct instant until = INSTANT_FIRST;
    struct found releases = find_releases(rule, q);
    for (size_t i = 0; i < q->ledger->fact_count; i++) {
        const struct contact_fact *fact = q->ledger->facts[i];
        if (!rule_is_triggered(rule, fact))
            continue;
        struct instant end = end_of(rule, fact, &releases);
        if (instant_compare(end, until) < 0)
            continue;
        cause = fact;
        until = end;
    }
    lasting_judge(q, cause, until, SPAN("no hold"), finding);
}

static const struct rule_key keys[] = {
    {.name = "on", KEY_SIGNALS, .is_required = true},
    LASTING_KEY_FOR,
    {.name = "then", KEY_DURATION, .offset = offsetof(struct lasting, then)},
    {.name = "release", KEY_UNTIL},
    {.name = "by", KEY_SET, .words = "case_id|order_id", .offset = offsetof(struct hold, by)},
    {NULL},
};

const struct rule_kind rule_hold = {
    .name = "hold",
    .says = "contacts are on hold ({observed})",
    .cause = "hold",
    .revokes = REVOKES_ON_SIGNAL,
    .binds_named = true,
    .keys = keys,
    .own_size = sizeof(struct hold),
    .own_defaults = &defaults,
    .ask = ask,
    .ends = ends,
};
