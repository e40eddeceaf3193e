/* journey_advance.c: takes a state through one more fact: the rules of docs/figures.md, in the
 * order in which they act. */
#include "services/journey-tracker/logic/journey_internal.h"

/* A touch on its way through the rules. */
struct passing {
    const struct journey_policy *policy;
    struct journey_state *state;
    const struct touch *touch;
    struct journey_effects *effects; /* NULL: state only */
    int32_t day;
    uint8_t stage_before;
    int conversion; /* index of the conversion rule, -1: none */
};

static void note_instant(struct journey_state *state, const struct touch_key *key)
{
    state->is_alone = instant_compare(state->last.at, key->at) != 0;
    if (state->is_alone) {
        state->is_checkpoint = false;
        state->change_count = 0;
    }
    state->is_checkpoint |= event_marks_checkpoint(&key->event_id);
}

static void note_fact(struct journey_state *state, const struct touch *touch)
{
    note_instant(state, &touch->key);
    state->last = touch->key;
    if (instant_compare(touch->key.at, state->first_seen) < 0)
        state->first_seen = touch->key.at;
    if (touch->score != SCORE_ABSENT)
        state->last_score = touch->score;
}

/* ---- map ---- */
static uint32_t node_of(const struct passing *p)
{
    return p->conversion >= 0 ? p->policy->conversion_node : p->touch->shape->kind;
}

static void emit_exit(const struct passing *p)
{
    const struct journey_state *s = p->state;
    struct instant exit = instant_plus(s->last_touch_at, JOURNEY_END);
    effects_step(p->effects,
                 &(struct step){reporting_month(p->policy, exit), journey_stage_at(s, exit),
                                s->last_node, 0, s->last_department, 0, -1});
}

static void emit_step(const struct passing *p)
{
    const struct journey_state *s = p->state;
    struct step step = {.stage = p->stage_before,
                        .to = node_of(p),
                        .to_department = p->touch->shape->department,
                        .wait = -1};
    int64_t gap = instant_is_set(s->last_touch_at)
                      ? instant_since(p->touch->key.at, s->last_touch_at).us
                      : -1;
    step.month = reporting_month(p->policy, p->touch->key.at);
    if (gap > JOURNEY_END.us) {
        emit_exit(p);
    } else if (gap >= 0) {
        step.from = s->last_node;
        step.from_department = s->last_department;
        step.wait = gap;
    }
    effects_step(p->effects, &step);
}

/* ---- stages and status ---- */
static struct id row_id(const struct id *event_id, enum stage_reason reason)
{
    struct id id = *event_id;
    id.bytes[sizeof id.bytes - 1] ^= (uint8_t)reason;
    return id;
}

static void add_row(const struct passing *p, struct stage_row row)
{
    const struct journey_state *s = p->state;
    row.id = row_id(&row.touch.event_id, (enum stage_reason)row.reason);
    row.journey_number = s->journey_number;
    row.seconds_in_stage =
        row.from_stage ? instant_since(row.changed_at, s->stage_since).us / US_PER_SECOND : -1;
    *arena_push(p->effects->arena, &p->effects->stages) = row;
}

static void act_deadline(const struct passing *p, const struct deadline *d, uint8_t position)
{
    struct journey_state *s = p->state;
    bool end = d->reason == REASON_EXIT;
    if (p->effects) {
        int32_t day = reporting_day(p->policy, d->at);
        effects_status(p->effects, p->policy, day, (struct position){s->stage, d->from_status},
                       (struct position){end ? STAGE_NONE : s->stage, d->to_status});
        if (end)
            effects_stock(p->effects, CELL_STAGE, day, s->stage, STAGE_NONE);
        add_row(p, (struct stage_row){.touch = s->last_inbound,
                                      .reason = d->reason,
                                      .changed_at = d->at,
                                      .position = position,
                                      .from_stage = s->stage,
                                      .to_stage = end ? STAGE_NONE : s->stage,
                                      .from_status = d->from_status,
                                      .to_status = d->to_status});
    }
    s->status = d->to_status;
    if (end)
        s->stage = STAGE_NONE;
}

/* Lets the deadlines before this inbound touch act. If the stage is none afterwards, a new journey
 * opens. */
static void act_deadlines(const struct passing *p)
{
    struct deadline deadlines[DEADLINES_MAX];
    size_t n = journey_deadlines(p->policy, p->state, deadlines);
    uint8_t position = 0;
    for (size_t i = 0; i < n && instant_compare(p->touch->key.at, deadlines[i].at) > 0; i++) {
        bool is_first = i == 0 || deadlines[i - 1].at.us != deadlines[i].at.us;
        position = is_first ? 1 : (uint8_t)(position + 1);
        act_deadline(p, &deadlines[i], position);
    }
}

