/* resolver_cache.h: identifiers and links that are known to be in the database. A cached entry is never wrong, only behind:
 * first_seen can only fall, and a profile that moved meanwhile is corrected by the identity change that moved it.
 * Two generations bound the memory: when the young one is full, the old one is dropped and the young one becomes old. */
#ifndef TUTTI_RESOLVER_CACHE_H
#define TUTTI_RESOLVER_CACHE_H

#include "common/base/id.h"
#include "common/base/instant.h"
#include "common/base/map.h"

struct cached_identifier {
    struct id profile_id;
    struct instant first_seen;
    int64_t version;
};

struct link_key {
    struct id a, b; /* a < b */
};

struct cached_link {
    struct instant first_seen;
    struct id evidence;
};

struct two_maps {
    struct map young, old;
    size_t limit; /* entries of the young one */
};

struct resolver_cache {
    struct two_maps identifiers, links;
};

void resolver_cache_open(struct resolver_cache *cache, size_t bytes);
void resolver_cache_close(struct resolver_cache *cache);
size_t resolver_cache_bytes(const struct resolver_cache *cache);

const struct cached_identifier *resolver_cache_identifier(struct resolver_cache *cache, const struct id *id);
const struct cached_link *resolver_cache_link(struct resolver_cache *cache, const struct link_key *key);
void resolver_cache_put_identifier(struct resolver_cache *cache, const struct id *id, const struct cached_identifier *entry);
void resolver_cache_put_link(struct resolver_cache *cache, const struct link_key *key, const struct cached_link *entry);

static inline struct link_key link_key_of(const struct id *x, const struct id *y)
{
    return id_compare(x, y) < 0 ? (struct link_key){*x, *y} : (struct link_key){*y, *x};
}

#endif
