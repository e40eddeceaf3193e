/* base_arena_test.c: alignment, growth, reuse after a reset. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/arena.h"

static void allocations_are_aligned_and_apart(void **state)
{
    struct arena arena = {0};
    char *last = NULL;
    for (size_t size = 0; size < 3000; size++) {
        char *p = arena_alloc(&arena, size);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        assert_ptr_not_equal(p, last);
        memset(p, 0xA5, size);
        last = p;
    }
    arena_free(&arena);
    assert_null(arena.first);
}

static void zero_bytes_of_an_empty_arena(void **state)
{
    struct arena arena = {0};
    assert_non_null(arena_array(&arena, int, 0));
    struct span empty = arena_copy(&arena, SPAN(""));
    assert_non_null(empty.ptr);
    assert_int_equal(empty.len, 0);
    assert_null(arena_copy(&arena, SPAN_NONE).ptr);
    arena_free(&arena);
}

static void calloc_clears_reused_memory(void **state)
{
    struct arena arena = {0};
    memset(arena_alloc(&arena, 1000), 0xFF, 1000);
    arena_reset(&arena);
    const char *p = arena_calloc(&arena, 10, 100);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(p[i], 0);
    arena_free(&arena);
}

static void reset_reuses_the_blocks(void **state)
{
    struct arena arena = {0};
    void *first = arena_alloc(&arena, 100);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 100; i++)
            memset(arena_alloc(&arena, 100000), round, 100000);
        size_t used = arena.used;
        assert_true(used >= 100 * 100000);
        arena_reset(&arena);
        assert_int_equal(arena.used, 0);
        assert_ptr_equal(arena_alloc(&arena, 100), first);
    }
    arena_free(&arena);
}

static void a_large_allocation_gets_its_own_block(void **state)
{
    struct arena arena = {0};
    arena_alloc(&arena, 8);
    char *large = arena_alloc(&arena, 20 * 1024 * 1024);
    large[0] = large[20 * 1024 * 1024 - 1] = 1;
    char *small = arena_alloc(&arena, 8);
    assert_true(small < large || small >= large + 20 * 1024 * 1024);
    arena_reset(&arena);
    assert_null(arena.large);
    arena_free(&arena);
}

/* Large blocks are chained: growing one that others follow must leave the chain whole. */
static void large_allocations_grow_and_keep_their_bytes(void **state)
{
    enum { BLOCKS = 5, STEP = 700 * 1024 };
    struct arena arena = {0};
    char *blocks[BLOCKS] = {NULL};
    for (int round = 1; round <= 4; round++)
        for (int i = 0; i < BLOCKS; i++) {
            blocks[i] =
                arena_realloc(&arena, blocks[i], (size_t)(round - 1) * STEP, (size_t)round * STEP);
            memset(blocks[i] + (size_t)(round - 1) * STEP, 'a' + i, STEP);
        }
    for (int i = 0; i < BLOCKS; i++)
        for (size_t at = 0; at < 4 * STEP; at += 1000)
            assert_int_equal(blocks[i][at], 'a' + i);
    assert_int_equal(arena.used, 4 * BLOCKS * STEP);
    arena_reset(&arena);
    assert_int_equal(arena.used, 0);
    arena_free(&arena);
}

static void realloc_in_place_or_by_copy(void **state)
{
    struct arena arena = {0};
    char *p = arena_alloc(&arena, 10);
    memcpy(p, "0123456789", 10);
    assert_ptr_equal(arena_realloc(&arena, p, 10, 100), p);
    assert_int_equal(arena.used, 112);
    arena_alloc(&arena, 1);
    char *q = arena_realloc(&arena, p, 100, 200);
    assert_ptr_not_equal(q, p);
    assert_memory_equal(q, "0123456789", 10);
    char *r = arena_realloc(&arena, q, 200, 1024 * 1024);
    assert_memory_equal(r, "0123456789", 10);
    assert_non_null(arena_realloc(&arena, NULL, 0, 5));
    arena_free(&arena);
}

static void push_keeps_what_was_pushed(void **state)
{
    struct arena arena = {0};
    struct {
        int *items;
        size_t count, capacity;
    } list = {0};
    for (int i = 0; i < 100000; i++) {
        *arena_push(&arena, &list) = i;
        if (i % 7 == 0)
            arena_alloc(&arena, 3);
    }
    assert_int_equal(list.count, 100000);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(list.items[i], i);
    arena_free(&arena);
}

static void text(void **state)
{
    struct arena arena = {0};
    char *p = arena_printf(&arena, "%s-%d", "lane", 7);
    assert_string_equal(p, "lane-7");
    assert_string_equal(arena_copy(&arena, (struct span){"abcdef", 3}).ptr, "abc");
    assert_string_equal(p, "lane-7");
    arena_free(&arena);
    arena_free(&arena);
}

static void note(void *what)
{
    static int order;
    *(int *)what = ++order;
}

static void what_is_deferred_runs_once_and_backwards(void **state)
{
    struct arena arena = {0};
    int first = 0, second = 0, third = 0;
    arena_defer(&arena, note, &first);
    arena_defer(&arena, note, &second);
    arena_reset(&arena);
    assert_int_equal(second, 1);
    assert_int_equal(first, 2);
    arena_defer(&arena, note, &third);
    arena_free(&arena);
    assert_int_equal(third, 3);
    assert_int_equal(first, 2);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_and_apart),
        cmocka_unit_test(zero_bytes_of_an_empty_arena),
        cmocka_unit_test(calloc_clears_reused_memory),
        cmocka_unit_test(reset_reuses_the_blocks),
        cmocka_unit_test(a_large_allocation_gets_its_own_block),
        cmocka_unit_test(large_allocations_grow_and_keep_their_bytes),
        cmocka_unit_test(realloc_in_place_or_by_copy),
        cmocka_unit_test(push_keeps_what_was_pushed),
        cmocka_unit_test(text),
        cmocka_unit_test(what_is_deferred_runs_once_and_backwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
