/* journey_policy_store.c: writes the policy as the parser understood it into the tables that the
 * views read. */
#include "services/journey-tracker/journey_policy_store.h"

#include "common/base/pack.h"
#include "journey_tracker_sql.h"
#include "services/journey-tracker/journey_policy.h"

struct goal_row {
    struct span id, parent, title, unit, metric, status, from_stage, segment, windows;
    int16_t level;
    bool is_credited, asks_identified;
};

static enum outcome store_times(struct db *db, struct arena *arena,
                                const struct journey_policy *policy, const struct id *generation,
                                struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_uuid(&p, generation);
    params_text(&p, policy->reporting_timezone);
    params_int8(&p, policy->session.us);
    params_int8(&p, policy->at_risk_after.us);
    params_int8(&p, policy->lapsed_after.us);
    params_int8(&p, JOURNEY_END.us);
    params_text(&p, policy->default_timezone);
    params_text(&p, span_of(model_word(policy->credit.stored)));
    params_int8(&p, policy->credit.first);
    params_int8(&p, policy->credit.last);
    params_int8(&p, policy->credit.half_life.us);
    return db_run(db, &sql_upsert_policy, &p, NULL, NULL, err);
}

/* Parents stand before their children. */
static int16_t level_below(const struct goal_row *rows, uint32_t count, struct span parent)
{
    for (uint32_t i = 0; i < count && parent.ptr; i++)
        if (span_equal(rows[i].id, parent))
            return (int16_t)(rows[i].level + 1);
    return 0;
}

static struct span status_text(enum journey_status status)
{
    return status == STATUS_NONE ? SPAN_NONE : span_of(status_word(status));
}

static struct span windows_text(struct arena *arena, const struct journey_goal *goal)
{
    struct strbuf text = {.arena = arena};
    for (int kind = PERIOD_WEEK; kind < PERIOD_COUNT; kind++)
        if (goal->windows >> kind & 1)
            strbuf_addf(&text, "%s%s", text.len ? " " : "", period_word((enum period_kind)kind));
    return goal->windows ? strbuf_span(&text) : SPAN_NONE;
}

static struct goal_row *goal_rows(struct arena *arena, const struct journey_policy *policy)
{
    struct goal_row *rows = arena_array(arena, struct goal_row, policy->goal_count);
    for (uint32_t i = 0; i < policy->goal_count; i++) {
        const struct journey_goal *goal = &policy->goals[i];
        rows[i] = (struct goal_row){
            .id = goal->id,
            .parent = goal->parent,
            .title = goal->title,
            .unit = goal->unit,
            .metric = span_of(measure_word(goal->measure)),
            .status = status_text(goal->status),
            .from_stage = span_of(stage_word(goal->from_stage)),
            .segment = goal->segment,
            .windows = windows_text(arena, goal),
            .level = level_below(rows, i, goal->parent),
            .is_credited = goal->credited,
            .asks_identified = goal->identified,
        };
    }
    return rows;
}

static enum outcome store_goals(struct db *db, struct arena *arena,
                                const struct journey_policy *policy, const struct id *generation,
                                struct err *err)
{
    const struct goal_row *rows = goal_rows(arena, policy);
    const size_t n = policy->goal_count, stride = sizeof *rows;
    struct params p;
    params_init(&p, arena);
    params_uuid(&p, generation);
    CHECK(db_run(db, &sql_delete_goals, &p, NULL, NULL, err));
    if (n == 0)
        return OUTCOME_OK;
    params_init(&p, arena);
    params_uuid(&p, generation);
    params_text_array(&p, &rows->id, stride, n);
    params_text_array(&p, &rows->parent, stride, n);
    params_int2_array(&p, &rows->level, stride, n);
    params_text_array(&p, &rows->title, stride, n);
    params_text_array(&p, &rows->unit, stride, n);
    params_text_array(&p, &rows->metric, stride, n);
    params_bool_array(&p, &rows->is_credited, stride, n);
    params_text_array(&p, &rows->status, stride, n);
    params_text_array(&p, &rows->from_stage, stride, n);
    params_bool_array(&p, &rows->asks_identified, stride, n);
    params_text_array(&p, &rows->segment, stride, n);
    params_text_array(&p, &rows->windows, stride, n);
    return db_run(db, &sql_insert_goals, &p, NULL, NULL, err);
}

