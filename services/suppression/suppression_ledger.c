/* suppression_ledger.c: what is read under the locks; see suppression_work.h. */
#include <stdlib.h>

#include "common/base/pack.h"
#include "common/base/search.h"
#include "services/suppression/logic/consent.h"
#include "services/suppression/logic/rules.h"
#include "services/suppression/suppression_arms.h"
#include "services/suppression/suppression_work.h"

/* Other customers whose open grants rely on an address that something new is said of. Their states
 * are not locked: what is said of the address is settled under the lock of its anchor, and whatever
 * else changes for them is asked again under the lock of their state. */
enum outcome work_find_granted(struct ledger_work *w, struct err *err)
{
    const struct ledger_facts *facts = &w->flush->facts;
    int64_t *addresses = arena_array(w->arena, int64_t, facts->count);
    size_t count = 0;
    for (size_t i = 0; i < facts->count; i++)
        if (facts->items[i].body.kind == CONTACT_SIGNAL ||
            consent_opts_out(facts->items[i].body.consent))
            addresses[count++] = facts->items[i].key.anchor;
    return addresses_find_granted(w->suppression->db, w->arena, addresses, count, &w->granted, err);
}

struct reading *work_reading_of(const struct ledger_work *w, const struct id *profile_id)
{
    const struct state_row *state =
        timeline_find_state(w->states, w->state_count, id_short(profile_id));
    return state ? &w->readings[state - w->states] : NULL;
}

/* The state says until when grants of its profile may be open: written under its lock by whoever
 * read the ledger last. */
static bool may_be_open(const struct ledger_work *w, const struct state_row *state,
                        struct instant at)
{
    struct unpack u = unpack_of(state->payload);
    struct instant until = {state->payload.len ? (int64_t)unpack_be64(&u) : INSTANT_ABSENT.us};
    return instant_compare(at, until) < 0 || instant_compare(w->now, until) < 0;
}

/* True if the fact asks for a decision, or may change one that was made. */
static bool needs_ledger(const struct ledger_work *w, const struct ledger_fact *fact,
                         const struct state_row *state)
{
    return fact->body.kind == CONTACT_REQUEST ||
           (profile_is_news(&fact->body) && may_be_open(w, state, fact->body.at)) ||
           rules_end(&w->suppression->policy, &fact->body);
}

static void need(const struct ledger_work *w, const struct id *profile_id, bool is_news)
{
    struct reading *reading = work_reading_of(w, profile_id);
    if (reading == NULL)
        return;
    reading->is_needed = true;
    reading->has_news = reading->has_news || is_news;
}

/* An address that is new to a customer concerns what is open. */
static void note_seen(const struct ledger_work *w, const struct id *profile_id)
{
    struct reading *reading = work_reading_of(w, profile_id);
    if (reading == NULL || !may_be_open(w, &w->states[reading - w->readings], INSTANT_FIRST))
        return;
    need(w, profile_id, true);
    reading->has_address = true;
}

/* Most facts are purchases and the like of customers without an open grant. Who was joined or cut
 * is read always: what the states say of open grants is of their former members. */
void work_choose_ledgers(struct ledger_work *w)
{
    const struct suppression_flush *flush = w->flush;
    w->readings = arena_calloc(w->arena, w->state_count, sizeof *w->readings);
    for (size_t i = 0; i < flush->facts.count; i++) {
        const struct ledger_fact *fact = &flush->facts.items[i];
        const struct anchor_row *anchor = work_find_anchor(w, fact->key.anchor);
        const struct state_row *state =
            timeline_find_state(w->states, w->state_count, id_short(&anchor->profile_id));
        if (state && needs_ledger(w, fact, state))
            need(w, &anchor->profile_id, false);
    }
    for (size_t i = 0; i < w->anchor_count; i++) {
        if (!w->anchors[i].is_moved)
            continue;
        need(w, &w->anchors[i].profile_id, false);
        need(w, &w->anchors[i].old_profile_id, false);
    }
    for (size_t i = 0; i < flush->judged_count; i++)
        need(w, &flush->judged[i], true);
    for (size_t i = 0; i < flush->seen.count; i++)
        note_seen(w, &work_find_anchor(w, flush->seen.items[i])->profile_id);
    for (size_t i = 0; i < w->granted.count; i++)
        need(w, &w->granted.items[i], true);
}

