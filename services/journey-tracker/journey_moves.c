/* journey_moves.c: a tracker of its own runs one slow flush that has moves only. */
#include "services/journey-tracker/journey_moves.h"

#include "common/runtime/telemetry.h"
#include "services/journey-tracker/journey_policy.h"
#include "services/journey-tracker/slow/journey_slow.h"

enum { CACHE_BYTES = 1 << 20 };

static enum outcome open_tool(struct tracker *t, struct policy_source *source, struct arena *arena,
                              struct err *err)
{
    t->timeline = timeline_new(&journey_timeline);
    journey_cache_open(&t->cache, CACHE_BYTES);
    t->diff_partitions = 1;
    t->fast = t->slow = t->fallbacks = t->rederived =
        metric_counter("moves_profiles_total", "", "Profiles derived again.");
    CHECK(policy_source_fetch(t->db, source, err));
    CHECK(journey_policy_load(arena, source, &t->policy, err));
    CHECK(generation_open(t->db, source, &t->generation, err));
    CHECK(generation_use_slot(t->db, t->generation.slot, err));
    CHECK(tracker_load_zones(t, arena, err));
    CHECK(erased_open(t->db, t->erased, err));
    return shapes_open(t->db, &t->policy, &t->shapes, err);
}

static void close_tool(struct tracker *t)
{
    timeline_free(t->timeline);
    shapes_close(t->shapes);
    journey_cache_close(&t->cache);
    arena_free(&t->scratch);
    erased_close(t->erased);
}

/* The moves as the only content of a flush. */
static enum outcome apply(struct tracker *t, struct policy_source *source, struct arena *arena,
                          const struct anchor_move *moves, size_t count, struct err *err)
{
    struct journey_flush flush = {.arena = arena, .lane = 0};
    for (size_t i = 0; i < count; i++)
        *arena_push(arena, &flush.moves) = moves[i];
    CHECK(open_tool(t, source, arena, err));
    return slow_run(t, &flush, NULL, 0, err);
}

enum outcome journey_moves_apply(struct db *db, const struct config *config,
                                 const struct anchor_move *moves, size_t count, struct err *err)
{
    struct arena arena = {0};
    struct erased erased = {.version = 0};
    struct tracker *t = arena_new(&arena, struct tracker);
    t->db = db;
    t->erased = &erased;
    struct policy_source source = policy_source_of(config);
    enum outcome outcome = apply(t, &source, &arena, moves, count, err);
    close_tool(t);
    policy_source_free(&source);
    arena_free(&arena);
    return outcome;
}

static bool is_of(const struct told_message *message, const struct id *profiles, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (id_equal(&message->profile_id, &profiles[i]))
            return true;
    return false;
}

/* Keeps, of one row (the messages of one transaction), those of other profiles. */
static enum outcome keep_others(struct db *db, struct arena *arena, const struct told_messages *row,
                                const struct id *profiles, size_t count, size_t *taken,
                                struct err *err)
{
    struct told_messages kept = {0};
    for (size_t i = 0; i < row->count; i++)
        if (!is_of(&row->items[i], profiles, count))
            *arena_push(arena, &kept) = row->items[i];
    *taken += row->count - kept.count;
    if (kept.count == row->count)
        return OUTCOME_OK;
    return kept.count == 0 ? journey_store_delete_messages(db, arena, row, err)
                           : journey_store_replace_messages(db, arena, &kept, err);
}

enum outcome journey_moves_forget_messages(struct db *db, struct arena *arena,
                                           const struct id *profiles, size_t count, size_t *taken,
                                           struct err *err)
{
    struct told_messages all = {0};
    *taken = 0;
    CHECK(journey_store_find_messages_of(db, arena, profiles, count, &all, err));
    for (size_t from = 0, to; from < all.count; from = to) {
        for (to = from; to < all.count && all.items[to].id == all.items[from].id;)
            to++;
        struct told_messages row = {all.items + from, to - from, to - from};
        CHECK(keep_others(db, arena, &row, profiles, count, taken, err));
    }
    return OUTCOME_OK;
}
