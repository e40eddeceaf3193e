/* journey_filter_test.c: what each condition of a filter means, one row per rule; each mistake gets
 * its own clear error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "services/journey-tracker/policy/journey_filter.h"
#include "tests/support/journey_documents.h"

static const struct filter_subject order = {.event = SPAN("Order Completed"),
                                            .channel = SPAN("web"),
                                            .network = SPAN("google"),
                                            .department = SPAN("shop"),
                                            .purpose = SPAN("sale"),
                                            .campaign = SPAN("spring-7"),
                                            .category = SPAN("home/ovens"),
                                            .score_kind = SPAN("nps"),
                                            .direction = DIRECTION_INBOUND};
static const struct filter_subject bare = {
    .event = SPAN("Order Completed"), .channel = SPAN("web"), .direction = DIRECTION_INBOUND};
static const struct filter_subject failed = {.event = SPAN("Email Bounced"),
                                             .channel = SPAN("email")};

static const struct {
    const char *filter;
    const struct filter_subject *subject;
    enum filter_answer answer;
} rows[] = {
    {"{\"events\":[\"Page\",\"Order Completed\"]}", &order, FILTER_YES},
    {"{\"events\":[\"Order*\"]}", &order, FILTER_NO},
    {"{\"events\":[\"order completed\"]}", &order, FILTER_NO},
    {"{\"channels\":[\"web\"],\"departments\":[\"shop\"],\"purposes\":[\"sale\"]}", &order,
     FILTER_YES},
    {"{\"channels\":[\"web\"],\"departments\":[\"bank\"]}", &order, FILTER_NO},
    {"{\"departments\":[\"shop\"]}", &bare, FILTER_NO},
    {"{\"networks\":[\"goo*\"]}", &order, FILTER_YES},
    {"{\"networks\":[\"*\"]}", &bare, FILTER_NO},
    {"{\"campaigns\":[\"spring*\"]}", &order, FILTER_YES},
    {"{\"campaigns\":[\"Spring*\"]}", &order, FILTER_NO},
    {"{\"categories\":[\"home\"]}", &order, FILTER_YES},
    {"{\"categories\":[\"home/ovens\"]}", &order, FILTER_YES},
    {"{\"categories\":[\"home/ov*\"]}", &order, FILTER_YES},
    {"{\"categories\":[\"ho\"]}", &order, FILTER_BY_LINES},
    {"{\"categories\":[\"home/ovens/large\"]}", &order, FILTER_BY_LINES},
    {"{\"categories\":[\"*/ovens\"]}", &order, FILTER_YES},
    {"{\"categories\":[\"home\"],\"channels\":[\"pos\"]}", &order, FILTER_NO},
    {"{\"categories\":[\"home\"]}", &bare, FILTER_BY_LINES},
    {"{\"score_kind\":\"nps\"}", &order, FILTER_YES},
    {"{\"score_kind\":\"csat\"}", &order, FILTER_NO},
    {"{\"score_kind\":\"nps\"}", &bare, FILTER_NO},
    {"{\"direction\":\"inbound\"}", &order, FILTER_YES},
    {"{\"direction\":\"outbound\"}", &order, FILTER_NO},
    {"{\"channels\":[\"email\"]}", &failed, FILTER_NO},
    {"{\"events\":[\"Email Bounced\"]}", &failed, FILTER_YES},
    {"{\"value\":\"positive\"}", &bare, FILTER_YES},
};

static struct touch_filter filter_of(struct arena *arena, const char *text)
{
    struct touch_filter filter;
    struct err err;
    if (journey_filter_read(arena, document_of(arena, "goals.json", text), &filter, &err) !=
        OUTCOME_OK)
        fail_msg("%s: %s", text, err.message);
    return filter;
}

static void test_conditions(void **state)
{
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct touch_filter filter = filter_of(&arena, rows[i].filter);
        int answer = filter_ask(&filter, rows[i].subject);
        if (answer != (int)rows[i].answer)
            fail_msg("row %zu, %s: %d", i, rows[i].filter, answer);
    }
    arena_free(&arena);
}