static enum outcome read_members(struct ledger_work *w, struct err *err)
{
    const struct suppression *s = w->suppression;
    int64_t *profiles = arena_array(w->arena, int64_t, w->state_count + w->granted.count);
    size_t count = 0;
    for (size_t i = 0; i < w->state_count; i++)
        if (w->readings[i].is_needed)
            profiles[count++] = w->states[i].profile;
    for (size_t i = 0; i < w->granted.count; i++) {
        int64_t profile = id_short(&w->granted.items[i]);
        if (!timeline_find_state(w->states, w->state_count, profile))
            profiles[count++] = profile;
    }
    return timeline_members(s->timeline, s->db, w->arena, profiles, count, &w->members,
                            &w->member_count, err);
}

static enum outcome read_facts(struct ledger_work *w, struct err *err)
{
    const struct suppression *s = w->suppression;
    CHECK(read_members(w, err));
    struct fact_range *ranges = arena_array(w->arena, struct fact_range, w->member_count);
    for (size_t i = 0; i < w->member_count; i++)
        ranges[i] = (struct fact_range){
            .anchor = w->members[i].anchor, .from = INSTANT_FIRST, .until = INSTANT_NEVER};
    void *facts = NULL;
    CHECK(timeline_read_facts(s->timeline, s->db, w->arena, ranges, w->member_count, &facts,
                              &w->fact_count, err));
    w->facts = facts;
    ledger_facts_complete(w->facts, w->fact_count);
    struct id *requests = arena_array(w->arena, struct id, w->fact_count);
    size_t count = 0;
    for (size_t i = 0; i < w->fact_count; i++)
        if (w->facts[i].body.kind == CONTACT_REQUEST)
            requests[count++] = w->facts[i].key.event_id;
    return suppression_store_find_decisions(s->db, w->arena, requests, count, &w->reservations,
                                            &w->reservation_count, err);
}

static void mark_new_facts(struct ledger_work *w)
{
    const struct ledger_facts *inserted = &w->flush->facts;
    for (size_t i = 0; inserted->count > 0 && i < w->fact_count; i++) {
        struct ledger_fact *fact = &w->facts[i];
        fact->origin = bsearch(fact, inserted->items, inserted->count, sizeof *inserted->items,
                               fact_key_compare);
        if (fact->origin)
            fact->body.anchor_id = fact->origin->anchor_id;
    }
}

static int reservation_compare(const void *key, const void *element)
{
    return id_compare(key, &((const struct reservation *)element)->request_id);
}

/* New, or granted and open: its addresses are asked about. */
static bool is_in_question(const struct ledger_work *w, const struct ledger_fact *fact)
{
    if (fact->body.kind != CONTACT_REQUEST)
        return false;
    const struct reservation *r =
        w->reservation_count ? bsearch(&fact->key.event_id, w->reservations, w->reservation_count,
                                       sizeof *r, reservation_compare)
                             : NULL;
    return r ? r->verdict == VERDICT_GRANT && r->outcome == RESULT_OPEN : fact->origin != NULL;
}

static int64_t *member_anchors(const struct ledger_work *w)
{
    int64_t *anchors = arena_array(w->arena, int64_t, w->member_count);
    for (size_t i = 0; i < w->member_count; i++)
        anchors[i] = w->members[i].anchor;
    return anchors;
}

static enum outcome read_known(struct ledger_work *w, struct err *err)
{
    return addresses_find_known(w->suppression->db, w->arena, member_anchors(w), w->member_count,
                                &w->known, err);
}

static enum outcome read_places(struct ledger_work *w, struct err *err)
{
    if (!w->suppression->policy.asks_zones)
        return OUTCOME_OK;
    return places_find(w->suppression->db, w->arena, member_anchors(w), w->member_count, &w->places,
                       err);
}

/* Where customers are of whom something is judged, and what is said of the addresses that their
 * requests rely on. */
static enum outcome read_evidence(struct ledger_work *w, struct err *err)
{
    struct strbuf keys = {.arena = w->arena};
    bool is_asked = false;
    for (size_t i = 0; i < w->fact_count; i++) {
        if (!is_in_question(w, &w->facts[i]))
            continue;
        is_asked = true;
        strbuf_add(&keys, w->facts[i].body.addresses.ptr, w->facts[i].body.addresses.len);
    }
    if (!is_asked)
        return OUTCOME_OK;
    CHECK(read_places(w, err));
    CHECK(read_known(w, err));
    size_t named = keys.len / 8;
    int64_t *addresses = arena_array(w->arena, int64_t, named + w->known.count);
    struct unpack u = unpack_of(strbuf_span(&keys));
    for (size_t i = 0; i < named; i++)
        addresses[i] = (int64_t)unpack_be64(&u);
    for (size_t i = 0; i < w->known.count; i++)
        addresses[named + i] = id_short(&w->known.items[i].address_id);
    return addresses_find_words(w->suppression->db, w->arena, &w->suppression->policy, addresses,
                                named + w->known.count, &w->words, &w->word_count, err);
}

