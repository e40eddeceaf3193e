/* journey_policy_test.c: the default and the bank's policies are read as written; each mistake gets
 * its own clear error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/pack.h"
#include "services/journey-tracker/journey_policy.h"

static enum outcome load_folder(struct arena *arena, const char *folder,
                                struct journey_policy *policy, struct err *err)
{
    struct policy_source source = policy_source_folder(folder);
    return journey_policy_load(arena, &source, policy, err);
}

static void test_retailer(void **state)
{
    struct arena arena = {0};
    struct journey_policy p;
    struct err err = {0};
    assert_int_equal(load_folder(&arena, TUTTI_SOURCE_DIR "/policies", &p, &err), OUTCOME_OK);
    assert_int_equal(p.rule_count, 12);
    assert_int_equal(p.rules[0].stage, STAGE_ADVOCACY);
    assert_int_equal(p.rules[p.rule_count - 1].stage, STAGE_CONSIDERATION);
    assert_int_equal(p.counted_count, 1);
    assert_int_equal(p.counted[0].enough, 3);
    assert_int_equal(p.counted[0].times, 3);
    assert_true(p.counted[0].later_day);
    assert_true(p.at_risk_after.us == 28 * US_PER_DAY && p.lapsed_after.us == 56 * US_PER_DAY);
    assert_true(p.has_creditable && span_is(p.creditable.items[0], "Campaign Sent"));
    assert_int_equal(p.creditable.count, 2);
    assert_int_equal(p.visit_count, 4);
    assert_true(p.visits[0].click_id && span_is(p.visits[1].click_network, "*"));
    assert_int_equal(p.credit.stored, MODEL_LINEAR);
    assert_int_equal(p.credit.models, 2 | 4 | 8);
    assert_int_equal(p.goal_count, 9);
    assert_int_equal(p.goals[3].nth, 2);
    assert_int_equal(p.goals[6].status, STATUS_ACTIVE);
    assert_int_equal(p.influence_count, 2);
    assert_true(!p.influence[0].first_only && p.influence[0].counted_by == 4);
    assert_true(p.influence[1].first_only && p.influence[1].counted_by == 5);
    assert_true(p.influence[1].lookback.us == 30 * US_PER_DAY);
    assert_true(p.goals[8].lower_is_better && p.goals[8].on.direction == DIRECTION_OUTBOUND);
    assert_true(p.goals_asking == 3);
    assert_int_equal(p.channel_count, 4);
    assert_true(p.responses.is_asked && p.responses.within.us == 7 * US_PER_DAY);
    assert_int_equal(p.filters[p.responses.filter].events.count, 2);
    assert_true(p.networks.count > 5 && p.referrers.count > 50);
    arena_free(&arena);
}

static void test_bank(void **state)
{
    struct arena arena = {0};
    struct journey_policy p;
    struct err err = {0};
    assert_int_equal(load_folder(&arena, TUTTI_SOURCE_DIR "/policies/bank", &p, &err), OUTCOME_OK);
    assert_int_equal(p.counted_count, 2);
    assert_false(p.has_creditable);
    assert_int_equal(p.at_risk_on.count, 2);
    assert_true(p.conversions[1].any_value);
    assert_true(p.asks_identified && p.goals[0].identified && p.goals_narrow == 1);
    assert_true(p.influence[0].counted_by == -1 && p.influence[1].counted_by == 2);
    arena_free(&arena);
}

#define ATTRIBUTION "\"attribution\":{\"conversions\":[{\"goal\":\"g\",\"event\":\"Order\"}]}"
#define JOURNEY     "{\"stages\":[]," ATTRIBUTION "}"
#define RULE(rule)  "{\"stages\":[{\"stage\":\"loyalty\",\"rules\":[" rule "]}]," ATTRIBUTION "}"
#define STATUS(s)   "{\"stages\":[],\"status\":{" s "}," ATTRIBUTION "}"
#define CREDITABLE(entry)                                                                          \
    "{\"stages\":[],\"attribution\":{\"conversions\":[],\"creditable\":[" entry "]}}"
#define GOAL(goal) "{\"goals\":[" goal "]}"
#define ORDERS(more)                                                                               \
    GOAL("{\"id\":\"a\",\"measure\":\"count\",\"on\":{\"events\":[\"Order\"]}," more "}")
#define STOCK(what)      GOAL("{\"id\":\"a\",\"measure\":\"stock\"," what "}")
#define CREDIT(keys)     "{\"stages\":[],\"attribution\":{\"conversions\":[]," keys "}}"
#define INFLUENCE(rules) "{\"stages\":[]," ATTRIBUTION ",\"influence\":" rules "}"
#define COUPONS          "{\"id\":\"coupons\",\"measure\":\"count\",\"on\":{\"events\":[\"Coupon\"]}}"
#define RESPONSES(r)     "{\"stages\":[],\"responses\":" r "," ATTRIBUTION "}"

/* Without the section nothing is asked; an empty one has the defaults. */
static void test_responses(void **state)
{
    static const char *const texts[] = {JOURNEY, RESPONSES("{}")};
    for (int i = 0; i < 2; i++) {
        struct arena arena = {0};
        struct journey_policy p;
        struct err err = {0};
        struct journey_documents documents = {0};
        json_parse_span(&arena, span_of(texts[i]), "journey.json", &documents.journey, &err);
        json_parse_span(&arena, SPAN("{\"goals\":[]}"), "goals.json", &documents.goals, &err);
        json_parse_span(&arena, SPAN("{\"rules\":[]}"), "channels.json", &documents.channels, &err);
        assert_int_equal(journey_policy_read(&arena, &documents, &p, &err), OUTCOME_OK);
        assert_int_equal(p.responses.is_asked, i);
        assert_int_equal(p.filter_count, i);
        if (i == 1) {
            assert_true(p.responses.within.us == 7 * US_PER_DAY);
            assert_int_equal(p.filters[0].direction, DIRECTION_OUTBOUND);
            assert_true(span_list_has(&p.filters[0].events, SPAN("Campaign Sent")));
        }
        arena_free(&arena);
    }
}

