/* schema_views.c: drops and creates the views as one set. Which objects belong to the set stands in
 * tutti_meta.view_set, so that nothing else is ever dropped. */
#include "common/store/schema_views.h"

#include "store_sql.h"

static enum outcome read_hash(struct db *db, struct arena *arena, struct span *hash,
                              struct err *err)
{
    struct params params;
    struct db_result *result;
    *hash = SPAN("");
    params_init(&params, arena);
    params_text(&params, SPAN("tutti_meta.view_set"));
    CHECK(db_run(db, &sql_migrations_has_table, &params, &result, NULL, err));
    if (!db_bool(result, 0, 0))
        return OUTCOME_OK;
    params_init(&params, arena);
    CHECK(db_run(db, &sql_views_hash, &params, &result, NULL, err));
    if (db_rows(result) > 0)
        *hash = db_bytes(result, 0, 0);
    return OUTCOME_OK;
}

enum outcome schema_views_current(struct db *db, const struct schema_files *files, bool *is_current,
                                  struct err *err)
{
    struct arena arena = {0};
    struct span hash;
    enum outcome outcome = read_hash(db, &arena, &hash, err);
    *is_current = outcome == OUTCOME_OK && span_is(hash, files->views_hash);
    arena_free(&arena);
    return outcome;
}

static enum outcome write_record(struct db *db, const char *hash, struct err *err)
{
    struct arena arena = {0};
    struct params params;
    params_init(&params, &arena);
    params_text(&params, span_of(hash));
    enum outcome outcome = db_run(db, &sql_views_record, &params, NULL, NULL, err);
    arena_free(&arena);
    return outcome;
}

static enum outcome make_all(struct db *db, const struct schema_files *files, struct err *err)
{
    CHECK(db_begin(db, err));
    CHECK(db_run(db, &sql_views_drop, NULL, NULL, NULL, err));
    for (size_t i = 0; i < files->views_count; i++)
        if (db_script(db, files->views[i].sql, err) != OUTCOME_OK)
            return err_prefix(err, "%s", files->views[i].name);
    CHECK(write_record(db, files->views_hash, err));
    return db_commit(db, err);
}

enum outcome schema_views_make(struct db *db, const struct schema_files *files, struct err *err)
{
    enum outcome outcome = make_all(db, files, err);
    db_rollback(db);
    return outcome == OUTCOME_OK ? outcome : err_prefix(err, "views");
}
