/* resolve.c: what identity-resolver's steady state costs per touchpoint, without Kafka and
 * database: decode, collect and hash the identifiers, look them up, encode the resolved record.
 * Everything is cached, as for known customers. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/codec/avro/touchpoint_writer.h"
#include "common/codec/messages.h"
#include "common/codec/schema/embedded.h"
#include "data/generator.h"
#include "services/identity-resolver/policy/identity_policy.h"
#include "services/identity-resolver/resolve/resolve.h"

enum {
    EVENTS = 100000,
    PEOPLE = 10000,
    ROUNDS = 10,
    CACHE_BYTES = 256 << 20,
    FULL_BYTES = 16 << 20,
    BATCH = 20000
};

struct bench {
    struct arena arena, batch;
    struct resolver resolver;
    struct id_finder finder, *uses_finder; /* after an exchange of keys; NULL: there was none */
    struct avro_plan *plan;
    struct span *payloads;
    size_t count;
};

static void must(enum outcome outcome, const struct err *err)
{
    if (outcome == OUTCOME_OK)
        return;
    fprintf(stderr, "bench-resolve: %s\n", err->message);
    exit(1);
}

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void open_resolver(struct bench *b)
{
    struct err err = {0};
    b->resolver.keys.current = (struct digest_key){{'b', 'e', 'n', 'c', 'h'}, 32};
    must(identity_policy_read(&b->arena, TUTTI_SOURCE_DIR "/policies/identity.json",
                              &b->resolver.policy, &err),
         &err);
    must(avro_plan_compile(embedded_schema("touchpoint"), &b->plan, &err), &err);
    resolver_cache_open(&b->resolver.cache, CACHE_BYTES);
}

/* The touchpoints of the load test, in the order of their arrival. */
static void make_payloads(struct bench *b)
{
    struct err err = {0};
    struct generator *generator;
    struct generated item;
    struct strbuf value = {0};
    struct generator_options options = {GENERATOR_BENCH, PEOPLE, EVENTS, 1, 30, {0}};
    must(generator_open(&options, &generator, &err), &err);
    b->payloads = calloc(2 * EVENTS, sizeof *b->payloads);
    if (b->payloads == NULL)
        abort();
    while (generator_next(generator, &item)) {
        strbuf_reset(&value);
        touchpoint_write(&value, &item.touchpoint);
        b->payloads[b->count++] = arena_copy(&b->arena, strbuf_span(&value));
    }
    strbuf_free(&value);
    generator_close(generator);
}

static struct sighting decode(struct bench *b, size_t i,
                              struct typed_id ids[TOUCHPOINT_MAX_IDENTIFIERS + 8])
{
    struct err err = {0};
    struct touchpoint tp;
    must(avro_plan_decode(b->plan, b->payloads[i], &tp, &err), &err);
    struct sighting sighting = {.occurred_at = {tp.occurred_at}, .ids = ids};
    touchpoint_event_id(tp.source, tp.message_id, &sighting.event_id);
    sighting.id_count = identity_collect_values(&b->resolver.policy, &b->resolver.keys.current,
                                                b->uses_finder, &tp, false, &b->batch, ids, NULL);
    return sighting;
}

/* Everything is known since long ago. */
static void fill_cache(struct bench *b)
{
    struct typed_id ids[TOUCHPOINT_MAX_IDENTIFIERS + 8];
    static const struct cached_link long_ago = {.first_seen = {INT64_MIN}};
    for (size_t i = 0; i < b->count; i++) {
        struct sighting s = decode(b, i, ids);
        for (size_t j = 0; j < s.id_count; j++) {
            struct cached_identifier known = {ids[0].id, {INT64_MIN}, 1};
            resolver_cache_put_identifier(&b->resolver.cache, &ids[j].id, &known);
            for (size_t k = j + 1; k < identity_links_until(j, s.id_count); k++) {
                struct link_key key = link_key_of(&ids[j].id, &ids[k].id);
                resolver_cache_put_link(&b->resolver.cache, &key, &long_ago);
            }
        }
        arena_reset(&b->batch);
    }
}

/* One touchpoint from payload to resolved record; ends the program if it were not covered by the
 * cache. */
