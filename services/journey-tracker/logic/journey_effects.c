/* journey_effects.c: the cells and rows that a touch adds to the figures. */
#include "services/journey-tracker/logic/journey_internal.h"

void journey_effects_init(struct journey_effects *effects, struct arena *arena)
{
    *effects = (struct journey_effects){.arena = arena, .sign = 1};
    map_init(&effects->cells, arena, sizeof(struct cell_key), sizeof(int64_t[CELL_VALUES]));
}

bool journey_effects_next(const struct journey_effects *effects, size_t *cursor, struct cell *out)
{
    static const int64_t nothing[CELL_VALUES];
    const void *key;
    const int64_t *values;
    while ((values = map_next(&effects->cells, cursor, &key)) != NULL) {
        if (memcmp(values, nothing, sizeof nothing) == 0)
            continue;
        memcpy(&out->key, key, sizeof out->key);
        memcpy(out->values, values, sizeof out->values);
        return true;
    }
    return false;
}

int64_t *effects_cell(struct journey_effects *effects, const struct cell_key *key)
{
    return map_put(&effects->cells, key, NULL);
}

void effects_stock(struct journey_effects *effects, enum cell_family family, int32_t day,
                   uint32_t from, uint32_t to)
{
    if (from == to)
        return;
    if (from != 0)
        effects_add(effects, &effects_cell(effects, &(struct cell_key){family, day, {from}})[0],
                    -1);
    if (to != 0) {
        int64_t *v = effects_cell(effects, &(struct cell_key){family, day, {to}});
        effects_add(effects, &v[0], 1);
        effects_add(effects, &v[1], 1);
    }
}

static bool is_in(const struct journey_goal *goal, struct position at)
{
    return at.status == goal->status && at.stage >= goal->from_stage &&
           (at.is_identified || !goal->identified);
}

void effects_status(struct journey_effects *effects, const struct journey_policy *policy,
                    int32_t day, struct position from, struct position to)
{
    effects_stock(effects, CELL_STATUS, day, from.status, to.status);
    for (uint64_t goals = policy->goals_narrow; goals; goals &= goals - 1) {
        const struct journey_goal *goal = &policy->goals[__builtin_ctzll(goals)];
        bool was = is_in(goal, from), is = is_in(goal, to);
        if (was == is)
            continue;
        struct cell_key key = {CELL_STATUS, day, {goal->status, goal->code}};
        int64_t *v = effects_cell(effects, &key);
        effects_add(effects, &v[0], is ? 1 : -1);
        effects_add(effects, &v[1], is ? 1 : 0);
    }
}

void effects_segment(struct journey_effects *effects, const struct journey_policy *policy,
                     const struct segment_flip *flip)
{
    int64_t *v =
        effects_cell(effects, &(struct cell_key){CELL_SEGMENT,
                                                 reporting_day(policy, flip->at),
                                                 {policy->segments.items[flip->segment].code}});
    effects_add(effects, &v[0], flip->is_in ? 1 : -1);
    effects_add(effects, &v[flip->is_in ? 1 : 2], 1);
}

static int wait_bucket(int64_t wait)
{
    const int64_t hour = 3600 * US_PER_SECOND;
    const int64_t limits[] = {hour, US_PER_DAY, 7 * US_PER_DAY, 30 * US_PER_DAY};
    int i = 0;
    while (i < 4 && wait > limits[i])
        i++;
    return i;
}

struct cell_key step_key(enum cell_family family, const struct step *step, uint32_t segment)
{
    return (struct cell_key){
        family,
        step->month,
        {step->stage, step->from, step->to, step->from_department, step->to_department, segment}};
}

static void add_step(struct journey_effects *effects, const struct step *step, uint32_t segment)
{
    const struct cell_key key = step_key(CELL_STEP, step, segment);
    int64_t *v = effects_cell(effects, &key);
    effects_add(effects, &v[0], 1);
    if (step->wait < 0)
        return;
    effects_add(effects, &v[1], step->wait / 1000);
    effects_add(effects, &v[2 + wait_bucket(step->wait)], 1);
}

void effects_step(struct journey_effects *effects, const struct step *step)
{
    for (int i = 0; i < step->shown->count; i++)
        add_step(effects, step, step->shown->codes[i]);
}

/* See CELL_BIT in families.def. */
static uint32_t kind_of(const struct crediting *c)
{
    return (c->margin == MICROS_ABSENT ? 0 : CREDIT_HAS_MARGIN) |
           (c->is_left_out ? CREDIT_IS_LEFT_OUT : 0);
}

/* What one touch gets, or what nobody does. */
struct credit_amount {
    int64_t share, value, margin;
};

static void add_amount(struct journey_effects *effects, const struct cell_key *key,
                       const struct credit_amount *amount, bool is_credited)
{
    int64_t *v = effects_cell(effects, key);
    effects_add(effects, &v[0], amount->share);
    effects_add_micros(effects, v, 1, amount->value);
    effects_add_micros(effects, v, 2, amount->margin);
    effects_add(effects, &v[3], is_credited ? 1 : 0);
    effects_add(effects, &v[4], 1);
}

