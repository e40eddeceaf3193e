/* erase.c: the plan of an erasure, the erasure itself, and its report; see erase.h. */
#include "operations/erasure/erase.h"

#include <inttypes.h>

#include "common/base/pack.h"
#include "erasure_sql.h"
#include "operations/erasure/erase_internal.h"
#include "operations/identifier.h"
#include "operations/lock_out.h"

/* ---- report ---- */

static void add_identifiers(const struct erasure *e, struct report *report)
{
    static const struct section_form form = {.name = "identifiers",
                                             .shape = SECTION_LIST,
                                             .is_for_programs = true,
                                             .columns = {{"identifier", CELL_ID}}};
    struct report_part *section = report_section(report, &form);
    for (size_t i = 0; i < e->count; i++)
        REPORT_ROW(report, section, cell_id(&e->members[i]));
}

static int64_t rows_in_all(const struct erasure *e)
{
    int64_t rows = 0;
    for (size_t i = 0; i < e->tables.count; i++)
        rows += e->tables.items[i].rows;
    return rows;
}

static void add_tables(const struct erasure *e, struct report *report)
{
    static const struct section_form form = {
        .name = "tables",
        .line = "{rows:12}  {table}",
        .shape = SECTION_PAIRS,
        .columns = {{"table", CELL_TEXT}, {"rows", CELL_INTEGER}}};
    struct report_part *section = report_section(report, &form);
    for (size_t i = 0; i < e->tables.count; i++)
        REPORT_ROW(report, section, cell_words(e->tables.items[i].table),
                   cell_integer(e->tables.items[i].rows));
    report_value(report, "rows", cell_integer(rows_in_all(e)),
                 arena_printf(report->arena,
                              "rows in all; sums in metrics stay, and %zu tombstones keep old "
                              "input out",
                              e->count));
}

/* Grants whose channels hear nothing of it. */
static size_t untold(const struct erasure *e)
{
    return erase_is_without(e, "suppression") ? e->revocations.count : 0;
}

static struct report_cell cell_or_empty(struct span text)
{
    return cell_text(text.ptr ? text : SPAN(""));
}

static void add_untold(const struct erasure *e, struct report *report)
{
    static const struct section_form form = {
        .name = "grants_untold",
        .line = "tell {channel} ({department}) by hand: request {request_id}, granted until "
                "{expires_at}, is void",
        .columns = {{"request_id", CELL_ID},
                    {"expires_at", CELL_INSTANT},
                    {"channel", CELL_TEXT},
                    {"department", CELL_TEXT}}};
    struct report_part *section = report_section(report, &form);
    for (size_t i = 0; i < untold(e); i++) {
        const struct revocation_row *row = &e->revocations.items[i];
        REPORT_ROW(report, section, cell_id(&row->request_id), cell_instant(row->expires_at),
                   cell_or_empty(row->channel), cell_or_empty(row->department));
    }
}

static void add_without(const struct erasure *e, struct report *report)
{
    const char *without = e->request->without;
    if (without == NULL)
        return;
    report_value(report, "without", cell_words(without), NULL);
    report_value(report, "moved", cell_integer((int64_t)e->moved),
                 arena_printf(report->arena,
                              "identifiers moved for %s, which had not read it and was left out",
                              without));
    add_untold(e, report);
}

static void add_waiting(struct strbuf *list, const char *service, int64_t count)
{
    if (count > 0)
        strbuf_addf(list, "%s%s (%" PRId64 ")", list->len ? ", " : "", service, count);
}

static void warn_of_messages(const struct erasure *e, struct report *report)
{
    struct strbuf who = {.arena = report->arena};
    add_waiting(&who, "identity-resolver", e->waiting.identity);
    add_waiting(&who, "journey-tracker", e->waiting.journey);
    add_waiting(&who, "suppression", e->waiting.suppression);
    if (erasure_waiting(e) == 0)
        return;
    report_warn(report,
                "%" PRId64 " messages wait to be published and may name the person: start " SPAN_FMT
                ", which publishes them",
                erasure_waiting(e), SPAN_ARG(strbuf_span(&who)));
    if (e->waiting.revocations > 0)
        report_warn(report,
                    "%" PRId64 " of them revoke a grant: until suppression runs, the channel may "
                    "still contact the person",
                    e->waiting.revocations);
}

static void add_money(const struct erasure *e, struct report *report, bool executed)
{
    bool keeps = erase_keeps_money(e);
    report_value(report, "keeps_money", cell_bool(keeps), NULL);
    if (!keeps)
        report_line(report, "privacy.keep_money is false: the next `tutti policy apply` takes the "
                            "person's sales out of the totals");
    else if (executed)
        report_line(report,
                    "%12" PRId64 "  sales stay in the totals as amounts of a day, without "
                    "anything that leads to the person (privacy.keep_money)",
                    e->kept_sales);
    else
        report_line(report, "the person's sales would stay in the totals as amounts of a day, "
                            "without anything that leads to the person (privacy.keep_money)");
}

