/* journey_slow_locks.c: steps (b) and (c) of the slow transaction: anchors, then states, locked in
 * order. */
#include <stdlib.h>

#include "services/journey-tracker/slow/journey_slow_internal.h"

static int anchor_row_compare(const void *a, const void *b)
{
    const struct anchor_row *x = a, *y = b;
    return (x->anchor > y->anchor) - (x->anchor < y->anchor);
}

struct anchor_row *slow_find_anchor(struct slow *slow, int64_t anchor)
{
    struct anchor_row key = {.anchor = anchor};
    if (slow->anchor_count == 0)
        return NULL;
    return bsearch(&key, slow->anchors, slow->anchor_count, sizeof key, anchor_row_compare);
}

enum outcome slow_lock_anchors(struct slow *slow, struct err *err)
{
    struct journey_flush *flush = slow->flush;
    struct journey_anchor_moves moves = {0};
    map_init(&slow->fresh, flush->arena, sizeof(struct fact_key), 1);
    for (size_t i = 0; i < slow->facts.count; i++)
        map_put(&slow->fresh, &slow->facts.items[i].key, NULL);
    for (size_t i = 0; i < slow->index_count; i++) {
        const struct arrival *a = &flush->arrivals.items[slow->indexes[i]];
        if (a->fact.key.anchor != 0 && map_find(&slow->fresh, &a->fact.key))
            *arena_push(flush->arena, &moves) =
                (struct anchor_move){a->anchor_id, a->profile_id, a->version};
    }
    for (size_t i = 0; i < flush->moves.count; i++)
        *arena_push(flush->arena, &moves) = flush->moves.items[i];
    CHECK(slow_rival_anchors(slow, &moves, err));
    return timeline_lock_anchors(slow->tracker->timeline, slow->tracker->db, flush->arena,
                                 moves.items, moves.count, &slow->anchors, &slow->anchor_count,
                                 err);
}

/* An anchor that neither moved nor has a new fact nor a rival changes nothing, so its profile is
 * not locked. */
enum outcome slow_lock_states(struct slow *slow, struct err *err)
{
    struct arena *arena = slow->flush->arena;
    struct shorts profiles = {0};
    struct map with_facts;
    map_init(&with_facts, arena, sizeof(int64_t), 1);
    for (size_t i = 0; i < slow->facts.count; i++)
        map_put(&with_facts, &slow->facts.items[i].key.anchor, NULL);
    for (size_t i = 0; i < slow->anchor_count; i++) {
        const struct anchor_row *row = &slow->anchors[i];
        if (!row->is_inserted && !row->is_moved && !map_find(&with_facts, &row->anchor) &&
            !map_find(&slow->rival_anchors, &row->anchor))
            continue;
        *arena_push(arena, &profiles) = id_short(&row->profile_id);
        if (row->is_moved)
            *arena_push(arena, &profiles) = id_short(&row->old_profile_id);
    }
    for (size_t i = 0; i < slow->flush->sweep_count; i++)
        *arena_push(arena, &profiles) = slow->flush->sweep[i];
    return timeline_lock_states(slow->tracker->timeline, slow->tracker->db, arena, profiles.items,
                                profiles.count, &slow->states, &slow->state_count, err);
}

struct slow_profile *slow_find_profile(struct slow *slow, const struct id *profile_id)
{
    struct state_row *row =
        timeline_find_state(slow->states, slow->state_count, id_short(profile_id));
    if (row == NULL)
        return NULL;
    struct slow_profile *profile = &slow->profiles[row - slow->states];
    profile->profile_id = *profile_id;
    return profile;
}

void slow_note_moves(struct slow *slow)
{
    for (size_t i = 0; i < slow->anchor_count; i++) {
        const struct anchor_row *row = &slow->anchors[i];
        *(struct id *)map_put(&slow->profile_of, &row->anchor, NULL) = row->profile_id;
        struct slow_profile *to = slow_find_profile(slow, &row->profile_id);
        if (to && version_is_person(row->version) && !version_is_shared(row->version))
            to->has_person = slow->tracker->policy.asks_identified;
        if (!row->is_moved || to == NULL)
            continue;
        struct slow_profile *from = slow_find_profile(slow, &row->old_profile_id);
        to->gained = true;
        to->row->members++;
        from->lost = true;
        from->row->members++;
    }
}
