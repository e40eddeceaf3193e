/* journey_slow.c: the slow transaction: new facts, moved anchors, locked states, then whatever derivation each profile needs. */
#include <stdlib.h>

#include "common/runtime/telemetry.h"
#include "services/journey-tracker/journey_tracker.h"

enum { CAREFUL_FLUSHES = 20 }; /* without COPY after a repeat: input is probably being read again */

struct shorts {
    int64_t *items;
    size_t count, capacity;
};

struct slow {
    struct tracker *tracker;
    struct flush *flush;
    bool is_careful;    /* every fact may be a repeat: no COPY */
    struct facts facts; /* sorted by key */
    bool *inserted;     /* of facts */
    struct anchor_row *anchors;
    size_t anchor_count;
    struct state_row *states;
    size_t state_count;
    struct member_row *members;
    size_t member_count;
    struct slow_profile *profiles; /* beside states */
    struct move *moves;            /* anchors that moved, under both profiles; sorted by profile */
    size_t move_count;
    struct map fresh;      /* struct fact_key -> inserted by this transaction */
    struct map profile_of; /* anchor -> struct id */
    struct saving saving;
};

/* An anchor that left or joined a profile. */
struct move {
    int64_t profile;
    bool is_left; /* else joined */
    const struct anchor_row *row;
    struct instant first; /* its oldest fact */
};

static int anchor_row_compare(const void *a, const void *b)
{
    const struct anchor_row *x = a, *y = b;
    return (x->anchor > y->anchor) - (x->anchor < y->anchor);
}

static struct anchor_row *find_anchor(struct slow *slow, int64_t anchor)
{
    struct anchor_row key = {.anchor = anchor};
    return bsearch(&key, slow->anchors, slow->anchor_count, sizeof key, anchor_row_compare);
}

/* A fact of an anchor never seen, or after everything known of the profile its anchor was last seen in, is new (except while
 * input is read again with a cold cache); others may be repeats. The profile the message names is no guide: it may be newer. */
static bool is_likely_new(struct tracker *tracker, const struct arrival *a)
{
    const struct cached_anchor *anchor = journey_cache_anchor(&tracker->cache, a->fact.key.anchor);
    if (anchor == NULL)
        return true;
    if (version_is_shared(anchor->version)) /* its state does not grow */
        return false;
    int64_t members = anchor->members;
    const struct cached_state *state = journey_cache_state(&tracker->cache, id_short(&anchor->profile_id));
    struct touch_key key = {a->fact.key.occurred_at, a->fact.key.event_id, a->fact.key.anchor};
    return state && state->members == members && touch_key_compare(&key, &state->last) > 0;
}

/* New facts by COPY, at half the cost. OK with *is_repeat set if one was there: the transaction is lost. */
static enum outcome copy_facts(struct slow *slow, const uint32_t *indexes, size_t *count, uint32_t *rest, bool *is_repeat,
                               struct err *err)
{
    struct flush *flush = slow->flush;
    size_t left = 0;
    *is_repeat = false;
    for (size_t i = 0; i < *count; i++) {
        const struct arrival *a = &flush->arrivals.items[indexes[i]];
        if (is_likely_new(slow->tracker, a))
            *arena_push(flush->arena, &slow->facts) = a->fact;
        else
            rest[left++] = indexes[i];
    }
    *count = left;
    if (slow->facts.count == 0)
        return OUTCOME_OK;
    slow->facts.count = timeline_sort_facts(slow->tracker->timeline, slow->facts.items, slow->facts.count);
    enum outcome o = timeline_copy_facts(slow->tracker->timeline, slow->tracker->db, slow->facts.items, slow->facts.count, err);
    *is_repeat = o == OUTCOME_REJECT && db_sqlstate_is(slow->tracker->db, "23505");
    return *is_repeat ? OUTCOME_OK : o;
}

/* Both lists as one, sorted again; a fact of the second list that the first one has is a repeat. */
static void unite_facts(struct slow *slow, const struct facts *checked, const bool *inserted)
{
    struct tracker *tracker = slow->tracker;
    size_t copied = slow->facts.count;
    for (size_t i = 0; i < checked->count; i++)
        if (inserted[i])
            *arena_push(slow->flush->arena, &slow->facts) = checked->items[i];
    if (slow->facts.count > copied)
        slow->facts.count = timeline_sort_facts(tracker->timeline, slow->facts.items, slow->facts.count);
    slow->inserted = arena_array(slow->flush->arena, bool, slow->facts.count);
    memset(slow->inserted, true, slow->facts.count);
}

