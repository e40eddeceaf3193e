/* identity_plain_test.c: new identifiers join without the profile's links being asked up to every
 * bound, and not beyond. */
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

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Three devices come to one user, one by one. */
struct bound {
    const char *user, *device, *root; /* of the policy */
    enum refusal rule;
    /* links refused in the end; identifiers that joined plainly, the user included */
    size_t refused, plain;
};

static const struct bound bounds[] = {
    {"", "", "", REFUSED_NOT, 0, 4},
    {"", "", ", \"max_identifiers\": 3", REFUSED_MAX_IDENTIFIERS, 1, 3},
    {"", ", \"limit\": {\"count\": 2}", "", REFUSED_LIMIT, 1, 3},
    {"", ", \"unique\": true", "", REFUSED_UNIQUE, 2, 2},
    {"", "", ", \"max_degree\": 2", REFUSED_QUARANTINE, 3, 2},
    {", \"max_links\": {\"device_id\": 2}", "", "", REFUSED_QUARANTINE, 3, 3},
    {"", "", ", \"pairs\": [{\"types\": [\"user_id\", \"device_id\"], \"links\": false}]",
     REFUSED_PAIR, 3, 0},
};

static const struct identity_type user_type = {.name = SPAN("user_id"), .rank = 1},
                                  device_type = {.name = SPAN("device_id"), .rank = 6};
static const struct id user = {{1}}, other_user = {{2}};
static struct scratch scratch;
static struct db *db; /* of the checks */
static struct resolver resolver;
static struct arena arena;
static struct err err;
static size_t largest; /* profile of the last transaction */

static struct id device_id(uint8_t number)
{
    return (struct id){{7, number}};
}

static void see(struct sightings *batch, const struct id *anchor, const struct id *device)
{
    struct typed_id *ids = arena_array(&arena, struct typed_id, 2);
    ids[0] = (struct typed_id){*anchor, &user_type};
    ids[1] = (struct typed_id){*device, &device_type};
    *arena_push(&arena, batch) = (struct sighting){
        *device,  {1700000000 * US_PER_SECOND + device->bytes[1]}, ids, 2, false, SPAN_NONE,
        SPAN_NONE};
}

/* Returns how many new identifiers joined plainly. */
static size_t feed(const struct sightings *batch)
{
    struct committed_change change;
    database_must(resolver_look_up(&resolver, &arena, batch, &err), &err);
    database_must(resolver_transact(&resolver, &arena, batch, (struct instant){0}, &change, &err),
                  &err);
    largest = change.counts.largest_profile;
    return change.counts.plain;
}

static size_t feed_one(const struct id *anchor, uint8_t device)
{
    struct sightings batch = {0};
    struct id id = device_id(device);
    see(&batch, anchor, &id);
    return feed(&batch);
}

static int64_t number_of(const char *sql)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, &arena);
    database_must(
        db_run(db, &(struct statement){arena_printf(&arena, "test_%p", (const void *)sql), sql}, &p,
               &r, NULL, &err),
        &err);
    int64_t number = db_int8(r, 0, 0);
    return number;
}

static int64_t refused_by(enum refusal rule)
{
    return number_of(arena_printf(
        &arena, "SELECT count(*) FROM identity.links WHERE refused_by = %d", (int)rule));
}

static void start(const struct bound *bound)
{
    static const char empty[] =
        "TRUNCATE identity.identifiers, identity.links, identity.changes, identity.outbox,"
        " identity.manual_evidence, identity.policies, identity.settings";
    const char *policy = arena_printf(&arena,
                                      "{\"types\": [{\"type\": \"user_id\", \"rank\": 1%s}, "
                                      "{\"type\": \"device_id\", \"rank\": 6%s}]%s}",
                                      bound->user, bound->device, bound->root);
    int32_t version;
    database_must(db_script(db, empty, &err), &err);
    database_must(resolver_activate_policy(db, &arena, span_of(policy), "tester", &version, &err),
                  &err);
    database_must(
        db_script(db, "UPDATE identity.policies SET is_complete = true WHERE is_active", &err),
        &err);
    resolver_close(&resolver);
    resolver = (struct resolver){.db = resolver.db};
    resolver_cache_open(&resolver.cache, 1 << 20);
}

