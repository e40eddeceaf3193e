/* db.c: opening, transactions and statements of one connection. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>

#include "common/base/pack.h"
#include "common/runtime/clock.h"
#include "common/runtime/log.h"
#include "common/runtime/telemetry.h"
#include "common/store/db_internal.h"

enum { NAME_BYTES = 64 };

const struct setting db_settings[] = {
    {"database.url", SETTING_SECRET, "", 0, 0, NULL,
     "PostgreSQL URI (postgresql://user@host/name) or key=value string; empty uses libpq's PG* "
     "variables."},
    {"database.statement.prepare", SETTING_BOOL, "true", 0, 0, NULL,
     "Prepare statements by name; false behind PgBouncer in transaction mode."},
    {"database.timeout", SETTING_DURATION, "60s", US_PER_SECOND, 3600 * US_PER_SECOND, NULL,
     "Longest wait for one answer of the database; then the connection counts as lost."},
    {.name = NULL},
};

static void register_metrics(struct db *db)
{
    static const char help[] =
        "Database transactions by their end; unknown: the connection was lost at COMMIT.";
    db->up = metric_gauge("db_up", "", "1 while the database is connected.");
    db->commits = metric_counter("db_transactions_total", "result=\"commit\"", help);
    db->rollbacks = metric_counter("db_transactions_total", "result=\"rollback\"", help);
    db->unknowns = metric_counter("db_transactions_total", "result=\"unknown\"", help);
}

/* libpq's own message may quote parts of a password that was not escaped. */
static enum outcome check_url(const char *url, struct err *err)
{
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    if (options == NULL)
        return err_set(err, OUTCOME_FATAL, "db_url",
                       "database.url is neither a URI such as postgresql://user@host:5432/name "
                       "nor a list of key=value that libpq knows");
    PQconninfoFree(options);
    return OUTCOME_OK;
}

static struct db *make(const char *url, const char *application_name)
{
    struct db *db = calloc(1, sizeof *db);
    if (db == NULL)
        abort();
    db->url = strdup(url);
    db->application_name = strdup(application_name);
    db->session = strdup("");
    db->prepare = true;
    db->random = ((uint64_t)clock_monotonic_us() ^ ((uint64_t)getpid() << 32)) | 1;
    map_init(&db->prepared, NULL, NAME_BYTES, sizeof(uint64_t));
    db_session_set(db, "lock_timeout", "5s");
    db_session_set(db, "idle_in_transaction_session_timeout", "15s");
    db_session_set(db, "TimeZone", "UTC");
    return db;
}

enum outcome db_open_url(const char *url, const char *application_name, struct db **out,
                         struct err *err)
{
    *out = NULL;
    enum outcome outcome = check_url(url, err);
    if (outcome != OUTCOME_OK)
        return outcome;
    *out = make(url, application_name);
    register_metrics(*out);
    metric_set((*out)->up, 0);
    return OUTCOME_OK;
}

struct db *db_clone(const struct db *db)
{
    struct db *copy = make(db->url, db->application_name);
    copy->prepare = db->prepare;
    copy->timeout_us = db->timeout_us;
    return copy;
}

enum outcome db_open(const struct config *config, const char *application_name, struct db **out,
                     struct err *err)
{
    return db_open_at(config, "database.url", application_name, out, err);
}

enum outcome db_open_at(const struct config *config, const char *url_setting,
                        const char *application_name, struct db **out, struct err *err)
{
    const char *url = config_text(config, url_setting);
    enum outcome outcome =
        db_open_url(*url ? url : config_text(config, "database.url"), application_name, out, err);
    if (outcome != OUTCOME_OK)
        return outcome;
    (*out)->prepare = config_bool(config, "database.statement.prepare");
    (*out)->timeout_us = config_duration(config, "database.timeout").us;
    return OUTCOME_OK;
}

void db_close(struct db *db)
{
    if (db == NULL)
        return;
    PQfinish(db->conn);
    metric_set(db->up, 0);
    map_free(&db->prepared);
    arena_free(&db->answers);
    free(db->copy);
    free(db->session);
    free(db->application_name);
    free(db->url);
    free(db);
}

