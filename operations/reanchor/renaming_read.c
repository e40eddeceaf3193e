/* renaming_read.c: what each kept value of a type becomes. */
#include "operations/reanchor/renaming_internal.h"

#include "reanchor_sql.h"
#include "services/identity-resolver/keys/identity_touchpoint.h"
#include "services/identity-resolver/policy/identity_fold.h"

static struct id hash_of(const struct rereading *work, const struct identity_value *value,
                         struct arena *arena)
{
    return digest_identifier(&work->keys.current, work->now->name,
                             identity_canonical(value, arena));
}

/* Hashes that lead to it are 16 bytes each. */
static bool leads_to(struct span hashes, const struct id *identifier, const struct id *hash)
{
    if (id_equal(hash, identifier))
        return true;
    for (size_t at = 0; at + sizeof hash->bytes <= hashes.len; at += sizeof hash->bytes)
        if (memcmp(hashes.ptr + at, hash->bytes, sizeof hash->bytes) == 0)
            return true;
    return false;
}

/* Whether the value had come clear or hashed is not kept: the hash of its form tells. */
static bool find_form(const struct rereading *work, struct arena *arena, struct span value,
                      const struct id *identifier, struct span hashes, struct span *form)
{
    value = identity_fold(arena, work->now, value);
    for (int is_digest = 0; is_digest < 2; is_digest++) {
        struct identity_value before;
        if (!identity_normalise(work->current, work->now, value, is_digest, arena, &before))
            continue;
        struct id hash = hash_of(work, &before, arena);
        *form = before.text;
        if (leads_to(hashes, identifier, &hash))
            return true;
    }
    return false;
}

static void rename_to(struct rereading *work, const struct id *from, struct id to)
{
    struct arena *arena = work->desk->arena;
    if (map_find(&work->out->to, from))
        return;
    *arena_push(arena, work->out) = (struct renamed){*from, to, work->now};
    *(struct id *)map_put(&work->out->to, from, NULL) = to;
    work->out->vanished += id_is_nil(&to);
}

void renaming_vanish(struct rereading *work, const struct id *identifier)
{
    rename_to(work, identifier, (struct id){{0}});
}

static void reread_form(struct rereading *work, struct arena *arena, const struct id *identifier,
                        struct span form, struct span hashes)
{
    struct identity_value after;
    const struct renormalising rules = {work->current, work->candidate, work->now, work->then};
    struct span folded = identity_fold(arena, work->then, form);
    enum renormalised what = identity_renormalise(&rules, form, folded, arena, &after);
    if (what == RENORMALISED_UNSURE) {
        work->unsure++;
    } else if (what == RENORMALISED_NOTHING) {
        rename_to(work, identifier, (struct id){{0}});
    } else {
        struct id hash = hash_of(work, &after, arena);
        if (!leads_to(hashes, identifier, &hash))
            rename_to(work, identifier, hash);
    }
}

/* A value is blocked in the form in which it was sent, so the raw value decides. */
static enum outcome reread_value(struct rereading *work, struct arena *arena,
                                 const struct db_result *r, int row, struct err *err)
{
    struct id identifier = db_uuid(r, row, 0);
    struct span value, form, hashes = db_bytes(r, row, 5);
    struct sealed sealed = {.key_id = db_uuid(r, row, 1),
                            .wrapped_key = db_bytes(r, row, 2),
                            .nonce = db_bytes(r, row, 3),
                            .sealed = db_bytes(r, row, 4)};
    CHECK(seal_open(&work->raw_keys, arena, &identifier, &sealed, &value, err));
    if (identity_is_blocked(work->candidate, work->then, identity_fold(arena, work->then, value)))
        rename_to(work, &identifier, (struct id){{0}});
    else if (work->is_other && find_form(work, arena, value, &identifier, hashes, &form))
        reread_form(work, arena, &identifier, form, hashes);
    else
        work->unfound += work->is_other;
    return OUTCOME_OK;
}

static enum outcome reread_rows(struct rereading *work, struct arena *arena, size_t *count,
                                struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    enum outcome outcome = OUTCOME_OK;
    params_init(&p, arena);
    params_uuid(&p, &work->position);
    params_int2(&p, work->now->rank);
    CHECK(db_run(work->desk->db, &sql_renaming_next, &p, &r, NULL, err));
    *count = (size_t)db_rows(r);
    for (int row = 0; row < db_rows(r) && outcome == OUTCOME_OK; row++)
        if (db_is_null(r, row, 1))
            work->missing++;
        else
            outcome = reread_value(work, arena, r, row, err);
    if (*count > 0)
        work->position = db_uuid(r, (int)*count - 1, 0);
    work->looked_at += *count;
    desk_step(work->desk, *count);
    return outcome;
}

enum outcome renaming_read_values(struct rereading *work, struct err *err)
{
    struct arena arena = {0};
    enum outcome outcome = OUTCOME_OK;
    work->position = (struct id){{0}};
    work->missing = work->unfound = work->unsure = 0;
    for (size_t count = 1; count > 0 && outcome == OUTCOME_OK;) {
        arena_reset(&arena);
        outcome = desk_check_stop(work->desk, err);
        if (outcome == OUTCOME_OK)
            outcome = reread_rows(work, &arena, &count, err);
    }
    arena_free(&arena);
    return outcome;
}
