/* identity_store.c: binds parameters, reads rows and copies new ones; the SQL is in sql/. */
#include "services/identity-resolver/store/identity_store.h"

#include "identity_resolver_sql.h"

static enum outcome run_on_ids(struct db *db, struct arena *arena, struct statement statement,
                               const struct id *ids, size_t count, struct db_result **result,
                               struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_uuid_array(&p, ids, sizeof *ids, count);
    return db_run(db, &statement, &p, result, NULL, err);
}

static void take_identifiers(const struct db_result *r, struct arena *arena,
                             struct identifier_rows *out)
{
    for (int i = 0; i < db_rows(r); i++)
        *arena_push(arena, out) = (struct identifier_row){
            .identifier_id = db_uuid(r, i, 0),
            .profile_id = db_uuid(r, i, 1),
            .first_seen = db_timestamptz(r, i, 2),
            .version = db_int8(r, i, 3),
            .type = db_int2(r, i, 4),
            .is_quarantined = db_bool(r, i, 5),
            .has_refused = db_bool(r, i, 6),
        };
}

static enum outcome find_identifiers(struct db *db, struct arena *arena, struct statement statement,
                                     const struct id *ids, size_t count,
                                     struct identifier_rows *out, struct err *err)
{
    struct db_result *r = NULL;
    CHECK(run_on_ids(db, arena, statement, ids, count, &r, err));
    take_identifiers(r, arena, out);
    return OUTCOME_OK;
}

enum outcome identity_store_find_identifiers(struct db *db, struct arena *arena,
                                             const struct id *ids, size_t count,
                                             struct identifier_rows *out, struct err *err)
{
    return find_identifiers(db, arena, sql_find_identifiers, ids, count, out, err);
}

enum outcome identity_store_members(struct db *db, struct arena *arena, const struct id *profiles,
                                    size_t count, struct identifier_rows *out, struct err *err)
{
    return find_identifiers(db, arena, sql_find_members, profiles, count, out, err);
}

static void take_links(const struct db_result *r, struct arena *arena, struct link_rows *out)
{
    for (int i = 0; i < db_rows(r); i++)
        *arena_push(arena, out) = (struct link_row){
            .key = {db_uuid(r, i, 0), db_uuid(r, i, 1)},
            .first_seen = db_timestamptz(r, i, 2),
            .evidence = db_uuid(r, i, 3),
            .refused_by = db_int2(r, i, 4),
            .is_indirect = db_bool(r, i, 5),
        };
}

enum outcome identity_store_find_links(struct db *db, struct arena *arena,
                                       const struct link_row *wanted, size_t count,
                                       struct link_rows *out, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_uuid_array(&p, &wanted->key.a, sizeof *wanted, count);
    params_uuid_array(&p, &wanted->key.b, sizeof *wanted, count);
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_find_links, &p, &r, NULL, err));
    take_links(r, arena, out);
    return OUTCOME_OK;
}

enum outcome identity_store_member_links(struct db *db, struct arena *arena,
                                         const struct id *members, size_t count,
                                         struct link_rows *out, struct err *err)
{
    struct db_result *r = NULL;
    CHECK(run_on_ids(db, arena, sql_find_member_links, members, count, &r, err));
    take_links(r, arena, out);
    return OUTCOME_OK;
}

enum outcome identity_store_quarantined_links(struct db *db, struct arena *arena,
                                              const struct id *members, size_t count,
                                              struct link_rows *out, struct err *err)
{
    struct db_result *r = NULL;
    CHECK(run_on_ids(db, arena, sql_find_quarantined_links, members, count, &r, err));
    take_links(r, arena, out);
    return OUTCOME_OK;
}

enum outcome identity_store_count_degrees(struct db *db, struct arena *arena, const struct id *ids,
                                          size_t count, struct degree_rows *out, struct err *err)
{
    struct db_result *r = NULL;
    CHECK(run_on_ids(db, arena, sql_count_degrees, ids, count, &r, err));
    for (int i = 0; i < db_rows(r); i++)
        *arena_push(arena, out) =
            (struct degree_row){db_uuid(r, i, 0), db_int2(r, i, 1), db_int8(r, i, 2)};
    return OUTCOME_OK;
}

