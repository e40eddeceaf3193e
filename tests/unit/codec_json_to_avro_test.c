/* codec_json_to_avro_test.c: JSON to Avro as avro-c reads it, back to JSON, and what is refused
 * with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <avro.h>
#include <jansson.h>
#include <cmocka.h>

#include "common/codec/avro/avro_to_json.h"
#include "common/codec/avro/json_to_avro.h"
#include "common/codec/json_write.h"
#include "common/codec/schema/embedded.h"

/* Every kind of type, with defaults, nested names and logical types. */
static const char all_kinds[] =
    "{\"type\":\"record\",\"name\":\"All\",\"fields\":["
    "{\"name\":\"n\",\"type\":\"null\",\"default\":null},"
    "{\"name\":\"b\",\"type\":\"boolean\"},"
    "{\"name\":\"i\",\"type\":\"int\"},"
    "{\"name\":\"l\",\"type\":\"long\"},"
    "{\"name\":\"f\",\"type\":\"float\"},"
    "{\"name\":\"d\",\"type\":\"double\"},"
    "{\"name\":\"s\",\"type\":\"string\",\"default\":\"none\"},"
    "{\"name\":\"y\",\"type\":\"bytes\"},"
    "{\"name\":\"x\",\"type\":{\"type\":\"fixed\",\"name\":\"Two\",\"size\":2}},"
    "{\"name\":\"id\",\"type\":{\"type\":\"fixed\",\"name\":\"Id\",\"size\":16}},"
    "{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"red\",\"green\"]}},"
    "{\"name\":\"a\",\"type\":{\"type\":\"array\",\"items\":\"long\"},\"default\":[]},"
    "{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":[\"null\",\"string\"]}},"
    "{\"name\":\"u\",\"type\":[\"null\",\"long\",\"string\",{\"type\":\"record\",\"name\":\"In\","
    "\"fields\":["
    "{\"name\":\"two\",\"type\":\"Two\"},{\"name\":\"w\",\"type\":\"int\",\"default\":7}]}]},"
    "{\"name\":\"t\",\"type\":[\"null\",{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}],"
    "\"default\":null}]}";

static const char full[] = "{\"b\":true,\"i\":-5,\"l\":9007199254740993,\"f\":0.5,\"d\":-1.25,"
                           "\"s\":\"Z\xc3\xbcrich\",\"y\":\"00ff\",\"x\":\"beef\","
                           "\"id\":\"00112233-4455-6677-8899-aabbccddeeff\",\"e\":\"green\",\"a\":["
                           "1,-2,3],\"m\":{\"k\":\"v\",\"z\":null},"
                           "\"u\":{\"two\":\"0a0b\"},\"t\":\"2026-01-01T00:00:00.000001Z\"}";

struct fixture {
    struct avro_shape *kinds, *touchpoint;
};

static int open_shapes(void **state)
{
    static struct fixture fixture;
    struct err err = {0};
    if (avro_shape_open(span_of(all_kinds), &fixture.kinds, &err) != OUTCOME_OK ||
        avro_shape_open(embedded_schema("touchpoint"), &fixture.touchpoint, &err) != OUTCOME_OK)
        fail_msg("%s", err.message);
    *state = &fixture;
    return 0;
}

static int close_shapes(void **state)
{
    struct fixture *fixture = *state;
    avro_shape_close(fixture->kinds);
    avro_shape_close(fixture->touchpoint);
    return 0;
}

static void encode(const struct avro_shape *shape, const char *text, struct strbuf *out)
{
    struct err err = {0};
    if (json_text_to_avro(shape, span_of(text), out, NULL, &err) != OUTCOME_OK)
        fail_msg("%s", err.message);
}

/* Reads with avro-c, the independent oracle, and gives its JSON. */
static char *read_with_avro_c(struct span schema_text, struct span bytes)
{
    avro_schema_t schema;
    avro_value_t value;
    char *text = NULL;
    assert_int_equal(avro_schema_from_json_length(schema_text.ptr, schema_text.len, &schema), 0);
    avro_value_iface_t *iface = avro_generic_class_from_schema(schema);
    assert_int_equal(avro_generic_value_new(iface, &value), 0);
    avro_reader_t reader = avro_reader_memory(bytes.ptr, (int64_t)bytes.len);
    assert_int_equal(avro_value_read(reader, &value), 0);
    char rest;
    assert_int_not_equal(avro_read(reader, &rest, 1), 0); /* nothing is left over */
    assert_int_equal(avro_value_to_json(&value, 1, &text), 0);
    avro_reader_free(reader);
    avro_value_decref(&value);
    avro_value_iface_decref(iface);
    avro_schema_decref(schema);
    return text;
}

static json_t *member(json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);
    if (value == NULL)
        fail_msg("avro-c has no %s", name);
    return value;
}

