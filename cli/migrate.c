/* migrate.c: `tutti migrate`: brings the database's schema to what this program needs. */
#include "cli/session.h"
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

/* Four digits. */
static const char *last_migration(struct arena *arena)
{
    return arena_printf(arena, "%.4s", schema_files.tables[schema_files.tables_count - 1].name);
}

static enum outcome report_status(struct session *s)
{
    struct span version;
    struct err views_err = {0};
    CHECK(migrations_version(s->desk.db, s->desk.arena, &version, &s->err));
    enum outcome views = migrations_check_views(s->desk.db, &schema_files, &views_err),
                 tables = migrations_check(s->desk.db, &schema_files, &s->err);
    report_line(&s->report, "database is at " SPAN_FMT ", views are %s",
                SPAN_ARG(version.len ? version : SPAN("nothing")),
                views == OUTCOME_OK ? "current" : "not current");
    report_value(&s->report, "database", cell_text(version), NULL);
    report_value(&s->report, "program", cell_words(last_migration(s->desk.arena)), NULL);
    report_value(&s->report, "current", cell_bool(tables == OUTCOME_OK), NULL);
    report_value(&s->report, "views_current", cell_bool(views == OUTCOME_OK), NULL);
    s->report.is_complete = true;
    if (tables != OUTCOME_OK)
        return tables;
    s->err = views_err;
    return views;
}

static enum outcome run_words(struct session *s, bool status, bool dry_run)
{
    CHECK(desk_connect(&s->desk, &s->err));
    if (status)
        return report_status(s);
    CHECK(migrations_up(s->desk.db, &schema_files, dry_run, dry_run ? show_planned : show_applied,
                        &s->err));
    if (!dry_run)
        say("the database is at %s", last_migration(s->desk.arena));
    return OUTCOME_OK;
}

static enum exit_status run_migrate(struct call *call)
{
    struct session s;
    const char *what = call_argument(call, 0);
    bool status = what && strcmp(what, "status") == 0;
    if (what && !status && strcmp(what, "up") != 0)
        return misuse(call, "expected up or status, got \"%.40s\"", what);
    session_open(&s, call);
    return session_close(&s, run_words(&s, status, call_has(call, "dry-run")));
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