enum outcome identity_store_next_profiles(struct db *db, struct arena *arena,
                                          const struct id *after, size_t limit, struct id_list *out,
                                          struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_uuid(&p, after);
    params_int8(&p, (int64_t)limit);
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_next_profiles, &p, &r, NULL, err));
    for (int i = 0; i < db_rows(r); i++)
        *arena_push(arena, out) = db_uuid(r, i, 0);
    return OUTCOME_OK;
}

enum outcome identity_store_newest(struct db *db, struct arena *arena, size_t limit,
                                   struct identifier_rows *identifiers, struct link_rows *links,
                                   struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_int8(&p, (int64_t)limit);
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_newest_identifiers, &p, &r, NULL, err));
    take_identifiers(r, arena, identifiers);
    CHECK(db_run(db, &sql_newest_links, &p, &r, NULL, err));
    take_links(r, arena, links);
    return OUTCOME_OK;
}

static enum outcome run_on_stripes(struct db *db, struct arena *arena, struct statement statement,
                                   const struct stripe_list *stripes, int64_t *locked,
                                   struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_int4_array(&p, stripes->items, sizeof *stripes->items, stripes->count);
    struct db_result *r = NULL;
    CHECK(db_run(db, &statement, &p, &r, NULL, err));
    *locked = db_int8(r, 0, 0);
    return OUTCOME_OK;
}

enum outcome identity_store_lock_stripes(struct db *db, struct arena *arena,
                                         const struct stripe_list *stripes, struct err *err)
{
    int64_t locked;
    CHECK(run_on_stripes(db, arena, sql_lock_stripes, stripes, &locked, err));
    return locked == (int64_t)stripes->count
               ? OUTCOME_OK
               : err_set(err, OUTCOME_FATAL, "lock_stripes",
                         "identity.lock_stripes lacks rows: it must hold 0 to 65535");
}

enum outcome identity_store_try_stripes(struct db *db, struct arena *arena,
                                        const struct stripe_list *stripes, bool *all,
                                        struct err *err)
{
    int64_t locked;
    CHECK(run_on_stripes(db, arena, sql_try_stripes, stripes, &locked, err));
    *all = locked == (int64_t)stripes->count;
    return OUTCOME_OK;
}

enum outcome identity_store_copy_identifiers(struct db *db, const struct identifier_row *rows,
                                             size_t count, int16_t key_number, struct err *err)
{
    CHECK(db_copy_begin(db, sql_copy_identifiers.sql, err));
    for (size_t i = 0; i < count; i++) {
        copy_row(db, 8);
        copy_uuid(db, &rows[i].identifier_id);
        copy_uuid(db, &rows[i].profile_id);
        copy_timestamptz(db, rows[i].first_seen);
        copy_int8(db, rows[i].version);
        copy_int2(db, rows[i].type);
        copy_bool(db, rows[i].is_quarantined);
        copy_bool(db, rows[i].has_refused);
        copy_int2(db, key_number);
    }
    return db_copy_end(db, NULL, err);
}

enum outcome identity_store_copy_links(struct db *db, const struct link_row *rows, size_t count,
                                       struct err *err)
{
    CHECK(db_copy_begin(db, sql_copy_links.sql, err));
    for (size_t i = 0; i < count; i++) {
        copy_row(db, 6);
        copy_uuid(db, &rows[i].key.a);
        copy_uuid(db, &rows[i].key.b);
        copy_timestamptz(db, rows[i].first_seen);
        copy_uuid(db, &rows[i].evidence);
        copy_int2(db, rows[i].refused_by);
        copy_bool(db, rows[i].is_indirect);
    }
    return db_copy_end(db, NULL, err);
}

enum outcome identity_store_update_identifiers(struct db *db, struct arena *arena,
                                               const struct identifier_row *rows, size_t count,
                                               struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_uuid_array(&p, &rows->identifier_id, sizeof *rows, count);
    params_uuid_array(&p, &rows->profile_id, sizeof *rows, count);
    params_timestamptz_array(&p, &rows->first_seen, sizeof *rows, count);
    params_int8_array(&p, &rows->version, sizeof *rows, count);
    params_bool_array(&p, &rows->is_quarantined, sizeof *rows, count);
    params_bool_array(&p, &rows->has_refused, sizeof *rows, count);
    return db_run(db, &sql_update_identifiers, &p, NULL, NULL, err);
}

