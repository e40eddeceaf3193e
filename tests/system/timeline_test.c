/* timeline_test.c: the blocks of timeline.h on a real PostgreSQL, with the journey's tables: facts,
 * anchors, states, and their one lock order under contention. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/store/migrations.h"
#include "common/store/schema_migrations.h"
#include "services/journey-tracker/store/journey_store.h"
#include "tests/support/database.h"
#include "tests/support/random.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct scratch scratch;
static struct db *db;
static struct timeline *timeline;
static struct arena arena;
static struct err err;

static void must(enum outcome outcome)
{
    if (outcome != OUTCOME_OK)
        print_error("%s: %s\n", err.code, err.message);
    assert_int_equal(outcome, OUTCOME_OK);
}

static int set_up(void **state)
{
    db = database_open(scratch.url);
    timeline = timeline_new(&journey_timeline);
    err = (struct err){0};
    must(db_script(
        db, "DELETE FROM journey.facts; DELETE FROM journey.anchors; DELETE FROM journey.states",
        &err));
    return 0;
}

static int tear_down(void **state)
{
    db_rollback(db);
    timeline_free(timeline);
    db_close(db);
    arena_free(&arena);
    return 0;
}

static int64_t number_of(const char *name, const char *sql)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, &arena);
    must(db_run(db, &(struct statement){name, sql}, &p, &r, NULL, &err));
    int64_t v = db_rows(r) ? db_int8(r, 0, 0) : -1;
    return v;
}

/* ---- facts ---- */
static struct fact_key key(int64_t anchor, int64_t at, uint8_t event)
{
    return (struct fact_key){anchor, {at}, {{[15] = event}}};
}

/* Everything but the key is absent, unless the table demands it. */
static struct journey_fact fact(int64_t anchor, int64_t at, uint8_t event)
{
    return (struct journey_fact){.key = key(anchor, at, event),
                                 .shape = 7,
                                 .received_at = {INT64_MIN},
                                 .value_micros = INT64_MIN,
                                 .margin_micros = INT64_MIN,
                                 .cost_micros = INT64_MIN,
                                 .score = INT16_MIN,
                                 .message_id = SPAN("m")};
}

static struct journey_fact *read_range(struct fact_range range, size_t *count)
{
    void *facts = NULL;
    must(timeline_read_facts(timeline, db, &arena, &range, 1, &facts, count, &err));
    return facts;
}

static struct fact_range whole(int64_t anchor)
{
    struct fact_range range = {.anchor = anchor, .from = INSTANT_FIRST, .until = INSTANT_NEVER};
    return range;
}

static void sorting_drops_repeats_of_a_key(void **state)
{
    struct journey_fact facts[] = {fact(2, 5, 1), fact(-1, 9, 1), fact(2, 5, 1), fact(2, 4, 9),
                                   fact(2, 5, 0)};
    assert_int_equal(timeline_sort_facts(timeline, facts, COUNT(facts)), 4);
    const struct fact_key want[] = {key(-1, 9, 1), key(2, 4, 9), key(2, 5, 0), key(2, 5, 1)};
    for (size_t i = 0; i < COUNT(want); i++)
        assert_int_equal(fact_key_compare(&facts[i].key, &want[i]), 0);
}

static void insert_tells_what_was_there(void **state)
{
    struct journey_fact facts[] = {fact(1, 5, 1), fact(1, 5, 2), fact(1, 6, 1), fact(2, 5, 1)};
    bool inserted[4];
    must(timeline_insert_facts(timeline, db, &arena, facts, 2, inserted, &err));
    assert_true(inserted[0] && inserted[1]);
    facts[0].value_micros = 99; /* the same key with another body: the first stays */
    must(timeline_insert_facts(timeline, db, &arena, facts, 4, inserted, &err));
    assert_true(!inserted[0] && !inserted[1] && inserted[2] && inserted[3]);
    size_t count;
    struct journey_fact *read = read_range(whole(1), &count);
    assert_int_equal(count, 3);
    assert_int_equal(read[0].value_micros, INT64_MIN);
}

