/* journey_slow.c: the steps of the slow transaction in their order, its rollback, and a second try
 * without COPY. */
#include "services/journey-tracker/slow/journey_slow.h"

#include "services/journey-tracker/journey_convert.h"
#include "services/journey-tracker/journey_said.h"
#include "services/journey-tracker/slow/journey_slow_internal.h"

/* So many flushes go without COPY after a repeat: input is probably being read again. */
enum { CAREFUL_FLUSHES = 20 };

/* Every locked state gets a new version, so that an instance that cached it must look again. */
static enum outcome save_states(struct slow *slow, struct err *err)
{
    for (size_t i = 0; i < slow->state_count; i++) {
        slow->states[i].payload =
            convert_pack(slow->tracker, slow->flush->arena, &slow->profiles[i].state);
        slow->states[i].generation = slow->tracker->generation.number;
    }
    return timeline_save_states(slow->tracker->timeline, slow->tracker->db, slow->flush->arena,
                                slow->states, slow->state_count, err);
}

static void start_profiles(struct slow *slow)
{
    struct arena *arena = slow->flush->arena;
    slow->profiles = arena_array(arena, struct slow_profile, slow->state_count);
    for (size_t i = 0; i < slow->state_count; i++)
        slow->profiles[i].row = &slow->states[i];
    map_init(&slow->profile_of, arena, sizeof(int64_t), sizeof(struct id));
    slow_note_moves(slow);
}

static enum outcome run_steps(struct slow *slow, struct err *err)
{
    struct tracker *tracker = slow->tracker;
    CHECK(db_begin(tracker->db, err));
    CHECK(generation_still_active(tracker->db, slow->flush->arena, &tracker->generation,
                                  tracker->erased, err));
    CHECK(slow_insert_facts(slow, err));
    if (slow->is_repeat)
        return OUTCOME_OK;
    CHECK(traits_write(tracker, slow->flush->arena, &slow->facts, err));
    CHECK(slow_claim_sales(slow, err));
    CHECK(slow_lock_anchors(slow, err));
    CHECK(slow_lock_states(slow, err));
    start_profiles(slow);
    CHECK(slow_settle_sales(slow, err));
    if (slow->is_short)
        return OUTCOME_OK;
    CHECK(slow_collect_fresh(slow, err));
    CHECK(slow_derive(slow, err));
    CHECK(slow_write_sales(slow, err));
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

static enum outcome transact(struct slow *slow, struct err *err)
{
    struct journey_flush *flush = slow->flush;
    struct diff_rows diffs = flush->diffs;
    saving_init(&slow->saving, flush->arena);
    enum outcome outcome = run_steps(slow, err);
    if (outcome != OUTCOME_OK || slow->is_repeat || slow->is_short) {
        db_rollback(slow->tracker->db);
        flush->diffs = diffs;
        return outcome;
    }
    fill_cache(slow);
    return OUTCOME_OK;
}

/* After a repeat without COPY; with the sales that were not locked. */
static void start_again(struct slow *slow, const struct slow *start)
{
    struct slow last = *slow;
    *slow = *start;
    slow->is_careful = last.is_careful || last.is_repeat;
    slow->more_sales = last.more_sales;
    if (last.is_repeat)
        slow->tracker->careful_flushes = CAREFUL_FLUSHES;
}

enum outcome slow_run(struct tracker *tracker, struct journey_flush *flush,
                      const uint32_t *arrivals, size_t count, struct err *err)
{
    const struct slow start = {
        .tracker = tracker, .flush = flush, .indexes = arrivals, .index_count = count};
    struct slow slow = start;
    if (tracker->careful_flushes > 0) {
        tracker->careful_flushes--;
        slow.is_careful = true;
    }
    for (;;) {
        CHECK(transact(&slow, err));
        if (!slow.is_repeat && !slow.is_short)
            return OUTCOME_OK;
        start_again(&slow, &start);
    }
}
