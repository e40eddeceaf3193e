/* goal_targets_test.c: targets.json is read as written; each mistake gets its own clear error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "operations/policies/goal_targets.h"
#include "services/journey-tracker/journey_policy.h"

static enum outcome read_targets(struct arena *arena, const char *text, struct goal_targets *out,
                                 struct err *err)
{
    static struct target_goal known[] = {{SPAN("orders"), false}, {SPAN("sale"), true}};
    const struct target_goals goals = {.items = known, .count = 2};
    const struct json *document = NULL;
    assert_int_equal(json_parse_file(arena, span_of(text), "targets.json", &document, err),
                     OUTCOME_OK);
    return goal_targets_read(arena, document, &goals, out, err);
}

#define ONE(more)     "{\"goal\":\"orders\"," more "}"
#define REST          "\"period\":\"week\",\"from\":\"2026-01-31\",\"value\":\"7\""
#define TARGETS(list) "{\"targets\":[" list "]}"

static const struct {
    const char *targets, *says;
} mistakes[] = {
    {"{\"target\":[]}", "did you mean \"targets\"?"},
    {TARGETS("{\"goal\":\"order\"," REST "}"),
     "targets[0].goal: there is no goal \"order\"; did you mean \"orders\"?"},
    {TARGETS(ONE("\"from\":\"2026-01-31\",\"value\":\"7\"")), "period"},
    {TARGETS(ONE(REST ",\"departement\":\"x\"")), "did you mean \"department\"?"},
    {TARGETS(ONE(REST ",\"department\":\"\"")), "a department has a name"},
    {TARGETS(ONE("\"period\":\"year\",\"from\":\"2026-01-31\",\"value\":\"7\"")),
     "targets[0].period"},
    {TARGETS(ONE("\"period\":\"day\",\"from\":\"2026-02-30\",\"value\":\"7\"")),
     "targets[0].from: expected a date such as 2026-01-31, got \"2026-02-30\""},
    {TARGETS(ONE("\"period\":\"day\",\"from\":\"2026-01-31T00:00:00Z\",\"value\":\"7\"")),
     "expected a date"},
    {TARGETS(ONE("\"period\":\"day\",\"from\":\"2026-01-31\",\"value\":7")),
     "targets[0].value: expected an amount as text"},
    {TARGETS(ONE("\"period\":\"day\",\"from\":\"2026-01-31\",\"value\":\"0.0000001\"")),
     "expected an amount as text"},
    {TARGETS(ONE("\"period\":\"day\",\"from\":\"2026-01-31\",\"value\":\"1,5\"")),
     "expected an amount as text"},
    {TARGETS(ONE("\"period\":\"day\",\"from\":\"2026-01-31\",\"value\":\"-1\"")), "0 or more"},
    {TARGETS(ONE(REST ",\"currency\":\"EUR\"")), "the goal \"orders\" is no amount of money"},
    {TARGETS("{\"goal\":\"sale\"," REST "}"), "needs `currency`"},
    {TARGETS("{\"goal\":\"sale\",\"currency\":\"euro\"," REST "}"), "the three letters"},
    {TARGETS(ONE(REST) "," ONE(REST ",\"department\":\"(all)\"")),
     "targets[1]: targets[0] is for the same goal, department, period and date"},
};

static enum outcome load_folder(struct arena *arena, const char *folder,
                                struct journey_policy *policy, struct err *err)
{
    struct policy_source source = policy_source_folder(folder);
    return journey_policy_load(arena, &source, policy, err);
}

static void test_mistakes(void **state)
{
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct arena arena = {0};
        struct goal_targets targets;
        struct err err = {0};
        if (read_targets(&arena, mistakes[i].targets, &targets, &err) != OUTCOME_FATAL)
            fail_msg("row %zu: %s", i, mistakes[i].targets);
        if (strstr(err.message, mistakes[i].says) == NULL)
            fail_msg("row %zu: \"%s\"", i, err.message);
        arena_free(&arena);
    }
}

static void test_what_is_read(void **state)
{
    struct arena arena = {0};
    struct goal_targets t;
    struct err err = {0};
    assert_int_equal(
        read_targets(
            &arena,
            TARGETS(ONE(REST) "," ONE(
                REST ",\"department\":\"shop\"") ","
                                                 "{\"goal\":\"sale\",\"currency\":\"usd\"," REST
                                                 "},"
                                                 "{\"goal\":\"sale\",\"currency\":\"EUR\","
                                                 "\"period\":\"quarter\","
                                                 "\"from\":\"2026-02-28\",\"value\":\"999999999999."
                                                 "999999\"}"),
            &t, &err),
        OUTCOME_OK);
    assert_int_equal(t.count, 4);
    assert_true(span_is(t.items[0].department, "(all)") && t.items[0].currency.ptr == NULL);
    assert_true(span_is(t.items[1].department, "shop") && t.items[1].micros == 7000000);
    assert_true(span_is(t.items[2].currency, "USD") && span_is(t.items[2].period, "week"));
    assert_true(span_is(t.items[3].from, "2026-02-28") && span_is(t.items[3].period, "quarter"));
    assert_true(t.items[3].micros == INT64_C(999999999999999999));
    assert_int_equal(read_targets(&arena, TARGETS(""), &t, &err), OUTCOME_OK);
    assert_int_equal(t.count, 0);
    arena_free(&arena);
}

static void test_goals_of_a_policy(void **state)
{
    struct arena arena = {0};
    struct journey_policy *policy = arena_new(&arena, struct journey_policy);
    struct err err = {0};
    assert_int_equal(load_folder(&arena, TUTTI_SOURCE_DIR "/policies", policy, &err), OUTCOME_OK);
    struct target_goals goals = target_goals_of(&arena, policy);
    assert_int_equal(goals.count, policy->goal_count);
    assert_true(span_is(goals.items[0].id, "profitable_relationships") && goals.items[0].is_money);
    assert_true(span_is(goals.items[1].id, "sale") && goals.items[1].is_money);
    assert_true(span_is(goals.items[2].id, "orders") && !goals.items[2].is_money);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mistakes),
                                       cmocka_unit_test(test_what_is_read),
                                       cmocka_unit_test(test_goals_of_a_policy)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
