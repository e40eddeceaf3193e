/* codec_messages_test.c: what we write for each other is what avro-c reads with the published
 * schemas, and what we read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <avro.h>
#include <stdlib.h>

#include "common/codec/compress.h"
#include "common/codec/messages.h"
#include "common/codec/schema/embedded.h"

static struct id id_of(uint8_t first)
{
    struct id id = {{first}};
    id.bytes[15] = 7;
    return id;
}

/* Reads a message after its prefix with the generic decoder and gives it as JSON. */
static char *generic_json(const char *schema_name, int32_t id, const struct strbuf *message)
{
    struct span text = embedded_schema(schema_name);
    struct unpack u = unpack_of(strbuf_span(message));
    avro_schema_t schema;
    avro_value_t value;
    char *json = NULL;
    assert_int_equal(unpack_byte(&u), 0);
    assert_int_equal(unpack_be32(&u), id);
    assert_int_equal(avro_schema_from_json_length(text.ptr, text.len, &schema), 0);
    avro_value_iface_t *interface = avro_generic_class_from_schema(schema);
    avro_generic_value_new(interface, &value);
    avro_reader_t reader = avro_reader_memory((const char *)u.at, u.end - u.at);
    if (avro_value_read(reader, &value))
        fail_msg("%s: %s", schema_name, avro_strerror());
    char more;
    assert_int_not_equal(avro_read(reader, &more, 1), 0);
    avro_value_to_json(&value, 1, &json);
    avro_reader_free(reader);
    avro_value_decref(&value);
    avro_value_iface_decref(interface);
    avro_schema_decref(schema);
    return json;
}

static void assert_json_has(char *json, const char *const *parts)
{
    for (; *parts; parts++)
        if (strstr(json, *parts) == NULL)
            fail_msg("%s is not in %s", *parts, json);
    free(json);
}

static void test_identity_change(void **state)
{
    struct identity_move moves[3];
    for (uint8_t i = 0; i < 3; i++)
        moves[i] =
            (struct identity_move){id_of(i), id_of(10), id_of((uint8_t)(20 + i)), i % 2, i > 0};
    struct identity_change in = {77, 1700000000000000, SPAN("touchpoint"), id_of(5), moves, 3}, out;
    struct strbuf b = {0};
    struct arena arena = {0};
    struct err err = {0};
    identity_change_encode(&b, &in);
    assert_json_has(generic_json("identity_change", SCHEMA_IDENTITY_CHANGE, &b),
                    (const char *const[]){"\"version\": 77", "\"cause\": \"touchpoint\"",
                                          "\"changed_at\": 1700000000000000", NULL});
    assert_int_equal(identity_change_decode(&arena, strbuf_span(&b), &out, &err), OUTCOME_OK);
    assert_true(out.version == 77 && out.changed_at == in.changed_at &&
                span_is(out.cause, "touchpoint"));
    assert_true(id_equal(&out.cause_id, &in.cause_id));
    assert_int_equal(out.move_count, 3);
    assert_memory_equal(out.moves, moves, sizeof moves);
    strbuf_reset(&b);
    in.move_count = 0;
    in.cause_id = (struct id){{0}};
    identity_change_encode(&b, &in);
    assert_int_equal(identity_change_decode(&arena, strbuf_span(&b), &out, &err), OUTCOME_OK);
    assert_true(out.move_count == 0 && id_is_nil(&out.cause_id));
    strbuf_free(&b);
    arena_free(&arena);
}

static void test_journey_diff(void **state)
{
    struct arena arena = {0};
    struct strbuf raw = {0}, packed = {0}, b = {0};
    struct err err = {0};
    struct journey_diff out;
    struct span cells;
    for (int i = 0; i < 1000; i++)
        pack_zigzag(&raw, i * i - 5);
    assert_int_equal(lz4_pack(strbuf_span(&raw), &packed, &err), OUTCOME_OK);
    struct journey_diff in = {3, 41, true, true, id_of(9), (int32_t)raw.len, strbuf_span(&packed)};
    journey_diff_encode(&b, &in);
    assert_json_has(generic_json("journey_diff", SCHEMA_JOURNEY_DIFF, &b),
                    (const char *const[]){"\"lane\": 3", "\"seq\": 41", "\"more\": true",
                                          "\"again\": true", NULL});
    assert_int_equal(journey_diff_decode(strbuf_span(&b), &out, &err), OUTCOME_OK);
    assert_true(out.lane == 3 && out.seq == 41 && out.more && out.again &&
                id_equal(&out.generation, &in.generation));
    assert_int_equal(lz4_unpack(&arena, out.cells, out.raw_size, &cells, &err), OUTCOME_OK);
    assert_true(span_equal(cells, strbuf_span(&raw)));
    assert_int_equal(lz4_unpack(&arena, out.cells, out.raw_size - 1, &cells, &err), OUTCOME_REJECT);
    assert_int_equal(lz4_unpack(&arena, out.cells, out.raw_size + 1, &cells, &err), OUTCOME_REJECT);
    assert_int_equal(lz4_unpack(&arena, out.cells, -1, &cells, &err), OUTCOME_REJECT);
    assert_int_equal(lz4_unpack(&arena, out.cells, COMPRESS_MAX_RAW + 1, &cells, &err),
                     OUTCOME_REJECT);
    strbuf_free(&raw);
    strbuf_free(&packed);
    strbuf_free(&b);
    arena_free(&arena);
}

