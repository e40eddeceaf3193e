/* identity_closure_test.c: looking at the touched profiles and the neighbours that join them gives
 * what the rules say of all evidence, after every step of random histories, and at the end of a
 * sweep after a change of policy. An array stands for the database; TUTTI_SEED repeats a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/identity_history.h"

enum { HISTORIES = 4000, STEPS = 30 };

/* A resolver and its database. */
struct store {
    struct history h;
    struct history_result have;
    id_set known;     /* identifiers that have a profile */
    bool is_sweeping; /* not every profile was looked at under this policy yet */
    struct arena arena;
    unsigned grown; /* how often neighbours joined */
};

static bool has(id_set set, uint32_t i)
{
    return set >> i & 1;
}

static id_set members(const struct store *s, id_set profiles)
{
    id_set set = 0;
    for (uint32_t i = 0; i < s->h.count; i++)
        if (has(s->known, i) && has(profiles, s->have.profile[i]))
            set |= (id_set)1 << i;
    return set;
}

static id_set profiles_of(const struct store *s, id_set ids)
{
    id_set set = 0;
    for (uint32_t i = 0; i < s->h.count; i++)
        if (has(ids, i))
            set |= (id_set)1 << s->have.profile[i];
    return set;
}

/* A refusal that needs no clusters. */
static enum refusal refused_at_once(const struct store *s, uint32_t a, uint32_t b)
{
    const struct history *h = &s->h;
    if (!history_is_manual(&h->pairs[a][b]) &&
        !identity_may_link(&h->policy, h->types[a], h->types[b]))
        return REFUSED_PAIR;
    return s->have.is_quarantined[a] || s->have.is_quarantined[b] ? REFUSED_QUARANTINE
                                                                  : REFUSED_NOT;
}

/* Links with both ends in `ids` or, if in one of them only, that end in `all_of`. */
static void restate(struct store *s, id_set ids, id_set all_of)
{
    for (uint32_t a = 0; a < s->h.count; a++)
        for (uint32_t b = a + 1; b < s->h.count; b++) {
            bool is_wanted = (has(ids, a) && has(ids, b)) || has(all_of, a) || has(all_of, b);
            if (is_wanted && history_is_link(&s->h, a, b) && refused_at_once(s, a, b))
                s->have.refused_by[a][b] = refused_at_once(s, a, b);
        }
}

static void refresh_quarantine(struct store *s, id_set ids)
{
    id_set changed = 0;
    for (uint32_t i = 0; i < s->h.count; i++) {
        if (!has(ids, i))
            continue;
        uint32_t by_type[HISTORY_TYPES] = {0}, degree = history_degree(&s->h, i, by_type);
        bool is_over = identity_is_quarantined(&s->h.policy, s->h.types[i], by_type, degree) &&
                       !s->h.is_released[i];
        if (is_over != s->have.is_quarantined[i] || s->is_sweeping)
            changed |= (id_set)1 << i;
        s->have.is_quarantined[i] = is_over;
    }
    restate(s, ids, changed);
}

/* A graph and where its identifiers and links come from. */
struct loaded {
    struct identity_graph graph;
    struct identity_node nodes[HISTORY_IDS];
    struct identity_link links[HISTORY_IDS * HISTORY_IDS];
    struct identity_cut cuts[HISTORY_IDS * HISTORY_IDS];
    struct identity_alias aliases[HISTORY_IDS * HISTORY_IDS];
    uint32_t index[HISTORY_IDS]; /* of a history's identifier in nodes */
    uint32_t ids[HISTORY_IDS];   /* and back */
};

static struct identity_link make_link(const struct store *s, uint32_t a, uint32_t b, uint32_t from,
                                      uint32_t to)
{
    const struct history_pair *pair = &s->h.pairs[a][b];
    return (struct identity_link){.a = from,
                                  .b = to,
                                  .first_seen = pair->first_seen,
                                  .hash = pair->hash,
                                  .is_manual = history_is_manual(pair),
                                  .is_indirect = pair->is_indirect,
                                  .refused_by = REFUSED_LIMIT}; /* to be overwritten */
}

