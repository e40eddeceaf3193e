/* journey_range.c: reads facts in at most two steps and walks the old and the new timeline through
 * them.
 *
 * The first step ends at the second checkpoint after the last change. Only if the states still
 * differ there, the second step reads the rest. So a late event costs what lies between two
 * checkpoints, however long the timeline is. */
#include "services/journey-tracker/slow/journey_range.h"

#include <stdlib.h>

#include "services/journey-tracker/journey_convert.h"

struct touches {
    struct touch *items;
    size_t count, capacity;
};

/* The walk of one profile. */
struct walk {
    struct slow_profile *profile;
    struct journey_state final; /* present state of the profile, derived without this transaction */
    struct journey_state before, after;
    /* Facts up to the instant `from` are in both; the step reads up to the instant `until`. */
    struct instant from, until;
    struct instant start; /* of both sides: the last instant that neither goes through */
    bool is_done;
    bool stopped_early; /* the states met at a checkpoint: nothing after it differs */
};

struct walker {
    struct tracker *tracker;
    struct arena *arena;
    struct saving *saving;
    const struct map *fresh_facts, *taken;
};

static struct saving *saving_of(const struct walker *w, const struct walk *walk)
{
    return walk->profile->own ? walk->profile->own : w->saving;
}

static bool state_is_usable(const struct walker *w, const struct slow_profile *p)
{
    return p->row->payload.len > 0 && p->row->generation == w->tracker->generation.number;
}

/* The present state if it lies before the first change, else the checkpoint, else nothing. */
static struct span start_of(const struct walker *w, const struct walk *walk,
                            const struct checkpoint *checkpoint)
{
    const struct slow_profile *p = walk->profile;
    if (!state_is_usable(w, p))
        return SPAN("");
    if (instant_compare(walk->final.last.at, p->first_change) < 0)
        return p->row->payload;
    return checkpoint->payload.ptr ? checkpoint->payload : SPAN("");
}

static enum outcome start_walk(struct walker *w, struct walk *walk,
                               const struct checkpoint *checkpoint, struct err *err)
{
    const struct slow_profile *p = walk->profile;
    struct span present = state_is_usable(w, p) ? p->row->payload : SPAN("");
    CHECK(convert_unpack(w->tracker, w->arena, present, &walk->final, err));
    struct span start = start_of(w, walk, checkpoint);
    CHECK(convert_unpack(w->tracker, w->arena, start, &walk->before, err));
    journey_state_copy(&walk->after, &walk->before, w->arena);
    walk->before.is_identified = walk->final.is_identified;
    walk->after.is_identified = p->is_identified;
    walk->from = walk->start = start.len ? walk->before.last.at : INSTANT_FIRST;
    return OUTCOME_OK;
}

static enum outcome find_starts(struct walker *w, struct walk *walks, size_t count, struct err *err)
{
    struct checkpoint *wanted = arena_array(w->arena, struct checkpoint, count);
    for (size_t i = 0; i < count; i++)
        wanted[i] = (struct checkpoint){.profile = walks[i].profile->row->profile,
                                        .at = walks[i].profile->first_change};
    CHECK(journey_store_find_checkpoints(w->tracker->db, w->arena, wanted, count, err));
    for (size_t i = 0; i < count; i++)
        CHECK(start_walk(w, &walks[i], &wanted[i], err));
    return OUTCOME_OK;
}

static enum outcome find_stops(struct walker *w, struct walk *walks, size_t count, struct err *err)
{
    struct checkpoint *wanted = arena_array(w->arena, struct checkpoint, count);
    for (size_t i = 0; i < count; i++)
        wanted[i] = (struct checkpoint){.profile = walks[i].profile->row->profile,
                                        .at = walks[i].profile->last_change};
    CHECK(journey_store_find_stops(w->tracker->db, w->arena, wanted, count, err));
    for (size_t i = 0; i < count; i++)
        walks[i].until = wanted[i].at;
    return OUTCOME_OK;
}

static int int8_compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static bool contains(const int64_t *sorted, size_t count, int64_t anchor)
{
    return count > 0 && bsearch(&anchor, sorted, count, sizeof anchor, int8_compare) != NULL;
}

struct ranges {
    struct fact_range *items;
    size_t count, capacity;
};

/* The part of its anchors' timelines that a walk needs next. A cut tail needs the lookback before
 * the start as well. */
