/* rotate_fill.c: hashes under the new key, from the raw values that are kept; and an end
 * of those under former keys. */
#include "operations/keys/rotate.h"

#include "common/codec/seal.h"
#include "keys_sql.h"
#include "operations/batches.h"
#include "operations/identifier.h"
#include "services/identity-resolver/store/identity_rules_store.h"

struct filling {
    struct desk *desk;
    const struct identity_keys *keys;
    struct seal_keys raw_keys;
    struct identity_policy *policy;
    struct id position; /* values up to it were looked at */
    uint64_t added, looked_at;
};

/* A value under both keys, and the identifier it is kept of. */
struct candidate {
    struct id hash, previous, identifier_id;
};

struct candidates {
    struct candidate *items;
    size_t count, capacity;
};

static struct sealed sealed_of(const struct db_result *r, int row)
{
    return (struct sealed){db_uuid(r, row, 1), db_bytes(r, row, 2), db_bytes(r, row, 3),
                           db_bytes(r, row, 4)};
}

/* Whether the value had come clear or hashed is not kept: the hash under the previous key tells. */
static enum outcome add_candidates(struct filling *work, struct arena *arena,
                                   const struct db_result *r, int row, struct candidates *out,
                                   struct err *err)
{
    struct candidate one = {.identifier_id = db_uuid(r, row, 0)};
    struct sealed sealed = sealed_of(r, row);
    struct span value, type = db_bytes(r, row, 5);
    CHECK(seal_open(&work->raw_keys, arena, &one.identifier_id, &sealed, &value, err));
    for (int is_digest = 0; is_digest < 2; is_digest++)
        if (identifier_hash(arena, work->policy, &work->keys->current, type, value, is_digest,
                            &one.hash) &&
            identifier_hash(arena, work->policy, &work->keys->previous, type, value, is_digest,
                            &one.previous))
            *arena_push(arena, out) = one;
    return OUTCOME_OK;
}

static enum outcome save(struct filling *work, struct arena *arena, const struct candidates *rows,
                         struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    if (rows->count == 0)
        return OUTCOME_OK;
    params_init(&p, arena);
    params_uuid_array(&p, &rows->items->hash, sizeof *rows->items, rows->count);
    params_uuid_array(&p, &rows->items->previous, sizeof *rows->items, rows->count);
    params_uuid_array(&p, &rows->items->identifier_id, sizeof *rows->items, rows->count);
    params_int2(&p, work->keys->state.number);
    CHECK(db_run(work->desk->db, &sql_rotate_fill, &p, &r, NULL, err));
    work->added += (uint64_t)db_int8(r, 0, 0);
    return OUTCOME_OK;
}

/* As every transaction that stores what depends on the key. */
static enum outcome hold_keys(struct filling *work, struct arena *arena, struct err *err)
{
    struct active_policy active;
    bool found;
    CHECK(identity_store_hold_active(work->desk->db, arena, &active, &found, err));
    return found && active.key_epoch == work->keys->state.epoch
               ? OUTCOME_OK
               : err_set(err, OUTCOME_FATAL, "keys_changed",
                         "the exchange of keys or the policy went on meanwhile: run it again");
}

static enum outcome fill_batch(void *arg, struct arena *arena, int *found, struct err *err)
{
    struct filling *work = arg;
    struct candidates rows = {0};
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_uuid(&p, &work->position);
    params_int2(&p, work->keys->state.number);
    CHECK(hold_keys(work, arena, err));
    CHECK(db_run(work->desk->db, &sql_rotate_next_values, &p, &r, NULL, err));
    enum outcome outcome = OUTCOME_OK;
    *found = db_rows(r);
    for (int row = 0; row < *found && outcome == OUTCOME_OK; row++)
        outcome = add_candidates(work, arena, r, row, &rows, err);
    if (*found > 0)
        work->position = db_uuid(r, *found - 1, 0);
    work->looked_at += (uint64_t)*found;
    desk_step(work->desk, (uint64_t)*found);
    return outcome == OUTCOME_OK ? save(work, arena, &rows, err) : outcome;
}

enum outcome rotate_fill(struct desk *desk, const struct identity_keys *keys, uint64_t *added,
                         uint64_t *left, struct err *err)
{
    struct filling work = {
        .desk = desk, .keys = keys, .policy = arena_new(desk->arena, struct identity_policy)};
    bool configured;
    *added = *left = 0;
    CHECK(seal_keys_open(desk->config, &work.raw_keys, &configured, err));
    if (!configured)
        return OUTCOME_OK;
    CHECK(identifier_policy(desk, work.policy, err));
    enum outcome outcome =
        batches_run(desk, "values hashed with the new key", fill_batch, &work, err);
    *added = work.added;
    *left = work.looked_at - work.added;
    return outcome;
}

static enum outcome forget_some(struct desk *desk, struct arena *arena, int16_t key_number,
                                struct id *position, bool *found, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_uuid(&p, position);
    params_int2(&p, key_number);
    CHECK(db_run(desk->db, &sql_rotate_forget, &p, &r, NULL, err));
    *found = db_rows(r) > 0;
    if (*found)
        *position = db_uuid(r, 0, 0);
    return OUTCOME_OK;
}

enum outcome rotate_forget(struct desk *desk, int16_t key_number, struct err *err)
{
    struct arena arena = {0};
    struct id position = {{0}};
    enum outcome outcome = OUTCOME_OK;
    for (bool found = true; found && outcome == OUTCOME_OK && !desk_is_stopped(desk);) {
        outcome = forget_some(desk, &arena, key_number, &position, &found, err);
        arena_reset(&arena);
    }
    arena_free(&arena);
    return outcome;
}
