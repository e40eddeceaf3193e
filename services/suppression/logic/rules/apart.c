/* apart.c: denies a contact too close to another one: of the same kind, or, with `from`, never this
 * with that. */
#include <stdlib.h>

#include "services/suppression/logic/rules/closings.h"
#include "services/suppression/logic/rules/counted.h"

enum { ORDER_BOTH, ORDER_AFTER };

static const struct duration shortest = {60 * US_PER_SECOND}, longest = {365 * US_PER_DAY};

/* Beyond the words of every rule; empty lists ask nothing. */
struct side {
    struct contact_names departments, purposes, campaigns;
};

struct from {
    struct contact_names channels, classes, tags;
    struct side more;
};

struct apart {
    struct duration length; /* `for` */
    struct side more;
    bool has_from;
    struct from from;
    int order;
};

/* ---- sides ---- */

static bool is_listed(const struct contact_names *names, struct span word)
{
    return names->count == 0 || names_contain(names, word);
}

static bool is_of_side(const struct side *side, const struct contact *contact)
{
    return is_listed(&side->departments, contact->department) &&
           is_listed(&side->purposes, contact->purpose) &&
           is_listed(&side->campaigns, contact->campaign_id);
}

static bool is_own(const struct contact_rule *rule, const struct contact *contact)
{
    const struct apart *own = rule->own;
    return rule_is_for_contact(rule, contact) && is_of_side(&own->more, contact);
}

static bool is_other(const struct contact_rule *rule, const struct contact *contact)
{
    const struct apart *own = rule->own;
    const struct contact_rule from = {
        .channels = own->from.channels, .classes = own->from.classes, .tags = own->from.tags};
    return rule_is_for_contact(&from, contact) && is_of_side(&own->from.more, contact);
}

static bool counts_own(const struct counting *counting, const struct contact *contact)
{
    return is_own(counting->rule, contact);
}

static bool counts_other(const struct counting *counting, const struct contact *contact)
{
    return is_other(counting->rule, contact);
}

static struct contact as_contact(const struct contact_fact *request)
{
    return (struct contact){.channel = request->channel,
                            .department = request->department,
                            .class = request->class,
                            .purpose = request->purpose,
                            .campaign_id = request->campaign_id,
                            .tags = request->tags};
}

static bool is_for(const struct contact_rule *rule, const struct contact_fact *request)
{
    struct contact contact = as_contact(request);
    const struct apart *own = rule->own;
    return is_own(rule, &contact) || (own->has_from && is_other(rule, &contact));
}

/* ---- what they close ---- */

struct answer {
    struct closings closings;
    struct instant nearest; /* INSTANT_ABSENT: no contact is counted */
};

static bool is_nearer(struct instant at, struct instant than, struct instant to)
{
    if (than.us == INSTANT_ABSENT.us)
        return true;
    int64_t a = llabs(instant_since(at, to).us), b = llabs(instant_since(than, to).us);
    return a < b || (a == b && at.us < than.us);
}

/* Contacts of the other side close what lies before and after them, in the given lengths. */
static void close_around(const struct counting *counting, const struct question *q,
                         struct duration before, struct duration after, struct answer *answer)
{
    static const struct duration least = {1};
    struct closings closings = {0};
    struct times times = counted_times(counting, q, INSTANT_FIRST);
    for (size_t i = 0; i < times.count; i++) {
        struct instant at = times.items[i], from = instant_plus(instant_minus(at, before), least),
                       until = instant_plus(at, after);
        if (is_nearer(at, answer->nearest, q->planned_at))
            answer->nearest = at;
        if (instant_compare(until, q->planned_at) > 0)
            closings_add(&closings, q->arena, (struct closing){from, until});
    }
    answer->closings = closings_unite(&answer->closings, &closings, q->arena);
}

/* `after`: this never after that. So that closes what comes after it, and this what comes before
 * it; both also their own instant. */
static void ask_sides(const struct contact_rule *rule, const struct question *q,
                      struct answer *answer)
{
    static const struct duration least = {1};
    const struct apart *own = rule->own;
    struct contact asked = as_contact(q->request);
    bool is_ordered = own->order == ORDER_AFTER;
    struct counting these = {rule, SPAN("these"), counts_own, NULL},
                    those = {rule, SPAN("those"), counts_other, NULL};
    if (!own->has_from) {
        close_around(&these, q, own->length, own->length, answer);
        return;
    }
    if (is_own(rule, &asked))
        close_around(&those, q, is_ordered ? least : own->length, own->length, answer);
    if (is_other(rule, &asked))
        close_around(&these, q, own->length, is_ordered ? least : own->length, answer);
}

static struct span describe(struct arena *arena, const struct answer *answer)
{
    return answer->nearest.us == INSTANT_ABSENT.us
               ? SPAN("none")
               : rule_event_and_time(arena, SPAN("contact"), answer->nearest);
}

static void ask(const struct contact_rule *rule, const struct question *q, struct finding *finding)
{
    const struct apart *own = rule->own;
    struct answer answer = {.nearest = INSTANT_ABSENT};
    if (q->obeys_caps)
        ask_sides(rule, q, &answer);
    closings_answer(&answer.closings, finding);
    finding->allowed =
        span_of(arena_printf(q->arena, "%s apart", length_text(q->arena, own->length)));
    finding->observed = q->obeys_caps ? describe(q->arena, &answer) : SPAN("class is exempt");
}

/* ---- the row ---- */

static const char *check(const struct contact_rule *rule)
{
    const struct apart *own = rule->own;
    if (own->length.us < shortest.us)
        return "for: at least PT1M";
    if (own->length.us > longest.us)
        return "for: at most P365D";
    return own->order == ORDER_AFTER && !own->has_from ? "order after needs from" : NULL;
}

#define SIDE(type, member) .offset = offsetof(type, member)

static const struct rule_key from_keys[] = {
    {.name = "channels", KEY_CHANNELS, SIDE(struct apart, from.channels)},
    {.name = "classes", KEY_CLASSES, SIDE(struct apart, from.classes)},
    {.name = "departments", KEY_NAMES, SIDE(struct apart, from.more.departments)},
    {.name = "tags", KEY_NAMES, SIDE(struct apart, from.tags)},
    {.name = "purposes", KEY_NAMES, SIDE(struct apart, from.more.purposes)},
    {.name = "campaigns", KEY_NAMES, SIDE(struct apart, from.more.campaigns)},
    {NULL},
};

static const struct rule_key keys[] = {
    {.name = "for",
     KEY_DURATION,
     .is_required = true,
     .is_positive = true,
     .offset = offsetof(struct apart, length)},
    {.name = "from", KEY_SECTION, .keys = from_keys, SIDE(struct apart, has_from)},
    {.name = "departments", KEY_NAMES, SIDE(struct apart, more.departments)},
    {.name = "purposes", KEY_NAMES, SIDE(struct apart, more.purposes)},
    {.name = "campaigns", KEY_NAMES, SIDE(struct apart, more.campaigns)},
    {.name = "order", KEY_CHOICE, .words = "both|after", SIDE(struct apart, order)},
    {NULL},
};

const struct rule_kind rule_apart = {
    .name = "apart",
    .says = "it is too close to another contact ({observed}; contacts are kept {allowed})",
    .cause = "merge",
    .revokes = REVOKES_ON_MERGE,
    .exempts = true,
    .is_for = is_for,
    .keys = keys,
    .own_size = sizeof(struct apart),
    .ask = ask,
    .check = check,
};