/* credited: the shape of the touch; NULL: nobody's. */
static void add_credit(struct journey_effects *effects, const struct crediting *c,
                       const struct shape *credited, enum credit_model model,
                       struct credit_amount amount)
{
    uint32_t nobody = c->unidentified;
    struct cell_key key = {
        CELL_CREDIT,
        c->day,
        {c->goal, model, nobody, nobody, nobody, 0, c->department, c->currency, kind_of(c)}};
    if (credited) {
        key.dims[2] = credited->channel;
        key.dims[3] = credited->department;
        key.dims[4] = credited->purpose;
        key.dims[5] = credited->campaign;
    }
    for (int s = 0; s < c->shown->count; s++) {
        key.dims[9] = c->shown->codes[s];
        add_amount(effects, &key, &amount, credited != NULL);
    }
}

static struct credit_amount whole_of(const struct crediting *c)
{
    return (struct credit_amount){c->share, c->value, or_zero(c->margin)};
}

/* How the part of touch i of n changes when `change` comes to `before`. */
static int64_t split_change(int64_t before, int64_t change, uint32_t n, uint32_t i)
{
    return wrap_sub(credit_split(wrap_add(before, change), n, i), credit_split(before, n, i));
}

static void add_linear(struct journey_effects *effects, const struct crediting *c,
                       const struct tail_touch *eligible, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        add_credit(effects, c, eligible[i].shape, MODEL_LINEAR,
                   (struct credit_amount){
                       credit_split(c->share, n, i),
                       split_change(c->value_before, c->value, n, i),
                       split_change(c->margin_before, or_zero(c->margin), n, i),
                   });
}

/* The same for parts by weight; in the effects' arena. */
static const micros_sum *weigh_change(struct journey_effects *effects, int64_t before,
                                      int64_t change, const int64_t *weights, uint32_t n)
{
    micros_sum *parts = arena_array(effects->arena, micros_sum, n);
    micros_sum *old = arena_array(effects->arena, micros_sum, n);
    credit_apportion(effects->arena, (micros_sum)before + change, weights, n, parts);
    credit_apportion(effects->arena, before, weights, n, old);
    for (uint32_t i = 0; i < n; i++)
        parts[i] -= old[i];
    return parts;
}

static void add_weighed(struct journey_effects *effects, const struct credit_rules *rules,
                        const struct crediting *c, enum credit_model model,
                        const struct tail_touch *eligible, uint32_t n)
{
    int64_t *weights = arena_array(effects->arena, int64_t, n);
    credit_weights(rules, model, eligible, n, c->converted_at, weights);
    const micros_sum *share = weigh_change(effects, 0, c->share, weights, n),
                     *value = weigh_change(effects, c->value_before, c->value, weights, n),
                     *margin =
                         weigh_change(effects, c->margin_before, or_zero(c->margin), weights, n);
    for (uint32_t i = 0; i < n; i++)
        add_credit(
            effects, c, eligible[i].shape, model,
            (struct credit_amount){(int64_t)share[i], (int64_t)value[i], (int64_t)margin[i]});
}

void effects_credit(struct journey_effects *effects, const struct credit_rules *rules,
                    const struct crediting *c, const struct tail_touch *eligible, uint32_t n)
{
    for (uint32_t models = rules->models; models; models &= models - 1) {
        enum credit_model model = (enum credit_model)__builtin_ctz(models);
        if (n == 0)
            add_credit(effects, c, NULL, model, whole_of(c));
        else if (model == MODEL_FIRST_TOUCH)
            add_credit(effects, c, eligible[0].shape, model, whole_of(c));
        else if (model == MODEL_LAST_TOUCH)
            add_credit(effects, c, eligible[n - 1].shape, model, whole_of(c));
        else if (model == MODEL_LINEAR)
            add_linear(effects, c, eligible, n);
        else
            add_weighed(effects, rules, c, model, eligible, n);
    }
}

struct span pack_eligible(struct arena *arena, const struct tail_touch *eligible, uint32_t n)
{
    struct strbuf buf = {.arena = arena};
    strbuf_reserve(&buf, (size_t)n * ELIGIBLE_SIZE);
    for (uint32_t i = 0; i < n; i++) {
        strbuf_add(&buf, eligible[i].event_id.bytes, sizeof eligible[i].event_id.bytes);
        pack_be64(&buf, (uint64_t)eligible[i].at.us);
        pack_be32(&buf, eligible[i].shape->code);
    }
    return strbuf_span(&buf);
}

static int64_t goal_micros(const struct journey_goal *goal, const struct goal_amount *amount)
{
    if (goal->measure == MEASURE_COUNT)
        return 0;
    return goal->measure == MEASURE_VALUE ? amount->value : amount->by_goal;
}

void effects_goal(struct journey_effects *effects, const struct journey_goal *goal,
                  const struct goal_amount *amount)
{
    int64_t micros = goal_micros(goal, amount);
    uint32_t currency = goal->measure == MEASURE_COUNT ? 0 : amount->currency;
    if (amount->touches == 0 && amount->returned == 0 && micros == 0)
        return;
    for (int i = 0; i < amount->shown->count; i++) {
        struct cell_key key = {
            CELL_GOAL,
            amount->day,
            {goal->code, amount->department, amount->channel, currency, amount->shown->codes[i]}};
        int64_t *v = effects_cell(effects, &key);
        effects_add(effects, &v[0], amount->touches);
        effects_add(effects, &v[2], amount->returned);
        effects_add_micros(effects, v, 1, micros);
    }
}
