/* walk.c: see walk.h. */
#include "services/suppression/logic/walk.h"

#include <stdlib.h>
#include <string.h>

#include "services/suppression/logic/rules.h"

/* ---- facts and words as this policy names them ---- */

/* Rules compare channels by their names. */
static const struct contact_fact **named(const struct contact_policy *policy,
                                         const struct contact_fact *const *facts, size_t count,
                                         struct arena *arena)
{
    struct contact_fact *copies = arena_array(arena, struct contact_fact, count);
    const struct contact_fact **out = arena_array(arena, const struct contact_fact *, count);
    for (size_t i = 0; i < count; i++) {
        copies[i] = *facts[i];
        policy_channel(policy, copies[i].channel, &copies[i].channel);
        out[i] = &copies[i];
    }
    return out;
}

/* Of one address: what was ever said of it, and of each saying the newest fact so far. */
struct told {
    const struct contact_fact **all;
    size_t count, next;
    struct address_words current;
};

static bool says_same(const struct contact_fact *a, const struct contact_fact *b)
{
    return span_equal(a->event, b->event) && span_equal(a->channel, b->channel) &&
           span_equal(a->consent, b->consent);
}

static void tell(struct told *told, const struct contact_fact *fact)
{
    size_t kept = 0;
    for (size_t i = 0; i < told->current.count; i++)
        if (!says_same(told->current.facts[i], fact))
            told->current.facts[kept++] = told->current.facts[i];
    told->current.facts[kept++] = fact;
    told->current.count = kept;
}

struct telling {
    struct told *items;
    size_t count;
    const struct address_book *book;
};

static struct telling telling_of(const struct contact_policy *policy,
                                 const struct address_book *book, struct arena *arena)
{
    struct telling telling = {NULL, book ? book->word_count : 0, book};
    telling.items = arena_array(arena, struct told, telling.count);
    for (size_t i = 0; i < telling.count; i++) {
        const struct address_words *words = &book->words[i];
        telling.items[i] = (struct told){
            named(policy, words->facts, words->count, arena),
            words->count,
            0,
            {words->address, arena_array(arena, const struct contact_fact *, words->count + 1), 0}};
    }
    return telling;
}

/* What was known of addresses at a time, which does not fall from call to call. */
static struct address_book *book_at(struct telling *telling, struct instant at, struct arena *arena)
{
    struct address_book *out = arena_new(arena, struct address_book);
    struct address_words *words = arena_array(arena, struct address_words, telling->count);
    for (size_t i = 0; i < telling->count; i++) {
        struct told *told = &telling->items[i];
        while (told->next < told->count && instant_compare(told->all[told->next]->at, at) <= 0)
            tell(told, told->all[told->next++]);
        words[i] = told->current;
    }
    size_t room = telling->book ? telling->book->known_count : 0, kept = 0;
    struct known_address *known = arena_array(arena, struct known_address, room);
    for (size_t i = 0; i < room; i++)
        if (instant_compare(telling->book->known[i].first_at, at) <= 0)
            known[kept++] = telling->book->known[i];
    *out = (struct address_book){words, telling->count, known, kept};
    return out;
}

/* ---- what happens, in order ---- */

struct step {
    const struct contact_fact *fact;
    bool is_asked; /* else it stands */
    size_t place;  /* among those that are asked */
};

struct steps {
    struct step *items;
    size_t count, capacity;
};

struct walk {
    const struct contact_policy *policy;
    const struct walk_terms *terms;
    struct arena *arena;
    struct ledger all;     /* every fact of the customer */
    struct contacts *told; /* what all of it says of each request */
    struct ledger known;   /* what rules read; fact_count grows with the time */
    size_t readable;       /* so many facts has it at the end */
    struct steps steps;
    struct telling telling;
};

static bool is_in_time(const struct walk *walk, const struct contact_fact *fact)
{
    return instant_compare(walk->terms->from, fact->at) <= 0 &&
           instant_compare(fact->at, walk->terms->until) < 0;
}

static bool is_before(const struct walk *walk, const struct contact_fact *fact)
{
    return instant_compare(fact->at, walk->terms->from) < 0;
}

