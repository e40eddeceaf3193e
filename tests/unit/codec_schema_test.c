/* codec_schema_test.c: parsing canonical form and fingerprints of schemas written in many ways, and
 * a known single object. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/codec/avro/avro_schema.h"

/* Fingerprints are those that the Avro project's interoperability data gives for the same canonical
 * forms. */
static const struct {
    const char *text, *canonical;
    int64_t fingerprint;
} vectors[] = {
    {"{\"type\": \"null\"}", "\"null\"", INT64_C(7195948357588979594)},
    {" \"boolean\" ", "\"boolean\"", INT64_C(-6970731678124411036)},
    {"\"long\"", "\"long\"", INT64_C(-3434872931120570953)},
    {"{\"type\":\"string\",\"doc\":\"any\"}", "\"string\"", INT64_C(-8142146995180207161)},
    {"[]", "[]", INT64_C(-1241056759729112623)},
    {"[\"int\", {\"type\": \"boolean\"}]", "[\"int\",\"boolean\"]", INT64_C(5392556393470105090)},
    {"{\"doc\":\"d\",\"aliases\":[\"b\"],\"name\":\"foo\",\"type\":\"record\",\"fields\":[]}",
     "{\"name\":\"foo\",\"type\":\"record\",\"fields\":[]}", INT64_C(-4824392279771201922)},
    {"{\"type\":\"record\",\"namespace\":\"x.y\",\"name\":\"foo\",\"fields\":[]}",
     "{\"name\":\"x.y.foo\",\"type\":\"record\",\"fields\":[]}", INT64_C(5916914534497305771)},
    {"{\"type\":\"record\",\"namespace\":\"not.this\",\"name\":\"a.b.foo\",\"fields\":[]}",
     "{\"name\":\"a.b.foo\",\"type\":\"record\",\"fields\":[]}", INT64_C(-4616218487480524110)},
    {"{\"symbols\":[\"A1\"],\"type\":\"enum\",\"name\":\"foo\"}",
     "{\"name\":\"foo\",\"type\":\"enum\",\"symbols\":[\"A1\"]}", INT64_C(-6342190197741309591)},
    {"{\"type\":\"fixed\",\"size\":15,\"name\":\"foo\"}",
     "{\"name\":\"foo\",\"type\":\"fixed\",\"size\":15}", INT64_C(1756455273707447556)},
    {"{\"type\":\"array\",\"items\":{\"type\":\"null\"}}",
     "{\"type\":\"array\",\"items\":\"null\"}", INT64_C(-589620603366471059)},
    {"{\"values\":\"string\",\"type\":\"map\"}", "{\"type\":\"map\",\"values\":\"string\"}",
     INT64_C(-8732877298790414990)},
    {"{\"type\":\"record\",\"name\":\"PigValue\",\"fields\":[{\"type\":[\"null\",\"int\",\"long\","
     "\"PigValue\"],"
     "\"name\":\"value\",\"default\":null}]}",
     "{\"name\":\"PigValue\",\"type\":\"record\",\"fields\":[{\"name\":\"value\",\"type\":["
     "\"null\",\"int\",\"long\","
     "\"PigValue\"]}]}",
     INT64_C(-1759257747318642341)},
};

static void test_vectors(void **state)
{
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct arena arena = {0};
        struct strbuf canonical = {.arena = &arena};
        struct avro_schema schema;
        struct err err = {0};
        if (avro_schema_parse(&arena, span_of(vectors[i].text), &schema, &err))
            fail_msg("%s: %s", vectors[i].text, err.message);
        avro_schema_canonical(&schema, &canonical);
        assert_string_equal(canonical.ptr, vectors[i].canonical);
        assert_true((int64_t)avro_fingerprint(strbuf_span(&canonical)) == vectors[i].fingerprint);
        arena_free(&arena);
    }
}

/* A name without a dot means the namespace around it; a nested type keeps its own. */
static void test_namespaces(void **state)
{
    static const char text[] =
        "{\"type\":\"record\",\"name\":\"A\",\"namespace\":\"n\",\"fields\":["
        "{\"name\":\"b\",\"type\":{\"type\":\"fixed\",\"name\":\"B\",\"size\":1}},"
        "{\"name\":\"c\",\"type\":{\"type\":\"record\",\"name\":\"m.C\",\"fields\":[{\"name\":"
        "\"x\",\"type\":\"n.B\"},"
        "{\"name\":\"y\",\"type\":{\"type\":\"fixed\",\"name\":\"B\",\"size\":2}}]}},{\"name\":"
        "\"d\",\"type\":\"B\"}]}";
    static const char want[] = "{\"name\":\"n.A\",\"type\":\"record\",\"fields\":[{\"name\":\"b\","
                               "\"type\":{\"name\":\"n.B\",\"type\":\"fixed\","
                               "\"size\":1}},{\"name\":\"c\",\"type\":{\"name\":\"m.C\",\"type\":"
                               "\"record\",\"fields\":[{\"name\":\"x\",\"type\":"
                               "\"n.B\"},{\"name\":\"y\",\"type\":{\"name\":\"m.B\",\"type\":"
                               "\"fixed\",\"size\":2}}]}},{\"name\":\"d\",\"type\":"
                               "\"n.B\"}]}";
    struct arena arena = {0};
    struct strbuf canonical = {.arena = &arena};
    struct avro_schema schema;
    struct err err = {0};
    assert_int_equal(avro_schema_parse(&arena, span_of(text), &schema, &err), OUTCOME_OK);
    assert_false(schema.recursive);
    avro_schema_canonical(&schema, &canonical);
    assert_string_equal(canonical.ptr, want);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_vectors),
                                       cmocka_unit_test(test_namespaces)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
