/* store_test.c: parameters, results and COPY against a real PostgreSQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/base/pack.h"
#include "common/store/db_internal.h"
#include "tests/support/database.h"

static struct scratch scratch;
static struct db *db;
static struct arena arena;
static struct params params;
static struct err err;

static int set_up(void **state)
{
    db = database_open(scratch.url);
    params_init(&params, &arena);
    err = (struct err){0};
    return 0;
}

static int tear_down(void **state)
{
    db_close(db);
    arena_free(&arena);
    return 0;
}

static void assert_ok(enum outcome outcome)
{
    if (outcome != OUTCOME_OK)
        fail_msg("%s: %s", err.code, err.message);
}

static struct db_result *run(const char *name, const char *sql)
{
    struct db_result *result;
    assert_ok(db_run(db, &(struct statement){name, sql}, &params, &result, NULL, &err));
    params_init(&params, &arena);
    return result;
}

static int64_t one_number(const char *name, const char *sql)
{
    struct db_result *result = run(name, sql);
    int64_t v = db_int8(result, 0, 0);
    return v;
}

static void test_scalars_round_trip(void **state)
{
    struct id id = {{1, 2, 3, [15] = 255}};
    struct instant t = {INT64_C(1700000000123456)};
    params_int2(&params, INT16_MIN);
    params_int4(&params, INT32_MIN);
    params_int8(&params, INT64_MIN);
    params_bool(&params, true);
    params_text(&params, SPAN("gr\xc3\xbc\xc3\x9f"));
    params_bytea(&params, SPAN("\0\xff\n"));
    params_uuid(&params, &id);
    params_timestamptz(&params, t);
    struct db_result *r =
        run("scalars", "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $8::text, $7::text");
    assert_int_equal(db_rows(r), 1);
    assert_int_equal(db_int2(r, 0, 0), INT16_MIN);
    assert_int_equal(db_int4(r, 0, 1), INT32_MIN);
    assert_true(db_int8(r, 0, 2) == INT64_MIN);
    assert_true(db_bool(r, 0, 3));
    assert_true(span_is(db_bytes(r, 0, 4), "gr\xc3\xbc\xc3\x9f"));
    assert_true(span_equal(db_bytes(r, 0, 5), SPAN("\0\xff\n")));
    struct id back = db_uuid(r, 0, 6);
    assert_true(id_equal(&back, &id));
    assert_true(db_timestamptz(r, 0, 7).us == t.us);
    /* the session speaks UTC */
    assert_true(span_is(db_bytes(r, 0, 8), "2023-11-14 22:13:20.123456+00"));
    assert_true(span_is(db_bytes(r, 0, 9), "01020300-0000-0000-0000-0000000000ff"));
}

/* The last parameter arrives in binary, too. */
static void test_as_many_parameters_as_fit(void **state)
{
    struct strbuf sql = {.arena = &arena};
    strbuf_addf(&sql, "SELECT 0");
    for (int i = 1; i <= PARAMS_MAX; i++) {
        params_int8(&params, i);
        strbuf_addf(&sql, " + $%d", i);
    }
    assert_int_equal(one_number("many", sql.ptr), PARAMS_MAX * (PARAMS_MAX + 1) / 2);
}

/* What a dry run commits is not there, and its statements see it until then. */
static void test_a_dry_run_leaves_nothing(void **state)
{
    assert_ok(db_script(db, "CREATE TABLE dry (x int8)", &err));
    db_dry_run(db);
    assert_ok(db_begin(db, &err));
    run("dry_insert", "INSERT INTO dry VALUES (1)");
    assert_int_equal(one_number("dry_inside", "SELECT count(*) FROM dry"), 1);
    assert_ok(db_commit(db, &err));
    assert_int_equal(one_number("dry_after", "SELECT count(*) FROM dry"), 0);
    assert_ok(db_begin(db, &err));
    assert_int_not_equal(db_script(db, "SELECT 1 / 0", &err), OUTCOME_OK);
    assert_int_equal(db_commit(db, &err), OUTCOME_RETRY);
}

