/* resolve_graph.c: the batch as identifiers and links, and the partition of what was read under the locks. */
#include <stdlib.h>

#include "services/identity-resolver/resolve_internal.h"

int id_qsort_compare(const void *a, const void *b)
{
    return id_compare(a, b);
}

static int row_compare(const void *a, const void *b)
{
    const struct identifier_row *x = a, *y = b;
    int c = id_compare(&x->identifier_id, &y->identifier_id);
    return c ? c : instant_compare(x->first_seen, y->first_seen);
}

static int link_key_compare(const struct link_key *x, const struct link_key *y)
{
    int c = id_compare(&x->a, &y->a);
    return c ? c : id_compare(&x->b, &y->b);
}

static int link_compare(const void *a, const void *b)
{
    const struct link_row *x = a, *y = b;
    int c = link_key_compare(&x->key, &y->key);
    if (c == 0)
        c = instant_compare(x->first_seen, y->first_seen);
    return c ? c : id_compare(&x->evidence, &y->evidence);
}

/* After sorting, the first of equal keys has the smallest time: keep it. */
static void keep_first_rows(struct identifier_rows *rows)
{
    size_t kept = 0;
    qsort(rows->items, rows->count, sizeof *rows->items, row_compare);
    for (size_t i = 0; i < rows->count; i++)
        if (kept == 0 || !id_equal(&rows->items[kept - 1].identifier_id, &rows->items[i].identifier_id))
            rows->items[kept++] = rows->items[i];
    rows->count = kept;
}

static void keep_first_links(struct link_rows *links)
{
    size_t kept = 0;
    if (links->count > 1)
        qsort(links->items, links->count, sizeof *links->items, link_compare);
    for (size_t i = 0; i < links->count; i++)
        if (kept == 0 || link_key_compare(&links->items[kept - 1].key, &links->items[i].key) != 0)
            links->items[kept++] = links->items[i];
    links->count = kept;
}

void work_collect(struct work *work, const struct sightings *uncovered)
{
    for (size_t i = 0; i < uncovered->count; i++) {
        const struct sighting *s = &uncovered->items[i];
        for (size_t j = 0; j < s->id_count; j++)
            *arena_push(work->arena, &work->wanted) = (struct identifier_row){.identifier_id = s->ids[j].id,
                                                                              .profile_id = s->ids[j].id,
                                                                              .first_seen = s->occurred_at,
                                                                              .type = s->ids[j].type->rank};
        for (size_t j = 1; j < s->id_count; j++)
            *arena_push(work->arena, &work->links) =
                (struct link_row){link_key_of(&s->ids[0].id, &s->ids[j].id), s->occurred_at, s->event_id};
    }
    keep_first_rows(&work->wanted);
    keep_first_links(&work->links);
}

static uint16_t unique_bit(const struct identity_policy *policy, int16_t rank)
{
    unsigned bit = 0;
    for (size_t i = 0; i < policy->type_count; i++) {
        if (policy->types[i].rank == rank)
            return policy->types[i].is_unique ? (uint16_t)(1u << bit) : 0;
        bit += policy->types[i].is_unique;
    }
    return 0;
}

