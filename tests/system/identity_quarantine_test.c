/* identity_quarantine_test.c: a device that everybody uses: its events cost the same however many
 * there were, its past links are undone, a release brings them back; and what a resolver that was
 * warmed up knows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/store/migrations.h"
#include "common/store/schema_migrations.h"
#include "services/identity-resolver/resolve/resolve.h"
#include "tests/support/database.h"

enum { BATCH = 20, BATCHES = 1000, SAMPLE = 50, EVENTS = BATCH * BATCHES, FEW = 10 };

static const char policy[] =
    "{\"types\": [{\"type\": \"user_id\", \"rank\": 1, \"unique\": true}, "
    "{\"type\": \"device_id\", \"rank\": 6, \"max_links\": {\"user_id\": 3}}]}";
static const struct identity_type user_type = {.name = SPAN("user_id"), .rank = 1},
                                  device_type = {.name = SPAN("device_id"), .rank = 6};
static const struct id device = {{7}};

static struct scratch scratch;
static struct db *db; /* of the checks */
static struct resolver resolver;
static struct arena arena;
static struct err err;

static struct id user_id(uint32_t number)
{
    return digest_bytes((struct span){(const char *)&number, sizeof number});
}

static struct sighting sighting_of(uint32_t number)
{
    struct typed_id *ids = arena_array(&arena, struct typed_id, 2);
    ids[0] = (struct typed_id){user_id(number), &user_type};
    ids[1] = (struct typed_id){device, &device_type};
    return (struct sighting){
        ids[0].id, {1700000000 * US_PER_SECOND + number}, ids, 2, false, SPAN_NONE, SPAN_NONE};
}

/* These users, each once, on the one device. */
static struct resolve_counts feed(uint32_t first, uint32_t count)
{
    struct sightings batch = {0};
    struct committed_change change;
    arena_reset(&arena);
    for (uint32_t i = 0; i < count; i++)
        *arena_push(&arena, &batch) = sighting_of(first + i);
    database_must(resolver_look_up(&resolver, &arena, &batch, &err), &err);
    database_must(resolver_transact(&resolver, &arena, &batch, (struct instant){0}, &change, &err),
                  &err);
    return change.counts;
}

static int64_t number_of(const char *sql)
{
    struct params p;
    struct db_result *r = NULL;
    char name[40];
    snprintf(name, sizeof name, "test_%p", (const void *)sql);
    params_init(&p, &arena);
    database_must(db_run(db, &(struct statement){name, sql}, &p, &r, NULL, &err), &err);
    int64_t number = db_int8(r, 0, 0);
    return number;
}

static int64_t profiles(void)
{
    return number_of("SELECT count(DISTINCT profile_id) FROM identity.identifiers");
}

static int64_t quarantined(void)
{
    return number_of("SELECT count(*) FROM identity.identifiers WHERE is_quarantined");
}

static int64_t disarmed(void)
{
    return number_of("SELECT count(*) FROM identity.links WHERE refused_by = 2");
}

static void events_cost_the_same_however_many_there_were(void **state)
{
    size_t first = 0, last = 0, went = 0;
    for (uint32_t i = 0; i < BATCHES; i++) {
        struct resolve_counts counts = feed(i * BATCH, BATCH);
        size_t rows = counts.rows_read;
        went += counts.quarantined;
        first += i < SAMPLE ? rows : 0;
        last += i >= BATCHES - SAMPLE ? rows : 0;
    }
    print_message("rows read by the first and the last %d events: %zu, %zu\n", SAMPLE * BATCH,
                  first, last);
    assert_true(last <= first + SAMPLE);
    assert_int_equal(profiles(), EVENTS + 1);
    assert_int_equal(quarantined(), 1);
    assert_int_equal(went, 1); /* counted although it was new in that batch */
    assert_int_equal(disarmed(), EVENTS);
}