static struct fact_range walk_range(const struct walker *w, const struct walk *walk)
{
    struct fact_range range = {.from = walk->from, .until = walk->until};
    if (journey_tail_is_cut(&walk->before)) {
        range.from = instant_minus(walk->from, w->tracker->policy.lookback);
        range.from.us--; /* from is exclusive */
    }
    return range;
}

/* One range per anchor that belongs to the profile before or after. */
static void add_ranges(struct walker *w, const struct walk *walk, struct ranges *ranges)
{
    const struct slow_profile *p = walk->profile;
    struct fact_range range = walk_range(w, walk);
    for (size_t i = 0; i < p->after_count; i++) {
        range.anchor = p->anchors_after[i];
        *arena_push(w->arena, ranges) = range;
    }
    for (size_t i = 0; i < p->before_count; i++)
        if (!contains(p->anchors_after, p->after_count, p->anchors_before[i])) {
            range.anchor = p->anchors_before[i];
            *arena_push(w->arena, ranges) = range;
        }
}

static int fact_anchor_compare(const void *a, const void *b)
{
    const struct fact_key *x = a, *y = b;
    return (x->anchor > y->anchor) - (x->anchor < y->anchor);
}

static int touch_compare(const void *a, const void *b)
{
    return touch_key_compare(&((const struct touch *)a)->key, &((const struct touch *)b)->key);
}

/* An anchor that moves between two profiles was read once for each of them. A fact counts once, and
 * only within the walk's own range. */
static bool is_wanted(const struct journey_fact *first, const struct journey_fact *fact,
                      const struct fact_range *range)
{
    return (fact == first || fact_key_compare(&fact[-1].key, &fact->key) != 0) &&
           instant_compare(fact->key.occurred_at, range->from) > 0 &&
           instant_compare(fact->key.occurred_at, range->until) <= 0;
}

/* The first fact of an anchor; NULL if there is none. */
static const struct journey_fact *first_fact(const struct facts *facts, int64_t anchor)
{
    struct journey_fact key = {.key.anchor = anchor};
    if (facts->count == 0)
        return NULL;
    const struct journey_fact *hit =
        bsearch(&key, facts->items, facts->count, sizeof key, fact_anchor_compare);
    while (hit && hit > facts->items && hit[-1].key.anchor == anchor)
        hit--;
    return hit;
}

/* One side of a walk: the facts of these anchors within the range. */
struct side {
    const struct facts *facts;
    struct fact_range range;
    const int64_t *anchors;
    size_t anchor_count;
    bool without_fresh; /* leaves out what this transaction inserted */
    struct touches touches;
    struct repeat_rows repeats;
};

static enum outcome take_touch(struct walker *w, struct side *side, const struct journey_fact *fact,
                               struct err *err)
{
    struct touch *touch = arena_push(w->arena, &side->touches);
    const uint8_t *taken = map_find(w->taken, &fact->key);
    CHECK(convert_touch(w->tracker, w->arena, fact, touch, err));
    if (taken && *taken & (side->without_fresh ? TAKEN_BEFORE : TAKEN_AFTER))
        touch->shape = shape_without_sale(&w->tracker->policy, w->arena, touch->shape);
    return OUTCOME_OK;
}

static enum outcome take_anchor(struct walker *w, struct side *side, int64_t anchor,
                                struct err *err)
{
    const struct facts *facts = side->facts;
    const struct journey_fact *fact = first_fact(facts, anchor);
    if (fact == NULL)
        return OUTCOME_OK;
    for (; fact < facts->items + facts->count && fact->key.anchor == anchor; fact++)
        if (is_wanted(facts->items, fact, &side->range) &&
            !(side->without_fresh && map_find(w->fresh_facts, &fact->key)))
            CHECK(take_touch(w, side, fact, err));
    return OUTCOME_OK;
}

/* The touches of a side, in order and without repeats. */
static enum outcome take_touches(struct walker *w, struct side *side, struct err *err)
{
    struct touches *list = &side->touches;
    for (size_t i = 0; i < side->anchor_count; i++)
        CHECK(take_anchor(w, side, side->anchors[i], err));
    if (list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, touch_compare);
    list->count = journey_drop_repeats(list->items, list->count, w->arena, &side->repeats);
    return OUTCOME_OK;
}

/* Touches at or before the start only complete a cut tail; they are dropped from the front of the
 * list. */
static void prime(struct walker *w, struct journey_state *state, struct touches *list, bool was_cut)
{
    size_t n = 0;
    while (n < list->count && instant_compare(list->items[n].key.at, state->last.at) <= 0)
        n++;
    if (was_cut)
        journey_prime(&w->tracker->policy, state, list->items, n);
    list->items += n;
    list->count -= n;
}