static void copy_refuses_a_repeat(void **state)
{
    struct journey_fact facts[] = {fact(1, 5, 1), fact(1, 6, 1)},
                        again[] = {fact(0, 1, 1), fact(1, 6, 1)};
    must(timeline_copy_facts(timeline, db, facts, 2, &err));
    must(db_begin(db, &err));
    assert_int_equal(timeline_copy_facts(timeline, db, again, 2, &err), OUTCOME_REJECT);
    assert_true(db_sqlstate_is(db, "23505"));
    db_rollback(db);
    assert_int_equal(number_of("test_facts", "SELECT count(*) FROM journey.facts"), 2);
}

static void check_absent(void)
{
    size_t count;
    struct journey_fact *read = read_range(whole(1), &count);
    assert_int_equal(count, 1);
    assert_int_equal(read->shape, 7);
    assert_int_equal(read->value_micros, INT64_MIN);
    assert_int_equal(read->margin_micros, INT64_MIN);
    assert_int_equal(read->score, INT16_MIN);
    assert_int_equal(
        number_of(
            "test_nulls",
            "SELECT count(*) FROM journey.facts WHERE num_nulls(received_at, value_micros,"
            " margin_micros, cost_micros, score, order_id, content_id, product_id, location_id,"
            " agent_id, decision_id) = 11"),
        1);
    must(db_script(db, "DELETE FROM journey.facts", &err));
}

static void absent_values_are_null_both_ways(void **state)
{
    struct journey_fact one = fact(1, 5, 1);
    bool inserted;
    must(timeline_copy_facts(timeline, db, &one, 1, &err));
    check_absent();
    must(timeline_insert_facts(timeline, db, &arena, &one, 1, &inserted, &err));
    check_absent();
}

static void check_present(void)
{
    size_t count;
    struct journey_fact *read = read_range(whole(1), &count);
    assert_int_equal(count, 1);
    assert_int_equal(read->value_micros, -5);
    assert_int_equal(read->margin_micros, 0);
    assert_int_equal(read->score, -100);
    assert_int_equal(
        number_of("test_texts",
                  "SELECT count(*) FROM journey.facts WHERE order_id = 'o' AND content_id = ''"
                  " AND decision_id = 'd' AND cost_micros = 3"
                  " AND received_at = timestamptz '1970-01-01 00:00:00.000002+00'"),
        1);
    must(db_script(db, "DELETE FROM journey.facts", &err));
}

static void present_values_come_back(void **state)
{
    struct journey_fact one = fact(1, 5, 1);
    bool inserted;
    one.received_at.us = 2;
    one.value_micros = -5;
    one.margin_micros = 0;
    one.cost_micros = 3;
    one.score = -100;
    one.order_id = SPAN("o");
    one.content_id = SPAN("");
    one.decision_id = SPAN("d");
    must(timeline_copy_facts(timeline, db, &one, 1, &err));
    check_present();
    must(timeline_insert_facts(timeline, db, &arena, &one, 1, &inserted, &err));
    check_present();
}

static void ranges_exclude_their_start_and_include_their_end(void **state)
{
    struct journey_fact facts[] = {fact(1, 5, 1), fact(1, 5, 2), fact(1, 6, 0),
                                   fact(1, 6, 1), fact(1, 6, 2), fact(2, 6, 1)};
    static const struct {
        int64_t from, until;
        size_t first, count;
    } rows[] = {{5, 6, 2, 3}, {4, 5, 0, 2}, {4, 6, 0, 5}, {5, 5, 0, 0}, {6, 9, 0, 0}};
    must(timeline_copy_facts(timeline, db, facts, COUNT(facts), &err));
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t count;
        struct fact_range range = {1, {rows[i].from}, {rows[i].until}};
        struct journey_fact *read = read_range(range, &count);
        assert_int_equal(count, rows[i].count);
        for (size_t k = 0; k < count; k++)
            assert_int_equal(fact_key_compare(&read[k].key, &facts[rows[i].first + k].key), 0);
    }
}

static void several_ranges_come_sorted_by_key(void **state)
{
    struct journey_fact facts[] = {fact(-9, 3, 1), fact(1, 5, 1), fact(1, 6, 1), fact(4, 1, 1)};
    must(timeline_copy_facts(timeline, db, facts, COUNT(facts), &err));
    struct fact_range ranges[] = {whole(4), whole(1), whole(77), whole(-9)};
    void *read = NULL;
    size_t count;
    must(timeline_read_facts(timeline, db, &arena, ranges, COUNT(ranges), &read, &count, &err));
    assert_int_equal(count, COUNT(facts));
    for (size_t i = 0; i < count; i++)
        assert_int_equal(fact_key_compare(&((struct journey_fact *)read)[i].key, &facts[i].key), 0);
}

