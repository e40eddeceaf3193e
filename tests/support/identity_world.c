/* identity_world.c: see identity_world.h. */
#include "tests/support/identity_world.h"

#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

uint32_t world_draw(struct identity_world *world, uint32_t n)
{
    return random_below(&world->dice, n);
}

static int typed_compare(const void *a, const void *b)
{
    const struct typed_id *x = a, *y = b;
    return x->type != y->type ? x->type->rank - y->type->rank : id_compare(&x->id, &y->id);
}

static struct id random_id(struct identity_world *world)
{
    struct id id;
    for (size_t b = 0; b < sizeof id.bytes; b++)
        id.bytes[b] = (uint8_t)world_draw(world, 256);
    return id;
}

static void random_ids(struct identity_world *world)
{
    static const struct identity_type types[WORLD_TYPES] = {
        {.name = SPAN("user_id"), .rank = 1},
        {.name = SPAN("email"), .rank = 2},
        {.name = SPAN("device_id"), .rank = 6},
        {.name = SPAN("anonymous_id"), .rank = 7}};
    memcpy(world->types, types, sizeof types);
    for (size_t i = 0; i < WORLD_IDS; i++)
        world->ids[i] = (struct typed_id){random_id(world), &world->types[i % WORLD_TYPES]};
    qsort(world->ids, WORLD_IDS, sizeof *world->ids, typed_compare);
}

/* Mostly one to four; now and then more than are linked with each other. */
static uint32_t carried_count(struct identity_world *world)
{
    static const uint32_t most[] = {1, 3, 3, 4};
    bool is_long = world_draw(world, 25) == 0;
    return 1 + world_draw(world, is_long ? 2 * WORLD_IDS : most[world_draw(world, COUNT(most))]);
}

void world_people(struct identity_world *world, uint64_t seed)
{
    static const uint32_t spans[] = {3, 20, 1000};
    world->dice.state = seed * UINT64_C(0x2545f4914f6cdd1d);
    uint32_t span = spans[world_draw(world, COUNT(spans))],
             used = 3 + world_draw(world, WORLD_IDS - 2);
    random_ids(world);
    world->sighting_count = 1 + world_draw(world, WORLD_SIGHTINGS);
    for (size_t i = 0; i < world->sighting_count; i++) {
        struct sighting *s = &world->sightings[i];
        bool is_carried[WORLD_IDS] = {false};
        *s = (struct sighting){
            .event_id = random_id(world),
            .occurred_at = {(1700000000 + world_draw(world, span)) * US_PER_SECOND},
            .ids = world->carried[i]};
        for (uint32_t n = carried_count(world); n > 0; n--)
            is_carried[world_draw(world, used) * WORLD_IDS / used] = true;
        for (size_t k = 0; k < WORLD_IDS; k++)
            if (is_carried[k])
                world->carried[i][s->id_count++] = world->ids[k];
    }
}

struct span world_policy(struct identity_world *world, struct arena *arena)
{
    static const char *const emails[] = {"", ", \"limit\": {\"count\": 2}",
                                         ", \"limit\": {\"count\": 1, \"window\": \"PT10S\"}"};
    static const char *const devices[] = {
        "", ", \"max_links\": {\"user_id\": 2}", ", \"max_links\": {\"user_id\": 1, \"email\": 3}",
        ", \"counts\": false",
        ", \"counts\": false, \"max_links\": {\"user_id\": 2, \"anonymous_id\": 2}"};
    static const char *const pairs[] = {
        "", "{\"types\": [\"email\", \"device_id\"], \"links\": false}",
        "{\"types\": [\"user_id\", \"device_id\"], \"strength\": \"weak\"}, "
        "{\"types\": [\"email\", \"anonymous_id\"], \"strength\": \"strong\"}"};
    static const int sizes[] = {100, 100, 7, 3}, degrees[] = {1000, 1000, 6, 3};
    const char *text = arena_printf(
        arena,
        "{\"types\": [{\"type\": \"user_id\", \"rank\": 1, \"unique\": %s}, {\"type\": \"email\", "
        "\"rank\": 2%s}, "
        "{\"type\": \"device_id\", \"rank\": 6%s}, {\"type\": \"anonymous_id\", \"rank\": 7%s}], "
        "\"pairs\": [%s], \"max_identifiers\": %d, \"max_degree\": %d}",
        world_draw(world, 4) ? "true" : "false", emails[world_draw(world, COUNT(emails))],
        devices[world_draw(world, COUNT(devices))], devices[world_draw(world, COUNT(devices))],
        pairs[world_draw(world, COUNT(pairs))], sizes[world_draw(world, COUNT(sizes))],
        degrees[world_draw(world, COUNT(degrees))]);
    return span_of(text);
}

