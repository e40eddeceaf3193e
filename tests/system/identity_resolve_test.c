/* identity_resolve_test.c: whatever way the same sightings reach the resolving transaction, identifiers, links and profiles are
 * those of one partition over everything, and what is published says the same. Random order, batches, repeats, two resolvers with
 * caches of their own that forget, in turn or at once. IDENTITY_SEED runs one seed, IDENTITY_SEEDS sets their number. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/codec/messages.h"
#include "common/store/migrations.h"
#include "schema_migrations.h"
#include "services/identity-resolver/resolve.h"
#include "tests/support/database.h"
#include "tests/support/random.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { DEFAULT_SEEDS = 300, IDS = 16, SIGHTINGS = 40, DELIVERIES = 2 * SIGHTINGS, RESOLVERS = 2, MESSAGES = 4000 };

static struct scratch scratch;
static struct random dice;
static struct err err;
static struct db *db; /* of the checks */
static struct resolver resolvers[RESOLVERS];

/* ---- what happens in one seed ---- */
static struct typed_id ids[IDS]; /* strongest type first, then by id, as identity_collect gives them */
static struct typed_id carried[SIGHTINGS][4];
static struct sighting sightings[SIGHTINGS];
static size_t sighting_count;
static uint32_t deliveries[DELIVERIES];
static size_t delivery_count;

/* What a consumer of both topics is told: identifier, profile, version. */
struct told {
    struct id identifier_id, profile_id;
    int64_t version;
};
static struct told messages[RESOLVERS][MESSAGES];
static size_t message_counts[RESOLVERS];

static uint32_t draw(uint32_t n)
{
    return random_below(&dice, n);
}

static int typed_compare(const void *a, const void *b)
{
    const struct typed_id *x = a, *y = b;
    return x->type != y->type ? x->type->rank - y->type->rank : id_compare(&x->id, &y->id);
}

/* A quarter of the identifiers are of the unique type, so that links are refused often. */
static void random_ids(void)
{
    const struct identity_policy *policy = &resolvers[0].policy;
    for (size_t i = 0; i < IDS; i++) {
        for (size_t b = 0; b < sizeof ids[i].id.bytes; b++)
            ids[i].id.bytes[b] = (uint8_t)draw(256);
        ids[i].type = &policy->types[i % policy->type_count];
    }
    qsort(ids, IDS, sizeof *ids, typed_compare);
}

static void random_sightings(void)
{
    static const uint32_t spans[] = {3, 20, 1000};
    uint32_t span = spans[draw(COUNT(spans))], used = 3 + draw(IDS - 2);
    sighting_count = 1 + draw(SIGHTINGS);
    for (size_t i = 0; i < sighting_count; i++) {
        struct sighting *s = &sightings[i];
        bool is_carried[IDS] = {false};
        *s = (struct sighting){.occurred_at = {(1700000000 + draw(span)) * US_PER_SECOND}, .ids = carried[i]};
        for (size_t b = 0; b < sizeof s->event_id.bytes; b++)
            s->event_id.bytes[b] = (uint8_t)draw(256);
        for (uint32_t n = 1 + draw(draw(3) ? 3 : 1); n > 0; n--)
            is_carried[draw(used) * IDS / used] = true;
        for (size_t k = 0; k < IDS; k++)
            if (is_carried[k])
                carried[i][s->id_count++] = ids[k];
    }
}

static void random_deliveries(void)
{
    delivery_count = 0;
    for (uint32_t i = 0; i < sighting_count; i++)
        for (int again = 0; again < 2; again++)
            deliveries[delivery_count++] = i;
    for (size_t i = delivery_count; i > 1; i--) {
        uint32_t j = draw((uint32_t)i), swap = deliveries[j];
        deliveries[j] = deliveries[i - 1];
        deliveries[i - 1] = swap;
    }
}

/* ---- feeding the resolvers ---- */
static void tell(struct resolver *resolver, const struct id *identifier_id, const struct id *profile_id, int64_t version)
{
    size_t r = (size_t)(resolver - resolvers);
    if (message_counts[r] == MESSAGES)
        abort();
    messages[r][message_counts[r]++] = (struct told){*identifier_id, *profile_id, version};
}

