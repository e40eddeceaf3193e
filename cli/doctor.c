/* doctor.c: `tutti doctor`: what works and what does not, with the fix beside it. */
#include <inttypes.h>

#include "cli/database.h"
#include "cli/identity_anchors.h"
#include "cli/topic_list.h"
#include "cli_sql.h"
#include "common/codec/json_write.h"
#include "common/runtime/version.h"
#include "common/service/generation.h"
#include "common/store/migrations.h"
#include "common/store/schema_migrations.h"
#include "services/identity-resolver/keys/identity_keys.h"

enum verdict { VERDICT_OK, VERDICT_WARN, VERDICT_FAIL };

struct finding {
    enum verdict verdict;
    const char *subject, *text, *fix; /* fix "" if none is needed */
};

struct findings {
    struct finding *items;
    size_t count, capacity;
};

struct doctor {
    struct call *call;
    struct findings findings;
};

static void add(struct doctor *doctor, enum verdict verdict, const char *subject, const char *text,
                const char *fix)
{
    struct arena *arena = &doctor->call->arena;
    *arena_push(arena, &doctor->findings) = (struct finding){
        verdict, subject, arena_printf(arena, "%s", text), verdict == VERDICT_OK ? "" : fix};
}

static void check_topics(struct doctor *doctor, struct admin *admin)
{
    struct call *call = doctor->call;
    struct topic_list list;
    struct err err = {0};
    size_t missing = 0, differing = 0;
    topic_list_build(call, DEFAULT_PARTITIONS, (struct duration){30 * US_PER_DAY}, &list);
    struct topic_settings *found = arena_array(&call->arena, struct topic_settings, list.count);
    if (admin_describe(admin, list.names, list.count, found, &err) != OUTCOME_OK) {
        add(doctor, VERDICT_FAIL, "topics", err.message, "see brokers");
        return;
    }
    for (size_t i = 0; i < list.count; i++) {
        missing += found[i].partitions == 0;
        differing +=
            found[i].partitions && *topic_difference(&call->arena, &list.wanted[i], &found[i]);
    }
    enum verdict verdict = missing ? VERDICT_FAIL : differing ? VERDICT_WARN : VERDICT_OK;
    add(doctor, verdict, "topics",
        arena_printf(&call->arena, "%zu needed, %zu missing, %zu set differently", list.count,
                     missing, differing),
        missing ? "tutti topics apply"
                : "tutti topics shows the differences; fine if they are meant");
}

static void check_kafka(struct doctor *doctor)
{
    struct admin *admin = NULL;
    struct err err = {0};
    int brokers, topics;
    enum outcome outcome = admin_open(doctor->call->config, &admin, &err);
    if (outcome == OUTCOME_OK)
        outcome = admin_cluster(admin, &brokers, &topics, &err);
    if (outcome != OUTCOME_OK) {
        add(doctor, VERDICT_FAIL, "brokers", err.message,
            "set kafka.bootstrap.servers to a broker that runs (dev/stack up starts one)");
    } else {
        add(doctor, VERDICT_OK, "brokers",
            arena_printf(&doctor->call->arena, "%d brokers, %d topics", brokers, topics), "");
        check_topics(doctor, admin);
    }
    admin_close(admin);
}

static void check_server(struct doctor *doctor, struct db *db)
{
    static const struct statement version = {
        "doctor_server",
        "SELECT current_setting('server_version_num')::integer, current_setting('server_version'),"
        " pg_size_bytes(current_setting('max_wal_size')), current_setting('max_wal_size')"};
    struct arena *arena = &doctor->call->arena;
    struct db_result *result;
    struct err err = {0};
    if (db_run(db, &version, NULL, &result, NULL, &err) != OUTCOME_OK) {
        add(doctor, VERDICT_FAIL, "database", err.message,
            "set database.url to the Tutti database");
        return;
    }
    add(doctor, db_int4(result, 0, 0) >= 150000 ? VERDICT_OK : VERDICT_FAIL, "database",
        arena_printf(arena, "PostgreSQL %s", result_text(arena, result, 0, 1)),
        "Tutti needs PostgreSQL 15 or newer");
    add(doctor, db_int8(result, 0, 2) >= INT64_C(4) << 30 ? VERDICT_OK : VERDICT_WARN,
        "checkpoints", arena_printf(arena, "max_wal_size is %s", result_text(arena, result, 0, 3)),
        "ALTER SYSTEM SET max_wal_size = '8GB': full-page images after each checkpoint cost most "
        "of the WAL");
}

