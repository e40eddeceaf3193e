/* suppression_policy_test.c: what contact.json may say, and the clear error for everything else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/suppression/logic/rules/lasting.h"
#include "services/suppression/policy/suppression_policy.h"
#include "services/suppression/suppression_touchpoint.h"

static struct arena arena;
static struct contact_policy policy;

static int tear_down(void **state)
{
    arena_free(&arena);
    return 0;
}

static void shipped_policies_are_read(void **state)
{
    static const struct {
        const char *path;
        size_t rules;
    } files[] = {{"policies/contact.json", 13}, {"policies/bank/contact.json", 17}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct err err = {0};
        const char *path = arena_printf(&arena, "%s/%s", TUTTI_SOURCE_DIR, files[i].path);
        if (suppression_policy_read(&arena, path, &policy, &err) != OUTCOME_OK)
            fail_msg("%s", err.message);
        assert_int_equal(policy.rule_count, files[i].rules);
    }
}

/* What a rule would allow to a request of this priority. */
static struct span allowed_by(const struct contact_rule *rule, enum contact_priority priority)
{
    struct contact_fact request = {.priority = (int16_t)(priority + 1)};
    struct ledger empty = {0};
    struct question question = {
        .policy = &policy, .ledger = &empty, .request = &request, .arena = &arena};
    struct finding finding;
    rule_ask(rule, &question, &finding);
    return finding.allowed;
}

static void values_arrive(void **state)
{
    struct err err = {0};
    const char *path = arena_printf(&arena, "%s/policies/contact.json", TUTTI_SOURCE_DIR);
    assert_int_equal(suppression_policy_read(&arena, path, &policy, &err), OUTCOME_OK);
    assert_true(policy_allows_unknown(&policy, SPAN("direct_mail")));
    assert_false(policy_allows_unknown(&policy, SPAN("email")));
    assert_int_equal(policy_reservation(&policy, SPAN("call_center")).us, 1800 * US_PER_SECOND);
    assert_int_equal(policy_reservation(&policy, SPAN("email")).us, US_PER_DAY);
    assert_false(policy_class(&policy, SPAN("service"))->obeys);
    assert_true(policy_class(&policy, SPAN("service"))->counts);
    const struct contact_rule *hold = &policy.rules[5], *cap = &policy.rules[7];
    assert_ptr_equal(hold->kind, &rule_hold);
    assert_int_equal(hold->on_count, 2);
    assert_int_equal(hold->on[1].score_max, -50);
    assert_int_equal(((const struct lasting *)hold->own)->lasts.us, 21 * US_PER_DAY);
    assert_true(span_is(hold->owner, "service"));
    assert_true(span_is(cap->owner, "customer_office"));
    assert_int_equal(cap->channels.count, 0);
    assert_int_equal(cap->gives_retry, true);
    assert_true(span_is(allowed_by(cap, PRIORITY_LOW), "3 per 7 d"));
    assert_true(span_is(allowed_by(cap, PRIORITY_HIGH), "5 per 7 d"));
}

/* Channels of a policy may be spelt as producers spell them. */
static void words_are_folded(void **state)
{
    static const char text[] =
        "{\"classes\":{\"marketing\":{}},\"channels\":[\"Whats App\"],\"reservation\":{\"E-Mail\":"
        "\"PT1H\",\"whats_app\":\"PT2H\"},\"consent\":{\"Letter\":{\"on_unknown\":\"allow\"}},"
        "\"rules\":"
        "[{\"id\":\"c\",\"kind\":\"cap\",\"per\":\"P1D\",\"limit\":1,\"channels\":[\"Text\"]}]}";
    struct err err = {0};
    struct span channel;
    if (suppression_policy_parse(&arena, span_of(text), "test.json", &policy, &err) != OUTCOME_OK)
        fail_msg("%s", err.message);
    assert_int_equal(policy_reservation(&policy, SPAN("email")).us, 3600 * US_PER_SECOND);
    assert_int_equal(policy_reservation(&policy, SPAN("whats_app")).us, 7200 * US_PER_SECOND);
    assert_true(policy_allows_unknown(&policy, SPAN("direct_mail")));
    assert_true(span_is(policy.rules[0].channels.items[0], "sms"));
    assert_true(policy_channel(&policy, SPAN(" WHATS-APP "), &channel));
    assert_true(span_is(channel, "whats_app"));
    assert_false(policy_channel(&policy, SPAN("Fax"), &channel));
    assert_true(span_is(channel, "Fax"));
    assert_false(policy_channel(&policy, SPAN(""), &channel));
}

struct error_row {
    const char *text, *message;
};

