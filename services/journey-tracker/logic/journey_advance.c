/* journey_advance.c: takes a state through one more fact: the rules of docs/figures.md, in the
 * order in which they act. */
#include "common/words/periods.h"
#include "services/journey-tracker/logic/journey_internal.h"

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
        scores_push(state, touch->key.at, touch->score);
    if (touch->zone > 0)
        state->zone = (struct zone_said){touch->zone, touch->key.at};
}

/* ---- map ---- */
static uint32_t node_of(const struct passing *p)
{
    return p->conversions.count ? p->policy->conversion_node : p->touch->shape->kind;
}

static void emit_exit(const struct passing *p)
{
    const struct journey_state *s = p->state;
    struct instant exit = instant_plus(s->last_touch_at, JOURNEY_END);
    const struct shown_segments nobody = in_no_segment();
    effects_step(p->effects, &(struct step){&nobody, reporting_month(p->policy, exit),
                                            journey_stage_at(s, exit), s->last_node, 0,
                                            s->last_department, 0, -1});
}

static void take_step(struct passing *p)
{
    const struct journey_state *s = p->state;
    struct step *step = &p->step;
    int64_t gap = instant_is_set(s->last_touch_at)
                      ? instant_since(p->touch->key.at, s->last_touch_at).us
                      : -1;
    *step = (struct step){.shown = &p->shown,
                          .month = p->effects ? reporting_month(p->policy, p->touch->key.at) : 0,
                          .stage = p->stage_before,
                          .to = node_of(p),
                          .to_department = p->touch->shape->department,
                          .wait = -1};
    if (gap > JOURNEY_END.us && p->effects)
        emit_exit(p);
    if (gap >= 0 && gap <= JOURNEY_END.us) {
        step->from = s->last_node;
        step->from_department = s->last_department;
        step->wait = gap;
    }
    if (p->effects)
        effects_step(p->effects, step);
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
        effects_status(
            p->effects, p->policy, day,
            (struct position){s->stage, d->from_status, s->is_identified},
            (struct position){end ? STAGE_NONE : s->stage, d->to_status, s->is_identified});
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
    if (rule->within.us == 0 || rule->nth <= 1)
        return true;
    struct instant nth_last = orders_newest(p->state, rule->counted, rule->nth - 1u);
    return instant_since(p->touch->key.at, nth_last).us <= rule->within.us;
}

/* The conditions that the shape cannot decide. Counts are those before this touch. */
static bool rule_matches(const struct passing *p, const struct stage_rule *rule)
{
    if (!filter_admits(&rule->on, is_positive(p->touch), p->touch->score))
        return false;
    if (rule->in_segment & ~p->segments)
        return false;
    if (rule->after.ptr && orders_counted(p->state, rule->after_index) == 0)
        return false;
    if (rule->nth == 0)
        return true;
    if (orders_counted(p->state, rule->counted) + 1 < rule->nth || !rule_within(p, rule))
        return false;
    return !rule->later_day || orders_before_day(p->policy, p->state, rule->counted, p->day);
}

static uint64_t rules_of_touch(const struct passing *p)
{
    uint64_t rules = p->touch->shape->rules;
    for (uint64_t more = p->touch->shape->line_rules; more; more &= more - 1)
        if (filter_set_has(&p->touch->by_lines, p->policy->rules[__builtin_ctzll(more)].filter))
            rules |= more & -more;
    return rules;
}

