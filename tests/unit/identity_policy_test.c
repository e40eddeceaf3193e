/* identity_policy_test.c: the default identity policies are read as written; each mistake gets its
 * own clear error with file and place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/pack.h"
#include "tests/support/identity_policies.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* In any spelling; a name of its own stays, for a channel that contact.json declares. */
static void addresses_of_channels(void **state)
{
    struct arena arena = {0};
    struct err err = {0};
    struct identity_policy p = {.type_count = 0};
    assert_int_equal(identity_policy_parse(
                         &arena,
                         SPAN("{\"types\":[{\"type\":\"mobile\",\"rank\":1,\"normalise\":\"phone\","
                              "\"address_of\":[\"Text\",\"My Messenger\"]},"
                              "{\"type\":\"work_mail\",\"rank\":2,\"normalise\":\"email\"},"
                              "{\"type\":\"device_id\",\"rank\":3,\"address_of\":[]}]}"),
                         "t.json", &p, &err),
                     OUTCOME_OK);
    assert_true(span_is(p.types[0].address_of, "sms my_messenger"));
    assert_true(span_is(p.types[1].address_of, "email"));
    assert_true(span_is(p.types[2].address_of, ""));
    assert_int_equal(identity_policy_parse(&arena,
                                           SPAN("{\"types\":[{\"type\":\"a\",\"rank\":1,"
                                                "\"address_of\":[\" \"]}]}"),
                                           "t.json", &p, &err),
                     OUTCOME_REJECT);
    assert_non_null(strstr(err.message, "expected a channel of 1 to 64 bytes"));
    arena_free(&arena);
}

static void the_default_policy(void **state)
{
    static const char *const names[] = {"user_id",     "email",     "phone",        "loyalty_id",
                                        "external_id", "device_id", "anonymous_id", "session_id"};
    struct arena arena = {0};
    struct identity_policy p = identity_shipped_policy(&arena, "identity.json");
    assert_int_equal(p.type_count, COUNT(names));
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_true(span_is(p.types[i].name, names[i]));
        assert_int_equal(p.types[i].rank, i + 1);
        assert_int_equal(p.types[i].is_unique, i == 0);
        assert_int_equal(p.types[i].links, i != 7);
        assert_true(p.types[i].counts == (i < 5) && !p.types[i].is_scoped);
    }
    assert_int_equal(p.types[1].normaliser, NORMALISE_EMAIL);
    assert_int_equal(p.types[2].normaliser, NORMALISE_PHONE);
    assert_int_equal(p.types[3].normaliser, NORMALISE_PLAIN);
    assert_true(span_is(p.types[0].address_of, "") && span_is(p.types[1].address_of, "email"));
    assert_true(span_is(p.types[2].address_of, "sms call_center whatsapp"));
    assert_true(span_is(p.types[5].address_of, "push"));
    assert_true(span_is(p.calling_code, "1"));
    assert_false(p.gmail_dots_and_plus);
    assert_int_equal(p.blocked.count, 61);
    assert_int_equal(p.class_count, 12);
    assert_int_equal(p.max_identifiers, 100);
    assert_int_equal(p.max_degree, 1000);
    assert_int_equal(p.min_time.us, 365 * US_PER_DAY);
    arena_free(&arena);
}

/* The most user ids, e-mails and phones an identifier of each type may be linked to. */
static void the_shipped_policies_disarm_what_is_shared(void **state)
{
    static const char *const files[] = {"identity.json", "bank/identity.json"};
    static const struct {
        const char *type;
        uint32_t users, emails, phones;
    } rows[] = {{"user_id", IDENTITY_UNBOUNDED, 10, 10},
                {"email", 5, IDENTITY_UNBOUNDED, 5},
                {"phone", 5, 5, IDENTITY_UNBOUNDED},
                {"loyalty_id", 3, 3, 3},
                {"external_id", 1, 1, 1},
                {"device_id", 3, 3, 3},
                {"anonymous_id", 3, 3, 3}};
    struct arena arena = {0};
    for (size_t f = 0; f < COUNT(files); f++) {
        struct identity_policy p = identity_shipped_policy(&arena, files[f]);
        for (size_t i = 0; i < COUNT(rows); i++) {
            const struct identity_type *type = identity_find_type(&p, span_of(rows[i].type));
            assert_int_equal(type->max_links[0], rows[i].users);
            assert_int_equal(type->max_links[1], rows[i].emails);
            assert_int_equal(type->max_links[2], rows[i].phones);
            assert_int_equal(type->match_hashed, type->normaliser == NORMALISE_EMAIL);
            assert_int_equal(type->limit, type->counts ? IDENTITY_UNBOUNDED : 100);
        }
    }
    arena_free(&arena);
}