/* Rules that go by a clock. */
#define SOMEWHERE    "\"zones\":{\"unknown\":[\"DE\"]}"
#define CLOCK(more)  "{\"classes\":{\"m\":{}}," SOMEWHERE ",\"rules\":[{\"id\":\"quiet\"," more "}]}"
#define QUIET(more)  CLOCK("\"kind\":\"quiet_hours\"," more)
#define NIGHT        "\"from\":\"21:00\",\"to\":\"09:00\""
#define DAYTIME      "{\"from\":\"09:00\",\"to\":\"21:00\"}"
#define CLOCKS(more) "{\"classes\":{\"m\":{}},\"rules\":[]," more "}"

#define HEAD        "{\"classes\":{\"marketing\":{}},\"rules\":["
#define WORDS(body) "{\"classes\":{\"m\":{}},\"rules\":[]," body "}"
#define RULE(body)  HEAD "{\"id\":\"a\"," body "}]}"

#define HOLDOUT(id) "{\"id\":\"" id "\",\"kind\":\"holdout\",\"percent\":0.01}"

static const struct error_row errors[] = {
    {"{\"classes\":{\"marketing\":{}},\"ruels\":[]}", "did you mean \"rules\""},
    {"{\"classes\":{},\"rules\":[]}", "contact.json: classes: 1 to 16 classes are needed"},
    {"{\"classes\":{\"marketing\":{\"obeyz\":true}},\"rules\":[]}", "did you mean \"obeys\""},
    {RULE("\"kind\":\"coin_toss\""),
     "contact.json: rules[0].kind: unknown kind of rule \"coin_toss\""},
    {RULE("\"kind\":\"opt_uot\""), "unknown kind of rule \"opt_uot\", did you mean \"opt_out\"?"},
    {HEAD "{\"id\":\"a\"}]}", "rules[0]: \"kind\" is missing"},
    {HEAD "7]}", "rules[0]: expected an object"},
    {RULE("\"kind\":\"opt_out\",\"until\":[\"x\"]"), "contact.json: rules[0].until: unknown key"},
    {RULE("\"kind\":\"cap\",\"per\":\"P7D\",\"limt\":2"), "did you mean \"limit\""},
    {RULE("\"kind\":\"cap\",\"per\":\"P7D\""),
     "rules[0]: a cap needs either limit or limit_by_priority"},
    {RULE("\"kind\":\"cap\",\"per\":\"P401D\",\"limit\":1"), "rules[0]: per: at most P400D"},
    {RULE("\"kind\":\"cap\",\"limit\":1"), "rules[0]: a cap needs either per or calendar"},
    {RULE("\"kind\":\"cap\",\"limit\":1,\"per\":\"P7D\",\"calendar\":\"day\""),
     "rules[0]: a cap needs either per or calendar"},
    {RULE("\"kind\":\"cap\",\"limit\":1,\"calendar\":\"fortnight\""),
     "rules[0].calendar: expected one of day|week|month"},
    {RULE("\"kind\":\"cap\",\"limit\":1,\"per\":\"P7D\",\"zone\":\"UTC\""),
     "rules[0]: zone and week_starts are for calendar"},
    {RULE("\"kind\":\"cap\",\"limit\":1,\"per\":\"P7D\",\"week_starts\":\"sunday\""),
     "rules[0]: zone and week_starts are for calendar"},
    {RULE("\"kind\":\"cap\",\"limit\":1,\"calendar\":\"day\""), "rule \"a\" needs zones.unknown"},
    {RULE("\"kind\":\"cap\",\"per\":\"PT59S\",\"limit\":1"), "rules[0]: per: at least PT1M"},
    {RULE("\"kind\":\"cap\",\"per\":\"P7D\",\"limit\":1,\"by\":\"campain\""),
     "rules[0].by: expected one of department|purpose|campaign|tag"},
    {RULE("\"kind\":\"cap\",\"per\":\"P7D\",\"limit\":1,\"on_fail\":\"dr\""),
     "rules[0].on_fail: expected one of drop|defer"},
    {RULE("\"kind\":\"cap\",\"per\":\"P7D\",\"limit\":1000001"), "rules[0].limit"},
    {RULE("\"kind\":\"invalid_address\",\"on\":[\"a\"],\"until\":[\"b\"],\"nth\":11"),
     "rules[0]: nth: 1 to 10"},
    {RULE("\"kind\":\"invalid_address\",\"on\":[\"a\"],\"nth\":0"), "rules[0]: nth: 1 to 10"},
    {RULE("\"kind\":\"invalid_address\",\"on\":[\"a\"],\"nth\":2"),
     "rules[0]: nth above 1 needs until"},
    {WORDS("\"consent\":{\"e-mail\":{},\"email\":{}}"),
     "consent.email: is named already, in another spelling"},
    {WORDS("\"reservation\":{\"Text\":\"PT1H\",\"sms\":\"PT1H\"}"),
     "reservation.sms: is named already, in another spelling"},
    {WORDS("\"consent\":{\"email\":{\"confirmed_by\":[]}}"),
     "consent.email.confirmed_by: an empty list would never match"},
    {WORDS("\"consent\":{\"email\":{\"confirmed_by\":{}}}"),
     "confirmed_by: needs sources, events or channels"},
    {WORDS("\"consent\":{\"email\":{\"confirmed_by\":{\"source\":[\"x\"]}}}"),
     "did you mean \"sources\"?"},
    {WORDS("\"consent\":{\"email\":{\"since\":\"2026-01-01\"}}"),
     "consent.email: since is for confirmed_by"},
    {WORDS("\"consent\":{\"email\":{\"confirmed_by\":[\"a\"],\"since\":\"2026-13-01\"}}"),
     "consent.email.since: expected a date or a time"},
    {RULE("\"kind\":\"hold\",\"on\":[\"a\"],\"by\":\"case\""),
     "rules[0].by: expected one of case_id|order_id"},
    {RULE("\"kind\":\"already_bought\",\"on\":[\"a\"],\"for_category\":{\"a//b\":\"P1D\"}"),
     "rules[0]: for_category: a category has an empty part"},
    {RULE("\"kind\":\"already_bought\",\"on\":[\"a\"],\"for_category\":{\"a\":\"PT0S\"}"),
     "for_category.a: must be longer than nothing"},
    {RULE("\"kind\":\"consent\""), "rules[0]: purposes, topics or both are needed"},
    {RULE("\"kind\":\"consent\",\"purposes\":{\"offers\":\"yes\"}"),
     "rules[0].purposes.offers: expected one of consent|interest|contract"},
    {RULE("\"kind\":\"consent\",\"topics\":{\"topic:tips\":\"in\"}"),
     "a topic is a name without \"topic:\""},
    {RULE("\"kind\":\"consent\",\"topics\":{\"top tips\":\"in\",\"Top-Tips\":\"out\"}"),
     "is named already, in another spelling"},
    {RULE("\"kind\":\"goal_met\",\"on\":[\"a\"],\"of\":\"product\""),
     "rules[0].of: expected one of campaign|sequence"},
    {RULE("\"kind\":\"goal_met\",\"on\":[\"a\"],\"within\":\"PT1M\""),
     "rules[0]: within: at least PT1H"},
    {WORDS("\"sequence\":{\"max\":1}"), "sequence.max: expected"},
    {WORDS("\"pressure\":{\"over\":0}"), "pressure.over: expected"},
    {WORDS("\"pressure\":{}"), "over"},
    {WORDS("\"sequence\":{\"within\":\"P2Y\"}"), "sequence.within: P1D to P365D"},
    {RULE("\"kind\":\"apart\""), "rules[0]: \"for\" is missing"},
    {RULE("\"kind\":\"apart\",\"for\":\"PT1S\""), "rules[0]: for: at least PT1M"},
    {RULE("\"kind\":\"apart\",\"for\":\"P366D\""), "rules[0]: for: at most P365D"},
    {RULE("\"kind\":\"apart\",\"for\":\"P1D\",\"from\":{}"),
     "rules[0].from: from would match nothing"},
    {RULE("\"kind\":\"apart\",\"for\":\"P1D\",\"from\":{\"chanels\":[\"sms\"]}"),
     "did you mean \"channels\"?"},
    {RULE("\"kind\":\"apart\",\"for\":\"P1D\",\"from\":{\"classes\":[\"marketin\"]}"),
     "rules[0].from.classes[0]: unknown class \"marketin\", did you mean \"marketing\"?"},
    {RULE("\"kind\":\"apart\",\"for\":\"P1D\",\"order\":\"after\""),
     "rules[0]: order after needs from"},
    {RULE("\"kind\":\"cap\",\"per\":\"7 days\",\"limit\":2"),
     "rules[0].per: expected an ISO 8601 duration"},
    {RULE("\"kind\":\"cap\",\"per\":\"PT0S\",\"limit\":2"),
     "rules[0].per: must be longer than nothing"},
    {RULE("\"kind\":\"cap\",\"per\":\"P7D\",\"limit\":-1"), "rules[0].limit: expected"},
    {RULE("\"kind\":\"cap\",\"per\":\"P7D\",\"limit_by_priority\":{\"low\":1,\"high\":2}"),
     "rules[0].limit_by_priority"},
    {RULE("\"kind\":\"cap\",\"per\":\"P7D\",\"limit\":1,\"channels\":[\"emial\"]"),
     "rules[0].channels[0]: unknown channel \"emial\", did you mean \"email\"?"},
    {RULE("\"kind\":\"cap\",\"per\":\"P7D\",\"limit\":1,\"channels\":\"email\""),
     "rules[0].channels: expected \"*\" or a list"},
    {RULE("\"kind\":\"hold\",\"on\":[\"x\"],\"classes\":[\"marketting\"]"),
     "unknown class \"marketting\", did you mean \"marketing\"?"},
    {RULE("\"kind\":\"hold\",\"on\":[]"), "rules[0].on: on needs at least one event"},
    {RULE("\"kind\":\"hold\",\"on\":[{}]"), "rules[0].on[0]: needs event, score_max or both"},
    {RULE("\"kind\":\"hold\",\"on\":[{\"score_max\":-500}]"), "rules[0].on[0].score_max: expected"},
    {RULE("\"kind\":\"already_bought\",\"on\":[{\"score_max\":1}]"), "rules[0].on[0]: expected"},
    {HEAD "{\"id\":\"a b\",\"kind\":\"opt_out\"}]}", "rules[0].id: expected 1 to 64 letters"},
    {HEAD "{\"id\":\"a\",\"kind\":\"opt_out\"},{\"id\":\"a\",\"kind\":\"opt_out\"}]}",
     "rules[1].id: another rule has this id"},
    {RULE("\"kind\":\"holdout\",\"percent\":0"), "rules[0].percent: 0.01 to 50 in hundredths"},
    {RULE("\"kind\":\"holdout\",\"percent\":50.01"), "rules[0].percent: 0.01 to 50 in hundredths"},
    {RULE("\"kind\":\"holdout\",\"percent\":0.015"), "rules[0].percent: 0.01 to 50 in hundredths"},
    {RULE("\"kind\":\"holdout\",\"percent\":\"5\""), "rules[0].percent: expected a number"},
    {RULE("\"kind\":\"holdout\""), "percent"},
    {RULE("\"kind\":\"holdout\",\"percent\":5,\"from\":\"spring\""),
     "rules[0].from: expected a date or a time, such as 2026-01-01"},
    {HEAD "{\"id\":\"a\",\"kind\":\"holdout\",\"percent\":5},{\"id\":\"b\",\"kind\":\"opt_out\"}]}",
     "rules[1]: holdout rules stand last"},
    {HEAD HOLDOUT("a") "," HOLDOUT("b") "," HOLDOUT("c") "," HOLDOUT("d") "," HOLDOUT(
         "e") "," HOLDOUT("f") "," HOLDOUT("g") "," HOLDOUT("h") "," HOLDOUT("i") "]}",
     "rules[8]: at most 8 holdouts"},
    {"{\"classes\":{\"m\":{},\"s\":{\"obeys\":false}},\"rules\":[" HOLDOUT("a") "]}",
     "rules[0]: a holdout needs \"classes\""},
    {WORDS("\"channels\":[\"E-Mail\"]"), "channels[0]: is known already, as \"email\""},
    {WORDS("\"channels\":[\"fax\",\"FAX \"]"), "channels[1]: is known already, as \"fax\""},
    {WORDS("\"channels\":[\"All\"]"), "channels[0]: a channel cannot have this name"},
    {WORDS("\"channels\":[\"topic:x\"]"), "channels[0]: a channel cannot have this name"},
    {WORDS("\"channels\":[\" \"]"), "channels[0]: expected a word of 1 to 64 bytes"},
    {WORDS("\"channels\":[\"whatsapp\"],\"reservation\":{\"whatsap\":\"P1D\"}"),
     "did you mean \"whatsapp\"?"},
    {WORDS("\"unsubscribe_from\":{\"kiosk\":\"all\"}"),
     "unsubscribe_from.kiosk: unknown channel \"kiosk\""},
    {WORDS("\"unsubscribe_from\":{\"web\":\"m\"}"), "unknown channel \"m\""},
    {WORDS("\"unsubscribe_from\":{\"web\":[]}"),
     "unsubscribe_from.web: needs at least one channel"},
    {WORDS("\"consent_words\":{\"E-Mail\":\"sms\"}"),
     "consent_words.E-Mail: has a meaning already"},
    {WORDS("\"consent_words\":{\"M\":\"sms\"}"), "consent_words.M: has a meaning already"},
    {WORDS("\"consent_words\":{\"news\":\"emial\"}"), "did you mean \"email\"?"},
    {"{\"classes\":{\"m\":{}},\"rules\":[],\"reservation\":{\"fax\":\"P1D\"}}",
     "reservation.fax: unknown channel \"fax\""},
    {"{\"classes\":{\"m\":{}},\"rules\":[],\"consent\":{\"*\":{\"on_unknown\":\"maybe\"}}}",
     "on_unknown: expected one of allow|deny"},
    {QUIET("\"from\":\"24:00\",\"to\":\"09:00\""), "rules[0].from: expected HH:MM, 00:00 to 23:59"},
    {QUIET("\"from\":\"21:00\",\"to\":\"9:00\""), "rules[0].to: expected HH:MM, 00:00 to 23:59"},
    {QUIET(NIGHT ",\"days\":[\"mon\"]"),
     "rules[0].days[0]: unknown day \"mon\", did you mean \"monday\"?"},
    {QUIET(NIGHT ",\"also\":[]"), "rules[0].also: an empty list would never match"},
    {QUIET(NIGHT ",\"windows\":[" DAYTIME "]"), "rules[0]: either from and to, or windows"},
    {QUIET("\"from\":\"21:00\""), "rules[0]: either from and to, or windows"},
    {QUIET("\"also\":[\"sunday\"]"), "rules[0]: either from and to, or windows"},
    {QUIET("\"windows\":[{\"from\":\"21:00\"}]"), "rules[0].windows[0]: \"to\" is missing"},
    {QUIET("\"windows\":[{" NIGHT "}," DAYTIME "]"),
     "rules[0]: windows leave no minute of the week"},
    {QUIET(NIGHT ",\"calendars\":[\"fr\"]"), "rules[0].calendars[0]: unknown calendar \"fr\""},
    {"{\"classes\":{\"m\":{}},\"rules\":[{\"id\":\"quiet\",\"kind\":\"quiet_hours\"," NIGHT "}]}",
     "rule \"quiet\" needs zones.unknown: countries or zones where a customer may be of whom "
     "nothing is known"},
    {"{\"classes\":{\"m\":{}},\"rules\":[{\"id\":\"own\",\"kind\":\"own_hours\"}]}",
     "rule \"own\" needs zones.unknown"},
    {CLOCKS("\"calendars\":{\"de\":[\"2026-02-30\"]}"),
     "calendars.de[0]: expected a date, YYYY-MM-DD"},
    {CLOCKS("\"calendars\":{\"de\":[]}"), "calendars.de: 1 to 400 dates"},
    {CLOCKS("\"zones\":{\"memory\":\"P366D\"}"), "zones.memory: P1D to P365D"},
    {CLOCKS("\"booking\":{\"most\":\"PT1H\"}"), "booking.most: P1D to P400D"},
    {CLOCKS("\"booking\":{\"least\":\"P2D\"}"), "booking.least: PT0S to P1D"},
};

