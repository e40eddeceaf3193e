/* journey_slow_derive.c: step (d) of the slow transaction: what each locked profile becomes, by
 * going on or deriving again. */
#include <stdlib.h>

#include "common/runtime/telemetry.h"
#include "services/journey-tracker/journey_slow.h"

/* An anchor that left or joined a profile. */
struct move {
    int64_t profile;
    bool is_left; /* else joined */
    const struct anchor_row *row;
    struct instant first; /* its oldest fact */
};

static int touch_compare(const void *a, const void *b)
{
    return touch_key_compare(&((const struct touch *)a)->key, &((const struct touch *)b)->key);
}

enum outcome slow_collect_fresh(struct slow *slow, struct err *err)
{
    struct arena *arena = slow->flush->arena;
    size_t *counts = arena_array(arena, size_t, slow->state_count);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < slow->facts.count; i++) {
            if (!slow->inserted[i])
                continue;
            const struct anchor_row *anchor =
                slow_find_anchor(slow, slow->facts.items[i].key.anchor);
            if (anchor && version_is_shared(anchor->version))
                continue;
            struct slow_profile *p = anchor ? slow_find_profile(slow, &anchor->profile_id) : NULL;
            if (p == NULL)
                return err_set(err, OUTCOME_FATAL, "anchor_unlocked",
                               "a new fact's profile is not among the locked ones");
            if (pass == 0) {
                counts[p - slow->profiles]++;
                continue;
            }
            if (p->fresh == NULL)
                p->fresh = arena_array(arena, struct touch, counts[p - slow->profiles]);
            CHECK(tracker_touch(slow->tracker, arena, &slow->facts.items[i],
                                &p->fresh[p->fresh_count++], err));
        }
    for (size_t i = 0; i < slow->state_count; i++)
        if (slow->profiles[i].fresh_count > 1)
            qsort(slow->profiles[i].fresh, slow->profiles[i].fresh_count, sizeof(struct touch),
                  touch_compare);
    return OUTCOME_OK;
}

static bool has_other_generation(const struct slow *slow, const struct slow_profile *p)
{
    return p->row->payload.len > 0 && p->row->generation != slow->tracker->generation.number;
}

/* New touches after everything in the state: advance. Sets *is_done, or leaves the profile to be
 * derived from facts. */
static enum outcome try_advance(struct slow *slow, struct slow_profile *p, bool *is_done,
                                struct err *err)
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
static enum outcome read_members(struct slow *slow, const struct slow_profile *profiles,
                                 size_t count, struct err *err)
{
    int64_t *keys = arena_array(slow->flush->arena, int64_t, count);
    for (size_t i = 0; i < count; i++)
        keys[i] = profiles[i].row->profile;
    return timeline_members(slow->tracker->timeline, slow->tracker->db, slow->flush->arena, keys,
                            count, &slow->members, &slow->member_count, err);
}

/* Position of a profile's first row, or of the next one; profile is the first member of the sorted
 * rows. */
static size_t first_of(int64_t profile, const void *rows, size_t count, size_t stride)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (*(const int64_t *)(const void *)((const char *)rows + middle * stride) < profile)
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
    return slow->moves + first_of(profile, slow->moves, slow->move_count, sizeof *slow->moves);
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
    CHECK(timeline_first_facts(slow->tracker->timeline, slow->tracker->db, arena, moved.items,
                               moved.count, first, err));
    slow->moves = arena_array(arena, struct move, 2 * moved.count);
    for (size_t i = 0; i < moved.count; i++) {
        const struct anchor_row *row = slow_find_anchor(slow, moved.items[i]);
        slow->moves[slow->move_count++] =
            (struct move){id_short(&row->old_profile_id), true, row, first[i]};
        slow->moves[slow->move_count++] =
            (struct move){id_short(&row->profile_id), false, row, first[i]};
    }
    qsort(slow->moves, slow->move_count, sizeof *slow->moves, move_compare);
    return OUTCOME_OK;
}

static void split_members(struct slow *slow, struct slow_profile *p)
{
    struct shorts before = {0}, after = {0};
    struct arena *arena = slow->flush->arena;
    size_t i = first_of(p->row->profile, slow->members, slow->member_count, sizeof *slow->members);
    for (; i < slow->member_count && slow->members[i].profile == p->row->profile; i++) {
        const struct anchor_row *row = slow_find_anchor(slow, slow->members[i].anchor);
        *arena_push(arena, &after) = slow->members[i].anchor;
        if (row == NULL || !(row->is_moved || row->is_inserted))
            *arena_push(arena, &before) = slow->members[i].anchor;
    }
    for (const struct move *m = first_move(slow, p->row->profile);
         m < end_of_moves(slow) && m->profile == p->row->profile; m++)
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
    for (const struct move *m = first_move(slow, p->row->profile);
         m < end_of_moves(slow) && m->profile == p->row->profile; m++) {
        p->last_change = INSTANT_NEVER;
        if (instant_compare(m->first, p->first_change) < 0)
            p->first_change = m->first;
    }
    if (has_other_generation(slow, p)) {
        p->first_change = INSTANT_FIRST;
        p->last_change = INSTANT_NEVER;
    }
}

enum outcome slow_derive(struct slow *slow, struct err *err)
{
    struct slow_profile *rest =
        arena_array(slow->flush->arena, struct slow_profile, slow->state_count);
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
            *(struct id *)map_put(&slow->profile_of, &rest[i].anchors_after[a], NULL) =
                rest[i].profile_id;
    }
    CHECK(tracker_rederive(slow->tracker, slow->flush->arena, &slow->saving, rest, count,
                           &slow->fresh, err));
    for (size_t i = 0; i < count; i++)
        slow->profiles[back[i]].state = rest[i].state;
    return OUTCOME_OK;
}