static const char *why_taken(const struct erasure *e)
{
    return e->request->takes_opt_outs ? "--opt-outs-too" : "keep_opt_outs is false in contact.json";
}

static void add_opt_outs(const struct erasure *e, struct report *report, bool executed)
{
    int64_t kept = e->keeps_opt_outs ? (int64_t)e->opt_outs.count : 0,
            taken = (int64_t)e->opt_outs.count - kept + e->left_opt_outs;
    report_value(report, "opt_outs_kept", cell_integer(kept), NULL);
    report_value(report, "opt_outs_taken", cell_integer(taken), NULL);
    if (e->keeps_opt_outs)
        report_line(report,
                    "%12" PRId64
                    "  opt-outs of addresses %s, as keyed ids with channel and time, so "
                    "that the no still holds (keep_opt_outs in contact.json)",
                    kept, executed ? "stay" : "would stay");
    else
        report_line(report, "%12" PRId64 "  opt-outs of addresses %s as well (%s)", taken,
                    executed ? "went" : "would go", why_taken(e));
}

static void report_left(const struct erasure *e, struct report *report, bool executed)
{
    report_value(report, "executed", cell_bool(executed), NULL);
    report_value(report, "reason", cell_words(e->request->reason), NULL);
    report_line(report, "this person was erased before: %s", e->request->reason);
    add_opt_outs(e, report, executed);
}

static void report_erasure(const struct erasure *e, struct report *report, bool executed)
{
    bool tells = !erase_is_without(e, "suppression");
    report_line(report, "%s %zu identifiers of one person: %s", executed ? "erased" : "would erase",
                e->count, e->request->reason);
    report_line(report, "%s", "");
    report_value(report, "executed", cell_bool(executed), NULL);
    report_value(report, "reason", cell_words(e->request->reason), NULL);
    add_identifiers(e, report);
    add_tables(e, report);
    report_line(report, "%12zu  open grants %s; %s their channels", e->revocations.count,
                executed ? "revoked" : "would be revoked",
                tells ? "suppression tells" : "no service tells");
    report_value(report, "grants_revoked",
                 cell_integer((int64_t)(e->revocations.count - untold(e))), NULL);
    report_value(report, "messages_waiting", cell_integer(erasure_waiting(e)), NULL);
    add_money(e, report, executed);
    add_opt_outs(e, report, executed);
    add_without(e, report);
    warn_of_messages(e, report);
}

/* ---- acting ---- */

/* An erasure before this one may have been interrupted after its transaction. */
static enum outcome erase_or_finish(struct erasure *e, struct err *err)
{
    bool was_asked;
    CHECK(erase_finish_pending(e, &was_asked, err));
    struct erasure finished = *e;
    enum outcome outcome = erase_alone(e, err);
    if (outcome != OUTCOME_OK && was_asked && strcmp(err->code, "erased_already") == 0) {
        *e = finished;
        return OUTCOME_OK;
    }
    CHECK(outcome);
    return erase_finish(e, err);
}

static enum outcome find_person(struct erasure *e, struct err *err)
{
    CHECK(desk_connect(e->desk, err));
    CHECK(identifier_parse(e->desk, e->request->identifier, &e->identifier, err));
    e->patience = patience_of(e->desk);
    return erase_check_without(e, err);
}

enum outcome erase_person(struct desk *desk, const struct erase_request *request,
                          struct report *report, struct err *err)
{
    struct erasure e = {.desk = desk, .request = request};
    CHECK(find_person(&e, err));
    CHECK(lock_out_policies(desk, err));
    enum outcome outcome = erase_or_finish(&e, err);
    if (outcome == OUTCOME_REJECT && erase_look_left(&e, true, err) == OUTCOME_OK) {
        report_left(&e, report, true);
        return OUTCOME_OK;
    }
    CHECK(outcome);
    CHECK(erase_wait_messages(&e, err));
    report_erasure(&e, report, true);
    return OUTCOME_OK;
}

static enum outcome count_rows(struct erasure *e, struct err *err)
{
    static const struct statement *const counts[] = {
        &sql_erase_count_suppression,
        &sql_erase_count_journey,
        &sql_erase_count_identity,
        &sql_erase_count_others,
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct params p;
        struct db_result *r = NULL;
        erasure_params(e, &p);
        CHECK(db_run(e->desk->db, counts[i], &p, &r, NULL, err));
        erasure_count(e, r);
    }
    return OUTCOME_OK;
}

enum outcome erase_plan(struct desk *desk, const struct erase_request *request,
                        struct report *report, struct err *err)
{
    struct erasure e = {.desk = desk, .request = request};
    CHECK(find_person(&e, err));
    enum outcome outcome = erasure_find_members(&e, err);
    if (outcome == OUTCOME_REJECT && erase_look_left(&e, false, err) == OUTCOME_OK) {
        report_left(&e, report, false);
        return OUTCOME_OK;
    }
    CHECK(outcome);
    CHECK(count_rows(&e, err));
    CHECK(erase_find_grants(&e, err));
    CHECK(erase_find_opt_outs(&e, false, err));
    report_erasure(&e, report, false);
    return OUTCOME_OK;
}
