/* migrations_test.c: migrations against a real PostgreSQL: twice, concurrently, failing half-way,
 * and the check's one line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "common/store/migrations.h"
#include "tests/support/database.h"

static struct scratch scratch;
static struct db *db;
static struct arena arena;
static struct err err;

static const struct sql_file good[] = {
    {"0001_first.sql",
     "-- about it\n-- migrate:up\nCREATE TABLE a (k int8);\nINSERT INTO a VALUES (1);\n-- "
     "migrate:down\nDROP TABLE a;\n"},
    {"0002_index.sql",
     "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY a_k ON a (k);\n-- migrate:down\n"},
    {"0003_third.sql", "-- migrate:up\nINSERT INTO a SELECT count(*) + 1 FROM a;\n"},
};
enum { GOOD = 3 };

static struct schema_files only_tables(const struct sql_file *tables, size_t count)
{
    return (struct schema_files){.tables = tables, .tables_count = count, .views_hash = "none"};
}

static struct {
    int applied, missing;
} seen;

static int set_up(void **state)
{
    db = database_open(scratch.url);
    err = (struct err){0};
    seen.applied = seen.missing = 0;
    return db_script(db, "DROP SCHEMA IF EXISTS tutti_meta CASCADE; DROP TABLE IF EXISTS a, b, c",
                     &err);
}

static int tear_down(void **state)
{
    db_close(db);
    arena_free(&arena);
    return 0;
}

static void assert_ok(enum outcome outcome)
{
    if (outcome != OUTCOME_OK)
        fail_msg("%s: %s", err.code, err.message);
}

static int64_t number(const char *sql)
{
    struct db_result *result;
    struct statement statement = {arena_printf(&arena, "number_%p", (const void *)sql), sql};
    assert_ok(db_run(db, &statement, NULL, &result, NULL, &err));
    int64_t v = db_int8(result, 0, 0);
    return v;
}

static void assert_version(const char *expected)
{
    struct span version;
    assert_ok(migrations_version(db, &arena, &version, &err));
    if (!span_is(version, expected))
        fail_msg("version is '" SPAN_FMT "', not '%s'", SPAN_ARG(version), expected);
}

static void count_progress(const char *name, bool applied)
{
    seen.applied += applied;
    seen.missing += !applied;
}

/* The views count as one. */
static enum outcome up(const struct sql_file *tables, size_t count)
{
    const struct schema_files files = only_tables(tables, count);
    return migrations_up(db, &files, false, count_progress, &err);
}

static void assert_progress(int applied, int missing)
{
    assert_int_equal(seen.applied, applied);
    assert_int_equal(seen.missing, missing);
    seen.applied = seen.missing = 0;
}

static void test_up_twice(void **state)
{
    assert_version("");
    assert_ok(up(good, 2));
    assert_progress(0, 3);
    assert_version("0002");
    assert_ok(up(good, GOOD));
    assert_progress(3, 1);
    assert_ok(up(good, GOOD));
    assert_progress(4, 0);
    assert_version("0003");
    assert_int_equal(number("SELECT sum(k)::int8 FROM a"), 1 + 2);
    assert_int_equal(
        number(
            "SELECT count(*) FROM pg_locks WHERE relation = 'tutti_meta.migration_lock'::regclass"),
        0);
}

static void test_dry_run_writes_nothing(void **state)
{
    const struct schema_files files = only_tables(good, GOOD);
    assert_ok(migrations_up(db, &files, true, count_progress, &err));
    assert_progress(0, 4);
    assert_int_equal(number("SELECT count(*) FROM pg_namespace WHERE nspname = 'tutti_meta'"), 0);
}

/* A process of its own, as two operators would start it. */
static pid_t start_migrating(void)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    struct err problem = {0};
    struct db *mine = database_open(scratch.url);
    const struct schema_files files = only_tables(good, GOOD);
    enum outcome outcome = migrations_up(mine, &files, false, NULL, &problem);
    if (outcome != OUTCOME_OK)
        fprintf(stderr, "%s\n", problem.message);
    _exit(outcome == OUTCOME_OK ? 0 : 1);
}

