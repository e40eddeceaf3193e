/* identity_rules_store.c: binds parameters and reads rows; the SQL is in sql/. */
#include "services/identity-resolver/store/identity_rules_store.h"

#include "identity_resolver_sql.h"

enum outcome identity_store_claim_setting(struct db *db, struct arena *arena, const char *name,
                                          struct span value, const char *explanation,
                                          struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_text(&p, span_of(name));
    params_text(&p, value);
    CHECK(db_run(db, &sql_claim_setting, &p, NULL, NULL, err));
    params_init(&p, arena);
    params_text(&p, span_of(name));
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_find_setting, &p, &r, NULL, err));
    return span_equal(db_bytes(r, 0, 0), value)
               ? OUTCOME_OK
               : err_set(err, OUTCOME_FATAL, "other_setting", "%s", explanation);
}

enum outcome identity_store_types(struct db *db, struct arena *arena,
                                  const struct identity_policy *policy, struct err *err)
{
    const struct identity_type *types = policy->types;
    struct params p;
    params_init(&p, arena);
    params_int2_array(&p, &types->rank, sizeof *types, policy->type_count);
    params_text_array(&p, &types->name, sizeof *types, policy->type_count);
    params_bool_array(&p, &types->is_unique, sizeof *types, policy->type_count);
    return db_run(db, &sql_upsert_types, &p, NULL, NULL, err);
}

static void take_found(const struct db_result *r, struct arena *arena, struct found_rows *out)
{
    for (int i = 0; i < db_rows(r); i++)
        *arena_push(arena, out) =
            (struct found_row){db_uuid(r, i, 0), db_uuid(r, i, 1), db_bool(r, i, 2)};
}

enum outcome identity_store_find_hashes(struct db *db, struct arena *arena,
                                        const struct value_hashes *hashes, struct found_rows *out,
                                        struct err *err)
{
    const struct value_hash *items = hashes->items;
    struct params p;
    params_init(&p, arena);
    params_uuid_array(&p, &items->hash, sizeof *items, hashes->count);
    params_uuid_array(&p, &items->previous, sizeof *items, hashes->count);
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_find_hashes, &p, &r, NULL, err));
    take_found(r, arena, out);
    return OUTCOME_OK;
}

enum outcome identity_store_newest_found_by(struct db *db, struct arena *arena, size_t limit,
                                            int16_t key_number, struct found_rows *out,
                                            struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_int8(&p, (int64_t)limit);
    params_int2(&p, key_number);
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_newest_found_by, &p, &r, NULL, err));
    take_found(r, arena, out);
    return OUTCOME_OK;
}

enum outcome identity_store_insert_found_by(struct db *db, struct arena *arena,
                                            const struct found_rows *rows, int16_t key_number,
                                            struct err *err)
{
    const struct found_row *items = rows->items;
    struct params p;
    params_init(&p, arena);
    params_uuid_array(&p, &items->hash, sizeof *items, rows->count);
    params_uuid_array(&p, &items->identifier_id, sizeof *items, rows->count);
    params_int2(&p, key_number);
    return db_run(db, &sql_insert_found_by, &p, NULL, NULL, err);
}

enum outcome identity_store_replace_rules(struct db *db, struct arena *arena,
                                          const struct identity_policy *policy, struct span rules,
                                          struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_text(&p, SPAN("anchor_rules"));
    params_text(&p, rules);
    CHECK(db_run(db, &sql_replace_setting, &p, NULL, NULL, err));
    CHECK(db_run(db, &sql_delete_types, NULL, NULL, NULL, err));
    return identity_store_types(db, arena, policy, err);
}

enum outcome identity_store_hold_active(struct db *db, struct arena *arena,
                                        struct active_policy *out, bool *found, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_active_policy, &p, &r, NULL, err));
    *found = db_rows(r) > 0;
    if (*found)
        *out = (struct active_policy){db_int4(r, 0, 0), db_bool(r, 0, 1), db_bool(r, 0, 2),
                                      db_int4(r, 0, 3), db_int8(r, 0, 4)};
    return OUTCOME_OK;
}

enum outcome identity_store_find_policy(struct db *db, struct arena *arena, int32_t *version,
                                        struct id *hash, struct span *text, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_find_policy, &p, &r, NULL, err));
    if (db_rows(r) == 0)
        return err_set(err, OUTCOME_FATAL, "no_identity_policy",
                       "no identity policy is active: start identity-resolver once, or run `tutti "
                       "identity apply`");
    *version = db_int4(r, 0, 0);
    *hash = db_uuid(r, 0, 1);
    *text = arena_copy(arena, db_bytes(r, 0, 2));
    return OUTCOME_OK;
}

enum outcome identity_store_claim_policy(struct db *db, struct arena *arena, const struct id *hash,
                                         struct span text, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_uuid(&p, hash);
    params_text(&p, text);
    return db_run(db, &sql_claim_policy, &p, NULL, NULL, err);
}