#define THREE                                                                                      \
    "{\"types\":[{\"type\":\"c\",\"rank\":3,\"max_links\":{\"a\":2,\"c\":9}},"                     \
    "{\"type\":\"a\",\"rank\":1,\"limit\":{\"count\":4}},"                                         \
    "{\"type\":\"b\",\"rank\":2,\"limit\":{\"count\":1,\"window\":\"P30D\"},\"match_hashed\":"     \
    "true}],"

static void limits_and_bounds(void **state)
{
    struct arena arena = {0};
    struct identity_policy p;
    struct err err = {0};
    assert_int_equal(identity_policy_of(&arena, THREE "\"max_degree\":7}", &p, &err), OUTCOME_OK);
    assert_true(p.types[0].limit == 4 && p.types[0].limit_window.us == 0);
    assert_true(p.types[1].limit == 1 && p.types[1].limit_window.us == 30 * US_PER_DAY &&
                p.types[1].match_hashed);
    assert_true(p.types[2].limit == IDENTITY_UNBOUNDED && p.max_degree == 7 &&
                p.max_identifiers == 100);
    assert_true(p.types[2].max_links[0] == 2 && p.types[2].max_links[1] == IDENTITY_UNBOUNDED &&
                p.types[2].max_links[2] == 9);
    assert_int_equal(identity_type_of_rank(&p, 2), 1);
    assert_int_equal(identity_type_of_rank(&p, 4), -1);
    assert_int_equal(p.min_time.us, 365 * US_PER_DAY);
    struct span rules = identity_policy_anchor_rules(&arena, &p);
    assert_true(span_is(rules, "a:1:0 b:2:0:hashed c:3:0 calling_code:1 gmail:0"));
    arena_free(&arena);
}

static void times_are_judged_by_the_record(void **state)
{
    static const struct {
        int64_t recorded_at, occurred_at;
        const char *code;
    } rows[] = {
        {400 * US_PER_DAY, 401 * US_PER_DAY, NULL},
        {400 * US_PER_DAY, 401 * US_PER_DAY + 1, "time_in_the_future"},
        {401 * US_PER_DAY, 365 * US_PER_DAY, NULL},
        {401 * US_PER_DAY, 365 * US_PER_DAY - 1, "time_too_old"},
        {INT64_MAX, INT64_MAX, NULL},
    };
    struct identity_policy p;
    identity_policy_init(&p);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct err err = {0};
        enum outcome outcome = identity_check_times(&p, (struct instant){rows[i].recorded_at},
                                                    (struct instant){rows[i].occurred_at}, &err);
        assert_int_equal(outcome, rows[i].code ? OUTCOME_REJECT : OUTCOME_OK);
        if (rows[i].code)
            assert_string_equal(err.code, rows[i].code);
    }
}

static void pairs_in_either_order(void **state)
{
    struct arena arena = {0};
    struct identity_policy p;
    struct err err = {0};
    const char *text = THREE "\"pairs\":[{\"types\":[\"c\",\"a\"],\"strength\":\"weak\"},{"
                             "\"types\":[\"b\",\"b\"],\"links\":false},"
                             "{\"types\":[\"a\",\"b\"],\"strength\":\"strong\"}]}";
    assert_int_equal(identity_policy_of(&arena, text, &p, &err), OUTCOME_OK);
    assert_true(identity_strength(&p, 0, 2) == LINK_WEAK &&
                identity_strength(&p, 2, 0) == LINK_WEAK);
    assert_true(identity_strength(&p, 0, 1) == LINK_STRONG &&
                identity_strength(&p, 1, 2) == LINK_EXACT);
    assert_true(!identity_may_link(&p, 1, 1) && identity_may_link(&p, 0, 2) &&
                identity_may_link(&p, 2, 2));
    arena_free(&arena);
}

