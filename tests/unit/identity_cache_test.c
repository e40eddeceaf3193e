/* identity_cache_test.c: an entry is found until the bound, used entries outlive unused ones, no
 * entry is another's, and what an identifier costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "services/identity-resolver/store/resolver_cache.h"
#include "tests/support/random.h"

enum {
    MANY = 20000,
    BOUND = 1 << 20,
    USED = 100,
    MOST_BYTES = 100 /* for an identifier, a link, and a hash that leads to it */
};

static struct id id_of(uint64_t i)
{
    struct random random = {i};
    uint64_t halves[2] = {random_next(&random), random_next(&random)};
    struct id id;
    memcpy(id.bytes, halves, sizeof id.bytes);
    return id;
}

static void put(struct resolver_cache *cache, uint64_t i)
{
    struct id id = id_of(i), other = id_of(i + 1);
    struct link_key key = link_key_of(&id, &other);
    struct cached_identifier entry = {other, {(int64_t)i}, (int64_t)i * 2};
    resolver_cache_put_identifier(cache, &id, &entry);
    struct cached_link link = {{(int64_t)i}, i & 1, evidence_half(&id)};
    resolver_cache_put_link(cache, &key, &link);
}

/* 0: unknown; fails on another's entry. */
static int found(struct resolver_cache *cache, uint64_t i)
{
    struct id id = id_of(i), other = id_of(i + 1);
    struct link_key key = link_key_of(&other, &id);
    const struct cached_identifier *entry = resolver_cache_identifier(cache, &id);
    const struct cached_link *link = resolver_cache_link(cache, &key);
    if (entry)
        assert_true(id_equal(&entry->profile_id, &other) && entry->first_seen.us == (int64_t)i &&
                    entry->version == (int64_t)i * 2);
    if (link)
        assert_true(link->first_seen.us == (int64_t)i && link->is_indirect == (i & 1) &&
                    link->evidence == evidence_half(&id));
    return (entry != NULL) + (link != NULL);
}

static void nothing_is_forgotten_below_the_bound(void **state)
{
    struct resolver_cache cache;
    resolver_cache_open(&cache, 4 << 20); /* all doublings, up to the last */
    for (uint64_t i = 0; i < MANY; i++)
        put(&cache, i);
    assert_true(resolver_cache_bytes(&cache) > (4 << 20) * 9 / 10);
    for (uint64_t i = 0; i < MANY; i++)
        assert_int_equal(found(&cache, i), 2);
    assert_int_equal(found(&cache, MANY), 0);
    assert_int_equal(resolver_cache_count(&cache), MANY);
    resolver_cache_close(&cache);
}

static void the_bound_holds_and_what_is_used_stays(void **state)
{
    struct resolver_cache cache;
    size_t kept = 0;
    resolver_cache_open(&cache, BOUND);
    for (uint64_t i = 0; i < 10 * MANY; i++) {
        put(&cache, i);
        found(&cache, i % USED);
    }
    assert_true(resolver_cache_bytes(&cache) <= BOUND);
    for (uint64_t i = 0; i < USED; i++)
        kept += found(&cache, i) > 0;
    assert_true(resolver_cache_count(&cache) * MOST_BYTES > BOUND);
    assert_true(kept >= USED * 9 / 10);
    resolver_cache_close(&cache);
}

static struct id flipped(const struct id *id, int bit)
{
    struct id out = *id;
    out.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
    return out;
}

/* Also where keys differ little. */
static void an_entry_is_found_by_its_own_key_alone(void **state)
{
    struct resolver_cache cache;
    struct id id = id_of(1);
    resolver_cache_open(&cache, BOUND);
    resolver_cache_put_identifier(&cache, &id, &(struct cached_identifier){.version = 1});
    assert_non_null(resolver_cache_identifier(&cache, &id));
    for (int bit = 0; bit < 128; bit++) {
        struct id other = flipped(&id, bit);
        assert_null(resolver_cache_identifier(&cache, &other));
    }
    resolver_cache_close(&cache);
}

