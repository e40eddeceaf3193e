/* journey_slow.c: the slow transaction: new facts, moved anchors, locked states, then whatever
 * derivation each profile needs. */
#include "services/journey-tracker/journey_slow.h"

enum { CAREFUL_FLUSHES = 20 }; /* without COPY after a repeat: input is probably being read again */

/* Every locked state gets a new version: whoever cached it must look again. */
static enum outcome save_states(struct slow *slow, struct err *err)
{
    for (size_t i = 0; i < slow->state_count; i++) {
        slow->states[i].payload =
            tracker_pack(slow->tracker, slow->flush->arena, &slow->profiles[i].state);
        slow->states[i].generation = slow->tracker->generation.number;
    }
    return timeline_save_states(slow->tracker->timeline, slow->tracker->db, slow->flush->arena,
                                slow->states, slow->state_count, err);
}

static enum outcome run_steps(struct slow *slow, const uint32_t *indexes, size_t count,
                              bool *is_repeat, struct err *err)
{
    struct tracker *tracker = slow->tracker;
    struct arena *arena = slow->flush->arena;
    CHECK(generation_still_active(tracker->db, arena, &tracker->generation, tracker->erased, err));
    CHECK(slow_insert_facts(slow, indexes, count, is_repeat, err));
    if (*is_repeat)
        return OUTCOME_OK;
    CHECK(slow_lock_anchors(slow, indexes, count, err));
    CHECK(slow_lock_states(slow, err));
    slow->profiles = arena_array(arena, struct slow_profile, slow->state_count);
    for (size_t i = 0; i < slow->state_count; i++)
        slow->profiles[i].row = &slow->states[i];
    map_init(&slow->profile_of, arena, sizeof(int64_t), sizeof(struct id));
    slow_note_moves(slow);
    CHECK(slow_collect_fresh(slow, err));
    CHECK(slow_derive(slow, err));
    CHECK(save_states(slow, err));
    CHECK(saving_write(tracker, slow->flush, &slow->saving, &slow->profile_of, err));
    return db_commit(tracker->db, err);
}

static void fill_cache(struct slow *slow)
{
    struct journey_cache *cache = &slow->tracker->cache;
    for (size_t i = 0; i < slow->state_count; i++) {
        const struct state_row *row = &slow->states[i];
        journey_cache_put_state(cache, row->profile, row->ver, row->members,
                                &slow->profiles[i].state.last, row->payload);
    }
    for (size_t i = 0; i < slow->anchor_count; i++) {
        const struct anchor_row *row = &slow->anchors[i];
        const struct state_row *state =
            timeline_find_state(slow->states, slow->state_count, id_short(&row->profile_id));
        if (state) {
            struct cached_anchor entry = {row->profile_id, row->version, state->members};
            journey_cache_put_anchor(cache, row->anchor, &entry);
        }
    }
}

static enum outcome transact(struct slow *slow, const uint32_t *indexes, size_t count,
                             bool *is_repeat, struct err *err)
{
    struct journey_flush *flush = slow->flush;
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

enum outcome tracker_slow(struct tracker *tracker, struct journey_flush *flush,
                          const uint32_t *indexes, size_t count, struct err *err)
{
    struct slow slow = {
        .tracker = tracker, .flush = flush, .is_careful = tracker->careful_flushes > 0};
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
