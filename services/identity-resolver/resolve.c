/* resolve.c: covering, look-up and the resolving transaction. */
#include "services/identity-resolver/resolve.h"

#include <stdlib.h>

#include "services/identity-resolver/resolve_internal.h"

enum { MOVES_PER_MESSAGE = 5000 };

/* (first_seen, evidence) <= (occurred_at, event_id): the link is already at least as old as this sighting would make it. */
static bool link_is_old_enough(const struct cached_link *link, const struct sighting *s)
{
    int c = link ? instant_compare(link->first_seen, s->occurred_at) : 1;
    return c < 0 || (c == 0 && id_compare(&link->evidence, &s->event_id) <= 0);
}

bool resolver_is_covered(struct resolver *resolver, const struct sighting *s)
{
    for (size_t i = 0; i < s->id_count; i++) {
        const struct cached_identifier *known = resolver_cache_identifier(&resolver->cache, &s->ids[i].id);
        if (known == NULL || instant_compare(known->first_seen, s->occurred_at) > 0)
            return false;
    }
    for (size_t i = 1; i < s->id_count; i++) {
        struct link_key key = link_key_of(&s->ids[0].id, &s->ids[i].id);
        if (!link_is_old_enough(resolver_cache_link(&resolver->cache, &key), s))
            return false;
    }
    return true;
}

static void cache_identifiers(struct resolver *resolver, const struct identifier_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct identifier_row *row = &rows->items[i];
        struct cached_identifier entry = {row->profile_id, row->first_seen, row->version};
        resolver_cache_put_identifier(&resolver->cache, &row->identifier_id, &entry);
    }
}

static void cache_links(struct resolver *resolver, const struct link_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        struct cached_link entry = {rows->items[i].first_seen, rows->items[i].evidence};
        resolver_cache_put_link(&resolver->cache, &rows->items[i].key, &entry);
    }
}

enum outcome resolver_look_up(struct resolver *resolver, struct arena *arena, const struct sightings *uncovered, struct err *err)
{
    struct work work = {.resolver = resolver, .arena = arena};
    work_collect(&work, uncovered);
    struct id_list missing = {0};
    for (size_t i = 0; i < work.wanted.count; i++)
        if (resolver_cache_identifier(&resolver->cache, &work.wanted.items[i].identifier_id) == NULL)
            *arena_push(arena, &missing) = work.wanted.items[i].identifier_id;
    struct identifier_rows found = {0};
    if (missing.count > 0)
        CHECK(store_find_identifiers(resolver->db, arena, missing.items, missing.count, &found, err));
    cache_identifiers(resolver, &found);
    /* A link can only be there if both of its identifiers are. */
    struct link_rows missing_links = {0}, found_links = {0};
    for (size_t i = 0; i < work.links.count; i++) {
        const struct link_key *key = &work.links.items[i].key;
        if (resolver_cache_link(&resolver->cache, key) == NULL && resolver_cache_identifier(&resolver->cache, &key->a) &&
            resolver_cache_identifier(&resolver->cache, &key->b))
            *arena_push(arena, &missing_links) = work.links.items[i];
    }
    if (missing_links.count > 0)
        CHECK(store_find_links(resolver->db, arena, missing_links.items, missing_links.count, &found_links, err));
    cache_links(resolver, &found_links);
    return OUTCOME_OK;
}

/* Step 1: what is not even cached may be new; cached identifiers are there for certain. */
static enum outcome insert_new(struct work *work, struct err *err)
{
    struct db *db = work->resolver->db;
    struct identifier_rows unknown = {0};
    map_init(&work->is_new, work->arena, sizeof(struct id), sizeof(bool));
    work_guess_profiles(work);
    for (size_t i = 0; i < work->wanted.count; i++)
        if (resolver_cache_identifier(&work->resolver->cache, &work->wanted.items[i].identifier_id) == NULL)
            *arena_push(work->arena, &unknown) = work->wanted.items[i];
    if (unknown.count == 0)
        return OUTCOME_OK;
    struct id *inserted;
    size_t count;
    CHECK(store_insert_identifiers(db, work->arena, unknown.items, unknown.count, &inserted, &count, err));
    if (count == 0)
        return OUTCOME_OK;
    qsort(inserted, count, sizeof *inserted, id_qsort_compare);
    for (size_t i = 0; i < count; i++)
        *(bool *)map_put(&work->is_new, &inserted[i], NULL) = true;
    return store_insert_profiles(db, work->arena, inserted, count, err);
}

