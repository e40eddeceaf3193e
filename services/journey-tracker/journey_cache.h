/* journey_cache.h: anchors and states as they were last seen in the database. The cache is never
 * trusted alone: a fast write compares `ver`, and an anchor counts only while its `members` equals
 * that of its profile's state. Two generations bound the memory. */
#ifndef TUTTI_JOURNEY_CACHE_H
#define TUTTI_JOURNEY_CACHE_H

#include "services/journey-tracker/logic/journey.h"

struct cached_anchor {
    struct id profile_id;
    int64_t version; /* of the map row */
    int64_t members; /* of the profile's state when the row was seen */
};

struct cached_state {
    int64_t ver, members;
    struct touch_key last; /* newest fact in it */
    uint32_t payload_len;
    char *payload; /* packed state, on the heap */
};

struct journey_cache {
    struct map anchors, old_anchors; /* short key -> struct cached_anchor */
    struct map states, old_states;   /* short key -> struct cached_state */
    size_t anchor_limit, state_bytes_limit;
    size_t state_bytes, old_state_bytes;
};

void journey_cache_open(struct journey_cache *cache, size_t bytes);
void journey_cache_close(struct journey_cache *cache);
size_t journey_cache_bytes(const struct journey_cache *cache);

/* Asks for the memory of a look-up that is a few arrivals away. */
void journey_cache_prefetch_anchor(const struct journey_cache *cache, int64_t anchor);
void journey_cache_prefetch_state(const struct journey_cache *cache, int64_t profile);
/* The result of a look-up is valid only until the next call, which may make room. */
const struct cached_anchor *journey_cache_anchor(struct journey_cache *cache, int64_t anchor);
void journey_cache_put_anchor(struct journey_cache *cache, int64_t anchor,
                              const struct cached_anchor *entry);
const struct cached_state *journey_cache_state(struct journey_cache *cache, int64_t profile);
void journey_cache_put_state(struct journey_cache *cache, int64_t profile, int64_t ver,
                             int64_t members, const struct touch_key *last, struct span payload);
/* For an erased person: a later row under the same key is another one. */
void journey_cache_drop_anchor(struct journey_cache *cache, int64_t anchor);
void journey_cache_drop_state(struct journey_cache *cache, int64_t profile);

#endif