void db_session_set(struct db *db, const char *name, const char *value)
{
    char *more;
    if (asprintf(&more, "%s%s=%s\n", db->session, name, value) < 0)
        abort();
    free(db->session);
    db->session = more;
}

/* Takes the line of a name out of the settings. */
static void forget_setting(struct db *db, const char *name)
{
    size_t n = strlen(name);
    for (char *at = db->session; *at;) {
        char *next = at + strcspn(at, "\n") + 1;
        if (strncmp(at, name, n) == 0 && at[n] == '=')
            memmove(at, next, strlen(next) + 1);
        else
            at = next;
    }
}

enum outcome db_session_change(struct db *db, const char *name, const char *value, struct err *err)
{
    if (db->in_transaction)
        return db_misused(db, "db_session_change inside a transaction", err);
    forget_setting(db, name);
    db_session_set(db, name, value);
    if (db->phase != DB_UP || !db->prepare)
        return OUTCOME_OK; /* connecting sets it, or each transaction does */
    char text[128];
    snprintf(text, sizeof text, "SET %s = %s", name, value);
    return db_script(db, text, err);
}

void db_pin_plans(struct db *db)
{
    static const char *const off[] = {"enable_hashjoin", "enable_mergejoin", "enable_seqscan",
                                      "enable_bitmapscan"};
    for (size_t i = 0; i < sizeof off / sizeof *off; i++)
        db_session_set(db, off[i], "off");
}

void db_dry_run(struct db *db)
{
    db->is_dry = true;
}

/* Reads what the server sent on its own, above all that it has gone. */
static bool is_alive(struct db *db)
{
    for (;;) {
        struct pollfd p = {PQsocket(db->conn), POLLIN, 0};
        if (poll(&p, 1, 0) <= 0)
            return true;
        if (!PQconsumeInput(db->conn))
            return false;
        for (PGnotify *n; (n = PQnotifies(db->conn));)
            PQfreemem(n);
    }
}

enum outcome db_ready(struct db *db, struct err *err)
{
    if (db->phase == DB_UP && !db->in_transaction && !db->is_copying && !is_alive(db))
        db_break(db, PQerrorMessage(db->conn));
    return db->phase == DB_UP ? OUTCOME_OK : db_connect_step(db, err);
}

bool db_is_up(const struct db *db)
{
    return db->phase == DB_UP;
}

bool db_in_transaction(const struct db *db)
{
    return db->in_transaction;
}

enum outcome db_check_usable(struct db *db, struct err *err)
{
    db->sqlstate[0] = '\0';
    if (db->is_copying)
        return db_misused(db, "a statement inside a COPY", err);
    if (db->is_failed)
        return err_set(err, OUTCOME_RETRY, "db_needs_rollback",
                       "the transaction has failed before: it must be rolled back");
    if (db->phase != DB_UP)
        return err_set(err, OUTCOME_RETRY, "db_down", "database: %s",
                       db->reason[0] ? db->reason : "not connected");
    return OUTCOME_OK;
}

/* False when the limit is over. A lost connection is true: PQgetResult then yields the error. */
static bool wait_for_answer(struct db *db, int64_t deadline_us)
{
    while (PQisBusy(db->conn)) {
        int64_t left = deadline_us - clock_monotonic_us();
        if (db->timeout_us && left <= 0)
            return false;
        struct pollfd p = {PQsocket(db->conn), POLLIN, 0};
        if (poll(&p, 1, db->timeout_us ? (int)(left / 1000) + 1 : -1) > 0 &&
            !PQconsumeInput(db->conn))
            return true;
    }
    return true;
}

static bool is_error(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE;
}

PGresult *db_collect(struct db *db)
{
    int64_t deadline = clock_monotonic_us() + db->timeout_us;
    PGresult *kept = NULL;
    for (;;) {
        if (!wait_for_answer(db, deadline)) {
            PQclear(kept);
            db_break(db, "no answer within database.timeout");
            return NULL;
        }
        PGresult *next = PQgetResult(db->conn);
        if (next == NULL)
            return kept;
        if (kept && is_error(kept)) {
            PQclear(next);
            continue;
        }
        PQclear(kept);
        kept = next;
        if (PQresultStatus(next) == PGRES_COPY_IN || PQresultStatus(next) == PGRES_COPY_OUT)
            return kept;
    }
}

