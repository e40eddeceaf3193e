/* partition.c: links in their order -> components under the rules of the policy. */
#include <stdlib.h>

#include "services/identity-resolver/logic/identity.h"

struct component {
    uint32_t parent; /* itself for a root */
    uint32_t size;
    uint16_t unique_types; /* unique types that already have a value */
    uint32_t oldest;       /* node that names the profile */
};

static int link_compare(const void *x, const void *y)
{
    const struct identity_link *a = x, *b = y;
    int c = instant_compare(a->first_seen, b->first_seen);
    return c ? c : id_compare(&a->hash, &b->hash);
}

static uint32_t find_root(struct component *components, uint32_t i)
{
    while (components[i].parent != i) {
        components[i].parent = components[components[i].parent].parent;
        i = components[i].parent;
    }
    return i;
}

static bool is_older(const struct identity_node *a, const struct identity_node *b)
{
    int c = instant_compare(a->first_seen, b->first_seen);
    return c ? c < 0 : id_compare(&a->identifier_id, &b->identifier_id) < 0;
}

/* Unites two components unless a rule forbids it. */
static bool unite(const struct identity_policy *policy, const struct identity_node *nodes, struct component *components,
                  uint32_t a, uint32_t b)
{
    a = find_root(components, a);
    b = find_root(components, b);
    if (a == b)
        return true;
    struct component *into = &components[a], *from = &components[b];
    if ((into->unique_types & from->unique_types) || into->size + from->size > policy->max_identifiers)
        return false;
    if (into->size < from->size) {
        struct component *swap = into;
        into = from;
        from = swap;
        a = b;
    }
    from->parent = a;
    into->size += from->size;
    into->unique_types |= from->unique_types;
    if (is_older(&nodes[from->oldest], &nodes[into->oldest]))
        into->oldest = from->oldest;
    return true;
}

void identity_partition(const struct identity_policy *policy, struct arena *arena, struct identity_node *nodes, size_t node_count,
                        struct identity_link *links, size_t link_count)
{
    struct component *components = arena_array(arena, struct component, node_count);
    for (uint32_t i = 0; i < node_count; i++)
        components[i] = (struct component){i, 1, nodes[i].unique_types, i};
    if (link_count > 1)
        qsort(links, link_count, sizeof *links, link_compare);
    for (size_t i = 0; i < link_count; i++)
        links[i].is_accepted = unite(policy, nodes, components, links[i].a, links[i].b);
    for (uint32_t i = 0; i < node_count; i++)
        nodes[i].profile = components[find_root(components, i)].oldest;
}
