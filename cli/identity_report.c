/* identity_report.c: what plan mode found, as text or JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/identity_plan.h"

/* One place that knows both forms. json NULL: text to stdout. */
struct plan_output {
    const struct evidence *evidence;
    const struct comparison *comparison;
    const struct plan_stakes *stakes;
    struct strbuf *json;
    size_t limit;
    struct arena *arena;
};

static void put_number(const struct plan_output *report, const char *name, const char *words,
                       size_t value)
{
    if (report->json)
        strbuf_addf(report->json, "%s\"%s\":%zu", report->json->len > 1 ? "," : "", name, value);
    else
        printf("%12zu  %s\n", value, words);
}

static const char *name_of(const struct plan_output *report, const struct id *id)
{
    char *text = arena_alloc(report->arena, 37);
    id_to_uuid(id, text);
    return text;
}

/* A profile of today, by the node that stands for it; one of afterwards, by the node that names it.
 */
static const char *name_today(const struct plan_output *report, uint32_t node)
{
    return name_of(report, &report->evidence->profiles[node]);
}

static const char *name_after(const struct plan_output *report, uint32_t node)
{
    return name_of(report, &report->evidence->graph.nodes[node].identifier_id);
}

static void put_title(const struct plan_output *report, const char *name, const char *title)
{
    if (report->json)
        strbuf_addf(report->json, ",\"%s\":[", name);
    else
        printf("\n%s%s%s\n", colour(stdout, COLOUR_BOLD), title, colour(stdout, COLOUR_OFF));
}

static void put_end(const struct plan_output *report, size_t count)
{
    if (report->json)
        strbuf_addf(report->json, "]");
    else if (count == 0)
        puts("(none)");
}

static void put_numbers(const struct plan_output *report)
{
    const struct comparison *c = report->comparison;
    const struct evidence *e = report->evidence;
    put_number(report, "identifiers", "identifiers",
               c->identifiers + e->united + e->renaming->vanished);
    put_number(report, "renamed", "identifiers that become another, because of their values",
               e->renaming->count - e->renaming->vanished);
    put_number(report, "united", "identifiers that become one with another", e->united);
    put_number(report, "vanished", "identifiers whose values are blocked or not usable any more",
               e->renaming->vanished);
    put_number(report, "links", "links", e->observed_links);
    put_number(report, "profiles_before", "profiles today", c->profiles_before + e->gone_profiles);
    put_number(report, "profiles_after", "profiles under the candidate", c->profiles_after);
    put_number(report, "merges_gained", "merges gained: profiles joined to another",
               c->merges_gained);
    put_number(report, "merges_lost", "merges lost: profiles that come off another",
               c->merges_lost);
    put_number(report, "quarantined", "identifiers newly in quarantine", c->quarantined);
    put_number(report, "released", "identifiers released from quarantine", c->released);
    put_number(report, "moved", "identifiers whose profile changes", c->moved);
    put_number(report, "facts_moved", "touchpoints that would come under another anchor",
               e->facts_moved);
    put_number(report, "facts_left", "touchpoints that would name nobody", e->facts_left);
    put_number(report, "affected_profiles", "profiles affected", report->stakes->profiles);
    put_number(report, "opt_outs_at_risk", "profiles of which a side would lose an opt-out",
               report->stakes->opt_outs);
}

static void put_money(const struct plan_output *report)
{
    put_title(report, "revenue_affected", "Revenue of the affected profiles");
    for (size_t i = 0; i < report->stakes->money_count; i++) {
        const struct plan_money *m = &report->stakes->money[i];
        const char *sign = m->micros < 0 ? "-" : "";
        uint64_t cents = (uint64_t)llabs(m->micros / 10000);
        if (report->json)
            strbuf_addf(report->json,
                        "%s{\"currency\":\"%s\",\"conversions\":%" PRId64
                        ",\"revenue\":\"%s%" PRIu64 ".%02" PRIu64 "\"}",
                        i ? "," : "", m->currency, m->conversions, sign, cents / 100, cents % 100);
        else
            printf("%12s%" PRIu64 ".%02" PRIu64 " %s in %" PRId64 " conversions\n", sign,
                   cents / 100, cents % 100, m->currency, m->conversions);
    }
    put_end(report, report->stakes->money_count);
}

static void put_largest(const struct plan_output *report, const char *name, const char *title,
                        const struct large_profile *list,
                        const char *(*name_it)(const struct plan_output *report, uint32_t node))
{
    size_t i = 0;
    put_title(report, name, title);
    for (; i < COMPARE_LARGEST && list[i].size > 0; i++)
        if (report->json)
            strbuf_addf(report->json, "%s{\"profile\":\"%s\",\"identifiers\":%u}", i ? "," : "",
                        name_it(report, list[i].node), list[i].size);
        else
            printf("%12u  %s\n", list[i].size, name_it(report, list[i].node));
    put_end(report, i);
}

/* -------------------------------------------------------------------------------------------------------
 * examples */

static void put_flow(const struct plan_output *report, const struct flow *flow, bool is_first)
{
    const char *before = name_today(report, flow->before), *after = name_after(report, flow->after);
    if (report->json)
        strbuf_addf(report->json, "%s{\"before\":\"%s\",\"after\":\"%s\",\"identifiers\":%u}",
                    is_first ? "" : ",", before, after, flow->size);
    else
        printf("%s -> %s  %u identifiers\n", before, after, flow->size);
}

