/* resolve_write.c: writes the differences between the stored and the evaluated state, once. */
#include <stdlib.h>
#include <string.h>

#include "common/timeline/timeline.h"
#include "services/identity-resolver/resolve/resolve_work.h"

enum { MOVES_PER_MESSAGE = 5000 };

struct move_list {
    struct identity_move *items;
    size_t count, capacity;
};

struct plan_links {
    struct plan_link *items;
    size_t count, capacity;
};

static int move_compare(const void *a, const void *b)
{
    return id_compare(&((const struct identity_move *)a)->identifier_id,
                      &((const struct identity_move *)b)->identifier_id);
}

static bool is_person(const struct work *work, const struct member *member)
{
    return work->resolver->policy.types[member->type].is_unique;
}

/* Its kind is told with its version, so a policy that makes its type unique moves it, too. */
static bool moves(const struct work *work, const struct member *member)
{
    if (!member->is_inside || member->is_new)
        return member->is_inside && member->is_told;
    return !id_equal(&member->profile_id, &member->row.profile_id) ||
           member->is_quarantined != member->row.is_quarantined ||
           is_person(work, member) != version_is_person(member->row.version);
}

static void collect_moves(struct work *work)
{
    struct move_list list = {0};
    for (size_t i = 0; i < work->members.count; i++) {
        const struct member *member = &work->members.items[i];
        if (moves(work, member))
            *arena_push(work->arena, &list) = (struct identity_move){
                member->row.identifier_id, member->profile_id, member->row.profile_id,
                member->is_quarantined, is_person(work, member)};
    }
    if (list.count > 1)
        qsort(list.items, list.count, sizeof *list.items, move_compare);
    work->change.moves = list.items;
    work->change.move_count = (uint32_t)list.count;
}

/* Counts identifiers that parted from others of their old profile, and those that met identifiers
 * of other old profiles. */
static void count_moves(struct work *work)
{
    struct resolve_counts *counts = &work->request->committed->counts;
    struct map to, from;
    map_init(&to, work->arena, sizeof(struct id), sizeof(struct id));
    map_init(&from, work->arena, sizeof(struct id), sizeof(struct id));
    for (size_t i = 0; i < work->members.count; i++) {
        const struct member *member = &work->members.items[i];
        bool is_first;
        if (!member->is_inside || member->is_new)
            continue;
        struct id *went = map_put(&to, &member->row.profile_id, &is_first);
        if (is_first)
            *went = member->profile_id;
        counts->split += !id_equal(went, &member->profile_id);
        struct id *came = map_put(&from, &member->profile_id, &is_first);
        if (is_first)
            *came = member->row.profile_id;
        counts->merged += !id_equal(came, &member->row.profile_id);
        counts->released += !member->is_quarantined && member->row.is_quarantined;
    }
}

/* A new identifier has version 0 and what it adds: no reader knows it, and any move is newer. If an
 * identifier or profile of this id was erased, earlier messages about it are older than the
 * erasure. The new one then starts with the version of the erasure. */
static int64_t first_version(const struct work *work, const struct member *member)
{
    const struct erased *erased = work->resolver->erased;
    if (erased == NULL)
        return 0;
    int64_t own = erased_version(erased, &member->row.identifier_id),
            profile = erased_version(erased, &member->profile_id);
    return own > profile ? own : profile;
}

static struct identifier_row new_row(const struct work *work, const struct member *member)
{
    struct identifier_row row = member->row;
    row.profile_id = member->profile_id;
    row.first_seen = member->first_seen;
    row.is_quarantined = member->is_quarantined;
    row.has_refused = member->has_refused;
    bool is_moved = moves(work, member);
    if (member->is_new || is_moved)
        row.version = (is_moved ? work->change.version : first_version(work, member)) +
                      member->is_quarantined + 2 * is_person(work, member);
    return row;
}

