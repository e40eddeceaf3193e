/* identity_resolve_test.c: whatever way the same sightings, orders and policies reach the resolving
 * transaction, identifiers, links and profiles are those of one partition over everything, and what
 * is published says the same. Random order, batches, repeats, reviews, dry runs, sweeps; two
 * resolvers with caches of their own that forget, in turn or at once, also where connections die.
 * IDENTITY_SEED runs one seed, IDENTITY_SEEDS sets their number. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/store/migrations.h"
#include "common/store/schema_migrations.h"
#include "common/timeline/timeline.h"
#include "services/identity-resolver/policy/identity_policy.h"
#include "tests/support/database.h"
#include "tests/support/identity_world.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum {
    DEFAULT_SEEDS = 300,
    DELIVERIES = 2 * WORLD_SIGHTINGS,
    RESOLVERS = 2,
    MESSAGES = 20000,
    SWEEP_LIMIT = 2
};

static struct scratch scratch;
static struct identity_world world;
static struct err err;
static struct db *db; /* of the checks */
static struct resolver resolvers[RESOLVERS];
static struct seal_keys raw_keys; /* of the first resolver, the other keeps no values */
/* steady: the policy stays as it is, and no review puts right what batches did */
static bool has_deaths, is_steady;
static size_t plain[RESOLVERS]; /* new identifiers of which the stored links were not asked */

/* ---- what happens in one seed ---- */
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
    return world_draw(&world, n);
}

static void random_deliveries(void)
{
    delivery_count = 0;
    for (uint32_t i = 0; i < world.sighting_count; i++)
        for (int again = 0; again < 2; again++)
            deliveries[delivery_count++] = i;
    for (size_t i = delivery_count; i > 1; i--) {
        uint32_t j = draw((uint32_t)i), swap = deliveries[j];
        deliveries[j] = deliveries[i - 1];
        deliveries[i - 1] = swap;
    }
}

/* ---- what a consumer hears ---- */
static void tell(struct resolver *resolver, const struct id *identifier_id,
                 const struct id *profile_id, int64_t version)
{
    size_t r = (size_t)(resolver - resolvers);
    if (message_counts[r] == MESSAGES)
        abort();
    messages[r][message_counts[r]++] = (struct told){*identifier_id, *profile_id, version};
}

/* The resolved touchpoints: each carries its anchor's profile as the cache knows it. A cache too
 * small is read past. */
static void tell_touchpoints(struct resolver *resolver, struct arena *arena,
                             const struct sightings *batch)
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
        database_wait(resolver->db);
        if (identity_store_find_identifiers(resolver->db, arena, anchor, 1, &rows, &own) !=
            OUTCOME_OK)
            continue; /* the connection died: the same touchpoints come again */
        if (rows.count != 1)
            abort();
        tell(resolver, anchor, &rows.items[0].profile_id, rows.items[0].version);
    }
}

static void tell_messages(struct resolver *resolver, struct arena *arena,
                          const struct identity_outbox_row *rows, size_t count)
{
    struct err own = {0};
    for (size_t i = 0; i < count; i++) {
        struct identity_change decoded;
        database_must(identity_change_decode(arena, rows[i].payload, &decoded, &own), &own);
        for (size_t m = 0; m < decoded.move_count; m++)
            tell(resolver, &decoded.moves[m].identifier_id, &decoded.moves[m].profile_id,
                 identity_move_version(&decoded, &decoded.moves[m]));
    }
}

/* ---- feeding the resolvers ---- */
static struct sightings uncovered_of(struct resolver *resolver, struct arena *arena,
                                     const struct sightings *batch)
{
    struct sightings uncovered = {0};
    struct cached_identifier known[TOUCHPOINT_MAX_IDENTIFIERS + 8];
    for (size_t i = 0; i < batch->count; i++)
        if (!resolver_is_covered(resolver, &batch->items[i], known))
            *arena_push(arena, &uncovered) = batch->items[i];
    return uncovered;
}

