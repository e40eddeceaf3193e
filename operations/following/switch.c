/* switch.c: the one transaction that makes what was derived the active slot; see following.h. */
#include "following_sql.h"
#include "operations/following/following_internal.h"
#include "policies_sql.h"
#include "services/metrics-aggregator/metrics_sums.h"

static enum outcome check_contact(struct following *f, struct err *err)
{
    struct desk *desk = f->desk;
    struct strbuf text = {.arena = desk->arena};
    struct params p;
    struct db_result *r = NULL;
    CHECK(generation_read_file(
        &text, generation_policy_path(desk->arena, f->order->dir, "contact.json"), err));
    params_init(&p, desk->arena);
    params_text(&p, strbuf_span(&text));
    CHECK(db_run(desk->db, &sql_following_contact, &p, &r, NULL, err));
    return db_rows(r) > 0 && db_bool(r, 0, 0)
               ? OUTCOME_OK
               : err_set(err, OUTCOME_FATAL, "contact_changed",
                         "services are running, and contact.json is another one: stop all of "
                         "them, run this, start them again");
}

/* Nobody writes now: what is found is the last. A profile that loses a sale to another is found
 * once more. */
static enum outcome last_passes(struct following *f, struct err *err)
{
    CHECK(follow_prepare(f->follow, err));
    CHECK(follow_settle_nobody(f->follow, err));
    for (bool is_found = true; is_found;) {
        int64_t last = INT64_MIN;
        is_found = false;
        for (size_t done = 1; done > 0;) {
            CHECK(following_step(f, &last, &done, err));
            is_found |= done > 0;
        }
    }
    return OUTCOME_OK;
}

static enum outcome count_alone(struct following *f, struct err *err)
{
    for (bool is_done = false; !is_done;) {
        struct follow_cells cells;
        arena_reset(&f->arena);
        CHECK(follow_alone(f->follow, &is_done, &cells, err));
        CHECK(metrics_add_cells(f->desk->db, &f->arena, cells.items, cells.count, err));
    }
    return OUTCOME_OK;
}

enum outcome following_activate(struct following *f, struct err *err)
{
    struct db *db = f->desk->db;
    struct params p;
    CHECK(db_run(db, &sql_following_deactivate, NULL, NULL, NULL, err));
    params_init(&p, &f->arena);
    params_uuid(&p, &f->generation->id);
    return db_run(db, &sql_following_activate, &p, NULL, NULL, err);
}

/* Diffs that were given a number under the old policies count as applied. */
static enum outcome skip_diffs(struct db *db, struct err *err)
{
    CHECK(db_run(db, &sql_following_drop_diffs, NULL, NULL, NULL, err));
    return db_run(db, &sql_policy_skip_numbers, NULL, NULL, NULL, err);
}

enum outcome following_finish(struct following *f, struct err *err)
{
    CHECK(last_passes(f, err));
    return count_alone(f, err);
}

static enum outcome switch_steps(struct following *f, struct err *err)
{
    CHECK(follow_hold(f->follow, err));
    CHECK(db_script(f->desk->db, "LOCK TABLE tutti_meta.policy_lock IN EXCLUSIVE MODE", err));
    CHECK(following_finish(f, err));
    CHECK(follow_tell(f->follow, err));
    CHECK(skip_diffs(f->desk->db, err));
    return following_activate(f, err);
}

static enum outcome switch_over(struct following *f, struct err *err)
{
    CHECK(db_begin(f->desk->db, err));
    return db_end(f->desk->db, switch_steps(f, err), err);
}

static enum outcome run(struct following *f, struct err *err)
{
    CHECK(check_contact(f, err));
    CHECK(following_start(f, err));
    CHECK(following_run(f, err));
    CHECK(switch_over(f, err));
    return following_clear(f->desk, (int16_t)(1 - f->generation->slot), err);
}

enum outcome policies_follow(struct desk *desk, const struct policy_order *order,
                             struct policy_folder *folder, struct err *err)
{
    struct following f = {
        .desk = desk, .order = order, .generation = &folder->generation, .zones = &folder->zones};
    enum outcome outcome = run(&f, err);
    following_free(&f);
    return outcome;
}