/* Profiles, today, of the batch's identifiers that were there before. */
static enum outcome read_profiles(struct work *work, struct id_list *profiles, struct err *err)
{
    struct id_list ids = {0};
    for (size_t i = 0; i < work->wanted.count; i++)
        if (map_find(&work->is_new, &work->wanted.items[i].identifier_id) == NULL)
            *arena_push(work->arena, &ids) = work->wanted.items[i].identifier_id;
    profiles->count = 0;
    if (ids.count == 0)
        return OUTCOME_OK;
    struct identifier_rows rows = {0};
    CHECK(store_find_identifiers(work->resolver->db, work->arena, ids.items, ids.count, &rows, err));
    for (size_t i = 0; i < rows.count; i++)
        *arena_push(work->arena, profiles) = rows.items[i].profile_id;
    if (profiles->count == 0)
        return OUTCOME_OK;
    qsort(profiles->items, profiles->count, sizeof *profiles->items, id_qsort_compare);
    size_t kept = 0;
    for (size_t i = 0; i < profiles->count; i++)
        if (kept == 0 || !id_equal(&profiles->items[kept - 1], &profiles->items[i]))
            profiles->items[kept++] = profiles->items[i];
    profiles->count = kept;
    return OUTCOME_OK;
}

static bool list_has(const struct id_list *list, const struct id *id)
{
    return list->count > 0 && bsearch(id, list->items, list->count, sizeof *id, id_qsort_compare) != NULL;
}

/* Step 2. A profile that sorts below one already locked would break the lock order: RETRY runs the batch again, and the cache
 * (filled by the look-up) makes the next attempt see the moved profile at once. */
static enum outcome lock_profiles(struct work *work, struct err *err)
{
    for (;;) {
        struct id_list profiles = {0}, missing = {0};
        CHECK(read_profiles(work, &profiles, err));
        for (size_t i = 0; i < profiles.count; i++)
            if (!list_has(&work->old_profiles, &profiles.items[i]))
                *arena_push(work->arena, &missing) = profiles.items[i];
        if (missing.count == 0)
            return OUTCOME_OK;
        if (work->old_profiles.count > 0 &&
            id_compare(&missing.items[0], &work->old_profiles.items[work->old_profiles.count - 1]) < 0)
            return err_set(err, OUTCOME_RETRY, "lock_order", "another instance moved a profile meanwhile");
        CHECK(store_lock_profiles(work->resolver->db, work->arena, missing.items, missing.count, err));
        for (size_t i = 0; i < missing.count; i++)
            *arena_push(work->arena, &work->old_profiles) = missing.items[i];
    }
}

/* Step 3: new evidence, then everything again as new statements under the locks. */
static enum outcome write_evidence(struct work *work, struct err *err)
{
    struct db *db = work->resolver->db;
    struct identifier_rows older = {0};
    for (size_t i = 0; i < work->wanted.count; i++)
        if (map_find(&work->is_new, &work->wanted.items[i].identifier_id) == NULL)
            *arena_push(work->arena, &older) = work->wanted.items[i];
    if (work->links.count > 0)
        CHECK(store_upsert_links(db, work->arena, work->links.items, work->links.count, err));
    if (older.count > 0)
        CHECK(store_lower_first_seen(db, work->arena, older.items, older.count, err));
    return OUTCOME_OK;
}

static enum outcome read_members(struct work *work, struct err *err)
{
    struct db *db = work->resolver->db;
    struct identifier_rows stored = {0};
    if (work->old_profiles.count > 0)
        CHECK(store_members(db, work->arena, work->old_profiles.items, work->old_profiles.count, &stored, err));
    for (size_t i = 0; i < stored.count; i++)
        if (map_find(&work->is_new, &stored.items[i].identifier_id) == NULL)
            *arena_push(work->arena, &work->members) = stored.items[i];
    for (size_t i = 0; i < work->wanted.count; i++)
        if (map_find(&work->is_new, &work->wanted.items[i].identifier_id) != NULL)
            *arena_push(work->arena, &work->members) = work->wanted.items[i];
    if (work->old_profiles.count == 0) { /* everything is new: the batch's links are all there are */
        work->member_links = work->links;
        return OUTCOME_OK;
    }
    struct id_list ids = {0};
    for (size_t i = 0; i < work->members.count; i++)
        *arena_push(work->arena, &ids) = work->members.items[i].identifier_id;
    return store_member_links(db, work->arena, ids.items, ids.count, &work->member_links, err);
}