static void joins_are_plain_up_to_each_bound(void **state)
{
    for (size_t i = 0; i < COUNT(bounds); i++) {
        size_t plain = 0;
        start(&bounds[i]);
        for (uint8_t device = 0; device < 3; device++)
            plain += feed_one(&user, device);
        assert_int_equal(number_of("SELECT count(*) FROM identity.links WHERE refused_by <> 0"),
                         bounds[i].refused);
        assert_int_equal(refused_by(bounds[i].rule), bounds[i].rule ? bounds[i].refused : 3);
        assert_int_equal(plain, bounds[i].plain);
    }
}

/* Joined plainly, or by the general way because the third device is refused. */
static void the_largest_profile_is_what_takes_places(void **state)
{
    static const struct {
        struct bound bound;
        size_t largest;
    } rows[] = {
        {{"", "", "", REFUSED_NOT, 0, 1}, 4},
        {{"", ", \"counts\": false", "", REFUSED_NOT, 0, 1}, 1},
        {{"", ", \"limit\": {\"count\": 2}", "", REFUSED_LIMIT, 1, 0}, 3},
        {{"", ", \"counts\": false, \"limit\": {\"count\": 2}", "", REFUSED_LIMIT, 1, 0}, 1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        start(&rows[i].bound);
        feed_one(&user, 0);
        feed_one(&user, 1);
        assert_int_equal(feed_one(&user, 2), rows[i].bound.plain);
        assert_int_equal(largest, rows[i].largest);
    }
}

static void a_profile_with_a_refused_link_is_not_plain(void **state)
{
    start(&bounds[3]);
    feed_one(&user, 0);
    feed_one(&user, 1);
    /* both ends */
    assert_int_equal(number_of("SELECT count(*) FROM identity.identifiers WHERE has_refused"), 2);
    assert_int_equal(feed_one(&user, 2), 0);
    assert_int_equal(feed_one(&other_user, 1), 0); /* the far end of the refused link */
    assert_int_equal(feed_one(&other_user, 3), 0);
}

static void a_new_device_unites_two_profiles_unless_they_are_cut(void **state)
{
    for (int is_cut = 0; is_cut < 2; is_cut++) {
        struct manual_order cut = {SPAN("cut"), user, other_user, SPAN("tester"), SPAN("a test")};
        struct resolve_orders orders = {&cut, 1};
        struct review review = {.orders = &orders};
        struct review_result result;
        struct sightings both = {0};
        struct id device = device_id(2);
        start(&bounds[0]);
        feed_one(&user, 0);
        feed_one(&other_user, 1);
        if (is_cut)
            database_must(resolver_review(&resolver, &arena, &review, &result, &err), &err);
        see(&both, &user, &device);
        see(&both, &other_user, &device);
        assert_int_equal(feed(&both), is_cut ? 0 : 1);
        assert_int_equal(refused_by(REFUSED_CUT), is_cut);
        assert_int_equal(number_of("SELECT count(DISTINCT profile_id) FROM identity.identifiers"),
                         1 + is_cut);
    }
}

static void a_stored_link_that_is_older_now_is_not_plain(void **state)
{
    struct sightings again = {0};
    struct id device = device_id(1);
    start(&bounds[0]);
    feed_one(&user, 1);
    see(&again, &user, &device);
    again.items[0].occurred_at.us -= 1;
    feed(&again);
    assert_int_equal(number_of("SELECT count(*) FROM identity.links WHERE first_seen_at < "
                               "'2023-11-14 22:13:20.000001Z'"),
                     1);
}

static void open_all(void)
{
    scratch_create(&scratch, "tutti_plain_test");
    db = database_open(scratch.url);
    database_must(migrations_up(db, &schema_files, false, NULL, &err), &err);
    resolver.db = database_open(scratch.url);
}

int main(void)
{
    if (database_server() == NULL)
        return DATABASE_SKIPPED;
    open_all();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_are_plain_up_to_each_bound),
        cmocka_unit_test(the_largest_profile_is_what_takes_places),
        cmocka_unit_test(a_profile_with_a_refused_link_is_not_plain),
        cmocka_unit_test(a_new_device_unites_two_profiles_unless_they_are_cut),
        cmocka_unit_test(a_stored_link_that_is_older_now_is_not_plain),
    };
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    resolver_close(&resolver);
    db_close(resolver.db);
    db_close(db);
    arena_free(&arena);
    scratch_drop(&scratch);
    return failures;
}
