/* journey_flush.c: splitting a flush by profile, and the fast transaction. */
#include <stdlib.h>

#include "common/runtime/telemetry.h"
#include "services/journey-tracker/journey_tracker.h"

enum { AHEAD = 12 }; /* look-ups for which memory is asked ahead */

/* The arrivals of one profile, in time order. */
struct group {
    int64_t profile;
    struct id profile_id;
    const struct arrival **items;
    size_t count;
};

/* A profile on the fast path, with what the cache said of it: the entry itself may be gone by the
 * time of the writing. */
struct fast_profile {
    struct group group;
    struct id profile_id;
    struct touch_key last; /* newest fact after this flush */
    struct state_row row;  /* payload: the state after this flush */
};

static struct touch_key arrival_key(const struct arrival *a)
{
    return (struct touch_key){a->fact.key.occurred_at, a->fact.key.event_id, a->fact.key.anchor};
}

static int arrival_compare(const void *x, const void *y)
{
    const struct arrival *a = *(const struct arrival *const *)x,
                         *b = *(const struct arrival *const *)y;
    if (a->profile != b->profile)
        return a->profile < b->profile ? -1 : 1;
    struct touch_key ka = arrival_key(a), kb = arrival_key(b);
    int c = touch_key_compare(&ka, &kb);
    return c ? c : (a > b) - (a < b); /* the first to arrive first */
}

/* By profile and time; of equal keys the first to arrive is kept. */
static const struct arrival **sorted_arrivals(struct journey_flush *flush, size_t *count)
{
    const struct arrival **list =
        arena_array(flush->arena, const struct arrival *, flush->arrivals.count);
    size_t kept = 0;
    for (size_t i = 0; i < flush->arrivals.count; i++)
        list[i] = &flush->arrivals.items[i];
    qsort(list, flush->arrivals.count, sizeof *list, arrival_compare);
    for (size_t i = 0; i < flush->arrivals.count; i++) {
        struct touch_key key = arrival_key(list[i]),
                         last = kept ? arrival_key(list[kept - 1]) : key;
        if (kept == 0 || list[kept - 1]->profile != list[i]->profile ||
            touch_key_compare(&last, &key) != 0)
            list[kept++] = list[i];
    }
    *count = kept;
    return list;
}

/* The profile an arrival is taken to belong to: the cached one unless the message knows a newer. */
static void assign_profiles(struct tracker *tracker, struct journey_flush *flush)
{
    for (size_t i = 0; i < flush->arrivals.count; i++) {
        struct arrival *a = &flush->arrivals.items[i];
        if (i + AHEAD < flush->arrivals.count)
            journey_cache_prefetch_anchor(&tracker->cache, a[AHEAD].fact.key.anchor);
        const struct cached_anchor *known =
            journey_cache_anchor(&tracker->cache, a->fact.key.anchor);
        a->profile =
            id_short(known && known->version >= a->version ? &known->profile_id : &a->profile_id);
    }
}

/* Profiles that identity changes of this flush may touch go the slow way. */
static void mark_moved(struct tracker *tracker, struct journey_flush *flush, struct map *moved)
{
    map_init(moved, flush->arena, sizeof(int64_t), 1);
    for (size_t i = 0; i < flush->moves.count; i++) {
        const struct anchor_move *move = &flush->moves.items[i];
        int64_t profile = id_short(&move->profile_id);
        const struct cached_anchor *known =
            journey_cache_anchor(&tracker->cache, id_short(&move->anchor_id));
        map_put(moved, &profile, NULL);
        if (known) {
            profile = id_short(&known->profile_id);
            map_put(moved, &profile, NULL);
        }
    }
}

static bool anchors_are_current(struct tracker *tracker, const struct group *group,
                                const struct cached_state *state, struct id *profile_id)
{
    for (size_t i = 0; i < group->count; i++) {
        const struct arrival *a = group->items[i];
        const struct cached_anchor *known =
            journey_cache_anchor(&tracker->cache, a->fact.key.anchor);
        if (known == NULL || known->version < a->version || known->members != state->members ||
            id_short(&known->profile_id) != group->profile || version_is_shared(known->version))
            return false;
        *profile_id = known->profile_id;
    }
    return true;
}