#define CONVERSIONS(rules) "{\"stages\":[],\"attribution\":{\"conversions\":[" rules "]}}"
#define SOLD(goal, key)    "{\"goal\":\"" goal "\",\"event\":\"Order\"," key "}"

static const struct {
    const char *journey, *goals, *channels, *says;
} mistakes[] = {
    {"{\"stages\":[]}", GOAL(""), "{\"rules\":[]}", "attribution"},
    {"{\"stages\":[],\"sesion\":\"PT1M\"," ATTRIBUTION "}", GOAL(""), "{\"rules\":[]}", "session"},
    {"{\"stages\":[{\"stage\":\"zeal\"}]," ATTRIBUTION "}", GOAL(""), "{\"rules\":[]}",
     "stages[0].stage"},
    {RULE("{}"), GOAL(""), "{\"rules\":[]}", "stages[0].rules[0]: a stage rule needs"},
    {RULE("{\"nth\":2}"), GOAL(""), "{\"rules\":[]}", "stages[0].rules[0]: a stage rule needs"},
    {RULE("{\"events\":[\"Page\"]}"), GOAL(""), "{\"rules\":[]}", "did you mean \"event\"?"},
    {RULE("{\"event\":[\"Page\"]}"), GOAL(""), "{\"rules\":[]}", "stages[0].rules[0].event"},
    {RULE("{\"score_min\":101}"), GOAL(""), "{\"rules\":[]}", "stages[0].rules[0].score_min"},
    {RULE("{\"segment\":\"gold\"}"), GOAL(""), "{\"rules\":[]}", "not in segments.json: \"gold\""},
    {RULE("{\"event\":\"Page\",\"nth\":2}"), GOAL(""), "{\"rules\":[]}",
     "nth needs the event of a conversion"},
    {RULE("{\"event\":\"Order\",\"within\":\"P1D\"}"), GOAL(""), "{\"rules\":[]}", "needs nth"},
    {RULE("{\"event\":\"Order\",\"nth\":9,\"within\":\"P1D\"}"), GOAL(""), "{\"rules\":[]}",
     "too large"},
    {RULE("{\"event\":\"Page\",\"after\":\"Page\"}"), GOAL(""), "{\"rules\":[]}", "after"},
    {STATUS("\"lapsed\":{\"after\":\"P366D\"}"), GOAL(""), "{\"rules\":[]}", "P365D"},
    {STATUS("\"at_risk\":{\"after\":\"P9D\"},\"lapsed\":{\"after\":\"P9D\"}"), GOAL(""),
     "{\"rules\":[]}", "not below"},
    {STATUS("\"at_risk\":{\"on\":[\"X\"]},\"lapsed\":{\"on\":[\"X\"]}"), GOAL(""), "{\"rules\":[]}",
     "both"},
    {RESPONSES("{\"within\":\"PT59M\"}"), GOAL(""), "{\"rules\":[]}",
     "responses.within: expected PT1H to P30D"},
    {RESPONSES("{\"within\":\"P31D\"}"), GOAL(""), "{\"rules\":[]}", "expected PT1H to P30D"},
    {RESPONSES("{\"send\":{}}"), GOAL(""), "{\"rules\":[]}", "did you mean \"sends\""},
    {RESPONSES("{\"sends\":{}}"), GOAL(""), "{\"rules\":[]}", "at least one condition"},
    {RESPONSES("{\"sends\":{\"event\":[\"x\"]}}"), GOAL(""), "{\"rules\":[]}", "events"},
    {JOURNEY, GOAL("{\"id\":\"a\",\"measure\":\"count\"}"), "{\"rules\":[]}", "either"},
    {JOURNEY, GOAL("{\"id\":\"a\",\"measure\":\"stock\",\"on\":{\"value\":\"positive\"}}"),
     "{\"rules\":[]}", "status"},
    {JOURNEY,
     GOAL("{\"id\":\"a\",\"measure\":\"count\",\"on\":{\"value\":\"positive\"},\"parent\":\"b\"}"),
     "{\"rules\":[]}", "parent"},
    {JOURNEY,
     GOAL(
         "{\"id\":\"a\",\"measure\":\"count\",\"on\":{\"value\":\"positive\"},\"within\":\"P1D\"}"),
     "{\"rules\":[]}", "nth"},
    {JOURNEY,
     GOAL("{\"id\":\"a\",\"measure\":\"value\",\"on\":{\"value\":\"positive\"},\"credited\":true}"),
     "{\"rules\":[]}", "credited"},
    {JOURNEY,
     GOAL("{\"id\":\"g\",\"measure\":\"value\",\"on\":{\"events\":[\"Page\"]},\"credited\":"
          "true}"),
     "{\"rules\":[]}", "not among its events"},
    {JOURNEY,
     GOAL("{\"id\":\"g\",\"measure\":\"value\",\"on\":{\"direction\":\"outbound\"},"
          "\"credited\":true}"),
     "{\"rules\":[]}", "a conversion is inbound"},
    {JOURNEY,
     GOAL("{\"id\":\"a\",\"measure\":\"count\",\"on\":{\"value\":\"positive\"}},{\"id\":\"a\","
          "\"measure\":\"count\","
          "\"on\":{\"value\":\"positive\"}}"),
     "{\"rules\":[]}", "twice"},
    {JOURNEY, GOAL(""), "{\"rules\":[{\"channel\":\"a\",\"network\":\"b\"}]}", "rules[0]"},
    {CREDITABLE("{}"), GOAL(""), "{\"rules\":[]}", "a visit needs"},
    {JOURNEY, GOAL("{\"id\":\"g\",\"on\":{},\"measure\":\"count\",\"identified\":true}"),
     "{\"rules\":[]}", "`identified` needs `status`"},
    {CREDITABLE("{\"click_id\":false}"), GOAL(""), "{\"rules\":[]}", "a visit needs"},
    {JOURNEY, ORDERS("\"windows\":[\"year\"]"), "{\"rules\":[]}",
     "goals.json: goals[0].windows[0]: expected one of week|month|quarter"},
    {JOURNEY, ORDERS("\"windows\":[\"week\",\"week\"]"), "{\"rules\":[]}",
     "goals[0].windows[1]: \"week\" stands twice"},
    {JOURNEY, ORDERS("\"windows\":[]"), "{\"rules\":[]}",
     "goals[0].windows: expected at least one"},
    {JOURNEY, ORDERS("\"windws\":[\"week\"]"), "{\"rules\":[]}", "\"windows\""},
    {JOURNEY, STOCK("\"status\":\"active\",\"windows\":[\"week\"]"), "{\"rules\":[]}",
     "goals[0].windows: `windows` needs `on`"},
    {JOURNEY, STOCK("\"segment\":\"gold\""), "{\"rules\":[]}",
     "goals[0].segment: no segment \"gold\" in segments.json"},
    {CREDITABLE("{\"utm_medum\":\"cpc\"}"), GOAL(""), "{\"rules\":[]}", "utm_medium"},
    {CREDITABLE("7"), GOAL(""), "{\"rules\":[]}", "creditable[0]"},
    {CONVERSIONS(SOLD("a", "\"lookback\":\"P366D\"")), GOAL(""), "{\"rules\":[]}",
     "attribution.conversions[0].lookback: must not be above P365D"},
    {CONVERSIONS(SOLD("a", "\"lokback\":\"P3D\"")), GOAL(""), "{\"rules\":[]}", "lookback"},
    {CONVERSIONS(SOLD("a", "\"value\":\"any\"") "," SOLD("b", "\"value\":\"any\"") "," SOLD(
         "c",
         "\"value\":\"any\"") "," SOLD("d",
                                       "\"value\":\"any\"") "," SOLD("a",
                                                                     "\"value\":"
                                                                     "\"any\"") "," SOLD("e",
                                                                                         "\"value\""
                                                                                         ":\"any"
                                                                                         "\"")),
     GOAL(""), "{\"rules\":[]}",
     "attribution.conversions: \"Order\" converts for more than 4 goals"},
    {CREDIT("\"models\":[]"), GOAL(""), "{\"rules\":[]}", "attribution.models"},
    {CREDIT("\"models\":[\"liner\"]"), GOAL(""), "{\"rules\":[]}", "linear"},
    {CREDIT("\"models\":[\"linear\",\"linear\"]"), GOAL(""), "{\"rules\":[]}",
     "models[1]: stands twice"},
    {CREDIT("\"models\":[\"last_touch\"]"), GOAL(""), "{\"rules\":[]}",
     "`stored_model` is linear, which `models` does not list"},
    {CREDIT("\"position\":{\"first\":60}"), GOAL(""), "{\"rules\":[]}", "last"},
    {CREDIT("\"position\":{\"first\":60,\"last\":41}"), GOAL(""), "{\"rules\":[]}",
     "attribution.position: `first` and `last` are more than 100"},
    {CREDIT("\"position\":{\"first\":-1,\"last\":41}"), GOAL(""), "{\"rules\":[]}",
     "position.first"},
    {CREDIT("\"half_life\":\"PT59M\""), GOAL(""), "{\"rules\":[]}",
     "attribution.half_life: must be a time from PT1H to P365D"},
    {CREDIT("\"half_life\":\"P366D\""), GOAL(""), "{\"rules\":[]}", "half_life"},
    {INFLUENCE("[{\"goal\":\"coupon\"}]"), GOAL(COUPONS), "{\"rules\":[]}",
     "influence: there is no goal \"coupon\"; did you mean \"coupons\"?"},
    {INFLUENCE("[{\"goal\":\"g\"},{\"goal\":\"g\"}]"), GOAL(""), "{\"rules\":[]}",
     "influence[1].goal: goal \"g\" stands twice"},
    {INFLUENCE("[{\"gaol\":\"g\"}]"), GOAL(""), "{\"rules\":[]}", "did you mean \"goal\"?"},
    {INFLUENCE("[{\"goal\":\"g\",\"node\":\"kinds\"}]"), GOAL(""), "{\"rules\":[]}",
     "campaign|kind|channel"},
    {INFLUENCE("[{\"goal\":\"g\",\"conversions\":\"last\"}]"), GOAL(""), "{\"rules\":[]}",
     "first|all"},
    {INFLUENCE("[{\"goal\":\"g\",\"lookback\":\"PT23H\"}]"), GOAL(""), "{\"rules\":[]}",
     "influence[0].lookback: expected P1D to P365D"},
    {INFLUENCE("[{\"goal\":\"g\",\"lookback\":\"P366D\"}]"), GOAL(""), "{\"rules\":[]}",
     "expected P1D to P365D"},
    {INFLUENCE("[{},{},{},{},{}]"), GOAL(""), "{\"rules\":[]}", "influence: 5 goals: at most 4"},
    {INFLUENCE("[{\"goal\":\"sent\"}]"),
     GOAL("{\"id\":\"sent\",\"measure\":\"count\",\"on\":{\"direction\":\"outbound\"}}"),
     "{\"rules\":[]}", "influence: no touch of a customer counts for the goal: \"sent\""},
};

