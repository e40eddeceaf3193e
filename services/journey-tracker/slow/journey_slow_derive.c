/* journey_slow_derive.c: step (d) of the slow transaction: the new state of each locked profile. It
 * goes on from the stored state where it can, and derives the rest again (journey_range.c). */
#include <stdlib.h>

#include "common/runtime/telemetry.h"
#include "services/journey-tracker/journey_convert.h"
#include "services/journey-tracker/slow/journey_slow_internal.h"

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

/* The profile to which a new fact belongs; NULL if it has no anchor or a shared one, so that the
 * fact counts for no profile. */
static enum outcome owner_of(struct slow *slow, const struct journey_fact *fact,
                             struct slow_profile **owner, struct err *err)
{
    const struct anchor_row *anchor = slow_find_anchor(slow, fact->key.anchor);
    *owner = NULL;
    if (fact->key.anchor == 0 || (anchor && version_is_shared(anchor->version)))
        return OUTCOME_OK;
    *owner = anchor ? slow_find_profile(slow, &anchor->profile_id) : NULL;
    return *owner ? OUTCOME_OK
                  : err_set(err, OUTCOME_FATAL, "anchor_unlocked",
                            "a new fact's profile is not among the locked ones");
}

/* Owner by fact; each owner gets room for as many touches as it has facts. */
static enum outcome find_owners(struct slow *slow, struct slow_profile **owners, struct err *err)
{
    struct arena *arena = slow->flush->arena;
    size_t *counts = arena_array(arena, size_t, slow->state_count);
    for (size_t i = 0; i < slow->facts.count; i++) {
        CHECK(owner_of(slow, &slow->facts.items[i], &owners[i], err));
        if (owners[i])
            counts[owners[i] - slow->profiles]++;
    }
    for (size_t i = 0; i < slow->state_count; i++)
        if (counts[i])
            slow->profiles[i].fresh = arena_array(arena, struct touch, counts[i]);
    return OUTCOME_OK;
}

static enum outcome add_fresh(struct slow *slow, struct slow_profile *owner,
                              const struct journey_fact *fact, struct err *err)
{
    struct arena *arena = slow->flush->arena;
    struct touch *touch = &owner->fresh[owner->fresh_count++];
    const struct rival *rival = slow_find_rival(slow, &fact->key);
    CHECK(convert_touch(slow->tracker, arena, fact, touch, err));
    if (rival && !rival->owns)
        touch->shape = shape_without_sale(&slow->tracker->policy, arena, touch->shape);
    return OUTCOME_OK;
}

