/* map.c: linear probing with a byte of hash per slot and backward-shift removal. */
#include "common/base/map.h"

#define XXH_INLINE_ALL
#include <stdlib.h>
#include <xxhash.h>

#include "common/base/arena.h"

static size_t slot_size(const struct map *map)
{
    return ((size_t)map->key_size + map->value_size + 7) & ~(size_t)7;
}

static char *slot_at(const struct map *map, size_t i)
{
    return map->slots + i * slot_size(map);
}

static void *value_at(const struct map *map, size_t i)
{
    return slot_at(map, i) + ((map->key_size + 7) & ~7u);
}

void map_init(struct map *map, struct arena *arena, size_t key_size, size_t value_size)
{
    *map = (struct map){.arena = arena, .key_size = (uint32_t)key_size};
    /* Values start on 8 bytes: the padding after the key is counted as value. */
    size_t padding = ((key_size + 7) & ~(size_t)7) - key_size;
    map->value_size = (uint32_t)(value_size + padding);
}

static void *table_alloc(struct map *map, size_t size)
{
    void *p = map->arena ? arena_alloc(map->arena, size) : malloc(size);
    if (p == NULL)
        abort();
    return p;
}

void map_free(struct map *map)
{
    if (map->arena == NULL) {
        free(map->used);
        free(map->slots);
    }
    map->used = NULL;
    map->slots = NULL;
    map->count = map->capacity = 0;
}

static uint64_t hash_key(const struct map *map, const void *key)
{
    return XXH3_64bits(key, map->key_size);
}

static uint8_t tag_of(uint64_t hash)
{
    return (uint8_t)(0x80 | (hash >> 57));
}

/* Most keys are short keys or ids: those are compared without a call. */
static bool same_key(const void *a, const void *b, size_t size)
{
    if (size == sizeof(uint64_t))
        return memcmp(a, b, sizeof(uint64_t)) == 0;
    if (size == sizeof(struct id))
        return id_equal(a, b);
    return memcmp(a, b, size) == 0;
}

/* Index of key, or of the free slot where it belongs. */
static size_t probe(const struct map *map, const void *key, uint64_t hash)
{
    size_t mask = map->capacity - 1, i = hash & mask;
    uint8_t tag = tag_of(hash);
    while (map->used[i]) {
        if (map->used[i] == tag && same_key(slot_at(map, i), key, map->key_size))
            break;
        i = (i + 1) & mask;
    }
    return i;
}

static void grow(struct map *map)
{
    struct map old = *map;
    map->capacity = old.capacity ? old.capacity * 2 : 64;
    map->used = table_alloc(map, map->capacity);
    memset(map->used, 0, map->capacity);
    map->slots = table_alloc(map, map->capacity * slot_size(map));
    for (size_t i = 0; i < old.capacity; i++) {
        if (!old.used[i])
            continue;
        uint64_t hash = hash_key(map, slot_at(&old, i));
        size_t to = probe(map, slot_at(&old, i), hash);
        map->used[to] = tag_of(hash);
        memcpy(slot_at(map, to), slot_at(&old, i), slot_size(map));
    }
    if (map->arena == NULL) {
        free(old.used);
        free(old.slots);
    }
}

void *map_find(const struct map *map, const void *key)
{
    if (map->count == 0)
        return NULL;
    size_t i = probe(map, key, hash_key(map, key));
    return map->used[i] ? value_at(map, i) : NULL;
}

void map_prefetch(const struct map *map, const void *key)
{
    if (map->count == 0)
        return;
    size_t i = hash_key(map, key) & (map->capacity - 1);
    __builtin_prefetch(&map->used[i]);
    __builtin_prefetch(slot_at(map, i));
}

void *map_put(struct map *map, const void *key, bool *inserted)
{
    if ((map->count + 1) * 4 > map->capacity * 3)
        grow(map);
    uint64_t hash = hash_key(map, key);
    size_t i = probe(map, key, hash);
    bool fresh = !map->used[i];
    if (fresh) {
        map->used[i] = tag_of(hash);
        memset(slot_at(map, i), 0, slot_size(map));
        memcpy(slot_at(map, i), key, map->key_size);
        map->count++;
    }
    if (inserted)
        *inserted = fresh;
    return value_at(map, i);
}

bool map_remove(struct map *map, const void *key)
{
    if (map->count == 0)
        return false;
    size_t mask = map->capacity - 1, hole = probe(map, key, hash_key(map, key));
    if (!map->used[hole])
        return false;
    for (size_t i = (hole + 1) & mask; map->used[i]; i = (i + 1) & mask) {
        size_t home = hash_key(map, slot_at(map, i)) & mask;
        /* Move the entry back if its home does not lie between the hole and it. */
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            memcpy(slot_at(map, hole), slot_at(map, i), slot_size(map));
            map->used[hole] = map->used[i];
            hole = i;
        }
    }
    map->used[hole] = 0;
    map->count--;
    return true;
}

void map_clear(struct map *map)
{
    if (map->capacity)
        memset(map->used, 0, map->capacity);
    map->count = 0;
}

void *map_next(const struct map *map, size_t *cursor, const void **key)
{
    for (; *cursor < map->capacity; (*cursor)++) {
        if (!map->used[*cursor])
            continue;
        if (key)
            *key = slot_at(map, *cursor);
        return value_at(map, (*cursor)++);
    }
    return NULL;
}

size_t map_bytes(const struct map *map)
{
    return map->capacity * (slot_size(map) + 1);
}

struct id hash128(struct span bytes)
{
    struct id out;
    XXH128_hash_t h = XXH3_128bits(bytes.ptr, bytes.len);
    memcpy(out.bytes, &h.low64, 8);
    memcpy(out.bytes + 8, &h.high64, 8);
    return out;
}
