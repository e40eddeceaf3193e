/* identity_store.c: see identity_store.h; the SQL stands in sql/. */
#include "services/identity-resolver/identity_store.h"

#include "identity_resolver_sql.h"
#include "services/identity-resolver/logic/identity.h"

#define STATEMENT(id) ((struct statement){"identity_" #id, sql_##id})

static enum outcome run_on_ids(struct db *db, struct arena *arena, struct statement statement, const struct id *ids, size_t count,
                               struct db_result **result, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_uuid_array(&p, ids, sizeof *ids, count);
    return db_run(db, &statement, &p, result, NULL, err);
}

static enum outcome find_identifiers(struct db *db, struct arena *arena, struct statement statement, bool with_type,
                                     const struct id *ids, size_t count, struct identifier_rows *out, struct err *err)
{
    struct db_result *r = NULL;
    enum outcome o = run_on_ids(db, arena, statement, ids, count, &r, err);
    for (int i = 0; o == OUTCOME_OK && i < db_rows(r); i++)
        *arena_push(arena, out) = (struct identifier_row){
            .identifier_id = db_uuid(r, i, 0),
            .profile_id = db_uuid(r, i, 1),
            .first_seen = db_timestamptz(r, i, 2),
            .version = db_int8(r, i, 3),
            .type = with_type ? db_int2(r, i, 4) : 0,
        };
    db_result_free(r);
    return o;
}

enum outcome store_find_identifiers(struct db *db, struct arena *arena, const struct id *ids, size_t count,
                                    struct identifier_rows *out, struct err *err)
{
    return find_identifiers(db, arena, STATEMENT(find_identifiers), false, ids, count, out, err);
}

enum outcome store_members(struct db *db, struct arena *arena, const struct id *profiles, size_t count,
                           struct identifier_rows *out, struct err *err)
{
    return find_identifiers(db, arena, STATEMENT(find_members), true, profiles, count, out, err);
}

static void take_links(const struct db_result *r, struct arena *arena, struct link_rows *out)
{
    for (int i = 0; i < db_rows(r); i++)
        *arena_push(arena, out) = (struct link_row){
            .key = {db_uuid(r, i, 0), db_uuid(r, i, 1)}, .first_seen = db_timestamptz(r, i, 2), .evidence = db_uuid(r, i, 3)};
}

enum outcome store_find_links(struct db *db, struct arena *arena, const struct link_row *wanted, size_t count,
                              struct link_rows *out, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_uuid_array(&p, &wanted->key.a, sizeof *wanted, count);
    params_uuid_array(&p, &wanted->key.b, sizeof *wanted, count);
    struct db_result *r = NULL;
    enum outcome o = db_run(db, &STATEMENT(find_links), &p, &r, NULL, err);
    if (o == OUTCOME_OK)
        take_links(r, arena, out);
    db_result_free(r);
    return o;
}

enum outcome store_member_links(struct db *db, struct arena *arena, const struct id *members, size_t count, struct link_rows *out,
                                struct err *err)
{
    struct db_result *r = NULL;
    enum outcome o = run_on_ids(db, arena, STATEMENT(find_member_links), members, count, &r, err);
    if (o == OUTCOME_OK)
        take_links(r, arena, out);
    db_result_free(r);
    return o;
}

enum outcome store_insert_identifiers(struct db *db, struct arena *arena, const struct identifier_row *rows, size_t count,
                                      struct id **inserted, size_t *inserted_count, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_uuid_array(&p, &rows->identifier_id, sizeof *rows, count);
    params_uuid_array(&p, &rows->profile_id, sizeof *rows, count);
    params_timestamptz_array(&p, &rows->first_seen, sizeof *rows, count);
    params_int2_array(&p, &rows->type, sizeof *rows, count);
    struct db_result *r = NULL;
    enum outcome o = db_run(db, &STATEMENT(insert_identifiers), &p, &r, NULL, err);
    if (o == OUTCOME_OK) {
        *inserted_count = (size_t)db_rows(r);
        *inserted = arena_array(arena, struct id, *inserted_count);
        for (int i = 0; i < db_rows(r); i++)
            (*inserted)[i] = db_uuid(r, i, 0);
    }
    db_result_free(r);
    return o;
}

enum outcome store_insert_profiles(struct db *db, struct arena *arena, const struct id *profiles, size_t count, struct err *err)
{
    return run_on_ids(db, arena, STATEMENT(insert_profiles), profiles, count, NULL, err);
}

enum outcome store_lock_profiles(struct db *db, struct arena *arena, const struct id *profiles, size_t count, struct err *err)
{
    return run_on_ids(db, arena, STATEMENT(lock_profiles), profiles, count, NULL, err);
}

enum outcome store_upsert_links(struct db *db, struct arena *arena, const struct link_row *links, size_t count, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_uuid_array(&p, &links->key.a, sizeof *links, count);
    params_uuid_array(&p, &links->key.b, sizeof *links, count);
    params_timestamptz_array(&p, &links->first_seen, sizeof *links, count);
    params_uuid_array(&p, &links->evidence, sizeof *links, count);
    return db_run(db, &STATEMENT(upsert_links), &p, NULL, NULL, err);
}

