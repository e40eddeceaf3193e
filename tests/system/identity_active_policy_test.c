/* identity_active_policy_test.c: the database says which identity policy is active: the first start
 * claims it, another file is refused, a running resolver follows a switch, and one with other
 * anchor rules is no switch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/store/migrations.h"
#include "common/store/schema_migrations.h"
#include "services/identity-resolver/resolve/resolve.h"
#include "tests/support/database.h"

static const char unique[] = "{\"types\": [{\"type\": \"user_id\", \"rank\": 1, \"unique\": true}, "
                             "{\"type\": \"email\", \"rank\": 2}]}";
static const char shared[] =
    "{\"types\": [{\"type\": \"user_id\", \"rank\": 1}, {\"type\": \"email\", \"rank\": 2}]}";
static const char other_ranks[] =
    "{\"types\": [{\"type\": \"user_id\", \"rank\": 2}, {\"type\": \"email\", \"rank\": 1}]}";
static const struct identity_type user_type = {.name = SPAN("user_id"), .rank = 1},
                                  email_type = {.name = SPAN("email"), .rank = 2};

static struct scratch scratch;
static struct db *db;
static struct resolver resolver;
static struct arena arena;
static struct err err;

static enum outcome claim(const char *policy)
{
    err = (struct err){0};
    return resolver_claim_policy(&resolver, &arena, span_of(policy), &err);
}

static void activate(const char *policy)
{
    int32_t version;
    database_must(resolver_activate_policy(db, &arena, span_of(policy), "tester", &version, &err),
                  &err);
    assert_true(version > resolver.active.version);
}

/* User `number` with the one e-mail address. */
static void see(uint8_t number)
{
    const struct typed_id ids[2] = {{{{number}}, &user_type}, {{{99}}, &email_type}};
    struct sighting sighting = {
        {{number}}, {1700000000 * US_PER_SECOND + number}, ids, 2, false, SPAN_NONE, SPAN_NONE};
    struct sightings batch = {&sighting, 1, 1};
    struct committed_change change;
    database_must(resolver_look_up(&resolver, &arena, &batch, &err), &err);
    database_must(resolver_transact(&resolver, &arena, &batch, (struct instant){0}, &change, &err),
                  &err);
}

static int64_t profiles(void)
{
    static const struct statement count = {
        "test_profiles", "SELECT count(DISTINCT profile_id) FROM identity.identifiers"};
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, &arena);
    database_must(db_run(db, &count, &p, &r, NULL, &err), &err);
    int64_t number = db_int8(r, 0, 0);
    return number;
}

static void the_first_start_claims_and_another_file_is_refused(void **state)
{
    assert_int_equal(claim(unique), OUTCOME_OK);
    assert_int_equal(resolver.active.version, 1);
    assert_int_equal(claim(unique), OUTCOME_OK);
    assert_int_equal(claim(shared), OUTCOME_FATAL);
    assert_string_equal(err.code, "other_policy");
    assert_non_null(strstr(err.message, "tutti identity apply"));
}

static void a_running_resolver_follows_a_switch(void **state)
{
    database_must(claim(unique), &err);
    see(1);
    see(2);
    assert_int_equal(profiles(), 2);
    assert_true(resolver.active.is_complete);
    activate(shared);
    see(3); /* a batch that touches a profile now reviews it */
    assert_int_equal(resolver.active.version, 2);
    assert_false(resolver.active.is_complete);
    assert_int_equal(profiles(), 1);
    assert_int_equal(claim(unique), OUTCOME_FATAL);
    assert_int_equal(claim(shared), OUTCOME_OK);
}

static void a_sweep_reviews_the_rest_and_completes(void **state)
{
    struct id position = {{0}};
    size_t count;
    database_must(claim(unique), &err);
    see(1);
    see(2);
    activate(shared);
    do
        database_must(resolver_sweep_step(&resolver, &arena, 1, &position, &count, &err), &err);
    while (count > 0);
    assert_int_equal(profiles(), 1);
    see(3);
    assert_true(resolver.active.is_complete);
}

static void other_anchor_rules_are_no_switch(void **state)
{
    int32_t version;
    activate(unique);
    assert_int_equal(
        resolver_activate_policy(db, &arena, span_of(other_ranks), "tester", &version, &err),
        OUTCOME_FATAL);
    assert_int_equal(claim(unique), OUTCOME_OK); /* nothing changed */
    assert_int_equal(resolver_activate_policy(db, &arena, SPAN("{}"), "tester", &version, &err),
                     OUTCOME_REJECT);
}

static void an_order_about_a_stranger_is_refused(void **state)
{
    struct manual_order cut = {SPAN("cut"), {{1}}, {{77}}, SPAN("tester"), SPAN("a test")};
    struct resolve_orders orders = {&cut, 1};
    struct review review = {.orders = &orders};
    struct review_result result;
    database_must(claim(unique), &err);
    see(1);
    assert_int_equal(resolver_review(&resolver, &arena, &review, &result, &err), OUTCOME_REJECT);
    assert_string_equal(err.code, "identifier_unknown");
    assert_false(db_in_transaction(resolver.db));
    assert_int_equal(profiles(), 1);
}

static int set_up(void **state)
{
    static const char empty[] =
        "TRUNCATE identity.identifiers, identity.links, identity.changes, identity.outbox, "
        "identity.settings,"
        " identity.types, identity.manual_evidence, identity.policies RESTART IDENTITY";
    database_must(db_script(db, empty, &err), &err);
    resolver_cache_open(&resolver.cache, 1 << 20);
    resolver.active = (struct active_policy){0};
    return 0;
}

static int tear_down(void **state)
{
    resolver_close(&resolver);
    return 0;
}

int main(void)
{
    if (database_server() == NULL)
        return DATABASE_SKIPPED;
    scratch_create(&scratch, "tutti_policy_test");
    db = database_open(scratch.url);
    database_must(migrations_up(db, &schema_files, false, NULL, &err), &err);
    resolver.db = database_open(scratch.url);
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_first_start_claims_and_another_file_is_refused),
        TEST(a_running_resolver_follows_a_switch),
        TEST(a_sweep_reviews_the_rest_and_completes),
        TEST(other_anchor_rules_are_no_switch),
        TEST(an_order_about_a_stranger_is_refused),
    };
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    db_close(resolver.db);
    db_close(db);
    arena_free(&arena);
    scratch_drop(&scratch);
    return failures;
}
