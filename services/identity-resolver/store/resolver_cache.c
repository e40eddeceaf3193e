/* resolver_cache.c: three tables of sixteen-way sets, keyed by half of an id. */
#include "services/identity-resolver/store/resolver_cache.h"

#include <stdlib.h>

enum {
    WAYS = 16,
    FIRST_SETS = 64,
    MOST_DOUBLINGS = 5,
    USED = 0x80,
    USES = 0x60,
    ONE_USE = 0x20,
    KEY_BITS = 0x1f
};

/* ---- one table ---- */
/* Where a key belongs, and the part of it that is kept. */
struct place {
    size_t set; /* its first slot */
    uint64_t rest;
    uint8_t tag;
};

static char *slot_at(const struct id_table *table, size_t i)
{
    return table->slots + i * table->slot_size;
}

static uint64_t rest_at(const struct id_table *table, size_t i)
{
    uint64_t rest;
    memcpy(&rest, slot_at(table, i), sizeof rest);
    return rest;
}

/* The high bits choose the set, so that growing keeps neighbours together. Both halves of the key
 * are folded into one and kept; five bits of it become the tag. Their place holds the bits that
 * will choose among the sets into which this one grows. */
static struct place place_of(const struct id_table *table, const struct id *key)
{
    uint64_t first = id_half(key, 0), folded = first ^ id_half(key, 1),
             within = first * table->first_sets;
    return (struct place){.set = (size_t)(((unsigned __int128)first * table->sets) >> 64) * WAYS,
                          .rest = within >> (64 - MOST_DOUBLINGS) << (64 - MOST_DOUBLINGS) |
                                  folded >> MOST_DOUBLINGS,
                          .tag = (uint8_t)(USED | (folded & KEY_BITS))};
}

/* Looks at eight tags at once: the high bit of each byte that may be this tag. A byte above a match
 * can be wrong; the keys decide. */
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
    struct place place = place_of(table, key);
    for (size_t half = place.set; half < place.set + WAYS; half += 8)
        for (uint64_t left = likely(table->tags + half, place.tag); left; left &= left - 1) {
            size_t i = half + (size_t)(__builtin_ctzll(left) >> 3);
            if (rest_at(table, i) != place.rest || (table->tags[i] & ~USES) != place.tag)
                continue;
            if ((table->tags[i] & USES) != USES)
                table->tags[i] += ONE_USE;
            return slot_at(table, i) + sizeof place.rest;
        }
    return NULL;
}