static void test_nulls_and_empty(void **state)
{
    params_text(&params, SPAN_NONE);
    params_bytea(&params, SPAN_NONE);
    params_text(&params, SPAN(""));
    struct db_result *r = run("nulls", "SELECT $1, $2, $3, $1 IS NULL AND $2 IS NULL, $3 = ''");
    assert_true(db_is_null(r, 0, 0) && db_is_null(r, 0, 1) && !db_is_null(r, 0, 2));
    assert_null(db_bytes(r, 0, 0).ptr);
    assert_non_null(db_bytes(r, 0, 2).ptr);
    assert_int_equal(db_bytes(r, 0, 2).len, 0);
    assert_true(db_bool(r, 0, 3) && db_bool(r, 0, 4));
}

static void test_infinite_instants(void **state)
{
    params_timestamptz(&params, INSTANT_NEVER);
    params_timestamptz(&params, INSTANT_FIRST);
    struct db_result *r = run("infinite", "SELECT $1, $2, $1 = 'infinity', $2 = '-infinity'");
    assert_true(db_timestamptz(r, 0, 0).us == INT64_MAX && db_timestamptz(r, 0, 1).us == INT64_MIN);
    assert_true(db_bool(r, 0, 2) && db_bool(r, 0, 3));
    params_timestamptz(&params, (struct instant){INT64_MIN + 1});
    assert_int_equal(
        db_run(db, &(struct statement){"range", "SELECT $1"}, &params, NULL, NULL, &err),
        OUTCOME_REJECT);
}

struct row {
    int16_t i2;
    int32_t i4;
    int64_t i8;
    bool b;
    struct id id;
    struct instant t;
    struct span text, bytes;
};

static struct row *make_rows(size_t count)
{
    struct row *rows = arena_array(&arena, struct row, count);
    for (size_t i = 0; i < count; i++) {
        struct row *r = &rows[i];
        *r = (struct row){(int16_t)i, -(int32_t)i, (int64_t)i << 33,
                          i % 3 == 0, {{0}},       {(int64_t)i * 1000003},
                          SPAN_NONE,  SPAN_NONE};
        memcpy(r->id.bytes, &i, sizeof i);
        if (i % 5)
            r->text = span_of(arena_printf(&arena, "text %zu", i));
        if (i % 7)
            r->bytes = (struct span){(const char *)r->id.bytes, i % 16};
    }
    return rows;
}

static void push_arrays(const struct row *rows, size_t n)
{
    size_t stride = sizeof *rows;
    params_int2_array(&params, &rows->i2, stride, n);
    params_int4_array(&params, &rows->i4, stride, n);
    params_int8_array(&params, &rows->i8, stride, n);
    params_bool_array(&params, &rows->b, stride, n);
    params_uuid_array(&params, &rows->id, stride, n);
    params_timestamptz_array(&params, &rows->t, stride, n);
    params_text_array(&params, &rows->text, stride, n);
    params_bytea_array(&params, &rows->bytes, stride, n);
}

static void assert_row(const struct db_result *r, int i, const struct row *row)
{
    struct id id = db_uuid(r, i, 4);
    assert_true(db_int2(r, i, 0) == row->i2 && db_int4(r, i, 1) == row->i4 &&
                db_int8(r, i, 2) == row->i8);
    assert_true(db_bool(r, i, 3) == row->b && id_equal(&id, &row->id) &&
                db_timestamptz(r, i, 5).us == row->t.us);
    assert_true(db_is_null(r, i, 6) == (row->text.ptr == NULL) &&
                span_equal(db_bytes(r, i, 6), row->text));
    assert_true(db_is_null(r, i, 7) == (row->bytes.ptr == NULL) &&
                span_equal(db_bytes(r, i, 7), row->bytes));
}

static const char unnest_all[] =
    "SELECT unnest($1::int2[]), unnest($2::int4[]), unnest($3::int8[]), unnest($4::bool[]), "
    "unnest($5::uuid[]), unnest($6::timestamptz[]), unnest($7::text[]), unnest($8::bytea[])";

