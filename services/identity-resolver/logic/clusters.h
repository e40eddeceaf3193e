/* clusters.h: what is united so far while links are taken in their order; private to this library. */
#ifndef TUTTI_IDENTITY_LOGIC_CLUSTERS_H
#define TUTTI_IDENTITY_LOGIC_CLUSTERS_H

#include "services/identity-resolver/logic/identity.h"

struct cluster;
struct clusters {
    const struct identity_policy *policy;
    struct cluster *items; /* one per node; united ones form trees */
    size_t count;
    uint32_t *held; /* per cluster and limited type: how many identifiers */
    size_t limited; /* number of types with a limit */
    int16_t limited_types[IDENTITY_MAX_TYPES];
    const struct identity_cut *cuts;
    size_t cut_count;
};

/* Every node of the graph and of `more` (may be NULL) alone; nodes of `more` are numbered on. Borrows the nodes; cuts are
 * numbered like that too. */
struct clusters clusters_start(const struct identity_policy *policy, struct arena *arena, const struct identity_graph *graph,
                               const struct identity_graph *more, const struct identity_cut *cuts, size_t cut_count);
/* Takes the next link, whose ends are nodes a and b, and says what becomes of it. */
enum refusal clusters_take(struct clusters *clusters, const struct identity_link *link, uint32_t a, uint32_t b);
/* The node that names the cluster of node i. */
uint32_t clusters_name(struct clusters *clusters, uint32_t i);

/* Fills strength of the graph's links and sorts them by place. */
void links_sort(const struct identity_policy *policy, const struct identity_node *a_nodes, const struct identity_node *b_nodes,
                struct identity_link *links, size_t count);
/* Order of two links that have their strength. */
int link_compare(const void *a, const void *b);

#endif
