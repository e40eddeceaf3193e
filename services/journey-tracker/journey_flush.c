/* journey_flush.c: splits a flush by profile and runs the fast transaction; the slow one has a room
 * of its own (slow/). */
#include <stdlib.h>

#include "common/runtime/telemetry.h"
#include "services/journey-tracker/journey_convert.h"
#include "services/journey-tracker/journey_said.h"
#include "services/journey-tracker/journey_saving.h"
#include "services/journey-tracker/slow/journey_slow.h"

enum { AHEAD = 12 }; /* look-ups for which memory is asked ahead */

/* The arrivals of one profile, in time order. */
struct group {
    int64_t profile;
    const struct arrival **items;
    size_t count;
};

/* A profile on the fast path, with what the cache said of it: the entry itself may be gone by the
 * time of the writing. */
struct fast_profile {
    struct group group;
    struct id profile_id;
    struct touch_key last; /* newest fact after this flush */
};

struct fast_profiles {
    struct fast_profile *items;
    size_t count, capacity;
};

struct state_rows {
    struct state_row *items;
    size_t count, capacity;
};

struct indexes {
    uint32_t *items;
    size_t count, capacity;
};

/* The working set of one flush. */
struct fast {
    struct tracker *tracker;
    struct journey_flush *flush;
    struct saving saving; /* of the fast transaction */
    struct map moved;     /* short keys of profiles that identity changes of the flush may touch */
    struct fast_profiles profiles;
    struct state_rows rows; /* rows.items[i] is that of profiles.items[i], after this flush */
    struct sale_rows sales; /* what these profiles sold */
    struct indexes slow;    /* arrivals that take the slow path */
    struct map profile_of;  /* anchor -> struct id */
    bool is_swapped;        /* out: no other instance was there first */
};

static struct touch_key arrival_key(const struct arrival *a)
{
    return (struct touch_key){a->fact.key.occurred_at, a->rank, a->fact.key.event_id,
                              a->fact.key.anchor};
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

/* Sorted by profile and time. Of equal keys the first to arrive is kept. */
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

/* An arrival belongs to the cached profile unless the message knows a newer one. Its rank is known
 * once its shape is. */
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
        a->rank = (uint8_t)touch_rank_of(a->shape->shape, a->fact.value_micros);
    }
}

