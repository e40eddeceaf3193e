/* db.h: one PostgreSQL connection with prepared binary statements. libpq ends here.
 *
 * Errors by SQLSTATE class: 22, 23 (but 23505 where asked for) -> OUTCOME_REJECT; 40, 55 -> RETRY;
 * 08, 53, 57, 58, XX and a lost connection -> RETRY with code "db_down" and the connection marked
 * broken (db_ready reconnects with capped back-off); 42 and everything else -> FATAL. COMMIT checks
 * its command tag. All parameters and results are binary. */
#ifndef TUTTI_STORE_DB_H
#define TUTTI_STORE_DB_H

#include "common/base/arena.h"
#include "common/base/id.h"
#include "common/base/instant.h"
#include "common/base/outcome.h"
#include "common/runtime/config.h"

struct db;
struct db_result;

/* database.url, database.statement.prepare, database.timeout */
extern const struct setting db_settings[];

/* Opens lazily: the first db_ready connects. Sets lock_timeout,
 * idle_in_transaction_session_timeout, tcp_user_timeout, target_session_attrs=read-write,
 * application_name, TimeZone UTC, plan_cache_mode untouched. What the URL or PGOPTIONS say wins. An
 * answer is waited for at most database.timeout; then the connection counts as lost. */
enum outcome db_open(const struct config *config, const char *application_name, struct db **out,
                     struct err *err);
/* The same with the URL of another setting; where that is empty, with database.url. */
enum outcome db_open_at(const struct config *config, const char *url_setting,
                        const char *application_name, struct db **out, struct err *err);
/* The same from a conninfo string or URI; "" uses PG* variables. For the CLI and tests: waits for
 * answers without limit. */
enum outcome db_open_url(const char *url, const char *application_name, struct db **out,
                         struct err *err);
void db_close(struct db *db);
/* A server setting of every session from the next connection on, for example ("enable_hashjoin",
 * "off") to pin plans. Name and value are literals of the program, without spaces or quotes. */
void db_session_set(struct db *db, const char *name, const char *value);
/* The same for this session, too; another value for a name that was set before. Outside of a
 * transaction only. RETRY "db_down" if the connection is lost meanwhile. */
enum outcome db_session_change(struct db *db, const char *name, const char *value, struct err *err);

/* Every commit from now on rolls back, and says that all is well: to see what a transaction would
 * do. */
void db_dry_run(struct db *db);
/* Every statement of a service finds its rows by key, and its order of rows is the lock order: no
 * plan may change either. */
void db_pin_plans(struct db *db);

/* OK if connected (reconnects when its back-off is over: 50 ms doubling to 5 s, half of it random);
 * RETRY "db_down" otherwise; FATAL if the database's encoding is not UTF8. Never blocks longer than
 * 3 s (but a name server can). Notices here that an idle connection has died. */
enum outcome db_ready(struct db *db, struct err *err);
bool db_is_up(const struct db *db);

/* One transaction, READ COMMITTED. After an error inside it (the loss of the connection too) every
 * further statement answers RETRY "db_needs_rollback" until db_rollback; so does a commit, which
 * then rolls back
 * ("commit_rolled_back"). A begin inside a transaction, a commit outside and a statement inside a
 * COPY are programming errors. */
enum outcome db_begin(struct db *db, struct err *err);
/* However it ends, the transaction is over. RETRY "commit_unknown" if the connection was lost
 * meanwhile: run the batch again. */
enum outcome db_commit(struct db *db, struct err *err);
/* Also ends a COPY; nothing to do outside of both. No error: a broken connection rolls back by
 * itself. */
void db_rollback(struct db *db);
/* Ends the transaction by the outcome of its statements: commits after OK; else rolls back and
 * returns it. */
enum outcome db_end(struct db *db, enum outcome outcome, struct err *err);
bool db_in_transaction(const struct db *db);

/* A statement: its text, prepared under a name per connection at first use. */
struct statement {
    /* unique in the process, below 64 bytes; another text or other types under the same name are
     * FATAL */
    const char *name;
    const char *sql;
};

/* Parameters in binary. Built in an arena, in the order $1, $2, ... ; arrays are one-dimensional
 * without NULLs unless said. */