static void check_identity(struct doctor *doctor, struct db *db)
{
    struct arena *arena = &doctor->call->arena;
    struct active_row active;
    struct anchors_state anchors = {0};
    struct strbuf text = {.arena = arena};
    struct err err = {0};
    const char *path = generation_policy_path(
        arena, config_text(doctor->call->config, "policy.dir"), "identity.json");
    const char *apply = arena_printf(arena, "tutti identity apply --policy %s --execute", path);
    if (active_read(db, arena, &active, &err) != OUTCOME_OK ||
        anchors_read_state(db, &anchors, &err) != OUTCOME_OK ||
        generation_read_file(&text, path, &err) != OUTCOME_OK)
        add(doctor, VERDICT_FAIL, "identity", err.message,
            "set policy.dir to the folder of the policies");
    else if (active.version == 0)
        add(doctor, VERDICT_WARN, "identity", "no identity policy is active yet",
            "the first start of identity-resolver makes it");
    else if (anchors.version > 0)
        add(doctor, VERDICT_FAIL, "identity",
            arena_printf(
                arena,
                "facts get the anchors of policy version %d: no service starts before that is done",
                anchors.version),
            active_is(strbuf_span(&text), &active)
                ? apply
                : "tutti identity apply --execute again, with the file that was given to it");
    else if (!active_is(strbuf_span(&text), &active))
        add(doctor, VERDICT_FAIL, "identity",
            arena_printf(arena, "%s is not the active policy, version %d", path, active.version),
            arena_printf(arena,
                         "put the file there that was applied last; or, to go over to this one: %s",
                         apply));
    else
        add(doctor, active.is_complete ? VERDICT_OK : VERDICT_WARN, "identity",
            arena_printf(arena, "policy version %d is active%s", active.version,
                         active.is_complete ? "" : ", but not every profile was reviewed under it"),
            apply);
}

/* One that runs right now looks the same. */
static void check_erasures(struct doctor *doctor, struct db *db)
{
    struct arena *arena = &doctor->call->arena;
    struct db_result *r = NULL;
    struct err err = {0};
    if (db_run(db, &sql_doctor_erasures, NULL, &r, NULL, &err) != OUTCOME_OK) {
        add(doctor, VERDICT_FAIL, "erasures", err.message, "see database");
        return;
    }
    int64_t open = db_int8(r, 0, 0), revocations = db_int8(r, 0, 2);
    const char *person = open > 0 ? result_text(arena, r, 0, 1) : "";
    if (open > 0)
        add(doctor, VERDICT_WARN, "erasures",
            arena_printf(arena,
                         "%" PRId64 " are not complete: rows of others may still name the person",
                         open),
            arena_printf(arena,
                         "tutti erase %s --reason TEXT --execute goes on where it was interrupted",
                         person));
    if (revocations > 0)
        add(doctor, VERDICT_WARN, "erasures",
            arena_printf(
                arena,
                "%" PRId64
                " channels are not told yet that a grant of somebody who was erased is void",
                revocations),
            "start suppression, which publishes it");
    if (open + revocations == 0)
        add(doctor, VERDICT_OK, "erasures", "all are complete", "");
}

/* An exchange may be left open for long, but nobody must forget it. */
static void check_keys(struct doctor *doctor, struct db *db)
{
    static const struct {
        enum verdict verdict;
        const char *text, *fix;
    } phases[] = {
        [KEYS_ONE] = {VERDICT_OK, "one key hashes identifiers", ""},
        [KEYS_ANNOUNCED] = {VERDICT_WARN,
                            "an exchange is open: the new key is announced and not at work",
                            "tutti identity rotate-key --to rotating --execute, once every "
                            "identity-resolver has it; or --cancel --execute"},
        [KEYS_ROTATING] = {VERDICT_WARN,
                           "an exchange is open: the previous key still finds identifiers",
                           "tutti identity rotate-key says how many; then --to finished --execute"},
    };
    struct key_state state;
    struct err err = {0};
    if (key_state_read(db, &doctor->call->arena, &state, &err) != OUTCOME_OK)
        add(doctor, VERDICT_FAIL, "keys", err.message, "see database");
    else
        add(doctor, phases[state.phase].verdict, "keys", phases[state.phase].text,
            phases[state.phase].fix);
}

