/* stakes.c: what hangs on the profiles that a candidate policy would change: revenue, and
 * opt-outs that a side of a divided profile would lose. */
#include "operations/plan/stakes.h"

#include <stdio.h>
#include <stdlib.h>

#include "operations/contact_ledger.h"
#include "plan_sql.h"
#include "services/suppression/logic/consent.h"

enum { PER_QUERY = 5000 };
#define NO_SIDE UINT32_MAX

struct stakes {
    struct db *db;
    const struct evidence *evidence;
    struct plan_stakes *out;
    const struct contact_policy *policy;
};

static struct plan_money *money_of(struct plan_stakes *out, struct span currency)
{
    size_t i = 0;
    while (i < out->money_count && !span_is(currency, out->money[i].currency))
        i++;
    if (i == PLAN_CURRENCIES)
        return &out->money[PLAN_CURRENCIES - 1];
    if (i == out->money_count) {
        snprintf(out->money[i].currency, sizeof out->money[i].currency, SPAN_FMT,
                 SPAN_ARG(currency));
        out->money_count++;
    }
    return &out->money[i];
}

static enum outcome ask_revenue(struct stakes *stakes, struct arena *arena,
                                const struct id *profiles, size_t count, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_uuid_array(&p, profiles, sizeof *profiles, count);
    CHECK(db_run(stakes->db, &sql_plan_revenue, &p, &r, NULL, err));
    for (int row = 0; row < db_rows(r); row++) {
        struct plan_money *money = money_of(stakes->out, db_bytes(r, row, 0));
        money->conversions += db_int8(r, row, 1);
        int64_t micros = db_int8(r, row, 2);
        if (__builtin_add_overflow(money->micros, micros, &money->micros))
            money->micros = micros < 0 ? -INT64_MAX : INT64_MAX; /* as good as any such number */
    }
    return OUTCOME_OK;
}

/* Asks about the profiles that are marked, some thousand at a time. */
static enum outcome ask_revenues(struct stakes *stakes, const bool *is_marked, struct err *err)
{
    struct arena arena = {0};
    const struct identity_graph *graph = &stakes->evidence->graph;
    enum outcome outcome = OUTCOME_OK;
    for (size_t at = 0; at < graph->node_count && outcome == OUTCOME_OK;) {
        struct id *profiles = arena_array(&arena, struct id, PER_QUERY);
        size_t count = 0;
        for (; at < graph->node_count && count < PER_QUERY; at++)
            if (is_marked[at])
                profiles[count++] = stakes->evidence->profiles[at];
        if (count > 0)
            outcome = ask_revenue(stakes, &arena, profiles, count, err);
        arena_reset(&arena);
    }
    arena_free(&arena);
    return outcome;
}

/* ---- opt-outs ---- */

/* A stored identifier of a profile that would be divided, its profile and itself as nodes. */
struct divided {
    uint32_t before, node;
    struct id identifier_id;
};

struct divided_list {
    struct divided *items;
    size_t count, capacity;
};

static int divided_compare(const void *a, const void *b)
{
    const struct divided *x = a, *y = b;
    return x->before != y->before ? (x->before > y->before) - (x->before < y->before)
                                  : (x->node > y->node) - (x->node < y->node);
}

/* What members say of channels, each fact with its member. */
struct said {
    const struct divided *member;
    const struct contact_fact *fact;
};

/* Members of one profile, and what they say in order. */
struct profile_words {
    const struct divided *members;
    size_t member_count;
    const struct said *said;
    size_t said_count;
};

/* Where a member goes; NO_SIDE: into quarantine, so no customer has it afterwards. */
static uint32_t side_of(const struct stakes *stakes, const struct divided *member)
{
    const struct identity_node *node = &stakes->evidence->graph.nodes[member->node];
    return node->is_quarantined ? NO_SIDE : node->profile;
}

/* A member or a fact, by the side that it goes to and its place in the order. */
struct sided {
    uint32_t side;
    const struct contact_fact *fact; /* NULL: a member */
    size_t place;
};

static int sided_compare(const void *a, const void *b)
{
    const struct sided *x = a, *y = b;
    return x->side != y->side ? (x->side > y->side) - (x->side < y->side)
                              : (x->place > y->place) - (x->place < y->place);
}

/* Every member and every fact, the sides one after the other. */
static struct sided *by_side(const struct stakes *stakes, const struct profile_words *profile,
                             size_t *count, struct arena *arena)
{
    struct sided *list =
        arena_array(arena, struct sided, profile->member_count + profile->said_count);
    *count = 0;
    for (size_t i = 0; i < profile->member_count; i++)
        list[(*count)++] = (struct sided){side_of(stakes, &profile->members[i]), NULL, 0};
    for (size_t i = 0; i < profile->said_count; i++)
        list[(*count)++] =
            (struct sided){side_of(stakes, profile->said[i].member), profile->said[i].fact, i + 1};
    qsort(list, *count, sizeof *list, sided_compare);
    return list;
}

static bool loses_any(const struct contact_policy *policy, const struct opt_outs *opt_outs,
                      const struct contact_fact *const *part, size_t count)
{
    for (size_t i = 0; i < opt_outs->count; i++)
        if (consent_is_lost(policy, &opt_outs->items[i], part, count))
            return true;
    return false;
}