static void avro_c_reads_every_kind(void **state)
{
    struct fixture *fixture = *state;
    struct strbuf bytes = {0};
    encode(fixture->kinds, full, &bytes);
    char *text = read_with_avro_c(span_of(all_kinds), strbuf_span(&bytes));
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    assert_true(json_is_true(member(json, "b")));
    assert_int_equal(json_integer_value(member(json, "i")), -5);
    assert_int_equal(json_integer_value(member(json, "l")), INT64_C(9007199254740993));
    assert_true(json_number_value(member(json, "f")) == 0.5);
    assert_true(json_number_value(member(json, "d")) == -1.25);
    assert_string_equal(json_string_value(member(json, "s")), "Z\xc3\xbcrich");
    assert_string_equal(json_string_value(member(json, "e")), "green");
    assert_int_equal(json_integer_value(json_array_get(member(json, "a"), 1)), -2);
    assert_string_equal(json_string_value(member(member(member(json, "m"), "k"), "string")), "v");
    assert_true(json_is_null(member(member(json, "m"), "z")));
    /* its default */
    assert_int_equal(json_integer_value(member(member(member(json, "u"), "In"), "w")), 7);
    assert_int_equal(json_integer_value(member(member(json, "t"), "long")),
                     INT64_C(1767225600000001));
    json_decref(json);
    free(text);
    strbuf_free(&bytes);
}

static void comes_back_as_it_was(void **state)
{
    struct fixture *fixture = *state;
    struct strbuf bytes = {0}, text = {0}, again = {0};
    struct err err = {0};
    encode(fixture->kinds, full, &bytes);
    struct span rest = strbuf_span(&bytes);
    assert_int_equal(avro_to_json(fixture->kinds, &rest, AVRO_PRINT_ALL, &text, &err), OUTCOME_OK);
    assert_int_equal(rest.len, 0);
    assert_non_null(strstr(text.ptr, "\"id\":\"00112233-4455-6677-8899-aabbccddeeff\""));
    assert_non_null(strstr(text.ptr, "\"y\":\"00ff\""));
    encode(fixture->kinds, text.ptr, &again);
    assert_true(span_equal(strbuf_span(&bytes), strbuf_span(&again)));
    strbuf_free(&bytes);
    strbuf_free(&text);
    strbuf_free(&again);
}

#define REQUIRED                                                                                   \
    "\"message_id\":\"m\",\"source\":\"urn:s\",\"type\":\"track\",\"channel\":\"web\",\"occurred_" \
    "at\":1"

static void short_touchpoint_is_read_by_avro_c(void **state)
{
    struct fixture *fixture = *state;
    struct strbuf bytes = {0};
    encode(fixture->touchpoint,
           "{" REQUIRED ",\"identifiers\":[{\"type\":\"email\",\"value\":\"a@example.com\"}]}",
           &bytes);
    char *text = read_with_avro_c(embedded_schema("touchpoint"), strbuf_span(&bytes));
    json_t *json = json_loads(text, 0, NULL),
           *first = json_array_get(member(json, "identifiers"), 0);
    assert_string_equal(json_string_value(member(json, "message_id")), "m");
    assert_string_equal(json_string_value(member(first, "encoding")), "none");
    assert_string_equal(json_string_value(member(first, "collection")), "users");
    assert_true(json_is_false(member(json, "is_test")));
    assert_true(json_is_null(member(json, "contact")));
    json_decref(json);
    free(text);
    strbuf_free(&bytes);
}

