/* resolver_cache.c: see resolver_cache.h. */
#include "services/identity-resolver/resolver_cache.h"

#include <stdlib.h>

enum { WAYS = 16, FIRST_SETS = 64, USED = 0x80, USES = 0x60, ONE_USE = 0x20, KEY_BITS = 0x1f };

/* ---- one table ---- */
static char *slot_at(const struct id_table *table, size_t i)
{
    return table->slots + i * table->slot_size;
}

/* The high bits choose the set, so that growing keeps neighbours together; others are the tag. */
static size_t set_of(const struct id_table *table, const struct id *key)
{
    return (size_t)(((unsigned __int128)id_half(key, 0) * table->sets) >> 64) * WAYS;
}

static uint8_t tag_of(const struct id *key)
{
    return (uint8_t)(USED | (id_half(key, 1) & KEY_BITS));
}

/* Eight tags at once: the high bit of each byte that may be this tag (a byte above a match can be wrong: keys decide). */
static uint64_t likely(const uint8_t *tags, uint8_t tag)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word;
    memcpy(&word, tags, sizeof word);
    word = (word & ~(ones * USES)) ^ (ones * tag);
    return (word - ones) & ~word & (ones * USED);
}

static void *find(const struct id_table *table, const struct id *key)
{
    if (table->sets == 0)
        return NULL;
    size_t set = set_of(table, key);
    uint8_t tag = tag_of(key);
    for (size_t half = set; half < set + WAYS; half += 8)
        for (uint64_t left = likely(table->tags + half, tag); left; left &= left - 1) {
            size_t i = half + (size_t)(__builtin_ctzll(left) >> 3);
            if (!id_equal((const struct id *)slot_at(table, i), key))
                continue;
            if ((table->tags[i] & USES) != USES)
                table->tags[i] += ONE_USE;
            return slot_at(table, i) + sizeof *key;
        }
    return NULL;
}

/* A free slot of the set, or the one that was used least; the others age by as much. */
static size_t victim(struct id_table *table, size_t set, const struct id *key)
{
    size_t start = id_half(key, 1) >> 8 & (WAYS - 1), least = set + start;
    for (size_t i = set; i < set + WAYS; i++)
        if (table->tags[i] == 0)
            return i;
    for (size_t i = 1; i < WAYS; i++) {
        size_t at = set + ((start + i) & (WAYS - 1));
        if ((table->tags[at] & USES) < (table->tags[least] & USES))
            least = at;
    }
    uint8_t age = table->tags[least] & USES;
    for (size_t i = set; age && i < set + WAYS; i++)
        table->tags[i] = (uint8_t)(table->tags[i] - age);
    return least;
}

static void *insert(struct id_table *table, const struct id *key)
{
    size_t i = victim(table, set_of(table, key), key);
    table->count += table->tags[i] == 0;
    table->tags[i] = tag_of(key) | ONE_USE;
    memcpy(slot_at(table, i), key, sizeof *key);
    return slot_at(table, i) + sizeof *key;
}

static void table_close(struct id_table *table)
{
    free(table->tags);
    free(table->slots);
    *table = (struct id_table){0};
}

static void grow(struct id_table *table)
{
    struct id_table old = *table;
    size_t sets = old.sets ? old.sets * 2 : FIRST_SETS;
    table->sets = sets < old.most_sets ? sets : old.most_sets;
    table->count = 0;
    table->tags = calloc(table->sets, WAYS);
    table->slots = malloc(table->sets * WAYS * table->slot_size);
    if (table->tags == NULL || table->slots == NULL)
        abort();
    for (size_t i = 0; old.slots && i < old.sets * WAYS; i++)
        if (old.tags[i]) {
            const char *slot = slot_at(&old, i);
            memcpy(insert(table, (const struct id *)slot), slot + sizeof(struct id), table->slot_size - sizeof(struct id));
        }
    table_close(&old);
}

static bool is_full(const struct id_table *table, size_t set)
{
    for (size_t i = set; i < set + WAYS; i++)
        if (table->tags[i] == 0)
            return false;
    return true;
}

/* Below the bound nothing should be forgotten: a set that is full before half of the table is, is rare. */
static bool must_grow(const struct id_table *table, const struct id *key)
{
    size_t slots = table->sets * WAYS;
    if (table->sets == table->most_sets)
        return false;
    return table->count * 2 >= slots || (table->count * 4 >= slots && is_full(table, set_of(table, key)));
}

