/* resolve_graph.c: turns members and edges into graphs for the pure logic, and takes the outcomes
 * back. */
#include "services/identity-resolver/resolve/resolve_work.h"

void work_connect(struct work *work)
{
    for (size_t i = 0; i < work->edges.count; i++) {
        struct edge *edge = &work->edges.items[i];
        const uint32_t *at;
        if (edge->a == NO_MEMBER && (at = map_find(&work->member_of, &edge->row.key.a)))
            edge->a = *at;
        if (edge->b == NO_MEMBER && (at = map_find(&work->member_of, &edge->row.key.b)))
            edge->b = *at;
    }
}

struct identity_link work_link(const struct work *work, const struct edge *edge)
{
    return (struct identity_link){.a = work->members.items[edge->a].node,
                                  .b = work->members.items[edge->b].node,
                                  .first_seen = edge->row.first_seen,
                                  .hash = digest_link(&edge->row.key.a, &edge->row.key.b),
                                  .is_manual = edge->is_manual,
                                  .is_indirect = edge->row.is_indirect};
}

/* The nodes of a pair that has one end in each group, the end in group_a first. */
static bool find_nodes(struct work *work, const struct link_key *pair, uint32_t group_a,
                       uint32_t group_b, uint32_t nodes[2])
{
    const struct member *a = find_member(work, &pair->a), *b = find_member(work, &pair->b);
    if (a == NULL || b == NULL)
        return false;
    bool is_straight = a->group == group_a && b->group == group_b;
    nodes[0] = is_straight ? a->node : b->node;
    nodes[1] = is_straight ? b->node : a->node;
    return is_straight || (a->group == group_b && b->group == group_a);
}

struct identity_cut *work_cuts(struct work *work, uint32_t group_a, uint32_t group_b, size_t *count)
{
    struct identity_cut *cuts = arena_array(work->arena, struct identity_cut, work->newest.count);
    const enum order_kind *kind;
    const void *pair;
    uint32_t nodes[2];
    *count = 0;
    for (size_t i = 0; (kind = map_next(&work->newest, &i, &pair));)
        if (*kind == ORDER_CUT && find_nodes(work, pair, group_a, group_b, nodes))
            cuts[(*count)++] = (struct identity_cut){nodes[0], nodes[1]};
    return cuts;
}

static bool has_one_type(struct work *work, const struct link_key *pair)
{
    const struct member *a = find_member(work, &pair->a), *b = find_member(work, &pair->b);
    return a && b && a->type == b->type;
}

struct identity_alias *work_aliases(struct work *work, uint32_t group_a, uint32_t group_b,
                                    size_t *count)
{
    struct identity_alias *aliases =
        arena_array(work->arena, struct identity_alias, work->aliases.count + work->newest.count);
    const enum order_kind *kind;
    const void *pair;
    uint32_t nodes[2];
    *count = 0;
    for (size_t i = 0; map_next(&work->aliases, &i, &pair);)
        if (has_one_type(work, pair) && find_nodes(work, pair, group_a, group_b, nodes))
            aliases[(*count)++] = (struct identity_alias){nodes[0], nodes[1]};
    for (size_t i = 0; (kind = map_next(&work->newest, &i, &pair));)
        if (*kind == ORDER_SAME && has_one_type(work, pair) &&
            find_nodes(work, pair, group_a, group_b, nodes))
            aliases[(*count)++] = (struct identity_alias){nodes[0], nodes[1]};
    return aliases;
}

struct identity_graph work_graph(struct work *work, const struct index_list *members,
                                 const struct index_list *edges)
{
    struct identity_graph graph = {
        .nodes = arena_array(work->arena, struct identity_node, members->count),
        .node_count = members->count,
        .links = arena_array(work->arena, struct identity_link, edges->count),
        .link_count = edges->count};
    for (uint32_t i = 0; i < members->count; i++) {
        struct member *member = &work->members.items[members->items[i]];
        member->node = i;
        graph.nodes[i] = (struct identity_node){.identifier_id = member->row.identifier_id,
                                                .first_seen = member->first_seen,
                                                .type = member->type,
                                                .is_quarantined = member->is_quarantined};
    }
    for (size_t i = 0; i < edges->count; i++)
        graph.links[i] = work_link(work, &work->edges.items[edges->items[i]]);
    return graph;
}

/* Most links are accepted, which is what an edge says by default, so only refused links are looked
 * up. */
void work_take_outcomes(struct work *work, const struct identity_link *links, size_t count,
                        const struct identity_node *a_nodes, const struct identity_node *b_nodes)
{
    for (size_t i = 0; i < count; i++) {
        if (links[i].refused_by == REFUSED_NOT)
            continue;
        struct link_key key =
            link_key_of(&a_nodes[links[i].a].identifier_id, &b_nodes[links[i].b].identifier_id);
        work->edges.items[*(uint32_t *)map_find(&work->edge_of, &key)].row.refused_by =
            (int16_t)links[i].refused_by;
    }
}

static bool is_evaluated(const struct work *work, uint32_t member)
{
    return member != NO_MEMBER && work->members.items[member].is_inside &&
           !work->members.items[member].is_plain;
}

static void measure_profiles(struct work *work, const struct identity_graph *graph)
{
    struct resolve_counts *counts = &work->request->committed->counts;
    const struct identity_type *types = work->resolver->policy.types;
    uint32_t *sizes = arena_array(work->arena, uint32_t, graph->node_count);
    for (size_t i = 0; i < graph->node_count; i++) {
        uint32_t *size = &sizes[graph->nodes[i].profile];
        *size += types[graph->nodes[i].type].counts;
        if (*size > counts->largest_profile)
            counts->largest_profile = *size;
    }
}

void work_partition(struct work *work)
{
    struct index_list members = {0}, edges = {0};
    for (uint32_t i = 0; i < work->members.count; i++) {
        bool is_asked = is_evaluated(work, i);
        work->members.items[i].group = is_asked ? 0 : NO_MEMBER;
        if (is_asked)
            *arena_push(work->arena, &members) = i;
    }
    for (uint32_t i = 0; i < work->edges.count; i++) {
        struct edge *edge = &work->edges.items[i];
        if (!is_link(edge) || !is_evaluated(work, edge->a) || !is_evaluated(work, edge->b))
            continue;
        edge->row.refused_by = REFUSED_NOT;
        *arena_push(work->arena, &edges) = i;
    }
    struct identity_graph graph = work_graph(work, &members, &edges);
    graph.cuts = work_cuts(work, 0, 0, &graph.cut_count);
    graph.aliases = work_aliases(work, 0, 0, &graph.alias_count);
    identity_partition(&work->resolver->policy, work->arena, &graph);
    for (size_t i = 0; i < members.count; i++)
        work->members.items[members.items[i]].profile_id =
            graph.nodes[graph.nodes[i].profile].identifier_id;
    work_take_outcomes(work, graph.links, graph.link_count, graph.nodes, graph.nodes);
    measure_profiles(work, &graph);
}
