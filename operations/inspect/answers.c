/* answers.c: the last contact decisions of a customer, as an agent reads them out. */
#include "inspect_sql.h"
#include "operations/inspect/inspect.h"
#include "services/suppression/logic/sentence.h"

enum {
    REQUESTED,
    VERDICT,
    OUTCOME,
    REASON,
    RULE_ID,
    RULE_OWNER,
    CHANNEL,
    RULES,
    EXPIRES_AT,
    RETRY_AT
};

static const struct section_form form = {
    .name = "answers",
    .title = "What they say",
    .line = "{requested}  {sentence}",
    .is_shy = true,
    .columns = {{"requested", CELL_TEXT}, {"sentence", CELL_TEXT}},
};

static struct span text_at(const struct db_result *r, int row, int column)
{
    return db_is_null(r, row, column) ? SPAN_NONE : db_bytes(r, row, column);
}

static struct instant time_at(const struct db_result *r, int row, int column)
{
    return db_is_null(r, row, column) ? INSTANT_ABSENT : db_timestamptz(r, row, column);
}

enum outcome answers_report(struct desk *desk, const struct id *profile, struct report *report,
                            struct err *err)
{
    struct report_part *section = report_section(report, &form);
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, report->arena);
    params_uuid(&p, profile);
    CHECK(db_run(desk->db, &sql_explain_answers, &p, &r, NULL, err));
    for (int i = 0; i < db_rows(r); i++) {
        const struct told_verdict told = {
            .verdict = (enum contact_verdict)db_int2(r, i, VERDICT),
            .outcome = (enum contact_outcome)db_int2(r, i, OUTCOME),
            .reason = text_at(r, i, REASON),
            .rule_id = text_at(r, i, RULE_ID),
            .rule_owner = text_at(r, i, RULE_OWNER),
            .channel = text_at(r, i, CHANNEL),
            .rules = text_at(r, i, RULES),
            .expires_at = time_at(r, i, EXPIRES_AT),
            .retry_at = time_at(r, i, RETRY_AT),
        };
        REPORT_ROW(report, section, cell_text(text_at(r, i, REQUESTED)),
                   cell_text(contact_sentence(&told, report->arena)));
    }
    return OUTCOME_OK;
}