/* Whether the group may go the fast way; then *out has its state after all its touches, and effects
 * hold what they add. What is needed only here lives in scratch. */
static enum outcome try_fast(struct tracker *tracker, struct journey_flush *flush,
                             const struct group *group, const struct map *moved,
                             struct saving *saving, struct fast_profile *out, bool *is_fast,
                             struct err *err)
{
    *is_fast = false;
    const struct cached_state *cached = journey_cache_state(&tracker->cache, group->profile);
    if (cached == NULL || map_find(moved, &group->profile) ||
        !anchors_are_current(tracker, group, cached, &out->profile_id))
        return OUTCOME_OK;
    struct touch_key first = arrival_key(group->items[0]);
    if (touch_key_compare(&first, &cached->last) <= 0)
        return OUTCOME_OK;
    struct arena *scratch = &tracker->scratch;
    arena_reset(scratch);
    struct touch *touches = arena_array(scratch, struct touch, group->count);
    struct journey_state before, after;
    CHECK(tracker_unpack(tracker, scratch, (struct span){cached->payload, cached->payload_len},
                         &before, err));
    journey_state_copy(&after, &before, scratch);
    for (size_t i = 0; i < group->count; i++)
        CHECK(tracker_touch(tracker, flush->arena, &group->items[i]->fact, &touches[i], err));
    if (tracker_lacks_window(tracker, &before, touches, group->count))
        return OUTCOME_OK;
    for (size_t i = 0; i < group->count; i++)
        saving_advance(tracker, saving, group->profile, &after, &touches[i]);
    journey_trailing_replace(&tracker->policy, &before, &after, &saving->effects);
    out->group = *group;
    out->last = after.last;
    out->row = (struct state_row){.profile = group->profile,
                                  .ver = cached->ver,
                                  .members = cached->members,
                                  .generation = tracker->generation.number,
                                  .payload = tracker_pack(tracker, flush->arena, &after)};
    *is_fast = true;
    return OUTCOME_OK;
}

struct fast_profiles {
    struct fast_profile *items;
    size_t count, capacity;
};

struct indexes {
    uint32_t *items;
    size_t count, capacity;
};

static void send_slow(struct journey_flush *flush, struct indexes *slow, const struct group *group)
{
    for (size_t i = 0; i < group->count; i++)
        *arena_push(flush->arena, slow) = (uint32_t)(group->items[i] - flush->arrivals.items);
}

static enum outcome split(struct tracker *tracker, struct journey_flush *flush,
                          struct saving *saving, struct fast_profiles *fast, struct indexes *slow,
                          struct err *err)
{
    size_t count;
    struct map moved;
    assign_profiles(tracker, flush);
    mark_moved(tracker, flush, &moved);
    const struct arrival **list = sorted_arrivals(flush, &count);
    for (size_t i = 0, next; i < count; i = next) {
        for (next = i + 1; next < count && list[next]->profile == list[i]->profile;)
            next++;
        if (i + AHEAD < count) {
            journey_cache_prefetch_state(&tracker->cache, list[i + AHEAD]->profile);
            journey_cache_prefetch_anchor(&tracker->cache, list[i + AHEAD]->fact.key.anchor);
        }
        struct group group = {list[i]->profile, list[i]->profile_id, list + i, next - i};
        struct fast_profile profile;
        bool is_fast;
        CHECK(try_fast(tracker, flush, &group, &moved, saving, &profile, &is_fast, err));
        if (is_fast)
            *arena_push(flush->arena, fast) = profile;
        else
            send_slow(flush, slow, &group);
    }
    return OUTCOME_OK;
}

static struct state_row *fast_rows(struct journey_flush *flush, const struct fast_profiles *fast)
{
    struct state_row *rows = arena_array(flush->arena, struct state_row, fast->count);
    for (size_t i = 0; i < fast->count; i++)
        rows[i] = fast->items[i].row;
    return rows;
}

