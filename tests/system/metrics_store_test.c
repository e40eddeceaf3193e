/* metrics_store_test.c: metrics-aggregator's transaction on a real PostgreSQL: each number once,
 * gaps, groups, two instances. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/codec/cells.h"
#include "common/codec/compress.h"
#include "common/store/migrations.h"
#include "common/store/schema_migrations.h"
#include "services/metrics-aggregator/metrics_flush.h"
#include "services/metrics-aggregator/metrics_store.h"
#include "tests/support/database.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char active[] = "00000000-0000-0000-0000-0000000000a2",
                  older[] = "00000000-0000-0000-0000-0000000000a1";

static struct scratch scratch;
static struct db *db;
static struct arena arena;
static struct metrics_flush flush;
static struct flush_counts counts;
static struct err err;

static void run_script(const char *sql)
{
    database_must(db_script(db, sql, &err), &err);
}

static int64_t number_of(const char *name, const char *sql)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, &arena);
    database_must(db_run(db, &(struct statement){name, sql}, &p, &r, NULL, &err), &err);
    int64_t v = db_rows(r) ? db_int8(r, 0, 0) : -1;
    return v;
}

static int64_t next_seq(void)
{
    return number_of("test_next", "SELECT next_seq FROM metrics.progress WHERE lane = 7");
}

/* Sum of the goal that all test cells count. */
static int64_t total(void)
{
    return number_of(
        "test_total",
        "SELECT coalesce(sum(v0), 0)::bigint FROM metrics.cells JOIN metrics.cell_keys USING (cell)"
        " WHERE family = 1 AND d0 = 5");
}

static struct generation generation(const char *uuid)
{
    struct generation g = {.number = uuid == active ? 2 : 1};
    assert_true(id_from_uuid(span_of(uuid), &g.id));
    return g;
}

