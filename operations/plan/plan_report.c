/* plan_report.c: what a plan found, as a report. */
#include <stdlib.h>

#include "operations/plan/stakes.h"

static void add_count(struct report *report, const char *name, const char *words, size_t value)
{
    report_value(report, name, cell_integer((int64_t)value), words);
}

/* A profile of today, by the node that stands for it; one of afterwards, by the node that names it.
 */
static struct report_cell name_today(const struct plan_findings *f, uint32_t node)
{
    return cell_id(&f->evidence->profiles[node]);
}

static struct report_cell name_after(const struct plan_findings *f, uint32_t node)
{
    return cell_id(&f->evidence->graph.nodes[node].identifier_id);
}

static void add_numbers(const struct plan_findings *f, struct report *report)
{
    const struct comparison *c = f->comparison;
    const struct evidence *e = f->evidence;
    add_count(report, "identifiers", "identifiers",
              c->identifiers + e->united + e->renaming->vanished);
    add_count(report, "renamed", "identifiers that become another, because of their values",
              e->renaming->count - e->renaming->vanished);
    add_count(report, "united", "identifiers that become one with another", e->united);
    add_count(report, "vanished", "identifiers whose values are blocked or not usable any more",
              e->renaming->vanished);
    add_count(report, "links", "links", e->observed_links);
    add_count(report, "profiles_before", "profiles today", c->profiles_before + e->gone_profiles);
    add_count(report, "profiles_after", "profiles under the candidate", c->profiles_after);
    add_count(report, "merges_gained", "merges gained: profiles joined to another",
              c->merges_gained);
    add_count(report, "merges_lost", "merges lost: profiles that come off another", c->merges_lost);
    add_count(report, "quarantined", "identifiers newly in quarantine", c->quarantined);
    add_count(report, "released", "identifiers released from quarantine", c->released);
    add_count(report, "moved", "identifiers whose profile changes", c->moved);
    add_count(report, "facts_moved", "touchpoints that would come under another anchor",
              e->facts_moved);
    add_count(report, "facts_left", "touchpoints that would be left without an identifier",
              e->facts_left);
    add_count(report, "affected_profiles", "profiles affected", f->stakes->profiles);
    add_count(report, "opt_outs_at_risk", "profiles of which a side would lose an opt-out",
              f->stakes->opt_outs);
}

static void add_money(const struct plan_findings *f, struct report *report)
{
    static const struct section_form form = {
        .name = "revenue_affected",
        .title = "Revenue of the affected profiles",
        .line = "{revenue:12} {currency} in {conversions} conversions",
        .columns = {
            {"currency", CELL_TEXT}, {"conversions", CELL_INTEGER}, {"revenue", CELL_NUMBER}}};
    struct report_part *section = report_section(report, &form);
    for (size_t i = 0; i < f->stakes->money_count; i++) {
        const struct plan_money *money = &f->stakes->money[i];
        REPORT_ROW(report, section, cell_words(money->currency), cell_integer(money->conversions),
                   cell_micros(report->arena, money->micros));
    }
}

#define LARGEST_COLUMNS                                                                            \
    {                                                                                              \
        {"profile", CELL_ID}, {"identifiers", CELL_INTEGER},                                       \
    }

static const struct section_form largest_before = {.name = "largest_before",
                                                   .title = "Largest profiles today",
                                                   .line = "{identifiers:12}  {profile}",
                                                   .columns = LARGEST_COLUMNS},
                                 largest_after = {.name = "largest_after",
                                                  .title = "Largest profiles under the candidate",
                                                  .line = "{identifiers:12}  {profile}",
                                                  .columns = LARGEST_COLUMNS};

typedef struct report_cell name_fn(const struct plan_findings *f, uint32_t node);

static void add_largest(const struct plan_findings *f, struct report *report,
                        const struct section_form *form, const struct large_profile *list,
                        name_fn *name)
{
    struct report_part *section = report_section(report, form);
    for (size_t i = 0; i < COMPARE_LARGEST && list[i].size > 0; i++)
        REPORT_ROW(report, section, name(f, list[i].node), cell_integer(list[i].size));
}

/* ---- examples ---- */

static int by_after(const void *a, const void *b)
{
    const struct flow *x = a, *y = b;
    return x->after != y->after ? (x->after > y->after) - (x->after < y->after)
                                : (x->before > y->before) - (x->before < y->before);
}

static uint32_t flow_end(const struct flow *flow, bool by_before)
{
    return by_before ? flow->before : flow->after;
}

enum { FLOWS_PER_GROUP = 10 };

/* Flows come in groups of one end; a group of one is no merge. */
static void add_groups(const struct plan_findings *f, struct report *report,
                       const struct section_form *form, const struct flow *flows, bool by_before)
{
    struct report_part *section = report_section(report, form);
    size_t groups = 0, count = f->comparison->flow_count;
    for (size_t from = 0, to; from < count && groups < f->limit; from = to) {
        uint32_t key = flow_end(&flows[from], by_before);
        for (to = from + 1; to < count && flow_end(&flows[to], by_before) == key; to++)
            continue;
        if (to - from < 2)
            continue;
        for (size_t i = from; i < to && i < from + FLOWS_PER_GROUP; i++)
            REPORT_ROW(report, section, name_today(f, flows[i].before),
                       name_after(f, flows[i].after), cell_integer(flows[i].size));
        groups++;
    }
}

