/* plan_tally.c: see plan_tally.h. */
#include "operations/contact/plan_tally.h"

#include <stdlib.h>

void plan_tally_open(struct plan_tally *tally, struct arena *arena,
                     const struct contact_policy *candidate)
{
    *tally = (struct plan_tally){.arena = arena, .candidate = candidate};
    for (int by = 0; by < BY_COUNT; by++)
        map_init(&tally->rows[by], arena, sizeof(struct id), sizeof(struct plan_row));
}

/* ---- rows ---- */

static struct plan_row *row_of(struct plan_tally *tally, enum plan_by by, struct span name)
{
    bool is_new;
    struct id key = hash128(name);
    struct plan_row *row = map_put(&tally->rows[by], &key, &is_new);
    if (is_new)
        *row = (struct plan_row){.name = arena_copy(tally->arena, name)};
    return row;
}

static struct span month_of(struct instant at, char *text)
{
    instant_format(at, text);
    return (struct span){text, strlen("2017-12")};
}

static struct span priority_of(const struct contact_fact *request)
{
    static const char *const names[] = {"low", "normal", "high"};
    int priority = contact_priority(request);
    return priority >= 0 && priority < PRIORITY_COUNT ? span_of(names[priority])
                                                      : SPAN("(invalid)");
}

static struct span department_of(const struct contact_fact *request)
{
    return request->department.len > 0 ? request->department : SPAN("(none)");
}

/* The rows that a request counts in, but for the rule's; every one has exactly one of each. */
static void rows_of(struct plan_tally *tally, const struct contact_fact *request,
                    struct plan_row *rows[BY_COUNT])
{
    char month[32];
    rows[BY_ALL] = row_of(tally, BY_ALL, SPAN("(all)"));
    rows[BY_RULE] = NULL;
    rows[BY_DEPARTMENT] = row_of(tally, BY_DEPARTMENT, department_of(request));
    rows[BY_PRIORITY] = row_of(tally, BY_PRIORITY, priority_of(request));
    rows[BY_MONTH] = row_of(tally, BY_MONTH, month_of(request->at, month));
}

static struct plan_row *rule_row(struct plan_tally *tally, const struct walked *after)
{
    bool is_rule = after->rule >= 0;
    struct span kind = span_of(after->reason);
    struct plan_row *row =
        row_of(tally, BY_RULE, is_rule ? tally->candidate->rules[after->rule].id : kind);
    row->kind = is_rule ? kind : SPAN("(invalid)");
    return row;
}

/* ---- counting ---- */

static bool is_refused(const struct walked *walked)
{
    return walked->verdict != VERDICT_GRANT;
}

void plan_tally_add(struct plan_tally *tally, const struct walked *before,
                    const struct walked *after, int16_t stored)
{
    struct plan_row *rows[BY_COUNT];
    rows_of(tally, before->request, rows);
    tally->requests += !before->is_send;
    tally->sends += before->is_send;
    tally->verdicts[is_refused(before)][is_refused(after)]++;
    tally->stored += stored != 0;
    tally->drifted += stored != 0 && stored != (int16_t)before->verdict;
    for (int by = 0; by < BY_COUNT; by++) {
        if (rows[by] == NULL)
            continue;
        rows[by]->requests++;
        rows[by]->granted += !is_refused(before);
        rows[by]->freed += is_refused(before) && !is_refused(after);
    }
}

static void add_money(struct plan_tally *tally, struct plan_row *row,
                      const struct credited_sum *money)
{
    size_t i = 0;
    while (i < row->money.count && !span_equal(row->money.items[i].currency, money->currency))
        i++;
    if (i == row->money.count)
        *arena_push(tally->arena, &row->money) =
            (struct credited_sum){arena_copy(tally->arena, money->currency), 0};
    row->money.items[i].micros += money->micros;
}

static void count_customer(int64_t *count, struct id *last, const struct id *customer)
{
    *count += !id_equal(last, customer);
    *last = *customer;
}