static int set_up(void **state)
{
    db = database_open(scratch.url);
    err = (struct err){0};
    run_script("TRUNCATE metrics.progress, metrics.cells, metrics.late, metrics.cell_keys, "
               "journey.outbox");
    struct generation g = generation(active);
    flush_open(&flush, db, &g, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    flush_close(&flush);
    db_close(db);
    arena_free(&arena);
    return 0;
}

/* Number seq of lane 7 adds 10^(seq-1) to one cell, so that the total shows which were applied. */
static struct journey_diff diff_with(int64_t seq, bool more, const struct cell *cell,
                                     const char *uuid)
{
    struct strbuf packed = {.arena = &arena}, block = {.arena = &arena};
    cells_pack(&packed, cell, 1);
    assert_int_equal(lz4_pack(strbuf_span(&packed), &block, &err), OUTCOME_OK);
    return (struct journey_diff){.lane = 7,
                                 .seq = seq,
                                 .more = more,
                                 .generation = generation(uuid).id,
                                 .raw_size = (int32_t)packed.len,
                                 .cells = strbuf_span(&block)};
}

static struct journey_diff diff(int64_t seq, bool more)
{
    struct cell cell = {{CELL_GOAL, 17000, {5, 1, 2, 3}}, {1}};
    for (int64_t i = 1; i < seq; i++)
        cell.values[0] *= 10;
    return diff_with(seq, more, &cell, active);
}

static void put_into_outbox(const struct journey_diff *d)
{
    struct strbuf message = {.arena = &arena};
    journey_diff_encode(&message, d);
    struct params p;
    params_init(&p, &arena);
    params_int4(&p, d->lane);
    params_int8(&p, d->seq);
    params_bytea(&p, strbuf_span(&message));
    struct statement insert = {"test_outbox", "INSERT INTO journey.outbox VALUES ($1, $2, $3)"};
    database_must(db_run(db, &insert, &p, NULL, NULL, &err), &err);
}

static enum outcome flush_diffs(const struct journey_diff *diffs, size_t count)
{
    counts = (struct flush_counts){0};
    return flush_run(&flush, &arena, diffs, count, &counts, &err);
}

static void each_number_counts_once(void **state)
{
    struct journey_diff diffs[] = {diff(2, false), diff(1, false), diff(2, false)};
    assert_int_equal(flush_diffs(diffs, COUNT(diffs)), OUTCOME_OK);
    assert_int_equal(total(), 11);
    assert_int_equal(counts.applied, 2);
    assert_int_equal(counts.repeated, 1);
    assert_int_equal(flush_diffs(diffs, COUNT(diffs)), OUTCOME_OK);
    assert_int_equal(counts.repeated, 3);
    assert_int_equal(next_seq(), 3);
    assert_int_equal(total(), 11);
    assert_int_equal(number_of("test_applied", "SELECT seq FROM metrics.applied WHERE lane = 7"),
                     2);
}

/* ---- corrections ---- */
/* A cell of the goal that is so many days before the day that the database has now. */
static struct cell cell_of_days_ago(int32_t days)
{
    int64_t today = number_of("test_today", "SELECT (current_date - date '1970-01-01')::bigint");
    return (struct cell){{CELL_GOAL, (int32_t)today - days, {5}}, {1}};
}

static int64_t corrected(const char *kind)
{
    char sql[200];
    snprintf(sql, sizeof sql,
             "SELECT coalesce(sum(v0), 0)::bigint FROM metrics.late WHERE kinds & %s <> 0", kind);
    return number_of(kind, sql);
}

static void what_comes_late_is_kept_as_a_correction_once(void **state)
{
    struct cell today = cell_of_days_ago(0), before = cell_of_days_ago(3),
                last_year = cell_of_days_ago(400);
    struct journey_diff diffs[] = {diff_with(1, false, &today, active),
                                   diff_with(2, false, &before, active),
                                   diff_with(3, false, &last_year, active)};
    assert_int_equal(flush_diffs(diffs, 1), OUTCOME_OK);
    assert_int_equal(corrected("2"), 0);
    assert_int_equal(flush_diffs(diffs, 3), OUTCOME_OK);
    assert_int_equal(flush_diffs(diffs, 3), OUTCOME_OK);
    assert_int_equal(total(), 3);
    assert_int_equal(corrected("2"), 2);  /* days */
    assert_int_equal(corrected("16"), 1); /* quarters: 3 days ago it may have been another one */
    today.values[0] = before.values[0] = -5;
    struct journey_diff more[] = {diff_with(4, false, &today, active),
                                  diff_with(5, false, &before, active)};
    assert_int_equal(flush_diffs(more, 2), OUTCOME_OK);
    assert_int_equal(total(), -7);
    assert_int_equal(corrected("2"), -3);
}

/* One flush with both: only what the customer did corrects. */
static void what_is_made_again_corrects_nothing(void **state)
{
    struct cell last_year = cell_of_days_ago(400), two = last_year;
    two.values[0] = 2;
    struct journey_diff diffs[] = {diff_with(1, false, &last_year, active),
                                   diff_with(2, false, &two, active)};
    diffs[1].again = true;
    assert_int_equal(flush_diffs(diffs, 2), OUTCOME_OK);
    assert_int_equal(total(), 3);
    assert_int_equal(corrected("2"), 1);
}

static void a_rolled_back_flush_corrects_nothing(void **state)
{
    struct cell last_year = cell_of_days_ago(400);
    struct journey_diff diffs[] = {diff_with(1, false, &last_year, active),
                                   diff_with(3, false, &last_year, active)};
    assert_int_equal(flush_diffs(diffs, 2), OUTCOME_FATAL);
    assert_string_equal(err.code, "gap");
    assert_int_equal(corrected("2"), 0);
    run_script("ALTER TABLE metrics.progress ADD CONSTRAINT stuck CHECK (next_seq < 2)");
    assert_int_not_equal(flush_diffs(diffs, 1), OUTCOME_OK); /* after the sums were written */
    run_script("ALTER TABLE metrics.progress DROP CONSTRAINT stuck");
    assert_int_equal(corrected("2"), 0);
    assert_int_equal(flush_diffs(diffs, 1), OUTCOME_OK);
    assert_int_equal(corrected("2"), 1);
}

/* A restarted instance knows nothing: the locked row tells it. */
static void repeats_are_dropped_after_a_restart(void **state)
{
    struct journey_diff diffs[] = {diff(1, false), diff(2, false), diff(3, false)};
    assert_int_equal(flush_diffs(diffs, 2), OUTCOME_OK);
    struct generation g = flush.generation;
    flush_close(&flush);
    flush_open(&flush, db, &g, 1 << 20);
    assert_int_equal(flush_diffs(diffs, 3), OUTCOME_OK);
    assert_int_equal(counts.repeated, 2);
    assert_int_equal(total(), 111);
}

static void a_gap_is_filled_from_the_outbox(void **state)
{
    struct journey_diff diffs[] = {diff(1, false), diff(2, false), diff(3, false), diff(4, false)};
    put_into_outbox(&diffs[1]);
    put_into_outbox(&diffs[2]);
    struct journey_diff on_topic[] = {diffs[0], diffs[3]};
    assert_int_equal(flush_diffs(on_topic, 2), OUTCOME_OK);
    assert_int_equal(counts.from_outbox, 2);
    assert_int_equal(total(), 1111);
    assert_int_equal(next_seq(), 5);
}

static void a_long_gap_needs_several_queries(void **state)
{
    struct cell cell = {{CELL_GOAL, 17000, {5}}, {1}};
    for (int64_t seq = 1; seq < 50; seq++) {
        struct journey_diff d = diff_with(seq, false, &cell, active);
        put_into_outbox(&d);
    }
    struct journey_diff last = diff_with(50, false, &cell, active);
    assert_int_equal(flush_diffs(&last, 1), OUTCOME_OK);
    assert_int_equal(counts.from_outbox, 49);
    assert_int_equal(total(), 50);
}

/* What a flush takes of its arena to fill a gap of so many numbers. */
static size_t used_by_a_gap(int64_t count)
{
    struct cell cell = {{CELL_GOAL, 17000, {5}}, {1}};
    int64_t first = next_seq() < 0 ? 1 : next_seq();
    struct arena own = {0};
    for (int64_t seq = first; seq < first + count; seq++) {
        struct journey_diff d = diff_with(seq, false, &cell, active);
        put_into_outbox(&d);
    }
    struct journey_diff last = diff_with(first + count, false, &cell, active);
    assert_int_equal(flush_run(&flush, &own, &last, 1, &counts, &err), OUTCOME_OK);
    assert_int_equal(counts.from_outbox, count);
    size_t used = own.used;
    arena_free(&own);
    return used;
}

/* Memory holds the rows of one query, however long the gap is. */
static void a_long_gap_takes_no_more_memory(void **state)
{
    used_by_a_gap(1); /* the key of the cell is new */
    size_t used = used_by_a_gap(1);
    assert_int_equal(used_by_a_gap(200), used);
}

static void a_gap_that_nothing_fills_is_fatal(void **state)
{
    struct journey_diff diffs[] = {diff(1, false), diff(3, false), diff(5, false)};
    struct journey_diff two = diff(2, false);
    put_into_outbox(&two);
    assert_int_equal(flush_diffs(diffs, 3), OUTCOME_FATAL);
    assert_string_equal(err.code, "gap");
    assert_non_null(strstr(err.message, "lane 7: number 4"));
    assert_int_equal(total(), 0);
    assert_int_equal(next_seq(), -1);
}

static void a_group_is_applied_whole_or_not_at_all(void **state)
{
    struct journey_diff diffs[] = {diff(1, true), diff(2, true), diff(3, false)};
    assert_int_equal(flush_diffs(diffs, 1), OUTCOME_FATAL);
    assert_string_equal(err.code, "gap");
    assert_int_equal(total(), 0);
    put_into_outbox(&diffs[1]);
    put_into_outbox(&diffs[2]);
    struct journey_diff four = diff(4, false);
    put_into_outbox(&four);
    assert_int_equal(flush_diffs(diffs, 1), OUTCOME_OK);
    assert_int_equal(total(), 111);
    assert_int_equal(next_seq(), 4);
    assert_int_equal(flush_diffs(diffs + 1, 2), OUTCOME_OK);
    assert_int_equal(counts.repeated, 2);
    assert_int_equal(total(), 111);
}

static void older_policies_count_no_more(void **state)
{
    struct cell cell = {{CELL_GOAL, 17000, {5}}, {1000}};
    struct journey_diff diffs[] = {diff_with(1, false, &cell, older), diff(2, false)};
    assert_int_equal(flush_diffs(diffs, 2), OUTCOME_OK);
    assert_int_equal(counts.outdated, 1);
    assert_int_equal(total(), 10);
    assert_int_equal(next_seq(), 3);
    struct journey_diff unknown =
        diff_with(3, false, &cell, "00000000-0000-0000-0000-0000000000ff");
    assert_int_equal(flush_diffs(&unknown, 1), OUTCOME_FATAL);
    assert_string_equal(err.code, "generation_unknown");
}

/* The broken copy is rejected (the pipeline sets it aside); the next number fetches the good one.
 */
static void a_broken_message_is_replaced_by_the_outbox(void **state)
{
    struct journey_diff good = diff(1, false), broken = good, two = diff(2, false);
    put_into_outbox(&good);
    broken.cells = SPAN("\xFF\xFF\xFF");
    assert_int_equal(flush_diffs(&broken, 1), OUTCOME_REJECT);
    assert_int_equal(flush_diffs(&two, 1), OUTCOME_OK);
    assert_int_equal(total(), 11);
}

static void a_broken_outbox_is_fatal(void **state)
{
    struct journey_diff broken = diff(1, false), two = diff(2, false);
    broken.cells = SPAN("\xFF\xFF\xFF");
    put_into_outbox(&broken);
    assert_int_equal(flush_diffs(&two, 1), OUTCOME_FATAL);
    assert_string_equal(err.code, "diff_malformed");
}

static void overflow_of_a_stored_sum_is_fatal(void **state)
{
    struct cell cell = {{CELL_GOAL, 17000, {5}}, {INT64_MAX}};
    struct journey_diff diffs[] = {diff_with(1, false, &cell, active),
                                   diff_with(2, false, &cell, active)};
    assert_int_equal(flush_diffs(&diffs[0], 1), OUTCOME_OK);
    assert_int_equal(flush_diffs(&diffs[1], 1), OUTCOME_FATAL);
    assert_string_equal(err.code, "sum_overflow");
    assert_int_equal(next_seq(), 2);
}

static void a_collision_is_fatal(void **state)
{
    struct journey_diff one = diff(1, false);
    struct cell_key key = {CELL_GOAL, 17000, {5, 1, 2, 3}};
    char sql[240];
    snprintf(sql, sizeof sql,
             "INSERT INTO metrics.cell_keys (cell, family, period, d0, d1, d2, d3, d4, d5, d6, d7,"
             " d8, d9) VALUES (%lld, 1, 17000, 6, 1, 2, 3, 0, 0, 0, 0, 0, 0)",
             (long long)metrics_store_cell_hash(&key));
    run_script(sql);
    assert_int_equal(flush_diffs(&one, 1), OUTCOME_FATAL);
    assert_string_equal(err.code, "cell_collision");
    assert_int_equal(total(), 0);
}

static void keys_survive_a_full_cache(void **state)
{
    flush.cache_bytes = 0;
    struct journey_diff diffs[] = {diff(1, false), diff(2, false)};
    assert_int_equal(flush_diffs(&diffs[0], 1), OUTCOME_OK);
    assert_int_equal(flush_diffs(&diffs[1], 1), OUTCOME_OK);
    assert_int_equal(total(), 11);
    assert_int_equal(number_of("test_keys", "SELECT count(*) FROM metrics.cell_keys"), 1);
}

/* Both instances are given every number of two lanes, in small flushes. */
enum { CONTENDED = 200 };

static void *contend(void *arg)
{
    struct journey_diff *diffs = arg;
    struct db *own = database_open(scratch.url);
    struct arena own_arena = {0};
    struct metrics_flush own_flush;
    struct flush_counts own_counts;
    struct err own_err = {0};
    struct generation g = {.id = diffs[0].generation, .number = 2};
    flush_open(&own_flush, own, &g, 1 << 20);
    enum outcome outcome = OUTCOME_OK;
    for (int i = 0; i < CONTENDED && outcome == OUTCOME_OK; i += 10, arena_reset(&own_arena))
        outcome = flush_run(&own_flush, &own_arena, diffs + i, 10, &own_counts, &own_err);
    flush_close(&own_flush);
    arena_free(&own_arena);
    db_close(own);
    return outcome == OUTCOME_OK ? NULL : diffs;
}

static void two_instances_on_the_same_lanes(void **state)
{
    static struct journey_diff diffs[CONTENDED];
    for (int i = 0; i < CONTENDED; i++) {
        struct cell cell = {{CELL_GOAL, 17000 + i % 50, {5}}, {1}};
        diffs[i] = diff_with(i / 2 + 1, false, &cell, active);
        diffs[i].lane = 7 + i % 2;
    }
    pthread_t threads[3];
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, contend, diffs), 0);
    void *failed = NULL;
    for (size_t i = 0; i < COUNT(threads); i++) {
        void *one;
        pthread_join(threads[i], &one);
        failed = one ? one : failed;
    }
    assert_null(failed);
    assert_int_equal(total(), CONTENDED);
    assert_int_equal(next_seq(), CONTENDED / 2 + 1);
}

