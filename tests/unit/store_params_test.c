/* store_params_test.c: the byte images of binary parameters and arrays, and the class of every
 * SQLSTATE. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/store/db_internal.h"

struct fixture {
    struct arena arena;
    struct params params;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){0};
    params_init(&fixture.params, &fixture.arena);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    arena_free(&((struct fixture *)*state)->arena);
    return 0;
}

static void assert_last(const struct params *p, unsigned type, const void *bytes, size_t len)
{
    assert_true(p->count > 0);
    assert_int_equal(p->types[p->count - 1], type);
    assert_int_equal(p->lengths[p->count - 1], len);
    assert_memory_equal(p->values[p->count - 1], bytes, len);
}

#define ASSERT_IMAGE(p, type, literal) assert_last((p), (type), (literal), sizeof(literal) - 1)

static void test_scalars(void **state)
{
    struct params *p = &((struct fixture *)*state)->params;
    params_int2(p, -2);
    ASSERT_IMAGE(p, 21, "\xff\xfe");
    params_int4(p, 0x01020304);
    ASSERT_IMAGE(p, 23, "\1\2\3\4");
    params_int8(p, INT64_C(0x0102030405060708));
    ASSERT_IMAGE(p, 20, "\1\2\3\4\5\6\7\10");
    params_bool(p, true);
    ASSERT_IMAGE(p, 16, "\1");
    params_bool(p, false);
    ASSERT_IMAGE(p, 16, "\0");
    params_text(p, SPAN("h\0i"));
    ASSERT_IMAGE(p, 25, "h\0i");
    params_bytea(p, SPAN("\xff"));
    ASSERT_IMAGE(p, 17, "\xff");
    params_uuid(p, &(struct id){{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}});
    ASSERT_IMAGE(p, 2950, "\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20");
    assert_int_equal(p->count, 8);
}

static void test_null_and_empty_differ(void **state)
{
    struct params *p = &((struct fixture *)*state)->params;
    params_text(p, SPAN_NONE);
    assert_null(p->values[0]);
    params_text(p, SPAN(""));
    assert_non_null(p->values[1]);
    assert_int_equal(p->lengths[1], 0);
    params_bytea(p, SPAN_NONE);
    assert_null(p->values[2]);
}

static void test_timestamps(void **state)
{
    static const struct {
        int64_t us;
        const char *image;
    } rows[] = {
        {POSTGRES_EPOCH_US, "\0\0\0\0\0\0\0\0"},
        {POSTGRES_EPOCH_US + 1, "\0\0\0\0\0\0\0\1"},
        {0, "\xff\xfc\xa2\xfe\xc4\xc8\x20\x00"},
        {INT64_MAX, "\x7f\xff\xff\xff\xff\xff\xff\xff"}, /* infinity */
        {INT64_MIN, "\x80\0\0\0\0\0\0\0"},               /* -infinity */
        {INT64_MIN + 1, "\x80\0\0\0\0\0\0\1"},           /* out of range stays out of range */
    };
    struct params *p = &((struct fixture *)*state)->params;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        params_timestamptz(p, (struct instant){rows[i].us});
        assert_last(p, 1184, rows[i].image, 8);
    }
}

static void test_strided_array(void **state)
{
    struct row {
        char pad;
        int32_t number;
        int64_t big;
    } rows[] = {{0, 1, -1}, {0, 2, 5}};
    struct params *p = &((struct fixture *)*state)->params;
    params_int4_array(p, &rows[0].number, sizeof rows[0], 2);
    ASSERT_IMAGE(p, 1007,
                 "\0\0\0\1"
                 "\0\0\0\0"
                 "\0\0\0\27"
                 "\0\0\0\2"
                 "\0\0\0\1"
                 "\0\0\0\4\0\0\0\1"
                 "\0\0\0\4\0\0\0\2");
    params_int8_array(p, &rows[0].big, sizeof rows[0], 2);
    ASSERT_IMAGE(p, 1016,
                 "\0\0\0\1"
                 "\0\0\0\0"
                 "\0\0\0\24"
                 "\0\0\0\2"
                 "\0\0\0\1"
                 "\0\0\0\10\xff\xff\xff\xff\xff\xff\xff\xff"
                 "\0\0\0\10\0\0\0\0\0\0\0\5");
}

