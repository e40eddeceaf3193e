/* journey_returns.c: what a return takes back of its order, and what another telling of an order
 * adds to it. Both are dated when they happen, and go to the touches that got the order's credit.
 */
#include "services/journey-tracker/logic/journey_internal.h"

/* ---- tellings ---- */
struct order_sums sums_of(const struct touch *touch)
{
    int64_t value = or_zero(touch->value_micros), margin = or_zero(touch->margin_micros);
    return (struct order_sums){value, margin,
                               touch->margin_micros == MICROS_ABSENT ? value : margin};
}

static struct order_sums sums_add(struct order_sums a, struct order_sums b)
{
    return (struct order_sums){sum_add(a.value, b.value), sum_add(a.margin, b.margin),
                               sum_add(a.by_goal, b.by_goal)};
}

static struct order_sums sums_sub(struct order_sums a, struct order_sums b)
{
    return (struct order_sums){sum_sub(a.value, b.value), sum_sub(a.margin, b.margin),
                               sum_sub(a.by_goal, b.by_goal)};
}

/* Goals of money from which a return takes that knows nothing of its order. */
static uint64_t return_goals(const struct journey_policy *policy, const struct touch *touch)
{
    const struct shape *shape = touch->shape;
    return goals_of(policy, touch, shape->return_goals, shape->return_line_goals);
}

static struct order_detail new_order(const struct journey_policy *policy, const struct touch *touch)
{
    return (struct order_detail){
        .goals = goals_of(policy, touch, touch->shape->goals, touch->shape->line_goals),
        .return_goals = return_goals(policy, touch),
        .key = touch->key,
        .place = touch->shape,
        .seller = touch->shape,
        .money = touch->shape,
        .has_value = is_positive(touch),
        .has_margin = touch->margin_micros != MICROS_ABSENT,
        .told = sums_of(touch),
    };
}

/* Value, margin and source become those of this telling; a margin that it does not tell stays. */
static void replace_value(struct order_detail *d, const struct touch *touch)
{
    micros_sum margin = d->told.margin;
    d->told = sums_of(touch);
    if (touch->margin_micros == MICROS_ABSENT)
        d->told.margin = margin;
    d->money = touch->shape;
    d->has_value = true;
}

/* The value is told by one source: the first that tells any, or one that is preferred to it. */
static void take_value(struct order_detail *d, const struct touch *touch)
{
    const struct shape *shape = touch->shape;
    if (d->has_value && shape->currency != d->money->currency)
        return;
    bool is_part = d->has_value && span_equal(shape->source, d->money->source);
    if (d->has_value && !is_part && shape->preferred >= d->money->preferred)
        return;
    if (is_part)
        d->told = sums_add(d->told, sums_of(touch));
    else
        replace_value(d, touch);
    d->has_margin |= touch->margin_micros != MICROS_ABSENT;
}

struct order_detail telling(const struct passing *p)
{
    if (p->again == NULL)
        return new_order(p->policy, p->touch);
    struct order_detail d = *p->again->detail;
    if (is_positive(p->touch))
        take_value(&d, p->touch);
    return d;
}

/* ---- changes of an order ---- */
/* Amounts by which an order changes: signed. */
struct amounts {
    int32_t share;
    bool is_full; /* the count is taken back */
    struct order_sums sums;
    int64_t over;
};

static void add_to_goals(const struct passing *p, const struct order_detail *d,
                         const struct amounts *a)
{
    for (uint64_t goals = d->counted; goals; goals &= goals - 1) {
        const struct journey_goal *goal = &p->policy->goals[__builtin_ctzll(goals)];
        bool counts = goal->measure == MEASURE_COUNT && goal->on.events.count > 0;
        effects_goal(p->effects, goal,
                     &(struct goal_amount){
                         .shown = &p->shown,
                         .day = p->day,
                         .department = d->place->department,
                         .channel = d->place->channel,
                         .currency = d->money->currency,
                         .returned = counts && a->is_full,
                         .value = wrap_add((int64_t)a->sums.value, a->over),
                         .by_goal = wrap_add((int64_t)a->sums.by_goal, a->over),
                     });
    }
}

