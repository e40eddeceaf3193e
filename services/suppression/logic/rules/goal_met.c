/* goal_met.c: denies more of a campaign, or of a sequence, to a customer who did what it wants. */
#include "services/suppression/logic/rules.h"

enum { OF_CAMPAIGN, OF_SEQUENCE };

static const struct duration shortest = {3600 * US_PER_SECOND}, longest = {365 * US_PER_DAY};

struct goal {
    int of;
    struct duration within;
};

static const struct goal defaults = {.of = OF_CAMPAIGN, .within = {30 * US_PER_DAY}};

/* What the customer did of what is wanted, in order. */
struct deeds {
    const struct contact_fact **items;
    size_t count;
};

struct reached {
    struct instant from; /* of the first contact that reached it; INSTANT_NEVER: none did */
    const struct contact_fact *deed; /* the first that counts; NULL: none */
};

static struct deeds deeds_of(const struct contact_rule *rule, const struct question *q)
{
    struct deeds deeds = {NULL, 0};
    for (size_t i = 0; i < q->ledger->fact_count; i++) {
        const struct contact_fact *fact = q->ledger->facts[i];
        if (fact->flags & (CONTACT_IS_COPY | CONTACT_IS_NOT_SAID) || !rule_is_triggered(rule, fact))
            continue;
        if (deeds.items == NULL)
            deeds.items = arena_array(q->arena, const struct contact_fact *, q->ledger->fact_count);
        deeds.items[deeds.count++] = fact;
    }
    return deeds;
}

static bool is_of_same(const struct goal *goal, const struct question *q,
                       const struct contact *contact)
{
    if (id_equal(&contact->request_id, &q->request->event_id))
        return false;
    if (goal->of == OF_CAMPAIGN)
        return q->request->campaign_id.len > 0 &&
               span_equal(contact->campaign_id, q->request->campaign_id);
    return !id_is_nil(&q->sequence) && id_equal(&contact->sequence, &q->sequence);
}

/* A deed that names a campaign counts for that one. */
static bool reaches(const struct goal *goal, const struct contact *contact,
                    const struct contact_fact *deed)
{
    return instant_compare(deed->at, contact->at) > 0 &&
           instant_compare(deed->at, instant_plus(contact->at, goal->within)) <= 0 &&
           (deed->campaign_id.len == 0 || span_equal(deed->campaign_id, contact->campaign_id));
}

static void note(const struct contact *contact, const struct contact_fact *deed,
                 struct reached *reached)
{
    if (instant_compare(contact->at, reached->from) < 0)
        reached->from = contact->at;
    if (reached->deed == NULL || contact_fact_order(deed, reached->deed) < 0)
        reached->deed = deed;
}

static struct reached find(const struct contact_rule *rule, const struct question *q)
{
    const struct goal *goal = rule->own;
    struct reached reached = {INSTANT_NEVER, NULL};
    struct deeds deeds = deeds_of(rule, q);
    for (size_t i = 0; deeds.count > 0 && i < q->contacts->made.count; i++) {
        const struct contact *contact = &q->contacts->made.items[i];
        for (size_t k = 0; is_of_same(goal, q, contact) && k < deeds.count; k++)
            if (reaches(goal, contact, deeds.items[k]))
                note(contact, deeds.items[k], &reached);
    }
    return reached;
}

static void ask(const struct contact_rule *rule, const struct question *q, struct finding *finding)
{
    struct reached reached = q->contacts ? find(rule, q) : (struct reached){INSTANT_NEVER, NULL};
    finding->allowed = SPAN("goal not reached");
    finding->observed = SPAN("none");
    finding->opens = INSTANT_NEVER;
    finding->passed = instant_compare(q->planned_at, reached.from) < 0;
    if (reached.deed == NULL)
        return;
    finding->since = reached.deed->at;
    finding->observed = rule_event_and_time(q->arena, reached.deed->event, reached.deed->at);
    struct closing *closing = arena_new(q->arena, struct closing);
    *closing = (struct closing){reached.from, INSTANT_NEVER};
    finding->closings = closing;
    finding->closing_count = 1;
}

static const char *check(const struct contact_rule *rule)
{
    const struct goal *own = rule->own;
    if (own->within.us < shortest.us)
        return "within: at least PT1H";
    return own->within.us > longest.us ? "within: at most P365D" : NULL;
}

static const struct rule_key keys[] = {
    {.name = "on", KEY_EVENTS, .is_required = true},
    {.name = "of", KEY_CHOICE, .words = "campaign|sequence", .offset = offsetof(struct goal, of)},
    {.name = "within", KEY_DURATION, .offset = offsetof(struct goal, within)},
    {NULL},
};

const struct rule_kind rule_goal_met = {
    .name = "goal_met",
    .says = "the customer has already done what this campaign asks for ({observed})",
    .cause = "goal_met",
    .revokes = REVOKES_ON_SIGNAL,
    .ignores_copies = true,
    .keys = keys,
    .own_size = sizeof(struct goal),
    .own_defaults = &defaults,
    .check = check,
    .ask = ask,
};