enum outcome store_lower_first_seen(struct db *db, struct arena *arena, const struct identifier_row *rows, size_t count,
                                    struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_uuid_array(&p, &rows->identifier_id, sizeof *rows, count);
    params_timestamptz_array(&p, &rows->first_seen, sizeof *rows, count);
    return db_run(db, &STATEMENT(lower_first_seen), &p, NULL, NULL, err);
}

enum outcome store_next_version(struct db *db, struct arena *arena, int64_t *version, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    struct db_result *r = NULL;
    enum outcome o = db_run(db, &STATEMENT(next_version), &p, &r, NULL, err);
    if (o == OUTCOME_OK)
        *version = db_int8(r, 0, 0);
    db_result_free(r);
    return o;
}

enum outcome store_move(struct db *db, struct arena *arena, const struct identity_move *moves, size_t count, int64_t version,
                        struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_uuid_array(&p, &moves->identifier_id, sizeof *moves, count);
    params_uuid_array(&p, &moves->profile_id, sizeof *moves, count);
    params_int8(&p, version);
    return db_run(db, &STATEMENT(move_identifiers), &p, NULL, NULL, err);
}

enum outcome store_insert_changes(struct db *db, struct arena *arena, const struct identity_change *change, struct err *err)
{
    const struct identity_move *moves = change->moves;
    struct params p;
    params_init(&p, arena);
    params_int8(&p, change->version);
    params_uuid_array(&p, &moves->identifier_id, sizeof *moves, change->move_count);
    params_uuid_array(&p, &moves->old_profile_id, sizeof *moves, change->move_count);
    params_uuid_array(&p, &moves->profile_id, sizeof *moves, change->move_count);
    params_timestamptz(&p, (struct instant){change->changed_at});
    params_text(&p, change->cause);
    params_uuid(&p, &change->cause_id);
    return db_run(db, &STATEMENT(insert_changes), &p, NULL, NULL, err);
}

enum outcome store_insert_outbox(struct db *db, struct arena *arena, int64_t version, int32_t part, const struct id *profile,
                                 struct span payload, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_int8(&p, version);
    params_int4(&p, part);
    params_uuid(&p, profile);
    params_bytea(&p, payload);
    return db_run(db, &STATEMENT(insert_outbox), &p, NULL, NULL, err);
}

enum outcome store_find_outbox(struct db *db, struct arena *arena, struct outbox_row **rows, size_t *count, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    struct db_result *r = NULL;
    enum outcome o = db_run(db, &STATEMENT(find_outbox), &p, &r, NULL, err);
    *count = o == OUTCOME_OK ? (size_t)db_rows(r) : 0;
    *rows = arena_array(arena, struct outbox_row, *count);
    for (size_t i = 0; i < *count; i++)
        (*rows)[i] = (struct outbox_row){db_int8(r, (int)i, 0), db_uuid(r, (int)i, 2), arena_copy(arena, db_bytes(r, (int)i, 3))};
    db_result_free(r);
    return o;
}

enum outcome store_delete_outbox(struct db *db, struct arena *arena, const int64_t *versions, size_t count, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_int8_array(&p, versions, sizeof *versions, count);
    return db_run(db, &STATEMENT(delete_outbox), &p, NULL, NULL, err);
}

enum outcome store_insert_unidentified(struct db *db, struct arena *arena, const struct unidentified_row *rows, size_t count,
                                       struct err *err)
{
    size_t stride = sizeof *rows;
    struct params p;
    params_init(&p, arena);
    params_uuid_array(&p, &rows->event_id, stride, count);
    params_timestamptz_array(&p, &rows->occurred_at, stride, count);
    params_timestamptz_array(&p, &rows->received_at, stride, count);
    params_smallest_is_null(&p);
    params_text_array(&p, &rows->source, stride, count);
    params_text_array(&p, &rows->message_id, stride, count);
    params_text_array(&p, &rows->channel, stride, count);
    params_text_array(&p, &rows->event_name, stride, count);
    params_text_array(&p, &rows->direction, stride, count);
    params_text_array(&p, &rows->department, stride, count);
    params_text_array(&p, &rows->purpose, stride, count);
    return db_run(db, &STATEMENT(insert_unidentified), &p, NULL, NULL, err);
}

enum outcome store_claim_setting(struct db *db, struct arena *arena, const char *name, struct span value, const char *explanation,
                                 struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_text(&p, span_of(name));
    params_text(&p, value);
    enum outcome o = db_run(db, &STATEMENT(claim_setting), &p, NULL, NULL, err);
    if (o != OUTCOME_OK)
        return o;
    params_init(&p, arena);
    params_text(&p, span_of(name));
    struct db_result *r = NULL;
    o = db_run(db, &STATEMENT(find_setting), &p, &r, NULL, err);
    if (o == OUTCOME_OK && !span_equal(db_bytes(r, 0, 0), value))
        o = err_set(err, OUTCOME_FATAL, "other_setting", "%s", explanation);
    db_result_free(r);
    return o;
}

enum outcome store_types(struct db *db, struct arena *arena, const struct identity_policy *policy, struct err *err)
{
    const struct identity_type *types = policy->types;
    struct params p;
    params_init(&p, arena);
    params_int2_array(&p, &types->rank, sizeof *types, policy->type_count);
    params_text_array(&p, &types->name, sizeof *types, policy->type_count);
    params_bool_array(&p, &types->is_unique, sizeof *types, policy->type_count);
    return db_run(db, &STATEMENT(upsert_types), &p, NULL, NULL, err);
}
