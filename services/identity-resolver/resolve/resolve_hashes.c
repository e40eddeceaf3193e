/* resolve_hashes.c: asks the database what it knows of hashes under the current key, after an
 * exchange of keys. */
#include "services/identity-resolver/resolve/resolve_work.h"

/* Every hash once. Until the database says otherwise the value counts as new, and its hash becomes
 * its id. */
static struct value_hashes unanswered(struct id_finder *finder)
{
    struct value_hashes out = {0};
    for (size_t i = 0; i < finder->unsure.count; i++) {
        bool is_first;
        struct id *answer = map_put(&finder->answers, &finder->unsure.items[i].hash, &is_first);
        if (!is_first)
            continue;
        *answer = finder->unsure.items[i].hash;
        *arena_push(finder->arena, &out) = finder->unsure.items[i];
    }
    return out;
}

static enum outcome insert_held(struct resolver *resolver, struct arena *arena,
                                const struct found_rows *rows, struct err *err)
{
    struct active_policy active;
    CHECK(resolver_hold_active(resolver, arena, &active, err));
    CHECK(resolver_check_keys(resolver, arena, &active, err));
    CHECK(identity_store_insert_found_by(resolver->db, arena, rows, resolver->keys.state.number,
                                         err));
    return db_commit(resolver->db, err);
}

/* A value keeps its id whatever happens to the batch, so this needs no part in the batch's
 * transaction. */
static enum outcome insert_found_by(struct resolver *resolver, struct arena *arena,
                                    const struct found_rows *rows, struct err *err)
{
    CHECK(db_begin(resolver->db, err));
    enum outcome outcome = insert_held(resolver, arena, rows, err);
    if (outcome != OUTCOME_OK)
        db_rollback(resolver->db);
    return outcome;
}

enum outcome resolver_find_ids(struct resolver *resolver, struct arena *arena,
                               struct id_finder *finder, size_t *by_previous, struct err *err)
{
    struct found_rows found = {0}, fresh = {0};
    struct value_hashes asked = unanswered(finder);
    *by_previous = 0;
    if (asked.count == 0)
        return OUTCOME_OK;
    CHECK(identity_store_find_hashes(resolver->db, arena, &asked, &found, err));
    for (size_t i = 0; i < found.count; i++) {
        *(struct id *)map_put(&finder->answers, &found.items[i].hash, NULL) =
            found.items[i].identifier_id;
        if (found.items[i].is_by_previous)
            *arena_push(arena, &fresh) = found.items[i];
    }
    *by_previous = fresh.count;
    if (fresh.count > 0)
        CHECK(insert_found_by(resolver, arena, &fresh, err));
    for (size_t i = 0; i < found.count; i++)
        if (!id_equal(&found.items[i].hash, &found.items[i].identifier_id))
            resolver_cache_put_found_by(&resolver->cache, &found.items[i].hash,
                                        &found.items[i].identifier_id);
    return OUTCOME_OK;
}
