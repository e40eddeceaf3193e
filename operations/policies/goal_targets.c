/* goal_targets.c: reads targets.json and writes its table; see goal_targets.h. */
#include "operations/policies/goal_targets.h"

#include <string.h>

#include "policies_sql.h"

#define ALL SPAN("(all)") /* departments */

enum { MOST = 4096, DATE = sizeof "2026-01-31" - 1 };

/* ---- goals ---- */
struct target_goals target_goals_of(struct arena *arena, const struct journey_policy *policy)
{
    struct target_goals goals = {0};
    for (uint32_t i = 0; i < policy->goal_count; i++) {
        enum goal_measure measure = policy->goals[i].measure;
        *arena_push(arena, &goals) = (struct target_goal){
            .id = policy->goals[i].id,
            .is_money = measure == MEASURE_VALUE || measure == MEASURE_MARGIN_ELSE_VALUE,
        };
    }
    return goals;
}

enum outcome target_goals_active(struct db *db, struct arena *arena, struct target_goals *out,
                                 struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    *out = (struct target_goals){0};
    params_init(&p, arena);
    CHECK(db_run(db, &sql_policy_active_goals, &p, &r, NULL, err));
    if (db_rows(r) == 0)
        return err_set(err, OUTCOME_FATAL, "no_generation",
                       "no policies with goals are active: run `tutti policy apply`");
    for (int i = 0; i < db_rows(r); i++)
        *arena_push(arena, out) =
            (struct target_goal){arena_copy(arena, db_bytes(r, i, 0)), db_bool(r, i, 1)};
    return OUTCOME_OK;
}

static const struct target_goal *find_goal(const struct target_goals *goals, struct span id)
{
    for (size_t i = 0; i < goals->count; i++)
        if (span_equal(goals->items[i].id, id))
            return &goals->items[i];
    return NULL;
}

static enum outcome no_such_goal(struct arena *arena, const struct json *at,
                                 const struct target_goals *goals, struct span id, struct err *err)
{
    struct nearest nearest = nearest_start(id, NEAREST_ANY);
    for (size_t i = 0; i < goals->count; i++)
        nearest_consider(&nearest, goals->items[i].id);
    return json_fail_nearest(
        at, &nearest, arena_printf(arena, "there is no goal \"" SPAN_FMT "\"", SPAN_ARG(id)), err);
}

/* ---- one target ---- */
static enum outcome read_currency(struct arena *arena, const struct json *object,
                                  const struct target_goal *goal, struct span *out, struct err *err)
{
    struct span sent = SPAN_NONE;
    CHECK(json_text(object, "currency", &sent, err));
    if (!goal->is_money && sent.ptr)
        return json_fail(json_get(object, "currency"), err,
                         "the goal \"" SPAN_FMT "\" is no amount of money", SPAN_ARG(goal->id));
    if (!goal->is_money)
        return OUTCOME_OK;
    if (sent.ptr == NULL)
        return json_fail(object, err,
                         "the goal \"" SPAN_FMT "\" is an amount of money: it needs `currency`",
                         SPAN_ARG(goal->id));
    *out = currency_of(sent, arena);
    return out->ptr ? OUTCOME_OK
                    : json_fail(json_get(object, "currency"), err,
                                "expected the three letters of a currency, such as EUR");
}

static enum outcome read_from(const struct json *object, struct span *out, struct err *err)
{
    struct instant midnight;
    CHECK(json_text(object, "from", out, err));
    return out->len == DATE && instant_parse(*out, &midnight)
               ? OUTCOME_OK
               : json_fail(json_get(object, "from"), err,
                           "expected a date such as 2026-01-31, got \"" SPAN_FMT "\"",
                           SPAN_ARG(*out));
}

