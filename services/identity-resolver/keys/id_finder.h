/* id_finder.h: from the hash of a value under the current key to its id, once keys were exchanged
 * (identity_keys.h). What neither the cache nor the batch's answers know is noted; the database is
 * asked for all of it at once (resolver_find_ids). */
#ifndef TUTTI_ID_FINDER_H
#define TUTTI_ID_FINDER_H

#include "common/base/map.h"
#include "services/identity-resolver/keys/identity_keys.h"
#include "services/identity-resolver/store/resolver_cache.h"

struct value_hash {
    struct id hash, previous; /* under the current key, and under the one before while keys are
                                 exchanged, else nil */
};

struct value_hashes {
    struct value_hash *items;
    size_t count, capacity;
};

struct id_finder {
    const struct identity_keys *keys;
    struct resolver_cache *cache;
    struct arena *arena;        /* the batch's */
    struct map answers;         /* hash -> id */
    struct value_hashes unsure; /* not known; with repeats */
};

/* For a batch. */
void id_finder_start(struct id_finder *finder, const struct identity_keys *keys,
                     struct resolver_cache *cache, struct arena *arena);

/* The id; of a value that is not known the hash itself, and unsure.count grows. */
struct id id_finder_find(struct id_finder *finder, const struct id *hash, struct span type,
                         struct span value);

#endif