static enum outcome read_arms(struct ledger_work *w, struct err *err)
{
    if (!rules_draw(&w->suppression->policy))
        return OUTCOME_OK;
    return arms_find(w->suppression->db, w->arena, member_anchors(w), w->member_count, &w->arms,
                     err);
}

static size_t first_known(const struct ledger_work *w, int64_t anchor)
{
    return lower_bound(w->known.items, w->known.count, sizeof *w->known.items,
                       offsetof(struct known_address, anchor), anchor);
}

/* Addresses of the members [from, to). */
static struct address_book *book_of(const struct ledger_work *w, size_t from, size_t to)
{
    struct known_addresses known = {0};
    for (size_t m = from; m < to; m++)
        for (size_t i = first_known(w, w->members[m].anchor);
             i < w->known.count && w->known.items[i].anchor == w->members[m].anchor; i++)
            *arena_push(w->arena, &known) = w->known.items[i];
    struct address_book *book = arena_new(w->arena, struct address_book);
    *book = (struct address_book){w->words, w->word_count, known.items, known.count};
    return book;
}

static size_t first_arm(const struct ledger_work *w, int64_t anchor)
{
    return lower_bound(w->arms.items, w->arms.count, sizeof *w->arms.items,
                       offsetof(struct arm, anchor), anchor);
}

static size_t first_place(const struct ledger_work *w, int64_t anchor)
{
    return lower_bound(w->places.items, w->places.count, sizeof *w->places.items,
                       offsetof(struct place, anchor), anchor);
}

static void gather_arms(const struct ledger_work *w, size_t from, size_t to,
                        struct profile *profile)
{
    for (size_t m = from; m < to; m++)
        for (size_t i = first_arm(w, w->members[m].anchor);
             i < w->arms.count && w->arms.items[i].anchor == w->members[m].anchor; i++)
            *arena_push(w->arena, &profile->arms) = w->arms.items[i];
}

/* Of the members [from, to). */
static struct place_list *places_of(const struct ledger_work *w, size_t from, size_t to)
{
    struct place_list *places = arena_new(w->arena, struct place_list);
    for (size_t m = from; m < to; m++)
        for (size_t i = first_place(w, w->members[m].anchor);
             i < w->places.count && w->places.items[i].anchor == w->members[m].anchor; i++)
            *arena_push(w->arena, places) = w->places.items[i];
    return places;
}

static size_t first_fact(const struct ledger_work *w, int64_t anchor)
{
    return lower_bound(w->facts, w->fact_count, sizeof *w->facts,
                       offsetof(struct ledger_fact, key.anchor), anchor);
}

/* Pointers to the facts of the members [from, to), in time order. */
static void gather_facts(struct ledger_work *w, size_t from, size_t to, struct profile *profile)
{
    size_t room = 0;
    for (size_t m = from; m < to; m++)
        for (size_t i = first_fact(w, w->members[m].anchor);
             i < w->fact_count && w->facts[i].key.anchor == w->members[m].anchor; i++)
            room++;
    profile->facts = arena_array(w->arena, struct ledger_fact *, room);
    for (size_t m = from; m < to; m++)
        for (size_t i = first_fact(w, w->members[m].anchor);
             i < w->fact_count && w->facts[i].key.anchor == w->members[m].anchor; i++)
            profile->facts[profile->fact_count++] = &w->facts[i];
}

static size_t first_member(const struct ledger_work *w, int64_t profile)
{
    return lower_bound(w->members, w->member_count, sizeof *w->members,
                       offsetof(struct member_row, profile), profile);
}

/* (d), in new statements under the locks: the whole ledger of the profiles, and the decisions made
 * before. */
enum outcome work_read_ledgers(struct ledger_work *w, struct err *err)
{
    CHECK(read_facts(w, err));
    mark_new_facts(w);
    CHECK(read_arms(w, err));
    return read_evidence(w, err);
}

void work_gather(struct ledger_work *w, struct profile *profile)
{
    int64_t key = id_short(&profile->id);
    size_t from = first_member(w, key), to = from;
    while (to < w->member_count && w->members[to].profile == key)
        to++;
    gather_facts(w, from, to, profile);
    gather_arms(w, from, to, profile);
    profile->addresses = book_of(w, from, to);
    profile->places = places_of(w, from, to);
}
