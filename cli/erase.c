/* erase.c: `tutti erase`: removes a person from every store; sums stay and hold no key of anybody.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/erase.h"
#include "cli/printable.h"
#include "cli/session.h"
#include "cli_sql.h"
#include "common/codec/json_write.h"
#include "common/runtime/clock.h"
#include "common/service/generation.h"
#include "operations/identifier.h"

enum { MOST_SECONDS = 3600 };

/* --------------------------------------------------------------------------------------------------------
 * report */

static int64_t rows_in_all(const struct erasure *e)
{
    int64_t rows = 0;
    for (size_t i = 0; i < e->tables.count; i++)
        rows += e->tables.items[i].rows;
    return rows;
}

/* Grants whose channels nobody tells. */
static size_t untold(const struct erasure *e)
{
    return erase_is_without(e, "suppression") ? e->revocations.count : 0;
}

static void format_grant(const struct revocation_row *row, char id[37], char expires_at[32])
{
    id_to_uuid(&row->request_id, id);
    instant_format(row->expires_at, expires_at);
}

static void add_untold(const struct erasure *e, struct strbuf *json)
{
    strbuf_addf(json, ",\"grants_untold\":[");
    for (size_t i = 0; i < untold(e); i++) {
        const struct revocation_row *row = &e->revocations.items[i];
        char id[37], at[32];
        format_grant(row, id, at);
        strbuf_addf(json,
                    "%s{\"request_id\":\"%s\",\"expires_at\":\"%s\",\"channel\":", i ? "," : "", id,
                    at);
        json_add_text(json, row->channel);
        strbuf_addf(json, ",\"department\":");
        json_add_text(json, row->department);
        strbuf_addf(json, "}");
    }
    strbuf_addf(json, "]");
}

static void report_json(struct erasure *e)
{
    struct strbuf json = {.arena = &e->call->arena};
    strbuf_addf(&json,
                "{\"executed\":%s,\"reason\":", call_has(e->call, "execute") ? "true" : "false");
    json_add_text(&json, span_of(call_option(e->call, "reason")));
    strbuf_addf(&json, ",\"identifiers\":[");
    for (size_t i = 0; i < e->count; i++) {
        char id[37];
        id_to_uuid(&e->members[i], id);
        strbuf_addf(&json, "%s\"%s\"", i ? "," : "", id);
    }
    strbuf_addf(&json, "],\"tables\":{");
    for (size_t i = 0; i < e->tables.count; i++)
        strbuf_addf(&json, "%s\"%s\":%" PRId64, i ? "," : "", e->tables.items[i].table,
                    e->tables.items[i].rows);
    strbuf_addf(&json,
                "},\"rows\":%" PRId64 ",\"grants_revoked\":%zu,\"messages_waiting\":%" PRId64,
                rows_in_all(e), e->revocations.count - untold(e), erasure_waiting(e));
    if (e->without) {
        strbuf_addf(&json, ",\"without\":\"%s\",\"moved\":%zu", e->without, e->moved);
        add_untold(e, &json);
    }
    strbuf_addf(&json, "}");
    printf(SPAN_FMT "\n", SPAN_ARG(strbuf_span(&json)));
}

static void report_without(struct erasure *e)
{
    if (e->without)
        printf("%12zu  identifiers moved for %s, which had not read it and was left out\n",
               e->moved, e->without);
    for (size_t i = 0; i < untold(e); i++) {
        const struct revocation_row *row = &e->revocations.items[i];
        char id[37], at[32];
        format_grant(row, id, at);
        printf("tell %s (%s) by hand: request %s, granted until %s, is void\n",
               printable(&e->call->arena, row->channel),
               printable(&e->call->arena, row->department), id, at);
    }
}

static void report_text(struct erasure *e)
{
    bool tells = !erase_is_without(e, "suppression");
    printf("%s %zu identifiers of one person: %s\n\n",
           call_has(e->call, "execute") ? "erased" : "would erase", e->count,
           call_option(e->call, "reason"));
    for (size_t i = 0; i < e->tables.count; i++)
        printf("%12" PRId64 "  %s\n", e->tables.items[i].rows, e->tables.items[i].table);
    printf("%12" PRId64
           "  rows in all; sums in metrics stay, and %zu tombstones keep old input out\n",
           rows_in_all(e), e->count);
    printf("%12zu  open grants %s; %s their channels\n", e->revocations.count,
           call_has(e->call, "execute") ? "revoked" : "would be revoked",
           tells ? "suppression tells" : "nobody tells");
    report_without(e);
}

static void add_waiting(struct strbuf *list, const char *service, int64_t count)
{
    if (count > 0)
        strbuf_addf(list, "%s%s (%" PRId64 ")", list->len ? ", " : "", service, count);
}

static void warn_of_messages(const struct erasure *e)
{
    struct strbuf who = {.arena = &e->call->arena};
    add_waiting(&who, "identity-resolver", e->waiting.identity);
    add_waiting(&who, "journey-tracker", e->waiting.journey);
    add_waiting(&who, "suppression", e->waiting.suppression);
    if (erasure_waiting(e) == 0)
        return;
    warn("%" PRId64 " messages wait to be published and may name the person: start " SPAN_FMT
         ", which publishes them",
         erasure_waiting(e), SPAN_ARG(strbuf_span(&who)));
    if (e->waiting.revocations > 0)
        warn("%" PRId64 " of them revoke a grant: until suppression runs, the channel may still "
             "contact the person",
             e->waiting.revocations);
}

