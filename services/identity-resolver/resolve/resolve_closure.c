/* resolve_closure.c: evaluates the touched profiles alone, and adds a neighbour that one of their
 * links joins, until there is none.
 *
 * What is inside falls into pieces that no usable link connects. A piece is tested with each of its
 * neighbours as a pair. By the rule of local consistency (docs/figures.md, Identity) pairs suffice.
 */
#include <stdlib.h>

#include "services/identity-resolver/resolve/resolve_work.h"

struct crossing {
    uint32_t inside, outside; /* groups */
    uint32_t edge;
};

struct crossings {
    struct crossing *items;
    size_t count, capacity;
};

/* Heads of the lists of members and edges of each group, by its root. */
struct groups {
    uint32_t *members, *edges;
};

static bool is_inside(const struct work *work, uint32_t member)
{
    return member != NO_MEMBER && work->members.items[member].is_inside;
}

static bool is_usable(const struct work *work, const struct edge *edge)
{
    const struct member *a = &work->members.items[edge->a], *b = &work->members.items[edge->b];
    return !a->is_quarantined && !b->is_quarantined &&
           (edge->is_manual || identity_may_link(&work->resolver->policy, a->type, b->type));
}

/* The root of each piece (inside) and of each profile (outside). */
static void find_roots(struct work *work)
{
    struct map profiles;
    map_init(&profiles, work->arena, sizeof(struct id), sizeof(uint32_t));
    for (uint32_t i = 0; i < work->members.count; i++) {
        struct member *member = &work->members.items[i];
        member->group = i;
        if (member->is_inside)
            continue;
        bool is_first;
        uint32_t *root = map_put(&profiles, &member->row.profile_id, &is_first);
        if (is_first)
            *root = i;
        member->group = *root;
    }
    for (size_t i = 0; i < work->edges.count; i++) {
        const struct edge *edge = &work->edges.items[i];
        if (is_link(edge) && is_inside(work, edge->a) && is_inside(work, edge->b) &&
            is_usable(work, edge))
            work->members.items[work_root(work, edge->a)].group = work_root(work, edge->b);
    }
    for (uint32_t i = 0; i < work->members.count; i++)
        work->members.items[i].group = work_root(work, i);
}

static struct groups make_groups(struct work *work)
{
    size_t n = work->members.count;
    struct groups groups = {arena_array(work->arena, uint32_t, n),
                            arena_array(work->arena, uint32_t, n)};
    memset(groups.members, 0xff, n * sizeof *groups.members);
    memset(groups.edges, 0xff, n * sizeof *groups.edges);
    find_roots(work);
    for (uint32_t i = 0; i < n; i++) {
        struct member *member = &work->members.items[i];
        member->next = groups.members[member->group];
        groups.members[member->group] = i;
    }
    for (uint32_t i = 0; i < work->edges.count; i++) {
        struct edge *edge = &work->edges.items[i];
        if (!is_link(edge) || edge->a == NO_MEMBER || edge->b == NO_MEMBER)
            continue;
        uint32_t group = work->members.items[edge->a].group;
        if (work->members.items[edge->b].group != group)
            continue;
        edge->next = groups.edges[group];
        groups.edges[group] = i;
    }
    return groups;
}

static struct identity_graph group_graph(struct work *work, const struct groups *groups,
                                         uint32_t group)
{
    struct index_list members = {0}, edges = {0};
    for (uint32_t i = groups->members[group]; i != NO_MEMBER; i = work->members.items[i].next)
        *arena_push(work->arena, &members) = i;
    for (uint32_t i = groups->edges[group]; i != NO_MEMBER; i = work->edges.items[i].next)
        *arena_push(work->arena, &edges) = i;
    struct identity_graph graph = work_graph(work, &members, &edges);
    graph.cuts = work_cuts(work, group, group, &graph.cut_count);
    graph.aliases = work_aliases(work, group, group, &graph.alias_count);
    return graph;
}

/* ---- links that leave ---- */
static bool leaves(const struct work *work, const struct edge *edge)
{
    return is_link(edge) && is_inside(work, edge->a) != is_inside(work, edge->b);
}

/* Why the link is refused under any clusters. REFUSED_NOT: it must be tested. The far side may
 * still be unknown. */