static void sessions_of_a_source(void **state)
{
    struct arena arena = {0};
    struct identity_policy p;
    struct err err = {0};
    const char *text = "{\"types\":[{\"type\":\"a\",\"rank\":1,\"scope\":\"all\",\"counts\":true},"
                       "{\"type\":\"b\",\"rank\":2,\"scope\":\"source\"},{\"type\":\"c\",\"rank\":"
                       "3,\"counts\":false}]}";
    assert_int_equal(identity_policy_of(&arena, text, &p, &err), OUTCOME_OK);
    assert_true(!p.types[0].is_scoped && p.types[1].is_scoped && !p.types[2].is_scoped);
    assert_true(p.types[0].counts && p.types[1].counts && !p.types[2].counts);
    /* a scope gives other ids, what counts does not */
    struct span rules = identity_policy_anchor_rules(&arena, &p);
    assert_true(span_is(rules, "a:1:0 b:2:0:source c:3:0 calling_code:1 gmail:0"));
    arena_free(&arena);
}

static void blocked_by_type(void **state)
{
    struct arena arena = {0};
    struct identity_policy p;
    struct err err = {0};
    const char *text =
        THREE "\"blocked\":{\"values\":[\"x\"],\"types\":{\"a\":[\"Y\"],\"c\":[\"y\",\"z\"]},"
              "\"patterns\":[{\"pattern\":\"^[7]+$\",\"type\":\"b\"},{\"pattern\":\"^[8]+$\"}]}}";
    static const char *const want[] = {"xy8", "x78", "xyz8"}; /* of a, b, c */
    assert_int_equal(identity_policy_of(&arena, text, &p, &err), OUTCOME_OK);
    for (size_t i = 0; i < COUNT(want); i++)
        for (const char *value = "xyz789"; *value; value++)
            assert_int_equal(identity_is_blocked(&p, &p.types[i], (struct span){value, 1}),
                             strchr(want[i], *value) != NULL);
    arena_free(&arena);
}

static void who_is_believed_about_former_ids(void **state)
{
    struct arena arena = {0};
    struct identity_policy p;
    struct err err = {0};
    const char *text =
        THREE "\"may_alias\":[{\"source\":\"urn:a\"},{\"source\":\"urn:b\",\"topic\":"
              "\"touchpoints.crm.v1\"},{\"source\":\"urn:c\",\"topic\":\"x.*\"}]}";
    assert_int_equal(identity_policy_of(&arena, text, &p, &err), OUTCOME_OK);
    assert_true(identity_may_alias(&p, SPAN("any"), SPAN("urn:a")));
    assert_false(identity_may_alias(&p, SPAN("any"), SPAN("urn:A")));
    assert_true(identity_may_alias(&p, SPAN("touchpoints.crm.v1"), SPAN("urn:b")));
    assert_false(identity_may_alias(&p, SPAN("touchpoints.crm.v11"), SPAN("urn:b")));
    assert_true(identity_may_alias(&p, SPAN("x.y"), SPAN("urn:c")));
    assert_false(identity_may_alias(&p, SPAN("x"), SPAN("urn:c")));
    assert_false(identity_may_alias(&p, SPAN("x.y"), SPAN_NONE));
    arena_free(&arena);
}

static void a_policy_may_be_a_file(void **state)
{
    struct arena arena = {0};
    struct identity_policy p;
    struct err err = {0};
    assert_int_equal(identity_policy_of(&arena, "[]", &p, &err), OUTCOME_REJECT);
    const char *path = TUTTI_SOURCE_DIR "/policies/contact.json";
    assert_int_equal(identity_policy_read(&arena, path, &p, &err), OUTCOME_FATAL);
    assert_non_null(strstr(err.message, path));
    arena_free(&arena);
}

