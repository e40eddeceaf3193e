/* resolver_cache.h: identifiers and links that are known to be in the database.
 *
 * A cached entry is never wrong, only behind: first_seen can only fall, and a profile that moved
 * meanwhile is corrected by the identity change that moved it. Memory is bounded. Tables of sets of
 * sixteen grow until the bound; then each set forgets its least used entry.
 *
 * A slot keeps 8 bytes of its key, the two halves folded into one; its place tells a little more. A
 * look-up meets the entry of another key with a chance of at most 2^-60. Ids are keyed hashes, so
 * an outsider cannot look for such pairs (docs/decisions/0025-half-keys.md). */
#ifndef TUTTI_RESOLVER_CACHE_H
#define TUTTI_RESOLVER_CACHE_H

#include "common/base/id.h"
#include "common/base/instant.h"

struct cached_identifier {
    struct id profile_id;
    struct instant first_seen;
    int64_t version;
};

struct link_key {
    struct id a, b; /* a < b */
};

/* Kept under 128 bits of both (keyed) ids, with half of its evidence: evidence decides only among
 * events of the same microsecond. */
struct cached_link {
    struct instant first_seen;
    uint64_t is_indirect : 1, evidence : 63; /* evidence_half */
};

static inline uint64_t evidence_half(const struct id *event_id)
{
    return id_half(event_id, 0) >> 1;
}

/* Keys are ids: their bits are as good as random. */
struct id_table {
    uint8_t
        *tags;   /* a byte per slot: 0 free, else used, 0 to 3 recent uses, and 5 bits of the key */
    char *slots; /* 8 bytes of the key, then the value */
    size_t slot_size, sets, count;
    size_t first_sets, most_sets; /* it grows from first to most by doubling */
};

struct resolver_cache {
    struct id_table identifiers, links;
    struct id_table found_by; /* hash -> id, after an exchange of keys; else empty */
    size_t bytes;
};

/* Room for as many links as identifiers; 0 bytes: for nothing. */
void resolver_cache_open(struct resolver_cache *cache, size_t bytes);
/* Makes room for as many hashes, in the same memory. The first call empties the cache. */
void resolver_cache_hold_hashes(struct resolver_cache *cache);
void resolver_cache_close(struct resolver_cache *cache);
size_t resolver_cache_bytes(const struct resolver_cache *cache);
/* Identifiers held. */
size_t resolver_cache_count(const struct resolver_cache *cache);

/* NULL if unknown. Valid until the next put. */
const struct cached_identifier *resolver_cache_identifier(struct resolver_cache *cache,
                                                          const struct id *id);
const struct cached_link *resolver_cache_link(struct resolver_cache *cache,
                                              const struct link_key *key);
/* The id of the value with that hash. */
const struct id *resolver_cache_found_by(struct resolver_cache *cache, const struct id *hash);
void resolver_cache_put_found_by(struct resolver_cache *cache, const struct id *hash,
                                 const struct id *identifier_id);
void resolver_cache_put_identifier(struct resolver_cache *cache, const struct id *id,
                                   const struct cached_identifier *entry);
void resolver_cache_drop_identifier(struct resolver_cache *cache, const struct id *id);
void resolver_cache_put_link(struct resolver_cache *cache, const struct link_key *key,
                             const struct cached_link *entry);

static inline struct link_key link_key_of(const struct id *x, const struct id *y)
{
    return id_compare(x, y) < 0 ? (struct link_key){*x, *y} : (struct link_key){*y, *x};
}

#endif
