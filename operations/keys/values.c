/* values.c: finding and opening one value, and wrapping all of them again; see values.h. */
#include "operations/keys/values.h"

#include <inttypes.h>

#include "common/codec/seal.h"
#include "keys_sql.h"
#include "operations/batches.h"
#include "operations/identifier.h"

static enum outcome open_keys(const struct desk *desk, struct seal_keys *keys, struct err *err)
{
    bool configured;
    CHECK(seal_keys_open(desk->config, keys, &configured, err));
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

/* ---- reveal ---- */

static enum outcome find_value(struct desk *desk, const struct id *identifier, struct sealed *out,
                               struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, desk->arena);
    params_uuid(&p, identifier);
    CHECK(db_script(desk->db, "SET ROLE tutti_pii", err));
    CHECK(db_run(desk->db, &sql_values_find, &p, &r, NULL, err));
    if (db_rows(r) > 0)
        *out = sealed_of(desk->arena, r, 0);
    bool found = db_rows(r) > 0;
    return found ? OUTCOME_OK
                 : err_set(err, OUTCOME_REJECT, "no_raw_value",
                           "no raw value is kept of this identifier");
}

enum outcome values_reveal(struct desk *desk, const char *identifier, struct report *report,
                           struct err *err)
{
    struct seal_keys keys;
    struct id id;
    struct sealed sealed;
    struct span value;
    CHECK(open_keys(desk, &keys, err));
    CHECK(desk_connect(desk, err));
    CHECK(identifier_parse(desk, identifier, &id, err));
    CHECK(find_value(desk, &id, &sealed, err));
    CHECK(seal_open(&keys, desk->arena, &id, &sealed, &value, err));
    report_value(report, "identifier", cell_id(&id), NULL);
    report_value(report, "value", cell_text(value), NULL);
    report_line(report, SPAN_FMT, SPAN_ARG(value));
    return OUTCOME_OK;
}

/* ---- rewrap ---- */

struct rewrapping {
    struct desk *desk;
    const struct seal_keys *keys;
    struct id position; /* rows up to it were looked at */
    uint64_t done, unknown;
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
    return rows->count > 0 ? db_run(work->desk->db, &sql_values_rewrap, &p, NULL, NULL, err)
                           : OUTCOME_OK;
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
    CHECK(db_run(work->desk->db, &sql_values_next, &p, &r, NULL, err));
    *found = db_rows(r);
    CHECK(rewrap_rows(work, arena, r, &rows, err));
    CHECK(save_rows(work, arena, &rows, err));
    work->done += rows.count;
    desk_step(work->desk, rows.count);
    return OUTCOME_OK;
}

enum outcome values_rewrap(struct desk *desk, struct err *err)
{
    struct seal_keys keys;
    struct rewrapping work = {.desk = desk, .keys = &keys};
    CHECK(open_keys(desk, &keys, err));
    CHECK(desk_connect(desk, err));
    CHECK(batches_run(desk, "values wrapped again", rewrap_batch, &work, err));
    return work.unknown == 0
               ? OUTCOME_OK
               : err_set(err, OUTCOME_FATAL, "seal_key_unknown",
                         "%" PRIu64 " values are wrapped with a key that neither privacy.key_file "
                         "nor privacy.previous_key_file holds",
                         work.unknown);
}