/* Index of a batch's identifier in `wanted`, which is sorted. */
static uint32_t wanted_index(const struct work *work, const struct id *id)
{
    const struct identifier_row *rows = work->wanted.items;
    size_t low = 0, high = work->wanted.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (id_compare(&rows[middle].identifier_id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return (uint32_t)low;
}

/* The first known profile of each component, by the component's root. */
static const struct id **known_profiles(struct work *work, const struct identity_node *nodes)
{
    size_t n = work->wanted.count;
    const struct id **profiles = arena_array(work->arena, const struct id *, n);
    for (size_t i = 0; i < n; i++) {
        const struct cached_identifier *known =
            resolver_cache_identifier(&work->resolver->cache, &work->wanted.items[i].identifier_id);
        if (known && profiles[nodes[i].profile] == NULL) {
            struct id *copy = arena_new(work->arena, struct id);
            *copy = known->profile_id;
            profiles[nodes[i].profile] = copy;
        }
    }
    return profiles;
}

void work_guess_profiles(struct work *work)
{
    size_t n = work->wanted.count, link_count = work->links.count;
    struct identity_node *nodes = arena_array(work->arena, struct identity_node, n);
    struct identity_link *links = arena_array(work->arena, struct identity_link, link_count);
    for (size_t i = 0; i < n; i++) {
        const struct identifier_row *row = &work->wanted.items[i];
        nodes[i] = (struct identity_node){.identifier_id = row->identifier_id,
                                          .first_seen = row->first_seen,
                                          .unique_types = unique_bit(&work->resolver->policy, row->type)};
    }
    for (size_t i = 0; i < link_count; i++) {
        const struct link_row *row = &work->links.items[i];
        links[i] = (struct identity_link){wanted_index(work, &row->key.a), wanted_index(work, &row->key.b), row->first_seen,
                                          row->evidence, false};
    }
    identity_partition(&work->resolver->policy, work->arena, nodes, n, links, link_count);
    const struct id **known = known_profiles(work, nodes);
    for (size_t i = 0; i < n; i++) {
        uint32_t root = nodes[i].profile;
        work->wanted.items[i].profile_id = known[root] ? *known[root] : nodes[root].identifier_id;
    }
}

static struct identity_node *make_nodes(struct work *work, struct map *index)
{
    struct identity_node *nodes = arena_array(work->arena, struct identity_node, work->members.count);
    map_init(index, work->arena, sizeof(struct id), sizeof(uint32_t));
    for (uint32_t i = 0; i < work->members.count; i++) {
        const struct identifier_row *row = &work->members.items[i];
        nodes[i] = (struct identity_node){.identifier_id = row->identifier_id,
                                          .first_seen = row->first_seen,
                                          .unique_types = unique_bit(&work->resolver->policy, row->type)};
        *(uint32_t *)map_put(index, &row->identifier_id, NULL) = i;
    }
    return nodes;
}

/* Links that lie within the touched profiles. */
static struct identity_link *make_links(struct work *work, const struct map *index, size_t *count)
{
    struct identity_link *links = arena_array(work->arena, struct identity_link, work->member_links.count);
    *count = 0;
    for (size_t i = 0; i < work->member_links.count; i++) {
        const struct link_row *row = &work->member_links.items[i];
        const uint32_t *a = map_find(index, &row->key.a), *b = map_find(index, &row->key.b);
        if (a && b)
            links[(*count)++] = (struct identity_link){*a, *b, row->first_seen, digest_link(&row->key.a, &row->key.b), false};
    }
    return links;
}

static bool is_new_identifier(const struct work *work, const struct id *id)
{
    return map_find(&work->is_new, id) != NULL;
}

static int move_compare(const void *a, const void *b)
{
    return id_compare(&((const struct identity_move *)a)->identifier_id, &((const struct identity_move *)b)->identifier_id);
}

void work_partition(struct work *work, struct identity_move **joins, size_t *join_count)
{
    struct map index;
    size_t link_count, n = work->members.count, moved = 0;
    struct identity_node *nodes = make_nodes(work, &index);
    struct identity_link *links = make_links(work, &index, &link_count);
    identity_partition(&work->resolver->policy, work->arena, nodes, n, links, link_count);
    struct identity_move *moves = arena_array(work->arena, struct identity_move, n);
    *joins = arena_array(work->arena, struct identity_move, n);
    *join_count = 0;
    for (size_t i = 0; i < n; i++) {
        struct identifier_row *row = &work->members.items[i];
        struct identity_move move = {row->identifier_id, nodes[nodes[i].profile].identifier_id, row->profile_id};
        if (id_equal(&move.profile_id, &move.old_profile_id))
            continue;
        row->profile_id = move.profile_id;
        if (is_new_identifier(work, &row->identifier_id))
            (*joins)[(*join_count)++] = move;
        else
            moves[moved++] = move;
    }
    qsort(moves, moved, sizeof *moves, move_compare);
    work->change.moves = moves;
    work->change.move_count = (uint32_t)moved;
}
