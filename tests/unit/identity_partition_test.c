/* identity_partition_test.c: links in their order become profiles: the known vectors, the rules that refuse a link, and that the
 * order of arrival does not matter. A graph is written as text: "a-b@3" is a link first seen at 3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "services/identity-resolver/logic/identity.h"

enum { MAX_NODES = 32, MAX_LINKS = 64, UNIQUE_USER = 1, UNIQUE_LOYALTY = 2 };

struct graph {
    struct identity_node nodes[MAX_NODES]; /* identifier_id: its letter */
    size_t node_count;
    struct identity_link links[MAX_LINKS];
    size_t link_count;
};

static struct arena arena;
static struct identity_policy policy;

static int set_up(void **state)
{
    policy = (struct identity_policy){.max_identifiers = 100};
    return 0;
}

static int tear_down(void **state)
{
    arena_free(&arena);
    return 0;
}

/* Capital letters are user ids, digits loyalty ids: both unique where a test says so. */
static uint16_t unique_types(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? UNIQUE_USER : letter >= '0' && letter <= '9' ? UNIQUE_LOYALTY : 0;
}

static uint32_t node(struct graph *g, char letter, int64_t at)
{
    uint32_t i = 0;
    while (i < g->node_count && g->nodes[i].identifier_id.bytes[0] != (uint8_t)letter)
        i++;
    if (i == g->node_count)
        g->nodes[g->node_count++] = (struct identity_node){
            .identifier_id = {{(uint8_t)letter}}, .first_seen = {at}, .unique_types = unique_types(letter)};
    if (at < g->nodes[i].first_seen.us)
        g->nodes[i].first_seen.us = at;
    return i;
}

/* The hash of a link is made of both letters, so that of links of one time a-b comes before a-c and b-c. */
static void add_link(struct graph *g, char a, char b, int64_t at)
{
    char low = a < b ? a : b, high = a < b ? b : a;
    struct identity_link link = {node(g, a, at), node(g, b, at), {at}, {{(uint8_t)low, (uint8_t)high}}, false};
    for (size_t i = 0; i < g->link_count; i++)
        if (id_equal(&g->links[i].hash, &link.hash)) {
            if (at < g->links[i].first_seen.us)
                g->links[i].first_seen.us = at;
            return;
        }
    g->links[g->link_count++] = link;
}

static struct graph read_graph(const char *text)
{
    struct graph g = {.node_count = 0};
    for (const char *p = text; *p;) {
        int n = 0;
        char a, b;
        long long at;
        if (sscanf(p, " %c-%c@%lld%n", &a, &b, &at, &n) == 3) {
            add_link(&g, a, b, at);
        } else {
            assert_int_equal(sscanf(p, " %c@%lld%n", &a, &at, &n), 2);
            node(&g, a, at);
        }
        p += n;
        while (*p == ' ')
            p++;
    }
    return g;
}

/* Every node with the letter that names its profile, by letter: "ab=a c=c" is written a=a b=a c=c. */
static const char *profiles(struct graph *g)
{
    char text[MAX_NODES * 4 + 1] = "";
    size_t n = 0;
    identity_partition(&policy, &arena, g->nodes, g->node_count, g->links, g->link_count);
    for (int letter = 0; letter < 128; letter++)
        for (size_t i = 0; i < g->node_count; i++)
            if (g->nodes[i].identifier_id.bytes[0] == letter)
                n += (size_t)snprintf(text + n, sizeof text - n, "%s%c=%c", n ? " " : "", letter,
                                      g->nodes[g->nodes[i].profile].identifier_id.bytes[0]);
    return arena_printf(&arena, "%s", text);
}

/* In every rotation, forwards and backwards, each link twice: vector 6. */
static void check(const char *text, const char *want)
{
    struct graph g = read_graph(text);
    for (size_t turn = 0; turn < 2 * (g.link_count + 1); turn++) {
        struct graph other = {.node_count = 0};
        for (size_t twice = 0; twice < 2 * g.link_count; twice++) {
            size_t i = (twice + turn) % g.link_count, at = turn % 2 ? i : g.link_count - 1 - i;
            const struct identity_link *l = &g.links[at];
            add_link(&other, (char)g.nodes[l->a].identifier_id.bytes[0], (char)g.nodes[l->b].identifier_id.bytes[0],
                     l->first_seen.us);
        }
        for (size_t i = 0; i < g.node_count; i++)
            node(&other, (char)g.nodes[i].identifier_id.bytes[0], g.nodes[i].first_seen.us);
        assert_string_equal(profiles(&other), want);
    }
    assert_string_equal(profiles(&g), want);
}

static bool is_accepted(const struct graph *g, char a, char b)
{
    for (size_t i = 0; i < g->link_count; i++) {
        char x = (char)g->nodes[g->links[i].a].identifier_id.bytes[0], y = (char)g->nodes[g->links[i].b].identifier_id.bytes[0];
        if ((x == a && y == b) || (x == b && y == a))
            return g->links[i].is_accepted;
    }
    fail_msg("no link %c-%c", a, b);
    return false;
}

/* (1) An e-mail stays with the user seen with it first; the second user's event belongs to the second user. */
static void vector_1_two_users_one_email(void **state)
{
    check("A-e@1 B-e@2", "A=A B=B e=A");
    check("B-e@1 A-e@2", "A=A B=B e=B");
    struct graph g = read_graph("A-e@1 B-e@2");
    profiles(&g);
    assert_true(is_accepted(&g, 'A', 'e'));
    assert_false(is_accepted(&g, 'B', 'e'));
}

