/* journey_segments_test.c: segments.json is read with its limits; each mistake gets its own clear
 * error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/pack.h"
#include "services/journey-tracker/policy/journey_segments.h"
#include "services/journey-tracker/policy/journey_traits.h"
#include "tests/support/journey_documents.h"

static const char traits[] =
    "{\"traits\":[{\"name\":\"income\",\"type\":\"text\",\"rule\":\"latest\"},"
    "{\"name\":\"children\",\"type\":\"number\",\"rule\":\"max\"},"
    "{\"name\":\"born\",\"type\":\"date\",\"rule\":\"first\"},"
    "{\"name\":\"member\",\"type\":\"boolean\",\"rule\":\"latest\"}]}";

static enum outcome read_segments(struct arena *arena, const char *text,
                                  struct journey_policy *policy, struct err *err)
{
    memset(policy, 0, sizeof *policy);
    assert_int_equal(
        journey_traits_read(arena, document_of(arena, "segments.json", traits), policy, err),
        OUTCOME_OK);
    return journey_segments_read(arena, document_of(arena, "segments.json", text), policy, err);
}

#define WHEN(condition) "{\"segments\":[{\"id\":\"s\",\"when\":" condition "}]}"
#define F               "{\"events\":[\"Order Completed\"]}"
#define GOLD(more)      "{\"spent\":" F ",\"measure\":\"value\",\"currency\":\"USD\"" more "}"

#define TIERS(tiers)                                                                               \
    "{\"segments\":[{\"id\":\"gold\",\"when\":{\"did\":" F "}},"                                   \
    "{\"id\":\"old\",\"when\":{\"not\":{\"did\":" F "}}}],\"tiers\":[" tiers "]}"

static const struct {
    const char *segments, *says;
} mistakes[] = {
    {"{\"segment\":[]}", "did you mean \"segments\"?"},
    {TIERS(""), "tiers: expected 1 to 16 tiers"},
    {TIERS("{\"tier\":\"gold\",\"segment\":\"gld\"}"),
     "segment \"gld\" is not in this file; did you mean"},
    {TIERS("{\"tier\":\"\",\"segment\":\"gold\"}"), "tiers[0].tier: a tier has 1 to 64 bytes"},
    {TIERS("{\"tier\":\"a\",\"segment\":\"gold\"},{\"tier\":\"a\",\"segment\":\"old\"}"),
     "tiers[1]: tier \"a\" stands twice"},
    {TIERS("{\"tier\":\"a\",\"segment\":\"gold\"},{\"tier\":\"b\",\"segment\":\"gold\"}"),
     "segment \"gold\" has a tier already"},
    {TIERS("{\"tier\":\"a\"}"), "segment"},
    {WHEN("7"), "segments[0].when: expected a condition"},
    {WHEN("{}"), "exactly one of all, any, not"},
    {WHEN("{\"didd\":" F "}"), "did you mean \"did\"?"},
    {WHEN("{\"did\":" F ",\"status\":[\"active\"]}"), "exactly one of"},
    {WHEN("{\"did\":{}}"), "segments[0].when.did: a filter needs at least one condition"},
    {WHEN("{\"did\":{\"event\":[\"x\"]}}"), "did you mean \"events\"?"},
    {WHEN("{\"did\":" F ",\"at_least\":17}"), "1 to 16"},
    {WHEN("{\"did\":" F ",\"at_most\":16}"), "0 to 15"},
    {WHEN("{\"did\":" F ",\"at_least\":1,\"at_most\":3}"), "use two atoms"},
    {WHEN("{\"did\":" F ",\"within\":\"P731D\"}"), "PT1H to P730D"},
    {WHEN("{\"did\":" F ",\"within\":\"PT59M\"}"), "PT1H to P730D"},
    {WHEN("{\"did\":" F ",\"wihtin\":\"P7D\"}"), "did you mean \"within\"?"},
    {WHEN(GOLD(",\"at_least\":\"1\"")), "\"spent\" needs \"within\""},
    {WHEN(GOLD(",\"at_least\":\"1\",\"within\":\"PT36H\"")), "whole days"},
    {WHEN(GOLD(",\"within\":\"P7D\"")), "one of \"at_least\" and \"below\""},
    {WHEN(GOLD(",\"at_least\":\"1\",\"below\":\"2\",\"within\":\"P7D\"")), "one of \"at_least\""},
    {WHEN(GOLD(",\"at_least\":\"1.1234567\",\"within\":\"P7D\"")), "such as \"99.50\""},
    {WHEN(GOLD(",\"at_least\":\"1,5\",\"within\":\"P7D\"")), "such as \"99.50\""},
    {WHEN("{\"spent\":" F ",\"measure\":\"revenue\",\"currency\":\"USD\",\"at_least\":\"1\","
          "\"within\":\"P7D\"}"),
     "value|margin|cost"},
    {WHEN("{\"spent\":" F ",\"measure\":\"value\",\"currency\":\"dollars\",\"at_least\":\"1\","
          "\"within\":\"P7D\"}"),
     "three letters"},
    {WHEN("{\"open\":" F "}"), "\"until\" is missing"},
    {WHEN("{\"trait\":\"incom\",\"is\":\"x\"}"),
     "trait \"incom\" is not in traits.json; did you mean \"income\"?"},
    {WHEN("{\"trait\":\"children\",\"is\":\"two\"}"), "trait \"children\" is a number"},
    {WHEN("{\"trait\":\"children\",\"is\":0.1234567}"), "trait \"children\" is a number"},
    {WHEN("{\"trait\":\"income\",\"in\":[3]}"), "in[0]: trait \"income\" is a text"},
    {WHEN("{\"trait\":\"born\",\"at_most\":\"2001-02-29\"}"), "a date such as"},
    {WHEN("{\"trait\":\"member\",\"is\":1}"), "true or false"},
    {WHEN("{\"trait\":\"income\",\"at_least\":\"x\"}"), "is a text: it has no order"},
    {WHEN("{\"trait\":\"income\"}"), "one of is, in, at_least, at_most, known"},
    {WHEN("{\"trait\":\"income\",\"known\":false}"), "for the opposite use \"not\""},
    {WHEN("{\"last_score\":{\"at_least\":1,\"at_most\":2}}"), "one of \"at_least\""},
    {WHEN("{\"last_score\":{\"at_least\":101}}"), "-100 to 100"},
    {WHEN("{\"stage\":[\"buying\"]}"), "inquiry|consideration"},
    {WHEN("{\"stage\":\"purchase\"}"), "expected a list"},
    {WHEN("{\"stage_at_least\":[\"purchase\"]}"), "expected one stage"},
    {WHEN("{\"status\":[\"at risk\"]}"), "active|at_risk|lapsed|won_back"},
    {WHEN("{\"new_within\":\"P3Y\"}"), "PT1H to P730D"},
    {WHEN("{\"all\":[]}"), "1 to 16 conditions"},
    {WHEN("{\"not\":{\"not\":{\"not\":{\"not\":{\"not\":{\"new_within\":\"P1D\"}}}}}}"),
     "segments[0].when.not.not.not.not.not: nested deeper than 4"},
    {"{\"segments\":[{\"id\":\"gold\",\"when\":{\"segment\":\"golden\"}}]}",
     "segment \"golden\" does not stand above this one"},
    {"{\"segments\":[{\"id\":\"gold\",\"when\":{\"new_within\":\"P1D\"}},{\"id\":\"b\",\"when\":{"
     "\"segment\":\"golden\"}}]}",
     "did you mean \"gold\"?"},
    {"{\"segments\":[{\"id\":\"vip\",\"when\":{\"new_within\":\"P1D\"}},{\"id\":\"vip\",\"when\":{"
     "\"new_within\":\"P1D\"}}]}",
     "segment \"vip\" stands twice"},
    {"{\"segments\":[{\"id\":\"(all)\",\"when\":{\"new_within\":\"P1D\"}}]}",
     "does not begin with"},
};

static void test_mistakes(void **state)
{
    struct arena arena = {0};
    struct journey_policy *policy = arena_new(&arena, struct journey_policy);
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct err err = {0};
        if (read_segments(&arena, mistakes[i].segments, policy, &err) == OUTCOME_OK)
            fail_msg("row %zu: %s is read", i, mistakes[i].segments);
        if (strstr(err.message, mistakes[i].says) == NULL)
            fail_msg("row %zu: \"%s\" does not say \"%s\"", i, err.message, mistakes[i].says);
    }
    arena_free(&arena);
}

/* n segments, each of them: before, its number, after. */
static const char *many(struct arena *arena, int n, const char *before, const char *after)
{
    struct strbuf out = {.arena = arena};
    strbuf_addf(&out, "{\"segments\":[");
    for (int i = 0; i < n; i++)
        strbuf_addf(&out, "%s{\"id\":\"s%d\",%s%d%s}", i ? "," : "", i, before, i + 1, after);
    strbuf_addf(&out, "]}");
    pack_byte(&out, 0);
    return out.ptr;
}