enum { PARAMS_MAX = 48 };
struct params {
    struct arena *arena;
    int count;
    const char *values[PARAMS_MAX];
    int lengths[PARAMS_MAX];
    unsigned types[PARAMS_MAX]; /* PostgreSQL oids */
};
void params_init(struct params *params, struct arena *arena);
void params_int2(struct params *p, int16_t v);
void params_int4(struct params *p, int32_t v);
void params_int8(struct params *p, int64_t v);
void params_bool(struct params *p, bool v);
void params_text(struct params *p, struct span v);  /* SPAN_NONE = NULL */
void params_bytea(struct params *p, struct span v); /* SPAN_NONE = NULL */
void params_uuid(struct params *p, const struct id *v);
void params_timestamptz(struct params *p, struct instant v);
/* Arrays take a strided view: element i at (char *)first + i * stride. */
void params_int2_array(struct params *p, const int16_t *first, size_t stride, size_t count);
void params_int4_array(struct params *p, const int32_t *first, size_t stride, size_t count);
void params_int8_array(struct params *p, const int64_t *first, size_t stride, size_t count);
void params_bool_array(struct params *p, const bool *first, size_t stride, size_t count);
void params_uuid_array(struct params *p, const struct id *first, size_t stride, size_t count);
void params_timestamptz_array(struct params *p, const struct instant *first, size_t stride,
                              size_t count);
/* Turns the elements of the last array (int2, int4, int8, timestamptz) that have the smallest value
 * of their type into NULL. */
void params_smallest_is_null(struct params *p);
/* SPAN_NONE = NULL */
void params_text_array(struct params *p, const struct span *first, size_t stride, size_t count);
/* SPAN_NONE = NULL */
void params_bytea_array(struct params *p, const struct span *first, size_t stride, size_t count);

/* Runs one statement, inside a transaction or on its own. params may be NULL. *result (result may
 * be NULL) lives in the arena of params; without params until the next statement without params on
 * this connection. It is NULL after an error. *affected (may be NULL) is the count of the command
 * tag. Messages never hold parameter values. */
enum outcome db_run(struct db *db, const struct statement *statement, const struct params *params,
                    struct db_result **result, int64_t *affected, struct err *err);
/* A script of statements without parameters (migrations, SET); outside a transaction the server
 * makes it one.
 */
enum outcome db_script(struct db *db, const char *sql, struct err *err);
/* True if the last call's error came from this SQLSTATE (five characters), for example "23505". */
bool db_sqlstate_is(const struct db *db, const char *sqlstate);

/* Values by row and column, from 0. Reading a value of another width than its column's ends the
 * process. */
int db_rows(const struct db_result *result);
bool db_is_null(const struct db_result *r, int row, int column);
int16_t db_int2(const struct db_result *r, int row, int column);
int32_t db_int4(const struct db_result *r, int row, int column);
int64_t db_int8(const struct db_result *r, int row, int column);
bool db_bool(const struct db_result *r, int row, int column);
/* text, bytea: borrowed from the result. */
struct span db_bytes(const struct db_result *r, int row, int column);
struct id db_uuid(const struct db_result *r, int row, int column);
struct instant db_timestamptz(const struct db_result *r, int row, int column);
/* Arrays without NULLs: their length; the elements are in the arena. */
size_t db_int4_array(const struct db_result *r, int row, int column, struct arena *arena,
                     const int32_t **out);
size_t db_timestamptz_array(const struct db_result *r, int row, int column, struct arena *arena,
                            const struct instant **out);

/* Binary COPY, usually inside a transaction: begin with "COPY t (a, b) FROM STDIN BINARY", then per
 * row: copy_row(n) and n fields, then end. Buffered by 64 kB. */
enum outcome db_copy_begin(struct db *db, const char *sql, struct err *err);
void copy_row(struct db *db, int16_t columns);
void copy_null(struct db *db);
void copy_int2(struct db *db, int16_t v);
void copy_int4(struct db *db, int32_t v);
void copy_int8(struct db *db, int64_t v);
void copy_bool(struct db *db, bool v);
void copy_uuid(struct db *db, const struct id *v);
void copy_timestamptz(struct db *db, struct instant v);
void copy_bytes(struct db *db, struct span v); /* text and bytea; SPAN_NONE = NULL */
/* REJECT with SQLSTATE 23505 on a duplicate key */
enum outcome db_copy_end(struct db *db, int64_t *rows, struct err *err);

#endif
