/* resolver_cache.c: see resolver_cache.h. */
#include "services/identity-resolver/resolver_cache.h"

enum { BYTES_PER_ENTRY = 2 * 80 }; /* both generations, at the usual load of the tables */

static void two_maps_open(struct two_maps *maps, size_t value_size, size_t key_size, size_t limit)
{
    map_init(&maps->young, NULL, key_size, value_size);
    map_init(&maps->old, NULL, key_size, value_size);
    maps->limit = limit;
}

void resolver_cache_open(struct resolver_cache *cache, size_t bytes)
{
    size_t limit = bytes / 2 / BYTES_PER_ENTRY;
    two_maps_open(&cache->identifiers, sizeof(struct cached_identifier), sizeof(struct id), limit);
    two_maps_open(&cache->links, sizeof(struct cached_link), sizeof(struct link_key), limit);
}

static void two_maps_close(struct two_maps *maps)
{
    map_free(&maps->young);
    map_free(&maps->old);
}

void resolver_cache_close(struct resolver_cache *cache)
{
    two_maps_close(&cache->identifiers);
    two_maps_close(&cache->links);
}

size_t resolver_cache_bytes(const struct resolver_cache *cache)
{
    return map_bytes(&cache->identifiers.young) + map_bytes(&cache->identifiers.old) + map_bytes(&cache->links.young) +
           map_bytes(&cache->links.old);
}

static void *two_maps_put(struct two_maps *maps, const void *key)
{
    if (maps->young.count >= maps->limit) {
        struct map swap = maps->old;
        maps->old = maps->young;
        maps->young = swap;
        map_clear(&maps->young);
    }
    return map_put(&maps->young, key, NULL);
}

/* A hit in the old generation moves to the young one: what is used stays. */
static const void *two_maps_find(struct two_maps *maps, const void *key, size_t value_size)
{
    const void *hit = map_find(&maps->young, key);
    if (hit)
        return hit;
    hit = map_find(&maps->old, key);
    if (hit == NULL)
        return NULL;
    char copy[64];
    memcpy(copy, hit, value_size);
    return memcpy(two_maps_put(maps, key), copy, value_size);
}

const struct cached_identifier *resolver_cache_identifier(struct resolver_cache *cache, const struct id *id)
{
    return two_maps_find(&cache->identifiers, id, sizeof(struct cached_identifier));
}

const struct cached_link *resolver_cache_link(struct resolver_cache *cache, const struct link_key *key)
{
    return two_maps_find(&cache->links, key, sizeof(struct cached_link));
}

void resolver_cache_put_identifier(struct resolver_cache *cache, const struct id *id, const struct cached_identifier *entry)
{
    *(struct cached_identifier *)two_maps_put(&cache->identifiers, id) = *entry;
}

void resolver_cache_put_link(struct resolver_cache *cache, const struct link_key *key, const struct cached_link *entry)
{
    *(struct cached_link *)two_maps_put(&cache->links, key) = *entry;
}