static void every_error_names_its_place(void **state)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        struct err err = {0};
        enum outcome outcome = suppression_policy_parse(&arena, span_of(errors[i].text),
                                                        "contact.json", &policy, &err);
        if (outcome == OUTCOME_OK)
            fail_msg("accepted: %s", errors[i].text);
        if (strstr(err.message, errors[i].message) == NULL)
            fail_msg("row %zu says: %s\nexpected: %s", i, err.message, errors[i].message);
    }
}

/* ---- zones ---- */

static struct zone_book book_of(const char *country)
{
    struct zone_name *name = arena_new(&arena, struct zone_name);
    struct zone_book book = {.version = SPAN("2025b")};
    *name = (struct zone_name){.name = SPAN("Europe/Berlin"), .code = 1};
    zone_set_finish(&book.set, &arena, name, 1);
    zone_country_add(&book.countries, &arena, span_of(country), 1);
    return book;
}

#define UNKNOWN(name)                                                                              \
    "{\"classes\":{\"m\":{}},\"zones\":{\"unknown\":[\"" name "\"]},\"rules\":[{\"id\":\"quiet\"," \
    "\"kind\":\"quiet_hours\"," NIGHT "}]}"

static const struct {
    const char *text, *says; /* NULL: it is right */
} zoned[] = {
    {UNKNOWN("DE"), NULL},
    {UNKNOWN("Europe/Berlin"), NULL},
    {UNKNOWN("Europe/Berln"), "contact.json: zones.unknown: unknown time zone \"Europe/Berln\" in "
                              "tzdata 2025b, did you mean \"Europe/Berlin\"?"},
    {UNKNOWN("XX"), "contact.json: zones.unknown: country \"XX\" has no time zone"},
    {QUIET(NIGHT ",\"countries\":[\"DE\",\"XX\"]"),
     "contact.json: rule \"quiet\": country \"XX\" has no time zone"},
};

