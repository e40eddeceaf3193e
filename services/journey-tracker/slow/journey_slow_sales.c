/* journey_slow_sales.c: who owns the sales of a slow transaction.
 *
 * A sale that one touchpoint alone tells is its own. All that tell a sale of several are its
 * rivals. The row of journey.sales is locked first, then the anchors of the rivals and the states
 * of their profiles. Then the owner is chosen: what it was is taken back, what it becomes is given.
 */
#include <stdlib.h>

#include "services/journey-tracker/journey_convert.h"
#include "services/journey-tracker/slow/journey_slow_internal.h"

static struct rival *push_rival(struct slow *slow, const struct sale_row *row)
{
    struct rival *rival = arena_push(slow->flush->arena, &slow->rivals);
    *rival = (struct rival){.row = *row};
    if (row->key.anchor != 0)
        map_put(&slow->rival_anchors, &row->key.anchor, NULL);
    return rival;
}

/* The sales among the inserted facts, sorted. */
static enum outcome find_claims(struct slow *slow, struct sale_rows *claims, struct err *err)
{
    struct arena *arena = slow->flush->arena;
    for (size_t i = 0; i < slow->facts.count; i++) {
        struct touch touch;
        CHECK(convert_touch(slow->tracker, arena, &slow->facts.items[i], &touch, err));
        if (touch.is_sale)
            *arena_push(arena, claims) =
                (struct sale_row){.key = slow->facts.items[i].key, .rank = touch.key.rank};
    }
    if (claims->count > 1)
        qsort(claims->items, claims->count, sizeof *claims->items, sale_row_compare);
    return OUTCOME_OK;
}

static size_t end_of_sale(const struct sale_rows *rows, size_t from)
{
    size_t to = from + 1;
    while (to < rows->count && sale_compare(&rows->items[from].key, &rows->items[to].key) == 0)
        to++;
    return to;
}

/* New touchpoints whose sale others tell, too, are rivals; those that are alone own it. Lists the
 * sales to lock. */
static void part_claims(struct slow *slow, const struct sale_rows *claims, struct sale_rows *locked)
{
    struct arena *arena = slow->flush->arena;
    for (size_t from = 0, to; from < claims->count; from = to) {
        const struct sale_row *first = &claims->items[from];
        to = end_of_sale(claims, from);
        if (first->is_inserted && to - from == 1) {
            *arena_push(arena, &slow->alone) = *first;
            continue;
        }
        if (!first->is_inserted)
            *arena_push(arena, locked) = *first;
        for (size_t i = from; i < to; i++) {
            struct rival *rival = push_rival(slow, &claims->items[i]);
            rival->is_new = true;
            rival->is_stored = i == from && first->is_inserted;
        }
    }
    for (size_t i = 0; i < slow->more_sales.count; i++)
        *arena_push(arena, locked) = slow->more_sales.items[i];
    if (locked->count > 1)
        qsort(locked->items, locked->count, sizeof *locked->items, sale_row_compare);
}

static int rival_compare(const void *a, const void *b)
{
    return sale_row_compare(&((const struct rival *)a)->row, &((const struct rival *)b)->row);
}

static void sort_rivals(struct slow *slow)
{
    if (slow->rivals.count > 1)
        qsort(slow->rivals.items, slow->rivals.count, sizeof *slow->rivals.items, rival_compare);
}

enum outcome slow_claim_sales(struct slow *slow, struct err *err)
{
    struct arena *arena = slow->flush->arena;
    struct sale_rows claims = {0}, locked = {0}, owners = {0}, copies = {0};
    size_t inserted;
    map_init(&slow->rival_anchors, arena, sizeof(int64_t), 1);
    CHECK(find_claims(slow, &claims, err));
    CHECK(journey_store_insert_sales(slow->tracker->db, arena, &claims, &inserted, err));
    part_claims(slow, &claims, &locked);
    CHECK(journey_store_lock_sales(slow->tracker->db, arena, &locked, &owners, err));
    CHECK(journey_store_find_copies(slow->tracker->db, arena, &locked, &copies, err));
    for (size_t i = 0; i < owners.count; i++) {
        struct rival *rival = push_rival(slow, &owners.items[i]);
        rival->was_owner = rival->is_stored = true;
    }
    for (size_t i = 0; i < copies.count; i++)
        push_rival(slow, &copies.items[i]);
    sort_rivals(slow);
    return OUTCOME_OK;
}

