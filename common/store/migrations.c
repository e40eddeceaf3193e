/* migrations.c: applies numbered SQL files in order, each once, even if another program
 * migrates at the same time. It makes the views again when their text changed. */
#include "common/store/migrations.h"

#include <poll.h>

#include "common/base/pack.h"
#include "common/store/db_internal.h"
#include "common/store/schema_views.h"
#include "common/store/standing_lock.h"
#include "store_sql.h"

enum { LOCK_POLL_MS = 100, LOCK_TRIES = 20 };

static struct span version_of(const struct sql_file *m)
{
    return (struct span){m->name, strspn(m->name, "0123456789")};
}

static enum outcome check_list(const struct schema_files *files, struct err *err)
{
    const struct sql_file *list = files->tables;
    for (size_t i = 0; i < files->tables_count; i++) {
        struct span v = version_of(&list[i]), before = i ? version_of(&list[i - 1]) : v;
        if (v.len == 0 || v.len != before.len || (i && span_compare(before, v) >= 0))
            return err_set(
                err, OUTCOME_FATAL, "migration_name",
                "%s: a migration's name begins with a number of one width, in ascending order",
                list[i].name);
    }
    return OUTCOME_OK;
}

/* ---- what is applied ---- */

struct versions {
    struct db_result *result; /* NULL: no table yet */
    int count;
};

static enum outcome read_versions(struct db *db, struct arena *arena, struct versions *out,
                                  struct err *err)
{
    struct params params;
    struct db_result *table;
    *out = (struct versions){0};
    params_init(&params, arena);
    params_text(&params, SPAN("tutti_meta.schema_migrations"));
    CHECK(db_run(db, &sql_migrations_has_table, &params, &table, NULL, err));
    if (!db_bool(table, 0, 0))
        return OUTCOME_OK;
    params_init(&params, arena);
    CHECK(db_run(db, &sql_migrations_applied, &params, &out->result, NULL, err));
    out->count = db_rows(out->result);
    return OUTCOME_OK;
}

static bool has_version(const struct versions *versions, struct span version)
{
    for (int i = 0; i < versions->count; i++)
        if (span_equal(db_bytes(versions->result, i, 0), version))
            return true;
    return false;
}

static struct span last_version(const struct versions *versions)
{
    return versions->count ? db_bytes(versions->result, versions->count - 1, 0) : SPAN("");
}

static struct span last_needed(const struct schema_files *files)
{
    return files->tables_count ? version_of(&files->tables[files->tables_count - 1]) : SPAN("");
}

enum outcome migrations_version(struct db *db, struct arena *arena, struct span *version,
                                struct err *err)
{
    struct versions versions;
    enum outcome outcome = read_versions(db, arena, &versions, err);
    *version = outcome == OUTCOME_OK ? last_version(&versions) : SPAN("");
    return outcome;
}

/* ---- check ---- */

static enum outcome refuse_newer(const struct versions *versions, const struct schema_files *files,
                                 struct err *err)
{
    struct span at = last_version(versions), need = last_needed(files);
    if (span_compare(at, need) <= 0)
        return OUTCOME_OK;
    return err_set(err, OUTCOME_FATAL, "schema_version",
                   "database schema is at " SPAN_FMT ", this program needs " SPAN_FMT
                   ": install the newer program (`tutti migrate` only goes forward)",
                   SPAN_ARG(at), SPAN_ARG(need));
}

static enum outcome refuse_older(const struct versions *versions, const struct schema_files *files,
                                 struct err *err)
{
    struct span at = last_version(versions), need = last_needed(files);
    for (size_t i = 0; i < files->tables_count; i++) {
        struct span version = version_of(&files->tables[i]);
        if (has_version(versions, version))
            continue;
        if (span_equal(at, need))
            return err_set(err, OUTCOME_FATAL, "schema_version",
                           "database schema is at " SPAN_FMT " but lacks " SPAN_FMT
                           ": run `tutti migrate`",
                           SPAN_ARG(at), SPAN_ARG(version));
        return err_set(err, OUTCOME_FATAL, "schema_version",
                       "database schema is at " SPAN_FMT ", this program needs " SPAN_FMT
                       ": run `tutti migrate`",
                       SPAN_ARG(at.len ? at : SPAN("nothing")), SPAN_ARG(need));
    }
    return OUTCOME_OK;
}