static void under_other_policies_nothing_is_added(void **state)
{
    struct journey_diff one = diff(1, false);
    flush.generation = generation(older);
    assert_int_equal(flush_diffs(&one, 1), OUTCOME_RETRY);
    assert_string_equal(err.code, "generation_changed");
    db_rollback(db);
    assert_int_equal(total(), 0);
}

/* The role of the service can do all of it, and nothing else of the producer's. */
static void the_role_of_the_service_suffices(void **state)
{
    struct journey_diff diffs[] = {diff(1, false), diff(2, false), diff(3, false)};
    put_into_outbox(&diffs[1]);
    run_script("SET ROLE tutti_metrics");
    assert_int_equal(flush_diffs(&diffs[0], 1), OUTCOME_OK);
    assert_int_equal(flush_diffs(&diffs[2], 1), OUTCOME_OK);
    assert_int_equal(db_script(db, "SELECT payload FROM journey.outbox", &err), OUTCOME_FATAL);
    run_script("RESET ROLE; SET ROLE tutti_journey");
    assert_int_equal(number_of("test_seen", "SELECT seq FROM metrics.applied"), 3);
    assert_int_equal(db_script(db, "SELECT * FROM metrics.cells", &err), OUTCOME_FATAL);
    run_script("RESET ROLE");
    assert_int_equal(total(), 111);
}