/* Aliases with one end in x and one in y (the same for a graph). */
static size_t load_aliases(const struct store *s, const struct loaded *x, id_set xs,
                           const struct loaded *y, id_set ys, struct identity_alias *aliases)
{
    size_t count = 0;
    for (uint32_t a = 0; a < s->h.count; a++)
        for (uint32_t b = a + 1; b < s->h.count; b++) {
            bool is_straight = has(xs, a) && has(ys, b);
            if (history_is_alias(&s->h, a, b) && (is_straight || (has(xs, b) && has(ys, a))))
                aliases[count++] = (struct identity_alias){x->index[is_straight ? a : b],
                                                           y->index[is_straight ? b : a]};
        }
    return count;
}

/* Links and cuts with one end in x and one in y (the same for a graph). A link to a neighbour that
 * is refused without looking at clusters is not followed. */
static void load_links(const struct store *s, const struct loaded *x, id_set xs,
                       const struct loaded *y, id_set ys, struct identity_link *links,
                       size_t *link_count, struct identity_cut *cuts, size_t *cut_count)
{
    *link_count = *cut_count = 0;
    for (uint32_t a = 0; a < s->h.count; a++)
        for (uint32_t b = a + 1; b < s->h.count; b++) {
            bool is_straight = has(xs, a) && has(ys, b);
            if (!is_straight && !(has(xs, b) && has(ys, a)))
                continue;
            uint32_t from = x->index[is_straight ? a : b], to = y->index[is_straight ? b : a];
            if (s->h.pairs[a][b].newest == ORDER_CUT)
                cuts[(*cut_count)++] = (struct identity_cut){from, to};
            if (history_is_link(&s->h, a, b) && (x == y || !refused_at_once(s, a, b)))
                links[(*link_count)++] = make_link(s, a, b, from, to);
        }
}

static void load(const struct store *s, id_set ids, struct loaded *out)
{
    size_t count = 0;
    for (uint32_t i = 0; i < s->h.count; i++) {
        if (!has(ids, i))
            continue;
        out->index[i] = (uint32_t)count;
        out->ids[count] = i;
        out->nodes[count++] = (struct identity_node){.identifier_id = s->h.ids[i],
                                                     .first_seen = s->h.first_seen[i],
                                                     .type = s->h.types[i],
                                                     .is_quarantined = s->have.is_quarantined[i]};
    }
    out->graph = (struct identity_graph){
        .nodes = out->nodes, .node_count = count, .links = out->links, .cuts = out->cuts};
    load_links(s, out, ids, out, ids, out->links, &out->graph.link_count, out->cuts,
               &out->graph.cut_count);
    out->graph.aliases = out->aliases;
    out->graph.alias_count = load_aliases(s, out, ids, out, ids, out->aliases);
}

static void store_refusals(struct store *s, const struct loaded *x, const struct loaded *y,
                           const struct identity_link *links, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t a = x->ids[links[i].a], b = y->ids[links[i].b];
        s->have.refused_by[a < b ? a : b][a < b ? b : a] = links[i].refused_by;
    }
}

struct loaded_neighbour {
    struct loaded loaded;
    struct identity_link cross[HISTORY_IDS * HISTORY_IDS];
    struct identity_cut cuts[HISTORY_IDS * HISTORY_IDS];
    struct identity_alias aliases[HISTORY_IDS * HISTORY_IDS];
};

static void load_neighbour(struct store *s, const struct loaded *inside, id_set ids, id_set profile,
                           struct loaded_neighbour *l, struct identity_neighbour *out)
{
    id_set others = members(s, profile);
    load(s, others, &l->loaded);
    load_links(s, inside, ids, &l->loaded, others, l->cross, &out->cross_count, l->cuts,
               &out->cut_count);
    out->graph = l->loaded.graph;
    out->cross = l->cross;
    out->cuts = l->cuts;
    out->aliases = l->aliases;
    out->alias_count = load_aliases(s, inside, ids, &l->loaded, others, l->aliases);
}

/* Profiles that join, of all that are linked; of the others what became of the links to them is
 * stored. */
