/* db_connect.c: getting connected without blocking for long, and the capped back-off between
 * attempts. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/pack.h"
#include "common/runtime/clock.h"
#include "common/runtime/log.h"
#include "common/runtime/telemetry.h"
#include "common/store/db_internal.h"

enum {
    STEP_US = 3000 * 1000, /* db_ready never blocks longer */
    /* two hosts that swallow packets (tcp_user_timeout each), then a live one */
    ATTEMPT_US = 40 * 1000 * 1000,
    FIRST_DELAY_US = 50 * 1000,
    LAST_DELAY_US = 5000 * 1000,
};

/* Half of the delay is fixed, half random, so that the replicas of a service do not return in step.
 */
static int64_t jittered(struct db *db)
{
    db->random ^= db->random << 13;
    db->random ^= db->random >> 7;
    db->random ^= db->random << 17;
    return db->delay_us / 2 + (int64_t)(db->random % (uint64_t)(db->delay_us / 2 + 1));
}

static void plan_next_attempt(struct db *db)
{
    if (db->delay_us == 0)
        db->delay_us = FIRST_DELAY_US;
    db->next_attempt_us = clock_monotonic_us() + jittered(db);
    db->delay_us = db->delay_us * 2 < LAST_DELAY_US ? db->delay_us * 2 : LAST_DELAY_US;
}

/* libpq's messages end with a newline and may span indented lines. */
static void one_line(char *out, size_t size, const char *text)
{
    size_t n = 0;
    for (; *text && n + 1 < size; text++) {
        bool is_space = *text == '\n' || *text == '\t' || *text == ' ';
        if (!is_space)
            out[n++] = *text;
        else if (n > 0 && out[n - 1] != ' ')
            out[n++] = ' ';
    }
    out[n - (n > 0 && out[n - 1] == ' ')] = '\0';
}

void db_break(struct db *db, const char *reason)
{
    bool was_up = db->phase == DB_UP;
    one_line(db->reason, sizeof db->reason, reason);
    PQfinish(db->conn);
    db->conn = NULL;
    db->phase = DB_DOWN;
    db->is_failed = db->in_transaction;
    db->is_copying = false;
    map_clear(&db->prepared);
    plan_next_attempt(db);
    metric_set(db->up, 0);
    log_event(was_up ? LOG_WARN : LOG_DEBUG, "db_down", "message", db->reason, NULL);
}

static void log_notice(void *arg, const PGresult *result)
{
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    log_event(LOG_DEBUG, "db_notice", "severity", severity ? severity : "", "message",
              message ? message : "", NULL);
}

/* The options part of the URL or of PGOPTIONS: what it names wins over our own settings. */
static char *users_options(const char *url)
{
    char *found = NULL;
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    for (PQconninfoOption *o = options; o && o->keyword; o++)
        if (found == NULL && o->val && strcmp(o->keyword, "options") == 0)
            found = strdup(o->val);
    PQconninfoFree(options);
    const char *variable = getenv("PGOPTIONS");
    return found || variable == NULL ? found : strdup(variable);
}

static PGconn *start(const struct db *db)
{
    char *options = users_options(db->url);
    /* What stands before dbname gives way to the URL. */
    const char *const names[] = {"keepalives",
                                 "keepalives_idle",
                                 "keepalives_interval",
                                 "keepalives_count",
                                 "tcp_user_timeout",
                                 "target_session_attrs",
                                 "fallback_application_name",
                                 "dbname",
                                 "client_encoding",
                                 "options",
                                 NULL};
    const char *const values[] = {
        "1",     "10",   "5",     "3", "15000", "read-write", db->application_name,
        db->url, "UTF8", options, NULL};
    PGconn *conn = PQconnectStartParams(names, values, 1);
    free(options);
    if (conn == NULL)
        abort();
    return conn;
}

static void begin_attempt(struct db *db)
{
    db->conn = start(db);
    db->phase = DB_CONNECTING;
    db->polling =
        PQstatus(db->conn) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
    db->attempt_ends_us = clock_monotonic_us() + ATTEMPT_US;
    PQsetNoticeReceiver(db->conn, log_notice, NULL);
}

static void poll_until(struct db *db, int64_t deadline_us)
{
    while (db->polling == PGRES_POLLING_READING || db->polling == PGRES_POLLING_WRITING) {
        int64_t left = deadline_us - clock_monotonic_us();
        if (left <= 0)
            return;
        struct pollfd p = {PQsocket(db->conn),
                           db->polling == PGRES_POLLING_READING ? POLLIN : POLLOUT, 0};
        if (poll(&p, 1, (int)(left / 1000) + 1) > 0)
            db->polling = PQconnectPoll(db->conn);
    }
}