static void test_limits(void **state)
{
    static const struct {
        const char *before, *after;
        int most;
        const char *says;
    } limits[] = {
        {"\"when\":{\"new_within\":\"P", "D\"}", 32, "at most 32 segments"},
        {"\"figures\":true,\"when\":{\"new_within\":\"P", "D\"}", 8,
         "9 segments with figures: at most 8"},
        {"\"when\":{\"spent\":{\"campaigns\":[\"",
         "\"]},\"measure\":\"cost\",\"currency\":\"EUR\","
         "\"below\":\"1\",\"within\":\"P1D\"}",
         4, "more than 4 different sums"},
        {"\"when\":{\"any\":[{\"new_within\":\"P1D\"},{\"did\":{\"campaigns\":[\"",
         "\"]}},{\"did\":{\"events\":[\"x\"]}},{\"status\":[\"active\"]}]}", 32, NULL},
    };
    struct arena arena = {0};
    struct journey_policy *policy = arena_new(&arena, struct journey_policy);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct err err = {0};
        const char *text = many(&arena, limits[i].most, limits[i].before, limits[i].after);
        if (read_segments(&arena, text, policy, &err) != OUTCOME_OK)
            fail_msg("row %zu: %s", i, err.message);
        text = many(&arena, limits[i].most + 1, limits[i].before, limits[i].after);
        assert_int_not_equal(read_segments(&arena, text, policy, &err), OUTCOME_OK);
        if (limits[i].says && strstr(err.message, limits[i].says) == NULL)
            fail_msg("row %zu: \"%s\"", i, err.message);
    }
    arena_free(&arena);
}

