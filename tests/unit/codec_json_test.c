/* codec_json_test.c: errors name the document and the place; getters keep defaults; limits of
 * strict JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/codec/json.h"

static struct arena arena;

static const struct json *parse(const char *text)
{
    const struct json *root = NULL;
    struct err err = {0};
    if (json_parse_span(&arena, span_of(text), "policy", &root, &err))
        fail_msg("%s", err.message);
    return root;
}

/* Writes text to a file, loads it and removes it again. */
static enum outcome load(const char *text, const struct json **root, struct err *err)
{
    char path[] = "/tmp/tutti-json-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    enum outcome outcome = json_read_file(&arena, path, root, err);
    unlink(path);
    return outcome;
}

static void test_typed_getters(void **state)
{
    const struct json *root = parse("{\"id\":\"cap\",\"limit\":3,\"per\":\"P7D\",\"on\":true,"
                                    "\"do\":\"defer\",\"none\":null,\"list\":[1,2]}");
    struct span id = SPAN_NONE;
    struct duration per = {0};
    struct err err;
    int64_t limit = 0, kept = 42;
    bool on = false;
    int choice = -1;
    const struct json *list;
    assert_int_equal(json_text(root, "id", &id, &err), OUTCOME_OK);
    assert_true(span_is(id, "cap"));
    assert_int_equal(json_int(root, "limit", 0, 10, &limit, &err), OUTCOME_OK);
    assert_int_equal(limit, 3);
    assert_int_equal(json_duration(root, "per", &per, &err), OUTCOME_OK);
    assert_true(per.us == 7 * US_PER_DAY);
    assert_int_equal(json_bool(root, "on", &on, &err), OUTCOME_OK);
    assert_true(on);
    assert_int_equal(json_choice(root, "do", "drop|defer", &choice, &err), OUTCOME_OK);
    assert_int_equal(choice, 1);
    assert_int_equal(json_int(root, "absent", 0, 1, &kept, &err), OUTCOME_OK);
    assert_int_equal(json_int(root, "none", 0, 1, &kept, &err), OUTCOME_OK);
    assert_int_equal(kept, 42);
    assert_int_equal(json_list(root, "list", &list, &err), OUTCOME_OK);
    assert_int_equal(json_count(list), 2);
    assert_int_equal(json_as_int(json_at(list, 1), 0, 9, &limit, &err), OUTCOME_OK);
    assert_int_equal(limit, 2);
    assert_null(json_at(list, 2));
    assert_true(span_is(json_key(json_at(root, 1)), "limit"));
}

static enum outcome read_rule(const struct json *root, struct err *err)
{
    const struct json *rules, *rule;
    struct duration per = {0};
    struct span id;
    int64_t limit = 0;
    int action = 0;
    if (json_check_keys(root, "rules", "version", err) || json_list(root, "rules", &rules, err))
        return err->outcome;
    for (size_t i = 0; (rule = json_at(rules, i)); i++)
        if (json_check_keys(rule, "id per", "limit on_fail", err) ||
            json_text(rule, "id", &id, err) || json_duration(rule, "per", &per, err) ||
            json_int(rule, "limit", 0, 100, &limit, err) ||
            json_choice(rule, "on_fail", "drop|defer", &action, err))
            return err->outcome;
    return OUTCOME_OK;
}

static const struct {
    const char *text, *message;
} mistakes[] = {
    {"{\"rules\":[{\"id\":\"a\",\"per\":\"P1D\"},{\"id\":\"b\",\"per\":\"7 days\"}]}",
     ": rules[1].per: expected an ISO 8601 duration such as P30D, got \"7 days\""},
    {"{\"rules\":[{\"id\":\"a\",\"pre\":\"P1D\"}]}",
     ": rules[0].pre: unknown key, did you mean \"per\"?"},
    {"{\"rules\":[{\"id\":\"a\",\"per\":\"P1D\",\"something\":1}]}",
     ": rules[0].something: unknown key"},
    {"{\"rules\":[{\"id\":\"a\"}]}", ": rules[0]: \"per\" is missing"},
    {"{\"rules\":[{\"id\":\"a\",\"per\":null}]}", ": rules[0]: \"per\" is missing"},
    {"{\"rules\":[{\"id\":17,\"per\":\"P1D\"}]}", ": rules[0].id: expected a text, got 17"},
    {"{\"rules\":[{\"id\":\"a\",\"per\":\"P1D\",\"limit\":101}]}",
     ": rules[0].limit: expected a whole number from 0 to 100, got 101"},
    {"{\"rules\":[{\"id\":\"a\",\"per\":\"P1D\",\"limit\":1.5}]}",
     ": rules[0].limit: expected a whole number from 0 to 100, got 1.5"},
    {"{\"rules\":[{\"id\":\"a\",\"per\":\"P1D\",\"on_fail\":\"dr\"}]}",
     ": rules[0].on_fail: expected one of drop|defer, got \"dr\""},
    {"{\"rules\":[{\"id\":\"a\",\"per\":\"P1D\",\"limit\":null}]}",
     ": rules[0].limit: null is no value: leave the key out for the default"},
    {"{\"rules\":[null]}", ": rules[0]: expected an object, got null"},
    {"{\"$schema\":7,\"rules\":[]}", ": $schema: expected a text, got 7"},
    {"{\"rules\":[{\"$schema\":\"a\",\"id\":\"a\",\"per\":\"P1D\"}]}",
     ": rules[0].$schema: unknown key"},
    {"{\"rules\":{}}", ": rules: expected a list, got an object"},
    {"{\"rules\":[7]}", ": rules[0]: expected an object, got 7"},
    {"[]", ": expected an object, got a list"},
};