/* The order's goal number i: the touches that share its credit, the newest of the eligible ones. */
static const struct tail_touch *sharing_of(const struct order_detail *d, uint8_t i)
{
    return d->sharing[i] ? d->eligible + (d->eligible_count - d->sharing[i]) : NULL;
}

static void credit_change(struct journey_effects *effects, const struct credit_rules *rules,
                          const struct order_change *row, struct crediting c,
                          const struct tail_touch *touches)
{
    bool is_one = row->touch_count == 0; /* all of it is nobody's */
    if (!c.share && !c.value && !or_zero(c.margin))
        c.margin = MICROS_ABSENT; /* nothing of the order: what is over has no margin */
    if (is_one)
        c.value = wrap_add(c.value, row->over);
    if (c.share || c.value || or_zero(c.margin))
        effects_credit(effects, rules, &c, touches, row->touch_count);
    c.share = 0;
    c.margin = MICROS_ABSENT;
    c.value = row->over;
    if (row->over && !is_one)
        effects_credit(effects, rules, &c, NULL, 0);
}

static struct crediting crediting_of(const struct passing *p, const struct order_change *row,
                                     const struct order_detail *d)
{
    uint32_t slots = p->nth_counted | (p->again ? p->again->nth_counted : 0);
    uint64_t counted = all_goals(p->policy, d->counted | p->counted, slots);
    uint64_t credited = p->policy->conversions[row->rule].credited;
    return (struct crediting){.shown = &p->shown,
                              .goal = row->goal,
                              .day = p->day,
                              .department = d->seller->department,
                              .currency = d->money->currency,
                              .converted_at = d->key.at,
                              .share = row->share,
                              .value = row->value,
                              .margin = row->margin,
                              .value_before = row->value_before,
                              .margin_before = row->margin_before,
                              .is_left_out = d->is_conversion && (credited & ~counted) != 0};
}

/* d: the order before the change. */
static struct order_change row_of(const struct passing *p, const struct order_detail *d,
                                  const struct amounts *a)
{
    struct order_sums left = sums_sub(d->told, d->back);
    return (struct order_change){
        .key = p->touch->key,
        .shape = p->touch->shape->code,
        .order = d->key,
        .seller = d->seller->code,
        .money = d->money->code,
        .share = a->share,
        .value = (int64_t)a->sums.value,
        .margin = d->has_margin ? (int64_t)a->sums.margin : MICROS_ABSENT,
        .value_before = (int64_t)left.value,
        .margin_before = (int64_t)left.margin,
        .over = a->over,
        .touches = SPAN(""),
    };
}

/* The row of each goal of the order, and what its touches get or lose. unidentified: as in
 * crediting. */
static void emit_change(const struct passing *p, const struct order_change *change,
                        const struct order_detail *d, uint32_t unidentified)
{
    struct journey_effects *effects = p->effects;
    bool removes = unidentified && effects->sign < 0; /* journey_alone */
    struct order_changes *rows = removes ? &effects->orders_removed : &effects->orders;
    for (uint8_t i = 0; i < d->sales.count; i++) {
        struct order_change row = *change;
        const struct conversion_rule *rule = &p->policy->conversions[d->sales.rules[i]];
        row.rule = d->sales.rules[i];
        row.goal = rule->goal_code;
        row.further = i ? rule->goal : SPAN_NONE;
        row.touch_count = d->sharing[i];
        row.touches = pack_eligible(effects->arena, sharing_of(d, i), row.touch_count);
        struct crediting c = crediting_of(p, &row, d);
        c.unidentified = unidentified;
        credit_change(effects, &p->policy->credit, &row, c, sharing_of(d, i));
        *arena_push(effects->arena, rows) = row;
    }
    if (d->sales.count == 0)
        *arena_push(effects->arena, rows) = *change;
}

