/* identity_partition_test.c: links in their order become profiles: the known vectors, the rules
 * that refuse a link, and that the order of arrival does not matter. Graphs are written as in
 * identity_letters.h. */
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
    policy.max_identifiers = 100;
    return 0;
}

static int tear_down(void **state)
{
    arena_free(&arena);
    return 0;
}

/* The words of a text in another order: rotated, then perhaps backwards. */
static const char *reordered(const char *text, size_t turn, bool is_backwards)
{
    const char *words[64];
    size_t count = 0;
    char *copy = arena_printf(&arena, "%s", text), *out = arena_printf(&arena, "%s ", text);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        words[count++] = word;
    *out = '\0';
    for (size_t i = 0; i < count; i++) {
        strcat(out, words[((is_backwards ? count - 1 - i : i) + turn) % count]);
        strcat(out, " ");
    }
    return out;
}

static size_t count_words(const char *text)
{
    size_t count = 1;
    for (; *text; text++)
        count += *text == ' ';
    return count;
}

/* In every rotation, forwards and backwards, each word twice: vector 6. */
static void check(const char *text, const char *want)
{
    static struct letters l;
    for (size_t turn = 0; turn < 2 * count_words(text); turn++) {
        const char *once = reordered(text, turn / 2, turn % 2);
        letters_read(&l, &policy,
                     arena_printf(&arena, "%s %s", once, reordered(text, turn, false)));
        const char *have = letters_profiles(&l, &policy, &arena);
        if (strcmp(have, want) != 0)
            fail_msg("%s: %s instead of %s", once, have, want);
    }
}

/* The links of the graph that are refused, by rule, in the order of the text: "B-e unique". */
static void check_refusals(const char *text, const char *want)
{
    static struct letters l;
    char have[512] = "";
    size_t n = 0;
    letters_read(&l, &policy, text);
    letters_profiles(&l, &policy, &arena);
    for (const char *word = text; *word; word += strcspn(word, " "), word += strspn(word, " ")) {
        if (word[1] != '-' && word[1] != '=' && word[1] != '~')
            continue;
        enum refusal refusal = letters_refusal(&l, word[0], word[2]);
        if (refusal != REFUSED_NOT)
            n += (size_t)snprintf(have + n, sizeof have - n, "%s%c-%c %s", n ? ", " : "", word[0],
                                  word[2], identity_refusal_name(refusal));
    }
    if (strcmp(have, want) != 0)
        fail_msg("%s: \"%s\" instead of \"%s\"", text, have, want);
}

/* (1) An e-mail stays with the user seen with it first; the second user's event belongs to the
 * second user. */