static uint8_t stage_after(const struct passing *p)
{
    uint8_t stage = p->state->stage;
    for (uint64_t rules = rules_of_touch(p); rules; rules &= rules - 1) {
        const struct stage_rule *rule = &p->policy->rules[__builtin_ctzll(rules)];
        if (p->again && rule->on.events.count > 0)
            continue;
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
        effects_status(p->effects, p->policy, p->day,
                       (struct position){s->stage, s->status, s->is_identified},
                       (struct position){stage, status, s->is_identified});
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

static void pass_inbound(const struct passing *p)
{
    struct journey_state *s = p->state;
    act_deadlines(p);
    if (s->stage == STAGE_NONE)
        open_instance(s);
    change_stage(p, stage_after(p), status_after(p));
    s->last_inbound = p->touch->key;
}

/* ---- goals ---- */
/* Whether a matching touch counts under the goal's nth and within. Orders that were fully returned
 * are not counted before it. */
static bool goal_counts(struct passing *p, const struct journey_goal *goal)
{
    if (goal->nth == 0)
        return true;
    struct goal_progress *progress = &p->state->goals[goal->nth_slot];
    struct instant t = p->touch->key.at;
    p->nth_goals |= (uint16_t)(1 << goal->nth_slot);
    uint32_t before = orders_matching(p->state, goal->nth_slot);
    if (before + 1 != goal->nth || progress->is_counted)
        return false;
    struct instant first = before ? orders_first_match(p->state, goal->nth_slot) : t;
    progress->is_counted = goal->within.us == 0 || instant_since(t, first).us <= goal->within.us;
    return progress->is_counted;
}

static void add_customer(const struct passing *p, const struct journey_goal *goal,
                         enum period_kind kind)
{
    for (int i = 0; i < p->shown.count && p->effects; i++) {
        const struct cell_key key = {
            CELL_GOAL_CUSTOMERS, p->day, {goal->code, p->shown.codes[i], kind}};
        effects_add(p->effects, effects_cell(p->effects, &key), 1);
    }
}

/* The first touch of a day, and of each longer period that the goal asks for, adds a customer. */
static void count_customer(const struct passing *p, uint32_t index)
{
    const struct journey_goal *goal = &p->policy->goals[index];
    uint64_t bit = UINT64_C(1) << index;
    uint16_t slot = (uint16_t)(1 << goal->window_slot);
    if (p->state->goals_today & bit)
        return;
    p->state->goals_today |= bit;
    add_customer(p, goal, PERIOD_DAY);
    for (int kind = PERIOD_WEEK; kind < PERIOD_COUNT && goal->windows; kind++) {
        uint16_t *counted = &p->state->in_window[kind - PERIOD_WEEK];
        if (!(goal->windows >> kind & 1) || *counted & slot)
            continue;
        *counted |= slot;
        add_customer(p, goal, (enum period_kind)kind);
    }
}

static void start_day(const struct passing *p)
{
    struct journey_state *s = p->state;
    for (int kind = PERIOD_WEEK; kind < PERIOD_COUNT && p->policy->has_windows; kind++)
        if (period_start((enum period_kind)kind, s->goal_day) !=
            period_start((enum period_kind)kind, p->day))
            s->in_window[kind - PERIOD_WEEK] = 0;
    s->goal_day = p->day;
    s->goals_today = 0;
}

static void count_goal(struct passing *p, uint32_t index, const struct order_sums *sums)
{
    const struct journey_goal *goal = &p->policy->goals[index];
    bool is_again = p->again != NULL;
    const struct shape *place = is_again ? p->detail.place : p->touch->shape,
                       *money = is_again ? p->detail.money : p->touch->shape;
    p->matched |= UINT64_C(1) << index;
    if (!goal_counts(p, goal))
        return;
    if (goal->nth)
        p->nth_counted |= (uint16_t)(1 << goal->nth_slot);
    else
        p->counted |= UINT64_C(1) << index;
    count_customer(p, index);
    if (p->effects)
        effects_goal(p->effects, goal,
                     &(struct goal_amount){.shown = &p->shown,
                                           .day = p->day,
                                           .department = place->department,
                                           .channel = place->channel,
                                           .currency = money->currency,
                                           .touches = 1,
                                           .value = (int64_t)sums->value,
                                           .by_goal = (int64_t)sums->by_goal});
}

void pass_goals(struct passing *p, uint64_t goals, const struct order_sums *sums)
{
    if (p->state->goal_day != p->day)
        start_day(p);
    for (; goals; goals &= goals - 1)
        count_goal(p, (uint32_t)__builtin_ctzll(goals), sums);
}

/* The goals that this touch matches. An order has the goals of its first telling; those that ask
 * for a value count it at the first telling that has one. */
static uint64_t goals_of_touch(const struct passing *p)
{
    if (p->again == NULL || p->detail.place == NULL)
        return touch_goals(p->policy, p->touch);
    return goals_admitting(p->policy, p->touch, p->detail.goals & ~p->again->detail->matched);
}

/* ---- conversions ---- */
/* The goals that counted this touch or an earlier telling of its order. */
static uint64_t goals_counted(const struct passing *p)
{
    uint64_t counted = all_goals(p->policy, p->counted, p->nth_counted);
    if (p->again)
        counted |= all_goals(p->policy, p->again->detail->counted, p->again->nth_counted);
    return counted;
}

/* The conversion of one goal: of its rule, which is rule number i of the touch. */
static void emit_sale(const struct passing *p, uint8_t i, const struct tail_touch *eligible,
                      uint32_t n)
{
    const struct shape *shape = p->touch->shape;
    const struct conversion_rule *rule = &p->policy->conversions[p->conversions.rules[i]];
    effects_credit(p->effects, &p->policy->credit,
                   &(struct crediting){.shown = &p->shown,
                                       .goal = rule->goal_code,
                                       .day = p->day,
                                       .converted_at = p->touch->key.at,
                                       .department = shape->department,
                                       .currency = shape->currency,
                                       .share = CREDIT_WHOLE,
                                       .value = or_zero(p->touch->value_micros),
                                       .margin = p->touch->margin_micros,
                                       .is_left_out = (rule->credited & ~goals_counted(p)) != 0},
                   eligible, n);
    *arena_push(p->effects->arena, &p->effects->conversions) = (struct conversion_row){
        .key = p->touch->key,
        .shape = shape->code,
        .rule = p->conversions.rules[i],
        .goal = rule->goal_code,
        .further = i ? rule->goal : SPAN_NONE,
        .is_first = !(p->state->converted >> rule->goal_slot & 1),
        .stage_before = p->stage_before,
        .value = p->touch->value_micros,
        .margin = p->touch->margin_micros,
        .eligible_count = n,
        .eligible = pack_eligible(p->effects->arena, eligible, n),
    };
}

/* How many of the eligible touches, oldest first, are inside this lookback. */
static uint32_t count_since(const struct tail_touch *eligible, uint32_t n, struct instant since)
{
    uint32_t left = 0;
    while (left < n && instant_compare(eligible[left].at, since) < 0)
        left++;
    return n - left;
}

static void emit_sales(const struct passing *p)
{
    uint32_t n;
    const struct tail_touch *eligible = tail_eligible(&p->state->tail, p->effects->arena, &n);
    if (journey_needs_window(p->policy, p->state, p->touch))
        p->effects->missed_window = true;
    for (uint8_t i = 0; i < p->conversions.count; i++) {
        struct duration lookback = p->policy->conversions[p->conversions.rules[i]].lookback;
        uint32_t own = count_since(eligible, n, instant_minus(p->touch->key.at, lookback));
        emit_sale(p, i, eligible + (n - own), own);
    }
}

/* Only a remembered order needs its touches again. */
static void note_eligible(struct passing *p)
{
    uint32_t n;
    if (p->touch->order == 0)
        return;
    const struct tail_touch *eligible = tail_eligible(&p->state->tail, p->state->arena, &n);
    if (n == 0)
        return;
    struct tail_touch *copy = arena_alloc(p->state->arena, n * sizeof *copy);
    memcpy(copy, eligible, n * sizeof *copy);
    p->detail.eligible = copy;
    p->detail.eligible_count = n;
    for (uint8_t i = 0; i < p->conversions.count; i++) {
        struct duration lookback = p->policy->conversions[p->conversions.rules[i]].lookback;
        p->detail.sharing[i] = count_since(copy, n, instant_minus(p->touch->key.at, lookback));
    }
}

static void pass_conversion(struct passing *p)
{
    struct journey_state *s = p->state;
    p->detail.is_conversion = true;
    p->detail.key = p->touch->key;
    p->detail.seller = p->touch->shape;
    p->detail.sales = p->conversions;
    note_eligible(p);
    if (p->effects)
        emit_sales(p);
    for (uint8_t i = 0; i < p->conversions.count; i++)
        s->converted |= (uint16_t)(1U << p->policy->conversions[p->conversions.rules[i]].goal_slot);
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

/* An order that is told again is one conversion, at the first telling that is one. */
static void find_order(struct passing *p)
{
    p->again = orders_told(p->policy, p->state, p->touch);
    if (p->touch->shape->is_order)
        p->detail = telling(p);
    if (p->again == NULL || !p->again->detail->is_conversion)
        p->conversions = touch_conversions(p->touch);
}

/* Everything but the map. */
static void pass_rules(struct passing *p)
{
    const struct order_sums own = sums_of(p->touch);
    if (p->touch->shape->direction == DIRECTION_INBOUND)
        pass_inbound(p);
    pass_goals(p, goals_of_touch(p), p->again ? &p->detail.told : &own);
    if (p->conversions.count)
        pass_conversion(p);
    if (p->again)
        pass_telling(p);
    else
        remember_order(p);
    if (p->touch->shape->creditable)
        tail_push(&p->state->tail, p->state->arena, p->touch, p->policy->tail_max);
}

static void add_cost(const struct passing *p)
{
    struct currency_sum *sum = journey_sum(p->state, p->touch->shape->currency);
    sum->with_cost++;
    sum->cost = sum_add(sum->cost, p->touch->cost_micros);
}

static void pass_touch(struct passing *p)
{
    struct journey_state *s = p->state;
    bool returns = is_return(p->touch);
    tail_prune(&s->tail, instant_minus(p->touch->key.at, p->policy->lookback));
    if (!returns)
        find_order(p);
    take_step(p);
    if (returns)
        pass_return(p);
    else
        pass_rules(p);
    if (p->touch->cost_micros != MICROS_ABSENT)
        add_cost(p);
    s->last_touch_at = p->touch->key.at;
    s->last_node = node_of(p);
    s->last_department = p->touch->shape->department;
}

/* What is no touch may count for goals, and a failure ends the credit of its send. */
static void pass_no_touch(struct passing *p)
{
    const struct order_sums own = sums_of(p->touch);
    if (p->touch->shape->is_failure)
        tail_fail(&p->state->tail, p->touch);
    if (p->touch->shape->goals)
        pass_goals(p, goals_of_touch(p), &own);
    remember_order(p);
}

bool passing_asks(const struct passing *p, const struct filter_set *filters)
{
    const struct shape *shape = p->touch->shape;
    bool is_bot = !shape->is_touch && shape->direction != DIRECTION_NONE;
    if (is_bot || shape->is_without_sale || p->is_repeated_return)
        return false;
    for (int i = 0; i < FILTERS_MAX / 64; i++)
        if (filters->word[i] & (shape->filters.word[i] | shape->line_filters.word[i]))
            return true;
    return false;
}

bool passing_counts(const struct passing *p)
{
    return !p->again && !(is_return(p->touch) && !p->touch->shape->is_return);
}

void journey_advance(const struct journey_policy *policy, struct journey_state *state,
                     const struct touch *touch, struct journey_effects *effects)
{
    struct passing p = {
        .policy = policy,
        .state = state,
        .touch = touch,
        .effects = effects,
        .day = reporting_day(policy, touch->key.at),
        .stage_before = journey_stage_at(state, touch->key.at),
        .had_touch = instant_is_set(state->last_touch_at),
        .shown = in_no_segment(),
    };
#define PIECE(number, name) name##_before(&p);
#include "services/journey-tracker/logic/pieces.def"
    note_fact(state, touch);
    orders_prune(policy, state, touch->key.at);
    if (touch->shape->is_touch)
        pass_touch(&p);
    else
        pass_no_touch(&p);
#define PIECE(number, name) name##_after(&p);
#include "services/journey-tracker/logic/pieces.def"
    if (effects && state->orders.is_missed)
        effects->missed_window = true;
}