enum outcome slow_collect_fresh(struct slow *slow, struct err *err)
{
    struct arena *arena = slow->flush->arena;
    struct slow_profile **owners = arena_array(arena, struct slow_profile *, slow->facts.count);
    CHECK(find_owners(slow, owners, err));
    for (size_t i = 0; i < slow->facts.count; i++)
        if (owners[i])
            CHECK(add_fresh(slow, owners[i], &slow->facts.items[i], err));
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

/* Advances a profile whose new touches can all follow its state. Sets *is_done, or leaves the
 * profile to be derived from facts. */
static enum outcome try_advance(struct slow *slow, struct slow_profile *p, bool *is_done,
                                struct err *err)
{
    struct tracker *tracker = slow->tracker;
    struct arena *arena = slow->flush->arena;
    struct journey_state before;
    *is_done = false;
    if (has_other_generation(slow, p) || p->gained || p->lost || p->sales_changed)
        return OUTCOME_OK;
    CHECK(convert_unpack(tracker, arena, p->row->payload, &before, err));
    if (p->has_person && !before.is_identified && p->row->payload.len > 0)
        return OUTCOME_OK;
    before.is_identified |= p->has_person; /* a new profile has no other anchors */
    journey_state_copy(&p->state, &before, arena);
    if (p->fresh_count > 0 &&
        (!journey_may_go_on(&before, p->fresh, p->fresh_count) ||
         journey_lacks_window(&tracker->policy, &before, p->fresh, p->fresh_count)))
        return OUTCOME_OK;
    size_t count =
        journey_drop_repeats(p->fresh, p->fresh_count, arena, &slow->saving.effects.repeats);
    for (size_t i = 0; i < count; i++)
        saving_advance(tracker, &slow->saving, p->row->profile, &p->state, &p->fresh[i]);
    journey_trailing_replace(&tracker->policy, &before, &p->state, &slow->saving.effects);
    *is_done = true;
    return OUTCOME_OK;
}

/* Members, read under the locks, with this transaction's moves. */
static enum outcome read_members(struct slow *slow, const struct slow_profile *profiles,
                                 size_t count, struct err *err)
{
    int64_t *keys = arena_array(slow->flush->arena, int64_t, count);
    for (size_t i = 0; i < count; i++)
        keys[i] = profiles[i].row->profile;
    return timeline_members(slow->tracker->timeline, slow->tracker->db, slow->flush->arena, keys,
                            count, &slow->members, &slow->member_count, err);
}

/* Position of the profile's first row, or of the next profile's if it has none. The rows are sorted
 * by profile, which is their first member. */
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

/* Lists what moved, with the time from which the timelines of both profiles differ. */
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
    p->is_identified = false;
    struct shorts before = {0}, after = {0};
    struct arena *arena = slow->flush->arena;
    size_t i = first_of(p->row->profile, slow->members, slow->member_count, sizeof *slow->members);
    for (; i < slow->member_count && slow->members[i].profile == p->row->profile; i++) {
        const struct anchor_row *row = slow_find_anchor(slow, slow->members[i].anchor);
        *arena_push(arena, &after) = slow->members[i].anchor;
        p->is_identified |= version_is_person(slow->members[i].version);
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

/* The span of time in which this profile's facts can differ from those it had. */
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
    if (p->sales_changed && instant_compare(p->first_sale, p->first_change) < 0)
        p->first_change = p->first_sale;
    if (p->sales_changed && instant_compare(p->last_sale, p->last_change) > 0)
        p->last_change = p->last_sale;
    if (has_other_generation(slow, p) || p->is_identified != p->was_identified) {
        p->first_change = INSTANT_FIRST;
        p->last_change = INSTANT_NEVER;
    }
}

/* The profiles that cannot simply go on. */
struct rest {
    struct slow_profile *items;
    uint32_t *positions; /* of each in slow->profiles */
    size_t count;
};

static enum outcome advance_all(struct slow *slow, struct rest *rest, struct err *err)
{
    struct arena *arena = slow->flush->arena;
    rest->items = arena_array(arena, struct slow_profile, slow->state_count);
    rest->positions = arena_array(arena, uint32_t, slow->state_count);
    for (uint32_t i = 0; i < slow->state_count; i++) {
        bool is_done;
        CHECK(try_advance(slow, &slow->profiles[i], &is_done, err));
        if (is_done)
            continue;
        rest->positions[rest->count] = i;
        rest->items[rest->count++] = slow->profiles[i];
    }
    return OUTCOME_OK;
}

static void prepare(struct slow *slow, struct slow_profile *p)
{
    split_members(slow, p);
    p->is_identified &= slow->tracker->policy.asks_identified;
    p->was_identified = journey_packed_is_identified(p->row->payload);
    find_change(slow, p);
    for (size_t i = 0; i < p->after_count; i++)
        *(struct id *)map_put(&slow->profile_of, &p->anchors_after[i], NULL) = p->profile_id;
}

enum outcome slow_derive(struct slow *slow, struct err *err)
{
    struct rest rest = {0};
    CHECK(advance_all(slow, &rest, err));
    if (rest.count == 0)
        return OUTCOME_OK;
    metric_add(slow->tracker->rederived, (double)rest.count);
    CHECK(read_members(slow, rest.items, rest.count, err));
    CHECK(list_moves(slow, err));
    for (size_t i = 0; i < rest.count; i++)
        prepare(slow, &rest.items[i]);
    CHECK(slow_find_taken(slow, rest.items, rest.count, err));
    CHECK(range_rederive(slow->tracker, &slow->saving, rest.items, rest.count, &slow->fresh,
                         &slow->taken, err));
    for (size_t i = 0; i < rest.count; i++)
        slow->profiles[rest.positions[i]].state = rest.items[i].state;
    return OUTCOME_OK;
}