/* Of a currency without conversions the newest touch is kept. */
static void add_to_revenue(const struct passing *p, const struct order_detail *d,
                           const struct amounts *a, bool has_margin)
{
    micros_sum revenue = sum_add(a->sums.value, a->over);
    if (revenue == 0 && a->sums.margin == 0)
        return;
    struct currency_sum *sum = journey_sum(p->state, d->money->currency);
    if (sum->last.rank != RANK_CONVERSION)
        sum->last = p->touch->key;
    sum->revenue = sum_add(sum->revenue, revenue);
    if (!has_margin)
        return;
    sum->with_margin++;
    sum->margin = sum_add(sum->margin, a->sums.margin);
    sum->revenue_with_margin = sum_add(sum->revenue_with_margin, a->sums.value);
}

static void note_telling(const struct passing *p)
{
    struct order_detail d = p->detail;
    d.matched |= p->matched;
    d.counted |= p->counted;
    p->again->nth_goals |= p->nth_goals;
    p->again->nth_counted |= p->nth_counted;
    orders_detail(p->state->arena, p->again, &d);
}

/* What this telling adds to an order that is a conversion already. */
void pass_telling(struct passing *p)
{
    const struct order_detail *old = p->again->detail;
    struct amounts a = {.sums = sums_sub(p->detail.told, old->told)};
    p->told = a.sums;
    if (old->is_conversion) {
        struct order_detail before = p->detail;
        before.told = old->told;
        struct order_change row = row_of(p, &before, &a);
        add_to_revenue(p, &p->detail, &a, p->detail.has_margin);
        if (p->effects)
            emit_change(p, &row, &p->detail, 0);
    }
    if (p->effects) {
        struct order_detail earlier = p->detail;
        earlier.counted = all_goals(p->policy, old->counted, p->again->nth_counted);
        add_to_goals(p, &earlier, &a);
    }
    note_telling(p);
}

void remember_order(struct passing *p)
{
    const struct shape *shape = p->touch->shape;
    struct order_entry entry = {.order = p->touch->order,
                                .at = p->touch->key.at,
                                .nth_goals = p->nth_goals,
                                .nth_counted = p->nth_counted,
                                .counted = shape->is_order ? shape->counted : -1,
                                .is_told = shape->is_told};
    if (!shape->is_order) {
        orders_settle(p->policy, p->state, &entry);
        return;
    }
    p->state->order_count++;
    p->state->last_order_at = p->touch->key.at;
    p->detail.matched = p->matched;
    p->detail.counted = p->counted;
    if (entry.order)
        orders_detail(p->state->arena, &entry, &p->detail);
    orders_push(p->policy, p->state, &entry);
}

/* ---- returns ---- */
static int64_t clamp(micros_sum sum)
{
    return sum < 0 ? 0 : sum > INT64_MAX ? INT64_MAX : (int64_t)sum;
}

static int64_t size_of(int64_t micros)
{
    return micros == MICROS_ABSENT ? 0 : micros < 0 ? -micros : micros;
}

static bool same_teller(const struct shape *a, const struct shape *b)
{
    return span_equal(a->event, b->event) && span_equal(a->source, b->source);
}

/* How many returns of this amount one teller told. */
static uint32_t told_by(const struct order_return *list, const struct shape *teller, int64_t amount)
{
    uint32_t n = 0;
    for (const struct order_return *r = list; r; r = r->earlier)
        n += r->amount == amount && same_teller(r->shape, teller);
    return n;
}

/* Several systems tell a return, each under an event of its own. Of one amount as many count as the
 * one of them that told most. */
static bool is_repeat(const struct order_return *list, const struct shape *teller, int64_t amount)
{
    uint32_t own = told_by(list, teller, amount) + 1;
    for (const struct order_return *r = list; r; r = r->earlier)
        if (!same_teller(r->shape, teller) && told_by(list, r->shape, amount) >= own)
            return true;
    return false;
}