static void other_settings_and_order_of_types(void **state)
{
    struct arena arena = {0};
    struct identity_policy p;
    struct err err = {0};
    const char *text =
        "{\"types\":[{\"type\":\"b\",\"rank\":9,\"unique\":true},{\"type\":\"a\",\"rank\":4,"
        "\"unique\":true}],"
        "\"default_calling_code\":\"49\",\"gmail_dots_and_plus\":true,\"max_identifiers\":7,"
        "\"blocked\":{\"values\":[\"N/A\"],\"patterns\":[{\"pattern\":\"^[x-z_]+$\"}]}}";
    assert_int_equal(identity_policy_of(&arena, text, &p, &err), OUTCOME_OK);
    assert_true(span_is(p.types[0].name, "a") && p.types[0].rank == 4 && p.types[1].rank == 9);
    assert_true(span_is(p.calling_code, "49") && p.gmail_dots_and_plus && p.max_identifiers == 7);
    assert_true(identity_is_blocked(&p, &p.types[0], SPAN("n/A")));
    assert_true(identity_is_blocked(&p, &p.types[0], SPAN("x_Yz")));
    /* blank, though the pattern needs a character */
    assert_true(identity_is_blocked(&p, &p.types[0], SPAN("")));
    assert_false(identity_is_blocked(&p, &p.types[0], SPAN("xa")));
    /* the list replaces the defaults */
    assert_false(identity_is_blocked(&p, &p.types[0], SPAN("null")));
    struct span rules = identity_policy_anchor_rules(&arena, &p);
    assert_true(span_is(rules, "a:4:0 b:9:0 calling_code:49 gmail:1"));
    arena_free(&arena);
}

#define TYPE        "{\"type\":\"user_id\",\"rank\":1}"
#define TYPES(rest) "{\"types\":[" TYPE rest "]}"
#define WITH(rest)  "{\"types\":[" TYPE "]," rest "}"
#define EMAIL(rest) TYPES(",{\"type\":\"email\",\"rank\":2," rest "}")
#define PAIRS(list) WITH("\"pairs\":[" list "]")
#define PATTERN(p)  WITH("\"blocked\":{\"patterns\":[{\"pattern\":\"" p "\"}]}")

