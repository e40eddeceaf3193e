/* identity_keys_play_test.c: two resolvers at once, through several exchanges of the key, restarted
 * one by one: every value has one id, and profiles are what they would be without. IDENTITY_SEED
 * chooses the touchpoints. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/store/migrations.h"
#include "common/store/schema_migrations.h"
#include "services/identity-resolver/resolve/resolve.h"
#include "tests/support/database.h"
#include "tests/support/key_party.h"
#include "tests/support/random.h"

enum { VALUES = 200, MORE_VALUES = 10, EXCHANGES = 3, PARTIES = 2 };

static struct scratch scratch;
static struct db *db; /* of the checks */
static struct party parties[PARTIES];
static struct arena arena;
static struct err err;

static uint64_t seed;

static struct {
    _Atomic int wanted;        /* exchange for which they must have the keys */
    _Atomic int has[PARTIES];  /* which they have */
    _Atomic int seen[PARTIES]; /* touchpoints */
    _Atomic int known;         /* values below it are in use; more and more */
    _Atomic bool ends;
    bool links[PARTIES][VALUES][VALUES];
} play;

static void restart(struct party *party, int exchange)
{
    struct err own = {0};
    database_must(party_start(party, exchange + 1, exchange, &own), &own);
}

/* It asks now and then which keys are at work: what it stores in between must be right all the
 * same. */
static void see(struct party *party, const int *values, size_t count, int i)
{
    struct err own = {0};
    enum outcome outcome;
    do {
        outcome =
            i % 40 == 0 ? resolver_follow_keys(&party->resolver, &party->arena, &own) : OUTCOME_OK;
        if (outcome == OUTCOME_OK)
            outcome = party_decode(party, values, count, 1 + i, &own);
        if (outcome == OUTCOME_OK)
            outcome = party_store(party, &own);
        database_wait(party->resolver.db);
    } while (outcome == OUTCOME_RETRY);
    database_must(outcome, &own);
}

/* Every value in its turn, alone or with another one. */
static void *play_party(void *arg)
{
    struct party *party = arg;
    size_t self = (size_t)(party - parties);
    struct random random = {seed + self};
    for (int i = 0; !play.ends; i++) {
        int wanted = play.wanted, known = play.known;
        int values[] = {i % known, (int)random_below(&random, (uint32_t)known)};
        if (wanted != play.has[self])
            restart(party, wanted);
        play.has[self] = wanted;
        /* Few pairs, or everybody would be one. */
        size_t count = random_below(&random, 12) == 0 && values[0] % 7 == values[1] % 7 ? 2 : 1;
        see(party, values, count, i);
        if (count == 2)
            play.links[self][values[0]][values[1]] = true;
        play.seen[self]++;
    }
    return NULL;
}

/* Until both have seen as many touchpoints more. */
static void wait_for(int more)
{
    int from[PARTIES];
    for (int p = 0; p < PARTIES; p++)
        from[p] = play.seen[p];
    for (int p = 0; p < PARTIES; p++)
        for (struct deadline deadline = deadline_start(); play.seen[p] < from[p] + more;) {
            deadline_check(deadline, "the parties see more touchpoints");
            poll(NULL, 0, 1);
        }
}

/* The same, and then some values more are in use. */
static void go_on(int more)
{
    wait_for(more);
    play.known += play.known + MORE_VALUES <= VALUES ? MORE_VALUES : 0;
}

static void exchange_keys(int number)
{
    play.wanted = number;
    for (int p = 0; p < PARTIES; p++)
        for (struct deadline deadline = deadline_start(); play.has[p] != number;) {
            deadline_check(deadline, "the parties have the next key");
            poll(NULL, 0, 1);
        }
    go_on(20);
    party_announce(db, number);
    go_on(20);
    party_make_current(db, number + 1);
    go_on(20);
    go_on(3 * VALUES); /* all of them once more: with the previous key none is lost */
    party_finish(db, number + 1);
    go_on(20);
}