static void test_mistakes_are_located(void **state)
{
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        const struct json *root;
        struct err err = {0};
        assert_int_equal(load(mistakes[i].text, &root, &err), OUTCOME_OK);
        assert_int_equal(read_rule(root, &err), OUTCOME_FATAL);
        const char *end = strstr(err.message, mistakes[i].message);
        if (end == NULL || strcmp(end, mistakes[i].message) != 0)
            fail_msg("got %s, expected %s", err.message, mistakes[i].message);
    }
}

static void test_a_document_may_name_its_schema(void **state)
{
    const struct json *root;
    struct err err = {0};
    assert_int_equal(load("{\"$schema\":\"./contact.schema.json\",\"rules\":[]}", &root, &err),
                     OUTCOME_OK);
    assert_int_equal(read_rule(root, &err), OUTCOME_OK);
}

/* The text of a file has the errors of the file; null in other texts is the same as nothing. */
static void test_texts_of_files_and_others(void **state)
{
    static const char text[] = "{\"rules\":[{\"id\":\"a\",\"per\":\"P1D\",\"limit\":null}]}";
    const struct json *root;
    struct err err = {0};
    assert_int_equal(json_parse_file(&arena, span_of(text), "a.json", &root, &err), OUTCOME_OK);
    assert_int_equal(read_rule(root, &err), OUTCOME_FATAL);
    assert_string_equal(
        err.message, "a.json: rules[0].limit: null is no value: leave the key out for the default");
    assert_int_equal(json_parse_file(&arena, SPAN("{\n]"), "a.json", &root, &err), OUTCOME_FATAL);
    assert_non_null(strstr(err.message, "a.json:2:1: string or '}' expected near ']'"));
    assert_int_equal(read_rule(parse(text), &err), OUTCOME_OK);
}

static const struct {
    const char *name, *text, *where;
} broken[] = {
    {"nothing", "", ":1:0"},
    {"a comma too many", "{\"a\":1,\n \"b\":2,}", ":2:"},
    {"a key twice", "{\"a\":1,\n\"a\":2}", ":2:"},
    {"text after the end", "{}\n{}", ":2:"},
    {"a number beyond 64 bits", "[92233720368547758080]", ":1:"},
    {"an endless number", "[1e400]", ":1:"},
    {"NUL escaped", "[\"a\\u0000b\"]", ":1:"},
    {"bad UTF-8", "[\"\xff\"]", ":1:"},
};

static void test_broken_files(void **state)
{
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        const struct json *root;
        struct err err = {0};
        if (load(broken[i].text, &root, &err) != OUTCOME_FATAL ||
            strstr(err.message, broken[i].where) == NULL)
            fail_msg("%s: %s", broken[i].name, err.message);
        assert_null(root);
    }
}

static void test_missing_file(void **state)
{
    const struct json *root;
    struct err err;
    assert_int_equal(json_read_file(&arena, "/nonexistent/policy.json", &root, &err),
                     OUTCOME_FATAL);
    assert_string_equal(err.code, "file_unreadable");
    assert_int_equal(json_read_file(&arena, "/tmp", &root, &err), OUTCOME_FATAL);
}

/* A touchpoint's own text is data: refused, and never quoted. */
static void test_data_is_not_quoted(void **state)
{
    const struct json *root;
    struct err err;
    int64_t v;
    assert_int_equal(json_parse_span(&arena, SPAN("{\"secret"), "items_json", &root, &err),
                     OUTCOME_REJECT);
    assert_null(strstr(err.message, "secret"));
    root = parse("{\"price\":\"secret\"}");
    assert_int_equal(json_int(root, "price", 0, 9, &v, &err), OUTCOME_REJECT);
    assert_null(strstr(err.message, "secret"));
    assert_non_null(strstr(err.message, "price"));
}

static void test_absent_values_are_harmless(void **state)
{
    assert_int_equal(json_count(NULL), 0);
    assert_null(json_get(NULL, "a"));
    assert_null(json_get(parse("[1]"), "a"));
    assert_int_equal(json_shape(NULL), SHAPE_NULL);
}

static int release(void **state)
{
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_typed_getters),
        cmocka_unit_test(test_mistakes_are_located),
        cmocka_unit_test(test_a_document_may_name_its_schema),
        cmocka_unit_test(test_texts_of_files_and_others),
        cmocka_unit_test(test_broken_files),
        cmocka_unit_test(test_missing_file),
        cmocka_unit_test(test_data_is_not_quoted),
        cmocka_unit_test(test_absent_values_are_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
