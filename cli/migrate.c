/* migrate.c: `tutti migrate`: brings the database's schema to what this program needs. */
#include "cli/database.h"
#include "common/store/migrations.h"
#include "common/store/schema_migrations.h"

static void show_applied(const char *name, bool applied)
{
    if (!applied)
        say("applying %s", name);
}

static void show_planned(const char *name, bool applied)
{
    printf("%s  %s\n", applied ? "applied" : "missing", name);
}

static enum outcome print_status(struct db *db, struct call *call, struct err *err)
{
    struct span version;
    enum outcome outcome = migrations_version(db, &call->arena, &version, err);
    if (outcome != OUTCOME_OK)
        return outcome;
    if (call_has(call, "json"))
        printf("{\"database\":\"" SPAN_FMT "\",\"program\":\"%.4s\",\"current\":%s}\n",
               SPAN_ARG(version), schema_migrations[schema_migrations_count - 1].name,
               migrations_check(db, schema_migrations, schema_migrations_count, err) == OUTCOME_OK
                   ? "true"
                   : "false");
    else
        printf("database is at %s\n",
               version.len ? arena_printf(&call->arena, SPAN_FMT, SPAN_ARG(version)) : "nothing");
    return migrations_check(db, schema_migrations, schema_migrations_count, err);
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
        outcome = migrations_up(db, schema_migrations, schema_migrations_count, dry_run,
                                dry_run ? show_planned : show_applied, &err);
    db_close(db);
    if (outcome != OUTCOME_OK)
        return failed(&err);
    if (!status && !dry_run)
        say("the database is at %.4s", schema_migrations[schema_migrations_count - 1].name);
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
               "status exits with 1 unless the database is at the version that this program needs.",
    .options = options,
    .max_arguments = 1,
    .run = run_migrate,
};
