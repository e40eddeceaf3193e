/* journey_sweep_sales.c: see journey_sweep_sales.h. */
#include "services/journey-tracker/journey_sweep_sales.h"

#include "journey_tracker_sql.h"
#include "services/journey-tracker/journey_convert.h"
#include "services/journey-tracker/journey_said.h"
#include "services/journey-tracker/journey_saving.h"

enum { SALES_PER_STEP = 5000 };

struct lone {
    struct tracker *tracker;
    struct arena *arena;
};

static enum outcome run_of_generation(struct lone *lone, const struct statement *statement,
                                      struct db_result **r, struct err *err)
{
    struct params p;
    params_init(&p, lone->arena);
    params_uuid(&p, &lone->tracker->generation.id);
    return db_run(lone->tracker->db, statement, &p, r, NULL, err);
}

static int64_t or_absent(const struct db_result *r, int row, int column)
{
    return db_is_null(r, row, column) ? INT64_MIN : db_int8(r, row, column);
}

static enum outcome count_row(struct tracker *tracker, struct saving *saving,
                              const struct db_result *r, int row, int column, struct fact_key key,
                              struct err *err)
{
    struct journey_fact fact = {.key = key,
                                .shape = db_int4(r, row, column),
                                .value_micros = or_absent(r, row, column + 1),
                                .margin_micros = or_absent(r, row, column + 2),
                                .cost_micros = INT64_MIN,
                                .score = INT16_MIN,
                                .zone = INT16_MIN};
    struct touch touch;
    CHECK(convert_touch(tracker, saving->effects.arena, &fact, &touch, err));
    journey_alone(&tracker->policy, &touch, &saving->effects);
    return OUTCOME_OK;
}

/* Counts the next sales after *last; *last is the key of the last of them. */
static enum outcome next_lone(struct tracker *tracker, struct fact_key *last, struct saving *saving,
                              int *rows, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, saving->effects.arena);
    params_timestamptz(&p, last->occurred_at);
    params_uuid(&p, &last->event_id);
    params_int8(&p, SALES_PER_STEP);
    CHECK(db_run(tracker->db, &sql_find_lone_sales, &p, &r, NULL, err));
    *rows = db_rows(r);
    for (int i = 0; i < *rows; i++) {
        *last = (struct fact_key){db_int8(r, i, 0), db_timestamptz(r, i, 1), db_uuid(r, i, 2)};
        CHECK(count_row(tracker, saving, r, i, 3, *last, err));
    }
    return OUTCOME_OK;
}

/* The same of sales of erased people, by number. They have no rows of their own. */
static enum outcome next_kept(struct tracker *tracker, int64_t *last, struct saving *saving,
                              int *rows, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, saving->effects.arena);
    params_int8(&p, *last);
    params_int8(&p, SALES_PER_STEP);
    CHECK(db_run(tracker->db, &sql_find_kept_sales, &p, &r, NULL, err));
    *rows = db_rows(r);
    for (int i = 0; i < *rows; i++) {
        *last = db_int8(r, i, 0);
        CHECK(count_row(tracker, saving, r, i, 2,
                        (struct fact_key){.occurred_at = db_timestamptz(r, i, 1)}, err));
    }
    saving->effects.conversions.count = 0;
    return OUTCOME_OK;
}

enum outcome alone_sales_next(struct tracker *tracker, struct alone_sales *at,
                              struct saving *saving, bool *is_done, struct err *err)
{
    int rows = 0;
    *is_done = false;
    if (!at->is_started) {
        at->is_started = true;
        at->last.occurred_at = INSTANT_FIRST;
    }
    if (at->is_kept) {
        CHECK(next_kept(tracker, &at->last_kept, saving, &rows, err));
        *is_done = rows < SALES_PER_STEP;
    } else {
        CHECK(next_lone(tracker, &at->last, saving, &rows, err));
        at->is_kept = rows < SALES_PER_STEP;
    }
    return OUTCOME_OK;
}

/* The figures of each step become diffs, as those of a flush do. */
static enum outcome count_all(struct lone *lone, struct err *err)
{
    struct alone_sales at = {.is_started = false};
    for (bool is_done = false; !is_done;) {
        struct journey_flush flush = {.arena = lone->arena};
        struct saving saving;
        struct map nobody;
        arena_reset(lone->arena);
        saving_init(&saving, lone->arena);
        map_init(&nobody, lone->arena, sizeof(int64_t), sizeof(struct id));
        CHECK(alone_sales_next(lone->tracker, &at, &saving, &is_done, err));
        CHECK(saving_write(lone->tracker, &flush, &saving, &nobody, err));
    }
    return OUTCOME_OK;
}

static enum outcome run_steps(struct lone *lone, struct err *err)
{
    CHECK(db_begin(lone->tracker->db, err));
    CHECK(db_script(lone->tracker->db, sql_clear_sales.sql, err));
    CHECK(db_run(lone->tracker->db, &sql_make_sales, NULL, NULL, NULL, err));
    CHECK(count_all(lone, err));
    CHECK(traits_make_again(lone->tracker, err));
    CHECK(run_of_generation(lone, &sql_mark_sales_made, NULL, err));
    return db_commit(lone->tracker->db, err);
}

enum outcome sweep_sales(struct tracker *tracker, struct arena *arena, struct err *err)
{
    struct lone lone = {.tracker = tracker, .arena = arena};
    struct db_result *r = NULL;
    CHECK(run_of_generation(&lone, &sql_sales_are_made, &r, err));
    if (db_rows(r) > 0 && db_bool(r, 0, 0))
        return OUTCOME_OK;
    enum outcome outcome = run_steps(&lone, err);
    if (outcome != OUTCOME_OK)
        db_rollback(tracker->db);
    return outcome;
}