static void report(struct erasure *e)
{
    if (call_has(e->call, "json"))
        report_json(e);
    else
        report_text(e);
    fflush(stdout);
    warn_of_messages(e);
}

/* ---------------------------------------------------------------------------------------------------------
 * acting */

/* As a service does: what `tutti policy apply` derives anew must not be pulled away under it. */
static enum outcome hold_off_policies(struct erasure *e, struct err *err)
{
    static const struct statement hold = {
        "erase_hold_policies", "SELECT pg_try_advisory_lock_shared(" GENERATION_LOCK ")"};
    struct db_result *r = NULL;
    CHECK(db_run(e->db, &hold, NULL, &r, NULL, err));
    bool held = db_bool(r, 0, 0);
    if (!held)
        return err_set(err, OUTCOME_REJECT, "policy_apply_running",
                       "policies are being applied: run this when that is done");
    return database_check_anchors(e->db, err);
}

/* A call before this one may have been interrupted after the erasure itself. */
static enum outcome erase_or_finish(struct erasure *e, struct err *err)
{
    bool was_asked;
    CHECK(erase_finish_pending(e, &was_asked, err));
    struct erasure finished = *e;
    enum outcome o = erase_alone(e, err);
    if (o != OUTCOME_OK && was_asked && strcmp(err->code, "erased_already") == 0) {
        *e = finished;
        return OUTCOME_OK;
    }
    CHECK(o);
    return erase_finish(e, err);
}

static enum outcome act(struct erasure *e, struct err *err)
{
    CHECK(erase_check_without(e, err));
    CHECK(hold_off_policies(e, err));
    CHECK(erase_or_finish(e, err));
    CHECK(erase_wait_messages(e, err));
    report(e);
    return OUTCOME_OK;
}

static enum outcome plan(struct erasure *e, struct err *err)
{
    static const struct statement *const counts[] = {
        &sql_erase_count_suppression,
        &sql_erase_count_journey,
        &sql_erase_count_identity,
        &sql_erase_count_others,
    };
    CHECK(erase_check_without(e, err));
    CHECK(erasure_find_members(e, err));
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct params p;
        struct db_result *r = NULL;
        erasure_params(e, &p);
        CHECK(db_run(e->db, counts[i], &p, &r, NULL, err));
        erasure_count(e, r);
    }
    CHECK(erase_find_grants(e, err));
    report(e);
    say("nothing was changed; --execute acts");
    return OUTCOME_OK;
}

static enum outcome run(struct erasure *e, struct err *err)
{
    CHECK(database_connect(e->call, &e->db, err));
    struct desk desk = call_desk(e->call, e->db);
    CHECK(identifier_parse(&desk, call_argument(e->call, 0), &e->identifier, err));
    e->patience = patience_of((struct duration){e->wait_seconds * US_PER_SECOND});
    return call_has(e->call, "execute") ? act(e, err) : plan(e, err);
}

static enum exit_status run_erase(struct call *call)
{
    struct erasure e = {.call = call, .without = call_option(call, "without")};
    struct err err = {0};
    const char *reason = call_option(call, "reason");
    if (call->argument_count == 0)
        return misuse(call, "expected <type>:<value>");
    if (reason == NULL || span_trim(span_of(reason)).len == 0)
        return misuse(call, "--reason is missing");
    if (e.without && !erase_knows_service(e.without))
        return misuse(call, "--without: expected journey-tracker or suppression, got \"%.60s\"",
                      e.without);
    if (!call_number(call, "wait", 1, MOST_SECONDS, 60, &e.wait_seconds))
        return EXIT_USAGE;
    enum outcome o = run(&e, &err);
    db_close(e.db);
    return o == OUTCOME_OK ? EXIT_DONE : failed(&err);
}

static const struct option options[] = {
    {"reason", "TEXT", "Why; printed in the report."},
    {"execute", NULL, "Act; without it only the rows are counted."},
    {"wait", "SECONDS",
     "So long for services that are busy or behind, then for messages that wait; 60 if not given."},
    {"without", "SERVICE",
     "journey-tracker or suppression, given up and not running: what it has not read of the person "
     "is done for it."},
    {"json", NULL, "One JSON object."},
    {NULL, NULL, NULL},
};

const struct command command_erase = {
    .name = "erase",
    .arguments = "<type>:<value>",
    .summary = "Erase a person: all identifiers of the profile, in every store",
    .details = "Removes identifiers, links, raw values, timeline, states and decisions of everyone "
               "in the identifier's profile, and\n"
               "prints how many rows of which table. Sums of the reports stay. Tombstones, keyed "
               "hashes with the time, drop what is\n"
               "read later and is older than the erasure; what happens from a few seconds after it "
               "is a new person. Open grants are\n"
               "revoked: suppression publishes that, after some seconds, and the command waits for "
               "it. The services may\n"
               "run; they stand still for the moment of the erasure, which is one transaction: it "
               "is done, or nothing is. Needs the\n"
               "owner of the database. Run it again where it was interrupted. The topics keep "
               "their own copies until retention ends.",
    .options = options,
    .max_arguments = 1,
    .run = run_erase,
};
