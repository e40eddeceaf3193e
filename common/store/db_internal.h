/* db_internal.h: what the files of common/store share about a connection. No other file
 * includes it.
 */
#ifndef TUTTI_STORE_DB_INTERNAL_H
#define TUTTI_STORE_DB_INTERNAL_H

#include <libpq-fe.h>

#include "common/base/map.h"
#include "common/store/db.h"

struct metric;

enum db_phase { DB_DOWN, DB_CONNECTING, DB_UP };

struct db {
    char *url;              /* conninfo, URI or "" (PG* variables) */
    char *application_name; /* unless the URL or PGAPPNAME says otherwise */
    char *session;          /* session settings as "name=value" lines, each ended by a newline */
    bool prepare;           /* named statements; false behind a transaction pooler */
    int64_t timeout_us;     /* longest wait for one answer; 0: no limit */

    enum db_phase phase;
    PGconn *conn;                      /* NULL exactly when phase is DB_DOWN */
    PostgresPollingStatusType polling; /* what PQconnectPoll waits for */
    int64_t attempt_ends_us;           /* monotonic: when this attempt to connect is given up */
    int64_t next_attempt_us;           /* monotonic: before this no new attempt */
    int64_t delay_us;                  /* the back-off after the next failure, before jitter */
    uint64_t random;                   /* state of the jitter */
    char reason[256];                  /* why it is down, one line */

    /* between db_begin and db_commit or db_rollback, whatever became of the connection */
    bool in_transaction;
    bool is_dry;         /* commits roll back */
    bool is_failed;      /* inside it a statement failed: only db_rollback helps */
    bool is_copying;     /* between db_copy_begin and db_copy_end */
    bool is_copy_lost;   /* libpq refused data: db_copy_end reports it */
    char sqlstate[6];    /* of the last error, "" if none */
    struct map prepared; /* names prepared on this connection -> fingerprint of text and types */

    struct arena answers; /* the last result of a statement without parameters */

    char *copy; /* COPY_BUFFER bytes */
    size_t copy_len;
    const char *script; /* the script that runs, for line numbers in errors */

    struct metric *up, *commits, *rollbacks, *unknowns; /* NULL: it is no one's only connection */
};

/* Another connection to the same database, not yet connected. */
struct db *db_clone(const struct db *db);

/* The arena clears libpq's result when it is reset. */
struct db_result *db_result_new(struct arena *arena, PGresult *libpq);
/* The connection is of no use any more: closes it and plans the next attempt. */
void db_break(struct db *db, const char *reason);
/* OK if a statement may be sent now. */
enum outcome db_check_usable(struct db *db, struct err *err);
/* Waits for all results of what was sent: the first error or the last success; NULL if the
 * connection is unusable (db_break was called). Stops at COPY. */
PGresult *db_collect(struct db *db);
/* Runs one text without parameters; like db_collect. */
PGresult *db_exec(struct db *db, const char *sql);
/* Turns a failed result (NULL: lost connection) into an outcome, marks the transaction, clears the
 * result. `what` names the statement in the message. */
enum outcome db_fail(struct db *db, PGresult *result, const char *what, struct err *err);
/* A call that the contract forbids: ends a debug build; a release build goes on with FATAL. */
enum outcome db_misused(struct db *db, const char *what, struct err *err);

/* One bounded step towards DB_UP (db_connect.c). */
enum outcome db_connect_step(struct db *db, struct err *err);
/* The class of a SQLSTATE (db_error.c); *is_down: the connection is of no use after it. */
enum outcome db_classify(const char *sqlstate, bool *is_down);

#endif