static void refusals_name_the_place(void **state)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"{" REQUIRED ",\"chanel\":\"web\"}",
         "unknown field \"chanel\", the nearest is \"channel\""},
        {"{" REQUIRED ",\"page\":{\"ulr\":\"x\"}}",
         "page: unknown field \"ulr\", the nearest is \"url\""},
        {"{\"message_id\":\"m\"}", "source: missing, and it has no default"},
        {"{" REQUIRED ",\"score\":\"5\"}", "score: expected an integer"},
        {"{" REQUIRED ",\"score\":5000000000}", "score: beyond 32 bits"},
        {"{" REQUIRED ",\"received_at\":\"yesterday\"}",
         "received_at: expected a time such as 2026-01-31T09:30:00Z, or an integer"},
        {"{" REQUIRED ",\"value_micros\":\"2026-01-01T00:00:00Z\"}",
         "value_micros: expected an integer"},
        {"{" REQUIRED ",\"consent\":{\"email\":1}}", "consent.email: expected true or false"},
        {"{" REQUIRED
         ",\"identifiers\":[{\"type\":\"email\",\"value\":\"a\"},{\"type\":\"email\"}]}",
         "identifiers[1].value: missing, and it has no default"},
        {"{" REQUIRED ",\"identifiers\":null}", "identifiers: expected an array"},
        {"{" REQUIRED ",\"is_test\":\"no\"}", "is_test: expected true or false"},
        {"[]", "expected an object"},
        {"{" REQUIRED "} {}", NULL},
        {"{" REQUIRED ",\"channel\":\"app\"}", NULL},
        {"{" REQUIRED ",\"locale\":\"\xff\"}", NULL},
        {"{" REQUIRED ",\"locale\":\"a\\u0000b\"}", NULL},
        {"", NULL},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct strbuf out = {0};
        struct err err = {0};
        strbuf_add(&out, "before", 6);
        assert_int_equal(
            json_text_to_avro(fixture->touchpoint, span_of(rows[i].text), &out, NULL, &err),
            OUTCOME_REJECT);
        if (rows[i].message)
            assert_string_equal(err.message, rows[i].message);
        assert_true(span_is(strbuf_span(&out), "before"));
        strbuf_free(&out);
    }
}

/* Cut anywhere, the bytes are refused; nothing is read beyond the end and nothing is printed. */
static void truncated_bytes_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct strbuf bytes = {0}, out = {0};
    encode(fixture->kinds, full, &bytes);
    for (size_t length = 0; length < bytes.len; length++) {
        char *copy = malloc(length ? length : 1);
        memcpy(copy, bytes.ptr, length);
        struct span cut = {copy, length};
        struct err err = {0};
        assert_int_equal(avro_to_json(fixture->kinds, &cut, AVRO_PRINT_ALL, &out, &err),
                         OUTCOME_REJECT);
        assert_int_equal(out.len, 0);
        free(copy);
    }
    strbuf_free(&bytes);
    strbuf_free(&out);
}

static void hostile_counts_are_refused(void **state)
{
    static const char nulls[] = "{\"type\":\"array\",\"items\":\"null\"}";
    static const struct {
        const char *bytes;
        size_t length;
        const char *code;
    } rows[] = {
        {"\xfe\xff\xff\xff\x0f", 5, "avro_too_many"}, /* 2^31 nulls cost no bytes */
        /* the smallest count has no opposite */
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00", 11, "avro_bad_length"},
        {"\x02", 1, "avro_truncated"},
    };
    struct avro_shape *shape;
    struct err err = {0};
    assert_int_equal(avro_shape_open(span_of(nulls), &shape, &err), OUTCOME_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct strbuf out = {0};
        struct span bytes = {rows[i].bytes, rows[i].length};
        assert_int_equal(avro_to_json(shape, &bytes, AVRO_PRINT_ALL, &out, &err), OUTCOME_REJECT);
        assert_string_equal(err.code, rows[i].code);
        strbuf_free(&out);
    }
    avro_shape_close(shape);
}

static void texts_become_valid_json(void **state)
{
    struct strbuf out = {0};
    json_add_text(&out, (struct span){"a\"\\\n\t\x01\x00z\xc3\xbc\xff", 11});
    assert_true(
        span_is(strbuf_span(&out), "\"a\\\"\\\\\\n\\t\\u0001\\u0000z\xc3\xbc\xef\xbf\xbd\""));
    strbuf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(avro_c_reads_every_kind),
        cmocka_unit_test(comes_back_as_it_was),
        cmocka_unit_test(short_touchpoint_is_read_by_avro_c),
        cmocka_unit_test(refusals_name_the_place),
        cmocka_unit_test(truncated_bytes_are_refused),
        cmocka_unit_test(hostile_counts_are_refused),
        cmocka_unit_test(texts_become_valid_json),
    };
    return cmocka_run_group_tests(tests, open_shapes, close_shapes);
}