/* The part of a further amount of the order, when `taken` of the rest of its value goes. */
static micros_sum part_of(micros_sum amount, int64_t taken, micros_sum rest)
{
    micros_sum product;
    if (rest == 0 || taken == rest)
        return amount;
    if (__builtin_mul_overflow(amount, taken, &product))
        return amount / rest * taken;
    return product / rest;
}

static struct amounts taken_back(const struct order_entry *entry, int64_t amount)
{
    const struct order_detail *d = entry->detail;
    struct order_sums left = d->is_conversion ? sums_sub(d->told, d->back) : (struct order_sums){0};
    micros_sum rest = left.value < 0 ? 0 : left.value;
    int64_t taken = amount < rest ? amount : (int64_t)rest;
    bool is_full = taken == rest && !entry->is_returned;
    return (struct amounts){
        .share = is_full && d->is_conversion ? -CREDIT_WHOLE : 0,
        .is_full = is_full,
        .sums = {-(micros_sum)taken, -part_of(left.margin, taken, rest),
                 -part_of(left.by_goal, taken, rest)},
        .over = taken - amount,
    };
}

static void take_count(struct passing *p, struct order_entry *entry)
{
    entry->is_returned = true;
    p->state->order_count--;
    for (uint32_t slots = entry->nth_counted; slots; slots &= slots - 1)
        p->state->goals[__builtin_ctz(slots)].is_counted = false;
    entry->nth_counted = 0;
}

/* d: of the order before this return. */
static void note_return(struct passing *p, struct order_entry *entry, struct order_detail d,
                        int64_t amount)
{
    struct order_return *note = arena_alloc(p->state->arena, sizeof *note);
    *note = (struct order_return){p->touch->shape, amount, d.returns};
    d.returns = note;
    orders_detail(p->state->arena, entry, &d);
}

/* An order without a conversion is none that a row could name. What is over counts where a return
 * without an order does. */
static void set_goals(struct order_detail *d)
{
    d->counted |= d->return_goals;
    if (d->is_conversion)
        return;
    d->has_margin = d->has_margin && !instant_is_set(d->key.at); /* of a return without an order */
    d->key.at = INSTANT_FIRST;
    d->sales = d->place->stand_in;
}

static void emit_return(const struct passing *p, const struct order_detail *d,
                        const struct amounts *a, bool is_repeat_of_another)
{
    struct order_detail goal = *d;
    set_goals(&goal);
    struct order_change row = row_of(p, &goal, a);
    row.is_return = true;
    row.is_repeat = is_repeat_of_another;
    row.is_full = a->is_full;
    emit_change(p, &row, &goal, 0);
    add_to_goals(p, &goal, a);
}

/* Goals that count the return as a touch of its own, with the value as sent. */
static void count_return(struct passing *p)
{
    const struct order_sums sums = sums_of(p->touch);
    pass_goals(p, p->touch->shape->return_counts & touch_goals(p->policy, p->touch), &sums);
    orders_settle(
        p->policy, p->state,
        &(struct order_entry){.at = p->touch->key.at, .nth_goals = p->nth_goals, .counted = -1});
}

/* The order as this return sees it: where it told no value, the money is that of the return. */
static struct order_detail order_of_return(const struct passing *p, const struct order_entry *entry)
{
    struct order_detail d = *entry->detail;
    if (!d.has_value && p->touch->shape->currency != 0)
        d.money = p->touch->shape;
    return d;
}

static void return_order(struct passing *p, struct order_entry *entry)
{
    struct order_detail order = order_of_return(p, entry);
    const struct order_detail *d = &order;
    int64_t amount = p->touch->value_micros == MICROS_ABSENT
                         ? clamp(sum_sub(d->told.value, d->back.value))
                         : size_of(p->touch->value_micros);
    bool repeats = is_repeat(d->returns, p->touch->shape, amount);
    p->is_repeated_return = repeats;
    struct amounts a = repeats ? (struct amounts){0} : taken_back(entry, amount);
    order.counted = all_goals(p->policy, d->counted, entry->nth_counted);
    if (p->effects)
        emit_return(p, d, &a, repeats);
    add_to_revenue(p, d, &a, d->has_margin);
    if (a.is_full)
        take_count(p, entry);
    struct order_detail left = *entry->detail;
    left.back = sums_sub(left.back, a.sums);
    note_return(p, entry, left, amount);
    if (!repeats)
        count_return(p);
}