static const struct {
    const char *text, *place, *says;
} mistakes[] = {
    {"{", "", "identity.json"},
    {"[]", "", "object"},
    {"{}", "", "types"},
    {"{\"types\":[]}", "types", "1 to 32"},
    {"{\"types\":{}}", "types", "expected"},
    {TYPES(",{\"rank\":2}"), "types[1]", "\"type\" is missing"},
    {TYPES(",{\"type\":\"email\"}"), "types[1]", "\"rank\" is missing"},
    {TYPES(",{\"type\":7,\"rank\":2}"), "types[1].type", "expected"},
    {TYPES(",{\"type\":\"email\",\"rank\":0}"), "types[1].rank", "1"},
    {TYPES(",{\"type\":\"email\",\"rank\":40000}"), "types[1].rank", "32767"},
    {TYPES(",{\"type\":\"email\",\"rank\":1}"), "types[1].rank",
     "1 is the rank of \"user_id\" already"},
    {TYPES(",{\"type\":\"user_id\",\"rank\":2}"), "types[1].type", "\"user_id\" is given twice"},
    {TYPES(",{\"type\":\"a:b\",\"rank\":2}"), "types[1].type", "letters, digits"},
    {TYPES(",{\"type\":\"email\",\"rank\":2,\"normalise\":\"e-mail\"}"), "types[1].normalise",
     "email"},
    {TYPES(",{\"type\":\"email\",\"rank\":2,\"uniqe\":true}"), "types[1].uniqe",
     "did you mean \"unique\"?"},
    {TYPES(",{\"type\":\"email\",\"rank\":2,\"unique\":1}"), "types[1].unique", "expected"},
    {WITH("\"default_caling_code\":\"49\""), "default_caling_code",
     "did you mean \"default_calling_code\"?"},
    {WITH("\"colour\":\"red\""), "colour", "unknown key"},
    {WITH("\"default_calling_code\":\"+49\""), "default_calling_code", "1 to 3 digits"},
    {WITH("\"default_calling_code\":\"\""), "default_calling_code", "1 to 3 digits"},
    {WITH("\"default_calling_code\":\"1234\""), "default_calling_code", "1 to 3 digits"},
    {WITH("\"gmail_dots_and_plus\":\"yes\""), "gmail_dots_and_plus", "expected"},
    {WITH("\"max_identifiers\":1"), "max_identifiers", "2"},
    {WITH("\"max_degree\":0"), "max_degree", "1"},
    {WITH("\"min_time\":1971"), "min_time", "expected a text"},
    {WITH("\"min_time\":\"1969-12-31\""), "min_time", "1970-01-01"},
    {WITH("\"min_time\":\"1971-02-29\""), "min_time", "expected a day"},
    {WITH("\"min_time\":\"1971-01-01T00:00:00Z\""), "min_time", "expected a day"},
    {TYPES(",{\"type\":\"\",\"rank\":2}"), "types[1].type", "name"},
    {EMAIL("\"limit\":3"), "types[1].limit", "expected"},
    {EMAIL("\"limit\":{}"), "types[1].limit", "\"count\" is missing"},
    {EMAIL("\"limit\":{\"count\":0}"), "types[1].limit.count", "1"},
    {EMAIL("\"limit\":{\"count\":1,\"window\":\"30d\"}"), "types[1].limit.window", "ISO 8601"},
    {EMAIL("\"limit\":{\"count\":1,\"window\":\"PT0S\"}"), "types[1].limit.window", "above 0"},
    {EMAIL("\"limit\":{\"count\":1,\"per\":\"P1D\"}"), "types[1].limit.per", "unknown key"},
    {EMAIL("\"match_hashed\":\"yes\""), "types[1].match_hashed", "expected"},
    {EMAIL("\"counts\":\"no\""), "types[1].counts", "expected"},
    {EMAIL("\"scope\":\"site\""), "types[1].scope", "source"},
    {EMAIL("\"max_links\":3"), "types[1].max_links", "expected"},
    {EMAIL("\"max_links\":{\"user\":3}"), "types[1].max_links.user",
     "no type is called \"user\", did you mean \"user_id\"?"},
    {EMAIL("\"max_links\":{\"user_id\":0}"), "types[1].max_links.user_id", "1"},
    {EMAIL("\"max_links\":{\"email\":\"2\"}"), "types[1].max_links.email", "expected"},
    {WITH("\"pairs\":{}"), "pairs", "expected"},
    {PAIRS("{}"), "pairs[0]", "\"types\" is missing"},
    {PAIRS("{\"types\":[\"user_id\"]}"), "pairs[0].types", "two types"},
    {PAIRS("{\"types\":[\"user_id\",\"email\"]}"), "pairs[0].types[1]",
     "no type is called \"email\""},
    {"{\"types\":[" TYPE ",{\"type\":\"visit\",\"rank\":2,\"links\":false}],\"pairs\":[{\"types\":["
     "\"visit\",\"user_id\"]}]}",
     "pairs[0]", "\"visit\" links nothing"},
    {PAIRS("{\"types\":[\"user_id\",\"user_id\"],\"strength\":\"week\"}"), "pairs[0].strength",
     "weak"},
    {PAIRS("{\"types\":[\"user_id\",\"user_id\"],\"link\":false}"), "pairs[0].link",
     "did you mean \"links\"?"},
    {PAIRS("{\"types\":[\"user_id\",\"user_id\"]},{\"types\":[\"user_id\",\"user_id\"]}"),
     "pairs[1]", "once"},
    {WITH("\"blocked\":{\"types\":{\"email\":[]}}"), "blocked.types.email", "no type is called"},
    {WITH("\"blocked\":{\"types\":{\"user_id\":\"x\"}}"), "blocked.types.user_id", "list"},
    {WITH("\"blocked\":{\"types\":{\"user_id\":[1]}}"), "blocked.types.user_id[0]",
     "expected a text"},
    {WITH("\"blocked\":{\"patterns\":[{\"pattern\":\"^[0]*$\",\"type\":\"x\"}]}"),
     "blocked.patterns[0].type", "no type is called"},
    {WITH("\"blocked\":[]"), "blocked", "expected"},
    {WITH("\"blocked\":{\"value\":[]}"), "blocked.value", "did you mean \"values\"?"},
    {WITH("\"blocked\":{\"values\":[\"a\",3]}"), "blocked.values[1]", "expected a text"},
    {WITH("\"blocked\":{\"values\":["
          "\"12345678901234567890123456789012345678901234567890123456789012345\"]}"),
     "blocked.values[0]", "64 bytes"},
    {WITH("\"blocked\":{\"patterns\":[\"^[0]*$\"]}"), "blocked.patterns[0]", "object"},
    {PATTERN("^[0-]{3}$"), "blocked.patterns[0]", "^[characters]*$"},
    {PATTERN("[0-]*"), "blocked.patterns[0]", "^[characters]*$"},
    {PATTERN("^[]*$"), "blocked.patterns[0]", "^[characters]*$"},
    {PATTERN("^[^0]*$"), "blocked.patterns[0]", "^[characters]*$"},
    {PATTERN("^te?st.*$"), "blocked.patterns[0]", "^[characters]*$"},
    {PATTERN("^.*$"), "blocked.patterns[0]", "^start.*end$"},
    {PATTERN("^{{.*}}$"), "blocked.patterns[0]", "^start.*end$"},
    {PATTERN("^[a]|[b]*$"), "blocked.patterns[0]", "^[characters]*$"},
    {PATTERN("^[\\\\d]+$"), "blocked.patterns[0]", "^[characters]*$"},
    {PATTERN("^[z-a]+$"), "blocked.patterns[0]", "^[characters]*$"},
    {PATTERN("^[\xC3\xA9]+$"), "blocked.patterns[0]", "^[characters]*$"},
};

