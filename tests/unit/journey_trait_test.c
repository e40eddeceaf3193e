/* journey_trait_test.c: traits.json and its mistakes; which observation counts, in any order and in
 * parts; the examples of docs/figures.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/codec/traits_json.h"
#include "services/journey-tracker/logic/journey.h"
#include "services/journey-tracker/logic/trait.h"
#include "services/journey-tracker/policy/journey_traits.h"
#include "tests/support/random.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct arena arena;

static enum outcome read_traits(const char *text, struct journey_policy *out, struct err *err)
{
    const struct json *document;
    assert_int_equal(json_parse_file(&arena, span_of(text), "traits.json", &document, err),
                     OUTCOME_OK);
    return journey_traits_read(&arena, document, out, err);
}

#define TRAIT(more)                                                                                \
    "{\"traits\":[{\"name\":\"city\",\"type\":\"text\",\"rule\":\"latest\"" more "}]}"

static const struct {
    const char *text, *says;
} mistakes[] = {
    {"{}", "traits"},
    {"{\"trait\":[]}", "did you mean \"traits\""},
    {"{\"traits\":[],\"keep\":\"some\"}", "all|declared"},
    {"{\"traits\":[{\"type\":\"text\",\"rule\":\"latest\"}]}", "name"},
    {"{\"traits\":[{\"name\":\"a\",\"type\":\"txt\",\"rule\":\"latest\"}]}",
     "traits[0].type: expected one of text|number|boolean|date"},
    {"{\"traits\":[{\"name\":\"a\",\"type\":\"text\",\"rule\":\"newest\"}]}",
     "traits[0].rule: expected one of latest|first|max|min"},
    {"{\"traits\":[{\"name\":\"a\",\"type\":\"text\",\"rule\":\"max\"}]}",
     "traits[0].rule: a text has no max"},
    {"{\"traits\":[{\"name\":\"a\",\"type\":\"boolean\",\"rule\":\"min\"}]}",
     "a boolean has no min"},
    {"{\"traits\":[{\"name\":\"a b\",\"type\":\"text\",\"rule\":\"first\"}]}",
     "traits[0].name: expected 1 to 64"},
    {"{\"traits\":[{\"name\":\"last_score\",\"type\":\"number\",\"rule\":\"first\"}]}",
     "Tutti computes \"last_score\""},
    {"{\"traits\":[{\"name\":\"a\",\"type\":\"text\",\"rule\":\"first\"},"
     "{\"name\":\"a\",\"type\":\"date\",\"rule\":\"first\"}]}",
     "traits[1].name: trait \"a\" stands twice"},
    {TRAIT(",\"source\":[\"urn:crm\"]"), "did you mean \"sources\""},
    {TRAIT(",\"sources\":[]"), "expected 1 to 8 sources"},
    {TRAIT(",\"sources\":[\"\"]"), "traits[0].sources[0]: expected 1 to 256 bytes"},
    {TRAIT(",\"sources\":[\"a\",\"a\"]"), "source \"a\" stands twice"},
    {TRAIT(",\"sources\":[7]"), "traits[0].sources[0]"},
    {TRAIT(",\"title\":null"), "title"},
};

static void test_mistakes(void **state)
{
    struct journey_policy *policy = arena_new(&arena, struct journey_policy);
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        struct err err = {0};
        assert_int_not_equal(read_traits(mistakes[i].text, policy, &err), OUTCOME_OK);
        if (strstr(err.message, mistakes[i].says) == NULL)
            fail_msg("case %zu: \"%s\" does not say \"%s\"", i, err.message, mistakes[i].says);
    }
}

static void test_at_most_32(void **state)
{
    struct journey_policy *policy = arena_new(&arena, struct journey_policy);
    for (int count = 32; count <= 33; count++) {
        struct strbuf text = {.arena = &arena};
        struct err err = {0};
        for (int i = 0; i < count; i++)
            strbuf_addf(&text, "%s{\"name\":\"t%d\",\"type\":\"text\",\"rule\":\"latest\"}",
                        i ? "," : "{\"traits\":[", i);
        strbuf_addf(&text, "]}");
        assert_true((read_traits(text.ptr, policy, &err) == OUTCOME_OK) == (count == 32));
    }
}

static void test_read(void **state)
{
    struct journey_policy *policy = arena_new(&arena, struct journey_policy);
    struct err err = {0};
    assert_int_equal(journey_traits_read(&arena, NULL, policy, &err), OUTCOME_OK);
    assert_int_equal(policy->trait_count, 0);
    assert_int_equal(
        read_traits("{\"$schema\":\"x\",\"traits\":[{\"name\":\"born\",\"type\":\"date\",\"rule\":"
                    "\"first\",\"sources\":[\"urn:crm\",\"urn:web\"],\"title\":\"Birth\"}],"
                    "\"keep\":\"declared\"}",
                    policy, &err),
        OUTCOME_OK);
    assert_int_equal(policy->trait_count, 1);
    assert_true(policy->keeps_declared);
    const struct journey_trait *trait = policy->traits;
    assert_int_equal(trait->type, TRAIT_DATE);
    assert_int_equal(trait->rule, TRAIT_FIRST);
    assert_int_equal(trait_source_rank(trait, SPAN("urn:crm")), 0);
    assert_int_equal(trait_source_rank(trait, SPAN("urn:web")), 1);
    assert_int_equal(trait_source_rank(trait, SPAN("urn:shop")), 2);
}

/* ---- observations ---- */
static const struct {
    uint8_t type, rule;
    const char *value, *shown; /* NULL: no observation */
    bool is_unfit;
} observed[] = {
    {TRAIT_TEXT, TRAIT_LATEST, "\" Bonn \"", "Bonn", false},
    {TRAIT_TEXT, TRAIT_LATEST, "5", NULL, true},
    {TRAIT_NUMBER, TRAIT_MAX, "5", "5", false},
    {TRAIT_NUMBER, TRAIT_MAX, "-2.50", "-2.5", false},
    {TRAIT_NUMBER, TRAIT_MAX, "-0.000001", "-0.000001", false},
    {TRAIT_NUMBER, TRAIT_MAX, "100", "100", false},
    {TRAIT_NUMBER, TRAIT_MAX, "0", "0", false},
    {TRAIT_NUMBER, TRAIT_MAX, "-9223372036854.775807", "-9223372036854.775807", false},
    {TRAIT_NUMBER, TRAIT_MAX, "\"5\"", NULL, true},
    {TRAIT_NUMBER, TRAIT_MAX, "null", NULL, false},
    {TRAIT_NUMBER, TRAIT_LATEST, "null", "", false},
    {TRAIT_BOOLEAN, TRAIT_FIRST, "true", "true", false},
    {TRAIT_BOOLEAN, TRAIT_FIRST, "false", "false", false},
    {TRAIT_BOOLEAN, TRAIT_FIRST, "1", NULL, true},
    {TRAIT_DATE, TRAIT_FIRST, "\"2000-02-29\"", "2000-02-29", false},
    {TRAIT_DATE, TRAIT_FIRST, "\"1900-02-29\"", NULL, true},
    {TRAIT_DATE, TRAIT_FIRST, "\"0000-01-01\"", NULL, true},
    {TRAIT_DATE, TRAIT_FIRST, "\"2000-13-01\"", NULL, true},
    {TRAIT_DATE, TRAIT_FIRST, "\"2000-1-01\"", NULL, true},
    {TRAIT_DATE, TRAIT_FIRST, "\"2000-01-01T00:00\"", NULL, true},
};