#define FLOW_LINE "{before} -> {after}  {identifiers} identifiers"
#define FLOW_COLUMNS                                                                               \
    {                                                                                              \
        {"before", CELL_ID}, {"after", CELL_ID}, {"identifiers", CELL_INTEGER},                    \
    }

static void add_flows(const struct plan_findings *f, struct report *report)
{
    static const struct section_form lost = {.name = "examples_lost",
                                             .title = "Merges lost, for example",
                                             .line = FLOW_LINE,
                                             .columns = FLOW_COLUMNS},
                                     gained = {.name = "examples_gained",
                                               .title = "Merges gained, for example",
                                               .line = FLOW_LINE,
                                               .columns = FLOW_COLUMNS};
    size_t count = f->comparison->flow_count;
    struct flow *sorted = arena_array(report->arena, struct flow, count);
    if (count > 0)
        memcpy(sorted, f->comparison->flows, count * sizeof *sorted);
    add_groups(f, report, &lost, sorted, true);
    if (count > 1)
        qsort(sorted, count, sizeof *sorted, by_after);
    add_groups(f, report, &gained, sorted, false);
}

static void add_identifiers(const struct plan_findings *f, struct report *report,
                            const struct section_form *form, bool want_quarantined)
{
    const struct evidence *e = f->evidence;
    struct report_part *section = report_section(report, form);
    for (uint32_t i = 0; i < e->graph.node_count && report_rows(section) < f->limit; i++) {
        const struct identity_node *node = &e->graph.nodes[i];
        if (node->is_quarantined == want_quarantined && e->was_quarantined[i] != want_quarantined)
            REPORT_ROW(report, section, cell_id(&e->stored[i]),
                       cell_text(e->policy->types[node->type].name), cell_integer(e->degree[i]));
    }
}

#define IDENTIFIER_LINE "{identifier}  {type}, linked to {linked}"
#define IDENTIFIER_COLUMNS                                                                         \
    {                                                                                              \
        {"identifier", CELL_ID}, {"type", CELL_TEXT}, {"linked", CELL_INTEGER},                    \
    }

static void add_quarantine(const struct plan_findings *f, struct report *report)
{
    static const struct section_form quarantined = {.name = "examples_quarantined",
                                                    .title = "Newly in quarantine, for example",
                                                    .line = IDENTIFIER_LINE,
                                                    .columns = IDENTIFIER_COLUMNS},
                                     released = {.name = "examples_released",
                                                 .title = "Released from quarantine, for example",
                                                 .line = IDENTIFIER_LINE,
                                                 .columns = IDENTIFIER_COLUMNS};
    add_identifiers(f, report, &quarantined, true);
    add_identifiers(f, report, &released, false);
}

static void add_opt_outs(const struct plan_findings *f, struct report *report)
{
    static const struct section_form form = {.name = "examples_opt_outs",
                                             .title =
                                                 "Opt-outs that a side would lose, for example",
                                             .line = "{profile}",
                                             .shape = SECTION_LIST,
                                             .columns = {{"profile", CELL_ID}}};
    struct report_part *section = report_section(report, &form);
    for (uint32_t i = 0; i < f->evidence->graph.node_count && report_rows(section) < f->limit; i++)
        if (f->stakes->loses_opt_out[i])
            REPORT_ROW(report, section, name_today(f, i));
}

/* Ids alone: `tutti identity reveal` has the values, for those who may see them. */
static void add_renamed(const struct plan_findings *f, struct report *report)
{
    static const struct section_form form = {
        .name = "examples_renamed",
        .title = "Identifiers that become another, or disappear, for example",
        .line = "{identifier}  {type} -> {becomes|none}",
        .columns = {{"identifier", CELL_ID}, {"type", CELL_TEXT}, {"becomes", CELL_ID}}};
    const struct renaming *renaming = f->evidence->renaming;
    struct report_part *section = report_section(report, &form);
    for (size_t i = 0; i < renaming->count && i < f->limit; i++) {
        const struct renamed *one = &renaming->items[i];
        REPORT_ROW(report, section, cell_id(&one->from), cell_text(one->type->name),
                   id_is_nil(&one->to) ? cell_null() : cell_id(&one->to));
    }
}

void plan_report(const struct plan_findings *f, struct report *report)
{
    add_numbers(f, report);
    add_money(f, report);
    add_largest(f, report, &largest_before, f->comparison->largest_before, name_today);
    add_largest(f, report, &largest_after, f->comparison->largest_after, name_after);
    add_renamed(f, report);
    add_flows(f, report);
    add_quarantine(f, report);
    add_opt_outs(f, report);
}