static id_set joining(struct store *s, id_set profiles)
{
    id_set joined = 0, others = profiles_of(s, s->known) & ~profiles, ids = members(s, profiles);
    struct loaded inside;
    struct loaded_neighbour *loaded = arena_array(&s->arena, struct loaded_neighbour, HISTORY_IDS);
    struct identity_neighbour neighbours[HISTORY_IDS];
    uint32_t names[HISTORY_IDS];
    size_t count = 0;
    load(s, ids, &inside);
    for (uint32_t i = 0; i < s->h.count; i++) {
        if (!has(others, i))
            continue;
        load_neighbour(s, &inside, ids, (id_set)1 << i, &loaded[count], &neighbours[count]);
        names[count] = i;
        count += neighbours[count].cross_count > 0;
    }
    identity_test_neighbours(&s->h.policy, &s->arena, &inside.graph, neighbours, count);
    for (size_t i = 0; i < count; i++)
        if (neighbours[i].joins)
            joined |= (id_set)1 << names[i];
        else
            store_refusals(s, &inside, &loaded[i].loaded, neighbours[i].cross,
                           neighbours[i].cross_count);
    return joined;
}

static void store_partition(struct store *s, id_set ids)
{
    struct loaded all;
    load(s, ids, &all);
    identity_partition(&s->h.policy, &s->arena, &all.graph);
    for (uint32_t i = 0; i < all.graph.node_count; i++)
        s->have.profile[all.ids[i]] = all.ids[all.nodes[i].profile];
    store_refusals(s, &all, &all, all.links, all.graph.link_count);
}

/* The transaction: evidence about these identifiers is in. */
static void resolve(struct store *s, id_set ids)
{
    for (uint32_t i = 0; i < s->h.count; i++)
        if (has(ids & ~s->known, i))
            s->have.profile[i] = i;
    s->known |= ids;
    refresh_quarantine(s, ids);
    id_set profiles = profiles_of(s, ids), joined;
    do {
        if (s->is_sweeping)
            refresh_quarantine(s, members(s, profiles));
        joined = joining(s, profiles);
        profiles |= joined;
        s->grown += joined != 0;
    } while (joined);
    store_partition(s, members(s, profiles));
    arena_reset(&s->arena);
}

static const char *difference(const struct store *s)
{
    struct history_result want;
    history_evaluate(&s->h, &want);
    for (uint32_t a = 0; a < s->h.count; a++) {
        if (!has(s->known, a))
            continue;
        if (s->have.profile[a] != want.profile[a])
            return "profile";
        if (s->have.is_quarantined[a] != want.is_quarantined[a])
            return "quarantine";
        for (uint32_t b = a + 1; b < s->h.count; b++)
            if (history_is_link(&s->h, a, b) && s->have.refused_by[a][b] != want.refused_by[a][b])
                return "refusal";
    }
    return NULL;
}

static void check(const struct store *s, uint64_t seed, const char *when, int step)
{
    const char *what = difference(s);
    if (what)
        fail_msg("TUTTI_SEED=%llu: another %s %s %d", (unsigned long long)seed, what, when, step);
}

static void every_step_gives_the_global_result(void **state)
{
    struct random run = random_from_environment();
    unsigned grown = 0;
    for (int n = 0; n < HISTORIES; n++) {
        struct random r = {run.state + (uint64_t)n};
        struct store s = {.h = history_start(&r)};
        for (int step = 0; step < STEPS; step++) {
            resolve(&s, history_step(&s.h, &r));
            check(&s, run.state + (uint64_t)n, "after step", step);
        }
        grown += s.grown;
        arena_free(&s.arena);
    }
    assert_true(grown > HISTORIES / 4); /* the histories are worth something */
}

/* Profiles in order of their names, read afresh after each; new evidence comes in between. */
static void sweep(struct store *s, struct random *r)
{
    s->is_sweeping = true;
    for (uint32_t at = 0; at < s->h.count; at++) {
        if (has(profiles_of(s, s->known), at))
            resolve(s, (id_set)1 << at);
        if (random_below(r, 100) < 30)
            resolve(s, history_step(&s->h, r));
    }
    s->is_sweeping = false;
}

static void a_swept_policy_was_always_there(void **state)
{
    struct random run = random_from_environment();
    for (int n = 0; n < HISTORIES / 2; n++) {
        uint64_t seed = run.state + (uint64_t)n;
        struct random r = {seed};
        struct store s = {.h = history_start(&r)};
        for (int step = 0; step < STEPS / 2; step++)
            resolve(&s, history_step(&s.h, &r));
        history_change_policy(&s.h, &r);
        sweep(&s, &r);
        check(&s, seed, "after sweep", 0);
        resolve(&s, history_step(&s.h, &r));
        check(&s, seed, "after the sweep, step", 1);
        arena_free(&s.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_step_gives_the_global_result),
        cmocka_unit_test(a_swept_policy_was_always_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
