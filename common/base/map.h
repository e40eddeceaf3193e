/* map.h: open-addressing hash map from fixed-size keys to fixed-size values, in one flat array. */
#ifndef TUTTI_BASE_MAP_H
#define TUTTI_BASE_MAP_H

#include "common/base/id.h"

struct arena;
struct map {
    struct arena *arena; /* where the table lives; NULL: malloc, map_free needed */
    uint32_t key_size, value_size;
    size_t count, capacity; /* capacity is 0 or a power of two; at most 3/4 full */
    uint8_t *used;          /* one byte per slot: 0 = free, else 0x80 | 7 bits of the hash */
    char *slots;            /* key then value, each slot (key_size + value_size) rounded to 8 */
};

void map_init(struct map *map, struct arena *arena, size_t key_size, size_t value_size);
void map_free(struct map *map);
/* The value of key, or NULL. Pointers stay valid until the next map_put or map_remove. */
void *map_find(const struct map *map, const void *key);
/* Asks the processor for what a map_find of this key will touch; worth it some entries ahead in a
 * loop over a large map. */
void map_prefetch(const struct map *map, const void *key);
/* The value of key; a new value is cleared and *inserted set (inserted may be NULL). */
void *map_put(struct map *map, const void *key, bool *inserted);
bool map_remove(struct map *map, const void *key);
void map_clear(struct map *map);
/* Visits every entry in table order: `for (size_t i = 0; (v = map_next(m, &i, &key));)`. */
void *map_next(const struct map *map, size_t *cursor, const void **key);
/* XXH3-128 of any bytes: for tables in memory only, never stored. */
struct id hash128(struct span bytes);
/* Bytes held by the table. */
size_t map_bytes(const struct map *map);

#endif