static struct span said(const char *value)
{
    uint64_t left_out = 0;
    return traits_json_said(
        &arena, span_of(arena_printf(&arena, "{\"a\":1,\"t\":%s,\"z\":\"t\"}", value)), &left_out);
}

static void test_observations(void **state)
{
    for (size_t i = 0; i < COUNT(observed); i++) {
        struct journey_trait trait = {
            .name = SPAN("t"), .type = observed[i].type, .rule = observed[i].rule};
        struct trait_value value;
        bool is_unfit = false;
        bool is_one = trait_observe(&trait, said(observed[i].value), &value, &is_unfit);
        assert_int_equal(is_one, observed[i].shown != NULL);
        assert_int_equal(is_unfit, observed[i].is_unfit);
        struct span shown = is_one ? trait_shown(&trait, &value, &arena) : SPAN_NONE;
        if (is_one && !span_equal(shown, span_of(observed[i].shown)))
            fail_msg("%s is shown as \"" SPAN_FMT "\"", observed[i].value, SPAN_ARG(shown));
    }
}

/* ---- which one counts ---- */
struct saying {
    struct touch_key key;
    uint8_t rank; /* of the source */
    struct trait_value value;
    uint8_t place[TRAIT_PLACE_SIZE];
};

static void place(const struct journey_trait *trait, struct saying *saying)
{
    trait_place(trait, saying->rank, &saying->value, &saying->key, saying->place);
}