/* NULL where nothing can be held. */
static void *put(struct id_table *table, const struct id *key)
{
    void *value = find(table, key);
    if (value)
        return value;
    if (must_grow(table, key))
        grow(table);
    return table->sets ? insert(table, key) : NULL;
}

static size_t table_bytes(const struct id_table *table)
{
    return table->sets * WAYS * (table->slot_size + 1);
}

/* ---- the cache ---- */
void resolver_cache_open(struct resolver_cache *cache, size_t bytes)
{
    *cache = (struct resolver_cache){.identifiers.slot_size = sizeof(struct id) + sizeof(struct cached_identifier),
                                     .links.slot_size = sizeof(struct id) + sizeof(struct cached_link),
                                     .found_by.slot_size = 2 * sizeof(struct id),
                                     .bytes = bytes};
    size_t set_bytes = WAYS * (cache->identifiers.slot_size + cache->links.slot_size + 2);
    cache->identifiers.most_sets = cache->links.most_sets = bytes / set_bytes;
}

static void limit(struct id_table *table, size_t most_sets)
{
    size_t slot_size = table->slot_size;
    if (table->sets > most_sets)
        table_close(table);
    table->slot_size = slot_size;
    table->most_sets = most_sets;
}

void resolver_cache_hold_hashes(struct resolver_cache *cache)
{
    size_t slots = cache->identifiers.slot_size + cache->links.slot_size + cache->found_by.slot_size + 3;
    size_t most_sets = cache->bytes / (WAYS * slots);
    if (cache->found_by.most_sets == most_sets)
        return;
    limit(&cache->identifiers, most_sets);
    limit(&cache->links, most_sets);
    limit(&cache->found_by, most_sets);
}

void resolver_cache_close(struct resolver_cache *cache)
{
    table_close(&cache->identifiers);
    table_close(&cache->links);
    table_close(&cache->found_by);
}

size_t resolver_cache_bytes(const struct resolver_cache *cache)
{
    return table_bytes(&cache->identifiers) + table_bytes(&cache->links) + table_bytes(&cache->found_by);
}

size_t resolver_cache_count(const struct resolver_cache *cache)
{
    return cache->identifiers.count;
}

const struct cached_identifier *resolver_cache_identifier(struct resolver_cache *cache, const struct id *id)
{
    return find(&cache->identifiers, id);
}

void resolver_cache_put_identifier(struct resolver_cache *cache, const struct id *id, const struct cached_identifier *entry)
{
    struct cached_identifier *held = put(&cache->identifiers, id);
    if (held)
        *held = *entry;
}

const struct id *resolver_cache_found_by(struct resolver_cache *cache, const struct id *hash)
{
    return find(&cache->found_by, hash);
}

void resolver_cache_put_found_by(struct resolver_cache *cache, const struct id *hash, const struct id *identifier_id)
{
    struct id *held = put(&cache->found_by, hash);
    if (held)
        *held = *identifier_id;
}

void resolver_cache_drop_identifier(struct resolver_cache *cache, const struct id *id)
{
    char *held = find(&cache->identifiers, id);
    if (held == NULL)
        return;
    cache->identifiers.tags[(size_t)(held - cache->identifiers.slots) / cache->identifiers.slot_size] = 0;
    cache->identifiers.count--;
}

static uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

/* Ids are keyed hashes: nobody outside can choose two pairs that meet here. */
static struct id link_id(const struct link_key *key)
{
    uint64_t halves[2] = {id_half(&key->a, 0) ^ rotate(id_half(&key->b, 0), 21),
                          id_half(&key->a, 1) ^ rotate(id_half(&key->b, 1), 43)};
    struct id id;
    memcpy(id.bytes, halves, sizeof id.bytes);
    return id;
}

const struct cached_link *resolver_cache_link(struct resolver_cache *cache, const struct link_key *key)
{
    struct id id = link_id(key);
    return find(&cache->links, &id);
}

void resolver_cache_put_link(struct resolver_cache *cache, const struct link_key *key, struct instant first_seen,
                             const struct id *evidence)
{
    struct id id = link_id(key);
    struct cached_link *held = put(&cache->links, &id);
    if (held)
        *held = (struct cached_link){first_seen, id_half(evidence, 0)};
}
