/* schema_views_test.c: the views of a real PostgreSQL follow their texts, as one set, and nothing
 * else is touched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/store/migrations.h"
#include "common/store/schema_migrations.h"
#include "tests/support/database.h"

static struct scratch scratch;
static struct db *db;
static struct arena arena;
static struct err err;
static int made; /* how often the last run made the views */

static const struct sql_file table_a[] = {
    {"0001_a.sql", "-- migrate:up\nCREATE TABLE a (k int8);\nINSERT INTO a VALUES (7);\n"
                   "CREATE VIEW a_rows AS SELECT count(*) AS n FROM a;\n"},
    {"0002_wider.sql", "-- migrate:up\nSELECT tutti_meta.drop_views();\n"
                       "ALTER TABLE a ALTER COLUMN k TYPE numeric;\n"},
};
static const struct sql_file two[] = {
    {"10_first.sql", "CREATE FUNCTION half(v int8) RETURNS int8 LANGUAGE sql RETURN v / 2;\n"
                     "CREATE VIEW one AS SELECT half(k) AS k FROM a;\n"},
    {"20_second.sql", "CREATE VIEW two AS SELECT k FROM one;\n"},
};
static const struct sql_file other[] = {{"10_first.sql", "CREATE VIEW one AS SELECT 1 AS k;\n"}};
static const struct sql_file broken[] = {
    {"10_first.sql", "CREATE VIEW one AS SELECT 2 AS k;\n"},
    {"20_second.sql", "CREATE VIEW three AS\nSELECT nonsense;\n"},
};
static const struct sql_file wide[] = {{"10_first.sql", "CREATE VIEW one AS SELECT k FROM a;\n"}};

static const struct schema_files with_two = {table_a, 1, two, 2, "hash of two"};
static const struct schema_files with_other = {table_a, 1, other, 1, "hash of other"};
static const struct schema_files with_broken = {table_a, 1, broken, 2, "hash of broken"};
static const struct schema_files with_wide = {table_a, 2, wide, 1, "hash of wide"};

static int set_up(void **state)
{
    db = database_open(scratch.url);
    err = (struct err){0};
    return db_script(db,
                     "DROP SCHEMA IF EXISTS tutti_meta, mine CASCADE;"
                     "DROP TABLE IF EXISTS a CASCADE; DROP VIEW IF EXISTS one CASCADE;"
                     "DROP FUNCTION IF EXISTS half(int8)",
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

static void count_made(const char *name, bool is_current)
{
    made += strcmp(name, SCHEMA_VIEWS) == 0 && !is_current;
}

static enum outcome up(const struct schema_files *files)
{
    made = 0;
    return migrations_up(db, files, false, count_made, &err);
}

static int64_t number(const char *sql)
{
    struct db_result *result;
    struct statement statement = {arena_printf(&arena, "number_%p", (const void *)sql), sql};
    assert_ok(db_run(db, &statement, NULL, &result, NULL, &err));
    return db_int8(result, 0, 0);
}

static void test_views_follow_their_texts(void **state)
{
    assert_ok(up(&with_two));
    assert_int_equal(made, 1);
    assert_int_equal(number("SELECT k FROM two"), 3);
    assert_ok(up(&with_two));
    assert_int_equal(made, 0);
    assert_ok(up(&with_other));
    assert_int_equal(made, 1);
    assert_int_equal(number("SELECT count(*) FROM pg_class WHERE relname = 'two'"), 0);
    assert_int_equal(number("SELECT count(*) FROM pg_proc WHERE proname = 'half'"), 0);
    assert_int_equal(number("SELECT n FROM a_rows"), 1); /* a view that the tables brought stays */
}

static void test_check_says_so(void **state)
{
    assert_int_equal(migrations_check_views(db, &with_two, &err), OUTCOME_FATAL);
    assert_ok(up(&with_two));
    assert_ok(migrations_check_views(db, &with_two, &err));
    assert_int_equal(migrations_check_views(db, &with_other, &err), OUTCOME_FATAL);
    assert_string_equal(err.code, "views_version");
    assert_ok(migrations_check(db, &with_other, &err)); /* services go on */
    assert_ok(migrations_up(db, &with_other, true, NULL, &err));
    assert_ok(migrations_check_views(db, &with_two, &err)); /* a dry run changes nothing */
}

static void test_failing_view_leaves_the_old_ones(void **state)
{
    assert_ok(up(&with_two));
    assert_int_equal(up(&with_broken), OUTCOME_FATAL);
    assert_non_null(strstr(err.message, "20_second.sql"));
    assert_non_null(strstr(err.message, "line 2"));
    assert_int_equal(number("SELECT k FROM two"), 3);
    assert_ok(migrations_check_views(db, &with_two, &err));
}

static void test_views_of_others_are_kept(void **state)
{
    assert_ok(up(&with_two));
    assert_ok(db_script(db, "CREATE SCHEMA mine; CREATE VIEW mine.own AS SELECT k FROM two", &err));
    assert_int_equal(up(&with_other), OUTCOME_FATAL);
    assert_non_null(strstr(err.message, "mine.own"));
    assert_int_equal(number("SELECT k FROM mine.own"), 3);
    assert_ok(
        db_script(db, "CREATE VIEW mine.apart AS SELECT 5::int8 AS k; DROP VIEW mine.own", &err));
    assert_ok(up(&with_other));
    assert_int_equal(number("SELECT k FROM mine.apart"), 5);
}

static void test_migration_may_change_what_a_view_reads(void **state)
{
    assert_ok(up(&with_two));
    assert_ok(up(&with_wide));
    assert_int_equal(made, 1);
    assert_int_equal(number("SELECT k::int8 FROM one"), 7);
}

/* Nothing that schemas/views makes is left when it is dropped, and it can be made again. */
static void test_real_views_are_one_set(void **state)
{
    static const char count[] = "SELECT count(*) FROM pg_class WHERE relkind = 'v' AND "
                                "relnamespace = 'tutti'::regnamespace";
    assert_ok(up(&schema_files));
    int64_t before = number(count);
    assert_true(before > 10);
    assert_ok(db_script(db, "SELECT tutti_meta.drop_views()", &err));
    assert_int_equal(number(count), 0);
    assert_ok(up(&schema_files));
    assert_int_equal(number(count), before);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_views_follow_their_texts),
        TEST(test_check_says_so),
        TEST(test_failing_view_leaves_the_old_ones),
        TEST(test_views_of_others_are_kept),
        TEST(test_migration_may_change_what_a_view_reads),
        TEST(test_real_views_are_one_set),
    };
    if (database_server() == NULL)
        return DATABASE_SKIPPED;
    scratch_create(&scratch, "schema_views_test");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_drop(&scratch);
    return failed;
}
