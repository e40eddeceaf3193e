/* suppression_transact.c: the transaction of suppression_transact.h: the slow path of the timeline,
 * then the decisions of each profile that it touched. */
#include "services/suppression/suppression_transact.h"

#include <stdlib.h>

#include "common/base/map.h"
#include "services/suppression/suppression_profile.h"

struct work {
    const struct suppression *suppression;
    struct arena *arena;
    struct suppression_flush *flush;
    struct instant now;
    struct anchor_row *anchors;
    size_t anchor_count;
    struct state_row *states;
    size_t state_count;
    struct member_row *members;
    size_t member_count;
    struct ledger_fact *facts; /* all facts of the locked profiles, by key */
    size_t fact_count;
    struct reservation *reservations; /* all decisions of their requests, by request_id */
    size_t reservation_count;
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

/* (b): every new fact is a move of its anchor, too. */
static enum outcome lock_anchors(struct work *w, struct err *err)
{
    const struct suppression_flush *flush = w->flush;
    struct anchor_move *moves =
        arena_array(w->arena, struct anchor_move, flush->facts.count + flush->moves.count);
    size_t count = 0;
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
    int64_t *profiles = arena_array(w->arena, int64_t, facts->count + 2 * w->anchor_count);
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
    return timeline_lock_states(w->suppression->timeline, w->suppression->db, w->arena, profiles,
                                count, &w->states, &w->state_count, err);
}

/* (d), in new statements under the locks: the whole ledger of the profiles, and the decisions made
 * before. */
static enum outcome read_ledger(struct work *w, struct err *err)
{
    const struct suppression *s = w->suppression;
    int64_t *profiles = arena_array(w->arena, int64_t, w->state_count);
    for (size_t i = 0; i < w->state_count; i++)
        profiles[i] = w->states[i].profile;
    CHECK(timeline_members(s->timeline, s->db, w->arena, profiles, w->state_count, &w->members,
                           &w->member_count, err));
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

static void decide_profiles(struct work *w)
{
    struct map notes;
    size_t from = 0;
    note_profiles(w, &notes);
    for (size_t i = 0; i < w->state_count; i++) {
        const struct profile_note *note = map_find(&notes, &w->states[i].profile);
        struct profile profile = {.id = note->id, .is_merged = note->is_merged};
        w->states[i].members += note->moved;
        while (from < w->member_count && w->members[from].profile < w->states[i].profile)
            from++;
        size_t to = from;
        while (to < w->member_count && w->members[to].profile == w->states[i].profile)
            to++;
        gather_facts(w, from, to, &profile);
        profile_decide(&w->suppression->policy, &profile, w->reservations, w->reservation_count,
                       w->now, w->arena, &w->results);
        from = to;
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

static enum outcome save(struct work *w, struct err *err)
{
    const struct suppression *s = w->suppression;
    for (size_t i = 0; i < w->state_count; i++)
        w->states[i].generation = s->generation.number;
    CHECK(timeline_save_states(s->timeline, s->db, w->arena, w->states, w->state_count, err));
    CHECK(suppression_store_insert_decisions(s->db, w->arena, &w->results.decisions,
                                             s->generation.number, w->now, err));
    profile_results_merge_outcomes(&w->results);
    CHECK(suppression_store_update_outcomes(s->db, w->arena, w->results.outcomes.items,
                                            w->results.outcomes.count, err));
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
    CHECK(lock_anchors(&w, err));
    CHECK(lock_states(&w, err));
    if (w.state_count > 0) {
        CHECK(read_ledger(&w, err));
        mark_new_facts(&w);
        decide_profiles(&w);
    }
    refuse_requests(&w);
    CHECK(save(&w, err));
    CHECK(db_commit(suppression->db, err));
    flush->decisions = w.results.decisions;
    flush->vain_ends = w.results.vain_ends;
    return OUTCOME_OK;
}