/* The touches of the old timeline after an instant, up to the start of both sides. */
static enum outcome read_past(struct walker *w, const struct walk *walk, struct instant from,
                              struct touches *list, struct err *err)
{
    const struct slow_profile *p = walk->profile;
    struct fact_range range = {.from = from, .until = walk->start};
    struct ranges ranges = {0};
    for (size_t i = 0; i < p->before_count; i++) {
        range.anchor = p->anchors_before[i];
        *arena_push(w->arena, &ranges) = range;
    }
    struct facts facts = {0};
    void *read = NULL;
    if (ranges.count > 0)
        CHECK(timeline_read_facts(w->tracker->timeline, w->tracker->db, w->arena, ranges.items,
                                  ranges.count, &read, &facts.count, err));
    facts.items = read;
    struct side side = {.facts = &facts,
                        .range = range,
                        .anchors = p->anchors_before,
                        .anchor_count = p->before_count,
                        .without_fresh = true};
    CHECK(take_touches(w, &side, err));
    *list = side.touches;
    return OUTCOME_OK;
}

/* Stored states remember orders without their detail. Where a touch is about one of them, the time
 * in which they happened is gone through once more; if that is not enough, all the time before. */
static enum outcome learn_orders(struct walker *w, struct walk *walk,
                                 const struct touches *old_list, const struct touches *new_list,
                                 struct err *err)
{
    const struct journey_policy *policy = &w->tracker->policy;
    if (!journey_lacks_orders(&walk->before, old_list->items, old_list->count) &&
        !journey_lacks_orders(&walk->after, new_list->items, new_list->count))
        return OUTCOME_OK;
    struct instant since[] = {journey_orders_since(policy, &walk->before), INSTANT_FIRST};
    struct instant after = journey_orders_since(policy, &walk->after);
    if (instant_compare(after, since[0]) < 0)
        since[0] = after;
    since[0].us--; /* from is exclusive */
    for (int i = 0; i < 2; i++) {
        struct touches past = {0};
        CHECK(read_past(w, walk, since[i], &past, err));
        if (journey_learn_orders(policy, past.items, past.count, &walk->before, &walk->after))
            break;
    }
    return OUTCOME_OK;
}

/* Index of the first touch after the instant `until`. */
static size_t count_until(const struct touches *list, size_t from, struct instant until)
{
    while (from < list->count && instant_compare(list->items[from].key.at, until) <= 0)
        from++;
    return from;
}

/* The instant of the next checkpoint, from the touch at `from` on; INSTANT_NEVER if there is none.
 */
static struct instant next_checkpoint(const struct touches *list, size_t from)
{
    for (size_t i = from; i < list->count; i++)
        if (event_marks_checkpoint(&list->items[i].key.event_id))
            return list->items[i].key.at;
    return INSTANT_NEVER;
}

static void drop_dead_checkpoints(struct walker *w, const struct walk *walk,
                                  const struct touches *old_list, const struct touches *new_list)
{
    struct map keep;
    map_init(&keep, w->arena, sizeof(struct instant), 1);
    for (size_t i = 0; i < new_list->count; i++)
        if (event_marks_checkpoint(&new_list->items[i].key.event_id))
            map_put(&keep, &new_list->items[i].key.at, NULL);
    for (size_t i = 0; i < old_list->count; i++) {
        const struct touch_key *key = &old_list->items[i].key;
        if (event_marks_checkpoint(&key->event_id) && !map_find(&keep, &key->at))
            *arena_push(w->arena, &saving_of(w, walk)->dead_checkpoints) =
                (struct checkpoint){.profile = walk->profile->row->profile, .at = key->at};
    }
}

static bool may_stop(struct walker *w, const struct walk *walk)
{
    return instant_compare(walk->after.last.at, walk->profile->last_change) > 0 &&
           journey_converged(&w->tracker->policy, &walk->before, &walk->after);
}

/* Goes through both lists chunk by chunk. Each chunk ends with the instant of a checkpoint of the
 * new timeline. */
