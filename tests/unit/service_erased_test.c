/* service_erased_test.c: what tombstones cover: touchpoints by time, what is said of the map by
 * version. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/service/erased.h"

/* Jane was erased at 100 with version 40, Eve at 200 before erasures had versions; Bob and Carol
 * were not. */
static const struct id jane = {{1}}, eve = {{2}}, bob = {{3}}, carol = {{4}};
static struct arena arena;
static struct erased erased;

static int set_up(void **state)
{
    map_init(&erased.tombstones, &arena, sizeof(struct id), sizeof(struct tombstone));
    *(struct tombstone *)map_put(&erased.tombstones, &jane, NULL) = (struct tombstone){{100}, 40};
    *(struct tombstone *)map_put(&erased.tombstones, &eve, NULL) = (struct tombstone){{200}, 0};
    return 0;
}

static int tear_down(void **state)
{
    arena_free(&arena);
    erased = (struct erased){0};
    return 0;
}

static void touchpoints_go_by_time(void **state)
{
    assert_true(erased_covers(&erased, &jane, (struct instant){100}));
    assert_false(erased_covers(&erased, &jane, (struct instant){101}));
    assert_true(erased_covers(&erased, &eve, (struct instant){200}));
    assert_false(erased_covers(&erased, &bob, (struct instant){1}));
    assert_int_equal(erased_version(&erased, &jane), 40);
    assert_int_equal(erased_version(&erased, &bob), 0);
}

static void moves_go_by_version(void **state)
{
    static const struct {
        const struct id *identifier, *profile;
        int64_t version, changed_at;
        bool is_covered;
    } rows[] = {
        {&jane, &bob, 38, 500, true},  /* learnt before, whatever the clock said */
        {&jane, &jane, 40, 50, false}, /* learnt after */
        /* Bob left her profile before the erasure: a newer move says so */
        {&bob, &jane, 38, 500, true},
        {&bob, &jane, 42, 50, false}, /* the new Jane's */
        {&bob, &carol, 2, 1, false},
        {&eve, &eve, 38, 200, true},
        {&eve, &eve, 38, 201, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct identity_move move = {.identifier_id = *rows[i].identifier,
                                     .profile_id = *rows[i].profile};
        struct identity_change change = {.version = rows[i].version,
                                         .changed_at = rows[i].changed_at};
        if (erased_covers_move(&erased, &change, &move) != rows[i].is_covered)
            fail_msg("row %zu", i);
    }
}

static bool covers(const struct id *anchor, const struct id *profile, int64_t version, int64_t at,
                   struct resolved_header *out)
{
    static const struct resolved_other others[] = {
        {{{1}}, {{4}}, 39, SPAN_NONE}, {{{4}}, {{1}}, 39, SPAN_NONE}, {{{3}}, {{3}}, 6, SPAN_NONE}};
    *out = (struct resolved_header){
        .anchor_id = *anchor, .profile_id = *profile, .map_version = version};
    out->others = others;
    out->other_count = 3;
    return erased_covers_resolved(&erased, out, &arena, (struct instant){at});
}

static void resolved_touchpoints_go_by_both(void **state)
{
    struct resolved_header out;
    assert_true(covers(&jane, &jane, 40, 100, &out));  /* late: it occurred before */
    assert_true(covers(&jane, &jane, 38, 101, &out));  /* dated ahead: it was resolved before */
    assert_false(covers(&jane, &jane, 40, 101, &out)); /* the new Jane */
    assert_false(covers(&bob, &jane, 42, 1, &out));    /* in her profile */
    assert_true(id_equal(&out.profile_id, &jane) && out.map_version == 42);
    assert_false(covers(&bob, &jane, 39, 1, &out)); /* he left the old Jane's since */
    assert_true(id_equal(&out.profile_id, &bob) && out.map_version == 0);
    /* Jane leaves the others, Carol her profile. */
    assert_int_equal(out.other_count, 2);
    assert_true(id_equal(&out.others[0].identifier_id, &carol) &&
                id_equal(&out.others[0].profile_id, &carol));
    assert_int_equal(out.others[0].map_version, 0);
    assert_true(id_equal(&out.others[1].identifier_id, &bob) && out.others[1].map_version == 6);
}

/* What the erased person said, for the others whom it binds; and a touchpoint without identifiers.
 */
static void without_an_anchor_only_others_are_left(void **state)
{
    static const struct id nil;
    struct resolved_header out;
    assert_true(covers(&nil, &nil, 0, 100, &out));
    assert_int_equal(out.other_count, 2);
    assert_true(id_equal(&out.others[0].identifier_id, &carol) &&
                id_equal(&out.others[1].identifier_id, &bob));
    out.others = NULL;
    out.other_count = 0;
    assert_false(erased_covers_resolved(&erased, &out, &arena, (struct instant){100}));
    struct erased none = {.version = 0};
    static const struct resolved_other others[] = {{{{3}}, {{3}}, 6, SPAN_NONE}};
    struct resolved_header header = {.others = others, .other_count = 1};
    assert_true(erased_covers_resolved(&none, &header, &arena, (struct instant){100}));
    assert_int_equal(header.other_count, 1);
}

static void the_newest_are_found(void **state)
{
    size_t cursor = 0;
    const struct id *id = erased_next(&erased, &cursor, 38);
    assert_true(id && id_equal(id, &jane));
    assert_null(erased_next(&erased, &cursor, 38));
    cursor = 0;
    assert_null(erased_next(&erased, &cursor, 40));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(touchpoints_go_by_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(moves_go_by_version, set_up, tear_down),
        cmocka_unit_test_setup_teardown(resolved_touchpoints_go_by_both, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_an_anchor_only_others_are_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_newest_are_found, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