/* The resolved touchpoints: each carries its anchor's profile as the cache knows it. A cache too small is read past. */
static void tell_touchpoints(struct resolver *resolver, struct arena *arena, const struct sightings *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct id *anchor = &batch->items[i].ids[0].id;
        const struct cached_identifier *known = resolver_cache_identifier(&resolver->cache, anchor);
        struct identifier_rows rows = {0};
        struct err own = {0};
        if (known) {
            tell(resolver, anchor, &known->profile_id, known->version);
            continue;
        }
        database_must(store_find_identifiers(resolver->db, arena, anchor, 1, &rows, &own), &own);
        if (rows.count != 1)
            abort();
        tell(resolver, anchor, &rows.items[0].profile_id, rows.items[0].version);
    }
}

static void tell_change(struct resolver *resolver, struct arena *arena, const struct committed_change *change)
{
    struct err own = {0};
    for (size_t i = 0; i < change->message_count; i++) {
        struct identity_change decoded;
        database_must(identity_change_decode(arena, change->messages[i].payload, &decoded, &own), &own);
        for (size_t m = 0; m < decoded.move_count; m++)
            tell(resolver, &decoded.moves[m].identifier_id, &decoded.moves[m].profile_id, decoded.version);
    }
}

static struct sightings uncovered_of(struct resolver *resolver, struct arena *arena, const struct sightings *batch)
{
    struct sightings uncovered = {0};
    for (size_t i = 0; i < batch->count; i++)
        if (!resolver_is_covered(resolver, &batch->items[i]))
            *arena_push(arena, &uncovered) = batch->items[i];
    return uncovered;
}

/* As the service's apply. */
static enum outcome resolve(struct resolver *resolver, struct arena *arena, const struct sightings *batch,
                            struct committed_change *change, struct err *own)
{
    struct sightings uncovered = uncovered_of(resolver, arena, batch);
    *change = (struct committed_change){0};
    if (uncovered.count == 0)
        return OUTCOME_OK;
    enum outcome o = resolver_look_up(resolver, arena, &uncovered, own);
    if (o != OUTCOME_OK)
        return o;
    uncovered = uncovered_of(resolver, arena, batch);
    if (uncovered.count == 0)
        return OUTCOME_OK;
    return resolver_transact(resolver, arena, &uncovered, (struct instant){0}, change, own);
}

static void run_batch(struct resolver *resolver, const uint32_t *which, size_t count)
{
    struct arena arena = {0};
    for (int tries = 0;; tries++, arena_reset(&arena)) {
        struct sightings batch = {0};
        struct committed_change change;
        struct err own = {0};
        for (size_t i = 0; i < count; i++)
            *arena_push(&arena, &batch) = sightings[which[i]];
        enum outcome o = resolve(resolver, &arena, &batch, &change, &own);
        if (o == OUTCOME_OK) {
            tell_touchpoints(resolver, &arena, &batch);
            tell_change(resolver, &arena, &change);
            break;
        }
        if (o != OUTCOME_RETRY || tries == 50) {
            fprintf(stderr, "resolve: %d %s %s\n", (int)o, own.code, own.message);
            abort();
        }
    }
    arena_free(&arena);
}

static void restart(struct resolver *resolver)
{
    static const size_t sizes[] = {0, 2000, 1 << 20, 1 << 20};
    resolver_cache_close(&resolver->cache);
    resolver_cache_open(&resolver->cache, sizes[draw(COUNT(sizes))]);
}

static void run_in_turn(void)
{
    uint32_t most = 1 + draw(12);
    for (size_t i = 0, n; i < delivery_count; i += n) {
        struct resolver *resolver = &resolvers[draw(RESOLVERS)];
        if (draw(10) == 0)
            restart(resolver);
        n = 1 + draw(most);
        n = n < delivery_count - i ? n : delivery_count - i;
        run_batch(resolver, deliveries + i, n);
    }
}