/* (a) Facts; what was there already is a duplicate and plays no part: only what was really inserted stays in slow->facts. */
static enum outcome insert_facts(struct slow *slow, const uint32_t *indexes, size_t count, bool *is_repeat, struct err *err)
{
    struct flush *flush = slow->flush;
    struct tracker *tracker = slow->tracker;
    struct facts checked = {0};
    *is_repeat = false;
    if (!slow->is_careful) {
        uint32_t *rest = arena_array(flush->arena, uint32_t, count);
        CHECK(copy_facts(slow, indexes, &count, rest, is_repeat, err));
        if (*is_repeat)
            return OUTCOME_OK;
        indexes = rest;
    }
    for (size_t i = 0; i < count; i++)
        *arena_push(flush->arena, &checked) = flush->arrivals.items[indexes[i]].fact;
    bool *inserted = NULL;
    if (count > 0) {
        checked.count = timeline_sort_facts(tracker->timeline, checked.items, checked.count);
        inserted = arena_array(flush->arena, bool, checked.count);
        CHECK(timeline_insert_facts(tracker->timeline, tracker->db, flush->arena, checked.items, checked.count, inserted, err));
    }
    unite_facts(slow, &checked, inserted);
    return OUTCOME_OK;
}

static bool fact_is_inserted(const struct slow *slow, const struct fact_key *key)
{
    return map_find(&slow->fresh, key) != NULL;
}

/* (b) Anchors of facts really inserted, and everything identity changes say. */
static enum outcome lock_anchors(struct slow *slow, const uint32_t *indexes, size_t count, struct err *err)
{
    struct flush *flush = slow->flush;
    struct anchor_moves moves = {0};
    map_init(&slow->fresh, flush->arena, sizeof(struct fact_key), 1);
    for (size_t i = 0; i < slow->facts.count; i++)
        if (slow->inserted[i])
            map_put(&slow->fresh, &slow->facts.items[i].key, NULL);
    for (size_t i = 0; i < count; i++) {
        const struct arrival *a = &flush->arrivals.items[indexes[i]];
        if (fact_is_inserted(slow, &a->fact.key))
            *arena_push(flush->arena, &moves) = (struct anchor_move){a->anchor_id, a->profile_id, a->version};
    }
    for (size_t i = 0; i < flush->moves.count; i++)
        *arena_push(flush->arena, &moves) = flush->moves.items[i];
    return timeline_lock_anchors(slow->tracker->timeline, slow->tracker->db, flush->arena, moves.items, moves.count,
                                 &slow->anchors, &slow->anchor_count, err);
}

/* (c) States of the profiles of these anchors, old and new. An anchor that neither moved nor has a new fact changes nothing. */
static enum outcome lock_states(struct slow *slow, struct err *err)
{
    struct arena *arena = slow->flush->arena;
    struct shorts profiles = {0};
    struct map with_facts;
    map_init(&with_facts, arena, sizeof(int64_t), 1);
    for (size_t i = 0; i < slow->facts.count; i++)
        if (slow->inserted[i])
            map_put(&with_facts, &slow->facts.items[i].key.anchor, NULL);
    for (size_t i = 0; i < slow->anchor_count; i++) {
        const struct anchor_row *row = &slow->anchors[i];
        if (!row->is_inserted && !row->is_moved && !map_find(&with_facts, &row->anchor))
            continue;
        *arena_push(arena, &profiles) = id_short(&row->profile_id);
        if (row->is_moved)
            *arena_push(arena, &profiles) = id_short(&row->old_profile_id);
    }
    for (size_t i = 0; i < slow->flush->sweep_count; i++)
        *arena_push(arena, &profiles) = slow->flush->sweep[i];
    return timeline_lock_states(slow->tracker->timeline, slow->tracker->db, arena, profiles.items, profiles.count, &slow->states,
                                &slow->state_count, err);
}

static struct slow_profile *find_profile(struct slow *slow, const struct id *profile_id)
{
    struct state_row *row = timeline_find_state(slow->states, slow->state_count, id_short(profile_id));
    if (row == NULL)
        return NULL;
    struct slow_profile *profile = &slow->profiles[row - slow->states];
    profile->profile_id = *profile_id;
    return profile;
}

