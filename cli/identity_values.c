/* identity_values.c: `tutti identity reveal|rewrap`: raw values, for those who may see them, and
 * the exchange of the privacy key.
 */
#include <inttypes.h>
#include <stdio.h>

#include "cli/batches.h"
#include "cli/identity.h"
#include "cli/printable.h"
#include "cli/session.h"
#include "cli_sql.h"
#include "common/codec/json_write.h"
#include "common/codec/seal.h"
#include "operations/identifier.h"

static enum outcome open_keys(const struct call *call, struct seal_keys *keys, struct err *err)
{
    bool configured;
    CHECK(seal_keys_open(call->config, keys, &configured, err));
    return configured
               ? OUTCOME_OK
               : err_set(err, OUTCOME_FATAL, "config_missing",
                         "privacy.key_file is not set: the key that raw values are encrypted with");
}

static struct sealed sealed_of(struct arena *arena, const struct db_result *r, int row)
{
    return (struct sealed){
        .key_id = db_uuid(r, row, 1),
        .wrapped_key = arena_copy(arena, db_bytes(r, row, 2)),
        .nonce = arena_copy(arena, db_bytes(r, row, 3)),
        .sealed = arena_copy(arena, db_bytes(r, row, 4)),
    };
}

/* ---------------------------------------------------------------------------------------------------------
 * reveal */

static enum outcome find_value(struct call *call, struct db *db, const struct id *identifier,
                               struct sealed *out, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, &call->arena);
    params_uuid(&p, identifier);
    CHECK(db_script(db, "SET ROLE tutti_pii", err)); /* whoever may not become it may not see it */
    CHECK(db_run(db, &sql_values_find, &p, &r, NULL, err));
    if (db_rows(r) > 0)
        *out = sealed_of(&call->arena, r, 0);
    bool found = db_rows(r) > 0;
    return found ? OUTCOME_OK
                 : err_set(err, OUTCOME_REJECT, "no_raw_value",
                           "no raw value is kept of this identifier");
}

static void print_value(struct call *call, const struct id *identifier, struct span value)
{
    if (!call_has(call, "json")) {
        puts(printable(&call->arena, value));
        return;
    }
    struct strbuf json = {.arena = &call->arena};
    char id[37];
    id_to_uuid(identifier, id);
    strbuf_addf(&json, "{\"identifier\":\"%s\",\"value\":", id);
    json_add_text(&json, value);
    printf(SPAN_FMT "}\n", SPAN_ARG(strbuf_span(&json)));
}

enum exit_status identity_reveal(struct call *call)
{
    struct seal_keys keys;
    struct id identifier;
    struct sealed sealed;
    struct span value;
    struct db *db = NULL;
    struct err err = {0};
    enum outcome o = open_keys(call, &keys, &err);
    if (o == OUTCOME_OK)
        o = database_connect(call, &db, &err);
    struct desk desk = call_desk(call, db);
    if (o == OUTCOME_OK)
        o = identifier_parse(&desk, call_argument(call, 1), &identifier, &err);
    if (o == OUTCOME_OK)
        o = find_value(call, db, &identifier, &sealed, &err);
    if (o == OUTCOME_OK)
        o = seal_open(&keys, &call->arena, &identifier, &sealed, &value, &err);
    if (o == OUTCOME_OK)
        print_value(call, &identifier, value);
    db_close(db);
    return o == OUTCOME_OK ? EXIT_DONE : failed(&err);
}

/* ---------------------------------------------------------------------------------------------------------
 * rewrap */

struct rewrapping {
    struct db *db;
    const struct seal_keys *keys;
    struct id position; /* rows up to it were looked at */
    uint64_t done, unknown;
    struct progress progress;
};

struct rewrapped {
    struct id *identifiers;
    struct span *wrapped;
    size_t count;
};

static enum outcome rewrap_rows(struct rewrapping *work, struct arena *arena,
                                const struct db_result *r, struct rewrapped *out, struct err *err)
{
    out->identifiers = arena_array(arena, struct id, (size_t)db_rows(r));
    out->wrapped = arena_array(arena, struct span, (size_t)db_rows(r));
    for (int row = 0; row < db_rows(r); row++) {
        struct sealed old = sealed_of(arena, r, row), wrapped;
        work->position = db_uuid(r, row, 0);
        if (seal_rewrap(work->keys, arena, &work->position, &old, &wrapped, err) != OUTCOME_OK) {
            work->unknown++;
            continue;
        }
        out->identifiers[out->count] = work->position;
        out->wrapped[out->count++] = wrapped.wrapped_key;
    }
    return OUTCOME_OK;
}

static enum outcome save_rows(struct rewrapping *work, struct arena *arena,
                              const struct rewrapped *rows, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_uuid_array(&p, rows->identifiers, sizeof *rows->identifiers, rows->count);
    params_bytea_array(&p, rows->wrapped, sizeof *rows->wrapped, rows->count);
    params_uuid(&p, &work->keys->current.fingerprint);
    return rows->count > 0 ? db_run(work->db, &sql_values_rewrap, &p, NULL, NULL, err) : OUTCOME_OK;
}

/* One transaction over the next thousand rows of other keys; *found is 0 at the end. */
static enum outcome rewrap_batch(void *arg, struct arena *arena, int *found, struct err *err)
{
    struct rewrapping *work = arg;
    struct rewrapped rows = {0};
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_uuid(&p, &work->keys->current.fingerprint);
    params_uuid(&p, &work->position);
    CHECK(db_run(work->db, &sql_values_next, &p, &r, NULL, err));
    *found = db_rows(r);
    enum outcome o = rewrap_rows(work, arena, r, &rows, err);
    if (o == OUTCOME_OK)
        o = save_rows(work, arena, &rows, err);
    work->done += rows.count;
    progress_step(&work->progress, rows.count);
    return o;
}

enum exit_status identity_rewrap(struct call *call)
{
    struct seal_keys keys;
    struct rewrapping work = {.keys = &keys};
    struct err err = {0};
    enum outcome o = open_keys(call, &keys, &err);
    if (o == OUTCOME_OK)
        o = database_connect(call, &work.db, &err);
    if (o == OUTCOME_OK)
        o = batches_run(work.db, &work.progress, "values wrapped again", rewrap_batch, &work, &err);
    db_close(work.db);
    if (o == OUTCOME_OK && work.unknown > 0)
        o = err_set(&err, OUTCOME_FATAL, "seal_key_unknown",
                    "%" PRIu64 " values are wrapped with a key that neither privacy.key_file nor "
                    "privacy.previous_key_file holds",
                    work.unknown);
    return o == OUTCOME_OK ? EXIT_DONE : failed(&err);
}