/* True if options such as "-c lock_timeout=1s" set it; "-c deadlock_timeout=1s" does not. */
static bool is_named(const char *options, const char *key)
{
    size_t n = strlen(key);
    for (const char *at = options; at && (at = strstr(at, key)); at += n)
        if ((at == options || strchr(" c-", at[-1])) && at[n] == '=')
            return true;
    return false;
}

/* "SELECT current_setting('a'),current_setting('b')", or the same with set_config: of the session
 * settings that the user's own options do not name. */
static char *settings_query(const struct db *db, const char *users, bool sets)
{
    struct strbuf text = {0};
    const char *between = "SELECT ";
    for (const char *at = db->session; *at;) {
        size_t name = strcspn(at, "="), n = strcspn(at, "\n");
        char *key = strndup(at, name);
        if (key == NULL)
            abort();
        if (!is_named(users, key)) {
            strbuf_addf(&text, "%s%s('%s'", between, sets ? "set_config" : "current_setting", key);
            if (sets)
                strbuf_addf(&text, ",'%.*s',false", (int)(n - name - 1), at + name + 1);
            strbuf_addf(&text, ")");
            between = ",";
        }
        free(key);
        at += n + (at[n] == '\n');
    }
    return text.ptr;
}

static PGresult *run_settings(struct db *db, const char *users, bool sets)
{
    char *query = settings_query(db, users, sets);
    PGresult *result = db_exec(db, query ? query : "SELECT 1");
    free(query);
    return result;
}

/* True if both have one row with the same values. */
static bool are_equal(const PGresult *wanted, const PGresult *found)
{
    if (PQresultStatus(wanted) != PGRES_TUPLES_OK || PQresultStatus(found) != PGRES_TUPLES_OK)
        return false;
    for (int i = 0; i < PQnfields(wanted); i++)
        if (strcmp(PQgetvalue(wanted, 0, i), PQgetvalue(found, 0, i)) != 0)
            return false;
    return true;
}

/* By SET, because PgBouncer refuses or drops settings of the startup message; asked for again,
 * because the lock order of the services depends on them. A pooler in transaction mode gets them by
 * SET LOCAL in db_begin instead. */
static bool set_session(struct db *db)
{
    if (!db->prepare)
        return true;
    char *users = users_options(db->url);
    PGresult *wanted = run_settings(db, users, true);
    PGresult *found = db->conn ? run_settings(db, users, false) : NULL;
    bool is_set = are_equal(wanted, found);
    PQclear(wanted);
    PQclear(found);
    free(users);
    return is_set;
}

static enum outcome connected(struct db *db, struct err *err)
{
    const char *encoding = PQparameterStatus(db->conn, "server_encoding");
    if (encoding == NULL || strcmp(encoding, "UTF8") != 0) {
        err_set(err, OUTCOME_FATAL, "db_encoding",
                "the database's encoding is %s; Tutti needs UTF8", encoding ? encoding : "unknown");
        db_break(db, "wrong encoding");
        return OUTCOME_FATAL;
    }
    if (!set_session(db)) {
        if (db->conn)
            db_break(db, "the settings of the session do not hold; behind a pooler in transaction "
                         "mode set database.statement.prepare=false");
        return err_set(err, OUTCOME_RETRY, "db_settings", "database: %s", db->reason);
    }
    db->phase = DB_UP;
    db->delay_us = 0;
    db->reason[0] = '\0';
    metric_set(db->up, 1);
    log_event(LOG_INFO, "db_up", "backend_pid", log_int(PQbackendPID(db->conn)), NULL);
    return OUTCOME_OK;
}

enum outcome db_connect_step(struct db *db, struct err *err)
{
    int64_t now = clock_monotonic_us();
    if (db->phase == DB_DOWN) {
        if (now < db->next_attempt_us)
            return err_set(err, OUTCOME_RETRY, "db_down", "database: %s", db->reason);
        begin_attempt(db);
    }
    poll_until(db, now + STEP_US);
    if (db->polling == PGRES_POLLING_OK)
        return connected(db, err);
    if (db->polling == PGRES_POLLING_FAILED)
        db_break(db, PQerrorMessage(db->conn));
    else if (clock_monotonic_us() >= db->attempt_ends_us)
        db_break(db, "no answer to the attempt to connect");
    else
        return err_set(err, OUTCOME_RETRY, "db_down", "database: still connecting");
    return err_set(err, OUTCOME_RETRY, "db_down", "database: %s", db->reason);
}