static struct facts fast_facts(struct tracker *tracker, struct journey_flush *flush,
                               const struct fast_profiles *fast, struct map *profile_of)
{
    struct facts facts = {0};
    map_init(profile_of, flush->arena, sizeof(int64_t), sizeof(struct id));
    for (size_t i = 0; i < fast->count; i++)
        for (size_t j = 0; j < fast->items[i].group.count; j++) {
            const struct arrival *a = fast->items[i].group.items[j];
            *arena_push(flush->arena, &facts) = a->fact;
            *(struct id *)map_put(profile_of, &a->fact.key.anchor, NULL) =
                fast->items[i].profile_id;
        }
    facts.count = timeline_sort_facts(tracker->timeline, facts.items, facts.count);
    return facts;
}

/* Facts, states, rows, lane, outbox. *swapped is false if another instance was there first: nothing
 * may be committed. */
static enum outcome write_fast(struct tracker *tracker, struct journey_flush *flush,
                               struct saving *saving, const struct fast_profiles *fast,
                               struct state_row *rows, bool *swapped, struct err *err)
{
    struct map profile_of;
    struct facts facts = fast_facts(tracker, flush, fast, &profile_of);
    *swapped = false;
    CHECK(generation_still_active(tracker->db, flush->arena, &tracker->generation, tracker->erased,
                                  err));
    enum outcome o =
        timeline_copy_facts(tracker->timeline, tracker->db, facts.items, facts.count, err);
    if (o == OUTCOME_REJECT && db_sqlstate_is(tracker->db, "23505"))
        return OUTCOME_OK;
    CHECK(o);
    CHECK(timeline_swap_states(tracker->timeline, tracker->db, flush->arena, rows, fast->count,
                               swapped, err));
    if (!*swapped)
        return OUTCOME_OK;
    return saving_write(tracker, flush, saving, &profile_of, err);
}

static void cache_fast(struct tracker *tracker, const struct fast_profiles *fast,
                       const struct state_row *rows)
{
    for (size_t i = 0; i < fast->count; i++)
        journey_cache_put_state(&tracker->cache, rows[i].profile, rows[i].ver, rows[i].members,
                                &fast->items[i].last, rows[i].payload);
}

/* On a lost race the cached states are forgotten and everything goes the slow way. */
static void give_up_fast(struct tracker *tracker, struct journey_flush *flush,
                         const struct fast_profiles *fast, struct indexes *slow)
{
    metric_add(tracker->fallbacks, 1);
    flush->diffs = (struct diff_rows){0};
    flush->stages = (struct stage_messages){0};
    for (size_t i = 0; i < fast->count; i++) {
        journey_cache_drop_state(&tracker->cache, fast->items[i].group.profile);
        send_slow(flush, slow, &fast->items[i].group);
    }
}

static enum outcome run_fast(struct tracker *tracker, struct journey_flush *flush,
                             struct saving *saving, const struct fast_profiles *fast,
                             struct indexes *slow, struct err *err)
{
    if (fast->count == 0)
        return OUTCOME_OK;
    struct state_row *rows = fast_rows(flush, fast);
    bool swapped;
    CHECK(db_begin(tracker->db, err));
    enum outcome o = write_fast(tracker, flush, saving, fast, rows, &swapped, err);
    if (o == OUTCOME_OK && swapped)
        o = db_commit(tracker->db, err);
    if (o != OUTCOME_OK || !swapped) {
        db_rollback(tracker->db);
        if (o == OUTCOME_OK)
            give_up_fast(tracker, flush, fast, slow);
        return o;
    }
    cache_fast(tracker, fast, rows);
    return OUTCOME_OK;
}

enum outcome tracker_flush(struct tracker *tracker, struct journey_flush *flush, struct err *err)
{
    struct saving saving;
    struct fast_profiles fast = {0};
    struct indexes slow = {0};
    saving_init(&saving, flush->arena);
    CHECK(split(tracker, flush, &saving, &fast, &slow, err));
    CHECK(run_fast(tracker, flush, &saving, &fast, &slow, err));
    metric_add(tracker->fast, (double)(flush->arrivals.count - slow.count));
    metric_add(tracker->slow, (double)slow.count);
    if (slow.count == 0 && flush->moves.count == 0)
        return OUTCOME_OK;
    return tracker_slow(tracker, flush, slow.items, slow.count, err);
}