struct manual_order world_order(struct identity_world *world)
{
    static const struct span kinds[] = {SPAN("cut"), SPAN("cut"), SPAN("link"), SPAN("same"),
                                        SPAN("release")};
    uint32_t kind = world_draw(world, COUNT(kinds)), a = world_draw(world, WORLD_IDS),
             b = world_draw(world, WORLD_IDS - 1);
    struct manual_order order = {.kind = kinds[kind],
                                 .a = world->ids[a].id,
                                 .actor = SPAN("tester"),
                                 .reason = SPAN("a test")};
    if (kind < 4)
        order.b = world->ids[b + (b >= a)].id;
    return order;
}

bool world_is_anchor(const struct identity_world *world, const struct id *id)
{
    for (size_t i = 0; i < world->sighting_count; i++)
        if (id_equal(&world->sightings[i].ids[0].id, id))
            return true;
    return false;
}

/* ---- what must come out ---- */
struct evidence {
    struct identity_node nodes[WORLD_IDS];
    struct identity_link links[WORLD_IDS * WORLD_IDS];
    bool is_observed[WORLD_IDS * WORLD_IDS]; /* by a * WORLD_IDS + b, a the smaller id */
    struct link_row best[WORLD_IDS * WORLD_IDS];
    enum order_kind newest[WORLD_IDS * WORLD_IDS];
    bool has_order[WORLD_IDS * WORLD_IDS], is_released[WORLD_IDS];
    struct identity_cut cuts[WORLD_IDS * WORLD_IDS];
    struct identity_alias aliases[WORLD_IDS * WORLD_IDS];
    struct identity_graph graph;
};

/* Position of an identifier, UINT32_MAX if nothing carries it. */
static uint32_t node_of(const struct identity_graph *graph, const struct id *id)
{
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (id_equal(&graph->nodes[i].identifier_id, id))
            return i;
    return UINT32_MAX;
}

static size_t pair_of(const struct identity_graph *graph, uint32_t x, uint32_t y)
{
    bool in_order = id_compare(&graph->nodes[x].identifier_id, &graph->nodes[y].identifier_id) < 0;
    return in_order ? x * WORLD_IDS + y : y * WORLD_IDS + x;
}

static void gather_nodes(const struct identity_world *world, const struct identity_policy *policy,
                         struct identity_graph *graph)
{
    for (size_t i = 0; i < world->sighting_count; i++)
        for (size_t k = 0; k < world->sightings[i].id_count; k++) {
            const struct typed_id *id = &world->sightings[i].ids[k];
            struct instant at = world->sightings[i].occurred_at;
            uint32_t node = node_of(graph, &id->id);
            if (node == UINT32_MAX)
                graph->nodes[node = (uint32_t)graph->node_count++] =
                    (struct identity_node){.identifier_id = id->id,
                                           .first_seen = at,
                                           .type = identity_type_of_rank(policy, id->type->rank)};
            if (instant_compare(at, graph->nodes[node].first_seen) < 0)
                graph->nodes[node].first_seen = at;
        }
}

/* Direct sightings of a link come first, then old ones, then those with small event ids. */
static bool counts_before(const struct link_row *x, const struct link_row *y)
{
    if (x->is_indirect != y->is_indirect)
        return y->is_indirect;
    if (x->first_seen.us != y->first_seen.us)
        return x->first_seen.us < y->first_seen.us;
    return id_compare(&x->evidence, &y->evidence) < 0;
}

static void gather_link(const struct sighting *s, size_t i, size_t k, struct evidence *e)
{
    struct link_row row = {
        .first_seen = s->occurred_at, .evidence = s->event_id, .is_indirect = i > 0};
    size_t pair =
        pair_of(&e->graph, node_of(&e->graph, &s->ids[i].id), node_of(&e->graph, &s->ids[k].id));
    if (!e->is_observed[pair] || counts_before(&row, &e->best[pair]))
        e->best[pair] = row;
    e->is_observed[pair] = true;
}

/* The first with all, the next seven with each other. */
static void gather_links(const struct identity_world *world, struct evidence *e)
{
    for (size_t n = 0; n < world->sighting_count; n++)
        for (size_t i = 0; i < world->sightings[n].id_count; i++)
            for (size_t k = i + 1; k < world->sightings[n].id_count; k++)
                if (i == 0 || k < 8)
                    gather_link(&world->sightings[n], i, k, e);
}

