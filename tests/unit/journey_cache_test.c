/* journey_cache_test.c: what the tracker's cache keeps and forgets, above all while it is full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "services/journey-tracker/journey_cache.h"

static struct journey_cache cache;
static const struct touch_key last = {.at = {5}};

static int tear_down(void **state)
{
    journey_cache_close(&cache);
    return 0;
}

/* Keeps a state of 30 bytes: its profile as text, then blanks. */
static void put(int64_t profile, int64_t ver)
{
    char text[31];
    snprintf(text, sizeof text, "%-30lld", (long long)profile);
    journey_cache_put_state(&cache, profile, ver, 1, &last, (struct span){text, 30});
}

static bool has(int64_t profile, int64_t ver)
{
    char text[31];
    const struct cached_state *state = journey_cache_state(&cache, profile);
    snprintf(text, sizeof text, "%-30lld", (long long)profile);
    return state && state->ver == ver &&
           span_equal((struct span){state->payload, state->payload_len}, (struct span){text, 30});
}

static void states_come_back(void **state)
{
    journey_cache_open(&cache, 100000);
    put(1, 1);
    put(2, 1);
    put(1, 2);
    assert_true(has(1, 2) && has(2, 1) && !journey_cache_state(&cache, 3));
    journey_cache_put_state(&cache, 1, 3, 1, &last, SPAN("short"));
    assert_int_equal(journey_cache_state(&cache, 1)->payload_len, 5);
    put(1, 4);
    assert_true(has(1, 4));
    journey_cache_drop_state(&cache, 1);
    assert_null(journey_cache_state(&cache, 1));
    assert_true(has(2, 1));
}

/* Also what only the older generation has. */
static void anchors_are_forgotten(void **state)
{
    journey_cache_open(&cache, 100000);
    struct cached_anchor entry = {.version = 4};
    for (int64_t anchor = 1;
         journey_cache_anchor(&cache, 1) == NULL || cache.old_anchors.count == 0; anchor++)
        journey_cache_put_anchor(&cache, anchor, &entry);
    journey_cache_put_anchor(&cache, -1, &entry);
    assert_non_null(map_find(&cache.old_anchors, &(int64_t){2}));
    for (int64_t anchor = -1; anchor <= 2; anchor += 3) {
        journey_cache_drop_anchor(&cache, anchor);
        assert_null(journey_cache_anchor(&cache, anchor));
    }
    assert_non_null(journey_cache_anchor(&cache, 3));
}

/* Room for three states per generation: a state that is looked up stays, others go. */
static void a_full_cache_keeps_what_is_used(void **state)
{
    journey_cache_open(&cache, 3 * 90);
    for (int64_t p = 1; p <= 3; p++)
        put(p, 1);
    for (int64_t p = 100; p < 200; p++) {
        put(p, 1);
        assert_true(has(1, 1));
        assert_true(has(p, 1));
    }
    assert_null(journey_cache_state(&cache, 2));
}

/* Looking an old state up makes room for it by forgetting the old ones: not before it has been
 * moved. */
static void an_old_state_survives_its_own_move(void **state)
{
    journey_cache_open(&cache, 3 * 90);
    for (int64_t p = 1; p <= 6; p++)
        put(p, 1); /* 1 to 3 are old now, and the young ones are full */
    assert_true(has(2, 1));
    assert_true(has(5, 1)); /* old by now */
    assert_null(journey_cache_state(&cache, 1));
    assert_null(journey_cache_state(&cache, 3));
}

static void bytes_do_not_drift(void **state)
{
    journey_cache_open(&cache, 1 << 20);
    put(1, 1);
    size_t before = journey_cache_bytes(&cache);
    for (int i = 0; i < 100; i++) {
        journey_cache_put_state(&cache, 1, 1, 1, &last, SPAN("x"));
        put(1, 1);
    }
    assert_int_equal(journey_cache_bytes(&cache), before);
    put(2, 1);
    journey_cache_drop_state(&cache, 2);
    assert_int_equal(journey_cache_bytes(&cache), before);
}

static void anchors_come_and_go(void **state)
{
    journey_cache_open(&cache, 8 * 64 * 2); /* two per generation */
    for (int64_t a = 1; a <= 5; a++) {
        journey_cache_put_anchor(&cache, a, &(struct cached_anchor){.version = a});
        assert_int_equal(journey_cache_anchor(&cache, a)->version, a);
        assert_non_null(journey_cache_anchor(&cache, 1));
    }
    assert_null(journey_cache_anchor(&cache, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(states_come_back, tear_down),
        cmocka_unit_test_teardown(anchors_are_forgotten, tear_down),
        cmocka_unit_test_teardown(a_full_cache_keeps_what_is_used, tear_down),
        cmocka_unit_test_teardown(an_old_state_survives_its_own_move, tear_down),
        cmocka_unit_test_teardown(bytes_do_not_drift, tear_down),
        cmocka_unit_test_teardown(anchors_come_and_go, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