static void test_arrays_of_every_size(void **state)
{
    static const size_t sizes[] = {0, 1, 2, 1000, 100000};
    struct row *rows = make_rows(100000);
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        push_arrays(rows, sizes[s]);
        struct db_result *r = run("unnest_all", unnest_all);
        assert_int_equal(db_rows(r), sizes[s]);
        for (int i = 0; i < db_rows(r); i++)
            assert_row(r, i, &rows[i]);
    }
}

static void test_affected_rows(void **state)
{
    int64_t affected = -1;
    assert_ok(db_script(db, "CREATE TABLE affected (k bigint PRIMARY KEY)", &err));
    params_int8(&params, 42);
    struct statement insert = {"insert42", "INSERT INTO affected SELECT generate_series(1, $1)"};
    assert_ok(db_run(db, &insert, &params, NULL, &affected, &err));
    assert_int_equal(affected, 42);
}

/* ---- clean text ---- */

static const struct span dirty[] = {SPAN("bob\0evil"), SPAN("\xff"), SPAN("\xed\xa0\x80"),
                                    SPAN("\xc3")};

static void test_dirty_text_is_rejected_not_cut(void **state)
{
    for (size_t i = 0; i < sizeof dirty / sizeof dirty[0]; i++) {
        params_init(&params, &arena);
        params_text(&params, dirty[i]);
        assert_int_equal(
            db_run(db, &(struct statement){"dirty", "SELECT $1"}, &params, NULL, NULL, &err),
            OUTCOME_REJECT);
        assert_true(db_sqlstate_is(db, "22021"));
        params_init(&params, &arena);
        params_text_array(&params, &dirty[i], sizeof dirty[i], 1);
        assert_int_equal(
            db_run(db, &(struct statement){"dirties", "SELECT $1"}, &params, NULL, NULL, &err),
            OUTCOME_REJECT);
    }
}

static void test_dirty_text_is_rejected_by_copy(void **state)
{
    assert_ok(db_script(db, "CREATE TABLE dirty (t text)", &err));
    for (size_t i = 0; i < sizeof dirty / sizeof dirty[0]; i++) {
        assert_ok(db_copy_begin(db, "COPY dirty FROM STDIN BINARY", &err));
        copy_row(db, 1);
        copy_bytes(db, dirty[i]);
        assert_int_equal(db_copy_end(db, NULL, &err), OUTCOME_REJECT);
    }
    assert_int_equal(one_number("count_dirty", "SELECT count(*) FROM dirty"), 0);
}

/* ---- COPY ---- */

static void copy_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        copy_row(db, 9);
        copy_int2(db, rows[i].i2);
        copy_int4(db, rows[i].i4);
        copy_int8(db, rows[i].i8);
        copy_bool(db, rows[i].b);
        copy_uuid(db, &rows[i].id);
        copy_timestamptz(db, rows[i].t);
        copy_bytes(db, rows[i].text);
        copy_bytes(db, rows[i].bytes);
        copy_null(db);
    }
}

#define COPIED_COLUMNS                                                                             \
    "(i2 int2, i4 int4, i8 int8, b bool, id uuid PRIMARY KEY, t timestamptz, text text, bytes "    \
    "bytea, n "                                                                                    \
    "int4)"

static void test_copy_round_trip(void **state)
{
    enum { N = 20000 };
    int64_t count = 0;
    struct row *rows = make_rows(N);
    assert_ok(db_script(db, "CREATE TABLE copied " COPIED_COLUMNS, &err));
    assert_ok(db_begin(db, &err));
    assert_ok(db_copy_begin(db, "COPY copied FROM STDIN BINARY", &err));
    copy_rows(rows, N);
    assert_ok(db_copy_end(db, &count, &err));
    assert_int_equal(count, N);
    assert_ok(db_commit(db, &err));
    struct db_result *r = run("copied", "SELECT * FROM copied ORDER BY i8");
    assert_int_equal(db_rows(r), N);
    for (int i = 0; i < N; i++) {
        assert_row(r, i, &rows[i]);
        assert_true(db_is_null(r, i, 8));
    }
}