static void zones_must_be_there(void **state)
{
    const struct zone_book book = book_of("DE");
    for (size_t i = 0; i < sizeof zoned / sizeof *zoned; i++) {
        struct err err = {0};
        assert_int_equal(
            suppression_policy_parse(&arena, span_of(zoned[i].text), "contact.json", &policy, &err),
            OUTCOME_OK);
        assert_true(policy.asks_zones);
        enum outcome outcome = suppression_policy_set_zones(&arena, &policy, &book, &err);
        if ((outcome == OUTCOME_OK) != (zoned[i].says == NULL))
            fail_msg("row %zu: %s", i, err.message);
        if (zoned[i].says && strcmp(err.message, zoned[i].says) != 0)
            fail_msg("row %zu says: %s\nexpected: %s", i, err.message, zoned[i].says);
    }
}

/* ---- what can hardly be meant ---- */

#define OUT         "{\"id\":\"o\",\"kind\":\"opt_out\",\"classes\":[\"m\"]}"
#define ALSO(more)  "{\"classes\":{\"m\":{},\"s\":{\"obeys\":false}}," more "}"
#define AFTER(rule) ALSO("\"rules\":[" OUT ",{\"id\":\"a\"," rule "}]")
#define OF_M        ",\"classes\":[\"m\"]"
#define PRIORITIES(low, normal, high)                                                              \
    AFTER("\"kind\":\"cap\",\"per\":\"P7D\",\"limit_by_priority\":{\"low\":" low                   \
          ",\"normal\":" normal ",\"high\":" high "}")