static void test_up_by_many_processes_at_once(void **state)
{
    enum { PROCESSES = 6 };
    pid_t pids[PROCESSES];
    for (int i = 0; i < PROCESSES; i++)
        pids[i] = start_migrating();
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        assert_true(waitpid(pids[i], &status, 0) == pids[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_version("0003");
    assert_int_equal(number("SELECT sum(k)::int8 FROM a"), 1 + 2);
}

static void test_failing_file_leaves_no_trace(void **state)
{
    const struct sql_file list[] = {
        good[0],
        {"0002_bad.sql", "-- migrate:up\nCREATE TABLE b (k int8);\nCREATE TABLE c (k nonsense);\n"},
        good[2],
    };
    assert_int_equal(up(list, 3), OUTCOME_FATAL);
    assert_non_null(strstr(err.message, "0002_bad.sql"));
    assert_non_null(strstr(err.message, "line 3"));
    assert_version("0001");
    assert_int_equal(number("SELECT count(*) FROM pg_class WHERE relname IN ('b', 'c')"), 0);
    assert_ok(up(good, GOOD)); /* mended: goes on */
    assert_version("0003");
}

static void test_malformed_files_are_refused(void **state)
{
    static const struct {
        struct sql_file list[2];
        size_t count;
        const char *named;
    } rows[] = {
        {{{"0001_a.sql", "CREATE TABLE b (k int8);\n"}}, 1, "migrate:up"},
        {{{"0001_a.sql", "-- migrate:up transction:false\nSELECT 1;\n"}}, 1, "option"},
        {{{"first.sql", "-- migrate:up\n"}}, 1, "first.sql"},
        {{{"0002_b.sql", "-- migrate:up\n"}, {"0001_a.sql", "-- migrate:up\n"}}, 2, "0001_a.sql"},
        {{{"0001_a.sql", "-- migrate:up\n"}, {"01_a.sql", "-- migrate:up\n"}}, 2, "01_a.sql"},
        {{{"0001_a.sql", "-- migrate:up\nCOMMIT;\n"}}, 1, "0001_a.sql"},
        {{{"0001_a.sql", "-- migrate:up\nSELECT 1 / (SELECT 0);\n"}}, 1, "0001_a.sql"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(up(rows[i].list, rows[i].count), OUTCOME_FATAL);
        if (strstr(err.message, rows[i].named) == NULL)
            fail_msg("'%s' does not name '%s'", err.message, rows[i].named);
        assert_ok(db_script(db, "DROP SCHEMA IF EXISTS tutti_meta CASCADE", &err));
    }
}

static void assert_check(size_t needed, const char *message)
{
    const struct schema_files files = only_tables(good, needed);
    assert_int_equal(migrations_check(db, &files, &err), OUTCOME_FATAL);
    assert_string_equal(err.message, message);
    assert_string_equal(err.code, "schema_version");
}

static void test_check(void **state)
{
    assert_check(3, "database schema is at nothing, this program needs 0003: run `tutti migrate`");
    assert_ok(up(good, 1));
    assert_check(3, "database schema is at 0001, this program needs 0003: run `tutti migrate`");
    assert_ok(up(good, 3));
    const struct schema_files files = only_tables(good, 3);
    assert_ok(migrations_check(db, &files, &err));
    assert_int_equal(up(good, 2), OUTCOME_FATAL); /* an older program changes nothing */
    assert_check(
        2, "database schema is at 0003, this program needs 0002: install the newer program (`tutti "
           "migrate` only goes "
           "forward)");
    assert_ok(
        db_script(db, "DELETE FROM tutti_meta.schema_migrations WHERE version = '0002'", &err));
    assert_check(3, "database schema is at 0003 but lacks 0002: run `tutti migrate`");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_up_twice),
        TEST(test_dry_run_writes_nothing),
        TEST(test_up_by_many_processes_at_once),
        TEST(test_failing_file_leaves_no_trace),
        TEST(test_malformed_files_are_refused),
        TEST(test_check),
    };
    if (database_server() == NULL)
        return DATABASE_SKIPPED;
    scratch_create(&scratch, "migrations_test");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_drop(&scratch);
    return failed;
}