void plan_tally_refuse(struct plan_tally *tally, const struct id *customer,
                       const struct walked *after, const struct plan_effect *effect)
{
    struct plan_row *rows[BY_COUNT];
    rows_of(tally, after->request, rows);
    rows[BY_RULE] = rule_row(tally, after);
    for (int by = 0; by < BY_COUNT; by++) {
        struct plan_row *row = rows[by];
        row->refused++;
        row->new += effect->is_new;
        row->alone += after->is_alone;
        row->responses += effect->is_answered;
        row->later += effect->is_answered_later;
        row->conversions += effect->is_converted;
        count_customer(&row->customers, &row->last_customer, customer);
        if (effect->is_answered_later)
            count_customer(&row->later_customers, &row->last_later, customer);
        for (size_t i = 0; i < effect->money_count; i++)
            add_money(tally, row, &effect->money[i]);
    }
}

/* ---- the report ---- */

static int most_refused_first(const void *a, const void *b)
{
    const struct plan_row *x = *(struct plan_row *const *)a, *y = *(struct plan_row *const *)b;
    int c = (x->refused < y->refused) - (x->refused > y->refused);
    return c ? c : span_compare(x->name, y->name);
}

static int by_name(const void *a, const void *b)
{
    const struct plan_row *x = *(struct plan_row *const *)a, *y = *(struct plan_row *const *)b;
    return span_compare(x->name, y->name);
}

static struct plan_row **sorted(const struct plan_tally *tally, enum plan_by by, size_t *count)
{
    const void *key;
    struct plan_row *row, **rows;
    *count = 0;
    for (size_t i = 0; map_next(&tally->rows[by], &i, &key);)
        ++*count;
    rows = arena_array(tally->arena, struct plan_row *, *count);
    *count = 0;
    for (size_t i = 0; (row = map_next(&tally->rows[by], &i, &key));)
        rows[(*count)++] = row;
    if (*count > 1)
        qsort(rows, *count, sizeof(struct plan_row *),
              by == BY_MONTH ? by_name : most_refused_first);
    return rows;
}

/* clang-format off */
#define EFFECT_COLUMNS                                                                             \
    {"customers", CELL_INTEGER}, {"responses_7d", CELL_INTEGER}, {"later", CELL_INTEGER},          \
    {"later_customers", CELL_INTEGER}, {"conversions_7d", CELL_INTEGER}
/* clang-format on */
#define EFFECT_CELLS(row)                                                                          \
    cell_integer((row)->customers), cell_integer((row)->responses), cell_integer((row)->later),    \
        cell_integer((row)->later_customers), cell_integer((row)->conversions)

static const struct section_form verdicts_form = {
    .name = "verdicts",
    .title = "Requests, by their verdicts",
    .columns = {{"active", CELL_TEXT}, {"candidate", CELL_TEXT}, {"requests", CELL_INTEGER}}};

static const struct section_form rules_form = {
    .name = "by_rule",
    .title = "What the candidate would refuse, by the first rule that does",
    .columns = {{"rule", CELL_TEXT},
                {"kind", CELL_TEXT},
                {"refused", CELL_INTEGER},
                {"new", CELL_INTEGER},
                {"alone", CELL_INTEGER},
                EFFECT_COLUMNS}};

static const struct section_form credited_form = {
    .name = "credited",
    .title = "What is credited to the contacts that would be refused",
    .columns = {{"by", CELL_TEXT},
                {"name", CELL_TEXT},
                {"currency", CELL_TEXT},
                {"credited", CELL_NUMBER}}};

/* clang-format off */
#define GROUP_FORM(section, heading, column)                                                       \
    {.name = (section), .title = (heading),                                                        \
     .columns = {{column, CELL_TEXT}, {"requests", CELL_INTEGER}, {"granted", CELL_INTEGER},       \
                 {"refused", CELL_INTEGER}, {"new", CELL_INTEGER}, {"freed", CELL_INTEGER},        \
                 EFFECT_COLUMNS}}