/* Each takes everything, one from the end: what they insert and move meets in the middle, and then again. */
static void *run_all(void *arg)
{
    struct resolver *resolver = arg;
    for (size_t i = 0; i < delivery_count; i += 5) {
        size_t n = delivery_count - i < 5 ? delivery_count - i : 5;
        run_batch(resolver, resolver == resolvers ? deliveries + i : deliveries + delivery_count - i - n, n);
    }
    return NULL;
}

static void run_at_once(void)
{
    pthread_t threads[RESOLVERS];
    for (size_t i = 0; i < RESOLVERS; i++)
        if (pthread_create(&threads[i], NULL, run_all, &resolvers[i]) != 0)
            abort();
    for (size_t i = 0; i < RESOLVERS; i++)
        pthread_join(threads[i], NULL);
}

/* ---- what must come out ---- */
struct lines {
    const char **items;
    size_t count, capacity;
};

static const char *uuid(struct arena *arena, const struct id *id)
{
    char text[37];
    id_to_uuid(id, text);
    return arena_printf(arena, "%s", text);
}

/* Position of an identifier, UINT32_MAX if nothing carries it. */
static uint32_t node_of(const struct identity_node *nodes, size_t count, const struct id *id)
{
    for (uint32_t i = 0; i < count; i++)
        if (id_equal(&nodes[i].identifier_id, id))
            return i;
    return UINT32_MAX;
}

static size_t all_nodes(struct identity_node *nodes)
{
    size_t n = 0;
    for (size_t i = 0; i < sighting_count; i++)
        for (size_t k = 0; k < sightings[i].id_count; k++) {
            const struct typed_id *id = &sightings[i].ids[k];
            uint32_t at = node_of(nodes, n, &id->id);
            if (at == UINT32_MAX)
                nodes[at = (uint32_t)n++] =
                    (struct identity_node){id->id, sightings[i].occurred_at, id->type->is_unique ? 1 : 0, 0};
            if (instant_compare(sightings[i].occurred_at, nodes[at].first_seen) < 0)
                nodes[at].first_seen = sightings[i].occurred_at;
        }
    return n;
}

/* The oldest sighting of each link, smallest event id on a tie. */
static size_t all_links(const struct identity_node *nodes, size_t node_count, struct identity_link *links, struct id *evidence)
{
    size_t n = 0;
    for (size_t i = 0; i < sighting_count; i++)
        for (size_t k = 1; k < sightings[i].id_count; k++) {
            const struct sighting *s = &sightings[i];
            struct identity_link link = {node_of(nodes, node_count, &s->ids[0].id), node_of(nodes, node_count, &s->ids[k].id),
                                         s->occurred_at, digest_link(&s->ids[0].id, &s->ids[k].id), false};
            size_t at = 0;
            while (at < n && !id_equal(&links[at].hash, &link.hash))
                at++;
            int c = at == n ? -1 : instant_compare(link.first_seen, links[at].first_seen);
            if (c < 0 || (c == 0 && id_compare(&s->event_id, &evidence[at]) < 0)) {
                links[at] = link;
                evidence[at] = s->event_id;
            }
            n += at == n;
        }
    return n;
}

static int line_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_anchor(const struct id *id)
{
    for (size_t i = 0; i < sighting_count; i++)
        if (id_equal(&sightings[i].ids[0].id, id))
            return true;
    return false;
}

static size_t refused;

static void expect(struct arena *arena, struct lines *lines)
{
    struct identity_node nodes[IDS];
    struct identity_link links[SIGHTINGS * 3];
    struct id evidence[SIGHTINGS * 3];
    size_t n = all_nodes(nodes), link_count = all_links(nodes, n, links, evidence);
    for (size_t i = 0; i < link_count; i++) {
        struct link_key key = link_key_of(&nodes[links[i].a].identifier_id, &nodes[links[i].b].identifier_id);
        *arena_push(arena, lines) = arena_printf(arena, "link %s %s %lld %s", uuid(arena, &key.a), uuid(arena, &key.b),
                                                 (long long)links[i].first_seen.us, uuid(arena, &evidence[i]));
    }
    identity_partition(&resolvers[0].policy, arena, nodes, n, links, link_count);
    for (size_t i = 0; i < link_count; i++)
        refused += !links[i].is_accepted;
    for (size_t i = 0; i < n; i++) {
        const char *id = uuid(arena, &nodes[i].identifier_id), *profile = uuid(arena, &nodes[nodes[i].profile].identifier_id);
        *arena_push(arena, lines) = arena_printf(arena, "identifier %s %s %lld", id, profile, (long long)nodes[i].first_seen.us);
        if (is_anchor(&nodes[i].identifier_id))
            *arena_push(arena, lines) = arena_printf(arena, "told %s %s", id, profile);
    }
    qsort(lines->items, lines->count, sizeof *lines->items, line_compare);
}

