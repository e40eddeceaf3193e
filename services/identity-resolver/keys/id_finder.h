/* id_finder.h: leads from the hash of a value under the current key to its id, after an exchange of
 * keys (identity_keys.h). A hash that neither the cache nor the batch's answers know is noted, and
 * the database is asked for all of them at once (resolver_find_ids). */
#ifndef TUTTI_ID_FINDER_H
#define TUTTI_ID_FINDER_H

#include "common/base/map.h"
#include "services/identity-resolver/keys/identity_keys.h"
#include "services/identity-resolver/store/identity_rules_store.h"

struct id_finder {
    const struct identity_keys *keys;
    struct resolver_cache *cache;
    struct arena *arena;        /* the batch's */
    struct map answers;         /* hash -> id */
    struct value_hashes unsure; /* hashes that are not known; with repeats */
};

/* Starts a batch. */
void id_finder_start(struct id_finder *finder, const struct identity_keys *keys,
                     struct resolver_cache *cache, struct arena *arena);

/* The id of the value. If it is not known: the hash itself, and unsure.count grows. */
struct id id_finder_find(struct id_finder *finder, const struct id *hash, struct span type,
                         struct span value);

#endif
