/* renaming_store.c: the ids that lead to the new hashes, and the renaming in the database.
 */
#include "operations/reanchor/renaming_internal.h"

#include "reanchor_sql.h"
#include "services/identity-resolver/store/identity_rules_store.h"

enum { ROWS_PER_STATEMENT = 10000 };

static enum outcome follow_some(struct rereading *work, size_t from, struct arena *arena,
                                struct err *err)
{
    struct renaming *out = work->out;
    struct value_hashes hashes = {0};
    struct found_rows found = {0};
    struct map ids;
    map_init(&ids, arena, sizeof(struct id), sizeof(struct id));
    for (size_t i = from; i < out->count && i < from + ROWS_PER_STATEMENT; i++)
        *arena_push(arena, &hashes) = (struct value_hash){.hash = out->items[i].to};
    CHECK(identity_store_find_hashes(work->desk->db, arena, &hashes, &found, err));
    for (size_t i = 0; i < found.count; i++)
        *(struct id *)map_put(&ids, &found.items[i].hash, NULL) = found.items[i].identifier_id;
    for (size_t i = from; i < from + hashes.count; i++) {
        const struct id *known = map_find(&ids, &out->items[i].to);
        if (known)
            *(struct id *)map_find(&out->to, &out->items[i].from) = out->items[i].to = *known;
    }
    return OUTCOME_OK;
}

enum outcome renaming_follow_hashes(struct rereading *work, struct err *err)
{
    struct arena arena = {0};
    enum outcome outcome = OUTCOME_OK;
    for (size_t at = 0;
         at < work->out->count && outcome == OUTCOME_OK && identity_keys_were_rotated(&work->keys);
         at += ROWS_PER_STATEMENT) {
        outcome = follow_some(work, at, &arena, err);
        arena_reset(&arena);
    }
    arena_free(&arena);
    return outcome;
}

static enum outcome store_some(struct db *db, struct arena *arena, const struct renamed *items,
                               size_t count, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_uuid_array(&p, &items->from, sizeof *items, count);
    params_uuid_array(&p, &items->to, sizeof *items, count);
    return db_run(db, &sql_renaming_insert, &p, NULL, NULL, err);
}

enum outcome renaming_store(struct db *db, const struct renaming *renaming, struct err *err)
{
    struct arena arena = {0};
    enum outcome outcome = OUTCOME_OK;
    for (size_t at = 0; at < renaming->count && outcome == OUTCOME_OK; at += ROWS_PER_STATEMENT) {
        size_t left = renaming->count - at;
        outcome = store_some(db, &arena, renaming->items + at,
                             left < ROWS_PER_STATEMENT ? left : ROWS_PER_STATEMENT, err);
        arena_reset(&arena);
    }
    arena_free(&arena);
    return outcome;
}