static void test_stage_change(void **state)
{
    struct stage_change_message in = {.id = id_of(1),
                                      .profile_id = id_of(2),
                                      .touchpoint_id = id_of(3),
                                      .stage = SPAN("loyalty"),
                                      .from_stage = SPAN_NONE,
                                      .reason = SPAN("4th order"),
                                      .effective_at = -5,
                                      .version = 700};
    struct stage_change_message out;
    struct strbuf b = {0};
    struct err err = {0};
    stage_change_encode(&b, &in);
    assert_json_has(generic_json("stage_change", SCHEMA_STAGE_CHANGE, &b),
                    (const char *const[]){"\"stage\": \"loyalty\"", "\"from_stage\": null",
                                          "{\"string\": \"4th order\"}", "\"retracts\": null",
                                          "\"effective_at\": -5", "\"version\": 700", NULL});
    assert_int_equal(stage_change_decode(strbuf_span(&b), &out, &err), OUTCOME_OK);
    assert_true(id_equal(&out.id, &in.id) && id_equal(&out.profile_id, &in.profile_id) &&
                id_is_nil(&out.retracts));
    assert_true(id_equal(&out.touchpoint_id, &in.touchpoint_id) && out.from_stage.ptr == NULL &&
                out.effective_at == -5);
    assert_true(span_is(out.stage, "loyalty") && span_is(out.reason, "4th order") &&
                out.version == 700);
    strbuf_free(&b);
}

static struct opportunity_change_message an_opportunity(void)
{
    return (struct opportunity_change_message){.id = id_of(1),
                                               .profile_id = id_of(2),
                                               .rule_id = SPAN("mortgage"),
                                               .offer_id = SPAN("car"),
                                               .product = SPAN("car_insurance"),
                                               .owner = SPAN("insurance"),
                                               .priority = SPAN("high"),
                                               .state = SPAN("retracted"),
                                               .opened_at = -5,
                                               .due_at = 6,
                                               .expires_at = 7,
                                               .effective_at = 8,
                                               .retracts = id_of(1),
                                               .version = 700};
}

static void test_opportunity_change(void **state)
{
    struct opportunity_change_message in = an_opportunity(), out;
    struct strbuf b = {0}, again = {0};
    struct err err = {0};
    opportunity_change_encode(&b, &in);
    assert_json_has(generic_json("opportunity_change", SCHEMA_OPPORTUNITY_CHANGE, &b),
                    (const char *const[]){"\"rule_id\": \"mortgage\"", "\"offer_id\": \"car\"",
                                          "\"product\": \"car_insurance\"",
                                          "\"owner\": \"insurance\"", "\"priority\": \"high\"",
                                          "\"state\": \"retracted\"", "\"opened_at\": -5",
                                          "\"due_at\": 6", "\"expires_at\": 7",
                                          "\"effective_at\": 8", "\"version\": 700", NULL});
    assert_int_equal(opportunity_change_decode(strbuf_span(&b), &out, &err), OUTCOME_OK);
    opportunity_change_encode(&again, &out);
    assert_true(span_equal(strbuf_span(&b), strbuf_span(&again)));
    assert_true(id_equal(&out.retracts, &in.id));
    strbuf_free(&b);
    strbuf_free(&again);
}

static struct contact_decision_message a_decision(void)
{
    return (struct contact_decision_message){.request_id = id_of(1),
                                             .verdict = SPAN("deny"),
                                             .reason = SPAN("cap_reached"),
                                             .rule_id = SPAN("marketing-3-per-7d"),
                                             .channel = SPAN("email"),
                                             .department = SPAN("cards"),
                                             .requested_at = 1,
                                             .decided_at = 2,
                                             .expires_at = LONG_ABSENT,
                                             .retry_at = 1700000000000000};
}