static enum outcome read_target(struct arena *arena, const struct json *object,
                                const struct target_goals *goals, struct goal_target *out,
                                struct err *err)
{
    int period = 0;
    *out = (struct goal_target){.department = ALL};
    CHECK(json_check_keys(object, "goal period from value", "department currency", err));
    CHECK(json_text(object, "goal", &out->goal, err));
    const struct target_goal *goal = find_goal(goals, out->goal);
    if (goal == NULL)
        return no_such_goal(arena, json_get(object, "goal"), goals, out->goal, err);
    CHECK(json_text(object, "department", &out->department, err));
    if (out->department.len == 0)
        return json_fail(json_get(object, "department"), err, "a department has a name");
    CHECK(json_choice(object, "period", WORD_CHOICES(WORDS_PERIODS), &period, err));
    out->period = span_of(period_word((enum period_kind)(PERIOD_DAY + period)));
    CHECK(read_from(object, &out->from, err));
    CHECK(read_currency(arena, object, goal, &out->currency, err));
    CHECK(json_amount(object, "value", &out->micros, err));
    return out->micros >= 0 ? OUTCOME_OK
                            : json_fail(json_get(object, "value"), err, "a target is 0 or more");
}

static bool is_same(const struct goal_target *a, const struct goal_target *b)
{
    return span_equal(a->goal, b->goal) && span_equal(a->department, b->department) &&
           span_equal(a->period, b->period) && span_equal(a->from, b->from) &&
           span_equal(a->currency, b->currency);
}

/* ---- the file ---- */
enum outcome goal_targets_read(struct arena *arena, const struct json *document,
                               const struct target_goals *goals, struct goal_targets *out,
                               struct err *err)
{
    const struct json *list = NULL;
    *out = (struct goal_targets){0};
    CHECK(json_check_keys(document, "targets", "", err));
    CHECK(json_list(document, "targets", &list, err));
    if (json_count(list) > MOST)
        return json_fail(list, err, "at most %d targets", MOST);
    out->items = arena_array(arena, struct goal_target, json_count(list));
    for (; out->count < json_count(list); out->count++) {
        const struct json *object = json_at(list, out->count);
        struct goal_target *target = &out->items[out->count];
        CHECK(read_target(arena, object, goals, target, err));
        for (size_t i = 0; i < out->count; i++)
            if (is_same(&out->items[i], target))
                return json_fail(object, err,
                                 "targets[%zu] is for the same goal, department, period and date",
                                 i);
    }
    return OUTCOME_OK;
}

enum outcome goal_targets_read_file(struct arena *arena, const char *path,
                                    const struct target_goals *goals, struct goal_targets *out,
                                    struct err *err)
{
    const struct json *document = NULL;
    CHECK(json_read_file(arena, path, &document, err));
    return goal_targets_read(arena, document, goals, out, err);
}

/* ---- the table ---- */
/* The lock: of two writers at once the later one replaces all. */
static enum outcome replace_all(struct db *db, struct arena *arena,
                                const struct goal_targets *targets, struct err *err)
{
    const struct goal_target *first = targets->items;
    const size_t n = targets->count, stride = sizeof *first;
    struct params p;
    CHECK(db_script(db, "LOCK TABLE tutti_meta.goal_targets IN EXCLUSIVE MODE", err));
    CHECK(db_script(db, "DELETE FROM tutti_meta.goal_targets", err));
    if (n == 0)
        return OUTCOME_OK;
    params_init(&p, arena);
    params_text_array(&p, &first->goal, stride, n);
    params_text_array(&p, &first->department, stride, n);
    params_text_array(&p, &first->period, stride, n);
    params_text_array(&p, &first->from, stride, n);
    params_text_array(&p, &first->currency, stride, n);
    params_int8_array(&p, &first->micros, stride, n);
    return db_run(db, &sql_policy_insert_targets, &p, NULL, NULL, err);
}

enum outcome goal_targets_store(struct db *db, struct arena *arena,
                                const struct goal_targets *targets, struct err *err)
{
    CHECK(db_begin(db, err));
    return db_end(db, replace_all(db, arena, targets, err), err);
}
