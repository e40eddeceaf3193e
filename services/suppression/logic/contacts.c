/* contacts.c: sends and reservations of a ledger as one list in order of time. */
#include "services/suppression/logic/contacts.h"

#include <stdlib.h>
#include <string.h>

/* ---- what the ledger has of each request ---- */

static struct asked *asked_of(struct contacts *contacts, const struct id *request_id)
{
    bool is_new;
    struct asked *asked = map_put(&contacts->asked, request_id, &is_new);
    if (is_new)
        asked->result = (struct contact_result){RESULT_OPEN, INSTANT_ABSENT, INSTANT_ABSENT};
    return asked;
}

static void keep_first(const struct contact_fact **slot, const struct contact_fact *fact)
{
    if (*slot == NULL)
        *slot = fact;
}

static void read_result(struct contacts *contacts, const struct contact_fact *fact)
{
    struct asked *asked = asked_of(contacts, &fact->decision_id);
    contact_result_add(&asked->result, fact);
    if (fact->kind == CONTACT_SENT)
        keep_first(&asked->sent, fact);
    if (fact->kind == CONTACT_DELIVERED)
        keep_first(&asked->delivered, fact);
}

/* ---- contacts ---- */

static struct span either(struct span first, struct span second)
{
    return first.len > 0 ? first : second;
}

/* What the send says of itself is frozen; what it leaves out is taken from its request. */
static struct contact contact_of(const struct contact_fact *fact,
                                 const struct contact_fact *request)
{
    static const struct contact_fact nothing;
    request = request ? request : &nothing;
    return (struct contact){
        .at = fact->at,
        .channel = either(fact->channel, request->channel),
        .department = either(fact->department, request->department),
        .class = either(fact->class, request->class),
        .purpose = either(fact->purpose, request->purpose),
        .campaign_id = either(fact->campaign_id, request->campaign_id),
        .tags = either(fact->tags, request->tags),
    };
}

struct id contact_sequence(struct span department, struct span sequence_id)
{
    struct id parts[] = {hash128(department), hash128(sequence_id)};
    return sequence_id.len > 0 ? hash128((struct span){(const char *)parts, sizeof parts})
                               : (struct id){{0}};
}

/* The earliest send, else the earliest delivery: the report of a delivery is no second contact.
 * False: there is none, and none is reserved. */
static bool contact_asked(const struct asked *asked, const struct id *request_id,
                          struct contact *out)
{
    const struct contact_fact *made = asked->sent ? asked->sent : asked->delivered;
    const struct reservation *r = asked->reservation;
    if (made) {
        *out = contact_of(made, asked->request);
    } else if (r && asked->request && r->sent_at.us != INSTANT_ABSENT.us) {
        *out = contact_of(asked->request, NULL); /* the send is a fact of another profile */
        out->at = r->sent_at;
    } else if (r && asked->request && r->verdict == VERDICT_GRANT) {
        *out = contact_of(asked->request, NULL);
        out->at = reservation_contact_at(r);
        out->reservation = r;
    } else {
        return false;
    }
    out->request_id = *request_id;
    out->sequence = contact_sequence(out->department, r ? r->sequence_id : SPAN_NONE);
    return true;
}

static bool counts(const struct contact_policy *policy, struct span class)
{
    const struct contact_class *known = policy_class(policy, class);
    return known == NULL || known->counts;
}

static void add_contact(struct contacts *contacts, struct contact contact)
{
    struct contact_list *list = contact.reservation ? &contacts->reserved : &contacts->made;
    if (counts(contacts->policy, contact.class))
        *arena_push(contacts->arena, list) = contact;
}

static int contact_compare(const void *a, const void *b)
{
    return instant_compare(((const struct contact *)a)->at, ((const struct contact *)b)->at);
}

/* A message that is told again with one more identifier has another anchor, and is one contact: of
 * its facts one that names a request, else the first. */
bool contacts_told_otherwise(const struct ledger *ledger, size_t send)
{
    const struct contact_fact *const *facts = ledger->facts;
    size_t first = send;
    while (first > 0 && contact_is_same_touchpoint(facts[first - 1], facts[send]))
        first--;
    for (size_t i = first; i < ledger->fact_count; i++) {
        if (!contact_is_same_touchpoint(facts[i], facts[send]))
            break;
        if (facts[i]->kind == CONTACT_SENT && (i < send || !id_is_nil(&facts[i]->decision_id)))
            return true;
    }
    return false;
}

static void read_facts(struct contacts *contacts, const struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->fact_count; i++) {
        const struct contact_fact *fact = ledger->facts[i];
        if (fact->kind == CONTACT_REQUEST)
            keep_first(&asked_of(contacts, &fact->event_id)->request, fact);
        else if (contact_is_result(fact))
            read_result(contacts, fact);
        else if (fact->kind == CONTACT_SENT && !contacts_told_otherwise(ledger, i))
            add_contact(contacts, contact_of(fact, NULL));
    }
}

static void sort_list(struct contact_list *list)
{
    if (list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, contact_compare);
}

/* Moves the last one to where it belongs. */
static void settle_last(struct contact_list *list)
{
    for (size_t i = list->count; i-- > 1;) {
        struct contact *pair = &list->items[i - 1];
        if (contact_compare(pair, pair + 1) <= 0)
            break;
        struct contact later = pair[0];
        pair[0] = pair[1];
        pair[1] = later;
    }
}

