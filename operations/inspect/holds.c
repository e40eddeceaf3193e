/* holds.c: which holds are open for a customer: the rules of the active contact policy are asked,
 * as suppression asks them. */
#include "inspect_sql.h"
#include "operations/contact_ledger.h"
#include "operations/inspect/inspect.h"
#include "services/suppression/logic/rules.h"

static const struct section_form form = {
    .name = "holds",
    .title = "Open holds",
    .columns = {{"rule", CELL_TEXT},
                {"owner", CELL_TEXT},
                {"since", CELL_TEXT},
                {"until", CELL_TEXT}},
};

/* as_of: the moment that the session asks about. */
static enum outcome read_ledger(struct db *db, struct arena *arena, const struct id *profile,
                                struct ledger *ledger, struct instant *as_of, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_uuid(&p, profile);
    CHECK(db_run(db, &sql_explain_hold_facts, &p, &r, NULL, err));
    size_t count = (size_t)db_rows(r);
    struct contact_fact *facts = arena_array(arena, struct contact_fact, count);
    const struct contact_fact **pointers = arena_array(arena, const struct contact_fact *, count);
    for (size_t i = 0; i < count; i++) {
        *as_of = db_timestamptz(r, (int)i, 0);
        facts[i] = contact_ledger_fact(arena, r, (int)i, 1);
        pointers[i] = &facts[i];
    }
    *ledger = (struct ledger){.facts = pointers, .fact_count = count};
    return OUTCOME_OK;
}

/* "2026-03-01 10:00:00", as the other sections of explain show times. */
static struct report_cell seconds_of(struct arena *arena, struct instant at)
{
    char text[32];
    instant_format(at, text);
    text[10] = ' ';
    return cell_text(span_of(arena_printf(arena, "%.19s", text)));
}

/* Before the first `tutti policy apply` there are no rules, so nothing is held. */
static enum outcome read_policy(struct db *db, struct arena *arena,
                                const struct contact_policy **policy, struct err *err)
{
    static const struct contact_policy no_rules;
    enum outcome outcome = contact_ledger_policy(db, arena, policy, err);
    if (outcome == OUTCOME_OK || strcmp(err->code, "no_generation") != 0)
        return outcome;
    *policy = &no_rules;
    return OUTCOME_OK;
}

enum outcome holds_report(struct desk *desk, const struct id *profile, struct report *report,
                          struct err *err)
{
    struct arena *arena = report->arena;
    struct report_part *section = report_section(report, &form);
    const struct contact_policy *policy;
    struct ledger ledger;
    struct instant as_of = INSTANT_FIRST;
    CHECK(read_policy(desk->db, arena, &policy, err));
    CHECK(read_ledger(desk->db, arena, profile, &ledger, &as_of, err));
    for (size_t i = 0; i < policy->rule_count && ledger.fact_count > 0; i++) {
        const struct contact_rule *rule = &policy->rules[i];
        struct finding finding;
        if (!rule_is_hold(rule))
            continue;
        rule_ask_anyone(policy, rule, &ledger, as_of, arena, &finding);
        if (finding.passed)
            continue;
        REPORT_ROW(report, section, cell_text(rule->id), cell_text(rule->owner),
                   seconds_of(arena, finding.since),
                   finding.opens.us == INSTANT_NEVER.us ? cell_text(SPAN("until released"))
                                                        : seconds_of(arena, finding.opens));
    }
    return OUTCOME_OK;
}
