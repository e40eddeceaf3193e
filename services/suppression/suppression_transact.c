/* suppression_transact.c: the transaction of suppression_transact.h: the slow path of the timeline,
 * then the decisions of each profile that it touched. */
#include "services/suppression/suppression_transact.h"

#include <stdlib.h>

#include "common/base/map.h"
#include "common/base/pack.h"
#include "services/suppression/logic/consent.h"
#include "services/suppression/logic/rules.h"
#include "services/suppression/suppression_profile.h"

/* Whether the ledger of a locked profile is read, and whether more is new than its own facts. */
struct reading {
    bool is_needed, has_news;
};

struct work {
    const struct suppression *suppression;
    struct arena *arena;
    struct suppression_flush *flush;
    struct instant now;
    struct anchor_row *anchors;
    size_t anchor_count;
    struct state_row *states;
    struct reading *readings; /* of each state */
    size_t state_count;
    struct member_row *members;
    size_t member_count;
    struct ledger_fact *facts; /* all facts of the locked profiles, by key */
    size_t fact_count;
    struct reservation *reservations; /* all decisions of their requests, by request_id */
    size_t reservation_count;
    struct address_ids granted;   /* profiles with open grants whose addresses have news */
    struct known_addresses known; /* of the members, sorted by anchor */
    struct address_words *words;  /* of the addresses that requests rely on */
    size_t word_count;
    struct profile_results results;
};

/* Every repeat gets the earliest time at which one of them came in, so it does not matter which of
 * them is kept. */
static void share_received_at(struct ledger_facts *facts)
{
    qsort(facts->items, facts->count, sizeof *facts->items, fact_key_compare);
    for (size_t from = 0, to; from < facts->count; from = to) {
        struct instant least = INSTANT_ABSENT;
        for (to = from;
             to < facts->count && fact_key_compare(&facts->items[from], &facts->items[to]) == 0;
             to++)
            least = contact_earlier(least, facts->items[to].body.received_at);
        for (size_t i = from; i < to; i++)
            facts->items[i].body.received_at = least;
    }
}

/* Slow path (a): keeps the facts that were really inserted, and those of which it is news that they
 * came in so early. */
static enum outcome insert_facts(struct work *w, struct err *err)
{
    struct ledger_facts *facts = &w->flush->facts;
    if (facts->count == 0)
        return OUTCOME_OK;
    share_received_at(facts);
    facts->count = timeline_sort_facts(w->suppression->timeline, facts->items, facts->count);
    bool *inserted = arena_array(w->arena, bool, facts->count);
    CHECK(timeline_insert_facts(w->suppression->timeline, w->suppression->db, w->arena,
                                facts->items, facts->count, inserted, err));
    CHECK(suppression_store_lower_received(w->suppression->db, w->arena, facts, inserted, err));
    size_t kept = 0;
    for (size_t i = 0; i < facts->count; i++)
        if (inserted[i])
            facts->items[kept++] = facts->items[i];
    facts->count = kept;
    return OUTCOME_OK;
}

static bool relies_on_known(const struct ledger_fact *fact)
{
    return fact->body.kind == CONTACT_REQUEST && fact->body.addresses.len == 0;
}

/* A request that names no address relies on all that its customer was seen with. Which these are is
 * asked before the locks; save() makes sure that none is missing. */
static enum outcome find_unnamed(struct work *w, struct anchor_move **out, size_t *out_count,
                                 struct err *err)
{
    const struct suppression_flush *flush = w->flush;
    size_t room = flush->facts.count + flush->moves.count, count = 0;
    int64_t *anchors = arena_array(w->arena, int64_t, room);
    struct id *profiles = arena_array(w->arena, struct id, room);
    *out_count = 0;
    for (size_t i = 0; i < flush->facts.count; i++) {
        if (!relies_on_known(&flush->facts.items[i]))
            continue;
        anchors[count] = flush->facts.items[i].key.anchor;
        profiles[count++] = flush->facts.items[i].profile_id;
    }
    for (size_t i = 0; count > 0 && i < flush->moves.count; i++) {
        anchors[count] = id_short(&flush->moves.items[i].anchor_id);
        profiles[count++] = flush->moves.items[i].profile_id;
    }
    return count == 0 ? OUTCOME_OK
                      : addresses_to_lock(w->suppression->db, w->arena, anchors, count, profiles,
                                          count, out, out_count, err);
}

