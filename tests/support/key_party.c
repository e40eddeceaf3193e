/* key_party.c: see key_party.h. */
#include "tests/support/key_party.h"

#include "services/identity-resolver/policy/identity_policy.h"
#include "services/identity-resolver/resolve/resolve.h"
#include "tests/support/database.h"

static const char policy_text[] =
    "{\"types\": [{\"type\": \"user_id\", \"rank\": 1}, {\"type\": \"email\", \"rank\": 2}, "
    "{\"type\": \"device_id\", \"rank\": 3}]}";
static const char *const type_names[] = {"user_id", "email", "device_id"};

static struct digest_key party_key(int number)
{
    return (struct digest_key){{'k', 'e', 'y', (uint8_t)('0' + number)}, 32};
}

/* NO_KEY: no second one. */
void party_give(struct party *party, int current, int previous)
{
    struct identity_keys *keys = &party->resolver.keys;
    const int given[] = {current, previous};
    *keys = (struct identity_keys){.needs_next = true};
    for (int i = 0; i < 2 && given[i] != NO_KEY; i++) {
        keys->given[i].key = party_key(given[i]);
        keys->given[i].fingerprint = digest_key_fingerprint(&keys->given[i].key);
        keys->given_count++;
    }
    keys->current = keys->given[0].key;
}

enum outcome party_start(struct party *party, int current, int previous, struct err *err)
{
    struct resolver *resolver = &party->resolver;
    struct arena own = {0};
    *err = (struct err){0};
    resolver_cache_close(&resolver->cache);
    resolver_cache_open(&resolver->cache, 1 << 20);
    party_give(party, current, previous);
    enum outcome outcome = resolver_claim_key(resolver, &own, err);
    if (outcome == OUTCOME_OK)
        outcome = resolver_claim_policy(resolver, &own, span_of(policy_text), err);
    arena_free(&own);
    return outcome;
}

/* ---- what identity-resolver does with a touchpoint ---- */
static size_t collect(struct party *party, struct touchpoint *tp)
{
    struct typed_id ids[TOUCHPOINT_MAX_IDENTIFIERS + 8];
    const struct identity_keys *keys = &party->resolver.keys;
    struct id_finder *finder = identity_keys_were_rotated(keys) ? &party->finder : NULL;
    size_t before = party->finder.unsure.count;
    party->sighting.id_count = identity_collect_values(&party->resolver.policy, &keys->current,
                                                       finder, tp, false, &party->arena, ids, NULL);
    struct typed_id *copy = arena_alloc(&party->arena, party->sighting.id_count * sizeof *copy);
    party->sighting.ids = memcpy(copy, ids, party->sighting.id_count * sizeof *copy);
    return party->finder.unsure.count - before;
}

static struct touchpoint *touchpoint_of(struct arena *where, const int *values, size_t count)
{
    struct touchpoint *tp = arena_new(where, struct touchpoint);
    for (size_t i = 0; i < count; i++)
        tp->identifiers[i] = (struct touchpoint_identifier){
            span_of(type_names[values[i] % 3]), span_of(arena_printf(where, "value-%d", values[i])),
            SPAN("none"), SPAN("users")};
    tp->identifier_count = (uint32_t)count;
    return tp;
}

/* Decoded, with all ids known; not stored yet. */
enum outcome party_decode(struct party *party, const int *values, size_t count, int64_t at,
                          struct err *own)
{
    size_t by_previous;
    arena_reset(&party->arena);
    id_finder_start(&party->finder, &party->resolver.keys, &party->resolver.cache, &party->arena);
    struct touchpoint *tp = touchpoint_of(&party->arena, values, count);
    party->sighting = (struct sighting){.occurred_at = {at}};
    memcpy(party->sighting.event_id.bytes, &at, sizeof at);
    if (collect(party, tp) == 0)
        return OUTCOME_OK;
    CHECK(resolver_find_ids(&party->resolver, &party->arena, &party->finder, &by_previous, own));
    return collect(party, tp) == 0 ? OUTCOME_OK : OUTCOME_FATAL;
}

enum outcome party_store(struct party *party, struct err *own)
{
    struct sightings batch = {&party->sighting, 1, 1};
    struct committed_change change;
    struct cached_identifier known[TOUCHPOINT_MAX_IDENTIFIERS + 8];
    if (resolver_is_covered(&party->resolver, &party->sighting, known))
        return OUTCOME_OK;
    CHECK(resolver_look_up(&party->resolver, &party->arena, &batch, own));
    if (resolver_is_covered(&party->resolver, &party->sighting, known))
        return OUTCOME_OK;
    return resolver_transact(&party->resolver, &party->arena, &batch, (struct instant){0}, &change,
                             own);
}

enum outcome party_see(struct party *party, const int *values, size_t count, int64_t at,
                       struct err *own)
{
    CHECK(resolver_follow_keys(&party->resolver, &party->arena, own));
    CHECK(party_decode(party, values, count, at, own));
    return party_store(party, own);
}

/* As the pipeline: the same touchpoint until it is done. */
void party_must_see(struct party *party, const int *values, size_t count, int64_t at)
{
    struct err own = {0};
    enum outcome outcome;
    while ((outcome = party_see(party, values, count, at, &own)) == OUTCOME_RETRY)
        database_wait(party->resolver.db);
    database_must(outcome, &own);
}

struct id party_hash(int key, int value)
{
    struct digest_key made = party_key(key);
    char text[32];
    snprintf(text, sizeof text, "value-%d", value);
    return digest_identifier(&made, span_of(type_names[value % 3]), span_of(text));
}

struct id party_fingerprint(int key)
{
    struct digest_key made = party_key(key);
    return digest_key_fingerprint(&made);
}

static void write_state(struct db *db, struct key_state to)
{
    struct arena arena = {0};
    struct key_state from;
    struct err own = {0};
    database_must(key_state_read(db, &arena, &from, &own), &own);
    database_must(key_state_write(db, &arena, &from, &to, &own), &own);
    arena_free(&arena);
}

void party_announce(struct db *db, int number)
{
    write_state(db, (struct key_state){.number = (int16_t)number,
                                       .current = party_fingerprint(number),
                                       .next = party_fingerprint(number + 1)});
}

void party_make_current(struct db *db, int number)
{
    write_state(db, (struct key_state){.number = (int16_t)number,
                                       .current = party_fingerprint(number),
                                       .previous = party_fingerprint(number - 1)});
}

void party_finish(struct db *db, int number)
{
    write_state(
        db, (struct key_state){.number = (int16_t)number, .current = party_fingerprint(number)});
}

void parties_set_up(struct db *db, struct party *parties, size_t count)
{
    static const char empty[] =
        "TRUNCATE identity.identifiers, identity.links, identity.aliases, identity.changes, "
        "identity.outbox, identity.settings, identity.found_by,"
        " identity.types, identity.manual_evidence, identity.policies, "
        "identity.erased RESTART IDENTITY";
    struct err err = {0};
    database_must(db_script(db, empty, &err), &err);
    for (size_t p = 0; p < count; p++)
        parties[p].resolver.active = (struct active_policy){0};
}

void parties_tear_down(struct party *parties, size_t count)
{
    for (size_t p = 0; p < count; p++) {
        resolver_close(&parties[p].resolver);
        parties[p].resolver.batch = (struct map){0};
        arena_free(&parties[p].arena);
    }
}
