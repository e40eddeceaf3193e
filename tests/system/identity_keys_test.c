/* identity_keys_test.c: the key of identifier hashes is exchanged. Stored ids stay and are found by
 * new hashes. No two programs make ids with different keys at the same time. A program without a
 * key that is needed is refused. An erased person stays erased. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/store/migrations.h"
#include "common/store/schema_migrations.h"
#include "services/identity-resolver/resolve/resolve.h"
#include "tests/support/database.h"
#include "tests/support/key_party.h"

enum { PARTIES = 2 };

static struct scratch scratch;
static struct db *db; /* of the checks */
static struct party parties[PARTIES];
static struct arena arena;
static struct err err;

static void see_one(struct party *party, int value)
{
    party_must_see(party, &value, 1, 1700000000 * US_PER_SECOND);
}

static int64_t count_of(const char *name, const char *sql, const struct id *a, const struct id *b)
{
    const struct statement statement = {name, sql};
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, &arena);
    if (a)
        params_uuid(&p, a);
    if (b)
        params_uuid(&p, b);
    database_must(db_run(db, &statement, &p, &r, NULL, &err), &err);
    int64_t number = db_int8(r, 0, 0);
    return number;
}

static int64_t identifiers(void)
{
    return count_of("test_identifiers", "SELECT count(*) FROM identity.identifiers", NULL, NULL);
}

static bool is_identifier(struct id id)
{
    return count_of("test_identifier",
                    "SELECT count(*) FROM identity.identifiers WHERE identifier_id = $1", &id,
                    NULL) == 1;
}

static bool is_found_by(struct id hash, struct id id)
{
    return count_of("test_found_by",
                    "SELECT count(*) FROM identity.found_by WHERE hash = $1 AND identifier_id = $2",
                    &hash, &id) == 1;
}

/* ---- tests ---- */
static void stored_ids_stay_and_are_found_by_new_hashes(void **state)
{
    struct party *party = &parties[0];
    database_must(party_start(party, 0, NO_KEY, &err), &err);
    see_one(party, 1);
    database_must(party_start(party, 1, 0, &err), &err); /* both, before anything is announced */
    see_one(party, 2);
    party_announce(db, 0);
    see_one(party, 3);
    assert_true(is_identifier(party_hash(0, 2)) && is_identifier(party_hash(0, 3)));
    party_make_current(db, 1);
    for (int value = 1; value <= 5; value++)
        see_one(party, value);
    assert_int_equal(identifiers(), 5);
    for (int value = 1; value <= 3; value++)
        assert_true(is_found_by(party_hash(1, value), party_hash(0, value)));
    assert_true(is_identifier(party_hash(1, 4)) && is_identifier(party_hash(1, 5)));
    assert_int_equal(count_of("test_key_number",
                              "SELECT count(*) FROM identity.identifiers WHERE key_number = 1",
                              NULL, NULL),
                     2);
    party_finish(db, 1);
    database_must(party_start(party, 1, NO_KEY, &err), &err);
    for (int value = 1; value <= 6; value++)
        see_one(party, value);
    assert_int_equal(identifiers(), 6);
    database_must(party_start(party, 1, NO_KEY, &err), &err);
    database_must(resolver_warm_up(&party->resolver, &arena, 100, &err), &err);
    for (int value = 1; value <= 6; value++) {
        struct id hash = party_hash(1, value);
        assert_int_equal(resolver_cache_found_by(&party->resolver.cache, &hash) != NULL,
                         value <= 3);
    }
}

static void a_second_exchange_leads_through_the_first(void **state)
{
    struct party *party = &parties[0];
    database_must(party_start(party, 0, NO_KEY, &err), &err);
    see_one(party, 1);
    database_must(party_start(party, 1, 0, &err), &err);
    party_announce(db, 0);
    party_make_current(db, 1);
    see_one(party, 1);
    see_one(party, 2);
    party_finish(db, 1);
    database_must(party_start(party, 2, 1, &err), &err);
    party_announce(db, 1);
    party_make_current(db, 2);
    for (int value = 1; value <= 3; value++)
        see_one(party, value);
    assert_int_equal(identifiers(), 3);
    assert_true(is_found_by(party_hash(2, 1), party_hash(0, 1)) &&
                is_found_by(party_hash(2, 2), party_hash(1, 2)));
    assert_true(is_identifier(party_hash(2, 3)));
    party_finish(db, 2);
    database_must(db_script(db, "DELETE FROM identity.found_by WHERE key_number < 2", &err), &err);
    database_must(party_start(party, 2, NO_KEY, &err), &err);
    for (int value = 1; value <= 3; value++)
        see_one(party, value);
    assert_int_equal(identifiers(), 3);
}

