/* journey_goals.c: goals.json: what a goal counts, and what it is a part of. */
#include "services/journey-tracker/policy/journey_goals.h"

#include "common/base/nearest.h"
#include "services/journey-tracker/policy/journey_filter.h"

#define WINDOWS "week|month|quarter"

static enum outcome read_segment(struct arena *arena, const struct json *object,
                                 const struct segment_rules *segments, struct journey_goal *goal,
                                 struct err *err)
{
    struct nearest nearest;
    CHECK(json_text(object, "segment", &goal->segment, err));
    if (goal->segment.ptr == NULL ||
        segment_rules_find(segments, goal->segment, &nearest) < segments->count)
        return OUTCOME_OK;
    return json_fail_nearest(json_get(object, "segment"), &nearest,
                             arena_printf(arena, "no segment \"" SPAN_FMT "\" in segments.json",
                                          SPAN_ARG(goal->segment)),
                             err);
}

static enum outcome read_windows(const struct json *object, struct journey_goal *goal,
                                 struct err *err)
{
    const struct json *list = NULL;
    CHECK(json_list(object, "windows", &list, err));
    if (list && !goal_is_of_touches(goal))
        return json_fail(list, err, "`windows` needs `on`: they count customers with such a touch");
    if (list && json_count(list) == 0)
        return json_fail(list, err, "expected at least one of week, month, quarter");
    for (size_t i = 0; i < json_count(list); i++) {
        int window = 0;
        CHECK(json_as_choice(json_at(list, i), WINDOWS, &window, err));
        uint8_t bit = (uint8_t)(1 << (PERIOD_WEEK + window));
        if (goal->windows & bit)
            return json_fail(json_at(list, i), err, "\"%s\" stands twice",
                             period_word((enum period_kind)(PERIOD_WEEK + window)));
        goal->windows |= bit;
    }
    return OUTCOME_OK;
}

static enum outcome read_measure(const struct json *object, struct journey_goal *goal,
                                 struct err *err)
{
    int measure = MEASURE_COUNT, status = -1, direction = 0, stage = -1;
    CHECK(json_choice(object, "measure", WORD_CHOICES(WORDS_MEASURES), &measure, err));
    CHECK(json_choice(object, "status", WORD_CHOICES(WORDS_STATUSES), &status, err));
    CHECK(json_choice(object, "from_stage", WORD_CHOICES(WORDS_STAGES), &stage, err));
    CHECK(json_choice(object, "direction", "up|down", &direction, err));
    goal->measure = (enum goal_measure)measure;
    goal->status = (enum journey_status)(status + 1);
    goal->from_stage = (enum journey_stage)(stage + 1);
    CHECK(json_bool(object, "identified", &goal->identified, err));
    if (stage >= 0 && status < 0)
        return json_fail(object, err, "`from_stage` needs `status`");
    if (goal->identified && status < 0)
        return json_fail(object, err, "`identified` needs `status`");
    goal->lower_is_better = direction == 1;
    if (goal_is_of_touches(goal) == (status >= 0 || goal->segment.ptr))
        return json_fail(object, err,
                         "`status` or `segment` go with the measures stock and entries, and only "
                         "with them");
    if ((json_get(object, "on") != NULL) + (status >= 0) + (goal->segment.ptr != NULL) != 1)
        return json_fail(object, err, "a goal has either `on` or `status` or `segment`");
    return OUTCOME_OK;
}

static enum outcome read_goal(struct arena *arena, const struct json *object,
                              const struct segment_rules *segments, struct journey_goal *goal,
                              struct err *err)
{
    const struct json *on = NULL;
    int64_t nth = 0;
    CHECK(json_check_keys(object, "id measure",
                          "parent title unit direction on nth within status segment from_stage "
                          "identified credited windows",
                          err));
    CHECK(json_text(object, "id", &goal->id, err));
    CHECK(json_text(object, "parent", &goal->parent, err));
    CHECK(json_text(object, "title", &goal->title, err));
    CHECK(json_text(object, "unit", &goal->unit, err));
    CHECK(json_int(object, "nth", 1, 1000, &nth, err));
    CHECK(json_duration(object, "within", &goal->within, err));
    CHECK(json_bool(object, "credited", &goal->credited, err));
    CHECK(json_section(object, "on", &on, err));
    CHECK(read_segment(arena, object, segments, goal, err));
    CHECK(read_measure(object, goal, err));
    CHECK(read_windows(object, goal, err));
    goal->nth = (uint16_t)nth;
    if (nth == 0 && goal->within.us > 0)
        return json_fail(object, err, "`within` needs `nth`");
    return on ? journey_filter_read(arena, on, &goal->on, err) : OUTCOME_OK;
}

