/* identity_policy_test.c: the default identity policies are read as written; each mistake gets its own clear error with file and
 * place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/pack.h"
#include "services/identity-resolver/identity_policy.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Reads a policy from a file of its own, named <something>/identity.json. */
static enum outcome read_text(struct arena *arena, const char *text, struct identity_policy *out, struct err *err)
{
    char folder[] = "/tmp/tutti-policy-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/identity.json", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    fclose(file);
    enum outcome o = identity_policy_read(arena, path, out, err);
    unlink(path);
    rmdir(folder);
    return o;
}

static void the_default_policy(void **state)
{
    static const char *const names[] = {"user_id",     "email",     "phone",        "loyalty_id",
                                        "external_id", "device_id", "anonymous_id", "session_id"};
    struct arena arena = {0};
    struct identity_policy p;
    struct err err = {0};
    assert_int_equal(identity_policy_read(&arena, TUTTI_SOURCE_DIR "/policies/identity.json", &p, &err), OUTCOME_OK);
    assert_int_equal(p.type_count, COUNT(names));
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_true(span_is(p.types[i].name, names[i]));
        assert_int_equal(p.types[i].rank, i + 1);
        assert_int_equal(p.types[i].is_unique, i == 0);
        assert_int_equal(p.types[i].links, i != 7);
    }
    assert_int_equal(p.types[1].normaliser, NORMALISE_EMAIL);
    assert_int_equal(p.types[2].normaliser, NORMALISE_PHONE);
    assert_int_equal(p.types[3].normaliser, NORMALISE_PLAIN);
    assert_true(span_is(p.calling_code, "1"));
    assert_false(p.gmail_dots_and_plus);
    assert_int_equal(p.blocked_count, 14);
    assert_int_equal(p.class_count, 1);
    assert_int_equal(p.max_identifiers, 100);
    arena_free(&arena);
}

static void other_settings_and_order_of_types(void **state)
{
    struct arena arena = {0};
    struct identity_policy p;
    struct err err = {0};
    const char *text = "{\"types\":[{\"type\":\"b\",\"rank\":9,\"unique\":true},{\"type\":\"a\",\"rank\":4,\"unique\":true}],"
                       "\"default_calling_code\":\"49\",\"gmail_dots_and_plus\":true,\"max_identifiers\":7,"
                       "\"blocked\":{\"values\":[\"N/A\"],\"patterns\":[{\"pattern\":\"^[x-z_]+$\"}]}}";
    assert_int_equal(read_text(&arena, text, &p, &err), OUTCOME_OK);
    assert_true(span_is(p.types[0].name, "a") && p.types[0].rank == 4 && p.types[1].rank == 9);
    assert_true(span_is(p.calling_code, "49") && p.gmail_dots_and_plus && p.max_identifiers == 7);
    assert_true(identity_is_blocked(&p, SPAN("n/A")));
    assert_true(identity_is_blocked(&p, SPAN("x_yz")));
    assert_true(identity_is_blocked(&p, SPAN(""))); /* blank, though the pattern needs a character */
    assert_false(identity_is_blocked(&p, SPAN("xa")));
    assert_false(identity_is_blocked(&p, SPAN("null"))); /* what is listed replaces the defaults */
    struct span rules = identity_policy_anchor_rules(&arena, &p);
    assert_true(span_is(rules, "a:4:0 b:9:0 calling_code:49 gmail:1"));
    arena_free(&arena);
}

