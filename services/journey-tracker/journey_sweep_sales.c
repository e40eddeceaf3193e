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
    struct saving saving; /* of one step */
    bool is_kept;         /* sales of erased people: they have no rows of their own */
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

static enum outcome count_row(struct lone *lone, const struct db_result *r, int row, int column,
                              struct fact_key key, struct err *err)
{
    struct journey_fact fact = {.key = key,
                                .shape = db_int4(r, row, column),
                                .value_micros = or_absent(r, row, column + 1),
                                .margin_micros = or_absent(r, row, column + 2),
                                .cost_micros = INT64_MIN,
                                .score = INT16_MIN,
                                .zone = INT16_MIN};
    struct touch touch;
    CHECK(convert_touch(lone->tracker, lone->arena, &fact, &touch, err));
    journey_alone(&lone->tracker->policy, &touch, &lone->saving.effects);
    return OUTCOME_OK;
}

/* The figures of one step become diffs, as those of a flush do. */
static enum outcome write_step(struct lone *lone, struct err *err)
{
    struct journey_flush flush = {.arena = lone->arena};
    struct map nobody;
    map_init(&nobody, lone->arena, sizeof(int64_t), sizeof(struct id));
    if (lone->is_kept)
        lone->saving.effects.conversions.count = 0;
    return saving_write(lone->tracker, &flush, &lone->saving, &nobody, err);
}

/* Counts the next sales after *last; *last is the key of the last of them. */
static enum outcome step_lone(struct lone *lone, struct fact_key *last, int *rows, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, lone->arena);
    params_timestamptz(&p, last->occurred_at);
    params_uuid(&p, &last->event_id);
    params_int8(&p, SALES_PER_STEP);
    CHECK(db_run(lone->tracker->db, &sql_find_lone_sales, &p, &r, NULL, err));
    *rows = db_rows(r);
    for (int i = 0; i < *rows; i++) {
        *last = (struct fact_key){db_int8(r, i, 0), db_timestamptz(r, i, 1), db_uuid(r, i, 2)};
        CHECK(count_row(lone, r, i, 3, *last, err));
    }
    return write_step(lone, err);
}

/* The same of sales of erased people, by number. */
static enum outcome step_kept(struct lone *lone, int64_t *last, int *rows, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, lone->arena);
    params_int8(&p, *last);
    params_int8(&p, SALES_PER_STEP);
    CHECK(db_run(lone->tracker->db, &sql_find_kept_sales, &p, &r, NULL, err));
    *rows = db_rows(r);
    for (int i = 0; i < *rows; i++) {
        *last = db_int8(r, i, 0);
        CHECK(count_row(lone, r, i, 2, (struct fact_key){.occurred_at = db_timestamptz(r, i, 1)},
                        err));
    }
    return write_step(lone, err);
}

static void start_step(struct lone *lone)
{
    arena_reset(lone->arena);
    saving_init(&lone->saving, lone->arena);
}

static enum outcome count_all(struct lone *lone, struct err *err)
{
    struct fact_key sale = {.occurred_at = INSTANT_FIRST};
    int64_t kept = 0;
    for (int rows = SALES_PER_STEP; rows == SALES_PER_STEP;) {
        start_step(lone);
        CHECK(step_lone(lone, &sale, &rows, err));
    }
    lone->is_kept = true;
    for (int rows = SALES_PER_STEP; rows == SALES_PER_STEP;) {
        start_step(lone);
        CHECK(step_kept(lone, &kept, &rows, err));
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