static void each_mistake_has_its_message(void **state)
{
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        struct arena arena = {0};
        struct identity_policy p;
        struct err err = {0};
        if (identity_policy_of(&arena, mistakes[i].text, &p, &err) != OUTCOME_REJECT)
            fail_msg("case %zu is accepted: %s", i, mistakes[i].text);
        if (!strstr(err.message, "identity.json") || !strstr(err.message, mistakes[i].place) ||
            !strstr(err.message, mistakes[i].says))
            fail_msg("case %zu: \"%s\" does not say \"%s\" of \"%s\"", i, err.message,
                     mistakes[i].says, mistakes[i].place);
        arena_free(&arena);
    }
}

#define SHY(more) "{\"type\":\"visit\",\"rank\":2,\"links\":false" more "}"
#define REFUSED                                                                                    \
    "{\"types\":[\"user_id\",\"email\"],\"links\":false},{\"types\":[\"user_id\",\"user_id\"],"    \
    "\"links\":false}"

static const struct {
    const char *text, *says[2];
} vain[] = {
    {TYPES(""), {NULL}},
    {TYPES("," SHY("")), {NULL}},
    {EMAIL("\"limit\":{\"count\":1},\"max_links\":{\"user_id\":1}"), {NULL}},
    {EMAIL("\"unique\":true,\"limit\":{\"count\":1}"), {"is unique: its \"limit\""}},
    {EMAIL("\"max_links\":{\"user_id\":1001}"), {"\"max_degree\" is smaller"}},
    {EMAIL("\"counts\":false"), {"does not count and has no"}},
    {EMAIL("\"counts\":false,\"max_links\":{\"user_id\":2}"), {NULL}},
    {"{\"types\":[{\"type\":\"a\",\"rank\":1,\"counts\":false,\"limit\":{\"count\":9}}]}",
     {"no type counts"}},
    {"{\"types\":[" SHY("") "]}", {"nothing links"}},
    {"{\"types\":[{\"type\":\"a\",\"rank\":1,\"unique\":true}]}", {"nothing links"}},
    {WITH("\"pairs\":[{\"types\":[\"user_id\",\"user_id\"],\"links\":false}]"), {"nothing links"}},
    {TYPES("," SHY(",\"unique\":true")), {"the type \"visit\" links nothing: its \"unique\""}},
    {TYPES("," SHY(",\"limit\":{\"count\":2}")),
     {"the type \"visit\" links nothing: its \"limit\""}},
    {TYPES("," SHY(",\"max_links\":{\"user_id\":2}")),
     {"the type \"visit\": its \"max_links\" of \"user_id\""}},
    {TYPES("," SHY("") ",{\"type\":\"a\",\"rank\":3,\"max_links\":{\"visit\":2}}"),
     {"\"visit\" links nothing"}},
    {"{\"types\":[" TYPE ",{\"type\":\"email\",\"rank\":2}],\"pairs\":[" REFUSED "]}", {NULL}},
    {"{\"types\":[{\"type\":\"user_id\",\"rank\":1,\"unique\":true,\"max_links\":{\"email\":1}},"
     "{\"type\":\"email\",\"rank\":2}],\"pairs\":[" REFUSED "]}",
     {"the type \"user_id\" may link with no type: its \"unique\""}},
    {"{\"types\":[" SHY(",\"unique\":true") "]}",
     {"nothing links", "the type \"visit\" links nothing: its \"unique\""}},
};