/* (b): every new fact is a move of its anchor, too. */
static enum outcome lock_anchors(struct work *w, struct err *err)
{
    const struct suppression_flush *flush = w->flush;
    struct anchor_move *unnamed = NULL, *kept = NULL;
    size_t unnamed_count, kept_count, count = 0;
    CHECK(find_unnamed(w, &unnamed, &unnamed_count, err));
    CHECK(
        addresses_find_kept(w->suppression->db, w->arena, &flush->known, &kept, &kept_count, err));
    struct anchor_move *moves =
        arena_array(w->arena, struct anchor_move,
                    flush->facts.count + flush->moves.count + unnamed_count + kept_count);
    for (size_t i = 0; i < kept_count; i++)
        moves[count++] = kept[i];
    for (size_t i = 0; i < unnamed_count; i++)
        moves[count++] = unnamed[i];
    for (size_t i = 0; i < flush->facts.count; i++) {
        const struct ledger_fact *f = &flush->facts.items[i];
        moves[count++] = (struct anchor_move){f->anchor_id, f->profile_id, f->version};
    }
    for (size_t i = 0; i < flush->moves.count; i++)
        moves[count++] = flush->moves.items[i];
    return timeline_lock_anchors(w->suppression->timeline, w->suppression->db, w->arena, moves,
                                 count, &w->anchors, &w->anchor_count, err);
}

static const struct anchor_row *find_anchor(const struct work *w, int64_t anchor)
{
    size_t low = 0, high = w->anchor_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (w->anchors[middle].anchor < anchor)
            low = middle + 1;
        else
            high = middle;
    }
    return &w->anchors[low];
}

/* A send that answers no request decides nothing and ends nothing. Who decides for its profile
 * reads it under the lock of the state; who decides at this very moment might as well have been
 * first. */
static bool is_unasked(const struct ledger_fact *fact)
{
    return fact->body.kind == CONTACT_SENT && id_is_nil(&fact->body.decision_id) &&
           fact->body.consent.len == 0;
}

/* (c): profiles with new facts, and both profiles of every anchor that moved. An anchor that was
 * only put into the map has no facts, or the transaction that inserts them will see the row. */
static enum outcome lock_states(struct work *w, struct err *err)
{
    const struct ledger_facts *facts = &w->flush->facts;
    int64_t *profiles =
        arena_array(w->arena, int64_t, facts->count + 2 * w->anchor_count + w->flush->judged_count);
    size_t count = 0;
    for (size_t i = 0; i < facts->count; i++)
        if (!is_unasked(&facts->items[i]))
            profiles[count++] = id_short(&find_anchor(w, facts->items[i].key.anchor)->profile_id);
    for (size_t i = 0; i < w->anchor_count; i++) {
        if (!w->anchors[i].is_moved)
            continue;
        profiles[count++] = id_short(&w->anchors[i].profile_id);
        profiles[count++] = id_short(&w->anchors[i].old_profile_id);
    }
    for (size_t i = 0; i < w->flush->judged_count; i++)
        profiles[count++] = id_short(&w->flush->judged[i]);
    return timeline_lock_states(w->suppression->timeline, w->suppression->db, w->arena, profiles,
                                count, &w->states, &w->state_count, err);
}

/* Other customers whose open grants rely on an address that something new is said of. Their states
 * are not locked: what is said of the address is settled under the lock of its anchor, and whatever
 * else changes for them is asked again under the lock of their state. */
static enum outcome find_granted(struct work *w, struct err *err)
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

static struct reading *reading_of(const struct work *w, const struct id *profile_id)
{
    const struct state_row *state =
        timeline_find_state(w->states, w->state_count, id_short(profile_id));
    return state ? &w->readings[state - w->states] : NULL;
}