static void first_facts_come_in_the_order_asked(void **state)
{
    struct journey_fact facts[] = {fact(1, 5, 1), fact(1, 6, 1), fact(2, 3, 1)};
    must(timeline_copy_facts(timeline, db, facts, COUNT(facts), &err));
    int64_t anchors[] = {2, 99, 1, 2};
    struct instant first[4];
    must(timeline_first_facts(timeline, db, &arena, anchors, 4, first, &err));
    assert_int_equal(first[0].us, 3);
    assert_int_equal(first[1].us, INSTANT_NEVER.us);
    assert_int_equal(first[2].us, 5);
    assert_int_equal(first[3].us, 3);
}

/* ---- anchors ---- */
static struct id id(uint8_t first, uint8_t last)
{
    return (struct id){{[0] = first, [15] = last}};
}

/* number: of the change; versions are even. */
static struct anchor_move move(uint8_t anchor, uint8_t profile, int64_t number)
{
    return (struct anchor_move){id(anchor, 0), id(profile, 0), 2 * number};
}

static struct anchor_row *apply(const struct anchor_move *moves, size_t count, size_t *row_count)
{
    struct anchor_row *rows = NULL;
    must(timeline_lock_anchors(timeline, db, &arena, moves, count, &rows, row_count, &err));
    return rows;
}

/* Applies one move in a transaction of its own. */
static struct anchor_row apply_one(struct anchor_move m)
{
    size_t count;
    must(db_begin(db, &err));
    struct anchor_row row = *apply(&m, 1, &count);
    assert_int_equal(count, 1);
    must(db_commit(db, &err));
    return row;
}

static void the_newest_move_wins(void **state)
{
    static const struct {
        uint8_t profile;
        int64_t version;
        uint8_t profile_after, old_profile;
        int64_t version_after;
        bool is_inserted, is_moved, is_newer;
    } rows[] = {
        {1, 5, 1, 0, 5, true, false, false},
        {2, 7, 2, 1, 7, false, true, true},   /* newer: moves */
        {3, 6, 2, 2, 7, false, false, false}, /* older: loses */
        {3, 7, 2, 2, 7, false, false, false}, /* the same version: the first stays */
        /* newer, the same profile: the version is remembered */
        {2, 9, 2, 2, 9, false, false, true},
        {3, 8, 2, 2, 9, false, false, false}, /* so that an older move loses afterwards */
        {3, 10, 3, 2, 10, false, true, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct anchor_row row = apply_one(move(50, rows[i].profile, rows[i].version));
        assert_int_equal(row.profile_id.bytes[0], rows[i].profile_after);
        assert_int_equal(row.old_profile_id.bytes[0], rows[i].old_profile);
        assert_int_equal(row.version, 2 * rows[i].version_after);
        assert_int_equal(row.is_inserted, rows[i].is_inserted);
        assert_int_equal(row.is_moved, rows[i].is_moved);
        assert_int_equal(row.is_newer, rows[i].is_newer);
        assert_int_equal(number_of("test_version", "SELECT version FROM journey.anchors"),
                         2 * rows[i].version_after);
        assert_int_equal(number_of("test_profile", "SELECT profile >> 56 FROM journey.anchors"),
                         rows[i].profile_after);
    }
}

static void one_call_takes_the_newest_of_each_anchor(void **state)
{
    apply_one(move(20, 1, 3));
    struct anchor_move moves[] = {move(30, 5, 4), move(20, 2, 4), move(30, 6, 8),
                                  move(10, 9, 0), move(20, 3, 9), move(20, 2, 5)};
    size_t count;
    struct anchor_row *rows = apply(moves, COUNT(moves), &count);
    assert_int_equal(count, 3);
    const uint8_t anchors[] = {10, 20, 30}, profiles[] = {9, 3, 6};
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(rows[i].anchor_id.bytes[0], anchors[i]);
        assert_int_equal(rows[i].profile_id.bytes[0], profiles[i]);
        assert_int_equal(rows[i].is_inserted, i != 1);
        assert_int_equal(rows[i].is_moved, i == 1);
    }
}