static void what_acts_on_nothing_is_a_warning(void **state)
{
    for (size_t i = 0; i < COUNT(vain); i++) {
        struct arena arena = {0};
        struct identity_policy p;
        struct warnings warnings;
        struct err err = {0};
        size_t want = vain[i].says[1] ? 2 : vain[i].says[0] ? 1 : 0;
        assert_int_equal(identity_policy_of(&arena, vain[i].text, &p, &err), OUTCOME_OK);
        identity_policy_warnings(&arena, &p, &warnings);
        if (warnings.count != want)
            fail_msg("case %zu: %zu warnings: %s", i, warnings.count,
                     warnings.count ? warnings.items[0].ptr : "");
        for (size_t j = 0; j < want; j++)
            if (!strstr(warnings.items[j].ptr, vain[i].says[j]))
                fail_msg("case %zu: \"%s\" does not say \"%s\"", i, warnings.items[j].ptr,
                         vain[i].says[j]);
        arena_free(&arena);
    }
}

static void the_shipped_policies_give_no_warning(void **state)
{
    static const char *const files[] = {"identity.json", "bank/identity.json"};
    struct arena arena = {0};
    for (size_t i = 0; i < COUNT(files); i++) {
        struct warnings warnings;
        struct identity_policy p = identity_shipped_policy(&arena, files[i]);
        identity_policy_warnings(&arena, &p, &warnings);
        assert_int_equal(warnings.count, 0);
    }
    arena_free(&arena);
}

/* A database may keep a policy from when null was allowed: it must not stop who would apply another
 * one. */
static void null_is_refused_in_files_alone(void **state)
{
    static const char text[] = WITH("\"max_degree\":null");
    struct arena arena = {0};
    struct identity_policy p;
    struct err err = {0};
    assert_int_equal(identity_policy_parse(&arena, span_of(text), "the active one", &p, &err),
                     OUTCOME_OK);
    assert_int_equal(p.max_degree, 1000);
    assert_int_equal(identity_policy_read_text(&arena, span_of(text), "identity.json", &p, &err),
                     OUTCOME_FATAL);
    assert_string_equal(
        err.message,
        "identity.json: max_degree: null is no value: leave the key out for the default");
    arena_free(&arena);
}

/* Numbered types, all of them unique. */
static enum outcome with_types(size_t count)
{
    struct arena arena = {0};
    struct identity_policy p;
    struct err err = {0};
    struct strbuf text = {.arena = &arena};
    for (size_t i = 0; i < count; i++)
        strbuf_addf(&text, "%s{\"type\":\"t%zu\",\"rank\":%zu,\"unique\":true}", i ? "," : "", i,
                    i + 1);
    const char *policy =
        arena_printf(&arena, "{\"types\":[" SPAN_FMT "]}", SPAN_ARG(strbuf_span(&text)));
    enum outcome outcome = identity_policy_of(&arena, policy, &p, &err);
    arena_free(&arena);
    return outcome;
}

static void there_are_at_most_so_many_types(void **state)
{
    assert_int_equal(with_types(IDENTITY_MAX_TYPES), OUTCOME_OK);
    assert_int_equal(with_types(IDENTITY_MAX_TYPES + 1), OUTCOME_REJECT);
}

static void a_missing_file_is_named(void **state)
{
    struct arena arena = {0};
    struct identity_policy p;
    struct err err = {0};
    assert_int_equal(identity_policy_read(&arena, "/nowhere/identity.json", &p, &err),
                     OUTCOME_FATAL);
    assert_non_null(strstr(err.message, "/nowhere/identity.json"));
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_policy),
        cmocka_unit_test(addresses_of_channels),
        cmocka_unit_test(the_shipped_policies_disarm_what_is_shared),
        cmocka_unit_test(limits_and_bounds),
        cmocka_unit_test(times_are_judged_by_the_record),
        cmocka_unit_test(pairs_in_either_order),
        cmocka_unit_test(sessions_of_a_source),
        cmocka_unit_test(blocked_by_type),
        cmocka_unit_test(who_is_believed_about_former_ids),
        cmocka_unit_test(a_policy_may_be_a_file),
        cmocka_unit_test(other_settings_and_order_of_types),
        cmocka_unit_test(each_mistake_has_its_message),
        cmocka_unit_test(what_acts_on_nothing_is_a_warning),
        cmocka_unit_test(the_shipped_policies_give_no_warning),
        cmocka_unit_test(null_is_refused_in_files_alone),
        cmocka_unit_test(there_are_at_most_so_many_types),
        cmocka_unit_test(a_missing_file_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