static enum refusal plain_refusal(const struct work *work, const struct edge *edge)
{
    bool near_is_a = is_inside(work, edge->a);
    const struct member *near = &work->members.items[near_is_a ? edge->a : edge->b];
    uint32_t far = near_is_a ? edge->b : edge->a;
    int16_t far_type = far == NO_MEMBER ? edge->far_type : work->members.items[far].type;
    bool far_quarantined =
        far == NO_MEMBER ? edge->far_quarantined : work->members.items[far].is_quarantined;
    if (!edge->is_manual && far_type != TYPE_UNKNOWN &&
        !identity_may_link(&work->resolver->policy, near->type, far_type))
        return REFUSED_PAIR;
    /* While the policy stays the same, a link that was refused by itself stays refused. */
    if (!work->is_review && !edge->is_manual && edge->stored == REFUSED_PAIR)
        return REFUSED_PAIR;
    if (near->is_quarantined || far_quarantined)
        return REFUSED_QUARANTINE;
    if (!work->is_review && !edge->is_manual && edge->stored == REFUSED_QUARANTINE)
        return REFUSED_QUARANTINE;
    return REFUSED_NOT;
}

static bool is_open(const struct edge *edge)
{
    return edge->a == NO_MEMBER || edge->b == NO_MEMBER;
}

/* A review also asks for links of a quarantined end whose far type is unknown: a pair that may not
 * link comes first. */
static bool must_ask(const struct work *work, const struct edge *edge)
{
    if (!leaves(work, edge) || !is_open(edge) || edge->far_type != TYPE_UNKNOWN)
        return false;
    return plain_refusal(work, edge) == REFUSED_NOT || work->is_review;
}

static enum outcome load_neighbours(struct work *work, struct err *err)
{
    struct index_list asked = {0};
    struct id_list far = {0}, hints = {0};
    for (uint32_t i = 0; i < work->edges.count; i++)
        if (must_ask(work, &work->edges.items[i]))
            *arena_push(work->arena, &asked) = i;
    if (asked.count > 0)
        CHECK(work_look_beyond(work, &asked, err));
    for (uint32_t i = 0; i < work->edges.count; i++) {
        const struct edge *edge = &work->edges.items[i];
        if (leaves(work, edge) && is_open(edge) && plain_refusal(work, edge) == REFUSED_NOT) {
            *arena_push(work->arena, &far) =
                edge->a == NO_MEMBER ? edge->row.key.a : edge->row.key.b;
            *arena_push(work->arena, &hints) = edge->far_profile;
        }
    }
    if (far.count == 0)
        return OUTCOME_OK;
    CHECK(work_load(work, far.items, far.count, &hints, err));
    work_connect(work);
    return OUTCOME_OK;
}

/* ---- testing ---- */
static int crossing_compare(const void *x, const void *y)
{
    const struct crossing *a = x, *b = y;
    if (a->inside != b->inside)
        return a->inside < b->inside ? -1 : 1;
    return a->outside < b->outside ? -1 : a->outside > b->outside;
}

static struct crossings find_crossings(struct work *work)
{
    struct crossings crossings = {0};
    for (uint32_t i = 0; i < work->edges.count; i++) {
        struct edge *edge = &work->edges.items[i];
        if (!leaves(work, edge))
            continue;
        enum refusal refusal = plain_refusal(work, edge);
        if (refusal != REFUSED_NOT) {
            edge->row.refused_by = (int16_t)refusal;
            continue;
        }
        uint32_t a = work->members.items[edge->a].group, b = work->members.items[edge->b].group;
        bool a_inside = work->members.items[edge->a].is_inside;
        *arena_push(work->arena, &crossings) =
            (struct crossing){a_inside ? a : b, a_inside ? b : a, i};
    }
    if (crossings.count > 1)
        qsort(crossings.items, crossings.count, sizeof *crossings.items, crossing_compare);
    return crossings;
}

/* A piece that did not grow in this round was tested before. */
static bool is_fresh(struct work *work, const struct groups *groups, uint32_t piece)
{
    for (uint32_t i = groups->members[piece]; i != NO_MEMBER; i = work->members.items[i].next)
        if (work->members.items[i].joined == work->round)
            return true;
    return false;
}

/* The crossings between one piece and one neighbour, from which a test is made. */
struct meeting {
    const struct crossing *crossings;
    size_t count;
};