static void what_was_hashed_before_the_switch_is_hashed_again(void **state)
{
    struct party *party = &parties[0];
    int value = 1;
    struct err own = {0};
    database_must(party_start(party, 0, NO_KEY, &err), &err);
    database_must(party_start(party, 1, 0, &err), &err);
    party_announce(db, 0);
    database_must(party_decode(party, &value, 1, 1, &own), &own);
    party_make_current(db, 1);
    assert_int_equal(party_store(party, &own), OUTCOME_RETRY);
    assert_string_equal(own.code, "keys_changed");
    assert_int_equal(identifiers(), 0);
    /* it has followed */
    assert_int_equal(resolver_follow_keys(&party->resolver, &party->arena, &own), OUTCOME_OK);
    see_one(party, value);
    assert_true(is_identifier(party_hash(1, value)));
}

static void two_that_see_a_new_value_at_once_make_one_id(void **state)
{
    int value = 1;
    struct err own = {0};
    database_must(party_start(&parties[0], 0, NO_KEY, &err), &err);
    for (int i = 0; i < PARTIES; i++)
        database_must(party_start(&parties[i], 1, 0, &err), &err);
    party_announce(db, 0);
    party_make_current(db, 1);
    for (int i = 0; i < PARTIES; i++)
        database_must(party_start(&parties[i], 1, 0, &err), &err);
    for (int i = 0; i < PARTIES; i++)
        database_must(party_decode(&parties[i], &value, 1, 1, &own), &own);
    for (int i = 0; i < PARTIES; i++)
        database_must(party_store(&parties[i], &own), &own);
    assert_int_equal(identifiers(), 1);
    assert_true(is_identifier(party_hash(1, value)));
}

static void expect_refused(int current, int previous, const char *code)
{
    assert_int_equal(party_start(&parties[0], current, previous, &err), OUTCOME_FATAL);
    assert_string_equal(err.code, code);
    assert_non_null(strstr(err.message, "identity.key_file"));
}

static void whoever_lacks_a_key_is_refused_by_name(void **state)
{
    struct party *late = &parties[1];
    struct err own = {0};
    int value = 1;
    database_must(party_start(&parties[0], 0, NO_KEY, &err), &err);
    expect_refused(1, NO_KEY, "other_setting");
    expect_refused(1, 2, "other_setting");
    database_must(party_start(late, 0, NO_KEY, &err), &err);
    party_announce(db, 0);
    expect_refused(0, NO_KEY, "missing_key");
    expect_refused(1, NO_KEY, "missing_key");
    expect_refused(2, 0, "missing_key");
    assert_int_equal(party_see(late, &value, 1, 1, &own), OUTCOME_FATAL); /* running since before */
    assert_string_equal(own.code, "missing_key");
    assert_int_equal(identifiers(), 0);
    database_must(party_start(&parties[0], 1, 0, &err), &err);
    parties[0].resolver.keys.needs_next = false;
    party_make_current(db, 1);
    expect_refused(0, NO_KEY, "missing_key");
    expect_refused(1, NO_KEY, "missing_key");
    expect_refused(1, 2, "missing_key");
    database_must(party_start(late, 1, 0, &err), &err);
    party_finish(db, 1);
    expect_refused(0, NO_KEY, "other_setting");
    database_must(party_start(&parties[0], 1, NO_KEY, &err), &err);
}

/* The tombstone is of the stored id: the value must lead there, though nothing else is left of it.
 */