/* ---- what must come out ---- */
static int64_t count_of(const char *name, const char *sql)
{
    const struct statement statement = {name, sql};
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, &arena);
    database_must(db_run(db, &statement, &p, &r, NULL, &err), &err);
    int64_t number = db_int8(r, 0, 0);
    return number;
}

static int root_of(const int *parent, int i)
{
    while (parent[i] != i)
        i = parent[i];
    return i;
}

static int unite(int *parent)
{
    int roots = 0;
    for (int v = 0; v < VALUES; v++)
        parent[v] = v;
    for (int p = 0; p < PARTIES; p++)
        for (int a = 0; a < VALUES; a++)
            for (int b = 0; b < VALUES; b++)
                if (play.links[p][a][b])
                    parent[root_of(parent, a)] = root_of(parent, b);
    for (int v = 0; v < play.known; v++)
        roots += parent[v] == v;
    return roots;
}

/* Under the last key, which alone is at work. */
static struct id profile_of(int value)
{
    struct value_hash hash = {party_hash(EXCHANGES, value), {{0}}};
    struct value_hashes hashes = {&hash, 1, 1};
    struct found_rows found = {0};
    struct identifier_rows rows = {0};
    database_must(identity_store_find_hashes(db, &arena, &hashes, &found, &err), &err);
    assert_int_equal(found.count, 1);
    database_must(
        identity_store_find_identifiers(db, &arena, &found.items[0].identifier_id, 1, &rows, &err),
        &err);
    assert_int_equal(rows.count, 1);
    return rows.items[0].profile_id;
}

/* Every value has one id, and profiles are the components of the touchpoints. */
static void check_profiles(void)
{
    int parent[VALUES], roots = unite(parent);
    assert_int_equal(count_of("test_identifiers", "SELECT count(*) FROM identity.identifiers"),
                     play.known);
    assert_int_equal(
        count_of("test_profiles", "SELECT count(DISTINCT profile_id) FROM identity.identifiers"),
        roots);
    assert_true(roots > 7 && roots < play.known);
    for (int v = 0; v < play.known; v++) {
        struct id profile = profile_of(v), root = profile_of(root_of(parent, v));
        assert_true(id_equal(&profile, &root));
    }
    for (int number = 0; number <= EXCHANGES; number++) /* ids of all keys */
        assert_true(
            count_of(arena_printf(&arena, "test_key_%d", number),
                     arena_printf(&arena,
                                  "SELECT count(*) FROM identity.identifiers WHERE key_number = %d",
                                  number)) > 0);
}

static void two_at_once_through_several_exchanges(void **state)
{
    pthread_t threads[PARTIES];
    const char *given = getenv("IDENTITY_SEED");
    seed = given ? strtoull(given, NULL, 10) : 1;
    memset(&play, 0, sizeof play);
    play.known = MORE_VALUES;
    database_must(party_start(&parties[0], 0, NO_KEY, &err), &err);
    for (int p = 0; p < PARTIES; p++)
        restart(&parties[p], 0);
    for (int p = 0; p < PARTIES; p++)
        assert_int_equal(pthread_create(&threads[p], NULL, play_party, &parties[p]), 0);
    for (int number = 0; number < EXCHANGES; number++)
        exchange_keys(number);
    wait_for(2 * VALUES); /* those that came last are seen, too */
    play.ends = true;
    for (int p = 0; p < PARTIES; p++)
        pthread_join(threads[p], NULL);
    check_profiles();
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
    scratch_create(&scratch, "tutti_keys_play_test");
    db = database_open(scratch.url);
    database_must(migrations_up(db, &schema_files, false, NULL, &err), &err);
    for (int p = 0; p < PARTIES; p++)
        parties[p].resolver.db = database_open(scratch.url);
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {TEST(two_at_once_through_several_exchanges)};
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    for (int p = 0; p < PARTIES; p++)
        db_close(parties[p].resolver.db);
    db_close(db);
    arena_free(&arena);
    scratch_drop(&scratch);
    return failures;
}
