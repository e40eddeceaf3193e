/* doctor.c: what works and what does not, with the fix; see inspect.h. */
#include <inttypes.h>

#include "common/bus/admin.h"
#include "common/runtime/version.h"
#include "common/service/generation.h"
#include "common/store/migrations.h"
#include "common/store/schema_migrations.h"
#include "inspect_sql.h"
#include "operations/inspect/inspect.h"
#include "operations/inspect/undefined.h"
#include "operations/inspect/unnamed.h"
#include "operations/policies/active.h"
#include "operations/reanchor/anchors.h"
#include "operations/report_query.h"
#include "operations/topics/topic_list.h"
#include "services/identity-resolver/keys/identity_keys.h"

enum verdict { VERDICT_OK, VERDICT_WARN, VERDICT_FAIL };

struct doctor {
    struct desk *desk;
    struct report *report;
    struct report_part *findings;
    size_t failed;
};

static struct report_cell verdict_cell(enum verdict verdict)
{
    static const char *const words[] = {"ok", "warn", "fail"};
    static const enum cell_tone tones[] = {TONE_GOOD, TONE_DOUBTFUL, TONE_BAD};
    struct report_cell cell = cell_words(words[verdict]);
    cell.tone = tones[verdict];
    return cell;
}

/* The text is copied. Programs get a fix for every finding, "" where nothing is wrong. */
static void add(struct doctor *doctor, enum verdict verdict, const char *subject, const char *text,
                const char *fix)
{
    bool has_fix = verdict != VERDICT_OK && *fix;
    doctor->failed += verdict == VERDICT_FAIL;
    REPORT_ROW(doctor->report, doctor->findings, cell_words(subject), verdict_cell(verdict),
               cell_words(arena_printf(doctor->desk->arena, "%s", text)),
               cell_words(has_fix ? fix : ""), has_fix ? cell_words("fix:") : cell_null());
}

static void check_topics(struct doctor *doctor, struct admin *admin)
{
    struct arena *arena = doctor->desk->arena;
    struct topic_list list;
    struct err err = {0};
    size_t missing = 0, differing = 0;
    topic_list_build(doctor->desk->config, arena, DEFAULT_PARTITIONS,
                     (struct duration){30 * US_PER_DAY}, &list);
    struct topic_settings *found = arena_array(arena, struct topic_settings, list.count);
    if (admin_describe(admin, list.names, list.count, found, &err) != OUTCOME_OK) {
        add(doctor, VERDICT_FAIL, "topics", err.message, "see brokers");
        return;
    }
    for (size_t i = 0; i < list.count; i++) {
        missing += found[i].partitions == 0;
        differing += found[i].partitions && *topic_difference(arena, &list.wanted[i], &found[i]);
    }
    enum verdict verdict = missing ? VERDICT_FAIL : differing ? VERDICT_WARN : VERDICT_OK;
    add(doctor, verdict, "topics",
        arena_printf(arena, "%zu needed, %zu missing, %zu set differently", list.count, missing,
                     differing),
        missing ? "tutti topics apply"
                : "tutti topics shows the differences; fine if they are meant");
}

static void check_kafka(struct doctor *doctor)
{
    struct admin *admin = NULL;
    struct err err = {0};
    int brokers, topics;
    enum outcome outcome = admin_open(doctor->desk->config, &admin, &err);
    if (outcome == OUTCOME_OK)
        outcome = admin_cluster(admin, &brokers, &topics, &err);
    if (outcome != OUTCOME_OK) {
        add(doctor, VERDICT_FAIL, "brokers", err.message,
            "set kafka.bootstrap.servers to a broker that runs (dev/stack up starts one)");
    } else {
        add(doctor, VERDICT_OK, "brokers",
            arena_printf(doctor->desk->arena, "%d brokers, %d topics", brokers, topics), "");
        check_topics(doctor, admin);
    }
    admin_close(admin);
}

static void check_server(struct doctor *doctor, struct db *db)
{
    struct arena *arena = doctor->desk->arena;
    struct db_result *result;
    struct err err = {0};
    if (db_run(db, &sql_doctor_server, NULL, &result, NULL, &err) != OUTCOME_OK) {
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
    struct arena *arena = doctor->desk->arena;
    struct active_row active;
    struct anchors_state anchors = {0};
    struct strbuf text = {.arena = arena};
    struct err err = {0};
    const char *path = generation_policy_path(
        arena, config_text(doctor->desk->config, "policy.dir"), "identity.json");
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
    struct arena *arena = doctor->desk->arena;
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
            arena_printf(arena,
                         "%" PRId64
                         " channels are not told yet that a grant of an erased person is void",
                         revocations),
            "start suppression, which publishes it");
    if (open + revocations == 0)
        add(doctor, VERDICT_OK, "erasures", "all are complete", "");
}