/* As the contacts grow. */
static void make_room(struct contacts *contacts)
{
    size_t needed = contacts->made.count + contacts->reserved.count;
    if (contacts->times_room >= needed)
        return;
    contacts->times_room = 2 * needed;
    contacts->times = arena_array(contacts->arena, struct instant, contacts->times_room);
    contacts->placed = arena_array(contacts->arena, struct placed_contact, contacts->times_room);
}

struct contacts *contacts_read(const struct contact_policy *policy, const struct ledger *ledger,
                               struct arena *arena)
{
    struct contacts *contacts = arena_new(arena, struct contacts);
    const void *id;
    struct asked *asked;
    *contacts = (struct contacts){.policy = policy, .arena = arena};
    map_init(&contacts->asked, arena, sizeof(struct id), sizeof(struct asked));
    map_init(&contacts->counted, arena, sizeof(struct counted_key), sizeof(struct counted));
    read_facts(contacts, ledger);
    for (size_t i = 0; i < ledger->reservation_count; i++)
        asked_of(contacts, &ledger->reservations[i].request_id)->reservation =
            &ledger->reservations[i];
    for (size_t i = 0; (asked = map_next(&contacts->asked, &i, &id));) {
        struct contact contact;
        if (contact_asked(asked, id, &contact))
            add_contact(contacts, contact);
    }
    sort_list(&contacts->made);
    sort_list(&contacts->reserved);
    make_room(contacts);
    return contacts;
}

size_t contacts_of_sequence(const struct contacts *contacts, struct span department,
                            struct span sequence_id, struct instant *earliest)
{
    const void *id;
    struct asked *asked;
    struct contact contact;
    size_t count = 0;
    *earliest = INSTANT_NEVER;
    for (size_t i = 0; (asked = map_next(&contacts->asked, &i, &id));) {
        bool is_granted = asked->reservation && asked->reservation->verdict == VERDICT_GRANT;
        if (!is_granted || !asked->request ||
            !span_equal(asked->request->sequence_id, sequence_id) ||
            !span_equal(asked->request->department, department) ||
            !contact_asked(asked, id, &contact))
            continue;
        count++;
        if (instant_compare(contact.at, *earliest) < 0)
            *earliest = contact.at;
    }
    return count;
}

struct asked *contacts_asked(const struct contacts *contacts, const struct id *request_id)
{
    return map_find(&contacts->asked, request_id);
}

void contacts_add(struct contacts *contacts, const struct contact_fact *request,
                  struct reservation *reservation)
{
    struct asked *asked = asked_of(contacts, &request->event_id);
    struct contact contact;
    keep_first(&asked->request, request);
    asked->reservation = reservation;
    if (!contact_asked(asked, &request->event_id, &contact) || contact.reservation == NULL)
        return; /* what was made is in its list */
    add_contact(contacts, contact);
    make_room(contacts);
    settle_last(&contacts->reserved);
}

void contacts_add_made(struct contacts *contacts, const struct contact_fact *request,
                       struct reservation *reservation, const struct contact_fact *made)
{
    const struct id *id = request                         ? &request->event_id
                          : id_is_nil(&made->decision_id) ? &made->event_id
                                                          : &made->decision_id;
    struct asked *asked = asked_of(contacts, id);
    struct contact contact;
    if (asked->sent)
        return;
    asked->request = asked->request ? asked->request : request;
    asked->reservation = reservation;
    asked->sent = made;
    if (!contact_asked(asked, id, &contact) || !counts(contacts->policy, contact.class))
        return;
    add_contact(contacts, contact);
    *arena_push(contacts->arena, &contacts->added) = contact;
    make_room(contacts);
    settle_last(&contacts->made);
}

bool contacts_made(const struct contacts *contacts, const struct id *request_id,
                   struct contact *out)
{
    const struct asked *asked = contacts_asked(contacts, request_id);
    return asked && contact_asked(asked, request_id, out) && out->reservation == NULL &&
           counts(contacts->policy, out->class);
}

struct counted *contacts_counted(struct contacts *contacts, const struct counted_key *of)
{
    return map_find(&contacts->counted, of);
}

static void make_counted_room(struct contacts *contacts, struct counted *counted, size_t room)
{
    struct instant *items = arena_array(contacts->arena, struct instant, room);
    if (counted->times.count > 0)
        memcpy(items, counted->times.items, counted->times.count * sizeof *items);
    counted->times.items = items;
    counted->room = room;
}

struct counted *contacts_put_counted(struct contacts *contacts, const struct counted_key *of)
{
    struct counted *counted = map_put(&contacts->counted, of, NULL);
    *counted = (struct counted){{NULL, 0}, 0, contacts->added.count};
    make_counted_room(contacts, counted, contacts->made.count);
    return counted;
}

void counted_insert(struct contacts *contacts, struct counted *counted, struct instant at)
{
    struct times *times = &counted->times;
    if (times->count == counted->room)
        make_counted_room(contacts, counted, 2 * counted->room + 4);
    size_t i = times->count++;
    for (; i > 0 && instant_compare(at, times->items[i - 1]) < 0; i--)
        times->items[i] = times->items[i - 1];
    times->items[i] = at;
}

bool contact_is_held(const struct contact *contact, struct instant at, struct instant now)
{
    const struct reservation *r = contact->reservation;
    return r->outcome == RESULT_OPEN && !reservation_is_over(r, at, now);
}