static enum outcome write_raw_values(struct work *work, const struct identifier_rows *fresh,
                                     struct err *err)
{
    struct raw_value_row *rows = arena_array(work->arena, struct raw_value_row, fresh->count);
    size_t count = 0;
    for (size_t i = 0; i < fresh->count; i++) {
        const struct id *id = &fresh->items[i].identifier_id;
        const struct span *value = map_find(&work->resolver->raw_values, id);
        if (value == NULL)
            continue;
        rows[count].identifier_id = *id;
        seal_value(work->resolver->raw_keys, work->arena, id, *value, &rows[count++].sealed);
    }
    return count > 0
               ? identity_store_insert_raw_values(work->resolver->db, work->arena, rows, count, err)
               : OUTCOME_OK;
}

static enum outcome write_new(struct work *work, const struct identifier_rows *fresh,
                              struct err *err)
{
    enum outcome outcome = identity_store_copy_identifiers(
        work->resolver->db, fresh->items, fresh->count, work->resolver->keys.state.number, err);
    if (outcome != OUTCOME_OK && db_sqlstate_is(work->resolver->db, "23505"))
        /* another transaction was first: now its row is visible */
        work->starts_again = work->request->is_careful = true;
    if (outcome != OUTCOME_OK || work->resolver->raw_keys == NULL)
        return outcome;
    return write_raw_values(work, fresh, err);
}

/* Both ends are there: a new link is between members, and an accepted link was within one profile.
 */
static void mark_refused(struct work *work)
{
    for (size_t i = 0; i < work->edges.count; i++) {
        const struct edge *edge = &work->edges.items[i];
        if (edge->a != NO_MEMBER && edge->b != NO_MEMBER && edge->is_observed &&
            edge->row.refused_by != REFUSED_NOT)
            work->members.items[edge->a].has_refused = work->members.items[edge->b].has_refused =
                true;
    }
}

static bool differs(const struct work *work, const struct member *member)
{
    return moves(work, member) || member->has_refused != member->row.has_refused ||
           instant_compare(member->first_seen, member->row.first_seen) != 0;
}

static enum outcome write_identifiers(struct work *work, struct err *err)
{
    struct identifier_rows fresh = {0}, changed = {0};
    for (size_t i = 0; i < work->members.count; i++) {
        struct member *member = &work->members.items[i];
        if (!member->is_inside)
            continue;
        struct identifier_row row = new_row(work, member);
        work->request->committed->counts.quarantined +=
            row.is_quarantined && (member->is_new || !member->row.is_quarantined);
        if (member->is_new)
            *arena_push(work->arena, &fresh) = row;
        else if (differs(work, member))
            *arena_push(work->arena, &changed) = row;
    }
    if (fresh.count > 0)
        CHECK(write_new(work, &fresh, err));
    return changed.count > 0 ? identity_store_update_identifiers(work->resolver->db, work->arena,
                                                                 changed.items, changed.count, err)
                             : OUTCOME_OK;
}

static void note_refusal(struct work *work, const struct edge *edge, struct plan_links *plan)
{
    if (edge->row.refused_by != REFUSED_NOT)
        work->request->committed->counts.refused[edge->row.refused_by]++;
    if (edge->stored != NOT_STORED)
        *arena_push(work->arena, plan) = (struct plan_link){
            edge->row.key, (enum refusal)edge->stored, (enum refusal)edge->row.refused_by};
}

static enum outcome write_links(struct work *work, struct plan_links *plan, struct err *err)
{
    struct link_rows fresh = {0}, changed = {0};
    for (size_t i = 0; i < work->edges.count; i++) {
        const struct edge *edge = &work->edges.items[i];
        if (!edge->is_observed || (edge->stored == edge->row.refused_by && !edge->is_older))
            continue;
        *arena_push(work->arena, edge->stored == NOT_STORED ? &fresh : &changed) = edge->row;
        if (edge->stored != edge->row.refused_by)
            note_refusal(work, edge, plan);
    }
    if (fresh.count > 0)
        CHECK(identity_store_copy_links(work->resolver->db, fresh.items, fresh.count, err));
    return changed.count > 0 ? identity_store_update_links(work->resolver->db, work->arena,
                                                           changed.items, changed.count, err)
                             : OUTCOME_OK;
}