static enum outcome compare(struct db *db, struct arena *arena, const struct schema_files *files,
                            struct err *err)
{
    struct versions versions;
    CHECK(read_versions(db, arena, &versions, err));
    CHECK(refuse_newer(&versions, files, err));
    return refuse_older(&versions, files, err);
}

enum outcome migrations_check(struct db *db, const struct schema_files *files, struct err *err)
{
    CHECK(check_list(files, err));
    struct arena arena = {0};
    enum outcome outcome = compare(db, &arena, files, err);
    arena_free(&arena);
    return outcome;
}

enum outcome migrations_check_views(struct db *db, const struct schema_files *files,
                                    struct err *err)
{
    bool is_current;
    CHECK(schema_views_current(db, files, &is_current, err));
    if (is_current)
        return OUTCOME_OK;
    return err_set(err, OUTCOME_FATAL, "views_version",
                   "the views are not those of this program: run `tutti migrate`");
}

/* ---- applying ---- */

struct part {
    struct span sql;
    size_t line; /* lines of the file before it */
    bool is_transaction;
};

static const char *next_line(const char *line)
{
    const char *end = strchr(line, '\n');
    return end ? end + 1 : line + strlen(line);
}

static bool begins_with(const char *line, const char *text)
{
    return strncmp(line, text, strlen(text)) == 0;
}

/* The lines between the markers. */
static enum outcome find_up(const struct sql_file *m, struct part *out, struct err *err)
{
    static const char up[] = "-- migrate:up", down[] = "-- migrate:down";
    const char *line = m->sql;
    size_t number = 1;
    for (; *line && !begins_with(line, up); line = next_line(line))
        number++;
    if (*line == '\0')
        return err_set(err, OUTCOME_FATAL, "migration_marker", "%s: no line `-- migrate:up`",
                       m->name);
    const char *first = next_line(line), *end = first;
    struct span options =
        span_trim((struct span){line + strlen(up), (size_t)(first - line) - strlen(up)});
    if (options.len && !span_is(options, "transaction:false") &&
        !span_is(options, "transaction:true"))
        return err_set(err, OUTCOME_FATAL, "migration_marker",
                       "%s: unknown option after `-- migrate:up`", m->name);
    while (*end && !begins_with(end, down))
        end = next_line(end);
    *out = (struct part){
        {first, (size_t)(end - first)}, number, !span_is(options, "transaction:false")};
    return OUTCOME_OK;
}

/* A migration carries no record that could be rejected. */
static enum outcome as_fatal(enum outcome outcome, struct err *err)
{
    if (outcome == OUTCOME_REJECT && err)
        err->outcome = OUTCOME_FATAL;
    return outcome == OUTCOME_REJECT ? OUTCOME_FATAL : outcome;
}

/* Empty lines stand for what comes before the part, so that the server's positions are lines of the
 * file. */
static enum outcome run_part(struct db *db, const struct part *part, struct err *err)
{
    struct strbuf text = {0};
    for (size_t i = 0; i < part->line; i++)
        strbuf_add(&text, "\n", 1);
    strbuf_add(&text, part->sql.ptr, part->sql.len);
    strbuf_add(&text, "", 1);
    enum outcome outcome = as_fatal(db_script(db, text.ptr, err), err);
    strbuf_free(&text);
    return outcome;
}

static enum outcome write_record(struct db *db, const struct sql_file *m, struct err *err)
{
    struct arena arena = {0};
    struct params params;
    params_init(&params, &arena);
    params_text(&params, version_of(m));
    enum outcome outcome =
        as_fatal(db_run(db, &sql_migrations_record, &params, NULL, NULL, err), err);
    arena_free(&arena);
    return outcome;
}

