/* id_finder.c: asks the cache and the batch's answers; notes the hashes that neither knows. */
#include "services/identity-resolver/keys/id_finder.h"

void id_finder_start(struct id_finder *finder, const struct identity_keys *keys,
                     struct resolver_cache *cache, struct arena *arena)
{
    *finder = (struct id_finder){.keys = keys, .cache = cache, .arena = arena};
    map_init(&finder->answers, arena, sizeof(struct id), sizeof(struct id));
}

struct id id_finder_find(struct id_finder *finder, const struct id *hash, struct span type,
                         struct span value)
{
    const struct id *known = resolver_cache_found_by(finder->cache, hash);
    if (known)
        return *known;
    if (resolver_cache_identifier(finder->cache, hash))
        return *hash;
    known = map_find(&finder->answers, hash);
    if (known)
        return *known;
    struct value_hash *unsure = arena_push(finder->arena, &finder->unsure);
    *unsure = (struct value_hash){.hash = *hash};
    if (finder->keys->state.phase == KEYS_ROTATING)
        unsure->previous = digest_identifier(&finder->keys->previous, type, value);
    return *hash;
}
