/* journey_channels_test.c: channels.json and referrers.json are read with their limits; a referrer
 * gives its node in any spelling; lists of others become a referrers.json. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/codec/unicode.h"
#include "operations/policies/referrers.h"
#include "services/journey-tracker/logic/referrers.h"
#include "services/journey-tracker/logic/shape.h"
#include "services/journey-tracker/policy/journey_channels.h"

#define CHANNELS                                                                                   \
    "{\"own_hosts\":[\"b\u00fccher.example\",\"*.Shop.example\"],"                                 \
    "\"networks\":[\"check24\",\"Idealo\"],\"rules\":["                                            \
    "{\"referrer_host\":\"google.*\",\"channel\":\"search\",\"network\":\"google\"},"              \
    "{\"referrer_host\":\"both.example\",\"channel\":\"search\",\"network\":\"rule\"},"            \
    "{\"utm_medium\":\"comparison\",\"channel\":\"comparison_site\",\"network\":\"(utm_source)\"}" \
    "]}"
#define REFERRERS                                                                                  \
    "{\"$schema\":\"x\",\"bing.com\":[\"search\",\"bing\"],"                                       \
    "\"Mail.Bing.com\":[\"email\",\"bing_mail\"],"                                                 \
    "\"xn--mller-kva.example\":[\"forum\",\"mueller\"],"                                           \
    "\"both.example\":[\"social\",\"list\"],\"news.shop.example\":[\"social\",\"own\"],"           \
    "\"co.uk\":[\"social\",\"registry\"],\"amazon.co.uk\":[\"comparison_site\",\"amazon\"],"       \
    "\"de\":[\"social\",\"registry\"],\"t.co\":[\"social\",\"x\"]}"

static enum outcome read_policy(struct arena *arena, struct span channels, struct span referrers,
                                struct journey_policy *out, struct err *err)
{
    const struct json *document = NULL;
    *out = (struct journey_policy){0};
    CHECK(json_parse_file(arena, channels, "channels.json", &document, err));
    CHECK(journey_channels_read(arena, document, out, err));
    CHECK(json_parse_file(arena, referrers, "referrers.json", &document, err));
    return journey_referrers_read(arena, document, out, err);
}

static struct shape shape_of(struct arena *arena, const struct journey_policy *policy,
                             struct shape_text text)
{
    struct shape shape;
    text.type = SPAN("view");
    text.channel = SPAN("web");
    if (text.referrer_host.ptr)
        text.host = unicode_host(arena, text.referrer_host);
    if (text.host.len == 0)
        text.host = SPAN_NONE;
    shape_compile(policy, &text, arena, &shape);
    return shape;
}

static void a_referrer_has_its_node_in_any_spelling(void **state)
{
    static const struct {
        const char *url, *kind;
    } rows[] = {
        {"https://bing.com/", "search:bing"},
        {"https://user@WWW.BING.COM.:443/search?q=a@b", "search:bing"},
        {"https://a.b.bing.com/", "search:bing"},
        {"https://x.mail.bing.com/", "email:bing_mail"},
        {"https://notbing.com/", "web:view"},
        {"https://bing.com.evil.example/", "web:view"},
        {"https://www.google.de./", "search:google"},
        {"https://forum.m\u00fcller.example/", "forum:mueller"},
        {"https://M\u00dcLLER.example", "forum:mueller"},
        {"https://xn--mller-kva.example/", "forum:mueller"},
        {"https://both.example/", "search:rule"},
        {"https://a.both.example/", "social:list"},
        {"https://news.shop.example/", "web:view"},
        {"https://www.xn--bcher-kva.example/", "web:view"},
        {"https://co.uk/", "social:registry"},
        {"https://cheap.co.uk/", "web:view"},
        {"https://www.amazon.co.uk/", "comparison_site:amazon"},
        {"https://shop.de/", "web:view"},
        {"https://t.co/x", "social:x"},
        {"https://./", "web:view"},
        {"android-app", "web:view"},
    };
    struct arena arena = {0};
    struct journey_policy policy;
    struct err err = {0};
    if (read_policy(&arena, SPAN(CHANNELS), SPAN(REFERRERS), &policy, &err) != OUTCOME_OK)
        fail_msg("%s", err.message);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct span host = shape_referrer_host(span_of(rows[i].url));
        struct shape shape = shape_of(&arena, &policy, (struct shape_text){.referrer_host = host});
        if (!span_is(shape.kind_text, rows[i].kind))
            fail_msg("%s: " SPAN_FMT ", not %s", rows[i].url, SPAN_ARG(shape.kind_text),
                     rows[i].kind);
    }
    arena_free(&arena);
}

static void a_long_host_is_not_looked_for(void **state)
{
    struct arena arena = {0};
    struct map table;
    const struct referrer bing = {SPAN("search"), SPAN("bing")};
    referrers_init(&table, &arena);
    assert_true(referrers_add(&table, SPAN("bing.com"), &bing));
    assert_false(referrers_add(&table, SPAN("bing.com"), &bing));
    for (size_t labels = 122; labels <= 124; labels += 2) {
        struct strbuf host = {.arena = &arena};
        for (size_t i = 0; i < labels; i++)
            strbuf_addf(&host, "a.");
        strbuf_addf(&host, "bing.com");
        const struct referrer *found = referrers_find(&table, strbuf_span(&host));
        assert_true(labels == 122 ? found != NULL : found == NULL);
    }
    assert_null(referrers_find(&(struct map){0}, SPAN("bing.com")));
    assert_null(referrers_find(&table, SPAN_NONE));
    arena_free(&arena);
}

static void a_source_makes_a_node_only_if_it_is_listed(void **state)
{
    static const struct {
        const char *source, *kind;
    } rows[] = {{"check24", "comparison_site:check24"},
                {"IDEALO", "comparison_site:Idealo"},
                {"user-4711", "comparison_site:(other)"},
                {"idealo2", "comparison_site:(other)"},
                {NULL, "web:view"}};
    struct arena arena = {0};
    struct journey_policy policy;
    struct err err = {0};
    assert_int_equal(read_policy(&arena, SPAN(CHANNELS), SPAN("{}"), &policy, &err), OUTCOME_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct shape_text text = {.utm_medium = SPAN("comparison")};
        if (rows[i].source)
            text.utm_source = span_of(rows[i].source);
        struct shape shape = shape_of(&arena, &policy, text);
        if (!span_is(shape.kind_text, rows[i].kind))
            fail_msg("row %zu: " SPAN_FMT, i, SPAN_ARG(shape.kind_text));
    }
    arena_free(&arena);
}

#define RULES(rules) "{\"rules\":[" rules "]}"
#define HOST(pattern)                                                                              \
    RULES("{\"referrer_host\":\"" pattern "\",\"channel\":\"a\",\"network\":\"b\"}")

static void each_mistake_has_its_error(void **state)
{
    static const struct {
        const char *channels, *referrers, *says;
    } rows[] = {
        {RULES("{\"channel\":\"a\",\"network\":\"b\"}"), "{}", "rules[0]: a channel rule needs"},
        {RULES("{\"utm_medium\":\"m\",\"channel\":\"a\",\"network\":\"(utm_source)\"}"), "{}",
         "rules[0]: the network (utm_source) needs `networks`"},
        {HOST("https://bing.com"), "{}", "rules[0].referrer_host: expected a host"},
        {HOST("b\u00fc*.example"), "{}", "rules[0].referrer_host: `*` beside letters"},
        {"{\"rules\":[],\"own_host\":[]}", "{}", "did you mean \"own_hosts\"?"},
        {"{\"rules\":[],\"own_hosts\":[\"a\",\"\"]}", "{}", "own_hosts[1]: expected a host"},
        {"{\"rules\":[],\"own_hosts\":[\"a.example:443\"]}", "{}", "own_hosts[0]: expected a host"},
        {"{\"rules\":[],\"networks\":[\"a\",\"b\",\"A\"]}", "{}",
         "networks[2]: \"A\" stands twice"},
        {"{\"rules\":[],\"networks\":[\"\"]}", "{}", "networks[0]: expected a text"},
        {RULES(""), "[]", "expected an object"},
        {RULES(""), "{\"a.example\":\"search\"}", "a.example: expected [\"channel\", \"network\"]"},
        {RULES(""), "{\"a.example\":[\"search\"]}", "expected [\"channel\", \"network\"]"},
        {RULES(""), "{\"a.example\":[\"search\",\"\"]}", "two texts that are not empty"},
        {RULES(""), "{\"a.example\":[\"search\",7]}", "a.example[1]"},
        {RULES(""), "{\"google.*\":[\"a\",\"b\"]}", "\"google.*\" is no host"},
        {RULES(""), "{\"a.example/x\":[\"a\",\"b\"]}", "is no host"},
        {RULES(""), "{\"a.example\":[\"a\",\"b\"],\"A.example.\":[\"a\",\"b\"]}",
         "\"A.example.\" stands twice"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena arena = {0};
        struct journey_policy policy;
        struct err err = {0};
        assert_int_equal(read_policy(&arena, span_of(rows[i].channels), span_of(rows[i].referrers),
                                     &policy, &err),
                         OUTCOME_FATAL);
        if (strstr(err.message, rows[i].says) == NULL)
            fail_msg("row %zu: \"%s\" does not say \"%s\"", i, err.message, rows[i].says);
        arena_free(&arena);
    }
}

/* "h0.example" and so on, each with its entry. */
static struct span many_hosts(struct arena *arena, size_t count)
{
    struct strbuf text = {.arena = arena};
    for (size_t i = 0; i < count; i++)
        strbuf_addf(&text, "%s\"h%zu.example\":[\"forum\",\"n%zu\"]", i ? "," : "{", i, i);
    strbuf_addf(&text, "}");
    return strbuf_span(&text);
}

