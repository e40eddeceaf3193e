/* partition.c: links in their order -> profiles. */
#include <stdlib.h>

#include "services/identity-resolver/logic/clusters.h"

void identity_partition(const struct identity_policy *policy, struct arena *arena,
                        struct identity_graph *graph)
{
    struct clusters clusters =
        clusters_start(policy, arena, graph->node_count, graph->cut_count, graph->alias_count);
    clusters_add(&clusters, graph->nodes, graph->node_count);
    clusters_cut(&clusters, graph->cuts, graph->cut_count, 0, 0);
    clusters_alias(&clusters, graph->aliases, graph->alias_count, 0, 0);
    links_place(policy, graph->nodes, graph->nodes, graph->links, graph->link_count);
    if (graph->link_count > 1)
        qsort(graph->links, graph->link_count, sizeof *graph->links, link_compare);
    for (size_t i = 0; i < graph->link_count; i++)
        graph->links[i].refused_by =
            clusters_take(&clusters, &graph->links[i], graph->links[i].a, graph->links[i].b);
    for (uint32_t i = 0; i < graph->node_count; i++)
        graph->nodes[i].profile = clusters_name(&clusters, i);
}