/* (2) A chain in any order is one profile, named after the oldest. */
static void vector_2_a_chain(void **state)
{
    check("a-b@1 b-c@2 c-d@3", "a=a b=a c=a d=a");
    check("a-b@3 b-c@2 c-d@1", "a=c b=c c=c d=c");
}

/* (3) A late event that makes another member the oldest: the same people under a new name. */
static void vector_3_another_oldest(void **state)
{
    check("a-b@5 b-c@6", "a=a b=a c=a");
    check("a-b@5 b-c@6 c@1", "a=c b=c c=c");
}

/* (4) Without the link that merged them (cut: left out of the links) it is as if they had never been merged. */
static void vector_4_merged_then_cut(void **state)
{
    check("a-b@1 c-d@2 b-c@3", "a=a b=a c=a d=a");
    check("a-b@1 c-d@2 b@3 c@3", "a=a b=a c=c d=c");
}

static void names_of_one_time_go_by_id(void **state)
{
    check("c-b@1 b-a@1", "a=a b=a c=a");
    check("c-b@1 b-a@2", "a=b b=b c=b");
    check("a@7", "a=a");
}

static void links_of_one_time_go_by_hash(void **state)
{
    check("A-e@1 B-e@1", "A=A B=B e=A");
    check("B-e@1 B-a@1 A-a@1 A-e@1", "A=A B=B a=A e=A"); /* Aa, Ae, then Ba, Be */
}

static void an_older_link_decides(void **state)
{
    check("A-x@5 x-y@6 B-y@7", "A=A B=B x=A y=A");
    check("A-x@5 x-y@6 B-y@4", "A=A B=B x=A y=B"); /* a late event: y was with B before */
    check("A-x@5 x-y@1 B-y@4", "A=A B=x x=x y=x");
}

static void a_refused_link_leaves_both_sides_whole(void **state)
{
    struct graph g = read_graph("A-a@1 a-b@2 B-c@3 c-d@4 b-c@5 d-e@6");
    assert_string_equal(profiles(&g), "A=A B=B a=A b=A c=B d=B e=B");
    assert_false(is_accepted(&g, 'b', 'c'));
    assert_true(is_accepted(&g, 'd', 'e')); /* what comes after is not affected */
}

static void a_link_within_a_profile_is_accepted(void **state)
{
    struct graph g = read_graph("A-a@1 a-b@2 A-b@3");
    profiles(&g);
    assert_true(is_accepted(&g, 'A', 'b'));
}

static void two_unique_types(void **state)
{
    check("A-e@1 e-1@2", "1=A A=A e=A");           /* one of each is fine */
    check("A-e@1 e-1@2 e-2@3", "1=A 2=2 A=A e=A"); /* two of the second */
    check("A-1@1 B-2@2 1-x@3 x-2@4", "1=1 2=2 A=1 B=2 x=1");
    check("A-a@1 1-b@2 a-b@3 2-c@4 b-c@5 B-d@6 c-d@7", "1=A 2=2 A=A B=2 a=A b=A c=2 d=2");
}

static void max_identifiers(void **state)
{
    policy.max_identifiers = 3;
    check("a-b@1 b-c@2 c-d@3 d-e@4", "a=a b=a c=a d=d e=d");
    check("a-b@1 c-d@2 b-c@3", "a=a b=a c=c d=c");           /* 2 + 2 are too many */
    check("a-b@1 c-d@2 b-c@3 b-e@4", "a=a b=a c=c d=c e=a"); /* one more still fits */
    check("a-b@1 b-c@2 a-c@3", "a=a b=a c=a");               /* a link within adds nobody */
    policy.max_identifiers = 1;
    check("a-b@1", "a=a b=b");
}

static void many_in_a_row(void **state)
{
    struct identity_node nodes[2000];
    struct identity_link links[1999];
    policy.max_identifiers = 2000;
    for (uint32_t i = 0; i < 2000; i++)
        nodes[i] = (struct identity_node){.identifier_id = {{(uint8_t)(i >> 8), (uint8_t)i}}, .first_seen = {2000 - i}};
    for (uint32_t i = 0; i < 1999; i++)
        links[i] = (struct identity_link){i, i + 1, {(i * 7919) % 1999}, {{(uint8_t)(i >> 8), (uint8_t)i}}, false};
    identity_partition(&policy, &arena, nodes, 2000, links, 1999);
    for (uint32_t i = 0; i < 2000; i++)
        assert_int_equal(nodes[i].profile, 1999);
    for (uint32_t i = 1; i < 1999; i++)
        assert_true(links[i - 1].first_seen.us <= links[i].first_seen.us);
}

static void nothing_is_nothing(void **state)
{
    identity_partition(&policy, &arena, NULL, 0, NULL, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(vector_1_two_users_one_email),
        TEST(vector_2_a_chain),
        TEST(vector_3_another_oldest),
        TEST(vector_4_merged_then_cut),
        TEST(names_of_one_time_go_by_id),
        TEST(links_of_one_time_go_by_hash),
        TEST(an_older_link_decides),
        TEST(a_refused_link_leaves_both_sides_whole),
        TEST(a_link_within_a_profile_is_accepted),
        TEST(two_unique_types),
        TEST(max_identifiers),
        TEST(many_in_a_row),
        TEST(nothing_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