/* As the service's apply. */
static enum outcome resolve(struct resolver *resolver, struct arena *arena,
                            const struct sightings *batch, struct committed_change *change,
                            struct err *own)
{
    struct sightings uncovered = uncovered_of(resolver, arena, batch);
    *change = (struct committed_change){0};
    if (uncovered.count == 0)
        return OUTCOME_OK;
    CHECK(resolver_look_up(resolver, arena, &uncovered, own));
    uncovered = uncovered_of(resolver, arena, batch);
    if (uncovered.count == 0)
        return OUTCOME_OK;
    return resolver_transact(resolver, arena, &uncovered, (struct instant){0}, change, own);
}

/* Whether to try again; ends the program where that would not help. */
static bool is_again(struct resolver *resolver, enum outcome outcome, int tries,
                     const struct err *own)
{
    if (outcome == OUTCOME_OK)
        return false;
    if (outcome != OUTCOME_RETRY || tries == 200) {
        fprintf(stderr, "resolve: %d %s %s\n", (int)outcome, own->code, own->message);
        abort();
    }
    database_wait(resolver->db);
    return true;
}

static void run_batch(struct resolver *resolver, const uint32_t *which, size_t count)
{
    struct arena arena = {0};
    for (int tries = 0;; tries++, arena_reset(&arena)) {
        struct sightings batch = {0};
        struct committed_change change;
        struct err own = {0};
        for (size_t i = 0; i < count; i++)
            *arena_push(&arena, &batch) = world.sightings[which[i]];
        if (is_again(resolver, resolve(resolver, &arena, &batch, &change, &own), tries, &own))
            continue;
        plain[resolver - resolvers] += change.counts.plain;
        tell_touchpoints(resolver, &arena, &batch);
        tell_messages(resolver, &arena, change.messages, change.message_count);
        break;
    }
    arena_free(&arena);
}

/* An operator's order; about identifiers that are not there yet it is refused. */
static void run_order(struct resolver *resolver, const struct manual_order *order, bool is_dry_run)
{
    struct arena arena = {0};
    for (int tries = 0;; tries++, arena_reset(&arena)) {
        struct resolve_orders orders = {order, 1};
        struct review review = {.orders = &orders, .is_dry_run = is_dry_run};
        struct review_result result;
        struct err own = {0};
        enum outcome outcome = resolver_review(resolver, &arena, &review, &result, &own);
        if (outcome == OUTCOME_REJECT && strcmp(own.code, "identifier_unknown") == 0)
            break;
        if (is_again(resolver, outcome, tries, &own))
            continue;
        if (!is_dry_run && result.plan.move_count > 0 && result.change.version == 0)
            abort();
        break;
    }
    arena_free(&arena);
}

static size_t run_sweep_step(struct resolver *resolver, struct id *position)
{
    struct arena arena = {0};
    struct err own = {0};
    size_t count;
    for (int tries = 0; is_again(
             resolver, resolver_sweep_step(resolver, &arena, SWEEP_LIMIT, position, &count, &own),
             tries, &own);
         tries++)
        arena_reset(&arena);
    arena_free(&arena);
    return count;
}

static void activate_policy(struct resolver *resolver)
{
    struct arena arena = {0};
    struct err own = {0};
    struct span text = world_policy(&world, &arena);
    int32_t version;
    for (int tries = 0;
         is_again(resolver,
                  resolver_activate_policy(resolver->db, &arena, text, "tester", &version, &own),
                  tries, &own);)
        tries++;
    arena_free(&arena);
}

static void restart(struct resolver *resolver)
{
    static const size_t sizes[] = {0, 2000, 1 << 20, 1 << 20};
    resolver_cache_close(&resolver->cache);
    resolver_cache_open(&resolver->cache, sizes[draw(COUNT(sizes))]);
}

static void sweep_all(struct resolver *resolver, struct id position)
{
    while (run_sweep_step(resolver, &position) > 0)
        ;
}

/* Something else than a batch, now and then. */
static void run_other(struct resolver *resolver, struct id *position)
{
    struct manual_order order = world_order(&world);
    uint32_t what = draw(30);
    if (what < 3)
        run_order(resolver, &order, what == 0);
    if (what == 3)
        restart(resolver);
    if (what == 4 && !is_steady) {
        activate_policy(resolver);
        *position = (struct id){0};
    }
    if (what > 16 && !is_steady)
        run_sweep_step(resolver, position);
}