static void the_lists_have_limits(void **state)
{
    struct arena arena = {0};
    struct journey_policy policy;
    struct err err = {0};
    assert_int_equal(
        read_policy(&arena, SPAN(RULES("")), many_hosts(&arena, REFERRERS_MAX), &policy, &err),
        OUTCOME_OK);
    assert_int_equal(policy.referrers.count, REFERRERS_MAX);
    const struct referrer *last = referrers_find(&policy.referrers, SPAN("www.h19999.example"));
    assert_true(last && span_is(last->network, "n19999"));
    assert_int_equal(
        read_policy(&arena, SPAN(RULES("")), many_hosts(&arena, REFERRERS_MAX + 1), &policy, &err),
        OUTCOME_FATAL);
    assert_non_null(strstr(err.message, "referrers.json: at most 20000 hosts"));
    struct strbuf text = {.arena = &arena};
    strbuf_addf(&text, "{\"rules\":[],\"networks\":[");
    for (int i = 0; i <= POLICY_MAX_NETWORKS; i++)
        strbuf_addf(&text, "%s\"n%d\"", i ? "," : "", i);
    strbuf_addf(&text, "]}");
    assert_int_equal(read_policy(&arena, strbuf_span(&text), SPAN("{}"), &policy, &err),
                     OUTCOME_FATAL);
    assert_non_null(strstr(err.message, "networks: at most 500 networks"));
    arena_free(&arena);
}