/* A return of which no order is known: its money is negative, and nobody's. One without a value
 * takes back nothing. */
static struct amounts amounts_alone(const struct journey_policy *policy, const struct touch *touch,
                                    struct order_detail *order)
{
    const struct shape *shape = touch->shape;
    int64_t value = -size_of(touch->value_micros);
    bool has_margin = value != 0 && touch->margin_micros != MICROS_ABSENT;
    int64_t margin = has_margin ? -size_of(touch->margin_micros) : 0;
    *order = (struct order_detail){.key.at = INSTANT_FIRST,
                                   .place = shape,
                                   .seller = shape,
                                   .money = shape,
                                   .counted = return_goals(policy, touch),
                                   .return_goals = return_goals(policy, touch),
                                   .has_margin = has_margin};
    return (struct amounts){.sums = {value, margin, has_margin ? margin : value}};
}

/* What is told of an order that is not known, so that another teller's return is its repeat. */
static void note_unknown(struct passing *p, struct order_entry *first)
{
    int64_t amount = size_of(p->touch->value_micros);
    struct order_entry entry = {
        .order = p->touch->order, .at = p->touch->key.at, .counted = -1, .is_unknown = true};
    if (p->touch->order == 0)
        return;
    if (first) {
        note_return(p, first, *first->detail, amount);
        return;
    }
    note_return(p, &entry, new_order(p->policy, p->touch), amount);
    orders_push(p->policy, p->state, &entry);
}

static void return_unknown(struct passing *p)
{
    struct order_detail d;
    struct amounts a = amounts_alone(p->policy, p->touch, &d);
    struct order_entry *first = orders_unknown(p->policy, p->state, p->touch);
    bool repeats = first && is_repeat(first->detail->returns, p->touch->shape,
                                      size_of(p->touch->value_micros));
    p->is_repeated_return = repeats;
    if (repeats) {
        a = (struct amounts){0};
        d.has_margin = false;
    }
    if (p->effects)
        emit_return(p, &d, &a, repeats);
    if (p->touch->shape->stand_in.count)
        add_to_revenue(p, &d, &a, d.has_margin);
    note_unknown(p, first);
    if (!repeats)
        count_return(p);
}

void return_alone(const struct journey_policy *policy, const struct touch *touch,
                  struct journey_effects *effects)
{
    struct order_detail d;
    struct amounts a = amounts_alone(policy, touch, &d);
    struct passing p = {.policy = policy,
                        .touch = touch,
                        .effects = effects,
                        .day = reporting_day(policy, touch->key.at),
                        .shown = in_no_segment()};
    set_goals(&d);
    struct order_change row = row_of(&p, &d, &a);
    row.is_return = true;
    emit_change(&p, &row, &d, policy->unidentified);
    for (uint64_t goals = d.counted; goals; goals &= goals - 1)
        effects_goal(effects, &policy->goals[__builtin_ctzll(goals)],
                     &(struct goal_amount){.shown = &p.shown,
                                           .day = p.day,
                                           .department = policy->unidentified,
                                           .channel = policy->unidentified,
                                           .currency = touch->shape->currency,
                                           .value = (int64_t)a.sums.value,
                                           .by_goal = (int64_t)a.sums.by_goal});
}

void pass_return(struct passing *p)
{
    if (p->touch->shape->is_without_sale)
        return;
    struct order_entry *entry = orders_returned(p->policy, p->state, p->touch);
    if (entry)
        return_order(p, entry);
    else
        return_unknown(p);
}