static void test_mistakes(void **state)
{
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct arena arena = {0};
        struct journey_policy p;
        struct err err = {0};
        struct journey_documents documents = {0};
        assert_int_equal(json_parse_span(&arena, span_of(mistakes[i].journey), "journey.json",
                                         &documents.journey, &err),
                         OUTCOME_OK);
        assert_int_equal(json_parse_span(&arena, span_of(mistakes[i].goals), "goals.json",
                                         &documents.goals, &err),
                         OUTCOME_OK);
        assert_int_equal(json_parse_span(&arena, span_of(mistakes[i].channels), "channels.json",
                                         &documents.channels, &err),
                         OUTCOME_OK);
        assert_int_not_equal(journey_policy_read(&arena, &documents, &p, &err), OUTCOME_OK);
        if (strstr(err.message, mistakes[i].says) == NULL)
            fail_msg("case %zu: \"%s\" does not say \"%s\"", i, err.message, mistakes[i].says);
        arena_free(&arena);
    }
}

static enum outcome read_with_segments(struct arena *arena, const char *goals,
                                       struct journey_policy *p, struct err *err)
{
    static const char segments[] =
        "{\"segments\":[{\"id\":\"gold\",\"when\":{\"did\":{\"events\":[\"Order\"]}}}]}";
    struct journey_documents documents = {0};
    CHECK(json_parse_span(arena, SPAN(JOURNEY), "journey.json", &documents.journey, err));
    CHECK(json_parse_span(arena, span_of(goals), "goals.json", &documents.goals, err));
    CHECK(
        json_parse_span(arena, SPAN("{\"rules\":[]}"), "channels.json", &documents.channels, err));
    CHECK(json_parse_span(arena, span_of(segments), "segments.json", &documents.segments, err));
    return journey_policy_read(arena, &documents, p, err);
}

