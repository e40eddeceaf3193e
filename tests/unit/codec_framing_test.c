/* codec_framing_test.c: one row per way a value can be framed, rightly or wrongly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>

#include "common/codec/framing.h"

#define BYTES(literal)                                                                             \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }
#define GUID                                                                                       \
    "\x01"                                                                                         \
    "0123456789abcdef"

struct frame_case {
    const char *name;
    enum framing framing;
    struct span value, header;
    const char *code; /* NULL: fine */
    const char *hint; /* part of the message */
    enum frame_names names;
    size_t payload;
};

static const struct frame_case cases[] = {
    {"Confluent", FRAMING_CONFLUENT, BYTES("\0\0\0\1\2xyz"), {0}, NULL, NULL, FRAME_NAMES_ID, 3},
    {"Confluent without payload",
     FRAMING_CONFLUENT,
     BYTES("\0\0\0\1\2"),
     {0},
     NULL,
     NULL,
     FRAME_NAMES_ID,
     0},
    {"null", FRAMING_CONFLUENT, {0}, {0}, "value_null", "tombstone", 0, 0},
    {"empty", FRAMING_CONFLUENT, BYTES(""), {0}, "value_empty", "empty", 0, 0},
    {"cut in the id",
     FRAMING_CONFLUENT,
     BYTES("\0\0\0\1"),
     {0},
     "avro_truncated",
     "schema id",
     0,
     0},
    {"GUID prefix", FRAMING_CONFLUENT, BYTES(GUID), {0}, "bad_magic", "__value_schema_id", 0, 0},
    {"Glue", FRAMING_CONFLUENT, BYTES("\3\0aaaaaaaaaaaaaaaa"), {0}, "bad_magic", "AWS Glue", 0, 0},
    {"single object where Confluent is set",
     FRAMING_CONFLUENT,
     BYTES("\xC3\1aaaaaaaa"),
     {0},
     "bad_magic",
     "single-object",
     0,
     0},
    {"JSON", FRAMING_CONFLUENT, BYTES("{\"a\":1}"), {0}, "bad_magic", "JSON", 0, 0},
    {"container file", FRAMING_CONFLUENT, BYTES("Obj\1"), {0}, "bad_magic", "container", 0, 0},
    {"anything else", FRAMING_CONFLUENT, BYTES("hello"), {0}, "bad_magic", "unknown framing", 0, 0},
    {"single object",
     FRAMING_SINGLE_OBJECT,
     BYTES("\xC3\1\1\2\3\4\5\6\7\10xy"),
     {0},
     NULL,
     NULL,
     FRAME_NAMES_FINGERPRINT,
     2},
    {"single object cut",
     FRAMING_SINGLE_OBJECT,
     BYTES("\xC3\1\1\2\3\4\5\6\7"),
     {0},
     "avro_truncated",
     "fingerprint",
     0,
     0},
    {"one byte", FRAMING_SINGLE_OBJECT, BYTES("\xC3"), {0}, "bad_magic", "single-object", 0, 0},
    {"Confluent where single object is set",
     FRAMING_SINGLE_OBJECT,
     BYTES("\0\0\0\1\2x"),
     {0},
     "bad_magic",
     "Confluent",
     0,
     0},
    {"raw", FRAMING_RAW, BYTES("\0\0\0\1\2xyz"), {0}, NULL, NULL, FRAME_NAMES_NOTHING, 8},
    {"header GUID", FRAMING_CONFLUENT, BYTES("xyz"), BYTES(GUID), NULL, NULL, FRAME_NAMES_GUID, 3},
    {"header id", FRAMING_RAW, BYTES("xyz"), BYTES("\0\0\0\1\2"), NULL, NULL, FRAME_NAMES_ID, 3},
    {"header too short", FRAMING_CONFLUENT, BYTES("xyz"), BYTES("\1abc"), "bad_magic",
     "__value_schema_id", 0, 0},
    {"header empty", FRAMING_CONFLUENT, BYTES("xyz"), BYTES(""), "bad_magic", "__value_schema_id",
     0, 0},
    {"header and null value", FRAMING_CONFLUENT, {0}, BYTES(GUID), "value_null", "", 0, 0},
};

static void check(const struct frame_case *c)
{
    struct frame frame = {0};
    struct err err = {0};
    enum outcome outcome = frame_split(c->framing, c->value, c->header, &frame, &err);
    if (outcome != (c->code ? OUTCOME_REJECT : OUTCOME_OK))
        fail_msg("%s: outcome %d %s", c->name, outcome, err.message);
    if (c->code) {
        if (strcmp(err.code, c->code) != 0 || strstr(err.message, c->hint) == NULL)
            fail_msg("%s: %s: %s", c->name, err.code, err.message);
        return;
    }
    if (frame.names != c->names || frame.payload.len != c->payload)
        fail_msg("%s: names %d, payload of %zu bytes", c->name, frame.names, frame.payload.len);
    if (frame.names == FRAME_NAMES_ID)
        assert_int_equal(frame.schema_id, 0x0102);
    if (frame.names == FRAME_NAMES_FINGERPRINT)
        assert_true(frame.fingerprint == UINT64_C(0x0807060504030201));
    if (frame.names == FRAME_NAMES_GUID)
        assert_memory_equal(frame.guid.bytes, "0123456789abcdef", 16);
}

static void test_table(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

static void test_size_limit(void **state)
{
    char *bytes = calloc(1, FRAME_MAX_VALUE + 1);
    struct frame frame;
    struct err err;
    assert_int_equal(frame_split(FRAMING_CONFLUENT, (struct span){bytes, FRAME_MAX_VALUE},
                                 SPAN_NONE, &frame, &err),
                     OUTCOME_OK);
    assert_int_equal(frame_split(FRAMING_CONFLUENT, (struct span){bytes, FRAME_MAX_VALUE + 1},
                                 SPAN_NONE, &frame, &err),
                     OUTCOME_REJECT);
    assert_string_equal(err.code, "value_too_large");
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table),
                                       cmocka_unit_test(test_size_limit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