static void vector_1_two_users_one_email(void **state)
{
    check("A-e@1 B-e@2", "A=A B=B e=A");
    check("B-e@1 A-e@2", "A=A B=B e=B");
    check_refusals("A-e@1 B-e@2", "B-e unique");
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

/* (4) Merged, then cut: as if they had never been merged. */
static void vector_4_merged_then_cut(void **state)
{
    check("a-b@1 c-d@2 b-c@3", "a=a b=a c=a d=a");
    check("a-b@1 c-d@2 b-c@3 b/c", "a=a b=a c=c d=c");
    check("a-b@1 c-d@2 b@3 c@3", "a=a b=a c=c d=c");
}

/* (5) A device of ten users: ten profiles, the device alone. With as many as are allowed it still
 * links. */
static void vector_5_a_kiosk(void **state)
{
    policy.types[LETTERS_DEVICE].max_links[LETTERS_USER] = 3;
    check("A-x@1 B-x@2 C-x@3 D-x@4 E-x@5 F-x@6 G-x@7 H-x@8 I-x@9 J-x@10",
          "A=A B=B C=C D=D E=E F=F G=G H=H I=I J=J x=x");
    check("A-x@1 B-x@2 C-x@3", "A=A B=B C=C x=A");
    check("A-x@1 B-x@2 C-x@3 D-x@4", "A=A B=B C=C D=D x=x"); /* which undoes A-x */
    check("A-x@1 x-e@2 x-y@3 x-z@4 x-f@5", "A=A e=A f=A x=A y=A z=A");
    check_refusals("A-x@1 B-x@2 C-x@3 D-x@4",
                   "A-x quarantine, B-x quarantine, C-x quarantine, D-x quarantine");
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
    check("A-a@1 a-b@2 B-c@3 c-d@4 b-c@5 d-e@6", "A=A B=B a=A b=A c=B d=B e=B");
    /* what comes after is not affected */
    check_refusals("A-a@1 a-b@2 B-c@3 c-d@4 b-c@5 d-e@6", "b-c unique");
}

static void a_link_within_a_profile_is_accepted(void **state)
{
    check_refusals("A-a@1 a-b@2 A-b@3", "");
    policy.max_identifiers = 3;
    check_refusals("A-a@1 a-b@2 A-b@3 b-c@4", "b-c max_identifiers");
}

static void two_unique_types(void **state)
{
    policy.types[LETTERS_LOYALTY].is_unique = true;
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
    check("a-b@1 b-c@2 a-c@3", "a=a b=a c=a");               /* a link within adds none */
    policy.max_identifiers = 1;
    check("a-b@1", "a=a b=b");
}

static void some_types_do_not_count(void **state)
{
    policy.types[LETTERS_DEVICE].counts = false;
    policy.max_identifiers = 2;
    check("A-x@1 A-y@2 A-z@3 A-e@4", "A=A e=A x=A y=A z=A");
    check("A-x@1 x-y@2 e-z@3 z-y@4", "A=A e=A x=A y=A z=A"); /* unions as well */
    check_refusals("A-x@1 A-e@2 A-f@3 f-y@4 y-x@5", "A-f max_identifiers, y-x max_identifiers");
    policy.max_degree = 1;
    check("A-x@1 A-y@2 A-e@3", "A=A e=A x=A y=A");
    check("A-x@1 A-e@2 A-f@3", "A=A e=e f=f x=x");
    /* a limit of the type itself comes first */
    policy.types[LETTERS_USER].max_links[LETTERS_DEVICE] = 2;
    check("A-x@1 A-y@2 A-z@3", "A=A x=x y=y z=z");
    policy.types[LETTERS_USER].max_links[LETTERS_DEVICE] = IDENTITY_UNBOUNDED;
    policy.types[LETTERS_DEVICE].limit = 2;
    check("A-x@1 A-y@2 A-z@3", "A=A x=A y=A z=z");
}

/* E-mails stand for sessions: what was seen before the log-in goes with it, also where the device
 * is another person's. */
static void a_session_belongs_to_who_logged_in(void **state)
{
    const char *two = "a-x@1 A-a@2 A-x@2 b-x@3 B-b@4 B-x@4 c-x@5",
               *sessions = " d-x@6 D-d@7 D-x@7 E-x@8";
    check_refusals(two, "B-b unique, B-x unique"); /* all links are equal: the device decides */
    policy.pairs[LETTERS_EMAIL][LETTERS_DEVICE].strength =
        policy.pairs[LETTERS_DEVICE][LETTERS_EMAIL].strength = LINK_WEAK;
    check(two, "A=a B=b a=a b=b c=a x=a");
    policy.types[LETTERS_DEVICE].max_links[LETTERS_USER] = 3;
    check(arena_printf(&arena, "%s%s", two, sessions), "A=a B=b D=d E=E a=a b=b c=c d=d x=x");
}

static void a_degree_above_the_bound_is_quarantine(void **state)
{
    policy.max_degree = 2;
    check("a-b@1 b-c@2", "a=a b=a c=a");
    check("a-b@1 b-c@2 b-d@3", "a=a b=b c=c d=d");
    check("a-b@1 b-c@2 b-d@3 +b", "a=a b=a c=a d=a");
    check("a-b@1 b-c@2 b/c b-d@3", "a=a b=b c=c d=d"); /* a cut link counts */
    check("a-b@1 b-c@2 b=d", "a=a b=a c=a d=a");       /* a manual one does not */
    policy.pairs[LETTERS_EMAIL][LETTERS_DEVICE].may_link =
        policy.pairs[LETTERS_DEVICE][LETTERS_EMAIL].may_link = false;
    check("a-b@1 b-c@2 b-x@3", "a=a b=b c=c x=x"); /* neither does it matter that it may not link */
    check_refusals("a-b@1 b-c@2 b-x@3", "a-b quarantine, b-c quarantine, b-x pair");
}

static void a_released_identifier_links_again(void **state)
{
    policy.types[LETTERS_DEVICE].max_links[LETTERS_USER] = 1;
    check("A-x@1 B-x@2 x-e@3", "A=A B=B e=e x=x");
    check("A-x@1 B-x@2 x-e@3 +x", "A=A B=B e=A x=A");
    check("A-x@1 A=x B-x@2", "A=A B=B x=x"); /* no order to link lifts it */
}

static void cuts(void **state)
{
    check("a-b@1 a/b", "a=a b=b");
    check("a-b@1 b-c@2 a/c", "a=a b=a c=c"); /* whatever path would unite them */
    check("a-b@2 b-c@1 a/c", "a=a b=b c=b");
    check("a-b@1 c-d@2 b-d@3 a-d@4 a/c", "a=a b=a c=c d=c");
    check("a-b@1 c-d@2 e-f@3 b-c@4 d-e@5 f-a@6 a/c b/e", "a=a b=a c=c d=c e=c f=c");
    check_refusals("a-b@1 c-d@2 b-d@3 a-d@4 d-e@5 a/c", "b-d cut, a-d cut");
}

static void manual_links(void **state)
{
    check("a@1 b@2 a=b", "a=a b=a");
    check("A-e@1 B-e@2 B=e", "A=A B=e e=e");     /* they come first */
    check("A-e@1 B-e@2 A=e B=e", "A=A B=B e=A"); /* among themselves by hash, not by time */
    check("A-e@2 B-e@1 A=e B=e", "A=e B=B e=e");
    check("A@1 B@1 A=B", "A=A B=B"); /* and obey */
    check_refusals("A@1 B@1 A=B", "A-B unique");
}

/* Indirect links come after all direct ones, whatever their age. A pair that is seen both ways is
 * direct, since it was first seen so. */
static void indirect_links_come_last(void **state)
{
    check("e-f@1 A-e@2 B-f@3", "A=e B=B e=e f=e");
    check("e~f@1 A-e@2 B-f@3", "A=e B=f e=e f=f");
    check_refusals("e~f@1 A-e@2 B-f@3", "e-f unique");
    check("e~f@1 e-f@2 A-e@2 B-f@3", "A=e B=B e=e f=e");
    check("e~f@1 e-f@9 A-e@2 B-f@3", "A=e B=f e=e f=f");
    check("e~f@5 A@1 f~g@4 A-g@6", "A=A e=A f=A g=A");
    policy.pairs[LETTERS_USER][LETTERS_EMAIL].strength =
        policy.pairs[LETTERS_EMAIL][LETTERS_USER].strength = LINK_WEAK;
    check("e~n@1 A-e@2 B-n@3", "A=e B=n e=e n=n");
}

static void an_indirect_link_can_be_ordered(void **state)
{
    check("e~f@1 A-e@2 B-f@3 e=f", "A=e B=B e=e f=e");
    check("e~f@1 A@2 e/f", "A=A e=e f=f");
}

/* User and loyalty, user and device, loyalty and device: not in the order of their letters. */
static void links_of_one_time_go_by_ranks(void **state)
{
    check_refusals("0-n@1 B-0@1 A-n@1", "0-n unique");
    check_refusals("0~n@1 B~0@1 A~n@1", "0-n unique");
    check_refusals("0=n B=0 A=n", "0-n unique");
}

static void eight_are_linked_with_each_other(void **state)
{
    static const size_t counts[][2] = {{1, 0}, {2, 1}, {3, 3}, {8, 28}, {9, 29}, {30, 50}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        size_t links = 0;
        for (size_t k = 0; k < counts[i][0]; k++)
            for (size_t n = k + 1; n < identity_links_until(k, counts[i][0]); n++)
                links++;
        assert_int_equal(links, counts[i][1]);
    }
}

static void pairs_that_may_not_link(void **state)
{
    policy.pairs[LETTERS_EMAIL][LETTERS_EMAIL].may_link = false;
    check("a-b@1 a-x@2", "a=a b=b x=a");
    check("a-b@1 a-x@2 x-b@3", "a=a b=a x=a"); /* the pair may not link, yet may be one person */
    check_refusals("a-b@9 a-x@2 x-b@3", "a-b pair");
    check("a-b@1 a=b", "a=a b=a"); /* orders may */
    check("x-y@1", "x=x y=x");
}

static void stronger_links_come_first(void **state)
{
    policy.pairs[LETTERS_USER][LETTERS_DEVICE].strength =
        policy.pairs[LETTERS_DEVICE][LETTERS_USER].strength = LINK_WEAK;
    policy.pairs[LETTERS_EMAIL][LETTERS_DEVICE].strength =
        policy.pairs[LETTERS_DEVICE][LETTERS_EMAIL].strength = LINK_STRONG;
    check("A-x@1 B-e@9 e-x@8", "A=A B=x e=x x=x"); /* exact, strong, weak */
    check("A-x@1 B-x@2", "A=A B=B x=A");           /* by time among equals */
    check("A-x@1 B-e@3 e-x@2 A=x", "A=A B=e e=e x=A");
}

static void limits(void **state)
{
    policy.types[LETTERS_EMAIL].limit = 2;
    check("A-a@1 A-b@2 A-c@3", "A=A a=A b=A c=c");
    check("A-a@1 A-b@2 A-c@3 A-x@4", "A=A a=A b=A c=c x=A");
    check("A-a@1 A-b@2 c-d@1 A-c@3", "A=A a=A b=A c=c d=c");
    check("A-a@1 A-b@2 A=c", "A=A a=A b=b c=A"); /* orders count too */
    check_refusals("A-a@1 A-b@2 A-c@3", "A-c limit");
}

static void limits_within_a_window(void **state)
{
    policy.types[LETTERS_EMAIL].limit = 1;
    policy.types[LETTERS_EMAIL].limit_window.us = 10;
    check("A-a@1 A-b@10", "A=A a=A b=b");
    check("A-a@1 A-b@11", "A=A a=A b=A"); /* at 11 nothing up to 1 counts */
    check("A-a@1 A-b@12 A-c@21", "A=A a=A b=A c=c");
    check("A-a@1 A-b@12 A-c@22", "A=A a=A b=A c=A");
    /* the identifier's own first time counts, not that of its link */
    check("A-a@1 A-b@5 a@-9", "A=a a=a b=a");
    check("A-a@1 A-b@5 A=b", "A=A a=A b=A");
}

static void the_first_rule_that_applies_is_named(void **state)
{
    policy.types[LETTERS_EMAIL].limit = 1;
    policy.max_identifiers = 2;
    check_refusals("A-a@1 B-b@2 a-b@3", "a-b unique");
    check_refusals("A-a@1 B-b@2 a-b@3 A/B", "a-b cut");
    check_refusals("x-a@1 y-b@2 a-b@3", "a-b limit");
    check_refusals("x-y@1 y-z@2", "y-z max_identifiers");
    policy.pairs[LETTERS_EMAIL][LETTERS_EMAIL].may_link = false;
    policy.max_degree = 1;
    check_refusals("A-a@1 B-b@2 a-b@3 A/B", "A-a quarantine, B-b quarantine, a-b pair");
    policy.pairs[LETTERS_EMAIL][LETTERS_EMAIL].may_link = true;
    check_refusals("A-a@1 B-b@2 a-b@3 A/B", "A-a quarantine, B-b quarantine, a-b quarantine");
    assert_null(identity_refusal_name(REFUSED_NOT));
}

static void many_in_a_row(void **state)
{
    static struct identity_node nodes[2000];
    static struct identity_link links[1999];
    struct identity_graph graph = {
        .nodes = nodes, .node_count = 2000, .links = links, .link_count = 1999};
    policy.max_identifiers = 2000;
    for (uint32_t i = 0; i < 2000; i++)
        nodes[i] = (struct identity_node){.identifier_id = {{(uint8_t)(i >> 8), (uint8_t)i}},
                                          .first_seen = {2000 - i},
                                          .type = LETTERS_EMAIL};
    for (uint32_t i = 0; i < 1999; i++)
        links[i] = (struct identity_link){.a = i,
                                          .b = i + 1,
                                          .first_seen = {(i * 7919) % 1999},
                                          .hash = {{(uint8_t)(i >> 8), (uint8_t)i}}};
    identity_partition(&policy, &arena, &graph);
    for (uint32_t i = 0; i < 2000; i++)
        assert_int_equal(nodes[i].profile, 1999);
    for (uint32_t i = 1; i < 1999; i++)
        assert_true(links[i - 1].first_seen.us <= links[i].first_seen.us);
}

static void nothing_is_nothing(void **state)
{
    struct identity_graph graph = {.node_count = 0};
    identity_partition(&policy, &arena, &graph);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(vector_1_two_users_one_email),
        TEST(vector_2_a_chain),
        TEST(vector_3_another_oldest),
        TEST(vector_4_merged_then_cut),
        TEST(vector_5_a_kiosk),
        TEST(names_of_one_time_go_by_id),
        TEST(links_of_one_time_go_by_hash),
        TEST(an_older_link_decides),
        TEST(a_refused_link_leaves_both_sides_whole),
        TEST(a_link_within_a_profile_is_accepted),
        TEST(two_unique_types),
        TEST(max_identifiers),
        TEST(some_types_do_not_count),
        TEST(a_session_belongs_to_who_logged_in),
        TEST(a_degree_above_the_bound_is_quarantine),
        TEST(a_released_identifier_links_again),
        TEST(cuts),
        TEST(manual_links),
        TEST(indirect_links_come_last),
        TEST(an_indirect_link_can_be_ordered),
        TEST(links_of_one_time_go_by_ranks),
        TEST(eight_are_linked_with_each_other),
        TEST(pairs_that_may_not_link),
        TEST(stronger_links_come_first),
        TEST(limits),
        TEST(limits_within_a_window),
        TEST(the_first_rule_that_applies_is_named),
        TEST(many_in_a_row),
        TEST(nothing_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
