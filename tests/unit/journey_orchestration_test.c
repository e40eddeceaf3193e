/* journey_orchestration_test.c: orchestration.json is read with its limits; each mistake gets its
 * own clear error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/pack.h"
#include "services/journey-tracker/policy/journey_orchestration.h"
#include "services/journey-tracker/policy/journey_segments.h"
#include "tests/support/journey_documents.h"

static const char segments[] =
    "{\"segments\":[{\"id\":\"complaining\",\"when\":{\"did\":{\"events\":[\"x\"]}}},"
    "{\"id\":\"bereaved\",\"when\":{\"did\":{\"events\":[\"y\"]}}}]}";

static enum outcome read_text(struct arena *arena, const char *text, struct journey_policy *policy,
                              struct err *err)
{
    memset(policy, 0, sizeof *policy);
    assert_int_equal(
        journey_segments_read(arena, document_of(arena, "segments.json", segments), policy, err),
        OUTCOME_OK);
    return journey_orchestration_read(arena, document_of(arena, "orchestration.json", text), policy,
                                      err);
}

#define F              "{\"events\":[\"a\"]}"
#define G              "{\"events\":[\"b\"]}"
#define OFFER(more)    "{\"id\":\"o\",\"product\":\"p\",\"owner\":\"d\"" more "}"
#define RULE(offers)   "{\"id\":\"r\",\"on\":" F ",\"offers\":[" offers "]}"
#define RULES(rules)   "{\"rules\":[" rules "]}"
#define ONE(more)      RULES(RULE(OFFER(",\"expires\":\"P45D\"" more)))
#define GESTURES(more) "{\"rules\":[],\"gestures\":{" more "}}"
#define CASES          "\"case_on\":" F ",\"case_until\":" G
#define LIMIT          "{\"currency\":\"USD\",\"per_case\":\"200\",\"per_agent_month\":\"2000\"}"

static const struct {
    const char *text, *says;
} mistakes[] = {
    {"{\"rule\":[]}", "did you mean \"rules\"?"},
    {"{\"rules\":[],\"never_if\":[\"complaning\"]}",
     "never_if[0]: no segment \"complaning\": declare it in segments.json, for example with "
     "{\"open\": ...}; did you mean \"complaining\"?"},
    {RULES("{\"id\":\"r\",\"on\":{\"event\":[\"a\"]},\"offers\":[" OFFER(
         ",\"expires\":\"P45D\"") "]}"),
     "rules[0].on.event: unknown key, did you mean \"events\"?"},
    {RULES("{\"id\":\"r\",\"on\":" F ",\"offers\":[]}"),
     "rules[0].offers: expected 1 to 16 offers"},
    {RULES("{\"id\":\"r\",\"on\":" F "}"), "\"offers\" is missing"},
    {RULES("{\"id\":\"(r\",\"on\":" F ",\"offers\":[]}"), "does not begin with `(`"},
    {RULES(RULE(OFFER(",\"expires\":\"P45D\"")) "," RULE(OFFER(",\"expires\":\"P45D\""))),
     "rules[1]: rule \"r\" stands twice"},
    {RULES(RULE(OFFER(",\"expires\":\"P45D\"") "," OFFER(",\"expires\":\"P45D\""))),
     "rules[0].offers[1]: offer \"o\" stands twice in its rule"},
    {RULES(RULE(OFFER(""))), "\"expires\" is missing"},
    {RULES(RULE(OFFER(",\"expires\":\"PT59M\""))), "offers[0].expires: expected PT1H to P365D"},
    {RULES(RULE(OFFER(",\"expires\":\"P366D\""))), "PT1H to P365D"},
    {ONE(",\"after\":\"P45D\""), "offers[0]: `after` is not below `expires`"},
    {ONE(",\"cooling\":\"P731D\""), "cooling: expected PT0S to P730D"},
    {ONE(",\"not_if\":[\"owned\"]"), "not_if[0]: no segment \"owned\""},
    {ONE(",\"coolng\":\"P1D\""), "did you mean \"cooling\"?"},
    {ONE(",\"done_on\":" G ",\"cancel_on\":" G), "done_on: equals `cancel_on`"},
    {RULES("{\"id\":\"r\",\"on\":" F ",\"cancel_on\":" G
           ",\"offers\":[" OFFER(",\"expires\":\"P45D\",\"done_on\":" G) "]}"),
     "done_on: equals `cancel_on`"},
    {RULES("{\"id\":\"r\",\"on\":" F ",\"priority\":\"urgent\",\"offers\":[]}"), "low|normal|high"},
    {RULES(RULE("{\"id\":\"o\",\"product\":\"\",\"owner\":\"d\",\"expires\":\"P45D\"}")),
     "product: expected 1 to 64 bytes"},
    {GESTURES(CASES), "\"limits\" is missing"},
    {GESTURES(CASES ",\"limits\":[{\"currency\":\"dollars\",\"per_case\":\"1\","
                    "\"per_agent_month\":\"2\"}]"),
     "limits[0].currency: expected the three letters"},
    {GESTURES(CASES
              ",\"limits\":[{\"currency\":\"USD\",\"per_case\":1,\"per_agent_month\":\"2\"}]"),
     "limits[0].per_case"},
    {GESTURES(CASES ",\"limits\":[" LIMIT "," LIMIT "]"), "currency USD stands twice"},
    {GESTURES("\"case_on\":{\"events\":[\"a\"],\"value\":\"positive\"},\"case_until\":" G
              ",\"limits\":[]"),
     "gestures.case_on: a case is opened and ended by events"},
    {GESTURES(CASES ",\"limits\":[],\"aprover\":\"x\""), "did you mean \"approver\"?"},
};

static void test_mistakes(void **state)
{
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct journey_policy policy;
        struct err err = {0};
        if (read_text(&arena, mistakes[i].text, &policy, &err) == OUTCOME_OK)
            fail_msg("accepted: %s", mistakes[i].text);
        if (strstr(err.message, mistakes[i].says) == NULL ||
            strstr(err.message, "orchestration.json: ") != err.message)
            fail_msg("%s\nsays %s\nnot %s", mistakes[i].text, err.message, mistakes[i].says);
    }
    arena_free(&arena);
}

static void test_what_is_read(void **state)
{
    struct arena arena = {0};
    struct journey_policy policy;
    struct err err = {0};
    const char *text =
        "{\"never_if\":[\"bereaved\"],\"rules\":[{\"id\":\"r\",\"on\":" F ",\"cancel_on\":" G
        ",\"priority\":\"high\",\"offers\":["
        "{\"id\":\"one\",\"title\":\"One\",\"product\":\"p\",\"owner\":\"d\",\"after\":\"P2D\","
        "\"expires\":\"P45D\",\"cooling\":\"P180D\",\"not_if\":[\"complaining\"],\"done_on\":" F
        "},{\"id\":\"two\",\"product\":\"q\",\"owner\":\"e\",\"expires\":\"PT1H\"}]}],"
        "\"gestures\":{" CASES ",\"limits\":[" LIMIT "],\"approver\":\"boss\"}}";
    if (read_text(&arena, text, &policy, &err) != OUTCOME_OK)
        fail_msg("%s", err.message);
    const struct offer *one = &policy.offers.items[0], *two = &policy.offers.items[1];
    assert_int_equal(policy.offers.count, 2);
    assert_true(span_is(one->rule_id, "r") && span_is(one->id, "one") && span_is(two->id, "two"));
    assert_true(one->priority == OFFER_HIGH && two->priority == OFFER_HIGH);
    assert_int_equal(one->not_if, 3);
    assert_int_equal(two->not_if, 2);
    assert_int_equal(policy.offers.not_if, 3);
    assert_true(one->done_on.count == 1 && two->done_on.count == 0);
    assert_true(one->cancel_on.count == 1 && two->cancel_on.count == 1);
    assert_int_equal(one->done_on.items[0], one->on.items[0]); /* equal filters are one */
    assert_true(one->after.us == 2 * US_PER_DAY && one->cooling.us == 180 * US_PER_DAY);
    assert_true(two->after.us == 0 && two->cooling.us == 0);
    const struct gesture_rules *gestures = &policy.offers.gestures;
    assert_true(gestures->is_asked && span_is(gestures->approver, "boss"));
    assert_int_equal(gestures->limit_count, 1);
    assert_int_equal(gestures->limits[0].per_agent_month, 2000000000);
    arena_free(&arena);
}

