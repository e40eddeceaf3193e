/* store_failure_test.c: what the store makes of errors: classes, failed and ambiguous commits, lost
 * connections, back-off. */
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "common/runtime/telemetry.h"
#include "common/store/db_internal.h"
#include "tests/support/database.h"

static struct scratch scratch;
static struct db *db, *other;
static struct err err;

static const char reset_table[] =
    "DROP TABLE IF EXISTS t;"
    "CREATE TABLE t (k int8 PRIMARY KEY, v int8 NOT NULL DEFAULT 0 CHECK (v >= 0));"
    "INSERT INTO t SELECT generate_series(1, 10)";

static int set_up(void **state)
{
    db = database_open(scratch.url);
    other = database_open(scratch.url);
    err = (struct err){0};
    return db_script(db, reset_table, &err);
}

static int tear_down(void **state)
{
    db_close(db);
    db_close(other);
    return 0;
}

static void assert_ok(enum outcome outcome)
{
    if (outcome != OUTCOME_OK)
        fail_msg("%s: %s", err.code, err.message);
}

static int64_t number(struct db *on, const char *name, const char *sql)
{
    struct db_result *result;
    assert_ok(db_run(on, &(struct statement){name, sql}, NULL, &result, NULL, &err));
    int64_t v = db_int8(result, 0, 0);
    return v;
}

static int64_t backend(struct db *on)
{
    return number(on, "backend", "SELECT pg_backend_pid()::int8");
}

/* Ends the backend of victim and waits until the server has forgotten it. */
static void terminate(struct db *killer, int64_t pid)
{
    char sql[128];
    snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%lld, 5000)", (long long)pid);
    struct statement statement = {"terminate", sql};
    killer->prepare = false;
    assert_ok(db_run(killer, &statement, NULL, NULL, NULL, &err));
    killer->prepare = true;
}

static void assert_error(enum outcome got, enum outcome expected, const char *sqlstate,
                         const char *named)
{
    assert_int_equal(got, expected);
    assert_int_equal(err.outcome, expected);
    assert_true(db_sqlstate_is(db, sqlstate));
    if (strstr(err.message, named) == NULL)
        fail_msg("'%s' does not name '%s'", err.message, named);
}