static void run_in_turn(void)
{
    uint32_t most = 1 + draw(12);
    struct id position = {0};
    for (size_t i = 0, n; i < delivery_count; i += n) {
        struct resolver *resolver = &resolvers[draw(RESOLVERS)];
        run_other(resolver, &position);
        n = 1 + draw(most);
        n = n < delivery_count - i ? n : delivery_count - i;
        run_batch(resolver, deliveries + i, n);
    }
    run_other(&resolvers[0], &position);
    if (!is_steady)
        sweep_all(&resolvers[0], position);
}

/* ---- at once ---- */
struct lane {
    struct resolver *resolver;
    struct manual_order orders[4];
    size_t order_count;
    bool sweeps;
};

/* Each takes everything, one from the end: what they insert and move meets in the middle, and then
 * again. */
static void *run_all(void *arg)
{
    struct lane *lane = arg;
    struct resolver *resolver = lane->resolver;
    struct id position = {0};
    for (size_t i = 0; i < delivery_count; i += 5) {
        size_t n = delivery_count - i < 5 ? delivery_count - i : 5;
        run_batch(resolver,
                  resolver == resolvers ? deliveries + i : deliveries + delivery_count - i - n, n);
        if (i / 5 >= 2 && i / 5 - 2 < lane->order_count)
            run_order(resolver, &lane->orders[i / 5 - 2], false);
        if (lane->sweeps && run_sweep_step(resolver, &position) == 0)
            lane->sweeps = false;
    }
    if (lane->sweeps)
        sweep_all(resolver, position);
    return NULL;
}

static void kill_connections(void)
{
    database_must(db_script(db,
                            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                            " WHERE datname = current_database() AND pid <> pg_backend_pid()",
                            &err),
                  &err);
}

static void run_at_once(void)
{
    pthread_t threads[RESOLVERS];
    struct lane lanes[RESOLVERS];
    for (size_t i = 0; i < RESOLVERS; i++) {
        lanes[i] = (struct lane){
            .resolver = &resolvers[i], .order_count = draw(3), .sweeps = i == 0 && !is_steady};
        for (size_t k = 0; k < lanes[i].order_count; k++)
            lanes[i].orders[k] = world_order(&world);
    }
    for (size_t i = 0; i + 5 < delivery_count / 2; i += 5)
        run_batch(&resolvers[draw(RESOLVERS)], deliveries + i, 5);
    if (!is_steady)
        activate_policy(&resolvers[0]);
    for (size_t i = 0; i < RESOLVERS; i++)
        if (pthread_create(&threads[i], NULL, run_all, &lanes[i]) != 0)
            abort();
    if (has_deaths)
        kill_connections();
    for (size_t i = 0; i < RESOLVERS; i++)
        pthread_join(threads[i], NULL);
}

/* ---- what came out ---- */
static int line_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *uuid(struct arena *arena, const struct id *id)
{
    char text[37];
    id_to_uuid(id, text);
    return arena_printf(arena, "%s", text);
}

/* broken: moves that do not start where the last one of the same identifier ended, or a last one
 * that is not today's profile. unsent: a change of the chronicle that the outbox lacks. odd: a
 * version that does not say whether the profile is shared. */
