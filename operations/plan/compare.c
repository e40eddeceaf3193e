/* compare.c: counts the ways of members from profile to profile; see compare.h. */
#include "operations/plan/compare.h"

#include <stdlib.h>

static int pair_compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Inserts into a list of the largest, the smaller node first among equals. */
static void note_size(struct large_profile list[COMPARE_LARGEST], uint32_t node, uint32_t size)
{
    if (size <= list[COMPARE_LARGEST - 1].size)
        return;
    size_t at = COMPARE_LARGEST - 1;
    for (; at > 0 && list[at - 1].size < size; at--)
        list[at] = list[at - 1];
    list[at] = (struct large_profile){node, size};
}

/* names[i] is the node that names the profile of node i; returns how many profiles there are. */
static size_t measure(const uint32_t *names, size_t stride, size_t count,
                      struct large_profile list[COMPARE_LARGEST], struct arena *arena)
{
    uint32_t *sizes = arena_array(arena, uint32_t, count);
    size_t profiles = 0;
    for (size_t i = 0; i < count; i++)
        sizes[*(const uint32_t *)((const char *)names + i * stride)]++;
    for (size_t i = 0; i < count; i++)
        if (sizes[i] > 0) {
            profiles++;
            note_size(list, (uint32_t)i, sizes[i]);
        }
    return profiles;
}

static void find_flows(const struct evidence *e, struct arena *arena, struct comparison *out)
{
    size_t n = e->graph.node_count;
    uint64_t *pairs = arena_array(arena, uint64_t, n);
    for (size_t i = 0; i < n; i++)
        pairs[i] = (uint64_t)e->before[i] << 32 | e->graph.nodes[i].profile;
    if (n > 1)
        qsort(pairs, n, sizeof *pairs, pair_compare);
    size_t distinct = 0;
    for (size_t i = 0; i < n; i++)
        distinct += i == 0 || pairs[i] != pairs[i - 1];
    out->flows = arena_array(arena, struct flow, distinct);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || pairs[i] != pairs[i - 1])
            out->flows[out->flow_count++] =
                (struct flow){(uint32_t)(pairs[i] >> 32), (uint32_t)pairs[i], 0};
        out->flows[out->flow_count - 1].size++;
    }
}

static void note_identifier(const struct evidence *e, size_t i, struct comparison *out)
{
    uint32_t before = e->before[i], after = e->graph.nodes[i].profile;
    out->quarantined += e->graph.nodes[i].is_quarantined && !e->was_quarantined[i];
    out->released += !e->graph.nodes[i].is_quarantined && e->was_quarantined[i];
    if (before == after)
        return;
    out->moved++;
    out->is_affected[before] = true;
    out->is_affected[e->before[after]] = true;
}

void identity_compare(const struct evidence *e, struct arena *arena, struct comparison *out)
{
    size_t n = e->graph.node_count;
    *out = (struct comparison){.identifiers = n};
    out->is_affected = arena_array(arena, bool, n);
    out->is_split = arena_array(arena, bool, n);
    out->profiles_before = measure(e->before, sizeof *e->before, n, out->largest_before, arena);
    out->profiles_after = measure(n ? &e->graph.nodes->profile : NULL, sizeof *e->graph.nodes, n,
                                  out->largest_after, arena);
    find_flows(e, arena, out);
    out->merges_lost = out->flow_count - out->profiles_before;
    out->merges_gained = out->flow_count - out->profiles_after;
    for (size_t i = 1; i < out->flow_count; i++)
        if (out->flows[i].before == out->flows[i - 1].before)
            out->is_split[out->flows[i].before] = true;
    for (size_t i = 0; i < n; i++)
        note_identifier(e, i, out);
}
