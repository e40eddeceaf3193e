/* identity_oracle_test.c: the partition of random evidence must be what the oracle, which shares no
 * code with it, computes.
 *
 * Without arguments it runs tests/oracle/identity_graphs.py, which calls this program again:
 *   --graphs  reads one graph per line of standard input, and writes one line of results for each
 *
 * A graph:
 *   {"policy": "<text of an identity policy>",
 *    "identifiers": [[type, value, first_seen_us], ...],
 *    "links": [[i, j, first_seen_us, is_indirect], ...],
 *    "orders": [["link"|"same"|"cut"|"release", i, j], ...],
 *    "aliases": [[i, j], ...]}
 * A pair of identifiers stands in links at most once.
 *
 * A result:
 *   {"profiles": [<per identifier: the one that names its profile>, ...],
 *    "quarantined": [...],
 *    "refused": [[i, j, rule or null], ...]} */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/codec/digest.h"
#include "services/identity-resolver/policy/identity_policy.h"

enum { SKIPPED = 77, ORDER_NONE = 0, ORDER_LINK, ORDER_SAME, ORDER_CUT };

static const struct digest_key key = {
    .bytes = {7, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, .len = 16};

static void die(const char *what)
{
    fprintf(stderr, "identity_oracle_test: %s\n", what);
    exit(1);
}

/* Evidence as it is read; newest[a * count + b] is the newest order of that pair, a < b. */
struct evidence {
    struct identity_policy policy;
    struct identity_graph graph;
    unsigned char *newest;
    bool *is_released;
    struct arena *arena;
    struct {
        struct identity_alias *items;
        size_t count, capacity;
    } aliases;
};

static struct span text_of(const json_t *value)
{
    if (!json_is_string(value))
        die("expected a text");
    return (struct span){json_string_value(value), json_string_length(value)};
}

static uint32_t index_at(const json_t *list, size_t i)
{
    return (uint32_t)json_integer_value(json_array_get(list, i));
}

static int16_t type_named(const struct identity_policy *policy, struct span name)
{
    const struct identity_type *type = identity_find_type(policy, name);
    if (type == NULL)
        die("unknown type");
    return (int16_t)(type - policy->types);
}

static void read_nodes(struct arena *arena, const json_t *list, struct evidence *e)
{
    struct identity_graph *g = &e->graph;
    size_t i;
    json_t *entry;
    g->node_count = json_array_size(list);
    g->nodes = arena_array(arena, struct identity_node, g->node_count + 1);
    json_array_foreach(list, i, entry)
    {
        struct span name = text_of(json_array_get(entry, 0)),
                    value = text_of(json_array_get(entry, 1));
        g->nodes[i] =
            (struct identity_node){.identifier_id = digest_identifier(&key, name, value),
                                   .first_seen = {json_integer_value(json_array_get(entry, 2))},
                                   .type = type_named(&e->policy, name)};
    }
}

static void read_orders(struct arena *arena, const json_t *list, struct evidence *e)
{
    size_t i, n = e->graph.node_count;
    json_t *entry;
    e->newest = arena_array(arena, unsigned char, n *n + 1);
    e->is_released = arena_array(arena, bool, n + 1);
    json_array_foreach(list, i, entry)
    {
        const char *kind = text_of(json_array_get(entry, 0)).ptr;
        uint32_t a = index_at(entry, 1), b = index_at(entry, 2);
        if (strcmp(kind, "release") == 0)
            e->is_released[a] = true;
        else
            e->newest[a < b ? a * n + b : b * n + a] = strcmp(kind, "cut") == 0    ? ORDER_CUT
                                                       : strcmp(kind, "same") == 0 ? ORDER_SAME
                                                                                   : ORDER_LINK;
    }
}

static void add_link(struct evidence *e, uint32_t a, uint32_t b, struct instant first_seen,
                     bool is_indirect)
{
    struct identity_graph *g = &e->graph;
    size_t pair = a < b ? a * g->node_count + b : b * g->node_count + a;
    g->links[g->link_count++] = (struct identity_link){
        .a = a,
        .b = b,
        .first_seen = first_seen,
        .hash = digest_link(&g->nodes[a].identifier_id, &g->nodes[b].identifier_id),
        .is_manual = e->newest[pair] == ORDER_LINK || e->newest[pair] == ORDER_SAME,
        .is_indirect = is_indirect,
    };
    if (e->newest[pair] == ORDER_SAME && g->nodes[a].type == g->nodes[b].type)
        *arena_push(e->arena, &e->aliases) = (struct identity_alias){a, b};
    if (g->links[g->link_count - 1].is_manual)
        e->newest[pair] = ORDER_NONE; /* what is left has not been observed */
}

/* Degrees are of observed links, whatever else is said about them. */
static void set_quarantine(struct arena *arena, struct evidence *e)
{
    struct identity_graph *g = &e->graph;
    uint32_t(*degrees)[IDENTITY_MAX_TYPES] =
        arena_calloc(arena, g->node_count + 1, sizeof *degrees);
    uint32_t *degree = arena_array(arena, uint32_t, g->node_count + 1);
    for (size_t i = 0; i < g->link_count; i++) {
        uint32_t a = g->links[i].a, b = g->links[i].b;
        degrees[a][g->nodes[b].type]++;
        degrees[b][g->nodes[a].type]++;
        degree[a]++;
        degree[b]++;
    }
    for (size_t i = 0; i < g->node_count; i++)
        g->nodes[i].is_quarantined =
            !e->is_released[i] &&
            identity_is_quarantined(&e->policy, g->nodes[i].type, degrees[i], degree[i]);
}

static void read_links(struct arena *arena, const json_t *list, struct evidence *e)
{
    struct identity_graph *g = &e->graph;
    size_t i, n = g->node_count;
    json_t *entry;
    g->links = arena_array(arena, struct identity_link, json_array_size(list) + n * n + 1);
    json_array_foreach(list, i, entry)
        add_link(e, index_at(entry, 0), index_at(entry, 1),
                 (struct instant){json_integer_value(json_array_get(entry, 2))},
                 json_is_true(json_array_get(entry, 3)));
    set_quarantine(arena, e);
    struct identity_cut *cuts = arena_array(arena, struct identity_cut, n * n + 1);
    for (uint32_t a = 0; a < n; a++)
        for (uint32_t b = a + 1; b < n; b++)
            if (e->newest[a * n + b] == ORDER_CUT)
                cuts[g->cut_count++] = (struct identity_cut){a, b};
            else if (e->newest[a * n + b] != ORDER_NONE)
                add_link(e, a, b, (struct instant){0}, false);
    g->cuts = cuts;
}

static void read_aliases(const json_t *list, struct evidence *e)
{
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry) * arena_push(e->arena, &e->aliases) =
        (struct identity_alias){index_at(entry, 0), index_at(entry, 1)};
    e->graph.aliases = e->aliases.items;
    e->graph.alias_count = e->aliases.count;
}

