/* suppression_locks.c: facts in, and everything locked that decisions are made of; see
 * suppression_work.h. */
#include <stdlib.h>

#include "common/base/search.h"
#include "services/suppression/suppression_work.h"

/* Every repeat gets the earliest time at which one of them came in, so it does not matter which of
 * them is kept. */
static void share_received_at(struct ledger_facts *facts)
{
    qsort(facts->items, facts->count, sizeof *facts->items, fact_key_compare);
    for (size_t from = 0, to; from < facts->count; from = to) {
        struct instant least = INSTANT_ABSENT;
        for (to = from;
             to < facts->count && fact_key_compare(&facts->items[from], &facts->items[to]) == 0;
             to++)
            least = contact_earlier(least, facts->items[to].body.received_at);
        for (size_t i = from; i < to; i++)
            facts->items[i].body.received_at = least;
    }
}

/* Slow path (a): keeps the facts that were really inserted, and those of which it is news that they
 * came in so early. */
enum outcome work_insert_facts(struct ledger_work *w, struct err *err)
{
    struct ledger_facts *facts = &w->flush->facts;
    if (facts->count == 0)
        return OUTCOME_OK;
    share_received_at(facts);
    facts->count = timeline_sort_facts(w->suppression->timeline, facts->items, facts->count);
    bool *inserted = arena_array(w->arena, bool, facts->count);
    CHECK(timeline_insert_facts(w->suppression->timeline, w->suppression->db, w->arena,
                                facts->items, facts->count, inserted, err));
    CHECK(suppression_store_lower_received(w->suppression->db, w->arena, facts, inserted, err));
    size_t kept = 0;
    for (size_t i = 0; i < facts->count; i++)
        if (inserted[i])
            facts->items[kept++] = facts->items[i];
    facts->count = kept;
    return OUTCOME_OK;
}

static bool relies_on_known(const struct ledger_fact *fact)
{
    return fact->body.kind == CONTACT_REQUEST && fact->body.addresses.len == 0;
}

/* Anchors, and the profiles that a message says they are in. */
struct customers {
    int64_t *anchors;
    struct id *profiles;
    size_t count;
};

static void add_customer(struct customers *customers, int64_t anchor, const struct id *profile_id)
{
    customers->anchors[customers->count] = anchor;
    customers->profiles[customers->count++] = *profile_id;
}

/* A request that names no address relies on all that its customer was seen with, and so does what
 * was granted to who is joined, or seen with another one, now. Which addresses these are is asked
 * before the locks; save() makes sure that none is missing. */
static enum outcome find_unnamed(struct ledger_work *w, struct anchor_move **out, size_t *out_count,
                                 struct err *err)
{
    const struct suppression_flush *flush = w->flush;
    struct db *db = w->suppression->db;
    size_t room = flush->facts.count + flush->moves.count;
    struct customers c = {arena_array(w->arena, int64_t, room),
                          arena_array(w->arena, struct id, room), 0};
    *out_count = 0;
    for (size_t i = 0; i < flush->facts.count; i++)
        if (relies_on_known(&flush->facts.items[i]))
            add_customer(&c, flush->facts.items[i].key.anchor, &flush->facts.items[i].profile_id);
    bool is_asked = c.count > 0;
    struct customers moved = {c.anchors + c.count, c.profiles + c.count, 0};
    for (size_t i = 0; i < flush->moves.count; i++)
        add_customer(&moved, id_short(&flush->moves.items[i].anchor_id),
                     &flush->moves.items[i].profile_id);
    CHECK(addresses_may_be_open(db, w->arena, moved.anchors, moved.profiles, moved.count,
                                &w->moves_open, err));
    if (!is_asked && !w->moves_open)
        return OUTCOME_OK;
    return addresses_to_lock(db, w->arena, c.anchors, c.count + moved.count, c.profiles,
                             c.count + moved.count, out, out_count, err);
}

/* Of whom the ledger has nothing it may still be known by which addresses he was seen. */
static void note_joined(struct ledger_work *w)
{
    struct suppression_flush *flush = w->flush;
    for (size_t i = 0; w->moves_open && i < flush->moves.count; i++) {
        int64_t anchor = id_short(&flush->moves.items[i].anchor_id);
        if (work_find_anchor(w, anchor)->is_inserted)
            *arena_push(w->arena, &flush->seen) = anchor;
    }
}

/* Nothing is kept where nobody was erased. */
static enum outcome find_kept(struct ledger_work *w, struct anchor_move **out, size_t *out_count,
                              struct err *err)
{
    const struct suppression *s = w->suppression;
    *out_count = 0;
    return s->erased->version == 0
               ? OUTCOME_OK
               : addresses_find_kept(s->db, w->arena, &w->flush->known, out, out_count, err);
}