/* One offer more than there is room for. */
static void test_limits(void **state)
{
    struct arena arena = {0};
    for (int offers = 16; offers <= 17; offers++) {
        struct journey_policy policy;
        struct err err = {0};
        struct strbuf text = {.arena = &arena};
        strbuf_addf(&text, "{\"rules\":[");
        for (int r = 0; r < 4; r++) {
            strbuf_addf(&text, "%s{\"id\":\"r%d\",\"on\":" F ",\"offers\":[", r ? "," : "", r);
            for (int o = 0; o < 16; o++)
                strbuf_addf(&text,
                            "%s{\"id\":\"o%d\",\"product\":\"p\",\"owner\":\"d\",\"expires\":"
                            "\"P1D\"}",
                            o ? "," : "", o);
            strbuf_addf(&text, "]}");
        }
        if (offers == 17)
            strbuf_addf(&text, "," RULE(OFFER(",\"expires\":\"P45D\"")));
        strbuf_addf(&text, "]}");
        enum outcome outcome = read_text(&arena, text.ptr, &policy, &err);
        assert_int_equal(outcome == OUTCOME_OK, offers == 16);
        if (offers == 17)
            assert_non_null(strstr(err.message, "rules[4].offers[0]: at most 64 offers"));
    }
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mistakes),
                                       cmocka_unit_test(test_what_is_read),
                                       cmocka_unit_test(test_limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