static void walk_lists(struct walker *w, struct walk *walk, const struct touches *old_list,
                       const struct touches *new_list)
{
    struct saving *saving = saving_of(w, walk);
    size_t o = 0, n = 0;
    while (!walk->is_done && (n < new_list->count || o < old_list->count)) {
        struct instant end = next_checkpoint(new_list, n);
        bool at_checkpoint = instant_compare(end, INSTANT_NEVER) != 0;
        size_t n_end = count_until(new_list, n, end), o_end = count_until(old_list, o, end);
        struct journey_side before = {&walk->before, old_list->items + o, o_end - o};
        struct journey_side after = {&walk->after, new_list->items + n, n_end - n};
        journey_rederive(&w->tracker->policy, &before, &after, &saving->effects);
        if (at_checkpoint)
            *arena_push(w->arena, &saving->checkpoints) = (struct checkpoint){
                walk->profile->row->profile, end, convert_pack(w->tracker, w->arena, &walk->after)};
        o = o_end;
        n = n_end;
        walk->is_done = walk->stopped_early = at_checkpoint && may_stop(w, walk);
    }
}

static enum outcome walk_profile(struct walker *w, struct walk *walk, const struct facts *facts,
                                 bool is_first_step, struct err *err)
{
    const struct slow_profile *p = walk->profile;
    struct side before = {.facts = facts,
                          .range = walk_range(w, walk),
                          .anchors = p->anchors_before,
                          .anchor_count = p->before_count,
                          .without_fresh = true};
    struct side after = {.facts = facts,
                         .range = before.range,
                         .anchors = p->anchors_after,
                         .anchor_count = p->after_count};
    /* A state of another generation contributes nothing old. */
    if (!state_is_usable(w, p))
        before.anchor_count = 0;
    CHECK(take_touches(w, &before, err));
    CHECK(take_touches(w, &after, err));
    journey_diff_repeats(&saving_of(w, walk)->effects, &before.repeats, &after.repeats);
    if (is_first_step) {
        bool was_cut = journey_tail_is_cut(&walk->before);
        prime(w, &walk->before, &before.touches, was_cut);
        prime(w, &walk->after, &after.touches, was_cut);
    }
    CHECK(learn_orders(w, walk, &before.touches, &after.touches, err));
    drop_dead_checkpoints(w, walk, &before.touches, &after.touches);
    walk_lists(w, walk, &before.touches, &after.touches);
    return OUTCOME_OK;
}

static enum outcome run_step(struct walker *w, struct walk *walks, size_t count, bool is_first_step,
                             struct err *err)
{
    struct ranges ranges = {0};
    struct facts facts = {0};
    void *read = NULL;
    for (size_t i = 0; i < count; i++)
        if (!walks[i].is_done)
            add_ranges(w, &walks[i], &ranges);
    if (ranges.count > 0)
        CHECK(timeline_read_facts(w->tracker->timeline, w->tracker->db, w->arena, ranges.items,
                                  ranges.count, &read, &facts.count, err));
    facts.items = read;
    for (size_t i = 0; i < count; i++)
        if (!walks[i].is_done)
            CHECK(walk_profile(w, &walks[i], &facts, is_first_step, err));
    return OUTCOME_OK;
}

/* A walk that the first step did not finish goes on from where it stopped, to the end. */
static void extend(struct walk *walks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct walk *walk = &walks[i];
        walk->is_done = walk->is_done || instant_compare(walk->until, INSTANT_NEVER) == 0;
        walk->from = walk->until;
        walk->until = INSTANT_NEVER;
    }
}

static bool any_left(const struct walk *walks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!walks[i].is_done)
            return true;
    return false;
}

static void settle(struct walker *w, struct walk *walk)
{
    struct slow_profile *p = walk->profile;
    journey_conclude(&walk->final, &walk->before, &walk->after, walk->stopped_early, w->arena,
                     &p->state);
    journey_trailing_replace(&w->tracker->policy, &walk->final, &p->state,
                             &saving_of(w, walk)->effects);
}

enum outcome range_rederive(struct tracker *tracker, struct saving *saving,
                            struct slow_profile *profiles, size_t count,
                            const struct map *fresh_facts, const struct map *taken, struct err *err)
{
    struct arena *arena = saving->effects.arena;
    struct walker w = {tracker, arena, saving, fresh_facts, taken};
    struct walk *walks = arena_array(arena, struct walk, count);
    for (size_t i = 0; i < count; i++)
        walks[i].profile = &profiles[i];
    CHECK(find_starts(&w, walks, count, err));
    CHECK(find_stops(&w, walks, count, err));
    CHECK(run_step(&w, walks, count, true, err));
    extend(walks, count);
    if (any_left(walks, count))
        CHECK(run_step(&w, walks, count, false, err));
    for (size_t i = 0; i < count; i++)
        settle(&w, &walks[i]);
    return OUTCOME_OK;
}
