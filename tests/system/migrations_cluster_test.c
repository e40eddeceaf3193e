/* migrations_cluster_test.c: several databases of one cluster are migrated at once. Roles belong to
 * the cluster and the lock of a migration to its database, so they meet at the roles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "common/store/migrations.h"
#include "common/store/schema_migrations.h"
#include "tests/support/database.h"

enum { DATABASES = 4, ROUNDS = 5 };

static struct scratch scratches[DATABASES];
static char roles_sql[4096]; /* the block of the first migration that creates roles, renamed */
static const struct sql_file roles_file = {"0001_roles.sql", roles_sql};
static const struct schema_files roles_only = {&roles_file, 1, NULL, 0, "none"};

/* The roles of the real schema are there already, used by other databases: so the same text is run
 * with names of this test. */
static void rename_roles(void)
{
    const char *text = schema_files.tables[0].sql, *block = strstr(text, "DO $$");
    const char *end = strstr(block, "END $$;") + strlen("END $$;");
    size_t n = (size_t)snprintf(roles_sql, sizeof roles_sql, "-- migrate:up\n");
    for (const char *p = block; p < end; p++) {
        roles_sql[n++] = *p;
        if (strncmp(p, "'tutti_", 7) == 0)
            n += (size_t)sprintf(roles_sql + n, "race_");
    }
    roles_sql[n] = '\0';
}

static void run(struct db *db, const char *sql)
{
    struct err err = {0};
    database_must(db_script(db, sql, &err), &err);
}

static int64_t number(struct db *db, const char *name, const char *sql)
{
    struct err err = {0};
    struct db_result *result;
    const struct statement statement = {name, sql};
    database_must(db_run(db, &statement, NULL, &result, NULL, &err), &err);
    return db_int8(result, 0, 0);
}

static int64_t race_roles(struct db *db)
{
    return number(db, "race_roles",
                  "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'race\\_tutti\\_%'");
}

static void forget_roles(void)
{
    struct db *db = database_open(database_server());
    run(db, "DO $$ DECLARE r text; BEGIN"
            " FOR r IN SELECT rolname FROM pg_roles WHERE rolname LIKE 'race\\_tutti\\_%' LOOP"
            " EXECUTE format('DROP ROLE %I', r); END LOOP; END $$");
    db_close(db);
    for (int i = 0; i < DATABASES; i++) {
        db = database_open(scratches[i].url);
        run(db, "DROP SCHEMA IF EXISTS tutti_meta CASCADE");
        db_close(db);
    }
}

static pid_t start_migrating(int i, const struct schema_files *files)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    struct err err = {0};
    struct db *db = database_open(scratches[i].url);
    enum outcome outcome = migrations_up(db, files, false, NULL, &err);
    if (outcome != OUTCOME_OK)
        fprintf(stderr, "%s: %s\n", scratches[i].name, err.message);
    _exit(outcome == OUTCOME_OK ? 0 : 1);
}

static bool has_succeeded(pid_t pid)
{
    int status;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int migrate_all(const struct schema_files *files)
{
    pid_t pids[DATABASES];
    int failed = 0;
    for (int i = 0; i < DATABASES; i++)
        pids[i] = start_migrating(i, files);
    for (int i = 0; i < DATABASES; i++)
        failed += !has_succeeded(pids[i]);
    return failed;
}

static void wait_until_one_waits(struct db *db)
{
    int64_t deadline = clock_monotonic_us() + 20 * US_PER_SECOND;
    while (number(db, "waiting",
                  "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                  " AND datname LIKE 'migrations_cluster%'") == 0) {
        assert_true(clock_monotonic_us() < deadline);
        poll(NULL, 0, 5);
    }
}

/* The other creator has made the roles and has not committed. */
static void test_roles_under_creation_elsewhere(void **state)
{
    struct err err = {0};
    struct db *db = database_open(database_server()), *watch = database_open(database_server());
    forget_roles();
    database_must(db_begin(db, &err), &err);
    run(db, roles_sql);
    pid_t pid = start_migrating(0, &roles_only);
    wait_until_one_waits(watch);
    database_must(db_commit(db, &err), &err);
    assert_true(has_succeeded(pid));
    assert_int_equal(race_roles(watch), 6);
    db_close(watch);
    db_close(db);
}

static void test_roles_by_many_databases_at_once(void **state)
{
    for (int round = 0; round < ROUNDS; round++) {
        forget_roles();
        assert_int_equal(migrate_all(&roles_only), 0);
    }
    struct db *db = database_open(database_server());
    assert_int_equal(race_roles(db), 6);
    db_close(db);
}

static void test_whole_schema_in_many_databases_at_once(void **state)
{
    forget_roles();
    assert_int_equal(migrate_all(&schema_files), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roles_under_creation_elsewhere),
        cmocka_unit_test(test_roles_by_many_databases_at_once),
        cmocka_unit_test(test_whole_schema_in_many_databases_at_once),
    };
    if (database_server() == NULL)
        return DATABASE_SKIPPED;
    rename_roles();
    for (int i = 0; i < DATABASES; i++) {
        char prefix[32];
        snprintf(prefix, sizeof prefix, "migrations_cluster_%d", i);
        scratch_create(&scratches[i], prefix);
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    forget_roles();
    for (int i = 0; i < DATABASES; i++)
        scratch_drop(&scratches[i]);
    return failed;
}