#define CENTER(event) ALSO("\"rules\":[" OUT "],\"preference_center\":[\"" event "\"]")

static const struct {
    const char *text, *says; /* NULL: nothing */
} doubtful[] = {
    {ALSO("\"rules\":[" OUT "]"), NULL},
    {ALSO("\"rules\":[]"), "rules: no rule is of the kind \"opt_out\""},
    {ALSO("\"rules\":[{\"id\":\"o\",\"kind\":\"opt_out\",\"classes\":[\"s\"]}]"),
     "of the class \"m\""},
    {ALSO("\"rules\":[{\"id\":\"o\",\"kind\":\"opt_out\",\"classes\":[\"m\"],\"tags\":[\"t\"]}]"),
     "of the class \"m\""},
    {"{\"classes\":{\"m\":{}},\"rules\":[{\"id\":\"o\",\"kind\":\"opt_out\"}]}", NULL},
    {ALSO("\"rules\":[{\"id\":\"o\",\"kind\":\"opt_out\"}]"),
     "rules[0] (\"o\"): has no \"classes\" and so refuses \"s\" as well"},
    {AFTER("\"kind\":\"hold\",\"on\":[\"x\"]"), "rules[1] (\"a\"): has no \"classes\""},
    {AFTER("\"kind\":\"hold\",\"on\":[\"x\"]" OF_M), NULL},
    {AFTER("\"kind\":\"hold\",\"on\":[\"x\"],\"classes\":[\"m\",\"s\"]"), NULL},
    {AFTER("\"kind\":\"cap\",\"per\":\"P7D\",\"limit\":1"), NULL},
    {AFTER("\"kind\":\"cap\",\"per\":\"P7D\",\"limit\":1,\"classes\":[\"s\"]"), "never refuses"},
    {PRIORITIES("1", "2", "3"), NULL},
    {PRIORITIES("2", "2", "2"), NULL},
    {PRIORITIES("3", "2", "4"), "rules[1] (\"a\"): \"limit_by_priority\" falls"},
    {PRIORITIES("1", "3", "2"), "rules[1] (\"a\"): \"limit_by_priority\" falls"},
    {AFTER("\"kind\":\"hold\",\"on\":[\"x\"],\"release\":[\"y\",\"x\"]" OF_M),
     "rules[1] (\"a\"): \"x\" is in \"on\" and in \"release\""},
    {AFTER("\"kind\":\"hold\",\"on\":[{\"event\":\"x\"}],\"release\":[\"x\"]" OF_M),
     "in \"release\""},
    {AFTER("\"kind\":\"hold\",\"on\":[{\"event\":\"x\",\"score_max\":-50},{\"score_max\":-90}],"
           "\"release\":[\"x\"]" OF_M),
     NULL},
    {AFTER("\"kind\":\"invalid_address\",\"on\":[\"x\"],\"until\":[\"x\"]" OF_M), "in \"until\""},
    {AFTER("\"kind\":\"already_bought\",\"on\":[\"x\"],\"until\":[\"x\"]" OF_M), "in \"until\""},
    {CENTER("Preferences Updated"), NULL},
    {CENTER("Contact Delivered"), "preference_center: in \"Contact Delivered\" the company speaks"},
    {CENTER("Contact Preferences Saved"), "preference_center: "},
    {CENTER("Contact Requested"), "preference_center: "},
    {CENTER("Campaign Sent"), "preference_center: "},
    {CENTER("Contacted"), NULL},
    {ALSO("\"rules\":[" OUT "],\"consent\":{\"Text\":{\"confirmed_by\":[\"Contact Sent\"]}}"),
     "consent.sms.confirmed_by: in \"Contact Sent\""},
    {ALSO("\"rules\":[" OUT "],\"consent\":{\"*\":{\"confirmed_by\":[\"Contact Sent\"]}}"),
     "consent.*.confirmed_by: in \"Contact Sent\""},
    {ALSO("\"rules\":[" OUT "],\"calendars\":{\"de\":[\"2026-12-26\",\"2026-12-25\"]}"),
     "calendar \"de\" ends on 2026-12-26"},
    {ALSO("\"rules\":[" OUT "],\"calendars\":{\"de\":[\"2027-01-30\"]}"), NULL},
};