/* Profiles that identity changes of this flush may touch take the slow path. */
static void mark_moved(struct fast *fast)
{
    struct journey_flush *flush = fast->flush;
    map_init(&fast->moved, flush->arena, sizeof(int64_t), 1);
    for (size_t i = 0; i < flush->moves.count; i++) {
        const struct anchor_move *move = &flush->moves.items[i];
        int64_t profile = id_short(&move->profile_id);
        const struct cached_anchor *known =
            journey_cache_anchor(&fast->tracker->cache, id_short(&move->anchor_id));
        map_put(&fast->moved, &profile, NULL);
        if (known) {
            profile = id_short(&known->profile_id);
            map_put(&fast->moved, &profile, NULL);
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

/* The cached state of a group whose anchors are cached too; else NULL, also if its first touch lies
 * before the state. Valid until the next look-up. */
static const struct cached_state *current_state(struct fast *fast, const struct group *group,
                                                struct id *profile_id)
{
    const struct cached_state *cached = journey_cache_state(&fast->tracker->cache, group->profile);
    if (cached == NULL || map_find(&fast->moved, &group->profile) ||
        !anchors_are_current(fast->tracker, group, cached, profile_id))
        return NULL;
    struct touch_key first = arrival_key(group->items[0]);
    return touch_key_compare(&first, &cached->last) > 0 ? cached : NULL;
}

static struct state_row row_of(struct fast *fast, const struct group *group,
                               const struct cached_state *cached, const struct journey_state *after)
{
    return (struct state_row){.profile = group->profile,
                              .ver = cached->ver,
                              .members = cached->members,
                              .generation = fast->tracker->generation.number,
                              .payload = convert_pack(fast->tracker, fast->flush->arena, after)};
}

static void add_sales(struct fast *fast, const struct touch *touches, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct touch_key *key = &touches[i].key;
        if (touches[i].is_sale)
            *arena_push(fast->flush->arena, &fast->sales) =
                (struct sale_row){.key = {key->anchor, key->at, key->event_id}, .rank = key->rank};
    }
}

/* Whether the group may take the fast path. Then fast has its profile, with the state after all its
 * touches, and fast->saving what they add. What is needed only here lives in scratch. */
static enum outcome try_fast(struct fast *fast, const struct group *group, bool *is_fast,
                             struct err *err)
{
    struct tracker *tracker = fast->tracker;
    struct arena *scratch = &tracker->scratch, *arena = fast->flush->arena;
    struct id profile_id;
    const struct cached_state *cached = current_state(fast, group, &profile_id);
    *is_fast = false;
    if (cached == NULL)
        return OUTCOME_OK;
    arena_reset(scratch);
    struct touch *touches = arena_array(scratch, struct touch, group->count);
    struct journey_state before, after;
    CHECK(convert_unpack(tracker, scratch, (struct span){cached->payload, cached->payload_len},
                         &before, err));
    journey_state_copy(&after, &before, scratch);
    for (size_t i = 0; i < group->count; i++)
        CHECK(convert_touch(tracker, arena, &group->items[i]->fact, &touches[i], err));
    if (!journey_may_go_on(&before, touches, group->count) ||
        journey_lacks_window(&tracker->policy, &before, touches, group->count))
        return OUTCOME_OK;
    add_sales(fast, touches, group->count);
    size_t count =
        journey_drop_repeats(touches, group->count, arena, &fast->saving.effects.repeats);
    for (size_t i = 0; i < count; i++)
        saving_advance(tracker, &fast->saving, group->profile, &after, &touches[i]);
    journey_trailing_replace(&tracker->policy, &before, &after, &fast->saving.effects);
    *arena_push(arena, &fast->profiles) = (struct fast_profile){*group, profile_id, after.last};
    *arena_push(arena, &fast->rows) = row_of(fast, group, cached, &after);
    *is_fast = true;
    return OUTCOME_OK;
}

static void send_slow(struct fast *fast, const struct group *group)
{
    struct journey_flush *flush = fast->flush;
    for (size_t i = 0; i < group->count; i++)
        *arena_push(flush->arena, &fast->slow) =
            (uint32_t)(group->items[i] - flush->arrivals.items);
}

static void prefetch(struct tracker *tracker, const struct arrival *a)
{
    journey_cache_prefetch_state(&tracker->cache, a->profile);
    journey_cache_prefetch_anchor(&tracker->cache, a->fact.key.anchor);
}

static enum outcome split(struct fast *fast, struct err *err)
{
    size_t count;
    assign_profiles(fast->tracker, fast->flush);
    mark_moved(fast);
    const struct arrival **list = sorted_arrivals(fast->flush, &count);
    for (size_t i = 0, next; i < count; i = next) {
        for (next = i + 1; next < count && list[next]->profile == list[i]->profile;)
            next++;
        if (i + AHEAD < count)
            prefetch(fast->tracker, list[i + AHEAD]);
        struct group group = {list[i]->profile, list + i, next - i};
        bool is_fast;
        CHECK(try_fast(fast, &group, &is_fast, err));
        if (!is_fast)
            send_slow(fast, &group);
    }
    return OUTCOME_OK;
}

/* The facts of the fast profiles, sorted by key; fills profile_of. */
static struct facts fast_facts(struct fast *fast)
{
    struct facts facts = {0};
    struct arena *arena = fast->flush->arena;
    map_init(&fast->profile_of, arena, sizeof(int64_t), sizeof(struct id));
    for (size_t i = 0; i < fast->profiles.count; i++) {
        const struct fast_profile *p = &fast->profiles.items[i];
        for (size_t j = 0; j < p->group.count; j++) {
            const struct journey_fact *fact = &p->group.items[j]->fact;
            *arena_push(arena, &facts) = *fact;
            *(struct id *)map_put(&fast->profile_of, &fact->key.anchor, NULL) = p->profile_id;
        }
    }
    facts.count = timeline_sort_facts(fast->tracker->timeline, facts.items, facts.count);
    return facts;
}

/* Every sale of the fast path is new, or the path is left. */
static enum outcome own_sales(struct fast *fast, bool *owns_all, struct err *err)
{
    size_t inserted = 0;
    if (fast->sales.count > 1)
        qsort(fast->sales.items, fast->sales.count, sizeof *fast->sales.items, sale_row_compare);
    CHECK(journey_store_insert_sales(fast->tracker->db, fast->flush->arena, &fast->sales, &inserted,
                                     err));
    *owns_all = inserted == fast->sales.count;
    return OUTCOME_OK;
}

/* The whole transaction: facts, sales, states, rows, lane, outbox. Leaves is_swapped false if
 * another instance was there first, or if others tell one of the sales: then nothing is committed.
 */
static enum outcome write_fast(struct fast *fast, struct err *err)
{
    struct tracker *tracker = fast->tracker;
    struct arena *arena = fast->flush->arena;
    struct facts facts = fast_facts(fast);
    CHECK(db_begin(tracker->db, err));
    CHECK(generation_still_active(tracker->db, arena, &tracker->generation, tracker->erased, err));
    enum outcome outcome =
        timeline_copy_facts(tracker->timeline, tracker->db, facts.items, facts.count, err);
    if (outcome == OUTCOME_REJECT && db_sqlstate_is(tracker->db, "23505"))
        return OUTCOME_OK;
    CHECK(outcome);
    CHECK(traits_write(tracker, arena, &facts, err));
    bool owns_all;
    CHECK(own_sales(fast, &owns_all, err));
    if (!owns_all)
        return OUTCOME_OK;
    CHECK(timeline_swap_states(tracker->timeline, tracker->db, arena, fast->rows.items,
                               fast->rows.count, &fast->is_swapped, err));
    if (!fast->is_swapped)
        return OUTCOME_OK;
    CHECK(saving_write(tracker, fast->flush, &fast->saving, &fast->profile_of, err));
    return db_commit(tracker->db, err);
}

static void fill_cache(struct fast *fast)
{
    for (size_t i = 0; i < fast->rows.count; i++) {
        const struct state_row *row = &fast->rows.items[i];
        journey_cache_put_state(&fast->tracker->cache, row->profile, row->ver, row->members,
                                &fast->profiles.items[i].last, row->payload);
    }
}

/* On a lost race the cached states are forgotten, and everything takes the slow path. */
static void give_up(struct fast *fast)
{
    metric_add(fast->tracker->fallbacks, 1);
    fast->flush->diffs = (struct diff_rows){0};
    fast->flush->told = (struct told_messages){0};
    for (size_t i = 0; i < fast->profiles.count; i++) {
        const struct group *group = &fast->profiles.items[i].group;
        journey_cache_drop_state(&fast->tracker->cache, group->profile);
        send_slow(fast, group);
    }
}

static enum outcome run_fast(struct fast *fast, struct err *err)
{
    if (fast->profiles.count == 0)
        return OUTCOME_OK;
    enum outcome outcome = write_fast(fast, err);
    if (outcome == OUTCOME_OK && fast->is_swapped) {
        fill_cache(fast);
        return OUTCOME_OK;
    }
    db_rollback(fast->tracker->db);
    if (outcome == OUTCOME_OK)
        give_up(fast);
    return outcome;
}

enum outcome tracker_flush(struct tracker *tracker, struct journey_flush *flush, struct err *err)
{
    struct fast fast = {.tracker = tracker, .flush = flush};
    const struct indexes *slow = &fast.slow;
    saving_init(&fast.saving, flush->arena);
    CHECK(split(&fast, err));
    CHECK(run_fast(&fast, err));
    metric_add(tracker->fast, (double)(flush->arrivals.count - slow->count));
    metric_add(tracker->slow, (double)slow->count);
    if (slow->count == 0 && flush->moves.count == 0)
        return OUTCOME_OK;
    return slow_run(tracker, flush, slow->items, slow->count, err);
}