static void test_lines(void **state)
{
    struct arena arena = {0};
    struct touch_filter filter = filter_of(&arena, "{\"categories\":[\"food\",\"home/ov*\"]}");
    assert_true(filter_has_line(&filter, SPAN("p1\x1f"
                                              "toys\np2\x1f"
                                              "food/fruit\n")));
    assert_true(filter_has_line(&filter, SPAN("\x1fhome/ovens\n")));
    assert_false(filter_has_line(&filter, SPAN("food\x1ftoys\n\x1f"
                                               "foods\n")));
    assert_false(filter_has_line(&filter, SPAN("")));
    arena_free(&arena);
}

static void test_value_and_score(void **state)
{
    struct arena arena = {0};
    struct touch_filter value = filter_of(&arena, "{\"value\":\"positive\"}"),
                        low = filter_of(&arena, "{\"score_max\":-50}"),
                        band = filter_of(&arena, "{\"score_min\":0,\"score_max\":20}");
    assert_true(filter_admits(&value, true, INT16_MIN) && !filter_admits(&value, false, 7));
    assert_true(filter_admits(&low, false, -50) && filter_admits(&low, false, -100));
    assert_false(filter_admits(&low, false, -49) || filter_admits(&low, true, INT16_MIN));
    assert_true(filter_admits(&band, false, 0) && filter_admits(&band, false, 20));
    assert_false(filter_admits(&band, false, -1) || filter_admits(&band, false, 21));
    arena_free(&arena);
}

static void test_equality(void **state)
{
    struct arena arena = {0};
    struct touch_filter a = filter_of(&arena, "{\"events\":[\"A\",\"B\"],\"score_min\":0}"),
                        b = filter_of(&arena, "{\"score_min\":0,\"events\":[\"A\",\"B\"]}"),
                        c = filter_of(&arena, "{\"events\":[\"A\"],\"score_min\":0}"),
                        d = filter_of(&arena, "{\"channels\":[\"A\",\"B\"],\"score_min\":0}");
    assert_true(filter_equal(&a, &b));
    assert_false(filter_equal(&a, &c) || filter_equal(&a, &d));
    arena_free(&arena);
}

static const struct {
    const char *filter, *says;
} mistakes[] = {
    {"{}", "at least one condition"},
    {"{\"event\":[\"A\"]}", "did you mean \"events\"?"},
    {"{\"evnts\":[\"A\"]}", "did you mean \"events\"?"},
    {"{\"categorys\":[\"A\"]}", "did you mean \"categories\"?"},
    {"{\"events\":\"A\"}", "a list"},
    {"{\"events\":[]}", "1 to 32 texts"},
    {"{\"events\":[\"\"]}", "goals.json: events[0]: an empty text"},
    {"{\"events\":[7]}", "events[0]"},
    {"{\"direction\":\"none\"}", "one of inbound|outbound"},
    {"{\"value\":\"any\"}", "one of positive"},
    {"{\"score_min\":101}", "-100 to 100"},
    {"{\"score_max\":\"x\"}", "score_max"},
    {"{\"score_min\":5,\"score_max\":4}", "no score is both"},
};

static void test_mistakes(void **state)
{
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct touch_filter filter;
        struct err err = {0};
        assert_int_equal(journey_filter_read(&arena,
                                             document_of(&arena, "goals.json", mistakes[i].filter),
                                             &filter, &err),
                         OUTCOME_REJECT);
        if (strstr(err.message, mistakes[i].says) == NULL)
            fail_msg("row %zu: \"%s\" does not say \"%s\"", i, err.message, mistakes[i].says);
    }
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conditions),      cmocka_unit_test(test_lines),
        cmocka_unit_test(test_value_and_score), cmocka_unit_test(test_equality),
        cmocka_unit_test(test_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