static void test_copy_of_nothing_and_of_large_values(void **state)
{
    static const size_t sizes[] = {0, 1, 8191, 8192, 8193, 65535, 65536, 65537, 3000000};
    int64_t count = -1;
    assert_ok(db_script(db, "CREATE TABLE large (n int8, v bytea)", &err));
    assert_ok(db_copy_begin(db, "COPY large FROM STDIN BINARY", &err));
    assert_ok(db_copy_end(db, &count, &err));
    assert_int_equal(count, 0);
    char *bytes = arena_alloc(&arena, 3000000);
    memset(bytes, 0xA5, 3000000);
    assert_ok(db_copy_begin(db, "COPY large FROM STDIN BINARY", &err));
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        copy_row(db, 2);
        copy_int8(db, (int64_t)sizes[i]);
        copy_bytes(db, (struct span){bytes, sizes[i]});
    }
    assert_ok(db_copy_end(db, &count, &err));
    assert_int_equal(count, sizeof sizes / sizeof sizes[0]);
    assert_int_equal(
        one_number("large",
                   "SELECT count(*) FROM large WHERE v = decode(repeat('a5', n::int), 'hex')"),
        count);
}

static void test_duplicate_key_in_copy(void **state)
{
    struct row *rows = make_rows(3);
    assert_ok(db_script(db, "CREATE TABLE twice " COPIED_COLUMNS, &err));
    assert_ok(db_begin(db, &err));
    assert_ok(db_copy_begin(db, "COPY twice FROM STDIN BINARY", &err));
    copy_rows(rows, 3);
    copy_rows(rows, 1);
    assert_int_equal(db_copy_end(db, NULL, &err), OUTCOME_REJECT);
    assert_true(db_sqlstate_is(db, "23505"));
    assert_non_null(strstr(err.message, "twice_pkey"));
    assert_true(db_in_transaction(db) && db_is_up(db));
    db_rollback(db);
    assert_false(db_in_transaction(db));
    assert_int_equal(one_number("count_twice", "SELECT count(*) FROM twice"), 0);
}

static void test_rollback_inside_copy(void **state)
{
    struct row *rows = make_rows(5000);
    assert_ok(db_script(db, "CREATE TABLE given_up " COPIED_COLUMNS, &err));
    assert_ok(db_begin(db, &err));
    assert_ok(db_copy_begin(db, "COPY given_up FROM STDIN BINARY", &err));
    copy_rows(rows, 5000);
    db_rollback(db);
    assert_int_equal(one_number("count_given_up", "SELECT count(*) FROM given_up"), 0);
}

static void test_copy_into_unknown_table(void **state)
{
    assert_int_equal(db_copy_begin(db, "COPY nowhere FROM STDIN BINARY", &err), OUTCOME_FATAL);
    assert_non_null(strstr(err.message, "nowhere"));
    assert_int_equal(one_number("still", "SELECT 1::int8"), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_scalars_round_trip),
        TEST(test_as_many_parameters_as_fit),
        TEST(test_a_dry_run_leaves_nothing),
        TEST(test_nulls_and_empty),
        TEST(test_infinite_instants),
        TEST(test_arrays_of_every_size),
        TEST(test_affected_rows),
        TEST(test_dirty_text_is_rejected_not_cut),
        TEST(test_dirty_text_is_rejected_by_copy),
        TEST(test_copy_round_trip),
        TEST(test_copy_of_nothing_and_of_large_values),
        TEST(test_duplicate_key_in_copy),
        TEST(test_rollback_inside_copy),
        TEST(test_copy_into_unknown_table),
    };
    if (database_server() == NULL)
        return DATABASE_SKIPPED;
    scratch_create(&scratch, "store_test");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_drop(&scratch);
    return failed;
}