static void who_was_erased_is_met_under_the_new_key(void **state)
{
    struct party *party = &parties[0];
    struct err own = {0};
    int value = 1;
    struct id id = party_hash(0, value);
    database_must(party_start(party, 0, NO_KEY, &err), &err);
    see_one(party, value);
    database_must(party_start(party, 1, 0, &err), &err);
    party_announce(db, 0);
    party_make_current(db, 1);
    database_must(db_script(db,
                            "INSERT INTO identity.erased (identifier_id, erased_at) SELECT "
                            "identifier_id, now() FROM "
                            "identity.identifiers; DELETE FROM identity.identifiers",
                            &err),
                  &err);
    database_must(party_start(party, 1, 0, &err), &err);
    database_must(party_decode(party, &value, 1, 1, &own), &own);
    assert_true(id_equal(&party->sighting.ids[0].id, &id));
    assert_true(is_found_by(party_hash(1, value), id));
    party_finish(db, 1);
    database_must(party_start(party, 1, NO_KEY, &err), &err);
    database_must(party_decode(party, &value, 1, 1, &own), &own);
    assert_true(id_equal(&party->sighting.ids[0].id, &id));
}

/* The smaller id of two of a type is the anchor: a touchpoint read again must have the anchor that
 * it had. */
/* Nothing stays in a cache that holds nothing. */
static void ids_are_found_without_a_cache(void **state)
{
    struct party *party = &parties[0];
    database_must(party_start(party, 0, NO_KEY, &err), &err);
    see_one(party, 1);
    database_must(party_start(party, 1, 0, &err), &err);
    party_announce(db, 0);
    party_make_current(db, 1);
    database_must(party_start(party, 1, 0, &err), &err);
    resolver_cache_close(&party->resolver.cache);
    resolver_cache_open(&party->resolver.cache, 0);
    for (int again = 0; again < 2; again++)
        for (int value = 1; value <= 2; value++)
            see_one(party, value);
    assert_int_equal(identifiers(), 2);
}

/* Else two steps could have the same number, and the second go unseen. */
static void a_switch_of_policies_keeps_the_epoch(void **state)
{
    static const char other[] =
        "{\"types\": [{\"type\": \"user_id\", \"rank\": 1, \"unique\": true},"
        " {\"type\": \"email\", \"rank\": 2}, {\"type\": \"device_id\", \"rank\": 3}]}";
    struct key_state now;
    int32_t version;
    database_must(party_start(&parties[0], 0, NO_KEY, &err), &err);
    party_announce(db, 0);
    party_make_current(db, 1);
    database_must(resolver_activate_policy(db, &arena, span_of(other), "tester", &version, &err),
                  &err);
    database_must(key_state_read(db, &arena, &now, &err), &err);
    assert_int_equal(now.epoch, 2);
    assert_int_equal(now.number, 1);
}

static void the_anchor_goes_by_ids_not_by_hashes(void **state)
{
    struct party *party = &parties[0];
    struct err own = {0};
    int changed = 0;
    database_must(party_start(party, 0, NO_KEY, &err), &err);
    for (int i = 0; i < 10; i++)
        party_must_see(party, (const int[]){6 * i, 6 * i + 3}, 2, 1);
    database_must(party_start(party, 1, 0, &err), &err);
    party_announce(db, 0);
    party_make_current(db, 1);
    database_must(party_start(party, 1, 0, &err), &err);
    for (int i = 0; i < 10; i++) {
        int values[] = {6 * i, 6 * i + 3};
        struct id old[] = {party_hash(0, values[0]), party_hash(0, values[1])},
                  new[] = {party_hash(1, values[0]), party_hash(1, values[1])};
        int before = id_compare(&old[0], &old[1]) > 0, after = id_compare(&new[0], &new[1]) > 0;
        database_must(party_decode(party, values, 2, 1, &own), &own);
        assert_true(id_equal(&party->sighting.ids[0].id, &old[before]));
        changed += before != after;
    }
    assert_true(changed > 0); /* else it would prove nothing */
    assert_int_equal(identifiers(), 20);
}

/* ---- waiting for each other ---- */
static void wait_until_blocked(void)
{
    struct deadline deadline = deadline_start();
    while (count_of("test_waiting",
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
                    "datname = current_database()",
                    NULL, NULL) == 0) {
        deadline_check(deadline, "a transaction waits for a lock");
        poll(NULL, 0, 5);
    }
}

struct storing {
    struct party *party;
    enum outcome outcome;
    struct err err;
};

static void *store_now(void *arg)
{
    struct storing *storing = arg;
    storing->outcome = party_store(storing->party, &storing->err);
    return NULL;
}