static enum outcome store_segments(struct db *db, struct arena *arena,
                                   const struct journey_policy *policy, const struct id *generation,
                                   struct err *err)
{
    const struct segment *first = policy->segments.items;
    const size_t n = policy->segments.count, stride = sizeof *first;
    struct params p;
    params_init(&p, arena);
    params_uuid(&p, generation);
    CHECK(db_run(db, &sql_delete_segments, &p, NULL, NULL, err));
    if (n == 0)
        return OUTCOME_OK;
    params_init(&p, arena);
    params_uuid(&p, generation);
    params_text_array(&p, &first->id, stride, n);
    params_text_array(&p, &first->title, stride, n);
    params_text_array(&p, &first->owner, stride, n);
    params_bool_array(&p, &first->has_figures, stride, n);
    return db_run(db, &sql_insert_segments, &p, NULL, NULL, err);
}

static enum outcome store_limits(struct db *db, struct arena *arena,
                                 const struct gesture_rules *gestures, const struct id *generation,
                                 struct err *err)
{
    const struct gesture_limit *first = gestures->limits;
    const size_t n = gestures->limit_count, stride = sizeof *first;
    struct params p;
    if (n == 0)
        return OUTCOME_OK;
    params_init(&p, arena);
    params_uuid(&p, generation);
    params_text_array(&p, &first->currency, stride, n);
    params_int8_array(&p, &first->per_case, stride, n);
    params_int8_array(&p, &first->per_agent_month, stride, n);
    params_text(&p, gestures->approver);
    return db_run(db, &sql_insert_gesture_limits, &p, NULL, NULL, err);
}

static enum outcome store_offers(struct db *db, struct arena *arena,
                                 const struct journey_policy *policy, const struct id *generation,
                                 struct err *err)
{
    const struct offer *first = policy->offers.items;
    const size_t n = policy->offers.count, stride = sizeof *first;
    struct params p;
    params_init(&p, arena);
    params_uuid(&p, generation);
    CHECK(db_run(db, &sql_delete_offers, &p, NULL, NULL, err));
    CHECK(store_limits(db, arena, &policy->offers.gestures, generation, err));
    if (n == 0)
        return OUTCOME_OK;
    int16_t *priorities = arena_array(arena, int16_t, n);
    for (size_t i = 0; i < n; i++)
        priorities[i] = (int16_t)first[i].priority;
    params_init(&p, arena);
    params_uuid(&p, generation);
    params_text_array(&p, &first->rule_id, stride, n);
    params_text_array(&p, &first->id, stride, n);
    params_text_array(&p, &first->title, stride, n);
    params_text_array(&p, &first->product, stride, n);
    params_text_array(&p, &first->owner, stride, n);
    params_int2_array(&p, priorities, sizeof *priorities, n);
    params_int8_array(&p, &first->after.us, stride, n);
    params_int8_array(&p, &first->expires.us, stride, n);
    params_int8_array(&p, &first->cooling.us, stride, n);
    return db_run(db, &sql_insert_offers, &p, NULL, NULL, err);
}

static enum outcome store_tiers(struct db *db, struct arena *arena,
                                const struct journey_policy *policy, const struct id *generation,
                                struct err *err)
{
    const struct segment_tier *first = policy->segments.tiers;
    const size_t n = policy->segments.tier_count, stride = sizeof *first;
    struct params p;
    params_init(&p, arena);
    params_uuid(&p, generation);
    CHECK(db_run(db, &sql_delete_tiers, &p, NULL, NULL, err));
    if (n == 0)
        return OUTCOME_OK;
    params_init(&p, arena);
    params_uuid(&p, generation);
    params_text_array(&p, &first->tier, stride, n);
    params_text_array(&p, &first->segment, stride, n);
    return db_run(db, &sql_insert_tiers, &p, NULL, NULL, err);
}

enum outcome journey_policy_store(struct db *db, struct arena *arena,
                                  const struct journey_policy *policy, const struct id *generation,
                                  struct err *err)
{
    CHECK(store_times(db, arena, policy, generation, err));
    CHECK(store_goals(db, arena, policy, generation, err));
    CHECK(store_segments(db, arena, policy, generation, err));
    CHECK(store_tiers(db, arena, policy, generation, err));
    return store_offers(db, arena, policy, generation, err);
}

enum outcome journey_policy_store_files(struct db *db, struct arena *arena, const char *folder,
                                        const struct id *generation, struct err *err)
{
    struct journey_policy *policy = arena_new(arena, struct journey_policy);
    struct policy_source source = policy_source_folder(folder);
    CHECK(journey_policy_load(arena, &source, policy, err));
    return journey_policy_store(db, arena, policy, generation, err);
}
