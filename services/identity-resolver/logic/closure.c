/* closure.c: decides which neighbouring profiles join the touched ones. It takes all links, of all
 * sides and between them, in one order. */
#include <stdlib.h>

#include "services/identity-resolver/logic/clusters.h"

/* A link, and what to add to its ends to number the nodes of all graphs together. */
struct step {
    struct identity_link *link;
    struct identity_neighbour *neighbour; /* NULL: a link of the touched profiles */
    uint32_t add_a, add_b;
    bool is_cross;
};

static int step_compare(const void *x, const void *y)
{
    return link_compare(((const struct step *)x)->link, ((const struct step *)y)->link);
}

static struct step *append(struct step *out, struct identity_link *links, size_t count,
                           struct step like)
{
    for (size_t i = 0; i < count; i++) {
        *out = like;
        out++->link = &links[i];
    }
    return out;
}

static size_t append_neighbour(const struct identity_policy *policy,
                               const struct identity_graph *inside, struct identity_neighbour *n,
                               uint32_t add, struct step *out)
{
    struct step *end = out;
    links_place(policy, n->graph.nodes, n->graph.nodes, n->graph.links, n->graph.link_count);
    links_place(policy, inside->nodes, n->graph.nodes, n->cross, n->cross_count);
    end = append(end, n->graph.links, n->graph.link_count, (struct step){NULL, n, add, add, false});
    end = append(end, n->cross, n->cross_count, (struct step){NULL, n, 0, add, true});
    return (size_t)(end - out);
}

/* Refused links change no cluster. As long as no link between two sides is accepted, each side is
 * as it is alone. So a neighbour cannot tell whether others are tested at the same time. */
static void take(struct clusters *clusters, const struct step *step)
{
    struct identity_neighbour *n = step->neighbour;
    struct identity_link *link = step->link;
    uint32_t a = link->a + step->add_a, b = link->b + step->add_b;
    if (n && n->joins)
        return;
    link->refused_by =
        step->is_cross ? clusters_judge(clusters, link, a, b) : clusters_take(clusters, link, a, b);
    if (n && step->is_cross)
        n->joins = link->refused_by == REFUSED_NOT;
}

struct sizes {
    size_t nodes, links, cuts, aliases;
};

static struct sizes sizes_of(const struct identity_graph *inside,
                             const struct identity_neighbour *neighbours, size_t count)
{
    struct sizes sum = {inside->node_count, inside->link_count, inside->cut_count,
                        inside->alias_count};
    for (size_t i = 0; i < count; i++) {
        const struct identity_graph *graph = &neighbours[i].graph;
        sum.nodes += graph->node_count;
        sum.links += graph->link_count + neighbours[i].cross_count;
        sum.cuts += graph->cut_count + neighbours[i].cut_count;
        sum.aliases += graph->alias_count + neighbours[i].alias_count;
    }
    return sum;
}

void identity_test_neighbours(const struct identity_policy *policy, struct arena *arena,
                              struct identity_graph *inside, struct identity_neighbour *neighbours,
                              size_t count)
{
    struct sizes sizes = sizes_of(inside, neighbours, count);
    struct clusters clusters =
        clusters_start(policy, arena, sizes.nodes, sizes.cuts, sizes.aliases);
    struct step *steps = arena_array(arena, struct step, sizes.links), *end = steps;
    clusters_add(&clusters, inside->nodes, inside->node_count);
    clusters_cut(&clusters, inside->cuts, inside->cut_count, 0, 0);
    clusters_alias(&clusters, inside->aliases, inside->alias_count, 0, 0);
    links_place(policy, inside->nodes, inside->nodes, inside->links, inside->link_count);
    end = append(end, inside->links, inside->link_count, (struct step){0});
    for (size_t i = 0; i < count; i++) {
        struct identity_neighbour *n = &neighbours[i];
        uint32_t add = clusters_add(&clusters, n->graph.nodes, n->graph.node_count);
        clusters_cut(&clusters, n->graph.cuts, n->graph.cut_count, add, add);
        clusters_cut(&clusters, n->cuts, n->cut_count, 0, add);
        clusters_alias(&clusters, n->graph.aliases, n->graph.alias_count, add, add);
        clusters_alias(&clusters, n->aliases, n->alias_count, 0, add);
        end += append_neighbour(policy, inside, n, add, end);
        n->joins = false;
    }
    if (sizes.links > 1)
        qsort(steps, sizes.links, sizeof *steps, step_compare);
    for (const struct step *step = steps; step < end; step++)
        take(&clusters, step);
}
