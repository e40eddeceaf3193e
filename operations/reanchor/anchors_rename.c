/* anchors_rename.c: identifiers that become others: their rows before the walk over facts,
 * and what is left of them after it.
 *
 * In between both are known: facts that the walk has not come to name the former ones
 * (tutti_meta.renamed says what they are). A profile keeps its name until the review, even where
 * that was a former identifier: a message about a move says from where. */
#include "operations/reanchor/anchors.h"

#include "common/codec/seal.h"
#include "reanchor_sql.h"
#include "services/identity-resolver/store/identity_store.h"

struct batch_of_names {
    struct db *db;
    struct arena *arena;
    const struct seal_keys *keys;
    struct id *names;
    size_t count;
    struct raw_value_row *values;
    size_t value_count;
};

static enum outcome run(struct batch_of_names *b, const struct statement *statement,
                        struct err *err)
{
    struct params p;
    params_init(&p, b->arena);
    params_uuid_array(&p, b->names, sizeof *b->names, b->count);
    return db_run(b->db, statement, &p, NULL, NULL, err);
}

/* A sealed value does not open under another name. */
static enum outcome take_value(struct batch_of_names *b, const struct db_result *r, int row,
                               struct err *err)
{
    struct sealed sealed = {.key_id = db_uuid(r, row, 2),
                            .wrapped_key = db_bytes(r, row, 3),
                            .nonce = db_bytes(r, row, 4),
                            .sealed = db_bytes(r, row, 5)};
    struct raw_value_row *value = &b->values[b->value_count++];
    struct span text;
    if (b->keys == NULL)
        return err_set(err, OUTCOME_FATAL, "config_missing",
                       "privacy.key_file is not set: raw values are sealed with it");
    value->identifier_id = db_uuid(r, row, 1);
    CHECK(seal_open(b->keys, b->arena, &b->names[row], &sealed, &text, err));
    seal_value(b->keys, b->arena, &value->identifier_id, text, &value->sealed);
    return OUTCOME_OK;
}

static enum outcome take_names(struct batch_of_names *b, const struct db_result *r, struct err *err)
{
    b->count = (size_t)db_rows(r);
    b->names = arena_array(b->arena, struct id, b->count);
    b->values = arena_array(b->arena, struct raw_value_row, b->count);
    for (int row = 0; row < db_rows(r); row++) {
        b->names[row] = db_uuid(r, row, 0);
        if (!db_is_null(r, row, 1) && !db_is_null(r, row, 2))
            CHECK(take_value(b, r, row, err));
    }
    return OUTCOME_OK;
}

static enum outcome read_names(struct batch_of_names *b, size_t limit, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, b->arena);
    params_int8(&p, (int64_t)limit);
    CHECK(db_run(b->db, &sql_anchors_next_names, &p, &r, NULL, err));
    enum outcome outcome = take_names(b, r, err);
    return outcome;
}

static enum outcome advance(struct batch_of_names *b, struct err *err)
{
    struct params p;
    params_init(&p, b->arena);
    params_uuid(&p, &b->names[b->count - 1]);
    return db_run(b->db, &sql_anchors_advance_names, &p, NULL, NULL, err);
}

static enum outcome run_all(struct batch_of_names *b, const struct statement *const *statements,
                            size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++)
        CHECK(run(b, statements[i], err));
    return OUTCOME_OK;
}

/* One transaction over the next names. */
static enum outcome step(struct batch_of_names *b, size_t limit,
                         const struct statement *const *statements, size_t count, struct err *err)
{
    CHECK(db_begin(b->db, err));
    enum outcome outcome = read_names(b, limit, err);
    if (outcome == OUTCOME_OK && b->count > 0)
        outcome = run_all(b, statements, count, err);
    if (outcome == OUTCOME_OK && b->value_count > 0)
        outcome = identity_store_insert_raw_values(b->db, b->arena, b->values, b->value_count, err);
    if (outcome == OUTCOME_OK && b->count > 0)
        outcome = advance(b, err);
    return db_end(b->db, outcome, err);
}

enum outcome anchors_rename_step(struct db *db, struct arena *arena, const struct seal_keys *keys,
                                 size_t limit, size_t *count, struct err *err)
{
    static const struct statement *const statements[] = {
        &sql_anchors_rename,        &sql_anchors_rename_orders, &sql_anchors_rename_aliases,
        &sql_anchors_rename_copies, &sql_anchors_drop_kept,     &sql_anchors_rename_grants,
        &sql_anchors_rename_arms,   &sql_anchors_rename_gone};
    struct batch_of_names b = {.db = db, .arena = arena, .keys = keys};
    CHECK(step(&b, limit, statements, sizeof statements / sizeof *statements, err));
    *count = b.count;
    return OUTCOME_OK;
}

enum outcome anchors_forget_step(struct db *db, struct arena *arena, size_t limit, size_t *count,
                                 struct err *err)
{
    static const struct statement *const statements[] = {
        &sql_anchors_rename_copies, &sql_anchors_forget_decisions, &sql_anchors_forget_changes,
        &sql_anchors_forget_anchors};
    struct batch_of_names b = {.db = db, .arena = arena};
    CHECK(step(&b, limit, statements, sizeof statements / sizeof *statements, err));
    *count = b.count;
    return OUTCOME_OK;
}
