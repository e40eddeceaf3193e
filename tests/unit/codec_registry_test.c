/* codec_registry_test.c: schemas by id against a small registry on loopback: answers, refusals,
 * outages, caches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <jansson.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/codec/messages.h"
#include "common/codec/schema/embedded.h"
#include "common/codec/schema/schema_set.h"

#define GUID_TEXT  "00112233-4455-6677-8899-aabbccddeeff"
#define GUID_BYTES "\x01\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"

/* The registry answers in its own thread; a test looks at `requests` only after an answer. */
struct fake {
    struct MHD_Daemon *daemon;
    char url[64];
    int requests;
    bool wants_password;
};

static char *answer_for(const char *path, unsigned *status)
{
    *status = 200;
    if (strcmp(path, "/sr/schemas/ids/5") == 0) {
        json_t *body = json_pack("{s:s}", "schema", embedded_schema("touchpoint").ptr);
        char *text = json_dumps(body, 0);
        json_decref(body);
        return text;
    }
    if (strcmp(path, "/sr/schemas/ids/8") == 0)
        return strdup("{\"schemaType\":\"PROTOBUF\",\"schema\":\"syntax\"}");
    if (strcmp(path, "/sr/schemas/ids/9") == 0)
        return strdup("{\"schema\":\"\\\"string\\\"\"}");
    if (strcmp(path, "/sr/schemas/ids/10") == 0)
        return strdup("{\"schema\":\"\\\"a.B\\\"\",\"references\":[{\"name\":\"a.B\",\"subject\":"
                      "\"b\",\"version\":1}]}");
    if (strcmp(path, "/sr/schemas/ids/11") == 0)
        return strdup("<html>");
    if (strcmp(path, "/sr/schemas/guids/" GUID_TEXT "/ids") == 0)
        return strdup("[{\"context\":\":.other:\",\"id\":99},{\"context\":\".\",\"id\":5}]");
    *status = strcmp(path, "/sr/schemas/ids/12") == 0 ? 500 : 404;
    return strdup(strncmp(path, "/sr/", 4) == 0
                      ? "{\"error_code\":40403,\"message\":\"Schema not found\"}"
                      : "not here");
}