static bool rule_within(const struct passing *p, const struct stage_rule *rule)
{
    const struct event_progress *progress = &p->state->counted[rule->counted];
    if (rule->within.us == 0 || rule->nth <= 1)
        return true;
    struct instant nth_last = progress->times[progress->time_count - (rule->nth - 1)];
    return instant_since(p->touch->key.at, nth_last).us <= rule->within.us;
}

/* The conditions that the shape cannot decide. Counts are those before this touch. */
static bool rule_matches(const struct passing *p, const struct stage_rule *rule)
{
    if (rule->score_min != INT16_MIN &&
        (p->touch->score == SCORE_ABSENT || p->touch->score < rule->score_min))
        return false;
    if (rule->after.ptr && p->state->counted[rule->after_index].count == 0)
        return false;
    if (rule->nth == 0)
        return true;
    const struct event_progress *progress = &p->state->counted[rule->counted];
    if (progress->count + 1 < rule->nth || !rule_within(p, rule))
        return false;
    return !rule->later_day || (progress->count > 0 && progress->first_day < p->day);
}

static uint8_t stage_after(const struct passing *p)
{
    uint8_t stage = p->state->stage;
    for (uint64_t rules = p->touch->shape->rules; rules; rules &= rules - 1) {
        const struct stage_rule *rule = &p->policy->rules[__builtin_ctzll(rules)];
        if (rule->stage <= stage)
            break;
        if (rule_matches(p, rule))
            return (uint8_t)rule->stage;
    }
    return stage == STAGE_NONE ? STAGE_INQUIRY : stage;
}

static uint8_t status_after(const struct passing *p)
{
    uint8_t status = p->state->status;
    if (p->touch->shape->status != STATUS_NONE)
        return p->touch->shape->status;
    return status == STATUS_LAPSED || status == STATUS_WON_BACK ? STATUS_WON_BACK : STATUS_ACTIVE;
}

static void open_instance(struct journey_state *state)
{
    state->journey_number++;
    memset(state->counted, 0, sizeof state->counted);
}

static void change_stage(const struct passing *p, uint8_t stage, uint8_t status)
{
    struct journey_state *s = p->state;
    bool is_change = stage != s->stage || status != s->status;
    if (is_change && s->change_count < UINT8_MAX)
        s->change_count++;
    if (p->effects && is_change) {
        effects_status(p->effects, p->policy, p->day, (struct position){s->stage, s->status},
                       (struct position){stage, status});
        effects_stock(p->effects, CELL_STAGE, p->day, s->stage, stage);
        add_row(p, (struct stage_row){.touch = p->touch->key,
                                      .reason = REASON_RULE,
                                      .changed_at = p->touch->key.at,
                                      .position = s->change_count,
                                      .from_stage = s->stage,
                                      .to_stage = stage,
                                      .from_status = s->status,
                                      .to_status = status});
    }
    if (stage != s->stage)
        s->stage_since = p->touch->key.at;
    s->stage = stage;
    s->status = status;
}

static void keep_time(struct event_progress *progress, uint32_t max, struct instant t)
{
    if (max == 0)
        return;
    if (progress->time_count == max) {
        memmove(progress->times, progress->times + 1, (max - 1) * sizeof *progress->times);
        progress->time_count--;
    }
    progress->times[progress->time_count++] = t;
}

static void count_order(const struct passing *p)
{
    struct journey_state *s = p->state;
    const struct counted_event *event = &p->policy->counted[p->touch->shape->counted];
    struct event_progress *progress = &s->counted[p->touch->shape->counted];
    if (event->later_day)
        progress->first_day = progress->count == 0           ? p->day
                              : progress->first_day < p->day ? INT32_MIN
                                                             : progress->first_day;
    if (progress->count < event->enough)
        progress->count++;
    keep_time(progress, event->times, p->touch->key.at);
    s->order_count++;
    s->last_order_at = p->touch->key.at;
}

static void pass_inbound(const struct passing *p)
{
    struct journey_state *s = p->state;
    act_deadlines(p);
    if (s->stage == STAGE_NONE)
        open_instance(s);
    change_stage(p, stage_after(p), status_after(p));
    if (p->touch->shape->is_order)
        count_order(p);
    s->last_inbound = p->touch->key;
}

/* ---- goals ---- */
/* Whether a matching touch counts under the goal's nth and within. */
static bool goal_counts(struct journey_state *state, const struct journey_goal *goal,
                        struct instant t)
{
    if (goal->nth == 0)
        return true;
    struct goal_progress *progress = &state->goals[goal->nth_slot];
    if (progress->count >= goal->nth)
        return false;
    struct instant first = progress->count == 0 ? t : progress->first;
    progress->count++;
    bool reached = progress->count == goal->nth;
    progress->first = reached ? (struct instant){0} : first;
    return reached && (goal->within.us == 0 || instant_since(t, first).us <= goal->within.us);
}