static const struct journey_goal *find_goal(const struct journey_policy *policy, struct span id)
{
    for (uint32_t i = 0; i < policy->goal_count; i++)
        if (span_equal(policy->goals[i].id, id))
            return &policy->goals[i];
    return NULL;
}

static bool is_credited_by_conversions(const struct journey_policy *policy,
                                       const struct journey_goal *goal)
{
    if (goal->measure != MEASURE_VALUE)
        return false;
    for (uint32_t i = 0; i < policy->conversion_count; i++)
        if (span_equal(policy->conversions[i].goal, goal->id))
            return true;
    return false;
}

static bool lists(const struct span_list *list, struct span text)
{
    for (size_t i = 0; i < list->count; i++)
        if (span_equal(list->items[i], text))
            return true;
    return list->count == 0;
}

/* A credited goal counts conversions of its rules, or it would have no credit for what it adds up.
 */
static enum outcome check_credited(const struct json *object, const struct journey_policy *policy,
                                   const struct journey_goal *goal, struct err *err)
{
    if (!goal->credited)
        return OUTCOME_OK;
    if (!is_credited_by_conversions(policy, goal))
        return json_fail(object, err,
                         "`credited` needs measure value and a conversion rule of journey.json "
                         "with this goal");
    if (goal->on.direction == DIRECTION_OUTBOUND)
        return json_fail(object, err, "`credited` contradicts `on`: a conversion is inbound");
    for (uint32_t i = 0; i < policy->conversion_count; i++)
        if (span_equal(policy->conversions[i].goal, goal->id) &&
            !lists(&goal->on.events, policy->conversions[i].event))
            return json_fail(object, err,
                             "`credited` contradicts `on`: the conversion rule of journey.json for "
                             "\"" SPAN_FMT "\" is not among its events",
                             SPAN_ARG(policy->conversions[i].event));
    return OUTCOME_OK;
}

static enum outcome check_count(const struct json *object, const struct journey_policy *policy,
                                const struct journey_goal *goal, struct err *err)
{
    int windowed = 0;
    for (uint32_t i = 0; i < policy->goal_count; i++)
        windowed += policy->goals[i].windows != 0;
    if (goal->windows && windowed == POLICY_MAX_WINDOWED)
        return json_fail(json_get(object, "windows"), err, "at most %d goals with windows",
                         POLICY_MAX_WINDOWED);
    return OUTCOME_OK;
}

enum outcome journey_goals_read(struct arena *arena, const struct json *document,
                                struct journey_policy *policy, struct err *err)
{
    const struct json *list = NULL;
    CHECK(json_check_keys(document, "goals", "", err));
    CHECK(json_list(document, "goals", &list, err));
    if (json_count(list) > POLICY_MAX_GOALS)
        return json_fail(list, err, "at most %d goals", POLICY_MAX_GOALS);
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *object = json_at(list, i);
        struct journey_goal goal = {0};
        CHECK(read_goal(arena, object, &policy->segments, &goal, err));
        if (find_goal(policy, goal.id))
            return json_fail(object, err, "goal \"" SPAN_FMT "\" stands twice", SPAN_ARG(goal.id));
        if (goal.parent.ptr && find_goal(policy, goal.parent) == NULL)
            return json_fail(object, err, "parent \"" SPAN_FMT "\" is no goal above this one",
                             SPAN_ARG(goal.parent));
        CHECK(check_count(object, policy, &goal, err));
        CHECK(check_credited(object, policy, &goal, err));
        policy->goals[policy->goal_count++] = goal;
    }
    return OUTCOME_OK;
}