enum outcome slow_rival_anchors(struct slow *slow, struct journey_anchor_moves *moves,
                                struct err *err)
{
    struct arena *arena = slow->flush->arena;
    int64_t *anchors = arena_array(arena, int64_t, slow->rival_anchors.count);
    const void *key;
    size_t count = 0, found;
    struct anchor_move *known;
    for (size_t at = 0; map_next(&slow->rival_anchors, &at, &key);)
        memcpy(&anchors[count++], key, sizeof *anchors);
    CHECK(
        journey_store_find_anchors(slow->tracker->db, arena, anchors, count, &known, &found, err));
    for (size_t i = 0; i < found; i++)
        *arena_push(arena, moves) = known[i];
    return OUTCOME_OK;
}

/* ---- who owns ---- */

static uint8_t holder_of(struct slow *slow, int64_t anchor, bool before)
{
    const struct anchor_row *row = anchor ? slow_find_anchor(slow, anchor) : NULL;
    if (row == NULL)
        return HOLDER_NOBODY;
    bool is_shared = before ? row->was_shared : version_is_shared(row->version);
    return is_shared ? HOLDER_SHARED : HOLDER_IDENTIFIED;
}

static struct sale_claim claim_of(const struct rival *rival)
{
    return (struct sale_claim){rival->row.key.anchor, rival->row.rank, rival->holder};
}

/* An erased person's sale stays theirs. */
static bool owns_rather(const struct rival *a, const struct rival *b)
{
    if (a->row.is_ownerless || b->row.is_ownerless)
        return a->row.is_ownerless;
    struct sale_claim x = claim_of(a), y = claim_of(b);
    return journey_claim_compare(&x, &y) < 0;
}

static void choose_owner(struct slow *slow, struct rival *rivals, size_t count)
{
    struct rival *owner = rivals;
    for (size_t i = 0; i < count; i++) {
        rivals[i].old_holder = holder_of(slow, rivals[i].row.key.anchor, true);
        rivals[i].holder = holder_of(slow, rivals[i].row.key.anchor, false);
        if (owns_rather(&rivals[i], owner))
            owner = &rivals[i];
    }
    owner->owns = true;
}

static void choose_owners(struct slow *slow)
{
    struct rivals *all = &slow->rivals;
    for (size_t from = 0, to; from < all->count; from = to) {
        to = from + 1;
        while (to < all->count &&
               sale_compare(&all->items[from].row.key, &all->items[to].row.key) == 0)
            to++;
        choose_owner(slow, all->items + from, to - from);
    }
}

const struct rival *slow_find_rival(const struct slow *slow, const struct fact_key *key)
{
    struct rival wanted = {.row.key = *key};
    if (slow->rivals.count == 0)
        return NULL;
    return bsearch(&wanted, slow->rivals.items, slow->rivals.count, sizeof wanted, rival_compare);
}

/* ---- sales without a customer ---- */

/* The fact of a rival: of this transaction, or read. */
static const struct journey_fact *fact_of(const struct slow *slow, const struct facts *read,
                                          const struct fact_key *key)
{
    struct journey_fact wanted = {.key = *key};
    const struct journey_fact *fact = NULL;
    if (slow->facts.count > 0)
        fact =
            bsearch(&wanted, slow->facts.items, slow->facts.count, sizeof wanted, fact_key_compare);
    if (fact == NULL && read->count > 0)
        fact = bsearch(&wanted, read->items, read->count, sizeof wanted, fact_key_compare);
    return fact;
}

/* The stored facts of the rivals that change figures by themselves, sorted by key. */
static enum outcome read_rivals(struct slow *slow, struct facts *out, struct err *err)
{
    struct arena *arena = slow->flush->arena;
    struct {
        struct fact_range *items;
        size_t count, capacity;
    } ranges = {0};
    void *read = NULL;
    for (size_t i = 0; i < slow->rivals.count; i++) {
        const struct fact_key *key = &slow->rivals.items[i].row.key;
        struct fact_range range = {
            .anchor = key->anchor, .from = {key->occurred_at.us - 1}, .until = key->occurred_at};
        if (!slow->rivals.items[i].is_new && !slow->rivals.items[i].row.is_ownerless)
            *arena_push(arena, &ranges) = range;
    }
    if (ranges.count > 0)
        CHECK(timeline_read_facts(slow->tracker->timeline, slow->tracker->db, arena, ranges.items,
                                  ranges.count, &read, &out->count, err));
    out->items = read;
    return OUTCOME_OK;
}

