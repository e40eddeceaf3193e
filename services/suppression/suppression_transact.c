/* suppression_transact.c: the transaction of suppression_transact.h: the slow path of the timeline,
 * then the decisions of each profile that it touched. */
#include "services/suppression/suppression_transact.h"

#include "common/base/map.h"
#include "common/base/pack.h"
#include "common/service/zones.h"
#include "services/suppression/policy/suppression_policy.h"
#include "services/suppression/suppression_arms.h"
#include "services/suppression/suppression_work.h"

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

static void note_profiles(const struct ledger_work *w, struct map *notes)
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

static void decide_profile(struct ledger_work *w, struct profile *profile)
{
    work_gather(w, profile);
    profile_decide(&w->suppression->policy, profile, w->reservations, w->reservation_count, w->now,
                   w->arena, &w->results);
}

/* Results need no ledger: they say which request they are of. */
static void note_results(struct ledger_work *w)
{
    for (size_t i = 0; i < w->flush->facts.count; i++) {
        const struct ledger_fact *fact = &w->flush->facts.items[i];
        const struct anchor_row *anchor = work_find_anchor(w, fact->key.anchor);
        const struct reading *reading = work_reading_of(w, &anchor->profile_id);
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

static void decide_profiles(struct ledger_work *w)
{
    struct map notes;
    note_profiles(w, &notes);
    for (size_t i = 0; i < w->state_count; i++) {
        if (!w->readings[i].is_needed)
            continue;
        const struct profile_note *note = map_find(&notes, &w->states[i].profile);
        const struct reading *reading = &w->readings[i];
        struct profile profile = {.id = note->id,
                                  .is_merged = note->is_merged,
                                  .is_moved = note->moved > 0,
                                  .has_news = reading->has_news,
                                  .has_address = reading->has_address};
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
static void refuse_requests(struct ledger_work *w)
{
    const struct contact_policy *policy = &w->suppression->policy;
    for (size_t i = 0; i < w->flush->unidentified.count; i++)
        profile_refuse(policy, &w->flush->unidentified.items[i], NULL, w->now, w->arena,
                       &w->results);
    for (size_t i = 0; i < w->flush->facts.count; i++) {
        const struct ledger_fact *fact = &w->flush->facts.items[i];
        const struct anchor_row *anchor = work_find_anchor(w, fact->key.anchor);
        if (fact->body.kind == CONTACT_REQUEST && version_is_shared(anchor->version))
            profile_refuse(policy, fact, &anchor->profile_id, w->now, w->arena, &w->results);
    }
}

/* What a grant relies on was locked before it was asked. Between the question which addresses these
 * are and the locks, a touchpoint may have named another one. */
static enum outcome check_locked(const struct ledger_work *w, struct err *err)
{
    for (size_t i = 0; i < w->results.grants.count; i++) {
        int64_t address = w->results.grants.items[i].address;
        const struct anchor_row *row = work_find_anchor(w, address);
        if (row == w->anchors + w->anchor_count || row->anchor != address)
            return err_set(err, OUTCOME_RETRY, "address_race",
                           "a customer was seen with another address meanwhile");
    }
    return OUTCOME_OK;
}

/* Rows of decisions that are open no more. */
static enum outcome close_grants(struct ledger_work *w, struct err *err)
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
static enum outcome save_states(struct ledger_work *w, struct err *err)
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

static enum outcome save(struct ledger_work *w, struct err *err)
{
    const struct suppression *s = w->suppression;
    CHECK(check_locked(w, err));
    CHECK(save_states(w, err));
    CHECK(suppression_store_insert_decisions(s->db, w->arena, &w->results.decisions,
                                             s->generation.number, w->now, err));
    profile_results_merge_outcomes(&w->results);
    CHECK(suppression_store_update_outcomes(s->db, w->arena, w->results.outcomes.items,
                                            w->results.outcomes.count, err));
    CHECK(arms_store(s->db, w->arena, &w->results.arms, &w->results.decisions, err));
    CHECK(addresses_store_grants(s->db, w->arena, &w->results.grants, err));
    CHECK(close_grants(w, err));
    profile_results_messages(&w->results, w->flush->lane, w->now, w->arena, &w->flush->messages);
    return suppression_store_insert_outbox(s->db, w->arena, s->instance, &w->flush->messages, err);
}

enum outcome suppression_load_zones(struct suppression *s, struct arena *arena, struct err *err)
{
    if (!s->policy.asks_zones)
        return OUTCOME_OK;
    CHECK(zones_load_book(s->db, arena, &s->generation.zones, &s->zone_book, err));
    return suppression_policy_set_zones(arena, &s->policy, &s->zone_book, err);
}

enum outcome suppression_transact(const struct suppression *suppression, struct arena *arena,
                                  struct suppression_flush *flush, struct instant now,
                                  struct err *err)
{
    struct ledger_work w = {.suppression = suppression, .arena = arena, .flush = flush, .now = now};
    CHECK(db_begin(suppression->db, err));
    CHECK(generation_still_active(suppression->db, arena, &suppression->generation,
                                  suppression->erased, err));
    CHECK(work_insert_facts(&w, err));
    CHECK(addresses_store_known(suppression->db, arena, &flush->known, &w.new_known, err));
    CHECK(places_store(suppression->db, arena, &flush->places, &w.new_placed, err));
    CHECK(work_lock_anchors(&w, err));
    CHECK(work_lock_states(&w, err));
    CHECK(work_find_granted(&w, err));
    work_choose_ledgers(&w);
    if (w.state_count + w.granted.count > 0) {
        CHECK(work_read_ledgers(&w, err));
        decide_profiles(&w);
    }
    refuse_requests(&w);
    CHECK(save(&w, err));
    CHECK(db_commit(suppression->db, err));
    flush->decisions = w.results.decisions;
    flush->vain_ends = w.results.vain_ends;
    return OUTCOME_OK;
}
