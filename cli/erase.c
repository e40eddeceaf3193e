/* erase.c: `tutti erase`: removes a person from every store; sums stay and hold no key of anybody.
 *
 * Tombstones come first and the identifiers last, so that whatever interrupts it, running it again finds the person and goes on,
 * and nothing that is read again from Kafka brings back what is gone already. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/avro_to_json.h"
#include "cli/identifier.h"
#include "cli_sql.h"
#include "common/runtime/clock.h"
#include "services/identity-resolver/resolve.h"

struct erasure {
    struct call *call;
    struct db *db;
    struct id *members;
    size_t count;
    struct id *shared; /* quarantined neighbours that lose a link */
    size_t shared_count;
    struct strbuf *json;
    int64_t rows;
    bool is_first;
};

/* In the order in which they are emptied. */
static const struct schema_statements {
    struct statement count, delete;
} schemas[] = {
    {{"erase_count_suppression", sql_erase_count_suppression}, {"erase_delete_suppression", sql_erase_delete_suppression}},
    {{"erase_count_journey", sql_erase_count_journey}, {"erase_delete_journey", sql_erase_delete_journey}},
    {{"erase_count_identity", sql_erase_count_identity}, {"erase_delete_identity", sql_erase_delete_identity}},
};

static enum outcome run_on_members(struct erasure *e, const struct statement *statement, struct db_result **r, struct err *err)
{
    struct params p;
    params_init(&p, &e->call->arena);
    params_uuid_array(&p, e->members, sizeof *e->members, e->count);
    return db_run(e->db, statement, &p, r, NULL, err);
}

static struct id *ids_of(struct arena *arena, const struct db_result *r)
{
    struct id *out = arena_array(arena, struct id, (size_t)db_rows(r));
    for (int row = 0; row < db_rows(r); row++)
        out[row] = db_uuid(r, row, 0);
    return out;
}

static enum outcome when_erased(struct erasure *e, const struct id *identifier, struct err *err)
{
    static const struct statement find = {"erase_when", "SELECT erased_at FROM identity.erased WHERE identifier_id = $1"};
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, &e->call->arena);
    params_uuid(&p, identifier);
    CHECK(db_run(e->db, &find, &p, &r, NULL, err));
    enum outcome o = OUTCOME_REJECT;
    if (db_rows(r) > 0) {
        char at[32];
        instant_format(db_timestamptz(r, 0, 0), at);
        err_set(err, o, "erased_already", "this person was erased at %s; nothing is left", at);
    } else {
        err_set(err, o, "identifier_unknown", "this identifier was never seen in a touchpoint");
    }
    db_result_free(r);
    return o;
}

static enum outcome find_members(struct erasure *e, struct err *err)
{
    static const struct statement find = {"erase_members", sql_erase_members};
    struct id identifier;
    struct params p;
    struct db_result *r = NULL;
    CHECK(identifier_parse(e->call, e->db, call_argument(e->call, 0), &identifier, err));
    params_init(&p, &e->call->arena);
    params_uuid(&p, &identifier);
    CHECK(db_run(e->db, &find, &p, &r, NULL, err));
    e->members = ids_of(&e->call->arena, r);
    e->count = (size_t)db_rows(r);
    db_result_free(r);
    return e->count > 0 ? OUTCOME_OK : when_erased(e, &identifier, err);
}

/* -------------------------------------------------------------------------------------------------------- report */

static void start_report(struct erasure *e)
{
    bool acts = call_has(e->call, "execute");
    const char *reason = call_option(e->call, "reason");
    if (!e->json) {
        printf("%s %zu identifiers of one person: %s\n\n", acts ? "erasing" : "would erase", e->count, reason);
        return;
    }
    strbuf_addf(e->json, "{\"executed\":%s,\"reason\":", acts ? "true" : "false");
    json_add_text(e->json, span_of(reason));
    strbuf_addf(e->json, ",\"identifiers\":[");
    for (size_t i = 0; i < e->count; i++) {
        char id[37];
        id_to_uuid(&e->members[i], id);
        strbuf_addf(e->json, "%s\"%s\"", i ? "," : "", id);
    }
    strbuf_addf(e->json, "],\"tables\":{");
}

static void report_tables(struct erasure *e, const struct db_result *r)
{
    for (int row = 0; row < db_rows(r); row++) {
        const char *table = result_text(&e->call->arena, r, row, 0), *rows = result_text(&e->call->arena, r, row, 1);
        e->rows += atoll(rows);
        if (e->json)
            strbuf_addf(e->json, "%s\"%s\":%s", e->is_first ? "" : ",", table, rows);
        else
            printf("%12s  %s\n", rows, table);
        e->is_first = false;
    }
    fflush(stdout);
}

static void end_report(struct erasure *e)
{
    if (e->json)
        printf(SPAN_FMT "},\"rows\":%" PRId64 "}\n", SPAN_ARG(strbuf_span(e->json)), e->rows);
    else
        printf("%12" PRId64 "  rows in all; sums in metrics stay, and %zu tombstones keep old input out\n", e->rows, e->count);
}

