/* journey_slow_facts.c: step (a) of the slow transaction: which facts are new. */
#include "services/journey-tracker/journey_slow.h"

/* A fact of an anchor never seen, or after everything known of the profile its anchor was last seen
 * in, is new (except while input is read again with a cold cache); others may be repeats. The
 * profile the message names is no guide: it may be newer. */
static bool is_likely_new(struct tracker *tracker, const struct arrival *a)
{
    const struct cached_anchor *anchor = journey_cache_anchor(&tracker->cache, a->fact.key.anchor);
    if (anchor == NULL)
        return true;
    if (version_is_shared(anchor->version)) /* its state does not grow */
        return false;
    int64_t members = anchor->members;
    const struct cached_state *state =
        journey_cache_state(&tracker->cache, id_short(&anchor->profile_id));
    struct touch_key key = {a->fact.key.occurred_at, a->fact.key.event_id, a->fact.key.anchor};
    return state && state->members == members && touch_key_compare(&key, &state->last) > 0;
}

/* New facts by COPY, at half the cost. OK with *is_repeat set if one was there: the transaction is
 * lost. */
static enum outcome copy_facts(struct slow *slow, const uint32_t *indexes, size_t *count,
                               uint32_t *rest, bool *is_repeat, struct err *err)
{
    struct journey_flush *flush = slow->flush;
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
    slow->facts.count =
        timeline_sort_facts(slow->tracker->timeline, slow->facts.items, slow->facts.count);
    enum outcome o = timeline_copy_facts(slow->tracker->timeline, slow->tracker->db,
                                         slow->facts.items, slow->facts.count, err);
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
        slow->facts.count =
            timeline_sort_facts(tracker->timeline, slow->facts.items, slow->facts.count);
    slow->inserted = arena_array(slow->flush->arena, bool, slow->facts.count);
    memset(slow->inserted, true, slow->facts.count);
}

/* (a) Facts; what was there already is a duplicate and plays no part: only what was really inserted
 * stays in slow->facts. */
enum outcome slow_insert_facts(struct slow *slow, const uint32_t *indexes, size_t count,
                               bool *is_repeat, struct err *err)
{
    struct journey_flush *flush = slow->flush;
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
        CHECK(timeline_insert_facts(tracker->timeline, tracker->db, flush->arena, checked.items,
                                    checked.count, inserted, err));
    }
    unite_facts(slow, &checked, inserted);
    return OUTCOME_OK;
}
