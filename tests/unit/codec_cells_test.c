/* codec_cells_test.c: packed cells: known bytes, round trips, every truncation, hostile counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/codec/cells.h"
#include "tests/support/random.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void known_bytes(void **state)
{
    static const struct cell cell = {{CELL_GOAL, -1, {300, 0, 2}}, {-1, 0, 64}};
    struct strbuf buf = {0};
    cells_pack(&buf, &cell, 1);
    assert_int_equal(buf.len, 12);
    assert_memory_equal(buf.ptr, "\x01\x01\x01\x03\xAC\x02\x00\x02\x05\x01\x80\x01", 12);
    strbuf_free(&buf);
}

static const struct cell samples[] = {
    {{CELL_GOAL, INT32_MIN, {0}}, {1}},
    {{CELL_GOAL, 0, {0}}, {0, 0, 0, 0, 0, 0, 0, INT64_MIN}},
    {{CELL_GOAL, INT32_MAX, {UINT32_MAX}}, {INT64_MAX}},
    {{CELL_CREDIT, 17000, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
     {1, -1, 127, -128, 1 << 20, -(1 << 20), INT64_MAX, INT64_MIN}},
    {{CELL_CREDIT, 17000, {0, 0, 0, 0, 0, 0, 0, UINT32_MAX}}, {0, 5}},
    {{255, 1, {9}}, {7}},
};

static bool same_cells(const struct cell *a, const struct cell *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (cell_compare(&a[i], &b[i]) != 0 ||
            memcmp(a[i].values, b[i].values, sizeof a[i].values) != 0)
            return false;
    return true;
}

static void round_trip(void **state)
{
    struct arena arena = {0};
    struct strbuf buf = {.arena = &arena};
    cells_pack(&buf, samples, COUNT(samples));
    struct cell *cells;
    size_t count;
    assert_int_equal(cells_unpack(&arena, strbuf_span(&buf), &cells, &count, NULL), OUTCOME_OK);
    assert_int_equal(count, COUNT(samples));
    assert_true(same_cells(cells, samples, count));
    arena_free(&arena);
}

static struct cell random_cell(struct random *r)
{
    struct cell cell = {.key = {1 + random_below(r, 6), (int32_t)random_next(r), {0}}};
    for (uint32_t n = random_below(r, CELL_DIMS + 1), i = 0; i < n; i++)
        cell.key.dims[i] = (uint32_t)random_next(r) >> random_below(r, 32);
    for (int i = 0; i < CELL_VALUES; i++)
        if (random_below(r, 3) == 0)
            cell.values[i] = (int64_t)(random_next(r) >> random_below(r, 64));
    return cell;
}

static size_t without_zero_cells(struct cell *cells, size_t count)
{
    static const int64_t zero[CELL_VALUES];
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (memcmp(cells[i].values, zero, sizeof zero) != 0)
            cells[kept++] = cells[i];
    return kept;
}

static void random_round_trips(void **state)
{
    struct random r = random_from_environment();
    struct arena arena = {0};
    for (int round = 0; round < 200; round++, arena_reset(&arena)) {
        size_t count = random_below(&r, 50), got;
        struct cell *cells = arena_array(&arena, struct cell, count), *read;
        for (size_t i = 0; i < count; i++)
            cells[i] = random_cell(&r);
        qsort(cells, count, sizeof *cells, cell_compare);
        struct strbuf buf = {.arena = &arena};
        cells_pack(&buf, cells, count);
        assert_int_equal(cells_unpack(&arena, strbuf_span(&buf), &read, &got, NULL), OUTCOME_OK);
        assert_int_equal(got, without_zero_cells(cells, count));
        assert_true(same_cells(read, cells, got));
    }
    arena_free(&arena);
}

static void zero_cells_are_left_out(void **state)
{
    static const struct cell cells[] = {{{1, 1, {1}}, {0}}, {{1, 1, {2}}, {3}}, {{1, 1, {3}}, {0}}};
    struct arena arena = {0};
    struct strbuf all = {.arena = &arena}, one = {.arena = &arena};
    cells_pack(&all, cells, COUNT(cells));
    cells_pack(&one, &cells[1], 1);
    assert_true(span_equal(strbuf_span(&all), strbuf_span(&one)));
    arena_free(&arena);
}

static void every_truncation_is_refused(void **state)
{
    struct arena arena = {0};
    struct strbuf buf = {.arena = &arena};
    cells_pack(&buf, samples, COUNT(samples));
    for (size_t cut = 0; cut < buf.len; cut++) {
        /* A copy of exact size, so that a sanitizer sees any read beyond the cut. */
        char *part = malloc(cut ? cut : 1);
        assert_non_null(part);
        memcpy(part, buf.ptr, cut);
        struct err err = {0};
        struct cell *cells;
        size_t count;
        assert_int_equal(cells_unpack(&arena, (struct span){part, cut}, &cells, &count, &err),
                         OUTCOME_REJECT);
        assert_string_equal(err.code, "cells_malformed");
        free(part);
    }
    arena_free(&arena);
}

static void hostile_bytes(void **state)
{
    static const struct {
        const char *rule;
        struct span bytes;
    } rows[] = {
        {"empty", SPAN("")},
        {"count 2^63", SPAN("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F\x01\x00\x00\x01\x02")},
        {"count beyond the bytes", SPAN("\x02\x01\x00\x00\x01\x02")},
        {"eleven dims",
         SPAN("\x01\x01\x00\x0B\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x02")},
        {"period beyond 32 bits", SPAN("\x01\x01\x80\x80\x80\x80\x20\x00\x01\x02")},
        {"code beyond 32 bits", SPAN("\x01\x01\x00\x01\x80\x80\x80\x80\x10\x01\x02")},
        {"no value", SPAN("\x01\x01\x00\x01\x01\x00")},
        {"value without end",
         SPAN("\x01\x01\x00\x00\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01")},
        {"bytes after the last", SPAN("\x01\x01\x00\x00\x01\x02\x00")},
    };
    struct arena arena = {0};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cell *cells;
        size_t count;
        if (cells_unpack(&arena, rows[i].bytes, &cells, &count, NULL) != OUTCOME_REJECT)
            fail_msg("%s", rows[i].rule);
    }
    assert_true(arena.used < 4096);
    arena_free(&arena);
}

static void order_of_keys(void **state)
{
    for (size_t i = 0; i < COUNT(samples); i++)
        for (size_t j = 0; j < COUNT(samples); j++) {
            int c = cell_compare(&samples[i], &samples[j]);
            assert_int_equal((c > 0) - (c < 0), -((cell_compare(&samples[j], &samples[i]) > 0) -
                                                  (cell_compare(&samples[j], &samples[i]) < 0)));
            assert_true((c == 0) == (i == j));
        }
    assert_true(cell_compare(&samples[0], &samples[1]) < 0);
    assert_true(cell_compare(&samples[3], &samples[4]) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_bytes),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(random_round_trips),
        cmocka_unit_test(zero_cells_are_left_out),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(hostile_bytes),
        cmocka_unit_test(order_of_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