/* --------------------------------------------------------------------------------------------------------- acting */

static enum outcome delete_from(struct erasure *e, const struct schema_statements *schema, struct err *err)
{
    struct db_result *r = NULL;
    CHECK(db_begin(e->db, err));
    enum outcome o = run_on_members(e, &schema->delete, &r, err);
    if (o == OUTCOME_OK)
        o = db_commit(e->db, err);
    else
        db_rollback(e->db);
    if (o == OUTCOME_OK)
        report_tables(e, r);
    db_result_free(r);
    return o;
}

static enum outcome find_shared(struct erasure *e, struct err *err)
{
    static const struct statement find = {"erase_shared_neighbours", sql_erase_shared_neighbours};
    struct db_result *r = NULL;
    CHECK(run_on_members(e, &find, &r, err));
    e->shared = ids_of(&e->call->arena, r);
    e->shared_count = (size_t)db_rows(r);
    db_result_free(r);
    return OUTCOME_OK;
}

/* Identity is a function of the evidence that is left. */
static enum outcome review_shared(struct erasure *e, struct err *err)
{
    struct resolver resolver = {.db = NULL};
    struct committed_change change = {0};
    if (e->shared_count == 0)
        return OUTCOME_OK;
    enum outcome o =
        resolver_open_tool(&resolver, &e->call->arena, e->db, config_text(e->call->config, "identity.key_file"), err);
    if (o == OUTCOME_OK)
        o = resolver_review(&resolver, &e->call->arena, e->shared, e->shared_count, NULL, false, clock_now(), &change, NULL, err);
    resolver_close(&resolver);
    return o == OUTCOME_OK ? o : err_prefix(err, "the person is erased, but devices that others share could not be reviewed");
}

/* Messages that are waiting tell of the person, too. */
static enum outcome check_outboxes(struct erasure *e, struct err *err)
{
    static const struct statement find = {
        "erase_waiting", "SELECT (SELECT count(*) FROM identity.outbox) + (SELECT count(*) FROM journey.stage_outbox)"};
    struct db_result *r = NULL;
    CHECK(db_run(e->db, &find, NULL, &r, NULL, err));
    int64_t waiting = db_int8(r, 0, 0);
    db_result_free(r);
    return waiting == 0
               ? OUTCOME_OK
               : err_set(err, OUTCOME_REJECT, "outbox_waiting",
                         "%" PRId64 " messages wait to be published: start the services, let them catch up, stop them", waiting);
}

static enum outcome act(struct erasure *e, struct err *err)
{
    static const struct statement tombstone = {"erase_tombstone", sql_erase_tombstone};
    CHECK(database_lock_out_services(e->call, e->db, err));
    CHECK(check_outboxes(e, err));
    CHECK(find_members(e, err)); /* as they are now that nothing moves */
    CHECK(find_shared(e, err));
    CHECK(run_on_members(e, &tombstone, NULL, err));
    start_report(e);
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++)
        CHECK(delete_from(e, &schemas[i], err));
    end_report(e);
    return review_shared(e, err);
}

static enum outcome plan(struct erasure *e, struct err *err)
{
    CHECK(find_members(e, err));
    start_report(e);
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
        struct db_result *r = NULL;
        CHECK(run_on_members(e, &schemas[i].count, &r, err));
        report_tables(e, r);
        db_result_free(r);
    }
    end_report(e);
    say("nothing was changed; --execute acts, with the services stopped");
    return OUTCOME_OK;
}

static enum exit_status run_erase(struct call *call)
{
    struct strbuf json = {.arena = &call->arena};
    struct erasure e = {.call = call, .json = call_has(call, "json") ? &json : NULL, .is_first = true};
    struct err err = {0};
    const char *reason = call_option(call, "reason");
    if (call->argument_count == 0)
        return misuse(call, "expected <type>:<value>");
    if (reason == NULL || span_trim(span_of(reason)).len == 0)
        return misuse(call, "--reason is missing");
    enum outcome o = database_connect(call, &e.db, &err);
    if (o == OUTCOME_OK)
        o = call_has(call, "execute") ? act(&e, &err) : plan(&e, &err);
    db_close(e.db);
    return o == OUTCOME_OK ? EXIT_DONE : failed(&err);
}

static const struct option options[] = {
    {"reason", "TEXT", "Why; printed in the report."},
    {"execute", NULL, "Act; without it only the rows are counted."},
    {"json", NULL, "One JSON object."},
    {NULL, NULL, NULL},
};

const struct command command_erase = {
    .name = "erase",
    .arguments = "<type>:<value>",
    .summary = "Erase a person: all identifiers of the profile, in every store",
    .details =
        "Removes identifiers, links, raw values, timeline, states and decisions of everyone in the identifier's profile, and\n"
        "prints how many rows of which table. Sums of the reports stay. Tombstones, keyed hashes with the time, drop what is\n"
        "read again from Kafka; what happens later is a new person. Needs the services stopped, their queues empty, and the\n"
        "owner of the database. Run it again where it was interrupted. The topics keep their own copies until retention ends.",
    .options = options,
    .max_arguments = 1,
    .run = run_erase,
};