static void a_shared_short_key_is_rejected(void **state)
{
    struct anchor_move moves[] = {{id(8, 1), id(1, 0), 1}, {id(8, 2), id(1, 0), 1}};
    struct anchor_row *rows;
    size_t count;
    assert_int_equal(timeline_lock_anchors(timeline, db, &arena, moves, 2, &rows, &count, &err),
                     OUTCOME_REJECT);
    assert_string_equal(err.code, "anchor_collision");
    apply_one(moves[0]);
    assert_int_equal(timeline_lock_anchors(timeline, db, &arena, &moves[1], 1, &rows, &count, &err),
                     OUTCOME_REJECT);
    assert_string_equal(err.code, "anchor_collision");
    assert_int_equal(number_of("test_anchors", "SELECT count(*) FROM journey.anchors"), 1);
}

static void members_come_sorted(void **state)
{
    struct anchor_move moves[] = {move(30, 2, 1), move(10, 2, 1), move(20, 1, 1), move(40, 3, 1)};
    size_t count;
    apply(moves, COUNT(moves), &count);
    struct id p2 = id(2, 0), p1 = id(1, 0);
    int64_t profiles[] = {id_short(&p2), id_short(&p1)};
    struct member_row *rows;
    must(timeline_members(timeline, db, &arena, profiles, 2, &rows, &count, &err));
    assert_int_equal(count, 3);
    const uint8_t anchors[] = {20, 10, 30};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(rows[i].profile >> 56, i == 0 ? 1 : 2);
        assert_int_equal(rows[i].anchor >> 56, anchors[i]);
    }
}

static void a_shared_anchor_is_no_member(void **state)
{
    struct id profile = id(5, 0);
    int64_t key = id_short(&profile);
    struct member_row *rows;
    size_t count;
    apply_one(move(5, 5, 1));
    for (int64_t number = 2; number < 6; number++) { /* into quarantine and out of it */
        struct anchor_move moves[] = {move(5, 5, number)};
        moves[0].version += number % 2 == 0;
        struct anchor_row row = apply_one(moves[0]);
        assert_true(row.is_moved);
        assert_int_equal(row.was_shared, number % 2 == 1);
        must(timeline_members(timeline, db, &arena, &key, 1, &rows, &count, &err));
        assert_int_equal(count, number % 2 == 0 ? 0 : 1);
    }
}

/* ---- states ---- */
static struct state_row *lock_states(const int64_t *profiles, size_t count, size_t *row_count)
{
    struct state_row *rows = NULL;
    must(timeline_lock_states(timeline, db, &arena, profiles, count, &rows, row_count, &err));
    return rows;
}

/* Three saved states, of profiles -3, 1 and 5, ver 1. */
static struct state_row *three_states(void)
{
    int64_t profiles[] = {5, -3, 1, 5};
    size_t count;
    struct state_row *rows = lock_states(profiles, COUNT(profiles), &count);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++) {
        assert_true(rows[i].is_absent);
        assert_int_equal(rows[i].ver, 0);
        assert_int_equal(rows[i].payload.len, 0);
        rows[i].generation = 4;
        rows[i].members = 10 + (int64_t)i;
        rows[i].payload = span_of(arena_printf(&arena, "state %zu", i));
    }
    must(timeline_save_states(timeline, db, &arena, rows, count, &err));
    assert_int_equal(rows[0].ver, 1);
    return rows;
}

static void saved_states_come_back_sorted(void **state)
{
    three_states();
    int64_t profiles[] = {5, 6, 1, -3};
    size_t count;
    struct state_row *rows = lock_states(profiles, COUNT(profiles), &count);
    const int64_t order[] = {-3, 1, 5, 6};
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(rows[i].profile, order[i]);
        assert_int_equal(rows[i].is_absent, i == 3);
        assert_int_equal(rows[i].ver, i < 3 ? 1 : 0);
        assert_int_equal(rows[i].members, i < 3 ? 10 + i : 0);
        assert_int_equal(rows[i].generation, i < 3 ? 4 : 0);
    }
    assert_true(span_is(rows[2].payload, "state 2"));
    assert_ptr_equal(timeline_find_state(rows, count, 1), &rows[1]);
    assert_null(timeline_find_state(rows, count, 2));
}

static void saving_bumps_the_version_each_time(void **state)
{
    struct state_row *rows = three_states();
    must(timeline_save_states(timeline, db, &arena, rows, 3, &err));
    assert_int_equal(rows[2].ver, 2);
    assert_int_equal(number_of("test_ver", "SELECT sum(ver)::bigint FROM journey.states"), 6);
}