/* A free slot of the set, or the slot that was used least. The others age by its uses. */
static size_t victim(struct id_table *table, const struct place *place)
{
    size_t set = place->set, start = place->rest & (WAYS - 1), least = set + start;
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

static void *insert(struct id_table *table, const struct place *place)
{
    size_t i = victim(table, place);
    table->count += table->tags[i] == 0;
    table->tags[i] = place->tag | ONE_USE;
    memcpy(slot_at(table, i), &place->rest, sizeof place->rest);
    return slot_at(table, i) + sizeof place->rest;
}

static void table_open(struct id_table *table, size_t value_size, size_t most_sets)
{
    int doublings = 0;
    while (most_sets >> doublings > FIRST_SETS && doublings < MOST_DOUBLINGS)
        doublings++;
    size_t first_sets = most_sets >> doublings;
    *table = (struct id_table){.slot_size = sizeof(uint64_t) + value_size,
                               .first_sets = first_sets,
                               .most_sets = first_sets << doublings};
}

static void table_close(struct id_table *table)
{
    free(table->tags);
    free(table->slots);
    *table = (struct id_table){0};
}

/* Every set becomes two. The next of the bits that were kept for this says which one. */
static void move_slots(struct id_table *table, const struct id_table *old)
{
    int shift = 63 - __builtin_ctzll(old->sets / old->first_sets);
    for (size_t i = 0; i < old->sets * WAYS; i++) {
        if (old->tags[i] == 0)
            continue;
        uint64_t rest = rest_at(old, i);
        struct place place = {(2 * (i / WAYS) + (rest >> shift & 1)) * WAYS, rest,
                              old->tags[i] & (uint8_t)~USES};
        memcpy(insert(table, &place), slot_at(old, i) + sizeof rest,
               table->slot_size - sizeof rest);
    }
}

static void grow(struct id_table *table)
{
    struct id_table old = *table;
    table->sets = old.sets ? old.sets * 2 : old.first_sets;
    table->count = 0;
    table->tags = calloc(table->sets, WAYS);
    table->slots = malloc(table->sets * WAYS * table->slot_size);
    if (table->tags == NULL || table->slots == NULL)
        abort();
    if (old.sets)
        move_slots(table, &old);
    table_close(&old);
}

static bool is_full(const struct id_table *table, size_t set)
{
    for (size_t i = set; i < set + WAYS; i++)
        if (table->tags[i] == 0)
            return false;
    return true;
}

/* Below the bound nothing should be forgotten. A set is rarely full before half of the table is. */
static bool must_grow(const struct id_table *table, const struct id *key)
{
    size_t slots = table->sets * WAYS;
    if (table->sets == table->most_sets)
        return false;
    return table->count * 2 >= slots ||
           (table->count * 4 >= slots && is_full(table, place_of(table, key).set));
}

/* NULL if the table holds nothing. */
static void *put(struct id_table *table, const struct id *key)
{
    void *value = find(table, key);
    if (value)
        return value;
    if (must_grow(table, key))
        grow(table);
    if (table->sets == 0)
        return NULL;
    struct place place = place_of(table, key);
    return insert(table, &place);
}

static size_t table_bytes(const struct id_table *table)
{
    return table->sets * WAYS * (table->slot_size + 1);
}

/* ---- the cache ---- */
static void open_tables(struct resolver_cache *cache, bool holds_hashes)
{
    enum { ENTRY = 1 + sizeof(uint64_t) };
    size_t slots = ENTRY + sizeof(struct cached_identifier) + ENTRY + sizeof(struct cached_link);
    if (holds_hashes)
        slots += ENTRY + sizeof(struct id);
    size_t most_sets = cache->bytes / (WAYS * slots);
    table_open(&cache->identifiers, sizeof(struct cached_identifier), most_sets);
    table_open(&cache->links, sizeof(struct cached_link), most_sets);
    table_open(&cache->found_by, sizeof(struct id), holds_hashes ? most_sets : 0);
}

void resolver_cache_open(struct resolver_cache *cache, size_t bytes)
{
    *cache = (struct resolver_cache){.bytes = bytes};
    open_tables(cache, false);
}

void resolver_cache_hold_hashes(struct resolver_cache *cache)
{
    if (cache->found_by.most_sets > 0)
        return;
    resolver_cache_close(cache);
    open_tables(cache, true);
}

void resolver_cache_close(struct resolver_cache *cache)
{
    table_close(&cache->identifiers);
    table_close(&cache->links);
    table_close(&cache->found_by);
}

size_t resolver_cache_bytes(const struct resolver_cache *cache)
{
    return table_bytes(&cache->identifiers) + table_bytes(&cache->links) +
           table_bytes(&cache->found_by);
}

size_t resolver_cache_count(const struct resolver_cache *cache)
{
    return cache->identifiers.count;
}

const struct cached_identifier *resolver_cache_identifier(struct resolver_cache *cache,
                                                          const struct id *id)
{
    return find(&cache->identifiers, id);
}

void resolver_cache_put_identifier(struct resolver_cache *cache, const struct id *id,
                                   const struct cached_identifier *entry)
{
    struct cached_identifier *held = put(&cache->identifiers, id);
    if (held)
        *held = *entry;
}

const struct id *resolver_cache_found_by(struct resolver_cache *cache, const struct id *hash)
{
    return find(&cache->found_by, hash);
}

void resolver_cache_put_found_by(struct resolver_cache *cache, const struct id *hash,
                                 const struct id *identifier_id)
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
    cache->identifiers
        .tags[(size_t)(held - cache->identifiers.slots) / cache->identifiers.slot_size] = 0;
    cache->identifiers.count--;
}

static uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

/* Ids are keyed hashes, so an outsider cannot choose two pairs that meet here. */
static struct id link_id(const struct link_key *key)
{
    uint64_t halves[2] = {id_half(&key->a, 0) ^ rotate(id_half(&key->b, 0), 21),
                          id_half(&key->a, 1) ^ rotate(id_half(&key->b, 1), 43)};
    struct id id;
    memcpy(id.bytes, halves, sizeof id.bytes);
    return id;
}

const struct cached_link *resolver_cache_link(struct resolver_cache *cache,
                                              const struct link_key *key)
{
    struct id id = link_id(key);
    return find(&cache->links, &id);
}

void resolver_cache_put_link(struct resolver_cache *cache, const struct link_key *key,
                             const struct cached_link *entry)
{
    struct id id = link_id(key);
    struct cached_link *held = put(&cache->links, &id);
    if (held)
        *held = *entry;
}
