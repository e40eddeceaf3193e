/* identity_closure_test.c: when a neighbouring profile must be looked at together with the touched
 * ones. Graphs are written as in identity_letters.h and divided in two. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/identity_letters.h"

static struct arena arena;
static struct identity_policy policy;

static int set_up(void **state)
{
    policy = letters_policy();
    return 0;
}

static int tear_down(void **state)
{
    arena_free(&arena);
    return 0;
}

struct side {
    struct identity_node nodes[LETTERS_NODES];
    struct identity_link links[LETTERS_LINKS];
    struct identity_cut cuts[LETTERS_CUTS];
    struct identity_graph graph;
};

/* The letters of a text, in two parts. */
struct divided {
    struct side sides[2]; /* outside, inside */
    struct identity_link cross[LETTERS_LINKS];
    size_t cross_count;
    struct identity_cut cross_cuts[LETTERS_CUTS];
    size_t cross_cut_count;
    bool is_inside[LETTERS_NODES];
    uint32_t index[LETTERS_NODES]; /* in its side */
};

static void divide_links(struct divided *d, const struct letters *l)
{
    for (size_t i = 0; i < l->graph.link_count; i++) {
        struct identity_link link = l->links[i];
        bool a = d->is_inside[link.a], b = d->is_inside[link.b];
        uint32_t from = d->index[a ? link.a : link.b], to = d->index[a ? link.b : link.a];
        link.a = from;
        link.b = to;
        if (a == b)
            d->sides[a].links[d->sides[a].graph.link_count++] = link;
        else
            d->cross[d->cross_count++] = link;
    }
}

static void divide_cuts(struct divided *d, const struct letters *l)
{
    for (size_t i = 0; i < l->graph.cut_count; i++) {
        struct identity_cut cut = l->cuts[i];
        bool a = d->is_inside[cut.a], b = d->is_inside[cut.b];
        cut = (struct identity_cut){d->index[a ? cut.a : cut.b], d->index[a ? cut.b : cut.a]};
        if (a == b)
            d->sides[a].cuts[d->sides[a].graph.cut_count++] = cut;
        else
            d->cross_cuts[d->cross_cut_count++] = cut;
    }
}

static struct divided *divide(const struct letters *l, const char *inside)
{
    struct divided *d = arena_new(&arena, struct divided);
    for (uint32_t i = 0; i < l->graph.node_count; i++) {
        d->is_inside[i] = strchr(inside, letters_of(l, i)) != NULL;
        struct side *side = &d->sides[d->is_inside[i]];
        d->index[i] = (uint32_t)side->graph.node_count;
        side->nodes[side->graph.node_count++] = l->nodes[i];
    }
    divide_links(d, l);
    divide_cuts(d, l);
    for (int i = 0; i < 2; i++) {
        d->sides[i].graph.nodes = d->sides[i].nodes;
        d->sides[i].graph.links = d->sides[i].links;
        d->sides[i].graph.cuts = d->sides[i].cuts;
    }
    return d;
}

/* If nothing joins, both sides have their own results and the links between them their global
 * reasons. */
static void check_results(struct divided *d, struct letters *l)
{
    for (int i = 0; i < 2; i++)
        identity_partition(&policy, &arena, &d->sides[i].graph);
    letters_profiles(l, &policy, &arena);
    for (uint32_t i = 0; i < l->graph.node_count; i++) {
        const struct side *side = &d->sides[d->is_inside[i]];
        const struct id *name = &side->nodes[side->nodes[d->index[i]].profile].identifier_id;
        assert_true(id_equal(name, &l->nodes[l->nodes[i].profile].identifier_id));
    }
    for (size_t i = 0; i < d->cross_count; i++) {
        const struct id *a = &d->sides[1].nodes[d->cross[i].a].identifier_id,
                        *b = &d->sides[0].nodes[d->cross[i].b].identifier_id;
        assert_int_equal(d->cross[i].refused_by,
                         letters_refusal(l, (char)a->bytes[0], (char)b->bytes[0]));
    }
}

static void check(const char *text, const char *inside, bool want)
{
    static struct letters l;
    letters_read(&l, &policy, text);
    struct divided *d = divide(&l, inside);
    struct identity_neighbour neighbour = {.graph = d->sides[0].graph,
                                           .cross = d->cross,
                                           .cross_count = d->cross_count,
                                           .cuts = d->cross_cuts,
                                           .cut_count = d->cross_cut_count};
    identity_test_neighbours(&policy, &arena, &d->sides[1].graph, &neighbour, 1);
    if (neighbour.joins != want)
        fail_msg("%s: %s %s", text, inside, neighbour.joins ? "joins" : "does not join");
    if (!neighbour.joins)
        check_results(d, &l);
}

static void a_free_link_joins(void **state)
{
    check("A-e@1 e-f@2", "Ae", true);
    check("A-e@1 e-f@2", "f", true);
    check("A-e@1 f@2", "f", false); /* no link */
}

static void a_conflict_does_not(void **state)
{
    check("A-e@1 B-f@2 e-f@3", "Ae", false);
    check("A-e@1 B-f@2 e-f@3", "Bf", false);
}

/* What counts is the clusters at the link's place, not the profiles: e and f were one before their
 * users came. */
static void the_place_of_the_link_decides(void **state)
{
    check("A-e@2 B-f@3 e-f@1", "Ae", true);
    check("A-e@2 B-f@1 e-f@3", "Ae", false);
    check("A-e@1 B-f@3 e-f@2", "Ae", true); /* B is refused later, which changes the neighbour */
}

static void one_of_several_links_is_enough(void **state)
{
    check("A-e@1 B-f@2 e-f@3 A-f@4", "Ae", false);
    check("A-e@5 B-f@6 A-f@7 e-f@4", "Ae", true);
    check("A-e@1 B-f@6 A-B@2 e-f@4", "Ae", true);
}

static void cuts_between_them_hold(void **state)
{
    check("a-b@1 c-d@2 b-c@3 a/d", "ab", false);
    check("a-b@1 c-d@2 b-c@3", "ab", true);
    check("a-b@1 c-d@4 b-c@3 a/d", "ab", true);     /* d comes later, and is left alone */
    check("a-b@1 c-d@2 b-c@3 a/b c/d", "ab", true); /* cuts within a side divide that side */
    check("a-b@1 b-e@1 c-d@2 b-c@3 a/e", "abe", true);
}

static void other_rules_hold(void **state)
{
    policy.max_identifiers = 3;
    check("a-b@1 c-d@2 b-c@3", "ab", false);
    check("a-b@1 c-d@4 b-c@3", "ab", true);
    policy.types[LETTERS_DEVICE].counts = false;
    check("a-b@1 c-x@2 b-c@3", "ab", true);
    check("a-b@1 c-d@2 b-x@0 x-c@3", "abx", false);
    policy.types[LETTERS_DEVICE].counts = true;
    policy.max_identifiers = IDENTITY_UNBOUNDED;
    policy.types[LETTERS_EMAIL].limit = 3;
    check("a-b@1 c-d@2 b-c@3", "cd", false);
    check("a-b@1 c-x@2 b-c@3", "cx", true);
    policy.max_degree = 1;
    check("a-b@1 b-x@2", "x", false);
}

static void orders_join(void **state)
{
    check("A-e@1 B-f@2 e=f", "Ae", true); /* first of all */
    check("A@1 B@2 A=B", "A", false);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_free_link_joins),
        TEST(a_conflict_does_not),
        TEST(the_place_of_the_link_decides),
        TEST(one_of_several_links_is_enough),
        TEST(cuts_between_them_hold),
        TEST(other_rules_hold),
        TEST(orders_join),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