/* Tags are compared eight at a time: a match makes the next one look like one, too. */
static void a_tag_is_not_taken_for_the_next(void **state)
{
    struct resolver_cache cache;
    static const struct cached_identifier entry;
    struct id id = id_of(1), same_tag = flipped(&id, 64), next_tag = flipped(&id, 127);
    resolver_cache_open(&cache, BOUND);
    resolver_cache_put_identifier(&cache, &same_tag, &entry);
    resolver_cache_put_identifier(&cache, &next_tag, &entry);
    assert_null(resolver_cache_identifier(&cache, &id));
    assert_int_equal(resolver_cache_count(&cache), 2);
    resolver_cache_close(&cache);
}

static void a_later_put_replaces(void **state)
{
    struct resolver_cache cache;
    struct id id = id_of(1);
    resolver_cache_open(&cache, BOUND);
    for (int64_t version = 0; version < 5; version++)
        resolver_cache_put_identifier(&cache, &id, &(struct cached_identifier){.version = version});
    assert_int_equal(resolver_cache_identifier(&cache, &id)->version, 4);
    assert_int_equal(resolver_cache_count(&cache), 1);
    resolver_cache_close(&cache);
}

static void put_hash(struct resolver_cache *cache, uint64_t i)
{
    struct id hash = id_of(i), id = id_of(i + MANY);
    resolver_cache_put_found_by(cache, &hash, &id);
}

/* From then on three tables share the bound, and nothing is wrong. */
static void hashes_share_the_bound(void **state)
{
    struct resolver_cache cache;
    struct id first = id_of(1);
    resolver_cache_open(&cache, BOUND);
    put_hash(&cache, 1);
    assert_null(resolver_cache_found_by(&cache, &first));
    for (uint64_t i = 0; i < 10 * MANY; i++)
        put(&cache, i);
    resolver_cache_hold_hashes(&cache);
    assert_int_equal(resolver_cache_bytes(&cache), 0);
    size_t kept = 0, links = 0;
    for (uint64_t i = 0; i < 10 * MANY; i++) {
        put(&cache, i);
        put_hash(&cache, i);
        if (i == USED)
            resolver_cache_hold_hashes(&cache); /* again: nothing is lost */
    }
    assert_true(resolver_cache_bytes(&cache) <= BOUND);
    for (uint64_t i = 0; i < 10 * MANY; i++) {
        struct id hash = id_of(i), id = id_of(i + MANY);
        const struct id *held = resolver_cache_found_by(&cache, &hash);
        kept += held != NULL;
        links += (size_t)found(&cache, i);
        assert_true(held == NULL || id_equal(held, &id));
    }
    links -= resolver_cache_count(&cache);
    assert_true(kept * MOST_BYTES > BOUND && links * MOST_BYTES > BOUND);
    assert_true(resolver_cache_count(&cache) * MOST_BYTES > BOUND);
    resolver_cache_close(&cache);
}

static void no_bytes_hold_nothing(void **state)
{
    struct resolver_cache cache;
    resolver_cache_open(&cache, 0);
    put(&cache, 1);
    assert_int_equal(found(&cache, 1), 0);
    resolver_cache_hold_hashes(&cache);
    put_hash(&cache, 1);
    assert_int_equal(resolver_cache_bytes(&cache), 0);
    resolver_cache_close(&cache);
}

static void what_is_dropped_is_unknown(void **state)
{
    struct resolver_cache cache;
    resolver_cache_open(&cache, BOUND);
    for (uint64_t i = 1; i <= USED; i++)
        put(&cache, i);
    struct id gone = id_of(7), never = id_of(MANY);
    resolver_cache_drop_identifier(&cache, &gone);
    resolver_cache_drop_identifier(&cache, &never);
    assert_null(resolver_cache_identifier(&cache, &gone));
    assert_int_equal(resolver_cache_count(&cache), USED - 1);
    for (uint64_t i = 1; i <= USED; i++)
        /* its links cannot be found by one end */
        assert_int_equal(found(&cache, i), i == 7 ? 1 : 2);
    put(&cache, 7);
    assert_int_equal(resolver_cache_count(&cache), USED);
    resolver_cache_close(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_forgotten_below_the_bound),
        cmocka_unit_test(the_bound_holds_and_what_is_used_stays),
        cmocka_unit_test(an_entry_is_found_by_its_own_key_alone),
        cmocka_unit_test(a_tag_is_not_taken_for_the_next),
        cmocka_unit_test(a_later_put_replaces),
        cmocka_unit_test(hashes_share_the_bound),
        cmocka_unit_test(what_is_dropped_is_unknown),
        cmocka_unit_test(no_bytes_hold_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