/* An exchange may be left open for long, but must not be forgotten. */
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
    if (key_state_read(db, doctor->desk->arena, &state, &err) != OUTCOME_OK)
        add(doctor, VERDICT_FAIL, "keys", err.message, "see database");
    else
        add(doctor, phases[state.phase].verdict, "keys", phases[state.phase].text,
            phases[state.phase].fix);
}

static const char *name_words(struct arena *arena, const struct undefined_words *words)
{
    enum { NAMED = 8 };
    struct strbuf text = {.arena = arena};
    for (size_t i = 0; i < words->count && i < NAMED; i++)
        strbuf_addf(&text, "%s\"" SPAN_FMT "\" in %" PRId64, i ? ", " : "",
                    SPAN_ARG(words->items[i].word), words->items[i].touchpoints);
    if (words->count > NAMED)
        strbuf_addf(&text, " and %zu more", words->count - NAMED);
    return text.ptr;
}

/* A no in a word without a meaning has no effect, so it must be seen. */
static void check_consent(struct doctor *doctor, struct db *db)
{
    struct arena *arena = doctor->desk->arena;
    struct undefined_words words;
    struct err err = {0};
    if (undefined_words(db, arena, &words, &err) != OUTCOME_OK)
        add(doctor, VERDICT_FAIL, "consent", err.message, "see policies");
    else if (words.count == 0)
        add(doctor, VERDICT_OK, "consent", "every word of consent has a meaning", "");
    else
        add(doctor, VERDICT_WARN, "consent",
            arena_printf(arena, "words without a meaning, and touchpoints that say them: %s",
                         name_words(arena, &words)),
            "contact.json: consent_words gives them one, channels declares a channel");
}

/* A check that lists what it finds: the rows of a statement, each told in a few words. */
struct listing {
    const char *subject;
    const struct statement *statement; /* NULL: find runs one that needs parameters */
    enum outcome (*find)(struct db *db, struct arena *arena, struct db_result **rows,
                         struct err *err);
    void (*tell)(struct strbuf *text, const struct db_result *r, int row);
    const char *none, *some; /* said if there is no row, and before the rows */
    const char *fix;
};

static void check_listing(struct doctor *doctor, struct db *db, const struct listing *listing)
{
    struct arena *arena = doctor->desk->arena;
    struct db_result *r = NULL;
    struct err err = {0};
    enum outcome outcome = listing->statement ? db_run(db, listing->statement, NULL, &r, NULL, &err)
                                              : listing->find(db, arena, &r, &err);
    if (outcome != OUTCOME_OK) {
        add(doctor, VERDICT_FAIL, listing->subject, err.message, "see database");
        return;
    }
    struct strbuf text = {.arena = arena};
    for (int i = 0; i < db_rows(r); i++) {
        strbuf_addf(&text, "%s", i ? ", " : "");
        listing->tell(&text, r, i);
    }
    if (db_rows(r) == 0)
        add(doctor, VERDICT_OK, listing->subject, listing->none, "");
    else
        add(doctor, VERDICT_WARN, listing->subject,
            arena_printf(arena, "%s: %s", listing->some, text.ptr), listing->fix);
}

static void tell_scores(struct strbuf *text, const struct db_result *r, int row)
{
    strbuf_addf(text, "%" PRId64 " of \"" SPAN_FMT "\" from " SPAN_FMT, db_int8(r, row, 2),
                SPAN_ARG(db_bytes(r, row, 1)), SPAN_ARG(db_bytes(r, row, 0)));
}

static void tell_source(struct strbuf *text, const struct db_result *r, int row)
{
    strbuf_addf(text, "%" PRId64 " from " SPAN_FMT, db_int8(r, row, 1),
                SPAN_ARG(db_bytes(r, row, 0)));
}

static void tell_requests(struct strbuf *text, const struct db_result *r, int row)
{
    strbuf_addf(text, "%" PRId64 " on " SPAN_FMT " by " SPAN_FMT, db_int8(r, row, 2),
                SPAN_ARG(db_bytes(r, row, 0)), SPAN_ARG(db_bytes(r, row, 1)));
}