/* The state says until when grants of its profile may be open: written under its lock by whoever
 * read the ledger last. */
static bool may_be_open(const struct work *w, const struct state_row *state, struct instant at)
{
    struct unpack u = unpack_of(state->payload);
    struct instant until = {state->payload.len ? (int64_t)unpack_be64(&u) : INSTANT_ABSENT.us};
    return instant_compare(at, until) < 0 || instant_compare(w->now, until) < 0;
}

/* True if the fact asks for a decision, or may change one that was made. */
static bool needs_ledger(const struct work *w, const struct ledger_fact *fact,
                         const struct state_row *state)
{
    return fact->body.kind == CONTACT_REQUEST ||
           (profile_is_news(&fact->body) && may_be_open(w, state, fact->body.at)) ||
           rules_end(&w->suppression->policy, &fact->body);
}

static void need(const struct work *w, const struct id *profile_id, bool is_news)
{
    struct reading *reading = reading_of(w, profile_id);
    if (reading == NULL)
        return;
    reading->is_needed = true;
    reading->has_news = reading->has_news || is_news;
}

/* Most facts are purchases and the like of customers without an open grant. Who was joined or cut
 * is read always: what the states say of open grants is of their former members. */
static void choose_ledgers(struct work *w)
{
    const struct suppression_flush *flush = w->flush;
    w->readings = arena_calloc(w->arena, w->state_count, sizeof *w->readings);
    for (size_t i = 0; i < flush->facts.count; i++) {
        const struct ledger_fact *fact = &flush->facts.items[i];
        const struct anchor_row *anchor = find_anchor(w, fact->key.anchor);
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
    for (size_t i = 0; i < w->granted.count; i++)
        need(w, &w->granted.items[i], true);
}

static enum outcome read_members(struct work *w, struct err *err)
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

/* (d), in new statements under the locks: the whole ledger of the profiles, and the decisions made
 * before. */
static enum outcome read_ledger(struct work *w, struct err *err)
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

static void mark_new_facts(struct work *w)
{
    const struct ledger_facts *inserted = &w->flush->facts;
    for (size_t i = 0; inserted->count > 0 && i < w->fact_count; i++)
        w->facts[i].origin = bsearch(&w->facts[i], inserted->items, inserted->count,
                                     sizeof *inserted->items, fact_key_compare);
}

static int reservation_compare(const void *key, const void *element)
{
    return id_compare(key, &((const struct reservation *)element)->request_id);
}

/* New, or granted and open: its addresses are asked about. */
static bool is_in_question(const struct work *w, const struct ledger_fact *fact)
{
    if (fact->body.kind != CONTACT_REQUEST)
        return false;
    const struct reservation *r =
        w->reservation_count ? bsearch(&fact->key.event_id, w->reservations, w->reservation_count,
                                       sizeof *r, reservation_compare)
                             : NULL;
    return r ? r->verdict == VERDICT_GRANT && r->outcome == RESULT_OPEN : fact->origin != NULL;
}

static enum outcome read_known(struct work *w, struct err *err)
{
    int64_t *anchors = arena_array(w->arena, int64_t, w->member_count);
    for (size_t i = 0; i < w->member_count; i++)
        anchors[i] = w->members[i].anchor;
    return addresses_find_known(w->suppression->db, w->arena, anchors, w->member_count, &w->known,
                                err);
}

/* What is said of the addresses that requests rely on. */
static enum outcome read_addresses(struct work *w, struct err *err)
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

static size_t first_known(const struct work *w, int64_t anchor)
{
    size_t low = 0, high = w->known.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (w->known.items[middle].anchor < anchor)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Addresses of the members [from, to). */
static struct address_book *book_of(const struct work *w, size_t from, size_t to)
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

static size_t first_fact(const struct work *w, int64_t anchor)
{
    size_t low = 0, high = w->fact_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (w->facts[middle].key.anchor < anchor)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Pointers to the facts of the members [from, to), in time order. */
static void gather_facts(struct work *w, size_t from, size_t to, struct profile *profile)
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

/* What the anchors say of a locked profile. */
struct profile_note {
    struct id id;
    bool is_merged;
    int64_t moved; /* anchors that went in or out */
};

static struct profile_note *note_of(struct map *notes, const struct id *profile_id)
{
    int64_t key = id_short(profile_id);
    struct profile_note *note = map_put(notes, &key, NULL);
    note->id = *profile_id;
    return note;
}

static void note_profiles(const struct work *w, struct map *notes)
{
    map_init(notes, w->arena, sizeof(int64_t), sizeof(struct profile_note));
    for (size_t i = 0; i < w->flush->judged_count; i++)
        note_of(notes, &w->flush->judged[i]);
    for (size_t i = 0; i < w->anchor_count; i++) {
        const struct anchor_row *row = &w->anchors[i];
        struct profile_note *note = note_of(notes, &row->profile_id);
        if (!row->is_moved)
            continue;
        note->is_merged = true;
        note->moved++;
        note_of(notes, &row->old_profile_id)->moved++;
    }
}

static size_t first_member(const struct work *w, int64_t profile)
{
    size_t low = 0, high = w->member_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (w->members[middle].profile < profile)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void decide_profile(struct work *w, struct profile *profile)
{
    int64_t key = id_short(&profile->id);
    size_t from = first_member(w, key), to = from;
    while (to < w->member_count && w->members[to].profile == key)
        to++;
    gather_facts(w, from, to, profile);
    profile->addresses = book_of(w, from, to);
    profile_decide(&w->suppression->policy, profile, w->reservations, w->reservation_count, w->now,
                   w->arena, &w->results);
}

/* Results need no ledger: they say which request they are of. */
static void note_results(struct work *w)
{
    for (size_t i = 0; i < w->flush->facts.count; i++) {
        const struct ledger_fact *fact = &w->flush->facts.items[i];
        const struct anchor_row *anchor = find_anchor(w, fact->key.anchor);
        const struct reading *reading = reading_of(w, &anchor->profile_id);
        if (reading && !reading->is_needed && !version_is_shared(anchor->version))
            profile_note_outcome(&fact->body, w->arena, &w->results);
    }
}

static struct span open_until(const struct profile *profile, struct arena *arena)
{
    struct strbuf payload = {.arena = arena};
    if (profile->open_until.us == INSTANT_ABSENT.us)
        return SPAN("");
    pack_be64(&payload, (uint64_t)profile->open_until.us);
    return strbuf_span(&payload);
}

static void decide_profiles(struct work *w)
{
    struct map notes;
    note_profiles(w, &notes);
    for (size_t i = 0; i < w->state_count; i++) {
        if (!w->readings[i].is_needed)
            continue;
        const struct profile_note *note = map_find(&notes, &w->states[i].profile);
        struct profile profile = {
            .id = note->id, .is_merged = note->is_merged, .has_news = w->readings[i].has_news};
        decide_profile(w, &profile);
        w->states[i].members += note->moved;
        w->states[i].payload = open_until(&profile, w->arena);
    }
    note_results(w);
    for (size_t i = 0; i < w->granted.count; i++) {
        struct profile profile = {.id = w->granted.items[i], .has_news = true};
        if (!timeline_find_state(w->states, w->state_count, id_short(&profile.id)))
            decide_profile(w, &profile);
    }
}

/* Requests that name no customer, and new ones of a shared profile. */
static void refuse_requests(struct work *w)
{
    const struct contact_policy *policy = &w->suppression->policy;
    for (size_t i = 0; i < w->flush->unidentified.count; i++)
        profile_refuse(policy, &w->flush->unidentified.items[i], NULL, w->now, w->arena,
                       &w->results);
    for (size_t i = 0; i < w->flush->facts.count; i++) {
        const struct ledger_fact *fact = &w->flush->facts.items[i];
        const struct anchor_row *anchor = find_anchor(w, fact->key.anchor);
        if (fact->body.kind == CONTACT_REQUEST && version_is_shared(anchor->version))
            profile_refuse(policy, fact, &anchor->profile_id, w->now, w->arena, &w->results);
    }
}

/* What a grant relies on was locked before it was asked. Between the question which addresses these
 * are and the locks, a touchpoint may have named another one. */
static enum outcome check_locked(const struct work *w, struct err *err)
{
    for (size_t i = 0; i < w->results.grants.count; i++) {
        int64_t address = w->results.grants.items[i].address;
        const struct anchor_row *row = find_anchor(w, address);
        if (row == w->anchors + w->anchor_count || row->anchor != address)
            return err_set(err, OUTCOME_RETRY, "address_race",
                           "a customer was seen with another address meanwhile");
    }
    return OUTCOME_OK;
}

/* Rows of decisions that are open no more. */
static enum outcome close_grants(struct work *w, struct err *err)
{
    const struct outcome_rows *outcomes = &w->results.outcomes;
    struct id *closed = arena_array(w->arena, struct id, outcomes->count);
    size_t count = 0;
    for (size_t i = 0; i < outcomes->count; i++)
        if (outcomes->items[i].is_changed)
            closed[count++] = outcomes->items[i].request_id;
    return addresses_close_grants(w->suppression->db, w->arena, closed, count, err);
}

/* A state whose ledger nobody had to read stays as it is. One that is not there yet is inserted in
 * any case: of two who see its profile first one runs again. */
static enum outcome save_states(struct work *w, struct err *err)
{
    const struct suppression *s = w->suppression;
    struct state_row *rows = arena_array(w->arena, struct state_row, w->state_count);
    size_t count = 0;
    for (size_t i = 0; i < w->state_count; i++)
        if (w->readings[i].is_needed || w->states[i].is_absent) {
            rows[count] = w->states[i];
            rows[count++].generation = s->generation.number;
        }
    return timeline_save_states(s->timeline, s->db, w->arena, rows, count, err);
}

static enum outcome save(struct work *w, struct err *err)
{
    const struct suppression *s = w->suppression;
    CHECK(check_locked(w, err));
    CHECK(save_states(w, err));
    CHECK(suppression_store_insert_decisions(s->db, w->arena, &w->results.decisions,
                                             s->generation.number, w->now, err));
    profile_results_merge_outcomes(&w->results);
    CHECK(suppression_store_update_outcomes(s->db, w->arena, w->results.outcomes.items,
                                            w->results.outcomes.count, err));
    CHECK(addresses_store_grants(s->db, w->arena, &w->results.grants, err));
    CHECK(close_grants(w, err));
    profile_results_messages(&w->results, w->flush->lane, w->now, w->arena, &w->flush->messages);
    return suppression_store_insert_outbox(s->db, w->arena, s->instance, &w->flush->messages, err);
}

enum outcome suppression_transact(const struct suppression *suppression, struct arena *arena,
                                  struct suppression_flush *flush, struct instant now,
                                  struct err *err)
{
    struct work w = {.suppression = suppression, .arena = arena, .flush = flush, .now = now};
    CHECK(db_begin(suppression->db, err));
    CHECK(generation_still_active(suppression->db, arena, &suppression->generation,
                                  suppression->erased, err));
    CHECK(insert_facts(&w, err));
    CHECK(addresses_store_known(suppression->db, arena, &flush->known, err));
    CHECK(lock_anchors(&w, err));
    CHECK(lock_states(&w, err));
    CHECK(find_granted(&w, err));
    choose_ledgers(&w);
    if (w.state_count + w.granted.count > 0) {
        CHECK(read_ledger(&w, err));
        mark_new_facts(&w);
        CHECK(read_addresses(&w, err));
        decide_profiles(&w);
    }
    refuse_requests(&w);
    CHECK(save(&w, err));
    CHECK(db_commit(suppression->db, err));
    flush->decisions = w.results.decisions;
    flush->vain_ends = w.results.vain_ends;
    return OUTCOME_OK;
}