/* Adds or takes back (sign) what the fact's sale is without a customer. */
static enum outcome count_lone(struct slow *slow, const struct journey_fact *fact, int sign,
                               struct err *err)
{
    struct journey_effects *effects = &slow->saving.effects;
    struct touch touch;
    if (fact == NULL)
        return err_set(err, OUTCOME_FATAL, "sale_missing", "a sale has no touchpoint");
    CHECK(convert_touch(slow->tracker, slow->flush->arena, fact, &touch, err));
    effects->sign = sign;
    journey_alone(&slow->tracker->policy, &touch, effects);
    effects->sign = 1;
    return OUTCOME_OK;
}

static enum outcome count_rivals(struct slow *slow, struct err *err)
{
    struct facts read = {0};
    CHECK(read_rivals(slow, &read, err));
    for (size_t i = 0; i < slow->rivals.count; i++) {
        const struct rival *rival = &slow->rivals.items[i];
        bool was_lone = rival->was_owner && rival->old_holder != HOLDER_IDENTIFIED,
             is_lone = rival->owns && rival->holder != HOLDER_IDENTIFIED;
        if (was_lone != is_lone && !rival->row.is_ownerless)
            CHECK(count_lone(slow, fact_of(slow, &read, &rival->row.key), is_lone ? 1 : -1, err));
    }
    return OUTCOME_OK;
}

/* New sales that nobody else tells. */
static enum outcome count_alone(struct slow *slow, struct err *err)
{
    const struct facts none = {0};
    for (size_t i = 0; i < slow->alone.count; i++) {
        const struct fact_key *key = &slow->alone.items[i].key;
        if (holder_of(slow, key->anchor, false) != HOLDER_IDENTIFIED)
            CHECK(count_lone(slow, fact_of(slow, &none, key), 1, err));
    }
    return OUTCOME_OK;
}

/* A stored touch that begins or ceases to own its sale changes the timeline of its profile. */
static void note_changes(struct slow *slow)
{
    for (size_t i = 0; i < slow->rivals.count; i++) {
        const struct rival *rival = &slow->rivals.items[i];
        const struct anchor_row *anchor = slow_find_anchor(slow, rival->row.key.anchor);
        if (rival->is_new || rival->was_owner == rival->owns || rival->row.is_ownerless ||
            anchor == NULL || version_is_shared(anchor->version))
            continue;
        struct slow_profile *profile = slow_find_profile(slow, &anchor->profile_id);
        struct instant at = rival->row.key.occurred_at;
        if (profile == NULL)
            continue;
        if (!profile->sales_changed || instant_compare(at, profile->first_sale) < 0)
            profile->first_sale = at;
        if (!profile->sales_changed || instant_compare(at, profile->last_sale) > 0)
            profile->last_sale = at;
        profile->sales_changed = true;
    }
}

/* ---- anchors that become shared, or cease to be ---- */

static bool changes_holder(const struct anchor_row *row)
{
    return row->is_moved && row->was_shared != version_is_shared(row->version);
}

static enum outcome read_moved(struct slow *slow, struct facts *out, struct err *err)
{
    struct arena *arena = slow->flush->arena;
    struct fact_range *ranges = arena_array(arena, struct fact_range, slow->anchor_count);
    size_t count = 0;
    void *read = NULL;
    for (size_t i = 0; i < slow->anchor_count; i++)
        if (changes_holder(&slow->anchors[i]))
            ranges[count++] = (struct fact_range){
                .anchor = slow->anchors[i].anchor, .from = INSTANT_FIRST, .until = INSTANT_NEVER};
    if (count > 0)
        CHECK(timeline_read_facts(slow->tracker->timeline, slow->tracker->db, arena, ranges, count,
                                  &read, &out->count, err));
    out->items = read;
    return OUTCOME_OK;
}

/* The sales among stored facts, sorted. */
static enum outcome stored_sales(struct slow *slow, const struct facts *facts,
                                 struct sale_rows *sales, struct err *err)
{
    struct arena *arena = slow->flush->arena;
    for (size_t i = 0; i < facts->count; i++) {
        struct touch touch;
        if (map_find(&slow->fresh, &facts->items[i].key))
            continue;
        CHECK(convert_touch(slow->tracker, arena, &facts->items[i], &touch, err));
        if (touch.is_sale)
            *arena_push(arena, sales) = (struct sale_row){.key = facts->items[i].key};
    }
    return OUTCOME_OK;
}

