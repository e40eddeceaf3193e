/* clusters.h: the clusters that links, taken in their order, have united so far; private to this
 * library. */
#ifndef TUTTI_IDENTITY_LOGIC_CLUSTERS_H
#define TUTTI_IDENTITY_LOGIC_CLUSTERS_H

#include "services/identity-resolver/logic/identity.h"

struct cluster;
struct clusters {
    const struct identity_policy *policy;
    struct cluster *items; /* one per node; united ones form trees */
    size_t count;          /* nodes added */
    uint32_t *held;        /* per cluster and limited type: how many identifiers */
    size_t limited;        /* number of types with a limit */
    int16_t limited_types[IDENTITY_MAX_TYPES];
    struct identity_cut *cuts;
    size_t cut_count;
    struct identity_alias *aliases;
    size_t alias_count;
};

/* Room for so many nodes, cuts and aliases. */
struct clusters clusters_start(const struct identity_policy *policy, struct arena *arena,
                               size_t nodes, size_t cuts, size_t aliases);
/* Adds each node as a cluster of its own; borrows the nodes. Returns the number of the first one:
 * nodes are numbered in the order in which they are added. */
uint32_t clusters_add(struct clusters *clusters, const struct identity_node *nodes, size_t count);
/* Adds cuts. add_a and add_b turn their ends into numbers of nodes, which must have been added. */
void clusters_cut(struct clusters *clusters, const struct identity_cut *cuts, size_t count,
                  uint32_t add_a, uint32_t add_b);
/* Adds aliases in the same way. */
void clusters_alias(struct clusters *clusters, const struct identity_alias *aliases, size_t count,
                    uint32_t add_a, uint32_t add_b);
/* What becomes of a link between nodes a and b if it is the next one. */
enum refusal clusters_judge(struct clusters *clusters, const struct identity_link *link, uint32_t a,
                            uint32_t b);
/* The same, and takes it: from now on, what it joins is one cluster. */
enum refusal clusters_take(struct clusters *clusters, const struct identity_link *link, uint32_t a,
                           uint32_t b);
/* The node that names the cluster of node i. */
uint32_t clusters_name(struct clusters *clusters, uint32_t i);

/* Fills strength and types, keys of a link's place. */
void links_place(const struct identity_policy *policy, const struct identity_node *a_nodes,
                 const struct identity_node *b_nodes, struct identity_link *links, size_t count);
/* The order of two links that have these keys. It is total: hashes differ. */
int link_compare(const void *a, const void *b);

#endif
