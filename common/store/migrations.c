/* migrations.c: applies numbered SQL files in order, each once, whoever else is migrating. */
#include "common/store/migrations.h"

#include <poll.h>

#include "common/base/pack.h"
#include "common/store/db_internal.h"

/* The advisory lock of everyone who migrates a Tutti database: "tuttimig" as bytes. */
#define LOCK_KEY "8391741524008593767"

static const char create_table[] =
    "CREATE SCHEMA IF NOT EXISTS tutti_meta;"
    "CREATE TABLE IF NOT EXISTS tutti_meta.schema_migrations ("
    "    version text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());"
    "COMMENT ON SCHEMA tutti_meta IS 'What Tutti knows about its own schema.';"
    "COMMENT ON TABLE tutti_meta.schema_migrations IS 'chronicle: the migrations applied to this "
    "database.';"
    "COMMENT ON COLUMN tutti_meta.schema_migrations.version IS 'Leading digits of the file''s "
    "name.';"
    "COMMENT ON COLUMN tutti_meta.schema_migrations.applied_at IS 'When it was applied (wall "
    "clock).';"
    "GRANT USAGE ON SCHEMA tutti_meta TO PUBLIC;"
    "GRANT SELECT ON tutti_meta.schema_migrations TO PUBLIC;";

static const struct statement exists = {
    "migrations_exist", "SELECT to_regclass('tutti_meta.schema_migrations') IS NOT NULL"};
static const struct statement applied_versions = {
    "migrations_applied",
    "SELECT version FROM tutti_meta.schema_migrations ORDER BY version COLLATE \"C\""};
static const struct statement record = {
    "migrations_record", "INSERT INTO tutti_meta.schema_migrations (version) VALUES ($1)"};
/* The session's lock: it is free again when the connection ends. */
static const struct statement try_lock = {"migrations_lock",
                                          "SELECT pg_try_advisory_lock(" LOCK_KEY ")"};
static const struct statement release = {"migrations_unlock",
                                         "SELECT pg_advisory_unlock(" LOCK_KEY ")"};

enum { LOCK_POLL_MS = 100 };

static struct span version_of(const struct migration *m)
{
    return (struct span){m->name, strspn(m->name, "0123456789")};
}

static enum outcome check_list(const struct migration *list, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct span v = version_of(&list[i]), before = i ? version_of(&list[i - 1]) : v;
        if (v.len == 0 || v.len != before.len || (i && span_compare(before, v) >= 0))
            return err_set(
                err, OUTCOME_FATAL, "migration_name",
                "%s: a migration's name begins with a number of one width, in ascending order",
                list[i].name);
    }
    return OUTCOME_OK;
}

/* ------------------------------------------------------------------------------------------- what
 * is applied
 */

struct versions {
    struct db_result *result; /* NULL: no table yet */
    int count;
};