static void who_waited_for_a_step_sees_it(void **state)
{
    struct party *party = &parties[0];
    struct db *other = database_open(scratch.url);
    struct err own = {0};
    struct storing storing = {.party = party};
    pthread_t thread;
    int value = 1;
    database_must(party_start(party, 0, NO_KEY, &err), &err);
    database_must(party_start(party, 1, 0, &err), &err);
    party_announce(db, 0);
    database_must(party_decode(party, &value, 1, 1, &own), &own);
    database_must(db_begin(other, &own), &own);
    database_must(db_script(other, "LOCK TABLE identity.policies IN EXCLUSIVE MODE", &own), &own);
    assert_int_equal(pthread_create(&thread, NULL, store_now, &storing), 0);
    wait_until_blocked();
    database_must(db_script(other,
                            "UPDATE identity.policies SET key_epoch = key_epoch + 1;"
                            "UPDATE identity.settings SET name = 'previous_key_fingerprint' WHERE "
                            "name = 'key_fingerprint';"
                            "UPDATE identity.settings SET name = 'key_fingerprint' WHERE name = "
                            "'next_key_fingerprint';"
                            "INSERT INTO identity.settings VALUES ('key_number', '1') ON CONFLICT "
                            "(name) DO UPDATE SET value = '1'",
                            &own),
                  &own);
    database_must(db_commit(other, &own), &own);
    pthread_join(thread, NULL);
    assert_int_equal(storing.outcome, OUTCOME_RETRY);
    assert_string_equal(storing.err.code, "keys_changed");
    assert_int_equal(identifiers(), 0);
    db_close(other);
}

static void *make_first_current(void *arg)
{
    struct arena own_arena = {0};
    struct key_state from,
        to = {.number = 1, .current = party_fingerprint(1), .previous = party_fingerprint(0)};
    struct err own = {0};
    database_must(key_state_read(arg, &own_arena, &from, &own), &own);
    database_must(key_state_write(arg, &own_arena, &from, &to, &own), &own);
    arena_free(&own_arena);
    return NULL;
}

static void a_step_waits_for_who_stores_with_the_old_key(void **state)
{
    struct party *party = &parties[0];
    struct db *other = database_open(scratch.url), *stepping = database_open(scratch.url);
    struct err own = {0};
    struct active_policy active;
    struct key_state now;
    bool found;
    pthread_t thread;
    database_must(party_start(party, 0, NO_KEY, &err), &err);
    party_announce(db, 0);
    database_must(db_begin(other, &own), &own);
    database_must(identity_store_hold_active(other, &party->arena, &active, &found, &own), &own);
    assert_int_equal(pthread_create(&thread, NULL, make_first_current, stepping), 0);
    wait_until_blocked();
    database_must(key_state_read(db, &arena, &now, &own), &own);
    assert_int_equal(now.phase, KEYS_ANNOUNCED);
    database_must(db_commit(other, &own), &own);
    pthread_join(thread, NULL);
    database_must(key_state_read(db, &arena, &now, &own), &own);
    assert_int_equal(now.phase, KEYS_ROTATING);
    db_close(stepping);
    db_close(other);
}

static int set_up(void **state)
{
    parties_set_up(db, parties, PARTIES);
    return 0;
}

static int tear_down(void **state)
{
    parties_tear_down(parties, PARTIES);
    return 0;
}

int main(void)
{
    if (database_server() == NULL)
        return DATABASE_SKIPPED;
    scratch_create(&scratch, "tutti_keys_test");
    db = database_open(scratch.url);
    database_must(migrations_up(db, &schema_files, false, NULL, &err), &err);
    for (int p = 0; p < PARTIES; p++)
        parties[p].resolver.db = database_open(scratch.url);
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(stored_ids_stay_and_are_found_by_new_hashes),
        TEST(a_second_exchange_leads_through_the_first),
        TEST(what_was_hashed_before_the_switch_is_hashed_again),
        TEST(two_that_see_a_new_value_at_once_make_one_id),
        TEST(whoever_lacks_a_key_is_refused_by_name),
        TEST(who_was_erased_is_met_under_the_new_key),
        TEST(ids_are_found_without_a_cache),
        TEST(a_switch_of_policies_keeps_the_epoch),
        TEST(the_anchor_goes_by_ids_not_by_hashes),
        TEST(who_waited_for_a_step_sees_it),
        TEST(a_step_waits_for_who_stores_with_the_old_key),
    };
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    for (int p = 0; p < PARTIES; p++)
        db_close(parties[p].resolver.db);
    db_close(db);
    arena_free(&arena);
    scratch_drop(&scratch);
    return failures;
}
