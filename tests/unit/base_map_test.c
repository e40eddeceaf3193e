/* base_map_test.c: the hash map against a naive array, with removals, for several key and value
 * sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/arena.h"
#include "common/base/map.h"

enum { KEYS = 500, STEPS = 60000, LARGEST_KEY = 24 };

struct model {
    bool present[KEYS];
    uint64_t value[KEYS];
    size_t count;
};

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Distinct keys of any size from 2 bytes: the number first, then a pattern. */
static void make_key(size_t number, char key[LARGEST_KEY])
{
    memset(key, (int)(number % 3), LARGEST_KEY);
    key[0] = (char)(number & 0xFF);
    key[1] = (char)(number >> 8);
}

static void step(struct map *map, struct model *model, uint64_t *seed)
{
    char key[LARGEST_KEY];
    size_t k = next_random(seed) % KEYS;
    make_key(k, key);
    uint64_t dice = next_random(seed) % 100;
    if (dice < 45) {
        bool inserted;
        uint64_t *v = map_put(map, key, &inserted);
        assert_int_equal(inserted, !model->present[k]);
        assert_int_equal(*v, inserted ? 0 : model->value[k]);
        model->count += inserted;
        model->present[k] = true;
        *v = model->value[k] = next_random(seed);
    } else if (dice < 85) {
        assert_int_equal(map_remove(map, key), model->present[k]);
        model->count -= model->present[k];
        model->present[k] = false;
    } else {
        const uint64_t *v = map_find(map, key);
        assert_int_equal(v != NULL, model->present[k]);
        if (v)
            assert_int_equal(*v, model->value[k]);
    }
    assert_int_equal(map->count, model->count);
}

static void compare_all(const struct map *map, const struct model *model)
{
    char key[LARGEST_KEY];
    bool seen[KEYS] = {false};
    size_t cursor = 0, count = 0;
    const void *found;
    for (const uint64_t *v; (v = map_next(map, &cursor, &found)); count++) {
        size_t k = ((const uint8_t *)found)[0] | (size_t)((const uint8_t *)found)[1] << 8;
        assert_true(k < KEYS && model->present[k] && !seen[k]);
        assert_int_equal(*v, model->value[k]);
        seen[k] = true;
    }
    assert_int_equal(count, model->count);
    for (size_t k = 0; k < KEYS; k++) {
        make_key(k, key);
        assert_int_equal(map_find(map, key) != NULL, model->present[k]);
    }
}

static void run_model(size_t key_size, bool in_arena, uint64_t seed)
{
    print_message("key %zu, arena %d, seed %llu\n", key_size, in_arena, (unsigned long long)seed);
    struct arena arena = {0};
    struct map map;
    struct model model = {0};
    map_init(&map, in_arena ? &arena : NULL, key_size, sizeof(uint64_t));
    for (int i = 1; i <= STEPS; i++) {
        step(&map, &model, &seed);
        if (i % 5000 == 0)
            compare_all(&map, &model);
        if (i == STEPS / 2) {
            map_clear(&map);
            model = (struct model){0};
        }
    }
    map_free(&map);
    arena_free(&arena);
}

static void equals_the_naive_model(void **state)
{
    static const size_t key_sizes[] = {2, 3, 7, 8, 9, 16, 24};
    for (size_t i = 0; i < sizeof key_sizes / sizeof *key_sizes; i++)
        run_model(key_sizes[i], i % 2, 88172645463325252u + i);
}

static void values_are_aligned_and_kept_while_growing(void **state)
{
    struct map map;
    map_init(&map, NULL, 4, 24);
    for (uint32_t k = 0; k < 100000; k++) {
        uint64_t *v = map_put(&map, &k, NULL);
        assert_int_equal((uintptr_t)v % 8, 0);
        v[0] = k;
        v[2] = k * 3u;
    }
    for (uint32_t k = 0; k < 100000; k++) {
        const uint64_t *v = map_find(&map, &k);
        assert_non_null(v);
        assert_true(v[0] == k && v[1] == 0 && v[2] == k * 3u);
    }
    assert_true(map.count * 4 <= map.capacity * 3);
    assert_true(map_bytes(&map) >= 100000 * 32);
    map_free(&map);
    assert_int_equal(map_bytes(&map), 0);
}

static void an_empty_map_answers(void **state)
{
    struct map map;
    uint64_t key = 1;
    size_t cursor = 0;
    map_init(&map, NULL, 8, 8);
    assert_null(map_find(&map, &key));
    assert_false(map_remove(&map, &key));
    assert_null(map_next(&map, &cursor, NULL));
    map_clear(&map);
    map_free(&map);
    map_free(&map);
}

static void a_removed_value_comes_back_cleared(void **state)
{
    struct map map;
    uint64_t key = 5;
    bool inserted;
    map_init(&map, NULL, 8, 8);
    *(uint64_t *)map_put(&map, &key, NULL) = 9;
    assert_true(map_remove(&map, &key));
    assert_int_equal(*(uint64_t *)map_put(&map, &key, &inserted), 0);
    assert_true(inserted);
    map_free(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_naive_model),
        cmocka_unit_test(values_are_aligned_and_kept_while_growing),
        cmocka_unit_test(an_empty_map_answers),
        cmocka_unit_test(a_removed_value_comes_back_cleared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