static void test_contact_decision(void **state)
{
    struct contact_decision_message in = a_decision(), out;
    struct strbuf b = {0};
    struct err err = {0};
    contact_decision_encode(&b, &in);
    assert_json_has(generic_json("contact_decision", SCHEMA_CONTACT_DECISION, &b),
                    (const char *const[]){"\"verdict\": \"deny\"", "\"profile_id\": null",
                                          "{\"string\": \"cards\"}", "\"cause\": null",
                                          "\"expires_at\": null", "{\"long\": 1700000000000000}",
                                          NULL});
    assert_int_equal(contact_decision_decode(strbuf_span(&b), &out, &err), OUTCOME_OK);
    assert_true(id_equal(&out.request_id, &in.request_id) && id_is_nil(&out.profile_id) &&
                out.cause.ptr == NULL);
    assert_true(span_is(out.verdict, "deny") && span_is(out.reason, "cap_reached") &&
                span_is(out.rule_id, "marketing-3-per-7d"));
    assert_true(span_is(out.channel, "email") && span_is(out.department, "cards"));
    assert_true(out.requested_at == 1 && out.decided_at == 2 && out.expires_at == LONG_ABSENT &&
                out.retry_at == in.retry_at);
    strbuf_free(&b);
}

/* Cut anywhere, or with a byte too many, a message is refused. */
static void test_damaged_messages(void **state)
{
    struct contact_decision_message in = a_decision(), out;
    struct strbuf b = {0};
    struct err err = {0};
    contact_decision_encode(&b, &in);
    for (size_t n = 0; n < b.len; n++) {
        char *exact = malloc(n + !n);
        memcpy(exact, b.ptr, n);
        assert_int_equal(contact_decision_decode((struct span){exact, n}, &out, &err),
                         OUTCOME_REJECT);
        free(exact);
    }
    pack_byte(&b, 0);
    assert_int_equal(contact_decision_decode(strbuf_span(&b), &out, &err), OUTCOME_REJECT);
    assert_string_equal(err.code, "avro_trailing_bytes");
    b.ptr[4] = (char)SCHEMA_STAGE_CHANGE;
    assert_int_equal(contact_decision_decode(strbuf_span(&b), &out, &err), OUTCOME_REJECT);
    assert_string_equal(err.code, "unknown_schema_id");
    strbuf_free(&b);
}

static void test_resolved(void **state)
{
    static const char payload[] = "anything";
    struct schema_set_options options = {0};
    struct schema_set *set;
    struct framed framed;
    struct err err = {0};
    struct strbuf b = {0};
    struct resolved_other others[] = {{id_of(4), id_of(5), 6, SPAN("sms call_center")},
                                      {id_of(7), id_of(8), -9, SPAN("")}};
    struct resolved_header in = {id_of(1),         id_of(2),      id_of(3), -12345,
                                 1767225600000000, SPAN("email"), others,   2},
                           out;
    struct arena arena = {0};
    assert_int_equal(schema_set_open_with(&options, &set, &err), OUTCOME_OK);
    resolved_encode(&b, 1, &in, span_of(payload));
    assert_int_equal(resolved_decode(set, &arena, strbuf_span(&b), &out, &framed, &err),
                     OUTCOME_OK);
    assert_memory_equal(&out, &in, offsetof(struct resolved_header, address_of));
    assert_true(span_is(out.address_of, "email"));
    assert_int_equal(out.other_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_memory_equal(&out.others[i], &others[i],
                            offsetof(struct resolved_other, address_of));
        assert_true(span_equal(out.others[i].address_of, others[i].address_of));
    }
    struct span keys = resolved_other_keys(&arena, &out);
    assert_int_equal(keys.len, 16);
    assert_memory_equal(keys.ptr + 8, others[1].identifier_id.bytes, 8);
    assert_int_equal(framed.schema_id, 1);
    assert_non_null(framed.plan);
    assert_true(span_is(framed.payload, payload));
    size_t header_size = b.len - framed.payload.len;
    for (size_t len = 0; len < header_size; len++)
        assert_int_equal(
            resolved_decode(set, &arena, (struct span){b.ptr, len}, &out, &framed, &err),
            OUTCOME_REJECT);
    b.ptr[1] = 0;
    b.ptr[2] = 0;
    assert_int_equal(resolved_decode(set, &arena, strbuf_span(&b), &out, &framed, &err),
                     OUTCOME_REJECT);
    assert_string_equal(err.code, "unknown_schema_id");
    arena_free(&arena);
    schema_set_close(set);
    strbuf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identity_change),    cmocka_unit_test(test_journey_diff),
        cmocka_unit_test(test_stage_change),       cmocka_unit_test(test_contact_decision),
        cmocka_unit_test(test_opportunity_change), cmocka_unit_test(test_damaged_messages),
        cmocka_unit_test(test_resolved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