/* ---- what came out ---- */
/* broken: moves that do not start where the last one of the same identifier ended, or a last one that is not today's profile.
 * unsent: a change of the chronicle that the outbox lacks. */
static const char tables[] =
    "SELECT concat_ws(' ', 'identifier', identifier_id, profile_id, (extract(epoch FROM first_seen_at) * 1000000)::bigint)"
    " FROM identity.identifiers"
    " UNION ALL SELECT concat_ws(' ', 'link', a, b, (extract(epoch FROM first_seen_at) * 1000000)::bigint, evidence)"
    " FROM identity.links"
    " UNION ALL SELECT concat_ws(' ', 'broken', identifier_id, version) FROM ("
    "   SELECT *, lag(to_profile_id) OVER w AS was, lead(version) OVER w AS next FROM identity.changes"
    "   WINDOW w AS (PARTITION BY identifier_id ORDER BY version)) c"
    " WHERE was <> from_profile_id OR next IS NULL AND NOT EXISTS (SELECT FROM identity.identifiers i"
    "   WHERE i.identifier_id = c.identifier_id AND i.profile_id = c.to_profile_id AND i.version = c.version)"
    " UNION ALL SELECT concat_ws(' ', 'unsent', version) FROM identity.changes c"
    " WHERE NOT EXISTS (SELECT FROM identity.outbox o WHERE o.version = c.version)";

/* The newest version of what both resolvers told, in whatever order it arrives. */
static void observe_told(struct arena *arena, struct lines *lines)
{
    struct map known;
    const struct told *last;
    map_init(&known, arena, sizeof(struct id), sizeof(struct told));
    for (size_t r = 0; r < RESOLVERS; r++)
        for (size_t i = 0; i < message_counts[r]; i++) {
            bool is_first;
            const struct told *message = &messages[r][i];
            struct told *entry = map_put(&known, &message->identifier_id, &is_first);
            if (is_first || message->version > entry->version)
                *entry = *message;
            else if (message->version == entry->version && !id_equal(&message->profile_id, &entry->profile_id))
                *arena_push(arena, lines) = arena_printf(arena, "two profiles at one version: %s %lld",
                                                         uuid(arena, &entry->identifier_id), (long long)entry->version);
        }
    for (size_t i = 0; (last = map_next(&known, &i, NULL));)
        if (is_anchor(&last->identifier_id))
            *arena_push(arena, lines) =
                arena_printf(arena, "told %s %s", uuid(arena, &last->identifier_id), uuid(arena, &last->profile_id));
}

static void observe(struct arena *arena, struct lines *lines)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    database_must(db_run(db, &(struct statement){"test_tables", tables}, &p, &r, NULL, &err), &err);
    for (int i = 0; i < db_rows(r); i++)
        *arena_push(arena, lines) = arena_printf(arena, SPAN_FMT, SPAN_ARG(db_bytes(r, i, 0)));
    db_result_free(r);
    observe_told(arena, lines);
    qsort(lines->items, lines->count, sizeof *lines->items, line_compare);
}

static size_t compare(const struct lines *have, const struct lines *want)
{
    size_t h = 0, w = 0, differences = 0;
    while (h < have->count || w < want->count) {
        int c = h == have->count ? 1 : w == want->count ? -1 : strcmp(have->items[h], want->items[w]);
        if (c != 0 && differences++ < 8)
            print_error("%s %s\n", c < 0 ? "have" : "want", c < 0 ? have->items[h] : want->items[w]);
        h += c <= 0;
        w += c >= 0;
    }
    return differences;
}