static void test_class_of_each_error(void **state)
{
    static const struct {
        const char *name, *sql;
        enum outcome outcome;
        const char *sqlstate, *named;
    } rows[] = {
        {"bad_value", "SELECT 'sesame'::int8", OUTCOME_REJECT, "22P02", "bad_value"},
        {"division", "SELECT 1 / (SELECT 0)", OUTCOME_REJECT, "22012", "division"},
        {"checked", "UPDATE t SET v = -1 WHERE k = 1", OUTCOME_REJECT, "23514", "t_v_check"},
        {"not_null", "UPDATE t SET v = NULL WHERE k = 1", OUTCOME_REJECT, "23502", "column v"},
        {"duplicate", "INSERT INTO t VALUES (1)", OUTCOME_REJECT, "23505", "t_pkey"},
        {"unknown_table", "SELECT * FROM nowhere", OUTCOME_FATAL, "42P01", "nowhere"},
        {"syntax", "SELEC 1", OUTCOME_FATAL, "42601", "syntax"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct statement statement = {rows[i].name, rows[i].sql};
        assert_error(db_run(db, &statement, NULL, NULL, NULL, &err), rows[i].outcome,
                     rows[i].sqlstate, rows[i].named);
        assert_null(strstr(err.message, "sesame"));
        assert_true(db_is_up(db));
    }
}

static void test_one_name_for_two_statements(void **state)
{
    assert_ok(db_run(db, &(struct statement){"same", "SELECT 1"}, NULL, NULL, NULL, &err));
    assert_int_equal(db_run(db, &(struct statement){"same", "SELECT 2"}, NULL, NULL, NULL, &err),
                     OUTCOME_FATAL);
    assert_non_null(strstr(err.message, "same"));
}

static const struct statement add_row = {"add_row", "INSERT INTO t SELECT max(k) + 1 FROM t"};
static const struct statement breaks = {"breaks", "INSERT INTO t VALUES (1)"};

static void test_failed_transaction_needs_rollback(void **state)
{
    assert_ok(db_begin(db, &err));
    assert_ok(db_run(db, &add_row, NULL, NULL, NULL, &err));
    assert_int_equal(db_run(db, &breaks, NULL, NULL, NULL, &err), OUTCOME_REJECT);
    assert_int_equal(db_run(db, &add_row, NULL, NULL, NULL, &err), OUTCOME_RETRY);
    assert_string_equal(err.code, "db_needs_rollback");
    db_rollback(db);
    assert_int_equal(number(db, "count_t", "SELECT count(*) FROM t"), 10);
}

static void test_commit_of_a_failed_transaction(void **state)
{
    struct metric *rollbacks = metric_counter("db_transactions_total", "result=\"rollback\"", "");
    double before = metric_value(rollbacks);
    assert_ok(db_begin(db, &err));
    assert_ok(db_run(db, &add_row, NULL, NULL, NULL, &err));
    assert_int_equal(db_run(db, &breaks, NULL, NULL, NULL, &err), OUTCOME_REJECT);
    assert_int_equal(db_commit(db, &err), OUTCOME_RETRY);
    assert_string_equal(err.code, "commit_rolled_back");
    assert_true(metric_value(rollbacks) == before + 1);
    assert_false(db_in_transaction(db));
    assert_int_equal(number(db, "count_t", "SELECT count(*) FROM t"), 10);
}

static void test_transaction_ended_behind_our_back(void **state)
{
    assert_ok(db_begin(db, &err));
    assert_ok(db_script(db, "ROLLBACK", &err));
    assert_int_equal(db_commit(db, &err), OUTCOME_FATAL);
    assert_string_equal(err.code, "db_transaction_ended");
}

static void test_deferred_constraint_fails_at_commit(void **state)
{
    assert_ok(db_script(db,
                        "ALTER TABLE t ADD CONSTRAINT later FOREIGN KEY (v) REFERENCES t (k) "
                        "DEFERRABLE INITIALLY DEFERRED "
                        "NOT VALID",
                        &err));
    assert_ok(db_begin(db, &err));
    assert_ok(db_script(db, "INSERT INTO t VALUES (100, 99)", &err));
    assert_error(db_commit(db, &err), OUTCOME_REJECT, "23503", "later");
    assert_false(db_in_transaction(db));
    assert_ok(db_begin(db, &err));
    assert_ok(db_commit(db, &err));
}

/* ---- lost connections ---- */

static void test_backend_killed_inside_a_transaction(void **state)
{
    int64_t pid = backend(db);
    assert_ok(db_begin(db, &err));
    assert_ok(db_run(db, &add_row, NULL, NULL, NULL, &err));
    terminate(other, pid);
    assert_int_equal(db_run(db, &add_row, NULL, NULL, NULL, &err), OUTCOME_RETRY);
    assert_string_equal(err.code, "db_down");
    assert_false(db_is_up(db));
    db_rollback(db);
    database_wait(db);
    assert_true(backend(db) != pid);
    assert_ok(db_begin(db, &err));
    assert_ok(db_run(db, &add_row, NULL, NULL, NULL, &err)); /* prepared again */
    assert_ok(db_commit(db, &err));
    assert_int_equal(number(db, "count_t", "SELECT count(*) FROM t"), 11);
}

static void test_reconnected_transaction_still_needs_rollback(void **state)
{
    assert_ok(db_begin(db, &err));
    terminate(other, PQbackendPID(db->conn));
    assert_int_equal(db_run(db, &add_row, NULL, NULL, NULL, &err), OUTCOME_RETRY);
    database_wait(db);
    assert_int_equal(db_run(db, &add_row, NULL, NULL, NULL, &err), OUTCOME_RETRY);
    assert_string_equal(err.code, "db_needs_rollback");
    db_rollback(db);
    assert_ok(db_run(db, &add_row, NULL, NULL, NULL, &err));
}

static void test_backend_killed_before_commit(void **state)
{
    struct metric *unknowns = metric_counter("db_transactions_total", "result=\"unknown\"", "");
    double before = metric_value(unknowns);
    assert_ok(db_begin(db, &err));
    assert_ok(db_run(db, &add_row, NULL, NULL, NULL, &err));
    terminate(other, PQbackendPID(db->conn));
    assert_int_equal(db_commit(db, &err), OUTCOME_RETRY);
    assert_string_equal(err.code, "commit_unknown");
    assert_true(metric_value(unknowns) == before + 1);
    assert_false(db_in_transaction(db));
    assert_int_equal(number(other, "count_t", "SELECT count(*) FROM t"), 10);
}

static void test_backend_killed_inside_copy(void **state)
{
    assert_ok(db_begin(db, &err));
    assert_ok(db_copy_begin(db, "COPY t FROM STDIN BINARY", &err));
    terminate(other, PQbackendPID(db->conn));
    for (int64_t i = 0; i < 200000; i++) {
        copy_row(db, 2);
        copy_int8(db, 1000 + i);
        copy_int8(db, 0);
    }
    assert_int_equal(db_copy_end(db, NULL, &err), OUTCOME_RETRY);
    assert_string_equal(err.code, "db_down");
    db_rollback(db);
    database_wait(db);
    assert_int_equal(number(db, "count_t", "SELECT count(*) FROM t"), 10);
}

static void test_death_of_an_idle_connection_is_noticed(void **state)
{
    struct metric *up = metric_gauge("db_up", "", "");
    int64_t pid = backend(db);
    terminate(other, pid);
    if (db_ready(db, &err) != OUTCOME_OK)
        assert_true(metric_value(up) == 0);
    database_wait(db);
    assert_true(metric_value(up) == 1);
    assert_true(backend(db) != pid);
}

static void test_answer_that_does_not_come(void **state)
{
    db->timeout_us = 100 * 1000;
    assert_int_equal(db_script(db, "SELECT pg_sleep(30)", &err), OUTCOME_RETRY);
    assert_string_equal(err.code, "db_down");
    assert_false(db_is_up(db));
}

/* ---- competitors ---- */

static const struct statement lock_first = {"lock_first", "UPDATE t SET v = v + 1 WHERE k = 1"};
static const struct statement lock_second = {"lock_second", "UPDATE t SET v = v + 1 WHERE k = 2"};

static void *other_takes_first(void *arg)
{
    static struct err ignored;
    *(enum outcome *)arg = db_run(other, &lock_first, NULL, NULL, NULL, &ignored);
    return NULL;
}

static void test_deadlock_is_retried(void **state)
{
    enum outcome theirs, ours;
    pthread_t thread;
    assert_ok(db_begin(db, &err));
    assert_ok(db_begin(other, &err));
    assert_ok(db_run(db, &lock_first, NULL, NULL, NULL, &err));
    assert_ok(db_run(other, &lock_second, NULL, NULL, NULL, &err));
    assert_int_equal(pthread_create(&thread, NULL, other_takes_first, &theirs), 0);
    ours = db_run(db, &lock_second, NULL, NULL, NULL, &err);
    db_rollback(db);
    pthread_join(thread, NULL);
    assert_true((ours == OUTCOME_RETRY && db_sqlstate_is(db, "40P01")) !=
                (theirs == OUTCOME_RETRY && db_sqlstate_is(other, "40P01")));
    assert_true(ours == OUTCOME_OK || theirs == OUTCOME_OK);
    db_rollback(other);
    assert_true(db_is_up(db) && db_is_up(other));
}

static void test_lock_timeout_is_retried(void **state)
{
    assert_ok(db_begin(other, &err));
    assert_ok(db_run(other, &lock_first, NULL, NULL, NULL, &err));
    assert_ok(db_script(db, "SET lock_timeout = '20ms'", &err));
    assert_ok(db_begin(db, &err));
    assert_error(db_run(db, &lock_first, NULL, NULL, NULL, &err), OUTCOME_RETRY, "55P03",
                 "lock_first");
    db_rollback(db);
    db_rollback(other);
    assert_ok(db_run(db, &lock_first, NULL, NULL, NULL, &err));
}

/* ---- sessions and plans ---- */

static void assert_setting(const char *name, const char *value)
{
    char sql[128];
    struct db_result *r;
    snprintf(sql, sizeof sql, "SELECT current_setting('%s')", name);
    struct statement statement = {name, sql};
    assert_ok(db_run(db, &statement, NULL, &r, NULL, &err));
    if (!span_is(db_bytes(r, 0, 0), value))
        fail_msg("%s is " SPAN_FMT ", not %s", name, SPAN_ARG(db_bytes(r, 0, 0)), value);
}

static void assert_session(void)
{
    assert_setting("lock_timeout", "5s");
    assert_setting("idle_in_transaction_session_timeout", "15s");
    assert_setting("TimeZone", "UTC");
    assert_setting("enable_hashjoin", "off");
    assert_setting("transaction_isolation", "read committed");
    assert_setting("client_encoding", "UTF8");
    assert_setting("application_name", "tutti-test");
}

static void test_session_settings(void **state)
{
    for (int prepare = 0; prepare < 2; prepare++) {
        db_close(db);
        assert_ok(db_open_url(scratch.url, "tutti-test", &db, &err));
        db->prepare = prepare;
        db_session_set(db, "enable_hashjoin", "off");
        database_wait(db);
        assert_ok(db_begin(db, &err));
        assert_session();
        assert_ok(db_commit(db, &err));
        assert_int_equal(
            number(db, "prepared",
                   "SELECT count(*) FROM pg_prepared_statements WHERE name <> 'prepared'"),
            prepare ? 7 : 0);
    }
}

static void test_plan_of_an_older_schema(void **state)
{
    static const struct statement all = {"all_columns", "SELECT * FROM t"};
    assert_ok(db_run(db, &all, NULL, NULL, NULL, &err));
    assert_ok(db_script(other, "ALTER TABLE t ADD COLUMN more text", &err));
    assert_int_equal(db_run(db, &all, NULL, NULL, NULL, &err), OUTCOME_RETRY);
    database_wait(db);
    assert_ok(db_run(db, &all, NULL, NULL, NULL, &err));
}

/* ---- no server ---- */

/* A loopback port that refuses (not listening) or swallows connections (listening, never
 * accepting). */
static int open_port(bool is_listening, char *url, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    if (is_listening)
        assert_int_equal(listen(fd, 1), 0);
    snprintf(url, size, "postgresql://nobody@127.0.0.1:%d/x", ntohs(address.sin_port));
    return fd;
}

static void test_back_off_is_capped(void **state)
{
    char url[80];
    int fd = open_port(false, url, sizeof url);
    db_close(db);
    assert_ok(db_open_url(url, "tutti-test", &db, &err));
    int64_t expected = 50 * 1000;
    for (int attempt = 0; attempt < 12; attempt++) {
        int64_t before = clock_monotonic_us();
        db->next_attempt_us = 0;
        assert_int_equal(db_ready(db, &err), OUTCOME_RETRY);
        assert_string_equal(err.code, "db_down");
        assert_true(db->next_attempt_us - before >= expected / 2);
        assert_true(db->next_attempt_us - clock_monotonic_us() <= expected);
        int64_t later = db->next_attempt_us = clock_monotonic_us() + US_PER_DAY;
        assert_int_equal(db_ready(db, &err), OUTCOME_RETRY);
        assert_true(db->next_attempt_us == later); /* not yet: no attempt was made */
        expected = expected * 2 < 5000 * 1000 ? expected * 2 : 5000 * 1000;
    }
    close(fd);
}

static void test_silent_server_does_not_block(void **state)
{
    char url[80];
    int fd = open_port(true, url, sizeof url);
    db_close(db);
    assert_ok(db_open_url(url, "tutti-test", &db, &err));
    int64_t started = clock_monotonic_us();
    assert_int_equal(db_ready(db, &err), OUTCOME_RETRY);
    assert_true(clock_monotonic_us() - started < 4500 * 1000);
    assert_false(db_is_up(db));
    close(fd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_class_of_each_error),
        TEST(test_one_name_for_two_statements),
        TEST(test_failed_transaction_needs_rollback),
        TEST(test_commit_of_a_failed_transaction),
        TEST(test_transaction_ended_behind_our_back),
        TEST(test_deferred_constraint_fails_at_commit),
        TEST(test_backend_killed_inside_a_transaction),
        TEST(test_reconnected_transaction_still_needs_rollback),
        TEST(test_backend_killed_before_commit),
        TEST(test_backend_killed_inside_copy),
        TEST(test_death_of_an_idle_connection_is_noticed),
        TEST(test_answer_that_does_not_come),
        TEST(test_deadlock_is_retried),
        TEST(test_lock_timeout_is_retried),
        TEST(test_session_settings),
        TEST(test_plan_of_an_older_schema),
        TEST(test_back_off_is_capped),
        TEST(test_silent_server_does_not_block),
    };
    if (database_server() == NULL)
        return DATABASE_SKIPPED;
    scratch_create(&scratch, "store_failure_test");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_drop(&scratch);
    return failed;
}