/* Which profiles gained or lost an anchor; `members` of both grows. */
static void note_moves(struct slow *slow)
{
    for (size_t i = 0; i < slow->anchor_count; i++) {
        const struct anchor_row *row = &slow->anchors[i];
        *(struct id *)map_put(&slow->profile_of, &row->anchor, NULL) = row->profile_id;
        struct slow_profile *to = find_profile(slow, &row->profile_id);
        if (!row->is_moved || to == NULL)
            continue;
        struct slow_profile *from = find_profile(slow, &row->old_profile_id);
        to->gained = true;
        to->row->members++;
        from->lost = true;
        from->row->members++;
    }
}

static int touch_compare(const void *a, const void *b)
{
    return touch_key_compare(&((const struct touch *)a)->key, &((const struct touch *)b)->key);
}

static enum outcome collect_fresh(struct slow *slow, struct err *err)
{
    struct arena *arena = slow->flush->arena;
    size_t *counts = arena_array(arena, size_t, slow->state_count);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < slow->facts.count; i++) {
            if (!slow->inserted[i])
                continue;
            const struct anchor_row *anchor = find_anchor(slow, slow->facts.items[i].key.anchor);
            if (anchor && version_is_shared(anchor->version))
                continue;
            struct slow_profile *p = anchor ? find_profile(slow, &anchor->profile_id) : NULL;
            if (p == NULL)
                return err_set(err, OUTCOME_FATAL, "anchor_unlocked", "a new fact's profile is not among the locked ones");
            if (pass == 0) {
                counts[p - slow->profiles]++;
                continue;
            }
            if (p->fresh == NULL)
                p->fresh = arena_array(arena, struct touch, counts[p - slow->profiles]);
            CHECK(tracker_touch(slow->tracker, arena, &slow->facts.items[i], &p->fresh[p->fresh_count++], err));
        }
    for (size_t i = 0; i < slow->state_count; i++)
        if (slow->profiles[i].fresh_count > 1)
            qsort(slow->profiles[i].fresh, slow->profiles[i].fresh_count, sizeof(struct touch), touch_compare);
    return OUTCOME_OK;
}

static bool has_other_generation(const struct slow *slow, const struct slow_profile *p)
{
    return p->row->payload.len > 0 && p->row->generation != slow->tracker->generation.number;
}

/* New touches after everything in the state: advance. Sets *is_done, or leaves the profile to be derived from facts. */
static enum outcome try_advance(struct slow *slow, struct slow_profile *p, bool *is_done, struct err *err)
{
    struct tracker *tracker = slow->tracker;
    struct arena *arena = slow->flush->arena;
    struct journey_state before;
    *is_done = false;
    if (has_other_generation(slow, p) || p->gained || p->lost)
        return OUTCOME_OK;
    CHECK(tracker_unpack(tracker, arena, p->row->payload, &before, err));
    journey_state_copy(&p->state, &before, arena);
    if (p->fresh_count > 0 && (touch_key_compare(&p->fresh[0].key, &before.last) <= 0 ||
                               tracker_lacks_window(tracker, &before, p->fresh, p->fresh_count)))
        return OUTCOME_OK;
    for (size_t i = 0; i < p->fresh_count; i++)
        saving_advance(tracker, &slow->saving, p->row->profile, &p->state, &p->fresh[i]);
    journey_trailing_replace(&tracker->policy, &before, &p->state, &slow->saving.effects);
    *is_done = true;
    return OUTCOME_OK;
}

/* (d) Members, read under the locks: with this transaction's moves, and as they were without. */
static enum outcome read_members(struct slow *slow, const struct slow_profile *profiles, size_t count, struct err *err)
{
    int64_t *keys = arena_array(slow->flush->arena, int64_t, count);
    for (size_t i = 0; i < count; i++)
        keys[i] = profiles[i].row->profile;
    return timeline_members(slow->tracker->timeline, slow->tracker->db, slow->flush->arena, keys, count, &slow->members,
                            &slow->member_count, err);
}

