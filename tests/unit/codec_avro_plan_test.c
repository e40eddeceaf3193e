/* codec_avro_plan_test.c: every way a payload or a writer's schema can be bad has its own code; and
 * the special forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "common/codec/avro/avro_write.h"
#include "common/codec/schema/embedded.h"
#include "common/codec/touchpoint.h"

#define RECORD(fields) "{\"type\":\"record\",\"name\":\"T\",\"fields\":[" REQUIRED "," fields "]}"
#define REQUIRED                                                                                   \
    FIELD("message_id", "\"string\"")                                                              \
    "," FIELD("source", "\"string\"") "," FIELD("type", "\"string\"") "," FIELD(                   \
        "channel", "\"string\"") "," FIELD("occurred_at", "\"long\"")
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define REQUIRED_BYTES    "\2m\2s\2t\2c\2"
#define BYTES(literal)                                                                             \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static enum outcome decode(const char *schema, struct span payload, struct touchpoint *out,
                           struct err *err)
{
    struct avro_plan *plan;
    if (avro_plan_compile(span_of(schema), &plan, err))
        return OUTCOME_FATAL;
    char *exact = malloc(payload.len + 1);
    memcpy(exact, payload.ptr, payload.len);
    enum outcome outcome = touchpoint_decode(plan, (struct span){exact, payload.len}, out, err);
    free(exact);
    avro_plan_free(plan);
    return outcome;
}

struct bad_case {
    const char *name, *schema;
    struct span payload;
    const char *code;
};

static const struct bad_case bad_cases[] = {
    {"nothing", RECORD(FIELD("x", "\"null\"")), BYTES(""), "avro_truncated"},
    {"text cut", RECORD(FIELD("x", "\"string\"")), BYTES(REQUIRED_BYTES "\12ab"), "avro_truncated"},
    {"varint cut", RECORD(FIELD("x", "\"long\"")), BYTES(REQUIRED_BYTES "\x80"), "avro_truncated"},
    {"17 GB of text", RECORD(FIELD("x", "\"string\"")),
     BYTES(REQUIRED_BYTES "\x80\x80\x80\x80\x80\x01"), "avro_truncated"},
    {"fixed cut", RECORD(FIELD("x", "{\"type\":\"fixed\",\"name\":\"F\",\"size\":4}")),
     BYTES(REQUIRED_BYTES "abc"), "avro_truncated"},
    {"one byte more", RECORD(FIELD("x", "\"int\"")), BYTES(REQUIRED_BYTES "\2\0"),
     "avro_trailing_bytes"},
    {"negative length", RECORD(FIELD("x", "\"bytes\"")), BYTES(REQUIRED_BYTES "\1"),
     "avro_bad_length"},
    {"negative length of a taken text", RECORD(FIELD("user_id", "\"string\"")),
     BYTES(REQUIRED_BYTES "\5"), "avro_bad_length"},
    {"negative block size", RECORD(FIELD("x", "{\"type\":\"array\",\"items\":\"int\"}")),
     BYTES(REQUIRED_BYTES "\1\1"), "avro_bad_length"},
    {"eleven bytes of varint", RECORD(FIELD("x", "\"long\"")),
     BYTES(REQUIRED_BYTES "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"), "avro_bad_number"},
    {"int of 33 bits", RECORD(FIELD("x", "\"int\"")), BYTES(REQUIRED_BYTES "\x80\x80\x80\x80\x20"),
     "avro_bad_number"},
    {"taken int of 33 bits", RECORD(FIELD("score", "\"int\"")),
     BYTES(REQUIRED_BYTES "\x80\x80\x80\x80\x20"), "avro_bad_number"},
    {"branch 2 of 2", RECORD(FIELD("user_id", "[\"null\",\"string\"]")), BYTES(REQUIRED_BYTES "\4"),
     "avro_bad_union"},
    {"branch -1", RECORD(FIELD("x", "[\"null\",\"string\",\"int\"]")), BYTES(REQUIRED_BYTES "\1"),
     "avro_bad_union"},
    {"boolean 2", RECORD(FIELD("is_test", "\"boolean\"")), BYTES(REQUIRED_BYTES "\2"),
     "avro_bad_boolean"},
    {"skipped boolean 2", RECORD(FIELD("x", "\"boolean\"")), BYTES(REQUIRED_BYTES "\2"),
     "avro_bad_boolean"},
    {"symbol 2 of 2",
     RECORD(FIELD("x", "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}")),
     BYTES(REQUIRED_BYTES "\4"), "avro_bad_enum"},
    {"taken symbol -1",
     RECORD(FIELD("user_id", "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}")),
     BYTES(REQUIRED_BYTES "\1"), "avro_bad_enum"},
    {"two thousand million nulls", RECORD(FIELD("x", "{\"type\":\"array\",\"items\":\"null\"}")),
     BYTES(REQUIRED_BYTES "\x80\x80\x80\x80\x10\0"), "avro_too_many"},
    {"least block count", RECORD(FIELD("x", "{\"type\":\"map\",\"values\":\"null\"}")),
     BYTES(REQUIRED_BYTES "\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\0"), "avro_too_many"},
    {"NUL", RECORD(FIELD("user_id", "\"string\"")), BYTES(REQUIRED_BYTES "\10bob\0"),
     "string_not_utf8"},
    {"NUL in the middle of eight", RECORD(FIELD("user_id", "\"string\"")),
     BYTES(REQUIRED_BYTES "\20abcd\0fgh"), "string_not_utf8"},
    {"surrogate", RECORD(FIELD("user_id", "\"string\"")), BYTES(REQUIRED_BYTES "\6\xed\xa0\x80"),
     "string_not_utf8"},
    {"overlong", RECORD(FIELD("user_id", "\"bytes\"")), BYTES(REQUIRED_BYTES "\4\xc0\xaf"),
     "string_not_utf8"},
    {"bad key of consent", RECORD(FIELD("consent", "{\"type\":\"map\",\"values\":\"boolean\"}")),
     BYTES(REQUIRED_BYTES "\2\2\xff\1\0"), "string_not_utf8"},
    {"year 10000", RECORD(FIELD("sent_at", "\"long\"")),
     BYTES(REQUIRED_BYTES "\x80\x80\xc0\x9d\x94\xd0\xd4\x80\x09"), "time_out_of_range"},
    {"before 1970", RECORD(FIELD("sent_at", "\"long\"")), BYTES(REQUIRED_BYTES "\1"),
     "time_out_of_range"},
    {"milliseconds that overflow",
     RECORD(FIELD("sent_at", "{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}")),
     BYTES(REQUIRED_BYTES "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\1"), "time_out_of_range"},
    {"score 101", RECORD(FIELD("score", "\"int\"")), BYTES(REQUIRED_BYTES "\xca\1"),
     "number_out_of_range"},
    {"money that is no amount", RECORD(FIELD("value_micros", "\"long\"")),
     BYTES(REQUIRED_BYTES "\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"), "number_out_of_range"},
    {"no message id", RECORD(FIELD("x", "\"null\"")), BYTES("\0\2s\2t\2c\2"), "field_missing"},
    {"a blank message id", RECORD(FIELD("x", "\"null\"")), BYTES("\4 \t\2s\2t\2c\2"),
     "field_missing"},
    {"a blank channel", RECORD(FIELD("x", "\"null\"")), BYTES("\2m\2s\2t\2 \2"), "field_missing"},
    {"no source", RECORD(FIELD("x", "\"null\"")), BYTES("\2m\0\2t\2c\2"), "field_missing"},
    {"no type", RECORD(FIELD("x", "\"null\"")), BYTES("\2m\2s\0\2c\2"), "field_missing"},
    {"no channel", RECORD(FIELD("x", "\"null\"")), BYTES("\2m\2s\2t\0\2"), "field_missing"},
    {"no occurred_at",
     "{\"type\":\"record\",\"name\":\"T\",\"fields\":[" FIELD("message_id", "\"string\"") "," FIELD(
         "source", "\"string\"") "," FIELD("type", "\"string\"") "," FIELD("channel",
                                                                           "\"string\"") "]}",
     BYTES("\2m\2s\2t\2c"), "field_missing"},
};

static void test_bad_payloads(void **state)
{
    for (size_t i = 0; i < sizeof bad_cases / sizeof *bad_cases; i++) {
        const struct bad_case *c = &bad_cases[i];
        struct touchpoint t;
        struct err err = {0};
        enum outcome outcome = decode(c->schema, c->payload, &t, &err);
        if (outcome != OUTCOME_REJECT || strcmp(err.code, c->code) != 0)
            fail_msg("%s: outcome %d %s (%s), expected %s", c->name, outcome, err.code, err.message,
                     c->code);
        assert_int_equal(err.outcome, OUTCOME_REJECT);
    }
}

#define SELF                                                                                       \
    "{\"type\":\"record\",\"name\":\"T\",\"fields\":[{\"name\":\"next\",\"type\":[\"null\",\"T\"]" \
    "}]}"

static const struct {
    const char *name, *schema;
} bad_schemas[] = {
    {"not JSON", "{"},
    {"a number", "17"},
    {"not a record", "\"string\""},
    {"an unknown name", "\"Nothing\""},
    {"contains itself", SELF},
    {"a record without fields", "{\"type\":\"record\",\"name\":\"T\"}"},
    {"a record without a name", "{\"type\":\"record\",\"fields\":[]}"},
    {"a field without a type",
     "{\"type\":\"record\",\"name\":\"T\",\"fields\":[{\"name\":\"a\"}]}"},
    {"an array without items", RECORD(FIELD("x", "{\"type\":\"array\"}"))},
    {"a union in a union", RECORD(FIELD("x", "[\"null\",[\"int\"]]"))},
    {"the same key twice",
     "{\"type\":\"record\",\"type\":\"record\",\"name\":\"T\",\"fields\":[]}"},
    {"a type defined twice", RECORD(FIELD("x", "{\"type\":\"fixed\",\"name\":\"T\",\"size\":1}"))},
    {"text as a number", RECORD(FIELD("user_id", "\"long\""))},
    {"a number as text", RECORD(FIELD("score", "\"string\""))},
    {"money as a double", RECORD(FIELD("value_micros", "\"double\""))},
    {"a date as a time", RECORD(FIELD("sent_at", "{\"type\":\"int\",\"logicalType\":\"date\"}"))},
    {"local time as a time",
     RECORD(FIELD("sent_at", "{\"type\":\"long\",\"logicalType\":\"local-timestamp-millis\"}"))},
    {"a boolean as text", RECORD(FIELD("is_test", "\"string\""))},
    {"a nested record as text", RECORD(FIELD("campaign", "\"string\""))},
    {"identifiers of text",
     RECORD(FIELD("identifiers", "{\"type\":\"array\",\"items\":\"string\"}"))},
    {"consent of text", RECORD(FIELD("consent", "{\"type\":\"map\",\"values\":\"string\"}"))},
    {"a field twice", RECORD(FIELD("user_id", "\"string\"") "," FIELD("user_id", "\"string\""))},
};

static void test_bad_schemas(void **state)
{
    for (size_t i = 0; i < sizeof bad_schemas / sizeof *bad_schemas; i++) {
        struct avro_plan *plan;
        struct err err = {0};
        enum outcome outcome = avro_plan_compile(span_of(bad_schemas[i].schema), &plan, &err);
        if (outcome != OUTCOME_REJECT || strcmp(err.code, "schema_unusable") != 0)
            fail_msg("%s: outcome %d %s", bad_schemas[i].name, outcome, err.message);
        assert_null(plan);
    }
}

/* Whoever reads the dead letter finds the place in a schema of a thousand lines. */
static void test_the_field_at_fault_is_named(void **state)
{
    static const struct {
        const char *schema, *field;
    } cases[] = {
        {RECORD(FIELD("value_micros", "\"double\"")), "for value_micros"},
        {RECORD(FIELD("contact", "{\"type\":\"record\",\"name\":\"C\",\"fields\":[" FIELD(
                                     "planned_at", "\"string\"") "]}")),
         "for contact.planned_at"},
        {RECORD(FIELD("x", "[\"null\",\"Unknown\"]")), "in the field x"},
        {RECORD(FIELD("a", "{\"type\":\"record\",\"name\":\"A\",\"fields\":[" FIELD(
                               "b", "{\"type\":\"array\"}") "]}")),
         "in the field a.b"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct avro_plan *plan;
        struct err err = {0};
        assert_int_equal(avro_plan_compile(span_of(cases[i].schema), &plan, &err), OUTCOME_REJECT);
        if (strstr(err.message, cases[i].field) == NULL)
            fail_msg("%s does not say %s", err.message, cases[i].field);
    }
}

/* Ten fields of a type that has ten fields of a type ...: small text, enormous record. */
static void test_schema_that_explodes(void **state)
{
    struct strbuf text = {0};
    struct avro_plan *plan;
    struct err err;
    strbuf_addf(&text, "{\"type\":\"record\",\"name\":\"T\",\"fields\":[");
    for (int level = 0; level < 30; level++) {
        strbuf_addf(
            &text,
            "%s{\"name\":\"d%d\",\"type\":{\"type\":\"record\",\"name\":\"L%d\",\"fields\":[",
            level ? "," : "", level, level);
        for (int i = 0; i < 10 && level > 0; i++)
            strbuf_addf(&text, "%s{\"name\":\"f%d\",\"type\":\"L%d\"}", i ? "," : "", i, level - 1);
        strbuf_addf(&text, "]}}");
    }
    strbuf_addf(&text, "]}");
    assert_int_equal(avro_plan_compile(strbuf_span(&text), &plan, &err), OUTCOME_REJECT);
    assert_non_null(strstr(err.message, "too large"));
    strbuf_free(&text);
}

static void test_too_deep(void **state)
{
    struct strbuf text = {0};
    struct avro_plan *plan;
    struct err err;
    for (int i = 0; i < 100; i++)
        strbuf_addf(&text, "{\"type\":\"array\",\"items\":");
    assert_int_equal(avro_plan_compile(strbuf_span(&text), &plan, &err), OUTCOME_REJECT);
    strbuf_addf(&text, "\"int\"");
    for (int i = 0; i < 100; i++)
        strbuf_addf(&text, "}");
    assert_int_equal(avro_plan_compile(strbuf_span(&text), &plan, &err), OUTCOME_REJECT);
    assert_non_null(strstr(err.message, "levels"));
    strbuf_free(&text);
}

#define TIMES                                                                                      \
    RECORD(FIELD("sent_at", "{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}") "," FIELD( \
        "received_at",                                                                             \
        "{\"type\":\"long\",\"logicalType\":\"timestamp-nanos\"}") "," FIELD("score", "\"long\""))

static void test_times_are_widened(void **state)
{
    struct touchpoint t;
    struct err err;
    struct strbuf b = {0};
    strbuf_add(&b, REQUIRED_BYTES, sizeof REQUIRED_BYTES - 1);
    avro_write_long(&b, 1700000000123);
    avro_write_long(&b, 1700000000123456789);
    avro_write_long(&b, -100);
    assert_int_equal(decode(TIMES, strbuf_span(&b), &t, &err), OUTCOME_OK);
    assert_true(t.sent_at == 1700000000123000 && t.received_at == 1700000000123456);
    assert_int_equal(t.score, -100);
    assert_true(t.occurred_at == 1 && t.original_at == LONG_ABSENT &&
                t.value_micros == LONG_ABSENT);
    assert_null(t.user_id.ptr);
    strbuf_free(&b);
}

static void add_identifiers(struct strbuf *b, int count)
{
    for (int i = 0; i < count; i++)
        strbuf_add(b, "\2e\2v", 4);
}

#define IDENTIFIERS                                                                                \
    RECORD(FIELD(                                                                                  \
        "identifiers",                                                                             \
        "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"I\",\"fields\":[" FIELD(    \
            "type", "\"string\"") "," FIELD("value", "\"string\"") "]}}"))

/* Blocks of any number, with and without their size in bytes; 32 identifiers, not one more. */
static void test_identifiers_in_blocks(void **state)
{
    struct touchpoint t;
    struct err err;
    for (int more = 0; more < 2; more++) {
        struct strbuf b = {0};
        strbuf_add(&b, REQUIRED_BYTES, sizeof REQUIRED_BYTES - 1);
        avro_write_long(&b, 30);
        add_identifiers(&b, 30);
        avro_write_long(&b, -(2 + more));
        avro_write_long(&b, 4 * (2 + more));
        add_identifiers(&b, 2 + more);
        avro_write_long(&b, 0);
        assert_int_equal(decode(IDENTIFIERS, strbuf_span(&b), &t, &err),
                         more ? OUTCOME_REJECT : OUTCOME_OK);
        assert_int_equal(t.identifier_count, 32);
        assert_true(span_is(t.identifiers[31].encoding, "none") &&
                    span_is(t.identifiers[31].collection, "users"));
        if (more)
            assert_string_equal(err.code, "too_many_identifiers");
        strbuf_free(&b);
    }
}

static void test_consent_in_blocks(void **state)
{
    static const char bytes[] = REQUIRED_BYTES "\4\2a\1\2b\0\1\10\4dd\1\0";
    struct touchpoint t;
    struct err err;
    struct avro_plan *plan;
    struct span key;
    bool value;
    const char *schema =
        RECORD(FIELD("consent", "[\"null\",{\"type\":\"map\",\"values\":\"boolean\"}]"));
    char with_branch[sizeof bytes];
    size_t head = sizeof REQUIRED_BYTES - 1;
    memcpy(with_branch, bytes, head);
    with_branch[head] = 2;
    memcpy(with_branch + head + 1, bytes + head, sizeof bytes - 1 - head);
    assert_int_equal(avro_plan_compile(span_of(schema), &plan, &err), OUTCOME_OK);
    assert_int_equal(avro_plan_decode(plan, (struct span){with_branch, sizeof bytes}, &t, &err),
                     OUTCOME_OK);
    struct span cursor = t.consent;
    assert_true(consent_next(&cursor, &key, &value) && span_is(key, "a") && value);
    assert_true(consent_next(&cursor, &key, &value) && span_is(key, "b") && !value);
    assert_true(consent_next(&cursor, &key, &value) && span_is(key, "dd") && value);
    assert_false(consent_next(&cursor, &key, &value));
    assert_false(consent_next(&cursor, &key, &value));
    cursor = SPAN_NONE;
    assert_false(consent_next(&cursor, &key, &value));
    avro_plan_free(plan);
}

static void test_long_texts(void **state)
{
    struct touchpoint t;
    struct err err;
    const char *schema =
        RECORD(FIELD("user_id", "\"string\"") "," FIELD("traits_json", "\"string\""));
    for (int more = 0; more < 2; more++) {
        struct strbuf b = {0}, text = {0};
        strbuf_reserve(&text, 65537);
        memset(text.ptr, 'x', 65537);
        strbuf_add(&b, REQUIRED_BYTES, sizeof REQUIRED_BYTES - 1);
        avro_write_bytes(&b, (struct span){text.ptr, 65536 + (size_t)more});
        avro_write_bytes(&b, (struct span){text.ptr, 65537});
        assert_int_equal(decode(schema, strbuf_span(&b), &t, &err),
                         more ? OUTCOME_REJECT : OUTCOME_OK);
        if (more)
            assert_string_equal(err.code, "string_too_long");
        strbuf_free(&b);
        strbuf_free(&text);
    }
}

static void test_long_names(void **state)
{
    struct touchpoint t;
    struct err err;
    const char *schema = RECORD(FIELD("department", "\"string\""));
    char name[1001];
    memset(name, 'x', sizeof name);
    for (int more = 0; more < 2; more++) {
        struct strbuf b = {0};
        strbuf_add(&b, REQUIRED_BYTES, sizeof REQUIRED_BYTES - 1);
        avro_write_bytes(&b, (struct span){name, 1000 + (size_t)more});
        assert_int_equal(decode(schema, strbuf_span(&b), &t, &err),
                         more ? OUTCOME_REJECT : OUTCOME_OK);
        if (more)
            assert_string_equal(err.code, "string_too_long");
        strbuf_free(&b);
    }
}

static void test_contact_is_marked(void **state)
{
    struct touchpoint t;
    struct err err;
    const char *schema =
        RECORD(FIELD("contact", "[\"null\",{\"type\":\"record\",\"name\":\"C\",\"fields\":[" FIELD(
                                    "priority", "[\"null\",\"int\"]") "]}]"));
    assert_int_equal(decode(schema, (struct span)BYTES(REQUIRED_BYTES "\0"), &t, &err), OUTCOME_OK);
    assert_false(t.has_contact);
    assert_int_equal(decode(schema, (struct span)BYTES(REQUIRED_BYTES "\2\2\16"), &t, &err),
                     OUTCOME_OK);
    assert_true(t.has_contact && t.contact.priority == 7 && t.contact.batch_size == LONG_ABSENT);
}

/* score_raw and score_kind as bytes of Avro, and the score: 101 means refused. */
static void test_raw_scores_are_converted(void **state)
{
    static const struct {
        struct span bytes;
        int64_t score;
    } rows[] = {
        {BYTES("\0\6nps"), -100},
        {BYTES("\22\6nps"), 80},
        {BYTES("\26\6nps"), 101},
        {BYTES("\1\6nps"), 101},
        {BYTES("\2\10csat"), -100},
        {BYTES("\4\10csat"), -50},
        {BYTES("\0\10csat"), 101},
        {BYTES("\4\6ces"), -67},
        {BYTES("\6\6ces"), -33},
        {BYTES("\16\6ces"), 100},
        {BYTES("\6\12stars"), LONG_ABSENT},
        {BYTES("\6\0"), LONG_ABSENT},
    };
    const char *schema = RECORD(FIELD("score", "\"int\"") "," FIELD(
        "score_raw", "\"int\"") "," FIELD("score_kind", "\"string\""));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char payload[40] = REQUIRED_BYTES "\62"; /* a score of 25 beside it is ignored */
        size_t head = sizeof REQUIRED_BYTES;
        memcpy(payload + head, rows[i].bytes.ptr, rows[i].bytes.len);
        struct touchpoint t;
        struct err err = {0};
        enum outcome outcome =
            decode(schema, (struct span){payload, head + rows[i].bytes.len}, &t, &err);
        assert_int_equal(outcome, rows[i].score == 101 ? OUTCOME_REJECT : OUTCOME_OK);
        if (outcome == OUTCOME_OK)
            assert_int_equal(t.score, rows[i].score);
        else
            assert_string_equal(err.code, "number_out_of_range");
    }
}