static const char tables[] =
    "SELECT concat_ws(' ', 'identifier', identifier_id, profile_id, (extract(epoch FROM "
    "first_seen_at) * 1000000)::bigint,"
    "   is_quarantined::integer)"
    " FROM identity.identifiers"
    " UNION ALL SELECT concat_ws(' ', 'link', a, b, (extract(epoch FROM first_seen_at) * "
    "1000000)::bigint, evidence, refused_by, is_indirect::integer)"
    " FROM identity.links"
    " UNION ALL SELECT concat_ws(' ', 'odd', identifier_id) FROM identity.identifiers WHERE "
    "(version % 2 = 1) <> is_quarantined OR (version / 2 % 2 = 1) <> (SELECT t.is_unique FROM "
    "identity.types t WHERE t.code = identifiers.type)"
    " UNION ALL SELECT concat_ws(' ', 'broken', identifier_id, version) FROM ("
    "   SELECT *, lag(to_profile_id) OVER w AS was, lead(version) OVER w AS next FROM "
    "identity.changes"
    "   WINDOW w AS (PARTITION BY identifier_id ORDER BY version)) c"
    " WHERE was <> from_profile_id OR next IS NULL AND NOT EXISTS (SELECT FROM "
    "identity.identifiers i"
    "   WHERE i.identifier_id = c.identifier_id AND i.profile_id = c.to_profile_id AND i.version = "
    "c.version)"
    " UNION ALL SELECT concat_ws(' ', 'raw value without identifier', identifier_id) FROM "
    "identity.raw_values"
    " WHERE identifier_id NOT IN (SELECT identifier_id FROM identity.identifiers)"
    " UNION ALL SELECT concat_ws(' ', 'unsent', version) FROM identity.changes c"
    " WHERE NOT EXISTS (SELECT FROM identity.outbox o WHERE o.version = c.version - c.version % 4)";

/* The newest version of what both resolvers told, in whatever order it arrives. */
static void observe_told(struct arena *arena, struct text_lines *lines)
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
            else if (message->version == entry->version &&
                     !id_equal(&message->profile_id, &entry->profile_id))
                *arena_push(arena, lines) =
                    arena_printf(arena, "two profiles at one version: %s %lld",
                                 uuid(arena, &entry->identifier_id), (long long)entry->version);
        }
    for (size_t i = 0; (last = map_next(&known, &i, NULL));)
        if (world_is_anchor(&world, &last->identifier_id) || version_is_person(last->version))
            *arena_push(arena, lines) =
                arena_printf(arena, "told %s %s %d", uuid(arena, &last->identifier_id),
                             uuid(arena, &last->profile_id), (int)(last->version & 1));
}

static void observe(struct arena *arena, struct text_lines *lines)
{
    struct params p;
    struct db_result *r = NULL;
    struct identity_outbox_row *rows;
    size_t count;
    params_init(&p, arena);
    database_must(db_run(db, &(struct statement){"test_tables", tables}, &p, &r, NULL, &err), &err);
    for (int i = 0; i < db_rows(r); i++)
        *arena_push(arena, lines) = arena_printf(arena, SPAN_FMT, SPAN_ARG(db_bytes(r, i, 0)));
    /* what orders and sweeps left to be sent */
    database_must(identity_store_find_outbox(db, arena, &rows, &count, &err), &err);
    tell_messages(&resolvers[0], arena, rows, count);
    observe_told(arena, lines);
}

/* The active policy, and all orders. */
static void expect(struct arena *arena, struct text_lines *lines)
{
    struct id ids[WORLD_IDS], hash;
    struct order_rows orders = {0};
    struct identity_policy *policy = arena_new(arena, struct identity_policy);
    struct span text;
    int32_t version;
    for (size_t i = 0; i < WORLD_IDS; i++)
        ids[i] = world.ids[i].id;
    database_must(identity_store_find_orders(db, arena, ids, WORLD_IDS, &orders, &err), &err);
    database_must(identity_store_find_policy(db, arena, &version, &hash, &text, &err), &err);
    database_must(identity_policy_parse(arena, text, "the active policy", policy, &err), &err);
    world_expect(&world, policy, orders.items, orders.count, arena, lines);
}

static size_t compare(struct text_lines *have, struct text_lines *want)
{
    size_t h = 0, w = 0, differences = 0;
    qsort(have->items, have->count, sizeof *have->items, line_compare);
    qsort(want->items, want->count, sizeof *want->items, line_compare);
    while (h < have->count || w < want->count) {
        int c = h == have->count   ? 1
                : w == want->count ? -1
                                   : strcmp(have->items[h], want->items[w]);
        if (c != 0 && differences++ < 8)
            print_error("%s %s\n", c < 0 ? "have" : "want",
                        c < 0 ? have->items[h] : want->items[w]);
        h += c <= 0;
        w += c >= 0;
    }
    return differences;
}