/* Position of a profile's first member in the sorted list. */
static size_t first_member(const struct slow *slow, int64_t profile)
{
    size_t low = 0, high = slow->member_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (slow->members[middle].profile < profile)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int move_compare(const void *a, const void *b)
{
    const struct move *x = a, *y = b;
    if (x->profile != y->profile)
        return x->profile < y->profile ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static const struct move *end_of_moves(const struct slow *slow)
{
    return slow->moves + slow->move_count;
}

static const struct move *first_move(const struct slow *slow, int64_t profile)
{
    size_t low = 0, high = slow->move_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (slow->moves[middle].profile < profile)
            low = middle + 1;
        else
            high = middle;
    }
    return slow->moves + low;
}

/* What moved, with the time from which the timelines of both profiles differ. */
static enum outcome list_moves(struct slow *slow, struct err *err)
{
    struct arena *arena = slow->flush->arena;
    struct shorts moved = {0};
    for (size_t i = 0; i < slow->anchor_count; i++)
        if (slow->anchors[i].is_moved)
            *arena_push(arena, &moved) = slow->anchors[i].anchor;
    if (moved.count == 0)
        return OUTCOME_OK;
    struct instant *first = arena_array(arena, struct instant, moved.count);
    CHECK(timeline_first_facts(slow->tracker->timeline, slow->tracker->db, arena, moved.items, moved.count, first, err));
    slow->moves = arena_array(arena, struct move, 2 * moved.count);
    for (size_t i = 0; i < moved.count; i++) {
        const struct anchor_row *row = find_anchor(slow, moved.items[i]);
        slow->moves[slow->move_count++] = (struct move){id_short(&row->old_profile_id), true, row, first[i]};
        slow->moves[slow->move_count++] = (struct move){id_short(&row->profile_id), false, row, first[i]};
    }
    qsort(slow->moves, slow->move_count, sizeof *slow->moves, move_compare);
    return OUTCOME_OK;
}

static void split_members(struct slow *slow, struct slow_profile *p)
{
    struct shorts before = {0}, after = {0};
    struct arena *arena = slow->flush->arena;
    for (size_t i = first_member(slow, p->row->profile); i < slow->member_count && slow->members[i].profile == p->row->profile;
         i++) {
        const struct anchor_row *row = find_anchor(slow, slow->members[i].anchor);
        *arena_push(arena, &after) = slow->members[i].anchor;
        if (row == NULL || !(row->is_moved || row->is_inserted))
            *arena_push(arena, &before) = slow->members[i].anchor;
    }
    for (const struct move *m = first_move(slow, p->row->profile); m < end_of_moves(slow) && m->profile == p->row->profile; m++)
        if (m->is_left && !m->row->was_shared)
            *arena_push(arena, &before) = m->row->anchor;
    p->anchors_before = before.items;
    p->before_count = before.count;
    p->anchors_after = after.items;
    p->after_count = after.count;
}

/* The time span in which this profile's facts can differ from before. */
static void find_change(struct slow *slow, struct slow_profile *p)
{
    p->first_change = p->fresh_count ? p->fresh[0].key.at : INSTANT_NEVER;
    p->last_change = p->fresh_count ? p->fresh[p->fresh_count - 1].key.at : INSTANT_FIRST;
    for (const struct move *m = first_move(slow, p->row->profile); m < end_of_moves(slow) && m->profile == p->row->profile; m++) {
        p->last_change = INSTANT_NEVER;
        if (instant_compare(m->first, p->first_change) < 0)
            p->first_change = m->first;
    }
    if (has_other_generation(slow, p)) {
        p->first_change = INSTANT_FIRST;
        p->last_change = INSTANT_NEVER;
    }
}

static enum outcome derive(struct slow *slow, struct err *err)
{
    struct slow_profile *rest = arena_array(slow->flush->arena, struct slow_profile, slow->state_count);
    uint32_t *back = arena_array(slow->flush->arena, uint32_t, slow->state_count);
    size_t count = 0;
    for (uint32_t i = 0; i < slow->state_count; i++) {
        bool is_done;
        CHECK(try_advance(slow, &slow->profiles[i], &is_done, err));
        if (is_done)
            continue;
        back[count] = i;
        rest[count++] = slow->profiles[i];
    }
    if (count == 0)
        return OUTCOME_OK;
    metric_add(slow->tracker->rederived, (double)count);
    CHECK(read_members(slow, rest, count, err));
    CHECK(list_moves(slow, err));
    for (size_t i = 0; i < count; i++) {
        split_members(slow, &rest[i]);
        find_change(slow, &rest[i]);
        for (size_t a = 0; a < rest[i].after_count; a++)
            *(struct id *)map_put(&slow->profile_of, &rest[i].anchors_after[a], NULL) = rest[i].profile_id;
    }
    CHECK(tracker_rederive(slow->tracker, slow->flush->arena, &slow->saving, rest, count, &slow->fresh, err));
    for (size_t i = 0; i < count; i++)
        slow->profiles[back[i]].state = rest[i].state;
    return OUTCOME_OK;
}

/* Every locked state gets a new version: whoever cached it must look again. */
static enum outcome save_states(struct slow *slow, struct err *err)
{
    for (size_t i = 0; i < slow->state_count; i++) {
        slow->states[i].payload = tracker_pack(slow->tracker, slow->flush->arena, &slow->profiles[i].state);
        slow->states[i].generation = slow->tracker->generation.number;
    }
    return timeline_save_states(slow->tracker->timeline, slow->tracker->db, slow->flush->arena, slow->states, slow->state_count,
                                err);
}

static enum outcome run_steps(struct slow *slow, const uint32_t *indexes, size_t count, bool *is_repeat, struct err *err)
{
    struct arena *arena = slow->flush->arena;
    CHECK(insert_facts(slow, indexes, count, is_repeat, err));
    if (*is_repeat)
        return OUTCOME_OK;
    CHECK(lock_anchors(slow, indexes, count, err));
    CHECK(lock_states(slow, err));
    CHECK(generation_still_active(slow->tracker->db, arena, &slow->tracker->generation, err));
    slow->profiles = arena_array(arena, struct slow_profile, slow->state_count);
    for (size_t i = 0; i < slow->state_count; i++)
        slow->profiles[i].row = &slow->states[i];
    map_init(&slow->profile_of, arena, sizeof(int64_t), sizeof(struct id));
    note_moves(slow);
    CHECK(collect_fresh(slow, err));
    CHECK(derive(slow, err));
    CHECK(save_states(slow, err));
    CHECK(saving_write(slow->tracker, slow->flush, &slow->saving, &slow->profile_of, err));
    return db_commit(slow->tracker->db, err);
}

static void fill_cache(struct slow *slow)
{
    struct journey_cache *cache = &slow->tracker->cache;
    for (size_t i = 0; i < slow->state_count; i++) {
        const struct state_row *row = &slow->states[i];
        journey_cache_put_state(cache, row->profile, row->ver, row->members, &slow->profiles[i].state.last, row->payload);
    }
    for (size_t i = 0; i < slow->anchor_count; i++) {
        const struct anchor_row *row = &slow->anchors[i];
        const struct state_row *state = timeline_find_state(slow->states, slow->state_count, id_short(&row->profile_id));
        if (state) {
            struct cached_anchor entry = {row->profile_id, row->version, state->members};
            journey_cache_put_anchor(cache, row->anchor, &entry);
        }
    }
}

static enum outcome transact(struct slow *slow, const uint32_t *indexes, size_t count, bool *is_repeat, struct err *err)
{
    struct flush *flush = slow->flush;
    struct diff_rows diffs = flush->diffs;
    saving_init(&slow->saving, flush->arena);
    CHECK(db_begin(slow->tracker->db, err));
    enum outcome o = run_steps(slow, indexes, count, is_repeat, err);
    if (o != OUTCOME_OK || *is_repeat) {
        db_rollback(slow->tracker->db);
        flush->diffs = diffs;
        return o;
    }
    fill_cache(slow);
    return OUTCOME_OK;
}

enum outcome tracker_slow(struct tracker *tracker, struct flush *flush, const uint32_t *indexes, size_t count, struct err *err)
{
    struct slow slow = {.tracker = tracker, .flush = flush, .is_careful = tracker->careful_flushes > 0};
    bool is_repeat;
    if (tracker->careful_flushes > 0)
        tracker->careful_flushes--;
    CHECK(transact(&slow, indexes, count, &is_repeat, err));
    if (!is_repeat)
        return OUTCOME_OK;
    tracker->careful_flushes = CAREFUL_FLUSHES;
    slow = (struct slow){.tracker = tracker, .flush = flush, .is_careful = true};
    return transact(&slow, indexes, count, &is_repeat, err);
}