enum outcome identity_store_update_links(struct db *db, struct arena *arena,
                                         const struct link_row *rows, size_t count, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_uuid_array(&p, &rows->key.a, sizeof *rows, count);
    params_uuid_array(&p, &rows->key.b, sizeof *rows, count);
    params_timestamptz_array(&p, &rows->first_seen, sizeof *rows, count);
    params_uuid_array(&p, &rows->evidence, sizeof *rows, count);
    params_int2_array(&p, &rows->refused_by, sizeof *rows, count);
    params_bool_array(&p, &rows->is_indirect, sizeof *rows, count);
    return db_run(db, &sql_update_links, &p, NULL, NULL, err);
}

enum outcome identity_store_next_version(struct db *db, struct arena *arena, int64_t *version,
                                         struct err *err)
{
    struct params p;
    params_init(&p, arena);
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_next_version, &p, &r, NULL, err));
    *version = db_int8(r, 0, 0);
    return OUTCOME_OK;
}

enum outcome identity_store_insert_changes(struct db *db, struct arena *arena,
                                           const struct identity_change *change,
                                           int32_t policy_version, struct err *err)
{
    const struct identity_move *moves = change->moves;
    struct params p;
    params_init(&p, arena);
    params_int8(&p, change->version);
    params_uuid_array(&p, &moves->identifier_id, sizeof *moves, change->move_count);
    params_uuid_array(&p, &moves->old_profile_id, sizeof *moves, change->move_count);
    params_uuid_array(&p, &moves->profile_id, sizeof *moves, change->move_count);
    params_bool_array(&p, &moves->is_shared, sizeof *moves, change->move_count);
    params_bool_array(&p, &moves->is_person, sizeof *moves, change->move_count);
    params_timestamptz(&p, (struct instant){change->changed_at});
    params_text(&p, change->cause);
    params_uuid(&p, &change->cause_id);
    params_int4(&p, policy_version);
    return db_run(db, &sql_insert_changes, &p, NULL, NULL, err);
}

enum outcome identity_store_insert_outbox(struct db *db, struct arena *arena, int64_t version,
                                          int32_t part, const struct id *profile,
                                          struct span payload, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_int8(&p, version);
    params_int4(&p, part);
    params_uuid(&p, profile);
    params_bytea(&p, payload);
    return db_run(db, &sql_insert_outbox, &p, NULL, NULL, err);
}

enum outcome identity_store_find_outbox(struct db *db, struct arena *arena,
                                        struct identity_outbox_row **rows, size_t *count,
                                        struct err *err)
{
    struct params p;
    params_init(&p, arena);
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_find_outbox, &p, &r, NULL, err));
    *count = (size_t)db_rows(r);
    *rows = arena_array(arena, struct identity_outbox_row, *count);
    for (size_t i = 0; i < *count; i++)
        (*rows)[i] = (struct identity_outbox_row){db_int8(r, (int)i, 0), db_uuid(r, (int)i, 2),
                                                  arena_copy(arena, db_bytes(r, (int)i, 3))};
    return OUTCOME_OK;
}

enum outcome identity_store_find_open_work(struct db *db, struct open_work *out, struct err *err)
{
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_find_open_work, NULL, &r, NULL, err));
    *out = (struct open_work){db_int8(r, 0, 0), db_int8(r, 0, 1), db_int8(r, 0, 2)};
    return OUTCOME_OK;
}

enum outcome identity_store_delete_outbox(struct db *db, struct arena *arena,
                                          const int64_t *versions, size_t count, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_int8_array(&p, versions, sizeof *versions, count);
    return db_run(db, &sql_delete_outbox, &p, NULL, NULL, err);
}

enum outcome identity_store_insert_raw_values(struct db *db, struct arena *arena,
                                              const struct raw_value_row *rows, size_t count,
                                              struct err *err)
{
    size_t stride = sizeof *rows;
    struct params p;
    params_init(&p, arena);
    params_uuid_array(&p, &rows->identifier_id, stride, count);
    params_uuid_array(&p, &rows->sealed.key_id, stride, count);
    params_bytea_array(&p, &rows->sealed.wrapped_key, stride, count);
    params_bytea_array(&p, &rows->sealed.nonce, stride, count);
    params_bytea_array(&p, &rows->sealed.sealed, stride, count);
    return db_run(db, &sql_insert_raw_values, &p, NULL, NULL, err);
}