static void migrate(void)
{
    db = database_open(scratch.url);
    database_must(migrations_up(db, &schema_files, false, NULL, &err), &err);
    char sql[600];
    snprintf(sql, sizeof sql,
             "INSERT INTO tutti_meta.generations (generation, policies, is_active) VALUES ('%s', "
             "'{}', false);"
             "INSERT INTO tutti_meta.generations (generation, policies, is_active) VALUES ('%s', "
             "'{}', true);"
             "INSERT INTO journey.policies SELECT generation, 'UTC', 'UTC', 'PT30M', NULL, 'P56D', "
             "'P365D', 'linear', 40, 40, 'P7D' FROM tutti_meta.generations",
             older, active);
    run_script(sql);
    scratch_use_slot(db, &scratch, 0);
    db_close(db);
}

int main(void)
{
    if (database_server() == NULL)
        return DATABASE_SKIPPED;
    scratch_create(&scratch, "tutti_metrics_test");
    migrate();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_number_counts_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_comes_late_is_kept_as_a_correction_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_made_again_corrects_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_rolled_back_flush_corrects_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(repeats_are_dropped_after_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_gap_is_filled_from_the_outbox, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_gap_needs_several_queries, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_gap_takes_no_more_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_gap_that_nothing_fills_is_fatal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_group_is_applied_whole_or_not_at_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(older_policies_count_no_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_broken_message_is_replaced_by_the_outbox, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_broken_outbox_is_fatal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(overflow_of_a_stored_sum_is_fatal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_collision_is_fatal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keys_survive_a_full_cache, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_instances_on_the_same_lanes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(under_other_policies_nothing_is_added, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_role_of_the_service_suffices, set_up, tear_down),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_drop(&scratch);
    return failed;
}