static void one_too_many_undoes_earlier_links(void **state)
{
    for (uint32_t i = 0; i < 3; i++)
        feed(i, 1);
    assert_int_equal(
        profiles(),
        3); /* the device is with the first, the others are refused for being second users */
    assert_int_equal(number_of("SELECT count(*) FROM identity.links WHERE refused_by = 4"), 2);
    struct resolve_counts counts = feed(3, 1);
    assert_int_equal(counts.quarantined, 1);
    assert_int_equal(counts.split, 1);
    assert_int_equal(profiles(), 5);
    assert_int_equal(disarmed(), 4);
    assert_int_equal(number_of("SELECT version % 2 FROM identity.identifiers WHERE is_quarantined"),
                     1);
}

static void a_release_takes_the_links_up_again(void **state)
{
    struct manual_order release = {SPAN("release"), device, {{0}}, SPAN("tester"), SPAN("a test")};
    struct resolve_orders orders = {&release, 1};
    struct review review = {.orders = &orders, .is_dry_run = true};
    struct review_result result;
    feed(0, FEW);
    assert_int_equal(disarmed(), FEW);
    database_must(resolver_review(&resolver, &arena, &review, &result, &err), &err);
    assert_int_equal(result.plan.link_count, FEW);
    assert_int_equal(disarmed(), FEW); /* it was a dry run */
    review.is_dry_run = false;
    database_must(resolver_review(&resolver, &arena, &review, &result, &err), &err);
    assert_int_equal(result.change.counts.released, 1);
    assert_int_equal(disarmed(), 0);
    assert_int_equal(profiles(), FEW); /* the first user has it */
    feed(FEW, 1);
    assert_int_equal(quarantined(), 0);
    assert_int_equal(
        number_of("SELECT count(*) FROM identity.manual_evidence WHERE version IS NOT NULL"), 1);
}

static void a_warm_resolver_needs_no_database(void **state)
{
    feed(0, FEW);
    resolver_cache_close(&resolver.cache);
    resolver_cache_open(&resolver.cache, 1 << 20);
    struct sighting known = sighting_of(FEW - 1);
    struct cached_identifier out[TOUCHPOINT_MAX_IDENTIFIERS + 8];
    assert_false(resolver_is_covered(&resolver, &known, out));
    database_must(resolver_warm_up(&resolver, &arena, 1000, &err), &err);
    assert_true(resolver_is_covered(&resolver, &known, out));
    assert_int_equal(resolver_cache_count(&resolver.cache), FEW + 1);
}

/* ---- set-up ---- */
static int set_up(void **state)
{
    static const char empty[] =
        "TRUNCATE identity.identifiers, identity.links, identity.changes, identity.outbox,"
        " identity.manual_evidence, identity.policies";
    static const char complete[] =
        "UPDATE identity.policies SET is_complete = true WHERE is_active";
    int32_t version;
    database_must(db_script(db, empty, &err), &err);
    database_must(resolver_activate_policy(db, &arena, span_of(policy), "tester", &version, &err),
                  &err);
    database_must(db_script(db, complete, &err), &err);
    resolver_cache_open(&resolver.cache, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    resolver_close(&resolver);
    resolver.active.version = 0;
    return 0;
}

static void open_all(void)
{
    char sql[120];
    scratch_create(&scratch, "tutti_quarantine_test");
    db = database_open(scratch.url);
    database_must(migrations_up(db, &schema_files, false, NULL, &err), &err);
    snprintf(sql, sizeof sql, "ALTER DATABASE %s SET synchronous_commit = off", scratch.name);
    database_must(db_script(db, sql, &err), &err);
    resolver.db = database_open(scratch.url);
}

int main(void)
{
    if (database_server() == NULL)
        return DATABASE_SKIPPED;
    open_all();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(events_cost_the_same_however_many_there_were, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_too_many_undoes_earlier_links, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_release_takes_the_links_up_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_warm_resolver_needs_no_database, set_up, tear_down),
    };
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    db_close(resolver.db);
    db_close(db);
    arena_free(&arena);
    scratch_drop(&scratch);
    return failures;
}