/* The request that the fact belongs to; NULL: none of this customer. */
static const struct contact_fact *request_of(const struct walk *walk,
                                             const struct contact_fact *fact)
{
    const struct id *id = fact->kind == CONTACT_REQUEST ? &fact->event_id : &fact->decision_id;
    const struct asked *asked = id_is_nil(id) ? NULL : contacts_asked(walk->told, id);
    return asked ? asked->request : NULL;
}

/* A send as if it had been asked for. */
static const struct contact_fact *as_request(const struct walk *walk,
                                             const struct contact_fact *send)
{
    struct contact_fact *request = arena_new(walk->arena, struct contact_fact);
    *request = *send;
    request->kind = CONTACT_REQUEST;
    request->flags |= CONTACT_HAS_CONTACT;
    request->class = send->class.len > 0 ? send->class : walk->terms->class;
    request->planned_at = request->expires_at = request->latest_at = INSTANT_ABSENT;
    return request;
}

static void add_step(struct walk *walk, const struct contact_fact *fact, bool is_asked)
{
    *arena_push(walk->arena, &walk->steps) = (struct step){fact, is_asked, 0};
}

static void add_send(struct walk *walk, size_t i)
{
    const struct contact_fact *send = walk->all.facts[i];
    bool is_asked = walk->terms->with_sends && id_is_nil(&send->decision_id);
    if (is_in_time(walk, send) && !contacts_told_otherwise(&walk->all, i))
        add_step(walk, is_asked ? as_request(walk, send) : send, is_asked);
}

static int step_compare(const void *a, const void *b)
{
    const struct step *x = a, *y = b;
    int c = instant_compare(x->fact->at, y->fact->at);
    c = c ? c : x->is_asked - y->is_asked;
    return c ? c : contact_request_order(x->fact, y->fact);
}

static size_t find_steps(struct walk *walk)
{
    size_t asked = 0;
    for (size_t i = 0; i < walk->all.fact_count; i++) {
        const struct contact_fact *fact = walk->all.facts[i];
        const struct contact_fact *request = request_of(walk, fact);
        if (fact->kind == CONTACT_REQUEST && request == fact && is_in_time(walk, fact))
            add_step(walk, fact, true);
        else if (fact->kind == CONTACT_SENT && request == NULL)
            add_send(walk, i);
    }
    if (walk->steps.count > 1)
        qsort(walk->steps.items, walk->steps.count, sizeof *walk->steps.items, step_compare);
    for (size_t i = 0; i < walk->steps.count; i++)
        walk->steps.items[i].place = walk->steps.items[i].is_asked ? asked++ : 0;
    return asked;
}

/* ---- the ledger that the walk begins with ---- */

/* Requests from before the time with their results, and sends from before it. */
static bool stands_from_before(const struct walk *walk, const struct contact_fact *fact)
{
    const struct contact_fact *request = request_of(walk, fact);
    return is_before(walk, request ? request : fact);
}

static struct reservation *reservations_from_before(const struct walk *walk,
                                                    const struct history *history, size_t *count)
{
    struct reservation *kept =
        arena_array(walk->arena, struct reservation, history->decision_count);
    *count = 0;
    for (size_t i = 0; i < history->decision_count; i++) {
        const struct asked *asked = contacts_asked(walk->told, &history->decisions[i].request_id);
        if (asked && asked->request && is_before(walk, asked->request))
            kept[(*count)++] = history->decisions[i];
    }
    return kept;
}

static struct contacts *contacts_from_before(const struct walk *walk, const struct history *history)
{
    const struct contact_fact **facts =
        arena_array(walk->arena, const struct contact_fact *, walk->all.fact_count);
    struct ledger before = {.facts = facts};
    for (size_t i = 0; i < walk->all.fact_count; i++)
        if (stands_from_before(walk, walk->all.facts[i]))
            facts[before.fact_count++] = walk->all.facts[i];
    before.reservations = reservations_from_before(walk, history, &before.reservation_count);
    return contacts_read(walk->policy, &before, walk->arena);
}

