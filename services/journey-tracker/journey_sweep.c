/* journey_sweep.c: a tracker of its own runs slow flushes that have profiles to sweep only. */
#include "services/journey-tracker/journey_sweep.h"

#include <stdlib.h>

#include "journey_tracker_sql.h"
#include "services/journey-tracker/journey_sweep_sales.h"
#include "services/journey-tracker/journey_tool.h"
#include "services/journey-tracker/slow/journey_slow.h"

enum { PROFILES_PER_STEP = 2000 };

struct sweep {
    struct tracker tracker;
    struct arena arena, step_arena;
};

enum outcome journey_sweep_clear(struct db *db, struct err *err)
{
    return db_script(db, sql_clear_derived.sql, err);
}

static enum outcome count_unswept(struct sweep *sweep, uint64_t *total, struct err *err)
{
    struct params p;
    params_init(&p, &sweep->step_arena);
    params_int4(&p, sweep->tracker.generation.number);
    struct db_result *r = NULL;
    CHECK(db_run(sweep->tracker.db, &sql_count_unswept, &p, &r, NULL, err));
    *total = (uint64_t)db_int8(r, 0, 0);
    return OUTCOME_OK;
}

static enum outcome write_meanings(struct sweep *sweep, struct err *err)
{
    struct db *db = sweep->tracker.db;
    CHECK(db_begin(db, err));
    return db_end(db, shapes_write_meanings(sweep->tracker.shapes, &sweep->step_arena, err), err);
}

enum outcome journey_sweep_open(struct db *db, const char *dir, const struct generation *generation,
                                struct sweep **out, uint64_t *total, struct err *err)
{
    struct sweep *sweep = *out = calloc(1, sizeof *sweep);
    if (sweep == NULL)
        abort();
    CHECK(generation_use_slot(db, generation->slot, err));
    CHECK(tool_tracker_open(&sweep->tracker, db, dir, generation, &sweep->arena, err));
    CHECK(write_meanings(sweep, err));
    CHECK(sweep_sales(&sweep->tracker, &sweep->step_arena, err));
    return count_unswept(sweep, total, err);
}

enum outcome journey_sweep_step(struct sweep *sweep, size_t *done, struct err *err)
{
    struct tracker *t = &sweep->tracker;
    arena_reset(&sweep->step_arena);
    struct params p;
    params_init(&p, &sweep->step_arena);
    params_int4(&p, t->generation.number);
    params_int8(&p, PROFILES_PER_STEP);
    struct db_result *r = NULL;
    CHECK(db_run(t->db, &sql_find_unswept, &p, &r, NULL, err));
    *done = (size_t)db_rows(r);
    int64_t *profiles = arena_array(&sweep->step_arena, int64_t, *done);
    for (size_t i = 0; i < *done; i++)
        profiles[i] = db_int8(r, (int)i, 0);
    if (*done == 0)
        return OUTCOME_OK;
    struct journey_flush flush = {
        .arena = &sweep->step_arena, .sweep = profiles, .sweep_count = *done};
    return slow_run(t, &flush, NULL, 0, err);
}

void journey_sweep_close(struct sweep *sweep)
{
    if (sweep == NULL)
        return;
    tool_tracker_close(&sweep->tracker);
    arena_free(&sweep->arena);
    arena_free(&sweep->step_arena);
    free(sweep);
}