static enum outcome apply_one(struct db *db, const struct sql_file *m, struct err *err)
{
    struct part part = {0};
    CHECK(find_up(m, &part, err));
    if (part.is_transaction)
        CHECK(db_begin(db, err));
    CHECK(run_part(db, &part, err));
    CHECK(write_record(db, m, err));
    return db_in_transaction(db) ? as_fatal(db_commit(db, err), err) : OUTCOME_OK;
}

static enum outcome apply(struct db *db, const struct sql_file *m, struct err *err)
{
    enum outcome outcome = apply_one(db, m, err);
    db_rollback(db);
    return outcome == OUTCOME_OK ? outcome : err_prefix(err, "migration %s", m->name);
}

struct run {
    struct db *db;
    const struct schema_files *files;
    bool dry_run;
    void (*progress)(const char *name, bool is_current);
};

static void report(const struct run *run, const char *name, bool is_current)
{
    if (run->progress)
        run->progress(name, is_current);
}

static enum outcome bring_tables(const struct run *run, struct arena *arena, struct err *err)
{
    struct versions versions;
    CHECK(read_versions(run->db, arena, &versions, err));
    CHECK(refuse_newer(&versions, run->files, err));
    for (size_t i = 0; i < run->files->tables_count; i++) {
        const struct sql_file *m = &run->files->tables[i];
        bool is_current = has_version(&versions, version_of(m));
        report(run, m->name, is_current);
        if (!is_current && !run->dry_run)
            CHECK(apply(run->db, m, err));
    }
    return OUTCOME_OK;
}

static enum outcome bring_views(const struct run *run, struct err *err)
{
    bool is_current;
    CHECK(schema_views_current(run->db, run->files, &is_current, err));
    report(run, SCHEMA_VIEWS, is_current);
    if (is_current || run->dry_run)
        return OUTCOME_OK;
    return as_fatal(schema_views_make(run->db, run->files, err), err);
}

static enum outcome bring(const struct run *run, struct err *err)
{
    struct arena arena = {0};
    enum outcome outcome = bring_tables(run, &arena, err);
    arena_free(&arena);
    return outcome == OUTCOME_OK ? bring_views(run, err) : outcome;
}

/* Two programs that start on an empty database make the same table; the one that loses finds it. */
static enum outcome make_lock_table(struct db *db, struct err *err)
{
    enum outcome outcome = OUTCOME_OK;
    for (int i = 0; i < LOCK_TRIES; i++) {
        outcome = db_script(db, sql_migrations_lock.sql, err);
        if (outcome == OUTCOME_OK || !(db_sqlstate_is(db, "23505") || db_sqlstate_is(db, "42P06") ||
                                       db_sqlstate_is(db, "42P07")))
            break;
        poll(NULL, 0, LOCK_POLL_MS);
    }
    return as_fatal(outcome, err);
}

/* Asks again and again: a table lock that waits would hold up those behind it. */
static enum outcome take_lock(struct db *db, struct standing_lock **lock, struct err *err)
{
    CHECK(make_lock_table(db, err));
    for (;;) {
        enum outcome outcome =
            standing_lock_take(db, "tutti_meta.migration_lock", STANDING_ALONE, lock, err);
        if (outcome != OUTCOME_RETRY || strcmp(err->code, "lock_taken") != 0)
            return outcome;
        poll(NULL, 0, LOCK_POLL_MS);
    }
}

static enum outcome bring_locked(const struct run *run, struct standing_lock **lock,
                                 struct err *err)
{
    CHECK(take_lock(run->db, lock, err));
    CHECK(db_script(run->db, sql_migrations_bookkeeping.sql, err));
    return bring(run, err);
}

enum outcome migrations_up(struct db *db, const struct schema_files *files, bool dry_run,
                           void (*progress)(const char *name, bool is_current), struct err *err)
{
    CHECK(check_list(files, err));
    const struct run run = {db, files, dry_run, progress};
    if (dry_run)
        return bring(&run, err);
    int64_t limit = db->timeout_us;
    db->timeout_us = 0; /* an index may take long */
    struct standing_lock *lock = NULL;
    enum outcome outcome = bring_locked(&run, &lock, err);
    standing_lock_release(lock);
    db->timeout_us = limit;
    return outcome;
}
