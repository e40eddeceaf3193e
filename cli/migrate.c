/* migrate.c: `tutti migrate`: brings the database's schema to what this program needs. */
#include "cli/database.h"
#include "common/store/migrations.h"
#include "common/store/schema_migrations.h"

static void show_applied(const char *name, bool is_current)
{
    if (!is_current)
        say(strcmp(name, SCHEMA_VIEWS) == 0 ? "creating the %s" : "applying %s", name);
}

static void show_planned(const char *name, bool is_current)
{
    printf("%s  %s\n", is_current ? "applied" : "missing", name);
}

static const char *last_migration(void)
{
    return schema_files.tables[schema_files.tables_count - 1].name;
}

static const char *json_bool(bool value)
{
    return value ? "true" : "false";
}

static enum outcome print_status(struct db *db, struct call *call, struct err *err)
{
    struct span version;
    CHECK(migrations_version(db, &call->arena, &version, err));
    enum outcome views = migrations_check_views(db, &schema_files, err);
    struct err tables_err;
    enum outcome tables = migrations_check(db, &schema_files, &tables_err);
    if (call_has(call, "json"))
        printf("{\"database\":\"" SPAN_FMT
               "\",\"program\":\"%.4s\",\"current\":%s,\"views_current\":%s}\n",
               SPAN_ARG(version), last_migration(), json_bool(tables == OUTCOME_OK),
               json_bool(views == OUTCOME_OK));
    else
        printf("database is at %s, views are %s\n",
               version.len ? arena_printf(&call->arena, SPAN_FMT, SPAN_ARG(version)) : "nothing",
               views == OUTCOME_OK ? "current" : "not current");
    if (tables == OUTCOME_OK)
        return views;
    *err = tables_err;
    return tables;
}

static enum exit_status run_migrate(struct call *call)
{
    const char *what = call_argument(call, 0);
    bool status = what && strcmp(what, "status") == 0, dry_run = call_has(call, "dry-run");
    if (what && !status && strcmp(what, "up") != 0)
        return misuse(call, "expected up or status, got \"%.40s\"", what);
    struct db *db = NULL;
    struct err err = {0};
    enum outcome outcome = database_connect(call, &db, &err);
    if (outcome == OUTCOME_OK && status)
        outcome = print_status(db, call, &err);
    else if (outcome == OUTCOME_OK)
        outcome =
            migrations_up(db, &schema_files, dry_run, dry_run ? show_planned : show_applied, &err);
    db_close(db);
    if (outcome != OUTCOME_OK)
        return failed(&err);
    if (!status && !dry_run)
        say("the database is at %.4s", last_migration());
    return EXIT_DONE;
}

static const struct option options[] = {
    {"dry-run", NULL, "Only say what would be applied."},
    {"json", NULL, "status: one JSON object."},
    {NULL, NULL, NULL},
};

const struct command command_migrate = {
    .name = "migrate",
    .arguments = "[up|status]",
    .summary = "Bring the database's schema up to date, or say where it is",
    .details = "Each file of schemas/sql is applied once, in its own transaction, under a lock: "
               "several may run at once.\n"
               "Then the views of schemas/views are made again, all in one transaction, if their "
               "texts have changed.\n"
               "status exits with 1 unless the tables and the views are those of this program.",
    .options = options,
    .max_arguments = 1,
    .run = run_migrate,
};
