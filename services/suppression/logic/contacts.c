/* contacts.c: sends and reservations of a ledger as one list in order of time. */
#include "services/suppression/logic/contacts.h"

#include <stdlib.h>

#include "services/suppression/logic/rules.h"

static int reservation_compare(const void *key, const void *element)
{
    return id_compare(key, &((const struct reservation *)element)->request_id);
}

static const struct reservation *find_reservation(const struct ledger *ledger,
                                                  const struct id *request_id)
{
    if (ledger->reservation_count == 0)
        return NULL;
    return bsearch(request_id, ledger->reservations, ledger->reservation_count,
                   sizeof *ledger->reservations, reservation_compare);
}

static const struct contact_fact *find_request(const struct ledger *ledger,
                                               const struct id *request_id)
{
    for (size_t i = 0; i < ledger->fact_count; i++)
        if (ledger->facts[i]->kind == CONTACT_REQUEST &&
            id_equal(&ledger->facts[i]->event_id, request_id))
            return ledger->facts[i];
    return NULL;
}

static struct span either(struct span first, struct span second)
{
    return first.len > 0 ? first : second;
}

static bool counts(const struct contact_policy *policy, struct span class)
{
    const struct contact_class *known = policy_class(policy, class);
    return known == NULL || known->counts;
}

static bool has_contact_of(const struct contacts *contacts, const struct id *request_id)
{
    for (size_t i = 0; i < contacts->count; i++)
        if (id_equal(&contacts->items[i].request_id, request_id))
            return true;
    return false;
}

static bool was_made(const struct contact_fact *fact)
{
    return fact->kind == CONTACT_SENT || fact->kind == CONTACT_DELIVERED;
}

struct collector {
    struct contacts contacts;
    const struct contact_policy *policy;
    const struct ledger *ledger;
    const struct id *except;
    struct instant since; /* what lies before it is in no window with the request */
    struct arena *arena;
};

static void add_contact(struct collector *c, struct contact contact)
{
    if (counts(c->policy, contact.class) && instant_compare(contact.at, c->since) > 0)
        *arena_push(c->arena, &c->contacts) = contact;
}

/* Sends in order of time, so that the first of a request counts; a delivery stands for a send that
 * is not known yet. What the send says of tags and department is frozen; what it leaves out is
 * taken from its request. */
static void add_sends(struct collector *c)
{
    static const struct contact_fact nothing;
    for (size_t i = 0; i < c->ledger->fact_count; i++) {
        const struct contact_fact *f = c->ledger->facts[i];
        bool is_answer = !id_is_nil(&f->decision_id);
        if (!was_made(f) || instant_compare(f->at, c->since) <= 0 ||
            (f->kind == CONTACT_DELIVERED && !is_answer))
            continue;
        if (is_answer &&
            (id_equal(&f->decision_id, c->except) || has_contact_of(&c->contacts, &f->decision_id)))
            continue;
        const struct contact_fact *request =
            is_answer ? find_request(c->ledger, &f->decision_id) : NULL;
        request = request ? request : &nothing;
        add_contact(c, (struct contact){f->at, either(f->channel, request->channel),
                                        either(f->department, request->department),
                                        either(f->class, request->class),
                                        either(f->tags, request->tags), f->decision_id});
    }
}

static bool is_taken(const struct reservation *r, struct instant at, struct instant now,
                     struct instant *when)
{
    if (r->sent_at.us != INSTANT_ABSENT.us) { /* the send itself is a fact of another profile */
        *when = r->sent_at;
        return true;
    }
    *when = r->planned_at;
    return r->verdict == VERDICT_GRANT && r->outcome == RESULT_OPEN &&
           !reservation_is_over(r, at, now);
}

static void add_reservations(struct collector *c, struct instant at, struct instant now)
{
    size_t sends = c->contacts.count;
    for (size_t i = 0; i < c->ledger->fact_count; i++) {
        const struct contact_fact *f = c->ledger->facts[i];
        if (f->kind != CONTACT_REQUEST || id_equal(&f->event_id, c->except))
            continue;
        const struct reservation *r = find_reservation(c->ledger, &f->event_id);
        struct instant when;
        struct contacts sent = {c->contacts.items, sends, sends};
        if (r && is_taken(r, at, now, &when) && !has_contact_of(&sent, &f->event_id))
            add_contact(c, (struct contact){when, f->channel, f->department, f->class, f->tags,
                                            f->event_id});
    }
}

static int contact_compare(const void *a, const void *b)
{
    return instant_compare(((const struct contact *)a)->at, ((const struct contact *)b)->at);
}

static struct duration longest_window(const struct contact_policy *policy)
{
    struct duration longest = {0};
    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct contact_rule *rule = &policy->rules[i];
        struct duration window =
            rule->kind->window ? rule->kind->window(rule) : (struct duration){0};
        longest = window.us > longest.us ? window : longest;
    }
    return longest;
}

struct contacts contacts_collect(const struct contact_policy *policy, const struct ledger *ledger,
                                 const struct contact_fact *request, struct instant at,
                                 struct instant now, struct arena *arena)
{
    struct collector c = {
        .policy = policy,
        .ledger = ledger,
        .except = &request->event_id,
        .since = instant_minus(contact_planned_at(request), longest_window(policy)),
        .arena = arena,
    };
    add_sends(&c);
    add_reservations(&c, at, now);
    if (c.contacts.count > 1)
        qsort(c.contacts.items, c.contacts.count, sizeof *c.contacts.items, contact_compare);
    return c.contacts;
}