static void begin(struct walk *walk, const struct history *history)
{
    walk->all = (struct ledger){
        .facts = named(walk->policy, history->facts, history->fact_count, walk->arena),
        .fact_count = history->fact_count};
    walk->told = contacts_read(walk->policy, &walk->all, walk->arena);
    walk->telling = telling_of(walk->policy, history->addresses, walk->arena);
    const struct contact_fact **readable =
        arena_array(walk->arena, const struct contact_fact *, history->fact_count);
    for (size_t i = 0; i < walk->all.fact_count; i++)
        if (rules_read(walk->policy, walk->all.facts[i]))
            readable[walk->readable++] = walk->all.facts[i];
    walk->known = (struct ledger){.facts = readable,
                                  .contacts = contacts_from_before(walk, history),
                                  .places = history->places};
}

/* ---- one step ---- */

/* Until when a grant without a send holds its place. */
static struct instant held_until(const struct asked *told, struct instant expires_at)
{
    bool is_ended = told && told->result.outcome != RESULT_OPEN;
    return is_ended && instant_compare(told->result.at, expires_at) < 0 ? told->result.at
                                                                        : expires_at;
}

static void take_place(struct walk *walk, const struct walked *walked,
                       const struct contact_decision *decision)
{
    struct reservation *r = arena_new(walk->arena, struct reservation);
    const struct asked *told = contacts_asked(walk->told, &walked->request->event_id);
    *r = (struct reservation){
        .request_id = walked->request->event_id,
        .verdict = VERDICT_GRANT,
        .outcome = RESULT_OPEN,
        .planned_at = decision->planned_at,
        .expires_at = held_until(told, decision->expires_at),
        .sent_at = INSTANT_ABSENT,
        .claimed_at = INSTANT_ABSENT,
        .sequence_id = decision->sequence_id,
    };
    if (walked->made)
        contacts_add_made(walk->known.contacts, walked->request, r, walked->made);
    else
        contacts_add(walk->known.contacts, walked->request, r);
}

static const struct contact_fact *made_of(const struct walk *walk, const struct step *step,
                                          bool is_send)
{
    const struct asked *told = contacts_asked(walk->told, &step->fact->event_id);
    if (is_send)
        return step->fact;
    return told == NULL ? NULL : told->sent ? told->sent : told->delivered;
}

/* What is known by now: all that happened up to the request's own time. */
static void look_around(struct walk *walk, struct instant at, struct arena *scratch)
{
    while (walk->known.fact_count < walk->readable &&
           instant_compare(walk->known.facts[walk->known.fact_count]->at, at) <= 0)
        walk->known.fact_count++;
    walk->known.addresses = book_at(&walk->telling, at, scratch);
}

static void ask_again(struct walk *walk, const struct step *step, struct arena *scratch,
                      struct walked *out)
{
    struct contact_decision decision;
    look_around(walk, step->fact->at, scratch);
    contact_decide(walk->policy, &walk->known, step->fact, step->fact->at, scratch, &decision);
    bool is_send = contacts_asked(walk->told, &step->fact->event_id) == NULL ||
                   contacts_asked(walk->told, &step->fact->event_id)->request == NULL;
    *out = (struct walked){
        .request = step->fact,
        .is_send = is_send,
        .made = made_of(walk, step, is_send),
        .verdict = decision.verdict,
        .reason = decision.reason,
        .rule = decision.rule,
        .is_alone = decision.failed == 1,
        .planned_at = decision.planned_at,
    };
    if (decision.verdict == VERDICT_GRANT)
        take_place(walk, out, &decision);
}

size_t contact_walk(const struct contact_policy *policy, const struct history *history,
                    const struct walk_terms *terms, struct arena *arena, struct walked **out)
{
    struct walk walk = {.policy = policy, .terms = terms, .arena = arena};
    struct arena scratch = {0};
    begin(&walk, history);
    size_t count = find_steps(&walk);
    *out = arena_array(arena, struct walked, count);
    for (size_t i = 0; i < walk.steps.count; i++) {
        const struct step *step = &walk.steps.items[i];
        if (step->is_asked)
            ask_again(&walk, step, &scratch, &(*out)[step->place]);
        else
            contacts_add_made(walk.known.contacts, NULL, NULL, step->fact);
        arena_reset(&scratch);
    }
    arena_free(&scratch);
    return count;
}

struct instant walked_at(const struct walked *walked)
{
    return walked->made ? walked->made->at : walked->planned_at;
}