static const int32_t today = 20788; /* 2026-12-01 */

static void what_is_hardly_meant_is_a_warning(void **state)
{
    for (size_t i = 0; i < sizeof doubtful / sizeof *doubtful; i++) {
        struct err err = {0};
        struct warnings warnings;
        if (suppression_policy_parse(&arena, span_of(doubtful[i].text), "contact.json", &policy,
                                     &err) != OUTCOME_OK)
            fail_msg("row %zu: %s", i, err.message);
        suppression_policy_warnings(&arena, &policy, today, &warnings);
        const char *first = warnings.count ? warnings.items[0].ptr : "";
        if (warnings.count != (doubtful[i].says != NULL))
            fail_msg("row %zu: %zu warnings: %s", i, warnings.count, first);
        if (doubtful[i].says && strstr(first, doubtful[i].says) == NULL)
            fail_msg("row %zu says: %s\nexpected: %s", i, first, doubtful[i].says);
    }
}

static void shipped_policies_give_no_warning(void **state)
{
    static const char *const files[] = {"policies/contact.json", "policies/bank/contact.json"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct err err = {0};
        struct warnings warnings;
        const char *path = arena_printf(&arena, "%s/%s", TUTTI_SOURCE_DIR, files[i]);
        assert_int_equal(suppression_policy_read(&arena, path, &policy, &err), OUTCOME_OK);
        suppression_policy_warnings(&arena, &policy, today, &warnings);
        if (warnings.count > 0)
            fail_msg("%s: %s", path, warnings.items[0].ptr);
    }
}