/* ---- seeds ---- */
static const char empty[] =
    "DELETE FROM identity.identifiers; DELETE FROM identity.links; DELETE FROM identity.changes;"
    "DELETE FROM identity.outbox; DELETE FROM identity.raw_values; DELETE FROM "
    "identity.manual_evidence;"
    "DELETE FROM identity.policies; DELETE FROM identity.settings";
static void run_seed(unsigned long seed, void (*run)(void))
{
    struct arena arena = {0};
    struct text_lines want = {0}, have = {0};
    world_people(&world, seed);
    for (size_t i = 0; i < RESOLVERS; i++) {
        restart(&resolvers[i]);
        message_counts[i] = 0;
    }
    database_must(db_script(db, empty, &err), &err);
    map_clear(&resolvers[0].raw_values);
    for (size_t i = 0; i < WORLD_IDS; i++)
        *(struct span *)map_put(&resolvers[0].raw_values, &world.ids[i].id, NULL) = SPAN("a value");
    activate_policy(&resolvers[0]);
    is_steady = draw(2);
    if (is_steady)
        sweep_all(&resolvers[0], (struct id){0});
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
    unsigned long from = only ? strtoul(only, NULL, 10) : 1,
                  count = (number ? strtoul(number, NULL, 10) : DEFAULT_SEEDS) / part;
    memset(world.refused, 0, sizeof world.refused);
    memset(plain, 0, sizeof plain);
    world.quarantined = world.cuts = world.aliases = world.manual_links = 0;
    for (unsigned long seed = from; seed < from + (only ? 1 : count); seed++)
        run_seed(seed, run);
    print_message("%lu seeds; links", only ? 1 : count);
    for (int rule = REFUSED_NOT; rule <= REFUSED_MAX_IDENTIFIERS; rule++) {
        print_message(" %s %zu", rule ? identity_refusal_name((enum refusal)rule) : "accepted",
                      world.refused[rule]);
        /* else that rule would not be tested */
        assert_true(only || count < 50 || world.refused[rule] > 0);
    }
    print_message("; quarantined %zu, cuts %zu, aliases %zu, manual links %zu, plain joins %zu\n",
                  world.quarantined, world.cuts, world.aliases, world.manual_links,
                  plain[0] + plain[1]);
    assert_true(only || count < 50 || plain[0] + plain[1] > count);
}

static void resolvers_in_turn_equal_one_partition(void **state)
{
    run_seeds(1, run_in_turn);
}

static void resolvers_at_once_equal_one_partition(void **state)
{
    run_seeds(4, run_at_once);
}

static void resolvers_with_dying_connections_equal_one_partition(void **state)
{
    has_deaths = true;
    run_seeds(10, run_at_once);
    has_deaths = false;
}

/* ---- set-up ---- */
static int set_up(void **state)
{
    char sql[120];
    db = database_open(scratch.url);
    database_must(migrations_up(db, &schema_files, false, NULL, &err), &err);
    snprintf(sql, sizeof sql, "ALTER DATABASE %s SET synchronous_commit = off", scratch.name);
    database_must(db_script(db, sql, &err), &err);
    for (size_t i = 0; i < RESOLVERS; i++) {
        resolvers[i] = (struct resolver){.db = database_open(scratch.url)};
        resolver_cache_open(&resolvers[i].cache, 1 << 20);
    }
    resolvers[0].raw_keys = &raw_keys;
    map_init(&resolvers[0].raw_values, NULL, sizeof(struct id), sizeof(struct span));
    return 0;
}

static int tear_down(void **state)
{
    map_free(&resolvers[0].raw_values);
    for (size_t i = 0; i < RESOLVERS; i++) {
        resolver_close(&resolvers[i]);
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
        cmocka_unit_test(resolvers_with_dying_connections_equal_one_partition),
    };
    int failed = cmocka_run_group_tests(tests, set_up, tear_down);
    scratch_drop(&scratch);
    return failed;
}