static void only_one_of_two_derives_a_new_profile(void **state)
{
    struct db *other = database_open(scratch.url);
    int64_t profile = 7;
    struct state_row *rows = NULL, *late = NULL;
    size_t count;
    must(db_begin(db, &err));
    must(db_begin(other, &err));
    rows = lock_states(&profile, 1, &count);
    must(timeline_lock_states(timeline, other, &arena, &profile, 1, &late, &count, &err));
    assert_true(rows[0].is_absent && late[0].is_absent);
    must(timeline_save_states(timeline, db, &arena, rows, 1, &err));
    must(db_commit(db, &err));
    assert_int_equal(timeline_save_states(timeline, other, &arena, late, 1, &err), OUTCOME_RETRY);
    assert_string_equal(err.code, "state_race");
    db_rollback(other);
    db_close(other);
    assert_int_equal(number_of("test_ver", "SELECT sum(ver)::bigint FROM journey.states"), 1);
}

static bool swap(struct state_row *rows, size_t count)
{
    bool swapped;
    must(timeline_swap_states(timeline, db, &arena, rows, count, &swapped, &err));
    return swapped;
}

static void swapping_reports_all_or_nothing(void **state)
{
    struct state_row *rows = three_states();
    rows[1].payload = SPAN("new");
    assert_true(swap(rows, 3));
    assert_int_equal(rows[0].ver, 2);
    assert_int_equal(number_of("test_ver", "SELECT sum(ver)::bigint FROM journey.states"), 6);
    assert_int_equal(
        number_of("test_new",
                  "SELECT count(*) FROM journey.states WHERE payload = 'new' AND members = 11"),
        1);
    rows[1].ver = 1; /* another instance was first */
    must(db_begin(db, &err));
    assert_false(swap(rows, 3));
    assert_int_equal(rows[0].ver, 2);
    db_rollback(db);
    assert_int_equal(number_of("test_ver", "SELECT sum(ver)::bigint FROM journey.states"), 6);
}

static void swapping_needs_the_generation_and_the_row(void **state)
{
    struct state_row *rows = three_states();
    rows[2].generation = 5;
    assert_false(swap(&rows[2], 1));
    rows[2].generation = 4;
    assert_true(swap(&rows[2], 1));
    rows[2].profile = 77;
    assert_false(swap(&rows[2], 1));
}

/* ---- two connections ---- */
enum { ROUNDS = 200, CROWD = 12 };

struct worker {
    struct random dice;
    int64_t newest[CROWD]; /* version of the last move of each anchor */
    uint8_t profile[CROWD];
    struct err err;
    enum outcome outcome;
};

static enum outcome contend_round(struct worker *w, struct timeline *tl, struct db *own,
                                  struct arena *a, int64_t version)
{
    struct journey_fact facts[6];
    struct anchor_move moves[6];
    bool inserted[6];
    struct anchor_row *anchors;
    struct state_row *states;
    size_t n = 1 + random_below(&w->dice, 6), count, state_count;
    for (size_t i = 0; i < n; i++) {
        uint8_t anchor = (uint8_t)random_below(&w->dice, CROWD),
                profile = (uint8_t)random_below(&w->dice, CROWD);
        moves[i] =
            (struct anchor_move){id(anchor + 1, 0), id(profile + 1, 0), version * 8 + (int64_t)i};
        facts[i] = fact(id_short(&moves[i].anchor_id), random_below(&w->dice, 40), 1);
        w->newest[anchor] = moves[i].version;
        w->profile[anchor] = profile + 1;
    }
    size_t kept = timeline_sort_facts(tl, facts, n);
    enum outcome outcome = db_begin(own, &w->err);
    if (outcome == OUTCOME_OK)
        outcome = timeline_insert_facts(tl, own, a, facts, kept, inserted, &w->err);
    if (outcome == OUTCOME_OK)
        outcome = timeline_lock_anchors(tl, own, a, moves, n, &anchors, &count, &w->err);
    if (outcome != OUTCOME_OK)
        return outcome;
    int64_t *profiles = arena_array(a, int64_t, 2 * count);
    for (size_t i = 0; i < count; i++) {
        profiles[2 * i] = id_short(&anchors[i].profile_id);
        profiles[2 * i + 1] =
            anchors[i].is_moved ? id_short(&anchors[i].old_profile_id) : profiles[2 * i];
    }
    outcome = timeline_lock_states(tl, own, a, profiles, 2 * count, &states, &state_count, &w->err);
    for (size_t i = 0; outcome == OUTCOME_OK && i < state_count; i++)
        states[i].members++;
    if (outcome == OUTCOME_OK)
        outcome = timeline_save_states(tl, own, a, states, state_count, &w->err);
    return outcome == OUTCOME_OK ? db_commit(own, &w->err) : outcome;
}

