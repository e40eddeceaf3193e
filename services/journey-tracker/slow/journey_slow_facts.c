/* journey_slow_facts.c: step (a) of the slow transaction: which facts are new. Facts that are
 * probably new go in by COPY, the rest by INSERT. */
#include "services/journey-tracker/slow/journey_slow_internal.h"

/* A fact of an anchor that the cache does not have is probably new. So is a fact after everything
 * that is known of the profile in which the cache saw its anchor. A cold cache, while input is read
 * again, makes both wrong. The profile that the message names is no guide: it may be newer. */
static bool is_likely_new(struct tracker *tracker, const struct arrival *a)
{
    if (a->fact.key.anchor == 0) /* nothing is known of it */
        return false;
    const struct cached_anchor *anchor = journey_cache_anchor(&tracker->cache, a->fact.key.anchor);
    if (anchor == NULL)
        return true;
    if (version_is_shared(anchor->version)) /* its state does not grow */
        return false;
    int64_t members = anchor->members;
    const struct cached_state *state =
        journey_cache_state(&tracker->cache, id_short(&anchor->profile_id));
    return state && state->members == members &&
           instant_compare(a->fact.key.occurred_at, state->last.at) > 0;
}

static void sort_facts(struct slow *slow, struct facts *facts)
{
    facts->count = timeline_sort_facts(slow->tracker->timeline, facts->items, facts->count);
}

/* Probably new facts go to slow->facts, the others to rest. */
static void part_facts(struct slow *slow, struct facts *rest)
{
    struct journey_flush *flush = slow->flush;
    for (size_t i = 0; i < slow->index_count; i++) {
        const struct arrival *a = &flush->arrivals.items[slow->indexes[i]];
        struct facts *list =
            !slow->is_careful && is_likely_new(slow->tracker, a) ? &slow->facts : rest;
        *arena_push(flush->arena, list) = a->fact;
    }
}

/* New facts by COPY, at half the cost of INSERT. */
static enum outcome copy_facts(struct slow *slow, struct err *err)
{
    if (slow->facts.count == 0)
        return OUTCOME_OK;
    sort_facts(slow, &slow->facts);
    enum outcome outcome = timeline_copy_facts(slow->tracker->timeline, slow->tracker->db,
                                               slow->facts.items, slow->facts.count, err);
    slow->is_repeat = outcome == OUTCOME_REJECT && db_sqlstate_is(slow->tracker->db, "23505");
    return slow->is_repeat ? OUTCOME_OK : outcome;
}

/* The facts of rest by INSERT; those that were not there yet join slow->facts. */
static enum outcome insert_rest(struct slow *slow, struct facts *rest, struct err *err)
{
    struct arena *arena = slow->flush->arena;
    if (rest->count == 0)
        return OUTCOME_OK;
    sort_facts(slow, rest);
    bool *inserted = arena_array(arena, bool, rest->count);
    CHECK(timeline_insert_facts(slow->tracker->timeline, slow->tracker->db, arena, rest->items,
                                rest->count, inserted, err));
    size_t copied = slow->facts.count;
    for (size_t i = 0; i < rest->count; i++)
        if (inserted[i])
            *arena_push(arena, &slow->facts) = rest->items[i];
    if (slow->facts.count > copied)
        sort_facts(slow, &slow->facts);
    return OUTCOME_OK;
}

enum outcome slow_insert_facts(struct slow *slow, struct err *err)
{
    struct facts rest = {0};
    part_facts(slow, &rest);
    CHECK(copy_facts(slow, err));
    if (slow->is_repeat)
        return OUTCOME_OK;
    return insert_rest(slow, &rest, err);
}