/* Sales with copies must be locked before the anchors: they are noted for another try. */
static enum outcome find_unlocked(struct slow *slow, const struct sale_rows *sales,
                                  struct map *contested, struct err *err)
{
    struct arena *arena = slow->flush->arena;
    struct sale_rows copies = {0};
    CHECK(journey_store_find_copies(slow->tracker->db, arena, sales, &copies, err));
    for (size_t i = 0; i < copies.count; i++) {
        struct fact_key sale = copies.items[i].key;
        bool is_locked = slow_find_rival(slow, &sale) != NULL, is_first;
        sale.anchor = 0;
        map_put(contested, &sale, &is_first);
        if (is_locked || !is_first)
            continue;
        *arena_push(arena, &slow->more_sales) = (struct sale_row){.key = sale};
        slow->is_short = true;
    }
    return OUTCOME_OK;
}

static enum outcome count_moved(struct slow *slow, struct err *err)
{
    struct facts facts = {0};
    struct sale_rows sales = {0};
    struct map contested;
    map_init(&contested, slow->flush->arena, sizeof(struct fact_key), 1);
    CHECK(read_moved(slow, &facts, err));
    CHECK(stored_sales(slow, &facts, &sales, err));
    CHECK(find_unlocked(slow, &sales, &contested, err));
    for (size_t i = 0; i < sales.count && !slow->is_short; i++) {
        struct fact_key sale = sales.items[i].key;
        int sign = holder_of(slow, sale.anchor, false) == HOLDER_SHARED ? 1 : -1;
        const struct journey_fact *fact = fact_of(slow, &facts, &sale);
        sale.anchor = 0;
        if (!map_find(&contested, &sale) && slow_find_rival(slow, &sales.items[i].key) == NULL)
            CHECK(count_lone(slow, fact, sign, err));
    }
    return OUTCOME_OK;
}

enum outcome slow_settle_sales(struct slow *slow, struct err *err)
{
    choose_owners(slow);
    CHECK(count_moved(slow, err));
    if (slow->is_short)
        return OUTCOME_OK;
    CHECK(count_rivals(slow, err));
    CHECK(count_alone(slow, err));
    note_changes(slow);
    return OUTCOME_OK;
}

/* ---- what the derivation and the tables are told ---- */

enum outcome slow_find_taken(struct slow *slow, const struct slow_profile *profiles, size_t count,
                             struct err *err)
{
    struct arena *arena = slow->flush->arena;
    struct shorts anchors = {0};
    struct sale_rows copies = {0};
    map_init(&slow->taken, arena, sizeof(struct fact_key), sizeof(uint8_t));
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < profiles[i].before_count; j++)
            *arena_push(arena, &anchors) = profiles[i].anchors_before[j];
        for (size_t j = 0; j < profiles[i].after_count; j++)
            *arena_push(arena, &anchors) = profiles[i].anchors_after[j];
    }
    CHECK(journey_store_find_copies_of(slow->tracker->db, arena, anchors.items, anchors.count,
                                       &copies, err));
    for (size_t i = 0; i < copies.count; i++)
        *(uint8_t *)map_put(&slow->taken, &copies.items[i].key, NULL) = TAKEN_BEFORE | TAKEN_AFTER;
    for (size_t i = 0; i < slow->rivals.count; i++) {
        const struct rival *rival = &slow->rivals.items[i];
        *(uint8_t *)map_put(&slow->taken, &rival->row.key, NULL) =
            (rival->was_owner ? 0 : TAKEN_BEFORE) | (rival->owns ? 0 : TAKEN_AFTER);
    }
    return OUTCOME_OK;
}

enum outcome slow_write_sales(struct slow *slow, struct err *err)
{
    struct arena *arena = slow->flush->arena;
    struct db *db = slow->tracker->db;
    struct sale_rows owners = {0}, added = {0}, dropped = {0};
    for (size_t i = 0; i < slow->rivals.count; i++) {
        const struct rival *rival = &slow->rivals.items[i];
        bool was_copy = !rival->is_new && !rival->was_owner;
        if (rival->owns && !rival->is_stored)
            *arena_push(arena, &owners) = rival->row;
        if (rival->owns && was_copy)
            *arena_push(arena, &dropped) = rival->row;
        if (!rival->owns && !was_copy)
            *arena_push(arena, &added) = rival->row;
    }
    CHECK(journey_store_write_owners(db, arena, &owners, err));
    CHECK(journey_store_drop_copies(db, arena, &dropped, err));
    return journey_store_add_copies(db, arena, &added, err);
}
