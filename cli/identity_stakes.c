/* identity_stakes.c: what hangs on the profiles that a candidate policy would change: revenue, and opt-outs that would be
 * divided. */
#include <stdio.h>

#include "cli/identity_plan.h"
#include "cli_sql.h"

enum { PROFILES_PER_QUERY = 5000 };

struct stakes {
    struct db *db;
    const struct evidence *evidence;
    struct plan_stakes *out;
};

typedef enum outcome ask_fn(struct stakes *stakes, struct arena *arena, const struct id *profiles, size_t count, struct err *err);

static struct plan_money *money_of(struct plan_stakes *out, struct span currency)
{
    size_t i = 0;
    while (i < out->money_count && !span_is(currency, out->money[i].currency))
        i++;
    if (i == PLAN_CURRENCIES)
        return &out->money[PLAN_CURRENCIES - 1];
    if (i == out->money_count) {
        snprintf(out->money[i].currency, sizeof out->money[i].currency, SPAN_FMT, SPAN_ARG(currency));
        out->money_count++;
    }
    return &out->money[i];
}

static enum outcome ask_of(struct db *db, const struct statement *find, struct arena *arena, const struct id *profiles,
                           size_t count, struct db_result **out, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_uuid_array(&p, profiles, sizeof *profiles, count);
    return db_run(db, find, &p, out, NULL, err);
}

static enum outcome ask_revenue(struct stakes *stakes, struct arena *arena, const struct id *profiles, size_t count,
                                struct err *err)
{
    static const struct statement find = {"plan_revenue", sql_plan_revenue};
    struct db_result *r = NULL;
    CHECK(ask_of(stakes->db, &find, arena, profiles, count, &r, err));
    for (int row = 0; row < db_rows(r); row++) {
        struct plan_money *money = money_of(stakes->out, db_bytes(r, row, 0));
        money->conversions += db_int8(r, row, 1);
        money->micros += db_int8(r, row, 2);
    }
    db_result_free(r);
    return OUTCOME_OK;
}

static enum outcome ask_opt_outs(struct stakes *stakes, struct arena *arena, const struct id *profiles, size_t count,
                                 struct err *err)
{
    static const struct statement find = {"plan_opt_outs", sql_plan_opt_outs};
    struct db_result *r = NULL;
    CHECK(ask_of(stakes->db, &find, arena, profiles, count, &r, err));
    for (int row = 0; row < db_rows(r); row++) {
        struct id profile = db_uuid(r, row, 0);
        const uint32_t *node = map_find(&stakes->evidence->index, &profile);
        if (node == NULL)
            continue;
        stakes->out->loses_opt_out[*node] = true;
        stakes->out->opt_outs++;
    }
    db_result_free(r);
    return OUTCOME_OK;
}

/* Asks about the profiles that are marked, some thousand at a time. */
static enum outcome ask_marked(struct stakes *stakes, const bool *is_marked, ask_fn *ask, struct err *err)
{
    struct arena arena = {0};
    const struct identity_graph *graph = &stakes->evidence->graph;
    enum outcome o = OUTCOME_OK;
    for (size_t at = 0; at < graph->node_count && o == OUTCOME_OK;) {
        struct id *profiles = arena_array(&arena, struct id, PROFILES_PER_QUERY);
        size_t count = 0;
        for (; at < graph->node_count && count < PROFILES_PER_QUERY; at++)
            if (is_marked[at])
                profiles[count++] = graph->nodes[at].identifier_id;
        if (count > 0)
            o = ask(stakes, &arena, profiles, count, err);
        arena_reset(&arena);
    }
    arena_free(&arena);
    return o;
}

enum outcome plan_stakes(struct db *db, struct arena *arena, const struct evidence *evidence, const struct comparison *comparison,
                         struct plan_stakes *out, struct err *err)
{
    *out = (struct plan_stakes){.loses_opt_out = arena_array(arena, bool, evidence->graph.node_count)};
    struct stakes stakes = {db, evidence, out};
    for (size_t i = 0; i < evidence->graph.node_count; i++)
        out->profiles += comparison->is_affected[i];
    CHECK(ask_marked(&stakes, comparison->is_affected, ask_revenue, err));
    return ask_marked(&stakes, comparison->is_split, ask_opt_outs, err);
}