static void test_builtin_schema_compiles(void **state)
{
    struct avro_plan *plan;
    struct err err = {0};
    assert_int_equal(avro_plan_compile(embedded_schema("touchpoint"), &plan, &err), OUTCOME_OK);
    avro_plan_free(plan);
}

/* BLAKE2b-128 of 00 00 00 01 's' 00 00 00 02 'm1', computed with another implementation (Python's
 * hashlib). */
static void test_event_id(void **state)
{
    struct id id;
    char text[37];
    touchpoint_event_id(SPAN("s"), SPAN("m1"), &id);
    id_to_uuid(&id, text);
    assert_string_equal(text, "5c9bb52a-ffd9-ad27-1417-dce653589a44");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_payloads),
        cmocka_unit_test(test_bad_schemas),
        cmocka_unit_test(test_the_field_at_fault_is_named),
        cmocka_unit_test(test_schema_that_explodes),
        cmocka_unit_test(test_too_deep),
        cmocka_unit_test(test_times_are_widened),
        cmocka_unit_test(test_identifiers_in_blocks),
        cmocka_unit_test(test_consent_in_blocks),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_contact_is_marked),
        cmocka_unit_test(test_raw_scores_are_converted),
        cmocka_unit_test(test_builtin_schema_compiles),
        cmocka_unit_test(test_event_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