/* ---- what the ledger keeps ---- */

static struct touchpoint touchpoint_of(const char *event)
{
    struct touchpoint tp = {0};
    tp.type = SPAN("track");
    tp.channel = SPAN("email");
    tp.event_name = span_of(event);
    tp.score = tp.contact.priority = tp.contact.planned_at = tp.contact.expires_at = LONG_ABSENT;
    return tp;
}

static struct interests interests;

static bool wants(const struct touchpoint *tp, struct contact_fact *fact)
{
    struct err err = {0};
    static const char text[] =
        "{\"classes\":{\"marketing\":{}},\"rules\":[{\"id\":\"b\",\"kind\":\"already_bought\","
        "\"on\":[\"Order Completed\"],"
        "\"until\":[\"Order Returned\"]},{\"id\":\"h\",\"kind\":\"hold\",\"on\":[\"Complaint "
        "Filed\",{\"score_max\":-50}]}]}";
    assert_int_equal(suppression_policy_parse(&arena, span_of(text), "contact.json", &policy, &err),
                     OUTCOME_OK);
    interests = suppression_interests(&arena, &policy);
    size_t unreadable;
    return suppression_wants(&interests, tp, &arena, fact, &unreadable);
}

/* A purchase is nobody's but its customer's; the same event as a hold binds everyone it names. */
static void only_what_a_rule_reads_of_others_is_copied(void **state)
{
    struct touchpoint order = touchpoint_of("Order Completed"),
                      complaint = touchpoint_of("Complaint Filed");
    struct contact_fact fact;
    order.product_category = SPAN("printers");
    assert_true(wants(&order, &fact));
    assert_false(interests_read_copies(&interests, &fact));
    order.consent = SPAN("\2\12email\1\0");
    assert_true(wants(&order, &fact) && fact.consent.len > 0);
    assert_true(interests_read_copies(&interests, &fact));
    order.consent = SPAN_NONE;
    order.score = -50;
    assert_true(wants(&order, &fact));
    assert_true(interests_read_copies(&interests, &fact));
    assert_true(wants(&complaint, &fact));
    assert_true(interests_read_copies(&interests, &fact));
}