static void *contend(void *arg)
{
    struct worker *w = arg;
    struct db *own = database_open(scratch.url);
    struct timeline *tl = timeline_new(&journey_timeline);
    struct arena a = {0};
    for (int64_t round = 1; round <= ROUNDS && w->outcome == OUTCOME_OK; round++, arena_reset(&a)) {
        struct random dice = w->dice;
        while ((w->outcome = contend_round(w, tl, own, &a, round)) == OUTCOME_RETRY &&
               strstr(w->err.code, "_race")) {
            db_rollback(own);
            w->dice = dice; /* the same round again */
        }
    }
    arena_free(&a);
    timeline_free(tl);
    db_close(own);
    return NULL;
}

/* No round may fail, so not by a deadlock either; every save adds one to both numbers of a state,
 * so none is lost; and an anchor ends where its newest move says. */
static void two_connections_never_deadlock(void **state)
{
    struct worker workers[2] = {{.dice = {11}}, {.dice = {22}}};
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, contend, &workers[i]), 0);
    for (size_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < 2; i++) {
        if (workers[i].outcome != OUTCOME_OK)
            print_error("%s: %s\n", workers[i].err.code, workers[i].err.message);
        assert_int_equal(workers[i].outcome, OUTCOME_OK);
    }
    assert_int_equal(
        number_of("test_lost",
                  "SELECT count(*) FROM journey.states WHERE ver <> members OR ver = 0"),
        0);
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, &arena);
    must(db_run(
        db, &(struct statement){"test_map", "SELECT anchor, version, profile FROM journey.anchors"},
        &p, &r, NULL, &err));
    assert_int_equal(db_rows(r), CROWD);
    for (int i = 0; i < db_rows(r); i++) {
        size_t anchor = (size_t)(db_int8(r, i, 0) >> 56) - 1;
        bool first_wins = workers[0].newest[anchor] >= workers[1].newest[anchor];
        const struct worker *newest = &workers[first_wins ? 0 : 1];
        assert_int_equal(db_int8(r, i, 1), newest->newest[anchor]);
        if (workers[0].newest[anchor] != workers[1].newest[anchor])
            assert_int_equal(db_int8(r, i, 2) >> 56, newest->profile[anchor]);
    }
}

static void migrate(void)
{
    char sql[120];
    db = database_open(scratch.url);
    database_must(migrations_up(db, &schema_files, false, NULL, &err), &err);
    snprintf(sql, sizeof sql, "ALTER DATABASE %s SET synchronous_commit = off", scratch.name);
    database_must(db_script(db, sql, &err), &err);
    scratch_use_slot(db, &scratch, 0);
    db_close(db);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    if (database_server() == NULL)
        return DATABASE_SKIPPED;
    scratch_create(&scratch, "tutti_timeline_test");
    migrate();
    const struct CMUnitTest tests[] = {
        TEST(sorting_drops_repeats_of_a_key),
        TEST(insert_tells_what_was_there),
        TEST(copy_refuses_a_repeat),
        TEST(absent_values_are_null_both_ways),
        TEST(present_values_come_back),
        TEST(ranges_exclude_their_start_and_include_their_end),
        TEST(several_ranges_come_sorted_by_key),
        TEST(first_facts_come_in_the_order_asked),
        TEST(the_newest_move_wins),
        TEST(one_call_takes_the_newest_of_each_anchor),
        TEST(a_shared_short_key_is_rejected),
        TEST(members_come_sorted),
        TEST(a_shared_anchor_is_no_member),
        TEST(saved_states_come_back_sorted),
        TEST(saving_bumps_the_version_each_time),
        TEST(only_one_of_two_derives_a_new_profile),
        TEST(swapping_reports_all_or_nothing),
        TEST(swapping_needs_the_generation_and_the_row),
        TEST(two_connections_never_deadlock),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_drop(&scratch);
    return failed;
}