static void test_what_is_shared(void **state)
{
    struct arena arena = {0};
    struct journey_policy *policy = arena_new(&arena, struct journey_policy);
    struct err err;
    assert_int_equal(
        read_segments(
            &arena,
            "{\"segments\":[{\"id\":\"recent\",\"owner\":\"crm\",\"figures\":true,\"when\":"
            "{\"did\":" F ",\"within\":\"P30D\"}},"
            "{\"id\":\"often\",\"when\":{\"all\":[{\"did\":" F
            ",\"at_least\":3,\"within\":\"P90D\"},{\"did\":" F ",\"within\":\"P30D\"},"
            "{\"segment\":\"recent\"}]}}]}",
            policy, &err),
        OUTCOME_OK);
    const struct segment_rules *rules = &policy->segments;
    assert_int_equal(rules->count, 2);
    assert_int_equal(rules->atom_count, 2);
    assert_int_equal(rules->slot_count, 1);
    assert_int_equal(rules->slots[0].times, 3);
    assert_true(rules->slots[0].longest.us == 90 * US_PER_DAY);
    assert_int_equal(rules->with_figures, 1);
    assert_int_equal(policy->filter_count, 1);
    assert_true(span_is(rules->items[0].owner, "crm"));
    arena_free(&arena);
}

static void test_tiers(void **state)
{
    struct arena arena = {0};
    struct journey_policy *policy = arena_new(&arena, struct journey_policy);
    struct err err;
    const char *text =
        TIERS("{\"tier\":\"b\",\"segment\":\"old\"},{\"tier\":\"a\",\"segment\":\"gold\"}");
    assert_int_equal(read_segments(&arena, text, policy, &err), OUTCOME_OK);
    assert_int_equal(policy->segments.tier_count, 2);
    assert_true(span_is(policy->segments.tiers[0].tier, "b"));
    assert_true(span_is(policy->segments.tiers[0].segment, "old"));
    assert_true(span_is(policy->segments.tiers[1].segment, "gold"));
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mistakes),
                                       cmocka_unit_test(test_tiers), cmocka_unit_test(test_limits),
                                       cmocka_unit_test(test_what_is_shared)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