static enum outcome write_outbox(struct work *work, struct err *err)
{
    struct identity_change part = work->change;
    size_t parts = (work->change.move_count + MOVES_PER_MESSAGE - 1) / MOVES_PER_MESSAGE;
    work->committed->messages = arena_array(work->arena, struct outbox_row, parts);
    for (size_t i = 0; i < parts; i++) {
        size_t from = i * MOVES_PER_MESSAGE, left = work->change.move_count - from;
        part.moves = work->change.moves + from;
        part.move_count = (uint32_t)(left < MOVES_PER_MESSAGE ? left : MOVES_PER_MESSAGE);
        struct strbuf payload = {.arena = work->arena};
        identity_change_encode(&payload, &part);
        struct outbox_row *row = &work->committed->messages[work->committed->message_count++];
        *row = (struct outbox_row){part.version, part.moves[0].profile_id, strbuf_span(&payload)};
        CHECK(
            store_insert_outbox(work->resolver->db, work->arena, row->version, (int32_t)i, &row->profile_id, row->payload, err));
    }
    return OUTCOME_OK;
}

static void set_versions(struct work *work, const struct identity_move *moves, size_t count, const struct map *index)
{
    for (size_t i = 0; i < count; i++)
        work->members.items[*(uint32_t *)map_find(index, &moves[i].identifier_id)].version = work->change.version;
}

/* Members that moved carry the new version, in memory as in the database. */
static void stamp_members(struct work *work, const struct identity_move *joins, size_t join_count)
{
    struct map index;
    map_init(&index, work->arena, sizeof(struct id), sizeof(uint32_t));
    for (uint32_t i = 0; i < work->members.count; i++)
        *(uint32_t *)map_put(&index, &work->members.items[i].identifier_id, NULL) = i;
    set_versions(work, work->change.moves, work->change.move_count, &index);
    set_versions(work, joins, join_count, &index);
}

/* Step 4. */
static enum outcome write_partition(struct work *work, struct err *err)
{
    struct db *db = work->resolver->db;
    struct identity_move *joins;
    size_t join_count;
    work_partition(work, &joins, &join_count);
    if (work->change.move_count == 0 && join_count == 0)
        return OUTCOME_OK;
    CHECK(store_next_version(db, work->arena, &work->change.version, err));
    if (join_count > 0)
        CHECK(store_move(db, work->arena, joins, join_count, work->change.version, err));
    stamp_members(work, joins, join_count);
    if (work->change.move_count == 0)
        return OUTCOME_OK;
    CHECK(store_move(db, work->arena, work->change.moves, work->change.move_count, work->change.version, err));
    CHECK(store_insert_changes(db, work->arena, &work->change, err));
    CHECK(write_outbox(work, err));
    work->committed->version = work->change.version;
    return OUTCOME_OK;
}

static enum outcome run_steps(struct work *work, struct err *err)
{
    CHECK(insert_new(work, err));
    CHECK(lock_profiles(work, err));
    CHECK(write_evidence(work, err));
    CHECK(read_members(work, err));
    CHECK(write_partition(work, err));
    return db_commit(work->resolver->db, err);
}

/* After the commit only: what the database has is now known. */
static void fill_cache(struct work *work)
{
    struct map in_batch;
    map_init(&in_batch, work->arena, sizeof(struct link_key), sizeof(bool));
    for (size_t i = 0; i < work->links.count; i++)
        map_put(&in_batch, &work->links.items[i].key, NULL);
    struct link_rows links = {0};
    for (size_t i = 0; i < work->member_links.count; i++)
        if (map_find(&in_batch, &work->member_links.items[i].key))
            *arena_push(work->arena, &links) = work->member_links.items[i];
    cache_identifiers(work->resolver, &work->members);
    cache_links(work->resolver, &links);
}

enum outcome resolver_transact(struct resolver *resolver, struct arena *arena, const struct sightings *uncovered,
                               struct instant now, struct committed_change *change, struct err *err)
{
    *change = (struct committed_change){0};
    struct work work = {.resolver = resolver, .arena = arena, .committed = change};
    work_collect(&work, uncovered);
    work.change =
        (struct identity_change){.changed_at = now.us, .cause = SPAN("touchpoint"), .cause_id = uncovered->items[0].event_id};
    CHECK(db_begin(resolver->db, err));
    enum outcome o = run_steps(&work, err);
    if (o != OUTCOME_OK) {
        db_rollback(resolver->db);
        return o;
    }
    fill_cache(&work);
    change->merged_profiles = work.change.move_count;
    return OUTCOME_OK;
}