static void only_what_rules_ask_for_is_kept(void **state)
{
    static const struct {
        const char *event;
        int kind; /* 0: ignored */
    } rows[] = {
        {"Contact Requested", CONTACT_REQUEST},
        {"Contact Sent", CONTACT_SENT},
        {"Campaign Sent", CONTACT_SENT},
        {"Contact Delivered", CONTACT_DELIVERED},
        {"Contact Failed", CONTACT_FAILED},
        {"Contact Cancelled", CONTACT_CANCELLED},
        {"Unsubscribed", CONTACT_SIGNAL},
        {"Complaint Filed", CONTACT_SIGNAL},
        {"Product Viewed", 0},
        {"Order Completed", 0},
        /* without a product */ {"", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct contact_fact fact = {0};
        struct touchpoint tp = touchpoint_of(rows[i].event);
        assert_int_equal(wants(&tp, &fact), rows[i].kind != 0);
        assert_int_equal(fact.kind, rows[i].kind);
    }
    struct contact_fact fact;
    struct touchpoint order = touchpoint_of("Order Completed"),
                      survey = touchpoint_of("Survey Answered");
    order.order_id = SPAN("o1");
    assert_false(wants(&order, &fact)); /* it names no product */
    order.value_micros = -1;
    assert_true(wants(&order, &fact)); /* it gives its order back */
    order.value_micros = 1;
    assert_false(wants(&order, &fact));
    order.product_category = SPAN("printers");
    assert_true(wants(&order, &fact));
    struct touchpoint returned = touchpoint_of("Order Returned");
    assert_false(wants(&returned, &fact));
    returned.order_id = SPAN("o1");
    assert_true(wants(&returned, &fact));
    survey.score = -49;
    assert_false(wants(&survey, &fact));
    survey.score = -50;
    assert_true(wants(&survey, &fact));
    assert_int_equal(fact.score, -50);
}

static void consent_becomes_text(void **state)
{
    struct contact_fact fact;
    struct touchpoint tp = touchpoint_of("Preferences Saved"), out = touchpoint_of("Unsubscribed");
    tp.consent = SPAN("\x06\x0a"
                      "email\x01\x06"
                      "sms\x00\x06"
                      "all\x00\x00");
    assert_true(wants(&tp, &fact));
    assert_true(span_is(fact.consent, "+email -sms -all"));
    assert_true(wants(&out, &fact));
    assert_null(fact.consent.ptr); /* the event itself says no */
    tp.consent = SPAN("\x04\x16"
                      "Direct mail\x00\x06"
                      "50%\x01\x00");
    assert_true(wants(&tp, &fact));
    assert_true(span_is(fact.consent, "-Direct%20mail +50%25"));
}

/* Any touchpoint may tell preferences; only a pause concerns the others that it names. */
static void preferences_are_kept(void **state)
{
    struct contact_fact fact;
    struct touchpoint tp = touchpoint_of("Account Viewed");
    tp.preferences_json = SPAN("{\"pause\":{\"until\":\"2027-03-01\"}}");
    assert_true(wants(&tp, &fact));
    assert_int_equal(fact.kind, CONTACT_SIGNAL);
    assert_true(span_is(fact.preferences, "pause\x1f"
                                          "2027-03-01\x1f\n"));
    struct touchpoint order = touchpoint_of("Order Completed");
    order.product_id = SPAN("p");
    order.preferences_json = SPAN("{\"time_zone\":\"UTC\",\"pause\":null}");
    assert_true(wants(&order, &fact));
    assert_false(interests_read_copies(&interests, &fact));
    order.preferences_json = tp.preferences_json;
    assert_true(wants(&order, &fact));
    assert_true(interests_read_copies(&interests, &fact));
    tp.preferences_json = SPAN("{\"puase\":null}");
    assert_false(wants(&tp, &fact));
}

static void a_request_says_until_when(void **state)
{
    struct contact_fact fact;
    struct touchpoint tp = touchpoint_of("Contact Requested");
    tp.has_contact = true;
    tp.contact.latest_at = LONG_ABSENT;
    assert_true(wants(&tp, &fact));
    assert_true(fact.latest_at.us == INSTANT_ABSENT.us && fact.sequence_id.ptr == NULL);
    tp.contact.latest_at = 7;
    tp.contact.sequence_id = SPAN("s1");
    assert_true(wants(&tp, &fact));
    assert_true(fact.latest_at.us == 7 && span_is(fact.sequence_id, "s1"));
}

static void tags_become_lines(void **state)
{
    static const struct {
        const char *json, *tags;
        bool bad;
    } rows[] = {{"[\"credit\",\"autumn\"]", "credit\nautumn", false},
                {"[]", NULL, false},
                {"", NULL, false},
                {"[1]", NULL, true},
                {"{\"a\":1}", NULL, true},
                {"[\"a", NULL, true},
                {"[\"a\\nb\"]", NULL, true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct contact_fact fact;
        struct touchpoint tp = touchpoint_of("Contact Requested");
        tp.has_contact = true;
        tp.contact.tags_json = span_of(rows[i].json);
        assert_true(wants(&tp, &fact));
        assert_true(span_equal(fact.tags, span_of(rows[i].tags)));
        assert_int_equal((fact.flags & CONTACT_BAD_TAGS) != 0, rows[i].bad);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(shipped_policies_are_read, tear_down),
        cmocka_unit_test_teardown(values_arrive, tear_down),
        cmocka_unit_test_teardown(words_are_folded, tear_down),
        cmocka_unit_test_teardown(every_error_names_its_place, tear_down),
        cmocka_unit_test_teardown(zones_must_be_there, tear_down),
        cmocka_unit_test_teardown(what_is_hardly_meant_is_a_warning, tear_down),
        cmocka_unit_test_teardown(shipped_policies_give_no_warning, tear_down),
        cmocka_unit_test_teardown(only_what_rules_ask_for_is_kept, tear_down),
        cmocka_unit_test_teardown(only_what_a_rule_reads_of_others_is_copied, tear_down),
        cmocka_unit_test_teardown(consent_becomes_text, tear_down),
        cmocka_unit_test_teardown(preferences_are_kept, tear_down),
        cmocka_unit_test_teardown(a_request_says_until_when, tear_down),
        cmocka_unit_test_teardown(tags_become_lines, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