#define TYPE        "{\"type\":\"user_id\",\"rank\":1}"
#define TYPES(rest) "{\"types\":[" TYPE rest "]}"
#define WITH(rest)  "{\"types\":[" TYPE "]," rest "}"
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
    {TYPES(",{\"type\":\"email\",\"rank\":1}"), "types[1]", "must differ"},
    {TYPES(",{\"type\":\"user_id\",\"rank\":2}"), "types[1]", "must differ"},
    {TYPES(",{\"type\":\"email\",\"rank\":2,\"normalise\":\"e-mail\"}"), "types[1].normalise", "email"},
    {TYPES(",{\"type\":\"email\",\"rank\":2,\"uniqe\":true}"), "types[1].uniqe", "did you mean \"unique\"?"},
    {TYPES(",{\"type\":\"email\",\"rank\":2,\"unique\":1}"), "types[1].unique", "expected"},
    {WITH("\"default_caling_code\":\"49\""), "default_caling_code", "did you mean \"default_calling_code\"?"},
    {WITH("\"colour\":\"red\""), "colour", "unknown key"},
    {WITH("\"default_calling_code\":\"+49\""), "default_calling_code", "1 to 3 digits"},
    {WITH("\"default_calling_code\":\"\""), "default_calling_code", "1 to 3 digits"},
    {WITH("\"default_calling_code\":\"1234\""), "default_calling_code", "1 to 3 digits"},
    {WITH("\"gmail_dots_and_plus\":\"yes\""), "gmail_dots_and_plus", "expected"},
    {WITH("\"max_identifiers\":1"), "max_identifiers", "2"},
    {WITH("\"blocked\":[]"), "blocked", "expected"},
    {WITH("\"blocked\":{\"value\":[]}"), "blocked.value", "did you mean \"values\"?"},
    {WITH("\"blocked\":{\"values\":[\"a\",3]}"), "blocked.values[1]", "expected a text"},
    {WITH("\"blocked\":{\"values\":[\"12345678901234567890123456789012345678901234567890123456789012345\"]}"),
     "blocked.values[0]", "64 bytes"},
    {WITH("\"blocked\":{\"patterns\":[\"^[0]*$\"]}"), "blocked.patterns[0]", "object"},
    {PATTERN("^[0-]{3}$"), "blocked.patterns[0]", "^[characters]*$"},
    {PATTERN("[0-]*"), "blocked.patterns[0]", "^[characters]*$"},
    {PATTERN("^[]*$"), "blocked.patterns[0]", "^[characters]*$"},
    {PATTERN("^[^0]*$"), "blocked.patterns[0]", "^[characters]*$"},
    {PATTERN("^test.*$"), "blocked.patterns[0]", "^[characters]*$"},
    {PATTERN("^[a]|[b]*$"), "blocked.patterns[0]", "^[characters]*$"},
    {PATTERN("^[\\\\d]+$"), "blocked.patterns[0]", "^[characters]*$"},
    {PATTERN("^[z-a]+$"), "blocked.patterns[0]", "^[characters]*$"},
};

static void each_mistake_has_its_message(void **state)
{
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        struct arena arena = {0};
        struct identity_policy p;
        struct err err = {0};
        if (read_text(&arena, mistakes[i].text, &p, &err) != OUTCOME_FATAL)
            fail_msg("case %zu is accepted: %s", i, mistakes[i].text);
        if (!strstr(err.message, "identity.json") || !strstr(err.message, mistakes[i].place) ||
            !strstr(err.message, mistakes[i].says))
            fail_msg("case %zu: \"%s\" does not say \"%s\" of \"%s\"", i, err.message, mistakes[i].says, mistakes[i].place);
        arena_free(&arena);
    }
}

/* Adds numbered types: how many may be, and how many of them unique. */
static enum outcome with_types(size_t count, size_t unique)
{
    struct arena arena = {0};
    struct identity_policy p;
    struct err err = {0};
    struct strbuf text = {.arena = &arena};
    strbuf_addf(&text, "{\"types\":[");
    for (size_t i = 0; i < count; i++)
        strbuf_addf(&text, "%s{\"type\":\"t%zu\",\"rank\":%zu,\"unique\":%s}", i ? "," : "", i, i + 1,
                    i < unique ? "true" : "false");
    strbuf_addf(&text, "]}");
    enum outcome o = read_text(&arena, arena_printf(&arena, SPAN_FMT, SPAN_ARG(strbuf_span(&text))), &p, &err);
    arena_free(&arena);
    return o;
}

static void there_are_at_most_so_many_types(void **state)
{
    assert_int_equal(with_types(IDENTITY_MAX_TYPES, IDENTITY_MAX_UNIQUE), OUTCOME_OK);
    assert_int_equal(with_types(IDENTITY_MAX_TYPES + 1, 1), OUTCOME_FATAL);
    assert_int_equal(with_types(IDENTITY_MAX_TYPES, IDENTITY_MAX_UNIQUE + 1), OUTCOME_FATAL);
}

static void a_missing_file_is_named(void **state)
{
    struct arena arena = {0};
    struct identity_policy p;
    struct err err = {0};
    assert_int_equal(identity_policy_read(&arena, "/nowhere/identity.json", &p, &err), OUTCOME_FATAL);
    assert_non_null(strstr(err.message, "/nowhere/identity.json"));
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_policy),           cmocka_unit_test(other_settings_and_order_of_types),
        cmocka_unit_test(each_mistake_has_its_message), cmocka_unit_test(there_are_at_most_so_many_types),
        cmocka_unit_test(a_missing_file_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