int64_t goal_micros(const struct journey_goal *goal, const struct touch *touch)
{
    if (goal->measure == MEASURE_MARGIN_ELSE_VALUE && touch->margin_micros != MICROS_ABSENT)
        return touch->margin_micros;
    return goal->measure == MEASURE_COUNT || touch->value_micros == MICROS_ABSENT
               ? 0
               : touch->value_micros;
}

/* True if the touch counts for the goal. */
static bool count_goal(const struct passing *p, uint32_t index)
{
    const struct journey_goal *goal = &p->policy->goals[index];
    if (!goal_counts(p->state, goal, p->touch->key.at))
        return false;
    bool first_today = !(p->state->goals_today >> index & 1);
    p->state->goals_today |= UINT64_C(1) << index;
    if (!p->effects)
        return true;
    const struct shape *shape = p->touch->shape;
    uint32_t currency = goal->measure == MEASURE_COUNT ? 0 : shape->currency;
    struct cell_key key = {
        CELL_GOAL, p->day, {goal->code, shape->department, shape->channel, currency}};
    int64_t *v = effects_cell(p->effects, &key);
    effects_add(p->effects, &v[0], 1);
    effects_add_micros(p->effects, v, 1, goal_micros(goal, p->touch));
    if (first_today)
        effects_add(
            p->effects,
            effects_cell(p->effects, &(struct cell_key){CELL_GOAL_CUSTOMERS, p->day, {goal->code}}),
            1);
    return true;
}

/* The goals for which the touch counts, one bit each. */
static uint64_t pass_goals(const struct passing *p)
{
    uint64_t counted = 0;
    if (p->state->goal_day != p->day) {
        p->state->goal_day = p->day;
        p->state->goals_today = 0;
    }
    for (uint64_t goals = touch_goals(p->policy, p->touch); goals; goals &= goals - 1)
        if (count_goal(p, (uint32_t)__builtin_ctzll(goals)))
            counted |= goals & -goals;
    return counted;
}

/* ---- conversions ---- */
static void emit_conversion(const struct passing *p, uint64_t counted)
{
    uint32_t n;
    const struct tail_touch *eligible = tail_eligible(&p->state->tail, p->effects->arena, &n);
    if (journey_needs_window(p->policy, p->state, p->touch))
        p->effects->missed_window = true;
    const struct conversion_rule *rule = &p->policy->conversions[p->conversion];
    struct conversion conversion = {p->touch,
                                    rule->goal_code,
                                    !p->state->has_converted,
                                    p->stage_before,
                                    p->day,
                                    (rule->credited & ~counted) != 0,
                                    0};
    effects_conversion(p->effects, &conversion, eligible, n);
}

static int64_t or_zero(int64_t micros)
{
    return micros == MICROS_ABSENT ? 0 : micros;
}

static void pass_conversion(const struct passing *p, uint64_t counted)
{
    struct journey_state *s = p->state;
    if (p->effects)
        emit_conversion(p, counted);
    s->has_converted = true;
    struct currency_sum *sum = journey_sum(s, p->touch->shape->currency);
    sum->last = p->touch->key;
    sum->conversions++;
    sum->revenue = sum_add(sum->revenue, or_zero(p->touch->value_micros));
    if (p->touch->margin_micros == MICROS_ABSENT)
        return;
    sum->with_margin++;
    sum->margin = sum_add(sum->margin, p->touch->margin_micros);
    sum->revenue_with_margin = sum_add(sum->revenue_with_margin, or_zero(p->touch->value_micros));
}

static void pass_touch(const struct passing *p)
{
    struct journey_state *s = p->state;
    tail_prune(&s->tail, instant_minus(p->touch->key.at, p->policy->lookback));
    if (p->effects)
        emit_step(p);
    if (p->touch->shape->direction == DIRECTION_INBOUND)
        pass_inbound(p);
    uint64_t counted = pass_goals(p);
    if (p->conversion >= 0)
        pass_conversion(p, counted);
    if (p->touch->shape->creditable)
        tail_push(&s->tail, s->arena, p->touch, p->policy->tail_max);
    s->last_touch_at = p->touch->key.at;
    s->last_node = node_of(p);
    s->last_department = p->touch->shape->department;
}

/* What is no touch may count for goals, and a failure ends the credit of its send. */
static void pass_no_touch(const struct passing *p)
{
    if (p->touch->shape->is_failure)
        tail_fail(&p->state->tail, p->touch);
    if (p->touch->shape->goals)
        pass_goals(p);
}

void journey_advance(const struct journey_policy *policy, struct journey_state *state,
                     const struct touch *touch, struct journey_effects *effects)
{
    note_fact(state, touch);
    struct passing p = {
        .policy = policy,
        .state = state,
        .touch = touch,
        .effects = effects,
        .day = reporting_day(policy, touch->key.at),
        .stage_before = journey_stage_at(state, touch->key.at),
        .conversion = touch_conversion(touch),
    };
    if (touch->shape->is_touch)
        pass_touch(&p);
    else
        pass_no_touch(&p);
}