/* ---- seeds ---- */
static void run_seed(unsigned long seed, void (*run)(void))
{
    struct arena arena = {0};
    struct lines want = {0}, have = {0};
    dice.state = seed * UINT64_C(0x2545f4914f6cdd1d);
    for (size_t i = 0; i < RESOLVERS; i++) {
        restart(&resolvers[i]);
        message_counts[i] = 0;
    }
    database_must(db_script(db,
                            "DELETE FROM identity.identifiers; DELETE FROM identity.profiles; DELETE FROM identity.links;"
                            "DELETE FROM identity.changes; DELETE FROM identity.outbox",
                            &err),
                  &err);
    random_ids();
    random_sightings();
    random_deliveries();
    run();
    expect(&arena, &want);
    observe(&arena, &have);
    size_t differences = compare(&have, &want);
    if (differences)
        print_error("IDENTITY_SEED=%lu: %zu differences\n", seed, differences);
    assert_int_equal(differences, 0);
    arena_free(&arena);
}

static void run_seeds(unsigned long part, void (*run)(void))
{
    const char *only = getenv("IDENTITY_SEED"), *number = getenv("IDENTITY_SEEDS");
    unsigned long from = only ? strtoul(only, NULL, 10) : 1, count = number ? strtoul(number, NULL, 10) : DEFAULT_SEEDS / part;
    refused = 0;
    for (unsigned long seed = from; seed < from + (only ? 1 : count); seed++)
        run_seed(seed, run);
    print_message("seeds %lu to %lu, %zu links refused\n", from, from + (only ? 1 : count) - 1, refused);
    assert_true(only || refused > 0); /* else the unique type would not be tested */
}

static void resolvers_in_turn_equal_one_partition(void **state)
{
    run_seeds(1, run_in_turn);
}

static void resolvers_at_once_equal_one_partition(void **state)
{
    run_seeds(4, run_at_once);
}

/* ---- set-up ---- */
static void open_resolver(struct resolver *resolver)
{
    *resolver = (struct resolver){.db = database_open(scratch.url)};
    struct identity_policy *policy = &resolver->policy;
    policy->types[0] = (struct identity_type){.name = SPAN("user_id"), .rank = 1, .is_unique = true, .links = true};
    policy->types[1] = (struct identity_type){.name = SPAN("email"), .rank = 2, .links = true};
    policy->types[2] = (struct identity_type){.name = SPAN("device_id"), .rank = 6, .links = true};
    policy->types[3] = (struct identity_type){.name = SPAN("anonymous_id"), .rank = 7, .links = true};
    policy->type_count = 4;
    policy->max_identifiers = 100;
    resolver_cache_open(&resolver->cache, 1 << 20);
}

static int set_up(void **state)
{
    char sql[120];
    db = database_open(scratch.url);
    database_must(migrations_up(db, schema_migrations, schema_migrations_count, false, NULL, &err), &err);
    snprintf(sql, sizeof sql, "ALTER DATABASE %s SET synchronous_commit = off", scratch.name);
    database_must(db_script(db, sql, &err), &err);
    for (size_t i = 0; i < RESOLVERS; i++)
        open_resolver(&resolvers[i]);
    struct arena arena = {0};
    database_must(store_types(db, &arena, &resolvers[0].policy, &err), &err);
    arena_free(&arena);
    return 0;
}

static int tear_down(void **state)
{
    for (size_t i = 0; i < RESOLVERS; i++) {
        resolver_cache_close(&resolvers[i].cache);
        db_close(resolvers[i].db);
    }
    db_close(db);
    return 0;
}

int main(void)
{
    if (database_server() == NULL)
        return DATABASE_SKIPPED;
    scratch_create(&scratch, "tutti_resolve_test");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resolvers_in_turn_equal_one_partition),
        cmocka_unit_test(resolvers_at_once_equal_one_partition),
    };
    int failed = cmocka_run_group_tests(tests, set_up, tear_down);
    scratch_drop(&scratch);
    return failed;
}