/* clang-format on */
static const struct section_form group_forms[BY_COUNT] = {
    [BY_ALL] = GROUP_FORM("all", "All requests", "all"),
    [BY_DEPARTMENT] = GROUP_FORM("by_department", "By department", "department"),
    [BY_PRIORITY] = GROUP_FORM("by_priority", "By priority", "priority"),
    [BY_MONTH] = GROUP_FORM("by_month", "By month (UTC)", "month"),
};

static void report_verdicts(const struct plan_tally *tally, struct report *report)
{
    static const char *const names[] = {"granted", "refused"};
    struct report_part *section = report_section(report, &verdicts_form);
    for (int before = 0; before < 2; before++)
        for (int after = 0; after < 2; after++)
            REPORT_ROW(report, section, cell_words(names[before]), cell_words(names[after]),
                       cell_integer(tally->verdicts[before][after]));
}

static void report_rules(const struct plan_tally *tally, struct report *report)
{
    size_t count;
    struct plan_row **rows = sorted(tally, BY_RULE, &count);
    struct report_part *section = report_section(report, &rules_form);
    for (size_t i = 0; i < count; i++)
        REPORT_ROW(report, section, cell_text(rows[i]->name), cell_text(rows[i]->kind),
                   cell_integer(rows[i]->refused), cell_integer(rows[i]->new),
                   cell_integer(rows[i]->alone), EFFECT_CELLS(rows[i]));
}

static void report_group(const struct plan_tally *tally, enum plan_by by, struct report *report)
{
    size_t count;
    struct plan_row **rows = sorted(tally, by, &count);
    struct report_part *section = report_section(report, &group_forms[by]);
    for (size_t i = 0; i < count; i++)
        REPORT_ROW(report, section, cell_text(rows[i]->name), cell_integer(rows[i]->requests),
                   cell_integer(rows[i]->granted), cell_integer(rows[i]->refused),
                   cell_integer(rows[i]->new), cell_integer(rows[i]->freed), EFFECT_CELLS(rows[i]));
}

static void report_money(const struct plan_tally *tally, struct report *report)
{
    static const char *const names[BY_COUNT] = {"all", "rule", "department", "priority", "month"};
    struct report_part *section = report_section(report, &credited_form);
    for (int by = 0; by < BY_COUNT; by++) {
        size_t count;
        struct plan_row **rows = sorted(tally, by, &count);
        for (size_t i = 0; i < count; i++)
            for (size_t m = 0; m < rows[i]->money.count; m++)
                REPORT_ROW(report, section, cell_words(names[by]), cell_text(rows[i]->name),
                           cell_text(rows[i]->money.items[m].currency),
                           cell_micros(report->arena, rows[i]->money.items[m].micros));
    }
}

static void report_numbers(const struct plan_tally *tally, struct report *report)
{
    report_value(report, "customers", cell_integer(tally->customers), "customers");
    report_value(report, "requests", cell_integer(tally->requests), "requests");
    report_value(report, "sends", cell_integer(tally->sends),
                 "sends that answered no request, taken as requests");
    report_value(report, "stored", cell_integer(tally->stored), "stored verdicts");
    report_value(report, "drifted", cell_integer(tally->drifted),
                 "of them that the active policy does not give today: facts came late, customers "
                 "were joined, or the policy was another");
}

void plan_tally_report(const struct plan_tally *tally, struct report *report)
{
    report_numbers(tally, report);
    report_verdicts(tally, report);
    report_group(tally, BY_ALL, report);
    report_rules(tally, report);
    report_group(tally, BY_DEPARTMENT, report);
    report_group(tally, BY_PRIORITY, report);
    report_group(tally, BY_MONTH, report);
    report_money(tally, report);
    report_value(report, "model", cell_text(tally->model), NULL);
    report_line(report, "%s", "");
    report_line(report,
                "Credited is not lost: without the contact its credit goes to other touches, and "
                "the customer may buy all the same. Only a control group measures loss.");
}