static void gather_orders(const struct order_row *orders, size_t count, struct evidence *e)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t a = node_of(&e->graph, &orders[i].key.a), b = node_of(&e->graph, &orders[i].key.b);
        if (orders[i].kind == ORDER_RELEASE) {
            e->is_released[a] = true;
            continue;
        }
        e->newest[pair_of(&e->graph, a, b)] = orders[i].kind;
        e->has_order[pair_of(&e->graph, a, b)] = true;
    }
}

static void judge(const struct identity_policy *policy, struct evidence *e)
{
    for (uint32_t i = 0; i < e->graph.node_count; i++) {
        uint32_t by_type[IDENTITY_MAX_TYPES] = {0}, degree = 0;
        for (uint32_t j = 0; j < e->graph.node_count; j++)
            if (j != i && e->is_observed[pair_of(&e->graph, i, j)]) {
                by_type[e->nodes[j].type]++;
                degree++;
            }
        e->nodes[i].is_quarantined =
            !e->is_released[i] &&
            identity_is_quarantined(policy, e->nodes[i].type, by_type, degree);
    }
}

static void make_graph(struct evidence *e)
{
    e->graph.links = e->links;
    e->graph.cuts = e->cuts;
    e->graph.aliases = e->aliases;
    for (uint32_t a = 0; a < WORLD_IDS; a++)
        for (uint32_t b = 0; b < WORLD_IDS; b++) {
            size_t pair = a * WORLD_IDS + b;
            bool is_manual = e->has_order[pair] && order_links(e->newest[pair]);
            if (e->has_order[pair] && e->newest[pair] == ORDER_CUT)
                e->cuts[e->graph.cut_count++] = (struct identity_cut){a, b};
            if (e->has_order[pair] && e->newest[pair] == ORDER_SAME &&
                e->nodes[a].type == e->nodes[b].type)
                e->aliases[e->graph.alias_count++] = (struct identity_alias){a, b};
            if (is_manual || e->is_observed[pair])
                e->links[e->graph.link_count++] = (struct identity_link){
                    .a = a,
                    .b = b,
                    .first_seen = e->best[pair].first_seen,
                    .hash = digest_link(&e->nodes[a].identifier_id, &e->nodes[b].identifier_id),
                    .is_manual = is_manual,
                    .is_indirect = e->best[pair].is_indirect};
        }
}

static const char *uuid(struct arena *arena, const struct id *id)
{
    char text[37];
    id_to_uuid(id, text);
    return arena_printf(arena, "%s", text);
}

static void print_links(struct identity_world *world, const struct evidence *e, struct arena *arena,
                        struct text_lines *lines)
{
    for (size_t i = 0; i < e->graph.link_count; i++) {
        const struct identity_link *link = &e->links[i];
        size_t pair = link->a * WORLD_IDS + link->b;
        world->refused[link->refused_by] += e->is_observed[pair];
        world->manual_links += link->is_manual;
        if (e->is_observed[pair])
            *arena_push(arena, lines) = arena_printf(
                arena, "link %s %s %lld %s %d %d", uuid(arena, &e->nodes[link->a].identifier_id),
                uuid(arena, &e->nodes[link->b].identifier_id),
                (long long)e->best[pair].first_seen.us, uuid(arena, &e->best[pair].evidence),
                (int)link->refused_by, (int)e->best[pair].is_indirect);
    }
}

void world_expect(struct identity_world *world, const struct identity_policy *policy,
                  const struct order_row *orders, size_t order_count, struct arena *arena,
                  struct text_lines *lines)
{
    struct evidence *e = arena_new(arena, struct evidence);
    e->graph.nodes = e->nodes;
    gather_nodes(world, policy, &e->graph);
    gather_links(world, e);
    gather_orders(orders, order_count, e);
    judge(policy, e);
    make_graph(e);
    identity_partition(policy, arena, &e->graph);
    print_links(world, e, arena, lines);
    world->cuts += e->graph.cut_count;
    world->aliases += e->graph.alias_count;
    for (size_t i = 0; i < e->graph.node_count; i++) {
        const struct identity_node *node = &e->nodes[i];
        const char *id = uuid(arena, &node->identifier_id),
                   *profile = uuid(arena, &e->nodes[node->profile].identifier_id);
        world->quarantined += node->is_quarantined;
        *arena_push(arena, lines) =
            arena_printf(arena, "identifier %s %s %lld %d", id, profile,
                         (long long)node->first_seen.us, (int)node->is_quarantined);
        if (world_is_anchor(world, &node->identifier_id) || policy->types[node->type].is_unique)
            *arena_push(arena, lines) =
                arena_printf(arena, "told %s %s %d", id, profile, (int)node->is_quarantined);
    }
}
