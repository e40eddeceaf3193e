/* plan_compare_test.c: profiles before and after a policy, one table row per way in which
 * they may differ. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "operations/plan/compare.h"

enum { NODES = 6 };

static struct arena arena;

struct example {
    uint32_t before[NODES], after[NODES]; /* node that names the profile */
    const char *was, *is;                 /* q: in quarantine */
    size_t profiles_before, profiles_after, gained, lost, moved, quarantined, released;
    const char *affected, *split; /* x: the profile that this node names today */
    uint32_t largest_before, largest_after;
};

static const struct example examples[] = {
    {{0, 0, 0, 3, 3, 5},
     {0, 0, 0, 3, 3, 5},
     "------",
     "------",
     3,
     3,
     0,
     0,
     0,
     0,
     0,
     "------",
     "------",
     3,
     3}, /* the same */
    {{0, 0, 0, 3, 3, 5},
     {0, 0, 0, 0, 0, 5},
     "------",
     "------",
     3,
     2,
     1,
     0,
     2,
     0,
     0,
     "x--x--",
     "------",
     3,
     5}, /* joined */
    {{0, 0, 0, 3, 3, 5},
     {0, 1, 2, 3, 3, 5},
     "------",
     "------",
     3,
     5,
     0,
     2,
     2,
     0,
     0,
     "x-----",
     "x-----",
     3,
     2}, /* in three */
    {{0, 0, 0, 3, 3, 5},
     {0, 0, 3, 3, 3, 5},
     "------",
     "------",
     3,
     3,
     1,
     1,
     1,
     0,
     0,
     "x--x--",
     "x-----",
     3,
     3}, /* passed on */
    {{0, 0, 0, 3, 3, 5},
     {1, 1, 1, 3, 3, 5},
     "------",
     "------",
     3,
     3,
     0,
     0,
     3,
     0,
     0,
     "x-----",
     "------",
     3,
     3}, /* renamed */
    {{0, 0, 0, 3, 3, 5},
     {0, 0, 2, 3, 3, 5},
     "------",
     "--q---",
     3,
     4,
     0,
     1,
     1,
     1,
     0,
     "x-----",
     "x-----",
     3,
     2}, /* quarantine */
    {{0, 0, 2, 3, 3, 5},
     {0, 0, 0, 3, 3, 5},
     "--q--q",
     "------",
     4,
     3,
     1,
     0,
     1,
     0,
     2,
     "x-x---",
     "------",
     2,
     3}, /* release */
};

static struct evidence evidence_of(const struct example *example)
{
    struct evidence e = {
        .graph = {.nodes = arena_array(&arena, struct identity_node, NODES), .node_count = NODES}};
    e.before = arena_array(&arena, uint32_t, NODES);
    e.was_quarantined = arena_array(&arena, bool, NODES);
    for (size_t i = 0; i < NODES; i++) {
        e.before[i] = example->before[i];
        e.was_quarantined[i] = example->was[i] == 'q';
        e.graph.nodes[i].profile = example->after[i];
        e.graph.nodes[i].is_quarantined = example->is[i] == 'q';
    }
    return e;
}

static void assert_marks(const bool *found, const char *wanted)
{
    for (size_t i = 0; i < NODES; i++)
        assert_int_equal(found[i], wanted[i] == 'x');
}

static void test_examples(void **state)
{
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        const struct example *example = &examples[i];
        struct evidence evidence = evidence_of(example);
        struct comparison c;
        identity_compare(&evidence, &arena, &c);
        print_message("example %zu\n", i);
        assert_int_equal(c.identifiers, NODES);
        assert_int_equal(c.profiles_before, example->profiles_before);
        assert_int_equal(c.profiles_after, example->profiles_after);
        assert_int_equal(c.merges_gained, example->gained);
        assert_int_equal(c.merges_lost, example->lost);
        assert_int_equal(c.moved, example->moved);
        assert_int_equal(c.quarantined, example->quarantined);
        assert_int_equal(c.released, example->released);
        assert_int_equal(c.largest_before[0].size, example->largest_before);
        assert_int_equal(c.largest_after[0].size, example->largest_after);
        assert_marks(c.is_affected, example->affected);
        assert_marks(c.is_split, example->split);
    }
}

static void test_flows_carry_every_member_once(void **state)
{
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        struct evidence evidence = evidence_of(&examples[i]);
        struct comparison c;
        uint32_t members = 0;
        identity_compare(&evidence, &arena, &c);
        for (size_t f = 0; f < c.flow_count; f++)
            members += c.flows[f].size;
        assert_int_equal(members, NODES);
    }
}

static void test_nothing_stored(void **state)
{
    struct evidence evidence = {.policy = NULL};
    struct comparison c;
    identity_compare(&evidence, &arena, &c);
    assert_int_equal(
        c.profiles_before + c.profiles_after + c.merges_gained + c.merges_lost + c.flow_count, 0);
    assert_int_equal(c.largest_after[0].size, 0);
}

/* The ten largest, larger first, the smaller node first among equals. */
static void test_largest(void **state)
{
    enum { MANY = 100 };
    struct evidence e = {
        .graph = {.nodes = arena_array(&arena, struct identity_node, MANY), .node_count = MANY}};
    struct comparison c;
    e.before = arena_array(&arena, uint32_t, MANY);
    e.was_quarantined = arena_array(&arena, bool, MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        e.before[i] = i;
        /* five profiles of 11, then single ones */
        e.graph.nodes[i].profile = i < 55 ? 10 * (i % 5) : i;
    }
    identity_compare(&e, &arena, &c);
    for (uint32_t i = 0; i < COMPARE_LARGEST; i++) {
        assert_int_equal(c.largest_before[i].size, 1);
        assert_int_equal(c.largest_before[i].node, i);
        assert_int_equal(c.largest_after[i].size, i < 5 ? 11 : 1);
        assert_int_equal(c.largest_after[i].node, i < 5 ? 10 * i : 50 + i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_flows_carry_every_member_once),
        cmocka_unit_test(test_nothing_stored),
        cmocka_unit_test(test_largest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