static void a_goal_may_count_who_is_in_a_segment(void **state)
{
    static const struct {
        const char *goals, *says; /* NULL: nothing */
    } rows[] = {
        {STOCK("\"segment\":\"gold\""), NULL},
        {STOCK("\"segment\":\"golden\""), "did you mean \"gold\"?"},
        {STOCK("\"segment\":\"gold\",\"status\":\"active\""),
         "either `on` or `status` or `segment`"},
        {STOCK("\"segment\":\"gold\",\"from_stage\":\"purchase\""), "`from_stage` needs `status`"},
        {STOCK("\"segment\":\"gold\",\"identified\":true"), "`identified` needs `status`"},
        {ORDERS("\"segment\":\"gold\""), "only with them"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena arena = {0};
        struct journey_policy p;
        struct err err = {0};
        enum outcome outcome = read_with_segments(&arena, rows[i].goals, &p, &err);
        if ((outcome == OUTCOME_OK) != (rows[i].says == NULL) ||
            (rows[i].says && strstr(err.message, rows[i].says) == NULL))
            fail_msg("row %zu: \"%s\" does not say \"%s\"", i, err.message,
                     rows[i].says ? rows[i].says : "");
        if (outcome == OUTCOME_OK)
            assert_true(span_is(p.goals[0].segment, "gold") && !goal_is_of_touches(&p.goals[0]));
        arena_free(&arena);
    }
}

static void at_most_16_goals_have_windows(void **state)
{
    for (int count = POLICY_MAX_WINDOWED; count <= POLICY_MAX_WINDOWED + 1; count++) {
        struct arena arena = {0};
        struct strbuf goals = {.arena = &arena};
        struct journey_policy p;
        struct err err = {0};
        for (int i = 0; i < count; i++)
            strbuf_addf(&goals,
                        "%s{\"id\":\"%d\",\"measure\":\"count\",\"on\":{\"direction\":\"inbound\"},"
                        "\"windows\":[\"quarter\"]}",
                        i ? "," : "{\"goals\":[", i);
        strbuf_addf(&goals, "]}%c", 0);
        bool fits = count == POLICY_MAX_WINDOWED;
        assert_int_equal(read_with_segments(&arena, goals.ptr, &p, &err) == OUTCOME_OK, fits);
        if (fits)
            assert_true(p.has_windows && p.goals[15].window_slot == 15);
        else
            assert_non_null(strstr(err.message, "goals[16].windows: at most 16 goals"));
        arena_free(&arena);
    }
}

static void test_models(void **state)
{
    struct arena arena = {0};
    struct journey_documents documents = {0};
    struct journey_policy p;
    struct err err = {0};
    struct span text = SPAN(CREDIT("\"models\":[\"time_decay\",\"position_based\"],"
                                   "\"position\":{\"first\":30,\"last\":20},"
                                   "\"half_life\":\"PT12H\",\"stored_model\":\"time_decay\""));
    assert_int_equal(json_parse_span(&arena, text, "journey.json", &documents.journey, &err),
                     OUTCOME_OK);
    assert_int_equal(
        json_parse_span(&arena, SPAN("{\"goals\":[]}"), "goals.json", &documents.goals, &err),
        OUTCOME_OK);
    assert_int_equal(
        json_parse_span(&arena, SPAN("{\"rules\":[]}"), "channels.json", &documents.channels, &err),
        OUTCOME_OK);
    assert_int_equal(journey_policy_read(&arena, &documents, &p, &err), OUTCOME_OK);
    assert_int_equal(p.credit.models, 1 << MODEL_TIME_DECAY | 1 << MODEL_POSITION_BASED);
    assert_int_equal(p.credit.stored, MODEL_TIME_DECAY);
    assert_true(p.credit.first == 30 && p.credit.last == 20);
    assert_true(p.credit.half_life.us == 12 * 3600 * US_PER_SECOND);
    arena_free(&arena);
}

static void a_time_zone_is_looked_up(void **state)
{
    static const struct {
        const char *name, *says;
    } rows[] = {
        {"UTC", NULL},
        {"Asia/Singapore", NULL},
        {"Singapore", "did you mean \"Asia/Singapore\"?"},
        {"New York", "did you mean \"America/New_York\"?"},
        {"America/New-York", "did you mean \"America/New_York\"?"},
        {"Central European Time", "journey.json: reporting_timezone: no time zone"},
    };
    struct arena arena = {0};
    struct zone_set set;
    struct zone_name names[] = {
        {.name = SPAN("Asia/Singapore"), .code = 7, .zone = {.first = 28800}},
        {.name = SPAN("America/New_York"), .code = 2, .zone = {.first = -18000}},
    };
    zone_set_finish(&set, &arena, names, 2);
    assert_true(zone_set_of(&set, 7)->zone.first == 28800);
    assert_null(zone_set_of(&set, 3));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct journey_policy p = {.reporting_timezone = span_of(rows[i].name),
                                   .default_timezone = SPAN("UTC")};
        struct err err = {0};
        enum outcome outcome = journey_policy_set_zones(&arena, &p, &set, &err);
        assert_int_equal(outcome, rows[i].says ? OUTCOME_FATAL : OUTCOME_OK);
        if (rows[i].says && strstr(err.message, rows[i].says) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", err.message, rows[i].says);
    }
    struct journey_policy p = {.reporting_timezone = SPAN("UTC"), .default_timezone = SPAN("?")};
    struct err err = {0};
    assert_int_equal(journey_policy_set_zones(&arena, &p, &set, &err), OUTCOME_FATAL);
    assert_non_null(strstr(err.message, "journey.json: default_timezone: no time zone"));
    arena_free(&arena);
}

#define BODY(top, attribution)                                                                     \
    "{\"stages\":[]," top                                                                          \
    "\"attribution\":{\"conversions\":[{\"goal\":\"g\",\"event\":\"Order\"},{"                     \
    "\"goal\":\"g\",\"event\":\"Loan\"}]" attribution "}}"

static const struct {
    const char *journey, *says; /* NULL: nothing */
} doubtful[] = {
    {BODY("", ""), NULL},
    {BODY("", ",\"creditable\":[\"Campaign Sent\",{\"click_id\":true}]"), NULL},
    {BODY("", ",\"creditable\":[{\"click_id\":true},\"Campaign Sent\",\"Loan\"]"),
     "attribution.creditable: \"Loan\" is a conversion"},
    {"{\"stages\":[],\"attribution\":{\"conversions\":[{\"goal\":\"g\",\"event\":\"Order\"},{"
     "\"goal\":"
     "\"g\",\"event\":\"Order Returned\"}]}}",
     "attribution.conversions[1] has no effect: \"Order Returned\""},
    {BODY("", ",\"lookback\":\"P0D\""), "attribution.lookback: is zero"},
    {BODY("", ",\"lookback\":\"PT1S\""), NULL},
    {BODY("\"session\":\"PT0S\",", ""), "session: is zero"},
    {BODY("\"status\":{\"at_risk\":{\"after\":\"PT0S\"}},", ""), "status.at_risk.after: is zero"},
    {BODY("\"status\":{\"lapsed\":{\"after\":\"PT0S\"}},", ""), "status.lapsed.after: is zero"},
};

static void test_warnings(void **state)
{
    for (size_t i = 0; i < sizeof doubtful / sizeof *doubtful; i++) {
        struct arena arena = {0};
        struct journey_policy p;
        struct warnings warnings;
        struct err err = {0};
        struct journey_documents documents = {0};
        assert_int_equal(json_parse_span(&arena, span_of(doubtful[i].journey), "journey.json",
                                         &documents.journey, &err),
                         OUTCOME_OK);
        assert_int_equal(
            json_parse_span(&arena, SPAN(GOAL("")), "goals.json", &documents.goals, &err),
            OUTCOME_OK);
        assert_int_equal(json_parse_span(&arena, SPAN("{\"rules\":[]}"), "channels.json",
                                         &documents.channels, &err),
                         OUTCOME_OK);
        if (journey_policy_read(&arena, &documents, &p, &err) != OUTCOME_OK)
            fail_msg("row %zu: %s", i, err.message);
        journey_policy_warnings(&arena, &p, &warnings);
        const char *first = warnings.count ? warnings.items[0].ptr : "";
        if (warnings.count != (doubtful[i].says != NULL) ||
            (doubtful[i].says && strstr(first, doubtful[i].says) == NULL))
            fail_msg("row %zu: %zu warnings: \"%s\" does not say \"%s\"", i, warnings.count, first,
                     doubtful[i].says ? doubtful[i].says : "");
        arena_free(&arena);
    }
}

static void test_shipped_give_no_warning(void **state)
{
    static const char *const folders[] = {TUTTI_SOURCE_DIR "/policies",
                                          TUTTI_SOURCE_DIR "/policies/bank"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        struct arena arena = {0};
        struct journey_policy p;
        struct warnings warnings;
        struct err err = {0};
        assert_int_equal(load_folder(&arena, folders[i], &p, &err), OUTCOME_OK);
        journey_policy_warnings(&arena, &p, &warnings);
        if (warnings.count > 0)
            fail_msg("%s: %s", folders[i], warnings.items[0].ptr);
        arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_goal_may_count_who_is_in_a_segment),
        cmocka_unit_test(at_most_16_goals_have_windows),
        cmocka_unit_test(test_retailer),
        cmocka_unit_test(test_bank),
        cmocka_unit_test(test_responses),
        cmocka_unit_test(test_mistakes),

        cmocka_unit_test(test_retailer),
        cmocka_unit_test(test_bank),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_models),
        cmocka_unit_test(a_time_zone_is_looked_up),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_shipped_give_no_warning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
