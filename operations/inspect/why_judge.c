/* why_judge.c: see why.h. An order has no row among the links while the two were
 * never seen together, so what refuses it is not stored: the rules are asked, of the two profiles
 * alone, as identity-resolver asks them. */
#include "operations/inspect/why.h"

#include "common/base/map.h"
#include "common/codec/digest.h"
#include "inspect_sql.h"
#include "operations/identifier.h"

enum { FIRST, SECOND, SIDES };

struct place {
    int side;
    uint32_t node; /* in its side's graph */
};

struct judging {
    struct arena *arena;
    const struct why_rows *rows;
    struct identity_policy policy;
    struct map places; /* identifier id -> struct place */
    struct identity_graph graphs[SIDES];
    struct identity_link *cross;
    struct evidence_row **cross_rows;
    struct identity_cut *cross_cuts; /* a profile has none inside */
    size_t cross_count, cross_cut_count;
    struct alias_list {
        struct identity_alias *items;
        size_t count, capacity;
    } aliases[SIDES + 1]; /* of each side, and across */
};

static enum outcome read_nodes(struct judging *j, struct db *db, const struct id *profiles,
                               struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, j->arena);
    params_uuid_array(&p, profiles, sizeof *profiles, SIDES);
    CHECK(db_run(db, &sql_why_members, &p, &r, NULL, err));
    map_init(&j->places, j->arena, sizeof(struct id), sizeof(struct place));
    for (int side = FIRST; side < SIDES; side++)
        j->graphs[side].nodes = arena_array(j->arena, struct identity_node, (size_t)db_rows(r));
    for (int row = 0; row < db_rows(r); row++) {
        int side = db_bool(r, row, 4) ? FIRST : SECOND;
        struct identity_graph *graph = &j->graphs[side];
        struct identity_node node = {
            .identifier_id = db_uuid(r, row, 0),
            .first_seen = db_timestamptz(r, row, 1),
            .type = identity_type_of_rank(&j->policy, db_int2(r, row, 2)),
            .is_quarantined = db_bool(r, row, 3),
        };
        if (node.type < 0)
            continue;
        *(struct place *)map_put(&j->places, &node.identifier_id, NULL) =
            (struct place){side, (uint32_t)graph->node_count};
        graph->nodes[graph->node_count++] = node;
    }
    return OUTCOME_OK;
}

static void make_room(struct judging *j)
{
    size_t count = j->rows->count;
    for (int side = FIRST; side < SIDES; side++)
        j->graphs[side].links = arena_array(j->arena, struct identity_link, count);
    j->cross = arena_array(j->arena, struct identity_link, count);
    j->cross_rows = arena_array(j->arena, struct evidence_row *, count);
    j->cross_cuts = arena_array(j->arena, struct identity_cut, count);
}

static void add_link(struct judging *j, struct evidence_row *row, int side, uint32_t a, uint32_t b)
{
    struct identity_link link = {.a = a,
                                 .b = b,
                                 .first_seen = row->at,
                                 .hash = digest_link(&row->a, &row->b),
                                 .is_manual = evidence_is_ordered_link(row),
                                 .is_indirect = row->is_indirect};
    if (side < SIDES) {
        j->graphs[side].links[j->graphs[side].link_count++] = link;
        return;
    }
    j->cross_rows[j->cross_count] = row;
    j->cross[j->cross_count++] = link;
}

/* The side that has both, SIDES if it is between the two: then a is the node in the first. False if
 * one is not there. */
static bool find_nodes(const struct judging *j, const struct id *id_a, const struct id *id_b,
                       int *side, uint32_t *a, uint32_t *b)
{
    const struct place *x = map_find(&j->places, id_a), *y = map_find(&j->places, id_b);
    if (x == NULL || y == NULL)
        return false;
    *side = x->side == y->side ? x->side : SIDES;
    bool is_swapped = *side == SIDES && x->side == SECOND;
    *a = is_swapped ? y->node : x->node;
    *b = is_swapped ? x->node : y->node;
    return true;
}

static void add_alias(struct judging *j, int side, uint32_t a, uint32_t b)
{
    int side_a = side == SIDES ? FIRST : side, side_b = side == SIDES ? SECOND : side;
    if (j->graphs[side_a].nodes[a].type == j->graphs[side_b].nodes[b].type)
        *arena_push(j->arena, &j->aliases[side]) = (struct identity_alias){a, b};
}

static void add_row(struct judging *j, struct evidence_row *row)
{
    uint32_t a, b;
    int side;
    if (!find_nodes(j, &row->a, &row->b, &side, &a, &b))
        return;
    if (!span_is(row->kind, "cut"))
        add_link(j, row, side, a, b);
    else if (side == SIDES)
        j->cross_cuts[j->cross_cut_count++] = (struct identity_cut){a, b};
    if (span_is(row->kind, "same"))
        add_alias(j, side, a, b);
}

/* What sources told that the policy believes. */
static enum outcome read_aliases(struct judging *j, struct db *db, const struct id *profiles,
                                 struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, j->arena);
    params_uuid_array(&p, profiles, sizeof *profiles, SIDES);
    CHECK(db_run(db, &sql_why_aliases, &p, &r, NULL, err));
    for (int row = 0; row < db_rows(r); row++) {
        struct id one = db_uuid(r, row, 0), other = db_uuid(r, row, 1);
        uint32_t a, b;
        int side;
        if (identity_may_alias(&j->policy, db_bytes(r, row, 2), db_bytes(r, row, 3)) &&
            find_nodes(j, &one, &other, &side, &a, &b))
            add_alias(j, side, a, b);
    }
    return OUTCOME_OK;
}

static void judge(struct judging *j)
{
    for (int side = FIRST; side < SIDES; side++) {
        j->graphs[side].aliases = j->aliases[side].items;
        j->graphs[side].alias_count = j->aliases[side].count;
    }
    struct identity_neighbour neighbour = {
        .graph = j->graphs[SECOND],
        .cross = j->cross,
        .cross_count = j->cross_count,
        .cuts = j->cross_cuts,
        .cut_count = j->cross_cut_count,
        .aliases = j->aliases[SIDES].items,
        .alias_count = j->aliases[SIDES].count,
    };
    identity_test_neighbours(&j->policy, j->arena, &j->graphs[FIRST], &neighbour, 1);
    for (size_t i = 0; i < j->cross_count && !neighbour.joins; i++)
        if (j->cross[i].is_manual)
            j->cross_rows[i]->refused_by = (int16_t)j->cross[i].refused_by;
}

static bool has_orders_to_judge(const struct why_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        if (!rows->items[i].is_inside && evidence_is_ordered_link(&rows->items[i]) &&
            rows->items[i].refused_by == REFUSED_NOT)
            return rows->count <
                   WHY_MOST_ROWS; /* without all of their links the two are not what they are */
    return false;
}

enum outcome why_judge_orders(struct desk *desk, const struct id *profiles, struct why_rows *rows,
                              struct err *err)
{
    if (!has_orders_to_judge(rows))
        return OUTCOME_OK;
    struct judging *j = arena_new(desk->arena, struct judging);
    j->arena = desk->arena;
    j->rows = rows;
    CHECK(identifier_policy(desk, &j->policy, err));
    CHECK(read_nodes(j, desk->db, profiles, err));
    make_room(j);
    for (size_t i = 0; i < rows->count; i++)
        add_row(j, &rows->items[i]);
    CHECK(read_aliases(j, desk->db, profiles, err));
    judge(j);
    return OUTCOME_OK;
}
