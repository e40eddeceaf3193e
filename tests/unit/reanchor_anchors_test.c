/* reanchor_anchors_test.c: the order of a fact's identifiers, and which changes of a policy its
 * anchors allow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/pack.h"
#include "operations/reanchor/anchors.h"
#include "services/identity-resolver/policy/identity_policy.h"

static struct arena arena;

static void the_strongest_comes_first(void **state)
{
    (void)state;
    struct ranked ids[] = {{-1, 2, 0}, {5, 3, 1}, {1, 2, 2}, {INT64_MIN, 2, 3},
                           {7, 1, 4},  {5, 3, 1}, {7, 1, 4}};
    const uint32_t wanted[] = {4, 2, 3, 0, 1}; /* by rank, then as unsigned bytes; once each */
    assert_int_equal(anchors_sort(ids, 7), 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(ids[i].at, wanted[i]);
    assert_int_equal(anchors_sort(ids, 0), 0);
}

static void others_are_big_endian(void **state)
{
    (void)state;
    int64_t keys[ANCHORS_MOST];
    const char others[] = "\0\0\0\0\0\0\1\2\377\377\377\377\377\377\377\376";
    assert_int_equal(anchors_keys(9, (struct span){others, 16}, keys), 3);
    assert_int_equal(keys[0], 9);
    assert_int_equal(keys[1], 258);
    assert_int_equal(keys[2], -2);
    assert_int_equal(anchors_keys(9, SPAN_NONE, keys), 1);
}

/* Both in one line: types, weaker ones later; the calling code does not concern types that are no
 * phone numbers. */
static const struct example {
    const char *before, *after, *error; /* error: NULL if it is allowed */
    bool differ;
} examples[] = {
    {"a:1 b:2", "a:1 b:2", NULL, false},
    {"a:1 b:2", "a:2 b:1", NULL, true},
    {"a:1 b:2", "a:10 b:20", NULL, true},
    {"a:1 b:2", "a:1 b:2 c:3", NULL, true},
    {"a:1 b:2", "a:1", "b cannot be removed or renamed", true},
    {"a:1 b:2", "a:1 c:2", "b cannot be removed or renamed", true},
    {"a:1 x-:2 y-:3", "x-:1 y-:2 a:3", NULL, true},
    {"a:1 x-:2 y-:3", "a:1 y-:2 x-:3", "order of types that link nothing", true},
    {"a:1 x-:2", "a:1 x:2", NULL, false}, /* links now: no other anchor for what is stored */
};

static struct identity_policy *policy_of(const char *types)
{
    struct strbuf text = {.arena = &arena};
    struct identity_policy *policy = arena_new(&arena, struct identity_policy);
    struct err err = {0};
    strbuf_addf(&text, "{\"types\":[");
    for (const char *at = types; at; at = strchr(at, ' '), at = at ? at + 1 : NULL)
        strbuf_addf(&text, "%s{\"type\":\"%c\",\"links\":%s,\"rank\":%d}", at == types ? "" : ",",
                    at[0], at[1] == '-' ? "false" : "true", atoi(strchr(at, ':') + 1));
    strbuf_addf(&text, "]}");
    assert_int_equal(identity_policy_parse(&arena, strbuf_span(&text), "test", policy, &err),
                     OUTCOME_OK);
    return policy;
}

static void what_stored_facts_allow(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        const struct example *e = &examples[i];
        struct err err = {0};
        bool differ = false;
        enum outcome outcome = anchors_check_rules(NULL, &arena, policy_of(e->after),
                                                   policy_of(e->before), &differ, &err);
        assert_int_equal(differ, e->differ);
        assert_int_equal(outcome, e->error ? OUTCOME_FATAL : OUTCOME_OK);
        if (e->error)
            assert_non_null(strstr(err.message, e->error));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_strongest_comes_first),
        cmocka_unit_test(others_are_big_endian),
        cmocka_unit_test(what_stored_facts_allow),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&arena);
    return failed;
}