static void check_database(struct doctor *doctor)
{
    struct db *db = NULL;
    struct err err = {0};
    struct generation generation;
    if (database_connect(doctor->call, &db, &err) != OUTCOME_OK) {
        add(doctor, VERDICT_FAIL, "database", err.message,
            "set database.url to a server that runs (dev/stack up starts one)");
        return;
    }
    check_server(doctor, db);
    bool migrated = migrations_check(db, &schema_files, &err) == OUTCOME_OK;
    add(doctor, migrated ? VERDICT_OK : VERDICT_FAIL, "migrations",
        migrated ? "the schema is what this program needs" : err.message, "tutti migrate");
    if (migrated) {
        bool has_views = migrations_check_views(db, &schema_files, &err) == OUTCOME_OK;
        add(doctor, has_views ? VERDICT_OK : VERDICT_WARN, "views",
            has_views ? "the views are those of this program" : err.message, "tutti migrate");
        bool active = generation_open(db, doctor->call->config, &generation, &err) == OUTCOME_OK;
        add(doctor, active ? VERDICT_OK : VERDICT_FAIL, "policies",
            active
                ? arena_printf(&doctor->call->arena,
                               "generation %d is active and equals policy.dir", generation.number)
                : err.message,
            "tutti policy apply");
        check_identity(doctor, db);
        check_keys(doctor, db);
        check_erasures(doctor, db);
    }
    db_close(db);
}

static void print_findings(const struct findings *findings)
{
    static const char *const words[] = {"ok", "warn", "fail"};
    static const enum colour colours[] = {COLOUR_GREEN, COLOUR_YELLOW, COLOUR_RED};
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *f = &findings->items[i];
        printf("%s%-4s%s  %-11s  %s\n", colour(stdout, colours[f->verdict]), words[f->verdict],
               colour(stdout, COLOUR_OFF), f->subject, f->text);
        if (*f->fix)
            printf("      %-11s  fix: %s\n", "", f->fix);
    }
}

static void print_json(struct call *call, const struct findings *findings)
{
    static const char *const words[] = {"ok", "warn", "fail"};
    struct strbuf out = {&call->arena, NULL, 0, 0};
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *f = &findings->items[i];
        strbuf_addf(&out, "%s{\"subject\":\"%s\",\"verdict\":\"%s\",\"text\":", i ? "," : "[",
                    f->subject, words[f->verdict]);
        json_add_text(&out, span_of(f->text));
        strbuf_addf(&out, ",\"fix\":");
        json_add_text(&out, span_of(f->fix));
        strbuf_addf(&out, "}");
    }
    printf("%s]\n", out.ptr);
}

static enum exit_status run_doctor(struct call *call)
{
    struct doctor doctor = {.call = call};
    add(&doctor, VERDICT_OK, "program",
        arena_printf(&call->arena, "tutti %s (%s)", TUTTI_VERSION, tutti_revision), "");
    check_kafka(&doctor);
    check_database(&doctor);
    enum exit_status status = EXIT_DONE;
    for (size_t i = 0; i < doctor.findings.count; i++)
        if (doctor.findings.items[i].verdict == VERDICT_FAIL)
            status = EXIT_FAILED;
    if (call_has(call, "json"))
        print_json(call, &doctor.findings);
    else
        print_findings(&doctor.findings);
    return status;
}

static const struct option options[] = {
    {"json", NULL, "A JSON array of findings."},
    {NULL, NULL, NULL},
};

const struct command command_doctor = {
    .name = "doctor",
    .arguments = "",
    .summary = "Check brokers, topics, database, migrations and policies, and say how to fix what "
               "is wrong",
    .details = "The exit status is 1 if anything failed; warnings do not count.",
    .options = options,
    .max_arguments = 0,
    .run = run_doctor,
};