static const struct listing listings[] = {
    /* The newest yes of the customer grants it; the mail may go to an address that left. */
    {"requests", NULL, unnamed_requests, tell_requests, "every granted request named its address",
     "granted, though they named no address",
     "let the department name the address that it will use; then list the channel in "
     "needs_address of contact.json"},
    /* 9 of 10 sent as `score` is almost neutral: seen here, and not guessed. */
    {"scores", &sql_doctor_scores, NULL, tell_scores, "no score looks like a raw answer",
     "scores from 1 to 10, which may be raw answers",
     "send raw answers as score_raw, with their score_kind"},
    /* Each is a touchpoint of its own, which is wrong if a retry got a new time. */
    {"messages", &sql_doctor_messages, NULL, tell_source,
     "no message_id was used again at another time",
     "message ids that were used again at another time",
     "send a retry with the time of its first attempt, and every other message with an id "
     "of its own"},
    {"time zones", &sql_doctor_zones, NULL, tell_source,
     "every timezone that was sent has a known name", "touchpoints whose timezone is no known name",
     "send names of the time zone database, such as Europe/Berlin"},
};

static void check_policies(struct doctor *doctor)
{
    struct desk *desk = doctor->desk;
    struct err err = {0};
    struct generation generation;
    struct policy_source source = policy_source_of(desk->config);
    bool active = policy_source_fetch(desk->db, &source, &err) == OUTCOME_OK &&
                  generation_open(desk->db, &source, &generation, &err) == OUTCOME_OK;
    add(doctor, active ? VERDICT_OK : VERDICT_FAIL, "policies",
        active ? arena_printf(desk->arena, "generation %d is active%s", generation.number,
                              source.is_database ? "" : " and equals policy.dir")
               : err.message,
        "tutti policy apply");
    policy_source_free(&source);
}

/* Silent while nothing is being built. */
static void check_building(struct doctor *doctor)
{
    struct desk *desk = doctor->desk;
    struct err err = {0};
    struct db_result *r = NULL;
    if (db_run(desk->db, &sql_doctor_building, NULL, &r, NULL, &err) != OUTCOME_OK)
        add(doctor, VERDICT_FAIL, "other policies", err.message, "tutti migrate");
    else if (db_rows(r) > 0)
        add(doctor, VERDICT_WARN, "other policies",
            arena_printf(desk->arena,
                         "%" PRId64 " profiles are derived under policies that are not active: "
                         "`tutti policy apply` or `plan` is at work, or was interrupted",
                         db_int8(r, 0, 0)),
            "if it was interrupted: run `tutti policy apply` again");
}

static bool check_migrations(struct doctor *doctor)
{
    struct err err = {0};
    bool migrated = migrations_check(doctor->desk->db, &schema_files, &err) == OUTCOME_OK;
    add(doctor, migrated ? VERDICT_OK : VERDICT_FAIL, "migrations",
        migrated ? "the schema is what this program needs" : err.message, "tutti migrate");
    return migrated;
}

static void check_views(struct doctor *doctor)
{
    struct err err = {0};
    bool is_current = migrations_check_views(doctor->desk->db, &schema_files, &err) == OUTCOME_OK;
    add(doctor, is_current ? VERDICT_OK : VERDICT_WARN, "views",
        is_current ? "the views are those of this program" : err.message, "tutti migrate");
}

static void check_database(struct doctor *doctor)
{
    struct err err = {0};
    if (desk_connect(doctor->desk, &err) != OUTCOME_OK) {
        add(doctor, VERDICT_FAIL, "database", err.message,
            "set database.url to a server that runs (dev/stack up starts one)");
        return;
    }
    check_server(doctor, doctor->desk->db);
    if (!check_migrations(doctor))
        return;
    check_views(doctor);
    check_policies(doctor);
    check_building(doctor);
    check_identity(doctor, doctor->desk->db);
    check_keys(doctor, doctor->desk->db);
    check_erasures(doctor, doctor->desk->db);
    check_consent(doctor, doctor->desk->db);
    for (size_t i = 0; i < sizeof listings / sizeof *listings; i++)
        check_listing(doctor, doctor->desk->db, &listings[i]);
}

bool doctor_examine(struct desk *desk, struct report *report)
{
    static const struct section_form form = {.line = "{verdict:4}  {subject:11}  {text}\n"
                                                     "                   {mark} {fix}",
                                             .columns = {{"subject", CELL_TEXT},
                                                         {"verdict", CELL_TEXT},
                                                         {"text", CELL_TEXT},
                                                         {"fix", CELL_TEXT},
                                                         {"mark", CELL_WORDS}}};
    struct doctor doctor = {desk, report, report_section(report, &form), 0};
    add(&doctor, VERDICT_OK, "program",
        arena_printf(desk->arena, "tutti %s (%s)", TUTTI_VERSION, tutti_revision), "");
    check_kafka(&doctor);
    check_database(&doctor);
    report->is_complete = true;
    return doctor.failed == 0;
}