PGresult *db_exec(struct db *db, const char *sql)
{
    return PQsendQuery(db->conn, sql) ? db_collect(db) : NULL;
}

static bool is_good(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

enum outcome db_script(struct db *db, const char *sql, struct err *err)
{
    enum outcome outcome = db_check_usable(db, err);
    if (outcome != OUTCOME_OK)
        return outcome;
    db->script = sql;
    PGresult *result = db_exec(db, sql);
    if (is_good(result))
        PQclear(result);
    else
        outcome = db_fail(db, result, "script", err);
    db->script = NULL;
    return outcome;
}

/* ---- transactions ---- */

/* Behind a pooler a session is not ours, so the settings are those of the transaction, in the same
 * round trip. */
static char *begin_text(const struct db *db)
{
    struct strbuf text = {0};
    strbuf_addf(&text, "BEGIN ISOLATION LEVEL READ COMMITTED");
    for (const char *at = db->session; !db->prepare && *at;) {
        size_t name = strcspn(at, "="), n = strcspn(at, "\n");
        strbuf_addf(&text, ";SET LOCAL %.*s='%.*s'", (int)name, at, (int)(n - name - 1),
                    at + name + 1);
        at += n + (at[n] == '\n');
    }
    return text.ptr;
}

enum outcome db_begin(struct db *db, struct err *err)
{
    if (db->in_transaction)
        return db_misused(db, "db_begin inside a transaction", err);
    enum outcome outcome = db_check_usable(db, err);
    if (outcome != OUTCOME_OK)
        return outcome;
    char *text = begin_text(db);
    PGresult *result = db_exec(db, text);
    free(text);
    if (!is_good(result)) {
        outcome = db_fail(db, result, "begin", err);
        if (db->phase == DB_UP && PQtransactionStatus(db->conn) != PQTRANS_IDLE)
            db_break(db, "BEGIN failed half-way");
        return outcome;
    }
    PQclear(result);
    db->in_transaction = true;
    return OUTCOME_OK;
}

static void end_transaction(struct db *db, struct metric *counter)
{
    db->in_transaction = db->is_failed = false;
    metric_add(counter, 1);
}

static enum outcome commit_failed(struct db *db, PGresult *result, struct err *err)
{
    enum outcome outcome = db_fail(db, result, "commit", err);
    bool is_unknown = db->phase != DB_UP;
    end_transaction(db, is_unknown ? db->unknowns : db->rollbacks);
    return is_unknown ? err_set(err, OUTCOME_RETRY, "commit_unknown",
                                "the connection was lost at COMMIT: %s", db->reason)
                      : outcome;
}

enum outcome db_commit(struct db *db, struct err *err)
{
    if (!db->in_transaction || db->is_copying)
        return db_misused(db, "db_commit outside a transaction or inside a COPY", err);
    db->sqlstate[0] = '\0';
    if (db->phase != DB_UP || PQtransactionStatus(db->conn) == PQTRANS_IDLE) {
        bool is_lost = db->phase != DB_UP;
        end_transaction(db, db->rollbacks);
        return is_lost ? err_set(err, OUTCOME_RETRY, "db_down", "commit: %s", db->reason)
                       : err_set(err, OUTCOME_FATAL, "db_transaction_ended",
                                 "a statement ended the transaction by itself");
    }
    PGresult *result = db_exec(db, db->is_dry ? "ROLLBACK" : "COMMIT");
    if (!is_good(result))
        return commit_failed(db, result, err);
    bool is_committed = db->is_dry ? !db->is_failed : strcmp(PQcmdStatus(result), "COMMIT") == 0;
    PQclear(result);
    end_transaction(db, is_committed ? db->commits : db->rollbacks);
    return is_committed ? OUTCOME_OK
                        : err_set(err, OUTCOME_RETRY, "commit_rolled_back",
                                  "the transaction had failed: it was rolled back");
}

static void cancel_copy(struct db *db)
{
    db->is_copying = false;
    if (db->phase != DB_UP)
        return;
    PQputCopyEnd(db->conn, "given up by the client");
    PQclear(db_collect(db));
}

void db_rollback(struct db *db)
{
    if (db->is_copying)
        cancel_copy(db);
    if (!db->in_transaction)
        return;
    if (db->phase == DB_UP && PQtransactionStatus(db->conn) != PQTRANS_IDLE) {
        PGresult *result = db_exec(db, "ROLLBACK");
        if (is_good(result))
            PQclear(result);
        else
            db_fail(db, result, "rollback", NULL);
    }
    end_transaction(db, db->rollbacks);
}

enum outcome db_end(struct db *db, enum outcome outcome, struct err *err)
{
    if (outcome == OUTCOME_OK)
        return db_commit(db, err);
    db_rollback(db);
    return outcome;
}

/* ---- statements ---- */

static const struct params no_params;

static uint64_t fingerprint(const struct statement *s, const struct params *p)
{
    return XXH3_64bits_withSeed(p->types, (size_t)p->count * sizeof p->types[0],
                                XXH3_64bits(s->sql, strlen(s->sql)));
}

/* Prepares s on this connection unless that is done; *is_new says which. */
static enum outcome prepare(struct db *db, const struct statement *s, const struct params *p,
                            bool *is_new, struct err *err)
{
    char key[NAME_BYTES] = {0};
    size_t len = strlen(s->name);
    if (len == 0 || len >= NAME_BYTES)
        return err_set(err, OUTCOME_FATAL, "db_statement_name",
                       "statement name '%s' is empty or too long", s->name);
    memcpy(key, s->name, len);
    uint64_t print = fingerprint(s, p);
    const uint64_t *known = map_find(&db->prepared, key);
    *is_new = known == NULL;
    if (known && *known != print)
        return err_set(err, OUTCOME_FATAL, "db_statement_name",
                       "two different statements are named '%s'", s->name);
    if (known)
        return OUTCOME_OK;
    PGresult *result =
        PQsendPrepare(db->conn, s->name, s->sql, p->count, p->types) ? db_collect(db) : NULL;
    if (!is_good(result))
        return db_fail(db, result, s->name, err);
    PQclear(result);
    *(uint64_t *)map_put(&db->prepared, key, NULL) = print;
    return OUTCOME_OK;
}

static PGresult *execute(struct db *db, const struct statement *s, const struct params *p)
{
    static const int binary[PARAMS_MAX] = {[0 ... PARAMS_MAX - 1] = 1};
    int sent = db->prepare ? PQsendQueryPrepared(db->conn, s->name, p->count, p->values, p->lengths,
                                                 binary, 1)
                           : PQsendQueryParams(db->conn, s->sql, p->count, p->types, p->values,
                                               p->lengths, binary, 1);
    return sent ? db_collect(db) : NULL;
}

/* 0A000 from a plan that worked before: "cached plan must not change result type", after a
 * migration. */
static enum outcome run_failed(struct db *db, PGresult *result, const struct statement *s,
                               bool is_new, struct err *err)
{
    enum outcome outcome = db_fail(db, result, s->name, err);
    if (is_new || !db_sqlstate_is(db, "0A000"))
        return outcome;
    db_break(db, "a prepared statement no longer fits the schema");
    return err_set(err, OUTCOME_RETRY, "db_down", "%s: %s", s->name, db->reason);
}

static struct db_result *keep(struct db *db, const struct params *params, PGresult *answer)
{
    if (params == NULL)
        arena_reset(&db->answers);
    return db_result_new(params ? params->arena : &db->answers, answer);
}

enum outcome db_run(struct db *db, const struct statement *statement, const struct params *params,
                    struct db_result **result, int64_t *affected, struct err *err)
{
    const struct params *p = params ? params : &no_params;
    bool is_new = true;
    if (result)
        *result = NULL;
    enum outcome outcome = db_check_usable(db, err);
    if (outcome == OUTCOME_OK && db->prepare)
        outcome = prepare(db, statement, p, &is_new, err);
    if (outcome != OUTCOME_OK)
        return outcome;
    PGresult *answer = execute(db, statement, p);
    if (!is_good(answer))
        return run_failed(db, answer, statement, is_new, err);
    if (affected)
        *affected = strtoll(PQcmdTuples(answer), NULL, 10);
    if (result)
        *result = keep(db, params, answer);
    else
        PQclear(answer);
    return OUTCOME_OK;
}