static void lists_of_others_are_converted(void **state)
{
    static const struct {
        const char *list, *out;
        size_t hosts, left_out, doublings;
    } rows[] = {
        {"{\"search\":{\"Yahoo! Search\":{\"domains\":[\"Search.Yahoo.com\",\"a.example/path\"],"
         "\"parameters\":[\"p\"]}},\"unknown\":{\"Google\":{\"domains\":[\"support.google.com\","
         "\"search.yahoo.com\"]}}}",
         "{\n  \"search.yahoo.com\": [\"search\", \"yahoo_search\"],\n"
         "  \"support.google.com\": [\"other\", \"google\"]\n}\n",
         2, 1, 1},
        {"{\"bing.com\":{\"source\":\"Bing\",\"medium\":\"search\"},\"a.example\":{\"source\":\"!"
         "\","
         "\"medium\":\"paid\",\"name\":\"x\"}}",
         "{\n  \"bing.com\": [\"search\", \"bing\"],\n  \"a.example\": [\"ads\", "
         "\"a.example\"]\n}\n",
         2, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena arena = {0};
        struct strbuf out = {.arena = &arena};
        struct referrer_counts counts;
        struct journey_policy policy;
        const struct json *list = NULL;
        struct err err = {0};
        assert_int_equal(json_parse_file(&arena, span_of(rows[i].list), "list", &list, &err),
                         OUTCOME_OK);
        assert_int_equal(referrers_convert(&arena, list, &out, &counts, &err), OUTCOME_OK);
        if (!span_is(strbuf_span(&out), rows[i].out))
            fail_msg("row %zu: " SPAN_FMT, i, SPAN_ARG(strbuf_span(&out)));
        assert_int_equal(counts.hosts, rows[i].hosts);
        assert_int_equal(counts.left_out, rows[i].left_out);
        assert_int_equal(counts.doublings, rows[i].doublings);
        assert_int_equal(read_policy(&arena, SPAN(RULES("")), strbuf_span(&out), &policy, &err),
                         OUTCOME_OK);
        arena_free(&arena);
    }
}

static void other_forms_are_refused(void **state)
{
    static const struct {
        const char *list, *says;
    } rows[] = {
        {"[]", "expected the form of Snowplow"},
        {"{}", "expected the form of Snowplow"},
        {"{\"bing.com\":[\"search\",\"bing\"]}", "expected the form of Snowplow"},
        {"{\"search\":{\"A\":{\"domains\":[\"a.example\"]},\"B\":{\"hosts\":[]}}}",
         "search.B: expected `domains`"},
        {"{\"search\":{\"A\":{\"domains\":[\"a.example\",7]}}}", "search.A.domains[1]"},
        {"{\"search\":{\"A\":{\"domains\":[\"a.example\"]}},\"social\":7}",
         "social: expected an object"},
        {"{\"a.example\":{\"source\":\"A\",\"medium\":\"paid\"},\"b.example\":{\"source\":\"B\"}}",
         "b.example: expected `source` and `medium`"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena arena = {0};
        struct strbuf out = {.arena = &arena};
        struct referrer_counts counts;
        const struct json *list = NULL;
        struct err err = {0};
        assert_int_equal(json_parse_file(&arena, span_of(rows[i].list), "list", &list, &err),
                         OUTCOME_OK);
        assert_int_equal(referrers_convert(&arena, list, &out, &counts, &err), OUTCOME_FATAL);
        if (strstr(err.message, rows[i].says) == NULL)
            fail_msg("row %zu: \"%s\" does not say \"%s\"", i, err.message, rows[i].says);
        arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_referrer_has_its_node_in_any_spelling),
        cmocka_unit_test(a_long_host_is_not_looked_for),
        cmocka_unit_test(a_source_makes_a_node_only_if_it_is_listed),
        cmocka_unit_test(each_mistake_has_its_error),
        cmocka_unit_test(the_lists_have_limits),
        cmocka_unit_test(lists_of_others_are_converted),
        cmocka_unit_test(other_forms_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