struct meetings {
    struct meeting *items;
    size_t count, capacity;
};

static struct identity_link *cross_links(struct work *work, const struct meeting *meeting)
{
    struct identity_link *links = arena_array(work->arena, struct identity_link, meeting->count);
    for (size_t i = 0; i < meeting->count; i++) {
        const struct crossing *crossing = &meeting->crossings[i];
        struct edge *edge = &work->edges.items[crossing->edge];
        links[i] = work_link(work, edge);
        edge->row.refused_by = REFUSED_NOT;
        if (work->members.items[edge->a].group == crossing->inside)
            continue;
        uint32_t swap = links[i].a;
        links[i].a = links[i].b;
        links[i].b = swap;
    }
    return links;
}

/* Tests one piece with each of its neighbours. */
static void test_piece(struct work *work, const struct groups *groups,
                       const struct meetings *meetings, struct id_list *joining)
{
    size_t n = meetings->count;
    uint32_t piece = meetings->items->crossings->inside;
    struct identity_graph inside = group_graph(work, groups, piece);
    struct identity_neighbour *neighbours = arena_array(work->arena, struct identity_neighbour, n);
    for (size_t i = 0; i < n; i++) {
        const struct meeting *meeting = &meetings->items[i];
        uint32_t outside = meeting->crossings->outside;
        neighbours[i] = (struct identity_neighbour){.graph = group_graph(work, groups, outside),
                                                    .cross_count = meeting->count};
        neighbours[i].cross = cross_links(work, meeting);
        neighbours[i].cuts = work_cuts(work, piece, outside, &neighbours[i].cut_count);
        neighbours[i].aliases = work_aliases(work, piece, outside, &neighbours[i].alias_count);
    }
    identity_test_neighbours(&work->resolver->policy, work->arena, &inside, neighbours, n);
    for (size_t i = 0; i < n; i++)
        if (neighbours[i].joins)
            *arena_push(work->arena, joining) =
                work->members.items[meetings->items[i].crossings->outside].row.identifier_id;
        else
            work_take_outcomes(work, neighbours[i].cross, neighbours[i].cross_count, inside.nodes,
                               neighbours[i].graph.nodes);
}

static void test_all(struct work *work, struct id_list *joining)
{
    struct groups groups = make_groups(work);
    struct crossings crossings = find_crossings(work);
    for (size_t i = 0; i < crossings.count;) {
        struct meetings meetings = {0};
        uint32_t piece = crossings.items[i].inside;
        while (i < crossings.count && crossings.items[i].inside == piece) {
            const struct crossing *first = &crossings.items[i],
                                  *end = &crossings.items[crossings.count];
            struct meeting meeting = {first, 0};
            while (first + meeting.count < end &&
                   crossing_compare(first, first + meeting.count) == 0)
                meeting.count++;
            *arena_push(work->arena, &meetings) = meeting;
            i += meeting.count;
        }
        if (is_fresh(work, &groups, piece))
            test_piece(work, &groups, &meetings, joining);
    }
    work->request->committed->counts.is_slow |= crossings.count > 0;
}

static void count_neighbours(struct work *work)
{
    struct map profiles;
    map_init(&profiles, work->arena, sizeof(struct id), sizeof(bool));
    for (size_t i = 0; i < work->members.count; i++)
        if (!work->members.items[i].is_inside)
            map_put(&profiles, &work->members.items[i].row.profile_id, NULL);
    work->request->committed->counts.neighbours = profiles.count;
}

static bool any_leaves(const struct work *work)
{
    for (size_t i = 0; i < work->edges.count; i++)
        if (leaves(work, &work->edges.items[i]))
            return true;
    return false;
}

enum outcome work_close(struct work *work, struct err *err)
{
    work_connect(work);
    if (work->request->is_review)
        CHECK(work_review_quarantined(work, err));
    for (;;) {
        struct id_list joining = {0};
        work_connect(work);
        CHECK(work_judge_degrees(work, err));
        if (!any_leaves(work))
            return OUTCOME_OK;
        CHECK(load_neighbours(work, err));
        test_all(work, &joining);
        if (joining.count == 0)
            break;
        work->round++;
        work_bring_inside(work, joining.items, joining.count);
    }
    count_neighbours(work);
    return OUTCOME_OK;
}
