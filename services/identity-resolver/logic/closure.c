/* closure.c: whether a neighbouring profile joins the touched ones: all links of both sides and between them, in one order. */
#include "services/identity-resolver/logic/clusters.h"

/* Links that are taken in order, and what to add to their ends to number both sides' nodes together. */
struct lane {
    struct identity_link *at, *end;
    uint32_t add_a, add_b;
};

enum { INSIDE, OUTSIDE, CROSS, LANES };

/* The lane whose next link comes first, NULL at the end. */
static struct lane *next_lane(struct lane lanes[LANES])
{
    struct lane *first = NULL;
    for (int i = 0; i < LANES; i++)
        if (lanes[i].at < lanes[i].end && (first == NULL || link_compare(lanes[i].at, first->at) < 0))
            first = &lanes[i];
    return first;
}

static struct identity_cut *append_cuts(struct identity_cut *out, const struct identity_cut *cuts, size_t count, uint32_t add_a,
                                        uint32_t add_b)
{
    for (size_t i = 0; i < count; i++)
        *out++ = (struct identity_cut){cuts[i].a + add_a, cuts[i].b + add_b};
    return out;
}

static void fill_profiles(struct clusters *clusters, struct identity_graph *graph, uint32_t add)
{
    for (uint32_t i = 0; i < graph->node_count; i++)
        graph->nodes[i].profile = clusters_name(clusters, i + add) - add;
}

bool identity_joins(const struct identity_policy *policy, struct arena *arena, struct identity_graph *inside,
                    struct identity_graph *outside, struct identity_link *cross, size_t cross_count,
                    const struct identity_cut *cross_cuts, size_t cross_cut_count)
{
    uint32_t add = (uint32_t)inside->node_count;
    size_t cut_count = inside->cut_count + outside->cut_count + cross_cut_count;
    struct identity_cut *cuts = arena_array(arena, struct identity_cut, cut_count), *end = cuts;
    end = append_cuts(end, inside->cuts, inside->cut_count, 0, 0);
    end = append_cuts(end, outside->cuts, outside->cut_count, add, add);
    append_cuts(end, cross_cuts, cross_cut_count, 0, add);
    struct clusters clusters = clusters_start(policy, arena, inside, outside, cuts, cut_count);
    links_sort(policy, inside->nodes, inside->nodes, inside->links, inside->link_count);
    links_sort(policy, outside->nodes, outside->nodes, outside->links, outside->link_count);
    links_sort(policy, inside->nodes, outside->nodes, cross, cross_count);
    struct lane lanes[LANES] = {{inside->links, inside->links + inside->link_count, 0, 0},
                                {outside->links, outside->links + outside->link_count, add, add},
                                {cross, cross + cross_count, 0, add}};
    for (struct lane *lane; (lane = next_lane(lanes)); lane->at++) {
        lane->at->refused_by = clusters_take(&clusters, lane->at, lane->at->a + lane->add_a, lane->at->b + lane->add_b);
        if (lane == &lanes[CROSS] && lane->at->refused_by == REFUSED_NOT)
            return true;
    }
    fill_profiles(&clusters, inside, 0);
    fill_profiles(&clusters, outside, add);
    return false;
}