static enum MHD_Result answer(void *arg, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **request)
{
    struct fake *fake = arg;
    unsigned status;
    fake->requests++;
    char *body = answer_for(path, &status);
    const char *who = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
    if (fake->wants_password && (who == NULL || strcmp(who, "Basic dTpw") != 0)) /* u:p */
        status = 401;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_MUST_FREE);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static void fake_start(struct fake *fake)
{
    struct sockaddr_in loopback = {.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    fake->requests = 0;
    fake->daemon =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, answer, fake,
                         MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&loopback, MHD_OPTION_END);
    assert_non_null(fake->daemon);
    snprintf(fake->url, sizeof fake->url, "http://127.0.0.1:%u/sr/",
             MHD_get_daemon_info(fake->daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
}

static struct schema_set *open_set(const struct schema_set_options *options)
{
    struct schema_set *set;
    struct err err = {0};
    if (schema_set_open_with(options, &set, &err))
        fail_msg("%s", err.message);
    return set;
}

static enum outcome plan_of(struct schema_set *set, int32_t id, struct err *err)
{
    const struct avro_plan *plan = NULL;
    enum outcome outcome = schema_set_plan(set, id, &plan, err);
    assert_int_equal(outcome == OUTCOME_OK, plan != NULL);
    return outcome;
}

static void test_answers(void **state)
{
    static const struct {
        int32_t id;
        enum outcome outcome;
        const char *code, *hint;
    } rows[] = {
        {5, OUTCOME_OK, NULL, NULL},
        {6, OUTCOME_REJECT, "unknown_schema_id", "schema id 6"},
        {8, OUTCOME_REJECT, "schema_unusable", "not AVRO"},
        {9, OUTCOME_REJECT, "schema_unusable", "not a record"},
        {10, OUTCOME_REJECT, "schema_unusable", "references"},
        {11, OUTCOME_REJECT, "schema_unavailable", "schema id 11: "},
        {12, OUTCOME_REJECT, "schema_unavailable", "HTTP 500"},
        {-1, OUTCOME_REJECT, "unknown_schema_id", ""},
        {0, OUTCOME_REJECT, "unknown_schema_id", ""},
    };
    struct fake fake = {0};
    fake_start(&fake);
    struct schema_set_options options = {.urls = fake.url};
    struct schema_set *set = open_set(&options);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err err = {0};
        enum outcome outcome = plan_of(set, rows[i].id, &err);
        if (outcome != rows[i].outcome || (rows[i].code && strcmp(err.code, rows[i].code) != 0) ||
            (rows[i].hint && strstr(err.message, rows[i].hint) == NULL))
            fail_msg("id %d: outcome %d %s", rows[i].id, outcome, err.message);
    }
    int before = fake.requests;
    struct err err;
    assert_int_equal(plan_of(set, 5, &err), OUTCOME_OK);
    assert_int_equal(plan_of(set, 6, &err), OUTCOME_REJECT);
    assert_int_equal(plan_of(set, 9, &err), OUTCOME_REJECT);
    assert_int_equal(fake.requests, before); /* remembered, the missing one too */
    schema_set_close(set);
    MHD_stop_daemon(fake.daemon);
}

/* More unknown ids than are remembered: the registry is asked for a good one all the same. */
static void test_a_flood_of_unknown_ids(void **state)
{
    struct fake fake = {0};
    struct err err = {0};
    fake_start(&fake);
    struct schema_set_options options = {.urls = fake.url};
    struct schema_set *set = open_set(&options);
    for (int32_t id = 1000; id < 11001; id++)
        assert_int_equal(plan_of(set, id, &err), OUTCOME_REJECT);
    assert_int_equal(plan_of(set, 5, &err), OUTCOME_OK);
    int before = fake.requests;
    assert_int_equal(plan_of(set, 11000, &err), OUTCOME_REJECT);
    assert_int_equal(fake.requests, before);
    assert_int_equal(plan_of(set, 1000, &err), OUTCOME_REJECT); /* it gave way */
    assert_int_equal(fake.requests, before + 1);
    schema_set_close(set);
    MHD_stop_daemon(fake.daemon);
}

static void test_an_unknown_guid_is_remembered(void **state)
{
    struct fake fake = {0};
    struct err err = {0};
    struct framed framed;
    fake_start(&fake);
    struct schema_set_options options = {.urls = fake.url};
    struct schema_set *set = open_set(&options);
    struct span header =
        SPAN("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
    for (int i = 0; i < 100; i++) {
        assert_int_equal(
            schema_set_unframe(set, FRAMING_CONFLUENT, SPAN("x"), header, &framed, &err),
            OUTCOME_REJECT);
        assert_string_equal(err.code, "unknown_schema_id");
    }
    assert_int_equal(fake.requests, 1);
    schema_set_close(set);
    MHD_stop_daemon(fake.daemon);
}

static void test_a_404_of_something_else_is_no_answer(void **state)
{
    struct fake fake = {0};
    char url[80];
    struct err err = {0};
    fake_start(&fake);
    snprintf(url, sizeof url, "%.*s/wrong", (int)(strlen(fake.url) - 4), fake.url);
    struct schema_set_options options = {.urls = url};
    struct schema_set *set = open_set(&options);
    assert_int_equal(plan_of(set, 5, &err), OUTCOME_RETRY);
    assert_non_null(strstr(err.message, "is the path right"));
    schema_set_close(set);
    MHD_stop_daemon(fake.daemon);
}

static void test_credentials(void **state)
{
    struct fake fake = {.wants_password = true};
    struct err err = {0};
    fake_start(&fake);
    struct schema_set_options options = {.urls = fake.url, .user_info = "u:wrong"};
    struct schema_set *set = open_set(&options);
    assert_int_equal(plan_of(set, 5, &err), OUTCOME_RETRY);
    assert_non_null(strstr(err.message, "HTTP 401"));
    schema_set_close(set);
    options.user_info = "u:p";
    set = open_set(&options);
    assert_int_equal(plan_of(set, 5, &err), OUTCOME_OK);
    schema_set_close(set);
    MHD_stop_daemon(fake.daemon);
}

/* Port 1 refuses; the second URL answers and is asked first from then on. */
static void test_several_urls(void **state)
{
    struct fake fake = {0};
    char urls[128];
    struct err err = {0};
    fake_start(&fake);
    snprintf(urls, sizeof urls, "http://user:secret@127.0.0.1:1/, %s", fake.url);
    struct schema_set_options options = {.urls = urls};
    struct schema_set *set = open_set(&options);
    assert_int_equal(plan_of(set, 5, &err), OUTCOME_OK);
    MHD_stop_daemon(fake.daemon);
    assert_int_equal(plan_of(set, 6, &err), OUTCOME_RETRY);
    assert_null(strstr(err.message, "secret"));
    assert_int_equal(plan_of(set, 5, &err), OUTCOME_OK);
    schema_set_close(set);
}

static void remove_cache(const char *dir)
{
    char path[128];
    const char *const names[] = {"schema-5.avsc", "guid-" GUID_TEXT ".id"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rmdir(dir), 0); /* fails if anything temporary was left */
}

static void test_cold_start_in_an_outage(void **state)
{
    struct fake fake = {0};
    char dir[] = "/tmp/tutti-schemas-XXXXXX";
    struct framed framed;
    struct err err = {0};
    assert_non_null(mkdtemp(dir));
    fake_start(&fake);
    struct schema_set_options options = {.urls = fake.url, .cache_dir = dir};
    struct schema_set *set = open_set(&options);
    struct span header = SPAN(GUID_BYTES);
    assert_int_equal(schema_set_unframe(set, FRAMING_CONFLUENT, SPAN("x"), header, &framed, &err),
                     OUTCOME_OK);
    assert_int_equal(framed.schema_id, 5);
    schema_set_close(set);
    MHD_stop_daemon(fake.daemon);
    set = open_set(&options);
    assert_int_equal(schema_set_unframe(set, FRAMING_CONFLUENT, SPAN("x"), header, &framed, &err),
                     OUTCOME_OK);
    assert_int_equal(framed.schema_id, 5);
    assert_int_equal(plan_of(set, 6, &err), OUTCOME_RETRY);
    schema_set_close(set);
    remove_cache(dir);
}

static void test_files_only(void **state)
{
    struct schema_set_options options = {.files =
                                             "7=schemas/avro/touchpoint.avsc, 8=builtin:touchpoint",
                                         .guids = GUID_TEXT "=7",
                                         .raw_id = 8};
    struct framed framed;
    struct err err = {0};
    struct schema_set *set = open_set(&options);
    assert_int_equal(plan_of(set, 1, &err), OUTCOME_OK);
    assert_int_equal(plan_of(set, 7, &err), OUTCOME_OK);
    assert_int_equal(plan_of(set, 9, &err), OUTCOME_REJECT);
    assert_int_equal(schema_set_unframe(set, FRAMING_RAW, SPAN("xy"), SPAN_NONE, &framed, &err),
                     OUTCOME_OK);
    assert_true(framed.schema_id == 8 && framed.payload.len == 2);
    assert_int_equal(
        schema_set_unframe(set, FRAMING_RAW, SPAN("xy"), SPAN(GUID_BYTES), &framed, &err),
        OUTCOME_OK);
    assert_int_equal(framed.schema_id, 7);
    assert_int_equal(schema_set_unframe(set, FRAMING_SINGLE_OBJECT, SPAN("\xC3\1abcdefghx"),
                                        SPAN_NONE, &framed, &err),
                     OUTCOME_REJECT);
    assert_string_equal(err.code, "unknown_schema_id");
    schema_set_close(set);
}

/* The single object of the Avro project's interoperability data; its schema is no touchpoint's, but
 * it is found. */
static void test_single_object(void **state)
{
    static const char schema[] =
        "{\"type\":\"record\",\"namespace\":\"org.apache.avro\",\"name\":\"TestMessage\","
        "\"fields\":["
        "{\"name\":\"id\",\"type\":\"long\"},{\"name\":\"name\",\"type\":\"string\"},"
        "{\"name\":\"tags\",\"type\":{\"type\":\"array\",\"items\":\"string\"}}]}";
    char path[] = "/tmp/tutti-avsc-XXXXXX", files[64];
    struct framed framed;
    struct touchpoint t;
    struct err err = {0};
    int fd = mkstemp(path);
    assert_int_equal(write(fd, schema, sizeof schema - 1), sizeof schema - 1);
    close(fd);
    snprintf(files, sizeof files, "3=%s", path);
    struct schema_set_options options = {.files = files};
    struct schema_set *set = open_set(&options);
    unlink(path);
    struct span value = SPAN("\xc3\x01\xa9\x2d\xe1\xf8\xa2\x42\xf5\x3d\x54\x08"
                             "Bill\x04\x12"
                             "dog_lover\x12"
                             "cat_hater\0");
    assert_int_equal(
        schema_set_unframe(set, FRAMING_SINGLE_OBJECT, value, SPAN_NONE, &framed, &err),
        OUTCOME_OK);
    assert_int_equal(framed.schema_id, 3);
    assert_int_equal(avro_plan_decode(framed.plan, framed.payload, &t, &err), OUTCOME_REJECT);
    assert_string_equal(err.code, "field_missing"); /* the bytes themselves were in order */
    schema_set_close(set);
}

static void test_texts(void **state)
{
    struct schema_set_options options = {0};
    struct schema_set *set = open_set(&options);
    struct span text, again;
    struct err err = {0};
    json_error_t where;
    assert_int_equal(schema_set_text(set, 1, &text, &err), OUTCOME_OK);
    assert_true(span_equal(text, embedded_schema("touchpoint")));
    assert_int_equal(schema_set_text(set, SCHEMA_STAGE_CHANGE, &text, &err), OUTCOME_OK);
    assert_true(span_equal(text, embedded_schema("stage_change")));
    assert_int_equal(schema_set_text(set, RESOLVED_ID_BASE + 1, &text, &err), OUTCOME_OK);
    json_t *composed = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &where);
    assert_non_null(composed);
    assert_int_equal(json_array_size(json_object_get(composed, "fields")), 8);
    json_decref(composed);
    assert_int_equal(schema_set_text(set, RESOLVED_ID_BASE + 1, &again, &err), OUTCOME_OK);
    assert_ptr_equal(text.ptr, again.ptr);
    assert_int_equal(schema_set_text(set, 55, &text, &err), OUTCOME_REJECT);
    schema_set_close(set);
}

static void test_bad_settings(void **state)
{
    static const struct {
        struct schema_set_options options;
        const char *hint;
    } rows[] = {
        {{.files = "touchpoint.avsc"}, "expected id=path"},
        {{.files = "0=builtin:touchpoint"}, "expected id=path"},
        {{.files = "1=/nonexistent.avsc"}, "/nonexistent.avsc: No such file"},
        {{.files = "1=builtin:nothing"}, "no such built-in"},
        {{.files = "1=README.md"}, "README.md"},
        {{.guids = "abc=1"}, "expected guid=id"},
        {{.urls = "registry:8081"}, "http://"},
        {{.urls = " , "}, "no URL"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct schema_set *set;
        struct err err = {0};
        assert_int_equal(schema_set_open_with(&rows[i].options, &set, &err), OUTCOME_FATAL);
        assert_null(set);
        if (strstr(err.message, rows[i].hint) == NULL)
            fail_msg("%s", err.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_a_404_of_something_else_is_no_answer),
        cmocka_unit_test(test_a_flood_of_unknown_ids),
        cmocka_unit_test(test_an_unknown_guid_is_remembered),
        cmocka_unit_test(test_credentials),
        cmocka_unit_test(test_several_urls),
        cmocka_unit_test(test_cold_start_in_an_outage),
        cmocka_unit_test(test_files_only),
        cmocka_unit_test(test_single_object),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_bad_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