static void test_narrow_arrays(void **state)
{
    struct params *p = &((struct fixture *)*state)->params;
    params_int2_array(p, (int16_t[]){7}, sizeof(int16_t), 1);
    ASSERT_IMAGE(p, 1005,
                 "\0\0\0\1"
                 "\0\0\0\0"
                 "\0\0\0\25"
                 "\0\0\0\1"
                 "\0\0\0\1"
                 "\0\0\0\2\0\7");
    params_bool_array(p, (bool[]){true, false}, sizeof(bool), 2);
    ASSERT_IMAGE(p, 1000,
                 "\0\0\0\1"
                 "\0\0\0\0"
                 "\0\0\0\20"
                 "\0\0\0\2"
                 "\0\0\0\1"
                 "\0\0\0\1\1"
                 "\0\0\0\1\0");
    params_timestamptz_array(p, &(struct instant){POSTGRES_EPOCH_US}, sizeof(struct instant), 1);
    ASSERT_IMAGE(p, 1185,
                 "\0\0\0\1"
                 "\0\0\0\0"
                 "\0\0\4\240"
                 "\0\0\0\1"
                 "\0\0\0\1"
                 "\0\0\0\10\0\0\0\0\0\0\0\0");
    params_uuid_array(p, &(struct id){{0xAA}}, sizeof(struct id), 1);
    ASSERT_IMAGE(p, 2951,
                 "\0\0\0\1"
                 "\0\0\0\0"
                 "\0\0\13\206"
                 "\0\0\0\1"
                 "\0\0\0\1"
                 "\0\0\0\20\xAA\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
}

static void test_text_array_with_null(void **state)
{
    struct span texts[] = {SPAN("ab"), SPAN_NONE, SPAN("")};
    struct params *p = &((struct fixture *)*state)->params;
    params_text_array(p, texts, sizeof texts[0], 3);
    ASSERT_IMAGE(p, 1009,
                 "\0\0\0\1"
                 "\0\0\0\1"
                 "\0\0\0\31"
                 "\0\0\0\3"
                 "\0\0\0\1"
                 "\0\0\0\2ab"
                 "\xff\xff\xff\xff"
                 "\0\0\0\0");
    params_bytea_array(p, texts, sizeof texts[0], 1);
    ASSERT_IMAGE(p, 1001,
                 "\0\0\0\1"
                 "\0\0\0\0"
                 "\0\0\0\21"
                 "\0\0\0\1"
                 "\0\0\0\1"
                 "\0\0\0\2ab");
}

static void test_empty_arrays_have_no_dimension(void **state)
{
    struct params *p = &((struct fixture *)*state)->params;
    params_int8_array(p, NULL, 8, 0);
    ASSERT_IMAGE(p, 1016,
                 "\0\0\0\0"
                 "\0\0\0\0"
                 "\0\0\0\24");
    params_text_array(p, NULL, sizeof(struct span), 0);
    ASSERT_IMAGE(p, 1009,
                 "\0\0\0\0"
                 "\0\0\0\0"
                 "\0\0\0\31");
}

static void test_error_classes(void **state)
{
    static const struct {
        const char *sqlstate;
        enum outcome outcome;
        bool is_down;
    } rows[] = {
        {"22P02", OUTCOME_REJECT, false}, {"22021", OUTCOME_REJECT, false},
        {"23505", OUTCOME_REJECT, false}, {"23514", OUTCOME_REJECT, false},
        {"40P01", OUTCOME_RETRY, false},  {"40001", OUTCOME_RETRY, false},
        {"55P03", OUTCOME_RETRY, false},  {"08006", OUTCOME_RETRY, true},
        {"53300", OUTCOME_RETRY, true},   {"57P01", OUTCOME_RETRY, true},
        {"58030", OUTCOME_RETRY, true},   {"XX000", OUTCOME_RETRY, true},
        {"25006", OUTCOME_RETRY, true},   {"25P03", OUTCOME_RETRY, true},
        {"25001", OUTCOME_FATAL, false},  {"26000", OUTCOME_RETRY, true},
        {"42P01", OUTCOME_FATAL, false},  {"42501", OUTCOME_FATAL, false},
        {"0A000", OUTCOME_FATAL, false},  {"P0001", OUTCOME_FATAL, false},
        {"", OUTCOME_FATAL, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool is_down = !rows[i].is_down;
        assert_int_equal(db_classify(rows[i].sqlstate, &is_down), rows[i].outcome);
        assert_int_equal(is_down, rows[i].is_down);
    }
}

static void test_a_bad_url_is_fatal_and_not_echoed(void **state)
{
    struct db *db;
    struct err err = {0};
    assert_int_equal(db_open_url("secret@host", "test", &db, &err), OUTCOME_FATAL);
    assert_null(db);
    assert_null(strstr(err.message, "secret"));
    assert_string_equal(err.code, "db_url");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_scalars),
        TEST(test_null_and_empty_differ),
        TEST(test_timestamps),
        TEST(test_strided_array),
        TEST(test_narrow_arrays),
        TEST(test_text_array_with_null),
        TEST(test_empty_arrays_have_no_dimension),
        TEST(test_error_classes),
        TEST(test_a_bad_url_is_fatal_and_not_echoed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
