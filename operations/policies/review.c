/* review.c: the sweep over all profiles; at its end the tables are as if the policy had always been
 * active. */
#include "operations/policies/review.h"

#include <poll.h>

#include "policies_sql.h"
#include "services/identity-resolver/resolve/resolve.h"

enum { MAX_RETRIES = 100, RETRY_MS = 100 };

static enum outcome count_profiles(struct db *db, struct arena *arena, const struct id *from,
                                   size_t *out, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_uuid(&p, from);
    CHECK(db_run(db, &sql_policy_count_profiles, &p, &r, NULL, err));
    *out = (size_t)db_int8(r, 0, 0);
    return OUTCOME_OK;
}

enum outcome apply_hold_review(struct desk *desk, struct err *err)
{
    if (desk->review && standing_lock_is_held(desk->review))
        return OUTCOME_OK;
    standing_lock_release(desk->review);
    enum outcome outcome =
        standing_lock_take(desk->db, "tutti_meta.review_lock", STANDING_ALONE, &desk->review, err);
    return outcome == OUTCOME_RETRY && strcmp(err->code, "lock_taken") == 0
               ? err_set(err, OUTCOME_FATAL, "apply_running",
                         "another `tutti identity apply` or `tutti policy apply` is at work")
               : outcome;
}

/* Where the sweep stands is noted with the active policy: two at once would note it for each other.
 * The lock ends with its connection, so it is asked for again before every step. */
enum outcome apply_hold_alone(struct desk *desk, int32_t version, struct err *err)
{
    struct db_result *r = NULL;
    CHECK(apply_hold_review(desk, err));
    CHECK(db_run(desk->db, &sql_policy_active_version, NULL, &r, NULL, err));
    return !db_is_null(r, 0, 0) && db_int4(r, 0, 0) == version
               ? OUTCOME_OK
               : err_set(err, OUTCOME_FATAL, "policy_changed",
                         "another policy was applied meanwhile");
}

struct sweep_state {
    struct desk *desk;
    struct resolver resolver;
    int32_t version;
    size_t batch;
    struct id position; /* profiles up to it were reviewed */
};

static enum outcome try_step(struct sweep_state *sweep, struct arena *arena, size_t *count,
                             struct err *err)
{
    struct id at = sweep->position;
    CHECK(desk_check_stop(sweep->desk, err));
    CHECK(db_ready(sweep->resolver.db, err));
    CHECK(apply_hold_alone(sweep->desk, sweep->version, err));
    CHECK(resolver_sweep_step(&sweep->resolver, arena, sweep->batch, &at, count, err));
    sweep->position = at;
    return OUTCOME_OK;
}

/* A step that had to give way to the pipeline is done again. */
static enum outcome step(struct sweep_state *sweep, size_t *count, struct err *err)
{
    enum outcome outcome = OUTCOME_RETRY;
    for (int i = 0; i < MAX_RETRIES && outcome == OUTCOME_RETRY; i++) {
        struct arena arena = {0};
        if (i > 0)
            poll(NULL, 0, RETRY_MS);
        outcome = try_step(sweep, &arena, count, err);
        arena_free(&arena);
    }
    return outcome;
}

static enum outcome run_sweep(struct sweep_state *sweep, struct err *err)
{
    struct desk *desk = sweep->desk;
    size_t total = 0, count = 1;
    CHECK(count_profiles(desk->db, desk->arena, &sweep->position, &total, err));
    desk_begin(desk, "profiles reviewed", total);
    enum outcome outcome = OUTCOME_OK;
    while (outcome == OUTCOME_OK && count > 0) {
        outcome = step(sweep, &count, err);
        desk_step(desk, count);
    }
    if (outcome == OUTCOME_OK)
        desk_end(desk);
    else
        desk_pause(desk);
    return outcome;
}

static enum outcome switch_and_sweep(struct sweep_state *sweep, const struct policy_review *review,
                                     struct err *err)
{
    struct desk *desk = sweep->desk;
    CHECK(apply_hold_alone(desk, sweep->version, err));
    if (active_is(review->text, &review->active)) {
        desk_note(desk, "version %d is active already; going on with the review of the profiles",
                  sweep->version);
    } else {
        CHECK(resolver_activate_policy(desk->db, desk->arena, review->text, review->actor,
                                       &sweep->version, err));
        sweep->position = (struct id){{0}};
        desk_note(desk, "version %d is active", sweep->version);
    }
    return run_sweep(sweep, err);
}

/* The key is looked at first: a policy that is active but cannot be swept would be worse than none.
 */
enum outcome apply_policy(struct desk *desk, const struct policy_review *review, struct err *err)
{
    struct sweep_state sweep = {
        .desk = desk,
        .version = review->active.version,
        .batch = review->batch,
        .position = review->active.swept_to,
    };
    enum outcome outcome =
        resolver_open_tool(&sweep.resolver, desk->arena, desk->db, desk->config, err);
    if (outcome == OUTCOME_OK)
        outcome = switch_and_sweep(&sweep, review, err);
    resolver_close(&sweep.resolver);
    return outcome;
}