static const struct saying *greatest(const struct saying *sayings, size_t count)
{
    const struct saying *best = NULL;
    for (size_t i = 0; i < count; i++)
        if (best == NULL || memcmp(sayings[i].place, best->place, TRAIT_PLACE_SIZE) > 0)
            best = &sayings[i];
    return best;
}

/* Bonn by the web on day 10, Köln by the CRM on day 5, Berlin by the web on day 20. */
static void test_cities(void **state)
{
    const struct journey_trait city = {.rule = TRAIT_LATEST};
    struct saying three[] = {
        {.key.at = {10}, .rank = 1}, {.key.at = {5}, .rank = 0}, {.key.at = {20}, .rank = 1}};
    for (size_t i = 0; i < COUNT(three); i++)
        place(&city, &three[i]);
    assert_ptr_equal(greatest(three, 3), &three[1]);
    three[1] = three[2];
    assert_int_equal(greatest(three, 2)->key.at.us, 20);
    for (size_t i = 0; i < COUNT(three); i++) {
        three[i].rank = 0;
        place(&city, &three[i]);
    }
    assert_int_equal(greatest(three, 3)->key.at.us, 20);
}

static void test_children(void **state)
{
    static const int64_t children[] = {2, 3, 1};
    static const int at[] = {
        [TRAIT_LATEST] = 3, [TRAIT_FIRST] = 1, [TRAIT_MAX] = 2, [TRAIT_MIN] = 3};
    for (int rule = TRAIT_LATEST; rule <= TRAIT_MIN; rule++) {
        const struct journey_trait trait = {.type = TRAIT_NUMBER, .rule = (uint8_t)rule};
        struct saying sayings[3] = {0};
        for (int i = 0; i < 3; i++) {
            sayings[i] = (struct saying){.key.at = {i + 1}, .value.number = children[i]};
            place(&trait, &sayings[i]);
        }
        assert_int_equal(greatest(sayings, 3)->key.at.us, at[rule]);
    }
}

static int by_key(const void *a, const void *b)
{
    return touch_key_compare(&((const struct saying *)a)->key, &((const struct saying *)b)->key);
}

/* The greatest place is what a walk in the order of touchpoints ends with. */
static void test_places_agree_with_the_walk(void **state)
{
    struct random random = {7};
    for (int round = 0; round < 20000; round++) {
        struct journey_trait trait = {.type = TRAIT_NUMBER,
                                      .rule = (uint8_t)random_below(&random, 4)};
        struct saying sayings[6];
        size_t count = 1 + random_below(&random, 6);
        for (size_t i = 0; i < count; i++) {
            sayings[i] = (struct saying){.key = {{(int64_t)random_below(&random, 3) - 1},
                                                 (uint8_t)random_below(&random, 3),
                                                 {{(uint8_t)random_below(&random, 3), (uint8_t)i}},
                                                 (int64_t)random_below(&random, 3) - 1},
                                         .rank = (uint8_t)random_below(&random, 2),
                                         .value.number = (int64_t)random_below(&random, 3) - 1};
            place(&trait, &sayings[i]);
        }
        qsort(sayings, count, sizeof *sayings, by_key);
        const struct saying *held = &sayings[0];
        for (size_t i = 1; i < count; i++)
            if (trait_takes(&trait, held->rank, held->value.number, sayings[i].rank,
                            sayings[i].value.number))
                held = &sayings[i];
        const struct saying *best = greatest(sayings, count);
        assert_int_equal(best->rank, held->rank);
        if (touch_key_compare(&best->key, &held->key) != 0)
            fail_msg("round %d, rule %d", round, trait.rule);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_at_most_32),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_observations),
        cmocka_unit_test(test_cities),
        cmocka_unit_test(test_children),
        cmocka_unit_test(test_places_agree_with_the_walk),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&arena);
    return failed;
}
