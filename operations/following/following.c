/* following.c: what is being built, and the passes over everybody. */

#include <inttypes.h>

#include "common/runtime/clock.h"
#include "following_sql.h"
#include "operations/following/following_internal.h"
#include "operations/lock_out.h"
#include "operations/policies/review.h"
#include "services/journey-tracker/journey_policy_store.h"
#include "services/metrics-aggregator/metrics_sums.h"

enum {
    FEW_PROFILES = 2000,     /* so many may be left for the switch */
    SHORT_PASS_US = 2000000, /* or what was done in this time */
    MOST_USELESS_PASSES = 5, /* after which as many are left as before */
};

/* ---- what is being built ---- */

enum outcome following_clear(struct desk *desk, int16_t slot, struct err *err)
{
    struct params p;
    params_init(&p, desk->arena);
    params_int2(&p, slot);
    return db_run(desk->db, &sql_following_clear, &p, NULL, NULL, err);
}

static enum outcome write_building(struct following *f, struct err *err)
{
    struct desk *desk = f->desk;
    struct params p;
    struct db_result *r = NULL;
    struct span policies = SPAN_NONE;
    CHECK(zone_store(desk->db, desk->arena, f->zones, err));
    CHECK(policy_bundle(desk->arena, f->order->dir, &policies, err));
    CHECK(db_run(desk->db, &sql_following_forget, NULL, NULL, NULL, err));
    params_init(&p, desk->arena);
    params_uuid(&p, &f->generation->id);
    params_text(&p, policies);
    params_uuid(&p, &f->generation->zones);
    CHECK(db_run(desk->db, &sql_following_start, &p, &r, NULL, err));
    f->generation->number = db_int4(r, 0, 0);
    f->generation->slot = db_int2(r, 0, 1);
    CHECK(following_clear(desk, f->generation->slot, err));
    return journey_policy_store_files(desk->db, desk->arena, f->order->dir, &f->generation->id,
                                      err);
}

enum outcome following_start(struct following *f, struct err *err)
{
    struct desk *desk = f->desk;
    struct params p;
    struct db_result *r = NULL;
    CHECK(lock_out_policies(desk, err));
    CHECK(apply_hold_review(desk, err));
    params_init(&p, desk->arena);
    params_uuid(&p, &f->generation->id);
    CHECK(db_run(desk->db, &sql_following_find, &p, &r, NULL, err));
    if (db_rows(r) > 0) {
        f->generation->number = db_int4(r, 0, 0);
        f->generation->slot = db_int2(r, 0, 1);
        desk_note(desk, "going on with what an earlier run derived");
    } else {
        CHECK(db_begin(desk->db, err));
        CHECK(db_end(desk->db, write_building(f, err), err));
    }
    CHECK(generation_use_slot(desk->db, f->generation->slot, err));
    return follow_open(desk->db, f->order->dir, f->generation, &f->follow, err);
}

void following_free(struct following *f)
{
    follow_close(f->follow);
    arena_free(&f->arena);
}

/* ---- passes ---- */

enum outcome following_step(struct following *f, int64_t *last, size_t *done, struct err *err)
{
    struct follow_cells cells;
    arena_reset(&f->arena);
    CHECK(follow_step(f->follow, last, done, &cells, err));
    return metrics_add_cells(f->desk->db, &f->arena, cells.items, cells.count, err);
}

static enum outcome step_alone(struct following *f, int64_t *last, size_t *done, struct err *err)
{
    struct desk *desk = f->desk;
    CHECK(desk_check_stop(desk, err));
    CHECK(db_begin(desk->db, err));
    enum outcome outcome = follow_hold(f->follow, err);
    if (outcome == OUTCOME_OK && *last == INT64_MIN)
        outcome = follow_prepare(f->follow, err);
    if (outcome == OUTCOME_OK)
        outcome = following_step(f, last, done, err);
    return db_end(desk->db, outcome, err);
}

/* Everybody who was written since the last pass, in transactions of their own. */
static enum outcome pass(struct following *f, uint64_t *count, struct err *err)
{
    int64_t last = INT64_MIN;
    *count = 0;
    for (size_t done = 1; done > 0;) {
        CHECK(step_alone(f, &last, &done, err));
        desk_step(f->desk, done);
        *count += done;
    }
    return OUTCOME_OK;
}

static enum outcome check_speed(struct following *f, int useless, uint64_t left, struct err *err)
{
    if (useless < MOST_USELESS_PASSES)
        return OUTCOME_OK;
    if (f->order->may_pause) {
        desk_warn(f->desk,
                  "%" PRIu64 " profiles are left for the switch: services wait until "
                  "they are derived",
                  left);
        return OUTCOME_OK;
    }
    return err_set(err, OUTCOME_FATAL, "not_catching_up",
                   "customers change faster than they are derived again (%" PRIu64 " are left): "
                   "run this in a quieter hour, or with --pause",
                   left);
}

enum outcome following_run(struct following *f, struct err *err)
{
    uint64_t total = 0, before = UINT64_MAX, count = UINT64_MAX;
    int64_t took = INT64_MAX;
    CHECK(follow_count(f->follow, &total, err));
    desk_begin(f->desk, "profiles derived", total);
    for (int useless = 0;
         count > FEW_PROFILES && took > SHORT_PASS_US && useless < MOST_USELESS_PASSES;) {
        int64_t start = clock_monotonic_us();
        before = count;
        CHECK(pass(f, &count, err));
        took = clock_monotonic_us() - start;
        useless += count >= before - before / 10;
        CHECK(check_speed(f, useless, count, err));
    }
    desk_end(f->desk);
    return OUTCOME_OK;
}