static enum outcome read_versions(struct db *db, struct versions *out, struct err *err)
{
    struct db_result *table;
    *out = (struct versions){0};
    enum outcome outcome = db_run(db, &exists, NULL, &table, NULL, err);
    if (outcome != OUTCOME_OK)
        return outcome;
    bool is_there = db_bool(table, 0, 0);
    if (!is_there)
        return OUTCOME_OK;
    outcome = db_run(db, &applied_versions, NULL, &out->result, NULL, err);
    out->count = outcome == OUTCOME_OK ? db_rows(out->result) : 0;
    return outcome;
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

enum outcome migrations_version(struct db *db, struct arena *arena, struct span *version,
                                struct err *err)
{
    struct versions versions;
    enum outcome outcome = read_versions(db, &versions, err);
    *version = outcome == OUTCOME_OK ? arena_copy(arena, last_version(&versions)) : SPAN("");
    return outcome;
}

/* ------------------------------------------------------------------------------------------------------
 * check */

static enum outcome compare(const struct versions *versions, const struct migration *list,
                            size_t count, struct err *err)
{
    struct span at = last_version(versions), need = count ? version_of(&list[count - 1]) : SPAN("");
    if (span_compare(at, need) > 0)
        return err_set(err, OUTCOME_FATAL, "schema_version",
                       "database schema is at " SPAN_FMT ", this program needs " SPAN_FMT
                       ": install the newer program (`tutti migrate` only goes forward)",
                       SPAN_ARG(at), SPAN_ARG(need));
    for (size_t i = 0; i < count; i++)
        if (!has_version(versions, version_of(&list[i])))
            return span_equal(at, need)
                       ? err_set(err, OUTCOME_FATAL, "schema_version",
                                 "database schema is at " SPAN_FMT " but lacks " SPAN_FMT
                                 ": run `tutti migrate`",
                                 SPAN_ARG(at), SPAN_ARG(version_of(&list[i])))
                       : err_set(err, OUTCOME_FATAL, "schema_version",
                                 "database schema is at " SPAN_FMT ", this program needs " SPAN_FMT
                                 ": run `tutti migrate`",
                                 SPAN_ARG(at.len ? at : SPAN("nothing")), SPAN_ARG(need));
    return OUTCOME_OK;
}

enum outcome migrations_check(struct db *db, const struct migration *list, size_t count,
                              struct err *err)
{
    struct versions versions;
    enum outcome outcome = check_list(list, count, err);
    if (outcome != OUTCOME_OK)
        return outcome;
    outcome = read_versions(db, &versions, err);
    if (outcome == OUTCOME_OK)
        outcome = compare(&versions, list, count, err);
    return outcome;
}

/* ----------------------------------------------------------------------------------------------------
 * applying */

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
static enum outcome find_up(const struct migration *m, struct part *out, struct err *err)
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

static enum outcome write_record(struct db *db, const struct migration *m, struct err *err)
{
    struct arena arena = {0};
    struct params params;
    params_init(&params, &arena);
    params_text(&params, version_of(m));
    enum outcome outcome = as_fatal(db_run(db, &record, &params, NULL, NULL, err), err);
    arena_free(&arena);
    return outcome;
}

static enum outcome apply(struct db *db, const struct migration *m, struct err *err)
{
    struct part part = {0};
    enum outcome outcome = find_up(m, &part, err);
    if (outcome == OUTCOME_OK && part.is_transaction)
        outcome = db_begin(db, err);
    if (outcome == OUTCOME_OK)
        outcome = run_part(db, &part, err);
    if (outcome == OUTCOME_OK)
        outcome = write_record(db, m, err);
    if (outcome == OUTCOME_OK && db_in_transaction(db))
        outcome = as_fatal(db_commit(db, err), err);
    db_rollback(db);
    return outcome == OUTCOME_OK || err == NULL ? outcome
                                                : err_prefix(err, "migration %s", m->name);
}

static enum outcome apply_missing(struct db *db, const struct migration *list, size_t count,
                                  bool dry_run, void (*progress)(const char *name, bool applied),
                                  struct err *err)
{
    struct versions versions;
    enum outcome outcome = read_versions(db, &versions, err);
    for (size_t i = 0; i < count && outcome == OUTCOME_OK; i++) {
        bool applied = has_version(&versions, version_of(&list[i]));
        if (progress)
            progress(list[i].name, applied);
        if (!applied && !dry_run)
            outcome = apply(db, &list[i], err);
    }
    return outcome;
}

/* Asks again and again instead of waiting inside one statement: that would hold a snapshot, for
 * which a CREATE INDEX CONCURRENTLY of the lock's owner waits in turn. */
static enum outcome take_lock(struct db *db, struct err *err)
{
    for (;;) {
        struct db_result *answer;
        enum outcome outcome = db_run(db, &try_lock, NULL, &answer, NULL, err);
        bool is_ours = outcome == OUTCOME_OK && db_bool(answer, 0, 0);
        if (outcome != OUTCOME_OK || is_ours)
            return outcome;
        poll(NULL, 0, LOCK_POLL_MS);
    }
}

enum outcome migrations_up(struct db *db, const struct migration *list, size_t count, bool dry_run,
                           void (*progress)(const char *name, bool applied), struct err *err)
{
    enum outcome outcome = check_list(list, count, err);
    if (outcome != OUTCOME_OK)
        return outcome;
    if (dry_run)
        return apply_missing(db, list, count, true, progress, err);
    int64_t limit = db->timeout_us;
    db->timeout_us = 0; /* an index may take long */
    outcome = take_lock(db, err);
    if (outcome == OUTCOME_OK)
        outcome = db_script(db, create_table, err);
    if (outcome == OUTCOME_OK)
        outcome = apply_missing(db, list, count, false, progress, err);
    struct err ignored;
    if (db_is_up(db))
        db_run(db, &release, NULL, NULL, NULL, &ignored);
    db->timeout_us = limit;
    return outcome;
}