static enum refusal refusal_of_order(const struct work *work)
{
    const struct resolve_orders *orders = work->request->orders;
    if (orders == NULL || orders->count == 0)
        return REFUSED_NOT;
    struct link_key key = link_key_of(&orders->items[0].a, &orders->items[0].b);
    for (size_t i = 0; i < work->edges.count; i++)
        if (work->edges.items[i].is_manual &&
            memcmp(&work->edges.items[i].row.key, &key, sizeof key) == 0)
            return (enum refusal)work->edges.items[i].row.refused_by;
    return REFUSED_NOT;
}

static enum outcome write_outbox(struct work *work, struct err *err)
{
    struct committed_change *committed = work->request->committed;
    struct identity_change part = work->change;
    size_t parts = (work->change.move_count + MOVES_PER_MESSAGE - 1) / MOVES_PER_MESSAGE;
    committed->messages = arena_array(work->arena, struct identity_outbox_row, parts);
    for (size_t i = 0; i < parts; i++) {
        size_t from = i * MOVES_PER_MESSAGE, left = work->change.move_count - from;
        part.moves = work->change.moves + from;
        part.move_count = (uint32_t)(left < MOVES_PER_MESSAGE ? left : MOVES_PER_MESSAGE);
        struct strbuf payload = {.arena = work->arena};
        identity_change_encode(&payload, &part);
        struct identity_outbox_row *row = &committed->messages[committed->message_count++];
        *row = (struct identity_outbox_row){part.version, part.moves[0].profile_id,
                                            strbuf_span(&payload)};
        CHECK(identity_store_insert_outbox(work->resolver->db, work->arena, row->version,
                                           (int32_t)i, &row->profile_id, row->payload, err));
    }
    committed->version = work->change.version;
    committed->moved = work->change.move_count;
    return OUTCOME_OK;
}

static enum outcome write_change(struct work *work, struct err *err)
{
    struct db *db = work->resolver->db;
    const struct resolve_orders *orders = work->request->orders;
    CHECK(identity_store_insert_changes(db, work->arena, &work->change,
                                        work->resolver->active.version, err));
    if (orders && orders->count > 0)
        CHECK(identity_store_stamp_orders(db, work->arena, work->order_ids, orders->count,
                                          work->change.version, err));
    return write_outbox(work, err);
}

enum outcome work_write(struct work *work, struct err *err)
{
    struct plan_links plan = {0};
    collect_moves(work);
    if (work->change.move_count > 0) {
        count_moves(work);
        CHECK(identity_store_next_version(work->resolver->db, work->arena, &work->change.version,
                                          err));
    }
    mark_refused(work);
    if (work->request->aliases.count > 0)
        CHECK(identity_store_insert_aliases(work->resolver->db, work->arena,
                                            &work->request->aliases, err));
    CHECK(write_identifiers(work, err));
    CHECK(write_links(work, &plan, err));
    if (work->change.move_count > 0)
        CHECK(write_change(work, err));
    if (work->request->plan)
        *work->request->plan =
            (struct resolve_plan){work->change.moves, work->change.move_count, plan.items,
                                  plan.count, refusal_of_order(work)};
    return OUTCOME_OK;
}

void work_fill_cache(struct work *work)
{
    struct resolver_cache *cache = &work->resolver->cache;
    for (size_t i = 0; i < work->members.count; i++) {
        const struct member *member = &work->members.items[i];
        if (!member->is_wanted && !moves(work, member))
            continue;
        struct identifier_row row = new_row(work, member);
        struct cached_identifier entry = {row.profile_id, row.first_seen, row.version};
        resolver_cache_put_identifier(cache, &row.identifier_id, &entry);
        resolver_learn(work->resolver, &row.identifier_id, &entry);
    }
    for (size_t i = 0; i < work->edges.count; i++) {
        const struct edge *edge = &work->edges.items[i];
        if (edge->is_wanted)
            resolver_learn_link(work->resolver, &edge->row);
    }
}
