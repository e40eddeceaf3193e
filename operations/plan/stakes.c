/* stakes.c: what hangs on the profiles that a candidate policy would change: revenue, and
 * opt-outs that a side of a divided profile would lose. */
#include "operations/plan/stakes.h"

#include <stdio.h>
#include <stdlib.h>

#include "plan_sql.h"

enum { PER_QUERY = 5000 };

struct stakes {
    struct db *db;
    const struct evidence *evidence;
    struct plan_stakes *out;
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
        money->micros += db_int8(r, row, 2);
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

/* -------------------------------------------------------------------------------------------------------
 * opt-outs */

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

static enum outcome ask_opt_outs(struct stakes *stakes, struct arena *arena,
                                 const struct divided *members, size_t count, struct err *err)
{
    const struct identity_node *nodes = stakes->evidence->graph.nodes;
    struct id *ids =
        arena_calloc(arena, 3 * count,
                     sizeof *ids); /* identifier, profile before, side; nil: no person afterwards */
    for (size_t i = 0; i < count; i++) {
        const struct identity_node *node = &nodes[members[i].node];
        ids[i] = members[i].identifier_id;
        ids[count + i] = stakes->evidence->profiles[members[i].before];
        if (!node->is_quarantined)
            ids[2 * count + i] = nodes[node->profile].identifier_id;
    }
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    for (size_t i = 0; i < 3; i++)
        params_uuid_array(&p, ids + i * count, sizeof *ids, count);
    CHECK(db_run(stakes->db, &sql_plan_opt_outs, &p, &r, NULL, err));
    for (int row = 0; row < db_rows(r); row++) {
        struct id profile = db_uuid(r, row, 0);
        const uint32_t *node = evidence_profile(stakes->evidence, &profile);
        stakes->out->loses_opt_out[*node] = true;
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
    struct stakes stakes = {db, evidence, out};
    for (size_t i = 0; i < evidence->graph.node_count; i++)
        out->profiles += comparison->is_affected[i];
    CHECK(ask_revenues(&stakes, comparison->is_affected, err));
    return ask_divided(&stakes, comparison->is_split, arena, err);
}
