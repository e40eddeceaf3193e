/* journey_cache.c: when the young maps are full they become the old ones, and the old ones go. A
 * hit in an old map moves the entry to the young one. */
#include "services/journey-tracker/journey_cache.h"

#include <stdlib.h>

enum { ANCHOR_BYTES = 64 };

void journey_cache_open(struct journey_cache *cache, size_t bytes)
{
    *cache = (struct journey_cache){.anchor_limit = bytes / 8 / ANCHOR_BYTES,
                                    .state_bytes_limit = bytes / 3};
    map_init(&cache->anchors, NULL, sizeof(int64_t), sizeof(struct cached_anchor));
    map_init(&cache->old_anchors, NULL, sizeof(int64_t), sizeof(struct cached_anchor));
    map_init(&cache->states, NULL, sizeof(int64_t), sizeof(struct cached_state));
    map_init(&cache->old_states, NULL, sizeof(int64_t), sizeof(struct cached_state));
}

static void free_payloads(struct map *states)
{
    struct cached_state *state;
    for (size_t i = 0; (state = map_next(states, &i, NULL));)
        free(state->payload);
    map_clear(states);
}

void journey_cache_close(struct journey_cache *cache)
{
    free_payloads(&cache->states);
    free_payloads(&cache->old_states);
    map_free(&cache->states);
    map_free(&cache->old_states);
    map_free(&cache->anchors);
    map_free(&cache->old_anchors);
}

size_t journey_cache_bytes(const struct journey_cache *cache)
{
    return cache->state_bytes + cache->old_state_bytes + map_bytes(&cache->anchors) +
           map_bytes(&cache->old_anchors) + map_bytes(&cache->states) +
           map_bytes(&cache->old_states);
}

static void swap_maps(struct map *a, struct map *b)
{
    struct map t = *a;
    *a = *b;
    *b = t;
}

void journey_cache_prefetch_anchor(const struct journey_cache *cache, int64_t anchor)
{
    map_prefetch(&cache->anchors, &anchor);
}

void journey_cache_prefetch_state(const struct journey_cache *cache, int64_t profile)
{
    map_prefetch(&cache->states, &profile);
}

const struct cached_anchor *journey_cache_anchor(struct journey_cache *cache, int64_t anchor)
{
    const struct cached_anchor *hit = map_find(&cache->anchors, &anchor);
    if (hit)
        return hit;
    hit = map_find(&cache->old_anchors, &anchor);
    if (hit == NULL)
        return NULL;
    struct cached_anchor copy = *hit;
    journey_cache_put_anchor(cache, anchor, &copy);
    return map_find(&cache->anchors, &anchor);
}

void journey_cache_put_anchor(struct journey_cache *cache, int64_t anchor,
                              const struct cached_anchor *entry)
{
    if (cache->anchors.count >= cache->anchor_limit) {
        swap_maps(&cache->anchors, &cache->old_anchors);
        map_clear(&cache->anchors);
    }
    *(struct cached_anchor *)map_put(&cache->anchors, &anchor, NULL) = *entry;
}

static void age_states(struct journey_cache *cache)
{
    free_payloads(&cache->old_states);
    swap_maps(&cache->states, &cache->old_states);
    cache->old_state_bytes = cache->state_bytes;
    cache->state_bytes = 0;
}

void journey_cache_put_state(struct journey_cache *cache, int64_t profile, int64_t ver,
                             int64_t members, const struct touch_key *last, struct span payload)
{
    if (cache->state_bytes + payload.len > cache->state_bytes_limit)
        age_states(cache);
    bool inserted;
    struct cached_state *state = map_put(&cache->states, &profile, &inserted);
    cache->state_bytes += payload.len - state->payload_len;
    if (inserted || payload.len > state->payload_len) {
        free(state->payload);
        state->payload = malloc(payload.len + 1);
        if (state->payload == NULL)
            abort();
    }
    memcpy(state->payload, payload.ptr, payload.len);
    state->payload_len = (uint32_t)payload.len;
    state->ver = ver;
    state->members = members;
    state->last = *last;
}

const struct cached_state *journey_cache_state(struct journey_cache *cache, int64_t profile)
{
    const struct cached_state *hit = map_find(&cache->states, &profile);
    if (hit)
        return hit;
    hit = map_find(&cache->old_states, &profile);
    if (hit == NULL)
        return NULL;
    /* Taken out with its payload: making room frees everything that is still old. */
    struct cached_state moved = *hit;
    map_remove(&cache->old_states, &profile);
    cache->old_state_bytes -= moved.payload_len;
    if (cache->state_bytes + moved.payload_len > cache->state_bytes_limit)
        age_states(cache);
    cache->state_bytes += moved.payload_len;
    struct cached_state *state = map_put(&cache->states, &profile, NULL);
    *state = moved;
    return state;
}

void journey_cache_drop_anchor(struct journey_cache *cache, int64_t anchor)
{
    map_remove(&cache->anchors, &anchor);
    map_remove(&cache->old_anchors, &anchor);
}

static void drop_from(struct map *states, size_t *bytes, int64_t profile)
{
    struct cached_state *state = map_find(states, &profile);
    if (state == NULL)
        return;
    *bytes -= state->payload_len;
    free(state->payload);
    map_remove(states, &profile);
}

void journey_cache_drop_state(struct journey_cache *cache, int64_t profile)
{
    drop_from(&cache->states, &cache->state_bytes, profile);
    drop_from(&cache->old_states, &cache->old_state_bytes, profile);
}