/* Of what somebody did for the first time there may be no fact: a row of the map says whose anchor
 * it is. The rows are the new ones, sorted by their anchor, which stands at `offset`. */
static size_t find_new(const struct suppression_anchor_moves *moves, const void *rows, size_t count,
                       size_t stride, size_t offset, struct anchor_move *out)
{
    size_t found = 0;
    for (size_t i = 0; count > 0 && i < moves->count; i++)
        if (has_key(rows, count, stride, offset, id_short(&moves->items[i].anchor_id)))
            out[found++] = moves->items[i];
    return found;
}

static size_t find_new_namers(const struct ledger_work *w, struct anchor_move *out)
{
    const struct known_addresses *new = &w->new_known;
    return find_new(&w->flush->namers, new->items, new->count, sizeof *new->items,
                    offsetof(struct known_address, anchor), out);
}

static size_t find_new_placed(const struct ledger_work *w, struct anchor_move *out)
{
    const struct place_anchors *new = &w->new_placed;
    return find_new(&w->flush->placed, new->items, new->count, sizeof *new->items, 0, out);
}

/* (b): every new fact is a move of its anchor, too. */
enum outcome work_lock_anchors(struct ledger_work *w, struct err *err)
{
    const struct suppression_flush *flush = w->flush;
    struct anchor_move *unnamed = NULL, *kept = NULL;
    size_t unnamed_count, kept_count, count = 0;
    CHECK(find_unnamed(w, &unnamed, &unnamed_count, err));
    CHECK(find_kept(w, &kept, &kept_count, err));
    struct anchor_move *moves =
        arena_array(w->arena, struct anchor_move,
                    flush->facts.count + flush->moves.count + flush->named.count +
                        flush->namers.count + flush->placed.count + unnamed_count + kept_count);
    count = find_new_namers(w, moves);
    count += find_new_placed(w, moves + count);
    for (size_t i = 0; i < kept_count; i++)
        moves[count++] = kept[i];
    for (size_t i = 0; i < unnamed_count; i++)
        moves[count++] = unnamed[i];
    for (size_t i = 0; i < flush->facts.count; i++) {
        const struct ledger_fact *f = &flush->facts.items[i];
        moves[count++] = (struct anchor_move){f->anchor_id, f->profile_id, f->version};
    }
    for (size_t i = 0; i < flush->moves.count; i++)
        moves[count++] = flush->moves.items[i];
    for (size_t i = 0; i < flush->named.count; i++)
        moves[count++] = flush->named.items[i];
    CHECK(timeline_lock_anchors(w->suppression->timeline, w->suppression->db, w->arena, moves,
                                count, &w->anchors, &w->anchor_count, err));
    note_joined(w);
    return OUTCOME_OK;
}

const struct anchor_row *work_find_anchor(const struct ledger_work *w, int64_t anchor)
{
    return &w->anchors[lower_bound(w->anchors, w->anchor_count, sizeof *w->anchors,
                                   offsetof(struct anchor_row, anchor), anchor)];
}

/* A send that answers no request decides nothing and ends nothing. Who decides for its profile
 * reads it under the lock of the state; who decides at this very moment might as well have been
 * first. */
static bool is_unasked(const struct ledger_fact *fact)
{
    return fact->body.kind == CONTACT_SENT && id_is_nil(&fact->body.decision_id) &&
           fact->body.consent.len == 0;
}

/* (c): profiles with new facts, both profiles of every anchor that moved, and who was seen with an
 * address of another profile: who decides for them meanwhile does not know of it. An anchor that
 * was only put into the map has no facts, or the transaction that inserts them will see the row. */
enum outcome work_lock_states(struct ledger_work *w, struct err *err)
{
    const struct ledger_facts *facts = &w->flush->facts;
    const struct suppression_anchors *seen = &w->flush->seen;
    int64_t *profiles =
        arena_array(w->arena, int64_t,
                    facts->count + 2 * w->anchor_count + w->flush->judged_count + seen->count);
    size_t count = 0;
    for (size_t i = 0; i < facts->count; i++)
        if (!is_unasked(&facts->items[i]))
            profiles[count++] =
                id_short(&work_find_anchor(w, facts->items[i].key.anchor)->profile_id);
    for (size_t i = 0; i < w->anchor_count; i++) {
        if (!w->anchors[i].is_moved)
            continue;
        profiles[count++] = id_short(&w->anchors[i].profile_id);
        profiles[count++] = id_short(&w->anchors[i].old_profile_id);
    }
    for (size_t i = 0; i < w->flush->judged_count; i++)
        profiles[count++] = id_short(&w->flush->judged[i]);
    for (size_t i = 0; i < seen->count; i++)
        profiles[count++] = id_short(&work_find_anchor(w, seen->items[i])->profile_id);
    return timeline_lock_states(w->suppression->timeline, w->suppression->db, w->arena, profiles,
                                count, &w->states, &w->state_count, err);
}