static void resolve(struct bench *b, size_t i, struct strbuf *out)
{
    struct typed_id ids[TOUCHPOINT_MAX_IDENTIFIERS + 8];
    struct sighting s = decode(b, i, ids);
    if (s.id_count == 0)
        return;
    struct resolved_other others[TOUCHPOINT_MAX_IDENTIFIERS + 8];
    struct cached_identifier known[TOUCHPOINT_MAX_IDENTIFIERS + 8];
    if (!resolver_is_covered(&b->resolver, &s, known)) {
        fprintf(stderr, "bench-resolve: touchpoint %zu is not covered by the cache\n", i);
        exit(1);
    }
    struct resolved_header head = {.event_id = s.event_id,
                                   .anchor_id = ids[0].id,
                                   .profile_id = known[0].profile_id,
                                   .map_version = known[0].version,
                                   .address_of = ids[0].type->address_of,
                                   .others = others,
                                   .other_count = (uint32_t)s.id_count - 1};
    for (size_t k = 1; k < s.id_count; k++)
        others[k - 1] = (struct resolved_other){ids[k].id, known[k].profile_id, known[k].version,
                                                ids[k].type->address_of};
    strbuf_reset(out);
    resolved_encode(out, 1, &head, b->payloads[i]);
}

static double round_of(struct bench *b, bool is_whole)
{
    struct strbuf out = {0};
    struct typed_id ids[TOUCHPOINT_MAX_IDENTIFIERS + 8];
    double start = now_ns();
    for (size_t i = 0; i < b->count; i++) {
        if (i % BATCH == 0)
            arena_reset(&b->batch);
        if (is_whole)
            resolve(b, i, &out);
        else
            decode(b, i, ids);
    }
    double took = now_ns() - start;
    strbuf_free(&out);
    return took / (double)b->count;
}

static void measure(struct bench *b, const char *name, bool is_whole)
{
    double best = 1e18;
    for (int round = 0; round < ROUNDS; round++) {
        double took = round_of(b, is_whole);
        best = took < best ? took : best;
    }
    printf("%-44s %6.0f ns per touchpoint\n", name, best);
}

/* The other worst case: keys were exchanged, and every id was made with the key before. */
static void exchange_keys(struct bench *b)
{
    struct typed_id ids[TOUCHPOINT_MAX_IDENTIFIERS + 8];
    resolver_cache_hold_hashes(&b->resolver.cache);
    for (size_t i = 0; i < b->count; i++) {
        struct sighting s = decode(b, i, ids);
        for (size_t j = 0; j < s.id_count; j++) {
            struct id id =
                digest_bytes((struct span){(const char *)ids[j].id.bytes, sizeof ids[j].id});
            resolver_cache_put_found_by(&b->resolver.cache, &ids[j].id, &id);
        }
        arena_reset(&b->batch);
    }
    id_finder_start(&b->finder, &b->resolver.keys, &b->resolver.cache, &b->batch);
    b->uses_finder = &b->finder;
    fill_cache(b);
}

/* A cache at its bound, with as many links as identifiers, and where keys were exchanged as many
 * hashes. */
static void measure_full_cache(const char *name, bool holds_hashes)
{
    static const struct cached_identifier known;
    static const struct cached_link link;
    struct resolver_cache cache;
    resolver_cache_open(&cache, FULL_BYTES);
    if (holds_hashes)
        resolver_cache_hold_hashes(&cache);
    for (uint64_t i = 0; i < FULL_BYTES / 32; i++) {
        struct id id = digest_bytes((struct span){(const char *)&i, sizeof i});
        struct link_key key = {id, known.profile_id};
        resolver_cache_put_identifier(&cache, &id, &known);
        resolver_cache_put_link(&cache, &key, &link);
        if (holds_hashes)
            resolver_cache_put_found_by(&cache, &id, &id);
    }
    printf("%-44s %6.1f bytes\n", name,
           (double)resolver_cache_bytes(&cache) / (double)resolver_cache_count(&cache));
    resolver_cache_close(&cache);
}

int main(void)
{
    struct bench b = {0};
    digest_open();
    open_resolver(&b);
    make_payloads(&b);
    fill_cache(&b);
    measure(&b, "decode, event id, identifiers", false);
    measure(&b, "... look-up and encode: the steady state", true);
    exchange_keys(&b);
    measure(&b, "the steady state after an exchange of keys", true);
    measure_full_cache("per cached identifier and link, cache full", false);
    measure_full_cache("... with its hash after an exchange of keys", true);
    resolver_cache_close(&b.resolver.cache);
    avro_plan_free(b.plan);
    free(b.payloads);
    arena_free(&b.batch);
    arena_free(&b.arena);
    return 0;
}