enum outcome identity_store_insert_policy(struct db *db, struct arena *arena, const struct id *hash,
                                          struct span text, const char *actor, int32_t *version,
                                          struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    CHECK(db_run(db, &sql_hold_policy, &p, NULL, NULL, err));
    CHECK(db_run(db, &sql_retire_policy, &p, NULL, NULL, err));
    params_uuid(&p, hash);
    params_text(&p, text);
    params_text(&p, actor ? span_of(actor) : SPAN_NONE);
    CHECK(db_run(db, &sql_insert_policy, &p, &r, NULL, err));
    *version = db_int4(r, 0, 0);
    return OUTCOME_OK;
}

enum outcome identity_store_set_swept(struct db *db, struct arena *arena, const struct id *swept_to,
                                      struct err *err)
{
    struct params p;
    params_init(&p, arena);
    if (swept_to == NULL)
        return db_run(db, &sql_set_complete, &p, NULL, NULL, err);
    params_uuid(&p, swept_to);
    return db_run(db, &sql_set_swept, &p, NULL, NULL, err);
}

/* Every resolving transaction holds a row of the table. The lock of the table queues, so it is
 * granted under load too. */
static enum outcome mark_held(struct db *db, const struct params *none, struct err *err)
{
    CHECK(db_run(db, &sql_hold_policy, none, NULL, NULL, err));
    CHECK(db_run(db, &sql_mark_orders, none, NULL, NULL, err));
    return db_commit(db, err);
}

enum outcome identity_store_mark_orders(struct db *db, struct arena *arena, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    CHECK(db_run(db, &sql_find_unmarked, &p, &r, NULL, err));
    if (db_rows(r) == 0)
        return OUTCOME_OK;
    CHECK(db_begin(db, err));
    enum outcome outcome = mark_held(db, &p, err);
    if (outcome != OUTCOME_OK)
        db_rollback(db);
    return outcome;
}

enum outcome identity_store_insert_orders(struct db *db, struct arena *arena,
                                          const struct resolve_orders *orders, int64_t **ids,
                                          struct err *err)
{
    const struct manual_order *items = orders->items;
    struct params p;
    params_init(&p, arena);
    params_text_array(&p, &items->kind, sizeof *items, orders->count);
    params_uuid_array(&p, &items->a, sizeof *items, orders->count);
    params_uuid_array(&p, &items->b, sizeof *items, orders->count);
    params_text_array(&p, &items->actor, sizeof *items, orders->count);
    params_text_array(&p, &items->reason, sizeof *items, orders->count);
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_insert_orders, &p, &r, NULL, err));
    *ids = arena_array(arena, int64_t, (size_t)db_rows(r));
    for (int i = 0; i < db_rows(r); i++)
        (*ids)[i] = db_int8(r, i, 0);
    return OUTCOME_OK;
}

enum outcome identity_store_stamp_orders(struct db *db, struct arena *arena, const int64_t *ids,
                                         size_t count, int64_t version, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_int8_array(&p, ids, sizeof *ids, count);
    params_int8(&p, version);
    return db_run(db, &sql_stamp_orders, &p, NULL, NULL, err);
}

const char *order_kind_name(enum order_kind kind)
{
    static const char *const names[] = {[ORDER_LINK] = "link",
                                        [ORDER_SAME] = "same",
                                        [ORDER_CUT] = "cut",
                                        [ORDER_RELEASE] = "release"};
    return names[kind];
}

enum order_kind order_kind_of(struct span text)
{
    for (int kind = ORDER_LINK; kind < ORDER_RELEASE; kind++)
        if (span_is(text, order_kind_name((enum order_kind)kind)))
            return (enum order_kind)kind;
    return ORDER_RELEASE;
}

enum outcome identity_store_find_orders(struct db *db, struct arena *arena, const struct id *ids,
                                        size_t count, struct order_rows *out, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_uuid_array(&p, ids, sizeof *ids, count);
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_find_orders, &p, &r, NULL, err));
    for (int i = 0; i < db_rows(r); i++) {
        struct id a = db_uuid(r, i, 1), b = a;
        enum order_kind kind = order_kind_of(db_bytes(r, i, 0));
        if (kind != ORDER_RELEASE)
            b = db_uuid(r, i, 2);
        *arena_push(arena, out) = (struct order_row){kind, link_key_of(&a, &b)};
    }
    return OUTCOME_OK;
}

enum outcome identity_store_insert_aliases(struct db *db, struct arena *arena,
                                           const struct alias_rows *rows, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_uuid_array(&p, &rows->items->key.a, sizeof *rows->items, rows->count);
    params_uuid_array(&p, &rows->items->key.b, sizeof *rows->items, rows->count);
    params_text_array(&p, &rows->items->topic, sizeof *rows->items, rows->count);
    params_text_array(&p, &rows->items->source, sizeof *rows->items, rows->count);
    return db_run(db, &sql_insert_aliases, &p, NULL, NULL, err);
}

enum outcome identity_store_find_aliases(struct db *db, struct arena *arena, const struct id *ids,
                                         size_t count, struct alias_rows *out, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_uuid_array(&p, ids, sizeof *ids, count);
    CHECK(db_run(db, &sql_find_aliases, &p, &r, NULL, err));
    for (int i = 0; i < db_rows(r); i++) {
        struct id a = db_uuid(r, i, 0), b = db_uuid(r, i, 1);
        *arena_push(arena, out) =
            (struct alias_row){link_key_of(&a, &b), db_bytes(r, i, 2), db_bytes(r, i, 3)};
    }
    return OUTCOME_OK;
}