static json_t *result(const struct identity_graph *g)
{
    json_t *profiles = json_array(), *quarantined = json_array(), *refused = json_array();
    for (size_t i = 0; i < g->node_count; i++) {
        json_array_append_new(profiles, json_integer(g->nodes[i].profile));
        if (g->nodes[i].is_quarantined)
            json_array_append_new(quarantined, json_integer((json_int_t)i));
    }
    for (size_t i = 0; i < g->link_count; i++) {
        const char *rule = identity_refusal_name(g->links[i].refused_by);
        json_t *entry = json_array();
        json_array_append_new(entry, json_integer(g->links[i].a));
        json_array_append_new(entry, json_integer(g->links[i].b));
        json_array_append_new(entry, rule ? json_string(rule) : json_null());
        json_array_append_new(refused, entry);
    }
    return json_pack("{s:o, s:o, s:o}", "profiles", profiles, "quarantined", quarantined, "refused",
                     refused);
}

static void answer(struct arena *arena, const json_t *graph)
{
    struct evidence e = {.arena = arena};
    struct err err = {0};
    if (identity_policy_parse(arena, text_of(json_object_get(graph, "policy")), "policy", &e.policy,
                              &err) != OUTCOME_OK)
        die(err.message);
    read_nodes(arena, json_object_get(graph, "identifiers"), &e);
    read_orders(arena, json_object_get(graph, "orders"), &e);
    read_links(arena, json_object_get(graph, "links"), &e);
    read_aliases(json_object_get(graph, "aliases"), &e);
    identity_partition(&e.policy, arena, &e.graph);
    json_t *found = result(&e.graph);
    json_dumpf(found, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(found);
}

static int answer_all(void)
{
    struct arena arena = {0};
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    while ((length = getline(&line, &size, stdin)) > 0) {
        json_t *graph = json_loadb(line, (size_t)length, 0, NULL);
        if (graph == NULL)
            die("not JSON");
        answer(&arena, graph);
        json_decref(graph);
        arena_reset(&arena);
    }
    free(line);
    arena_free(&arena);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--graphs") == 0)
        return answer_all();
    const char *python = TUTTI_SOURCE_DIR "/.venv/bin/python";
    if (access(python, X_OK) != 0) {
        fprintf(stderr, "skipped: %s is not there, run dev/setup\n", python);
        return SKIPPED;
    }
    execl(python, python, TUTTI_SOURCE_DIR "/tests/oracle/identity_graphs.py", argv[0],
          (char *)NULL);
    die("cannot start Python");
}