/* True if a side of the divided profile would be without an opt-out of the whole. */
static bool loses_opt_out(const struct stakes *stakes, const struct profile_words *profile,
                          struct arena *arena)
{
    const struct contact_fact **facts =
        arena_array(arena, const struct contact_fact *, profile->said_count);
    for (size_t i = 0; i < profile->said_count; i++)
        facts[i] = profile->said[i].fact;
    struct opt_outs opt_outs = consent_opt_outs(stakes->policy, facts, profile->said_count, arena);
    if (opt_outs.count == 0)
        return false;
    size_t count = 0;
    struct sided *list = by_side(stakes, profile, &count, arena);
    for (size_t from = 0, to; from < count; from = to) {
        size_t part = 0;
        for (to = from; to < count && list[to].side == list[from].side; to++)
            if (list[to].fact)
                facts[part++] = list[to].fact;
        if (list[from].side != NO_SIDE && loses_any(stakes->policy, &opt_outs, facts, part))
            return true;
    }
    return false;
}

static enum outcome read_words(struct stakes *stakes, struct arena *arena,
                               const struct divided *members, size_t count, struct said **said,
                               size_t *said_count, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_uuid_array(&p, &members->identifier_id, sizeof *members, count);
    params_int4_array(&p, (const int32_t *)&members->before, sizeof *members, count);
    CHECK(db_run(stakes->db, &sql_plan_opt_outs, &p, &r, NULL, err));
    *said_count = (size_t)db_rows(r);
    *said = arena_array(arena, struct said, *said_count);
    struct contact_fact *facts = arena_array(arena, struct contact_fact, *said_count);
    for (size_t i = 0; i < *said_count; i++) {
        facts[i] = contact_ledger_fact(arena, r, (int)i, 1);
        (*said)[i] = (struct said){&members[db_int4(r, (int)i, 0)], &facts[i]};
    }
    return OUTCOME_OK;
}

/* Members sorted by profile; what they say comes in the same order of profiles. */
static enum outcome ask_opt_outs(struct stakes *stakes, struct arena *arena,
                                 const struct divided *members, size_t count, struct err *err)
{
    struct said *said = NULL;
    size_t said_count = 0;
    CHECK(read_words(stakes, arena, members, count, &said, &said_count, err));
    if (said_count == 0)
        return OUTCOME_OK;
    CHECK(contact_ledger_policy(stakes->db, arena, &stakes->policy, err));
    for (size_t from = 0, to, at = 0, end; from < count; from = to, at = end) {
        uint32_t before = members[from].before;
        for (to = from; to < count && members[to].before == before;)
            to++;
        for (end = at; end < said_count && said[end].member->before == before;)
            end++;
        struct profile_words profile = {members + from, to - from, said + at, end - at};
        if (!loses_opt_out(stakes, &profile, arena))
            continue;
        stakes->out->loses_opt_out[before] = true;
        stakes->out->opt_outs++;
    }
    return OUTCOME_OK;
}

/* Several of them may become one node. */
static struct divided_list divided_members(const struct evidence *e, const bool *is_split,
                                           struct arena *arena)
{
    struct divided_list list = {0};
    for (uint32_t i = 0; i < e->graph.node_count; i++)
        if (is_split[e->before[i]])
            *arena_push(arena, &list) = (struct divided){e->before[i], i, e->stored[i]};
    for (size_t i = 0; i < e->renaming->count; i++) {
        const struct id *from = &e->renaming->items[i].from;
        const uint32_t *node = map_find(&e->index, from);
        if (node && !id_equal(&e->stored[*node], from) && is_split[e->before[*node]])
            *arena_push(arena, &list) = (struct divided){e->before[*node], *node, *from};
    }
    if (list.count > 1)
        qsort(list.items, list.count, sizeof *list.items, divided_compare);
    return list;
}

/* Some thousand at a time, no profile in two pieces. */
static enum outcome ask_divided(struct stakes *stakes, const bool *is_split, struct arena *arena,
                                struct err *err)
{
    struct arena scratch = {0};
    struct divided_list list = divided_members(stakes->evidence, is_split, arena);
    const struct divided *members = list.items;
    enum outcome outcome = OUTCOME_OK;
    for (size_t from = 0, to; from < list.count && outcome == OUTCOME_OK; from = to) {
        to = from + 1;
        while (to < list.count &&
               (to - from < PER_QUERY || members[to].before == members[to - 1].before))
            to++;
        outcome = ask_opt_outs(stakes, &scratch, members + from, to - from, err);
        arena_reset(&scratch);
    }
    arena_free(&scratch);
    return outcome;
}

enum outcome plan_stakes(struct db *db, struct arena *arena, const struct evidence *evidence,
                         const struct comparison *comparison, struct plan_stakes *out,
                         struct err *err)
{
    *out =
        (struct plan_stakes){.loses_opt_out = arena_array(arena, bool, evidence->graph.node_count)};
    struct stakes stakes = {.db = db, .evidence = evidence, .out = out};
    for (size_t i = 0; i < evidence->graph.node_count; i++)
        out->profiles += comparison->is_affected[i];
    CHECK(ask_revenues(&stakes, comparison->is_affected, err));
    return ask_divided(&stakes, comparison->is_split, arena, err);
}