static int by_after(const void *a, const void *b)
{
    const struct flow *x = a, *y = b;
    return x->after != y->after ? (x->after > y->after) - (x->after < y->after)
                                : (x->before > y->before) - (x->before < y->before);
}

/* Flows come in groups of one end; groups of one are no merge. */
static void put_groups(const struct plan_output *report, const struct flow *flows, bool by_before)
{
    size_t groups = 0, printed = 0, count = report->comparison->flow_count;
    for (size_t from = 0, to; from < count && groups < report->limit; from = to) {
        uint32_t key = by_before ? flows[from].before : flows[from].after;
        for (to = from + 1; to < count && (by_before ? flows[to].before : flows[to].after) == key;
             to++)
            continue;
        if (to - from < 2)
            continue;
        for (size_t i = from; i < to && i < from + 10; i++)
            put_flow(report, &flows[i], printed++ == 0);
        groups++;
    }
    put_end(report, groups);
}

static void put_identifiers(const struct plan_output *report, bool want_quarantined)
{
    const struct evidence *e = report->evidence;
    size_t count = 0;
    for (uint32_t i = 0; i < e->graph.node_count && count < report->limit; i++) {
        if (e->graph.nodes[i].is_quarantined == e->was_quarantined[i] ||
            e->was_quarantined[i] == want_quarantined)
            continue;
        struct span type = e->policy->types[e->graph.nodes[i].type].name;
        if (report->json)
            strbuf_addf(
                report->json, "%s{\"identifier\":\"%s\",\"type\":\"" SPAN_FMT "\",\"linked\":%u}",
                count ? "," : "", name_of(report, &e->stored[i]), SPAN_ARG(type), e->degree[i]);
        else
            printf("%s  " SPAN_FMT ", linked to %u\n", name_of(report, &e->stored[i]),
                   SPAN_ARG(type), e->degree[i]);
        count++;
    }
    put_end(report, count);
}

static void put_opt_outs(const struct plan_output *report)
{
    size_t count = 0;
    for (uint32_t i = 0; i < report->evidence->graph.node_count && count < report->limit; i++) {
        if (!report->stakes->loses_opt_out[i])
            continue;
        if (report->json)
            strbuf_addf(report->json, "%s\"%s\"", count ? "," : "", name_today(report, i));
        else
            puts(name_today(report, i));
        count++;
    }
    put_end(report, count);
}

/* Ids alone: `tutti identity reveal` has the values, for those who may see them. */
static void put_renamed(const struct plan_output *report)
{
    const struct renaming *renaming = report->evidence->renaming;
    size_t count = renaming->count < report->limit ? renaming->count : report->limit;
    for (size_t i = 0; i < count; i++) {
        const struct renamed *one = &renaming->items[i];
        const char *from = name_of(report, &one->from),
                   *to = id_is_nil(&one->to) ? NULL : name_of(report, &one->to);
        if (report->json)
            strbuf_addf(report->json,
                        "%s{\"identifier\":\"%s\",\"type\":\"" SPAN_FMT "\",\"becomes\":%s%s%s}",
                        i ? "," : "", from, SPAN_ARG(one->type->name), to ? "\"" : "",
                        to ? to : "null", to ? "\"" : "");
        else
            printf("%s  " SPAN_FMT " -> %s\n", from, SPAN_ARG(one->type->name), to ? to : "nobody");
    }
    put_end(report, count);
}

static void put_examples(const struct plan_output *report)
{
    struct flow *sorted = arena_array(report->arena, struct flow, report->comparison->flow_count);
    if (report->comparison->flow_count > 0)
        memcpy(sorted, report->comparison->flows, report->comparison->flow_count * sizeof *sorted);
    put_title(report, "examples_renamed",
              "Identifiers that become another, or nobody, for example");
    put_renamed(report);
    put_title(report, "examples_lost", "Merges lost, for example");
    put_groups(report, sorted, true);
    if (report->comparison->flow_count > 1)
        qsort(sorted, report->comparison->flow_count, sizeof *sorted, by_after);
    put_title(report, "examples_gained", "Merges gained, for example");
    put_groups(report, sorted, false);
    put_title(report, "examples_quarantined", "Newly in quarantine, for example");
    put_identifiers(report, true);
    put_title(report, "examples_released", "Released from quarantine, for example");
    put_identifiers(report, false);
    put_title(report, "examples_opt_outs", "Opt-outs that a side would lose, for example");
    put_opt_outs(report);
}

void plan_report(struct call *call, const struct evidence *evidence,
                 const struct comparison *comparison, const struct plan_stakes *stakes,
                 size_t limit, struct strbuf *json)
{
    struct plan_output report = {evidence, comparison, stakes, json, limit, &call->arena};
    if (json)
        strbuf_addf(json, "{");
    put_numbers(&report);
    put_money(&report);
    put_largest(&report, "largest_before", "Largest profiles today", comparison->largest_before,
                name_today);
    put_largest(&report, "largest_after", "Largest profiles under the candidate",
                comparison->largest_after, name_after);
    put_examples(&report);
}
