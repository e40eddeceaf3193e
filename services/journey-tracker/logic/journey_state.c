/* journey_state.c: makes, copies and compares states, and carries cumulative differences to a later
 * state. */
#include "services/journey-tracker/logic/journey_internal.h"

int touch_key_compare(const struct touch_key *a, const struct touch_key *b)
{
    int c = instant_compare(a->at, b->at);
    if (c == 0)
        c = a->rank - b->rank;
    if (c == 0)
        c = id_compare(&a->event_id, &b->event_id);
    return c ? c : (a->anchor > b->anchor) - (a->anchor < b->anchor);
}

enum touch_rank touch_rank_of(const struct shape *shape, int64_t value_micros)
{
    const struct touch touch = {.shape = shape, .value_micros = value_micros};
    bool is_conversion = (value_micros > 0 ? shape->positive : shape->otherwise).count > 0;
    enum direction direction = shape->is_touch ? (enum direction)shape->direction : DIRECTION_NONE;
    return touch_rank(direction, is_conversion, is_return(&touch));
}

bool event_marks_checkpoint(const struct id *event_id)
{
    return event_id->bytes[sizeof event_id->bytes - 1] == 0;
}

bool journey_may_follow(const struct journey_state *state, const struct touch_key *key)
{
    if (instant_compare(key->at, state->last.at) != 0)
        return instant_compare(key->at, state->last.at) > 0;
    return state->is_alone && touch_key_compare(key, &state->last) > 0 &&
           !id_equal(&key->event_id, &state->last.event_id);
}

bool journey_may_go_on(const struct journey_state *state, const struct touch *touches, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!journey_may_follow(state, &touches[i].key))
            return false;
        if (touches[i].key.at.us != state->last.at.us)
            break;
    }
    return true;
}

void journey_state_init(struct journey_state *state, struct arena *arena)
{
    memset(state, 0, sizeof *state);
    state->arena = arena;
    state->last.at = state->last_inbound.at = state->last_touch_at = INSTANT_FIRST;
    state->stage_since = state->last_order_at = state->tail.dropped_at = INSTANT_FIRST;
    state->zone.at = INSTANT_FIRST;
    state->first_seen = INSTANT_NEVER;
}

void journey_state_copy(struct journey_state *to, const struct journey_state *from,
                        struct arena *arena)
{
    *to = *from;
    to->arena = arena;
    to->tail.head = 0;
    to->tail.capacity = from->tail.count;
    to->tail.items = NULL;
    if (from->tail.count) {
        to->tail.items = arena_alloc(arena, from->tail.count * sizeof *to->tail.items);
        memcpy(to->tail.items, from->tail.items + from->tail.head,
               from->tail.count * sizeof *to->tail.items);
    }
    orders_copy(&to->orders, &from->orders, arena);
#define PIECE(number, name) to->name = from->name ? name##_copy(from->name, arena) : NULL;
#include "services/journey-tracker/logic/pieces.def"
    to->sum_capacity = from->sum_count;
    to->sums = NULL;
    if (from->sum_count) {
        to->sums = arena_alloc(arena, from->sum_count * sizeof *to->sums);
        memcpy(to->sums, from->sums, from->sum_count * sizeof *to->sums);
    }
}

static uint32_t sum_position(const struct journey_state *state, uint32_t currency)
{
    uint32_t i = 0;
    while (i < state->sum_count && state->sums[i].currency < currency)
        i++;
    return i;
}

struct currency_sum *journey_sum(struct journey_state *state, uint32_t currency)
{
    uint32_t at = sum_position(state, currency);
    if (at < state->sum_count && state->sums[at].currency == currency)
        return &state->sums[at];
    if (state->sum_count == state->sum_capacity) {
        uint32_t capacity = state->sum_capacity ? state->sum_capacity * 2 : 2;
        state->sums =
            arena_realloc(state->arena, state->sums, state->sum_capacity * sizeof *state->sums,
                          capacity * sizeof *state->sums);
        state->sum_capacity = capacity;
    }
    memmove(state->sums + at + 1, state->sums + at, (state->sum_count - at) * sizeof *state->sums);
    state->sum_count++;
    state->sums[at] = (struct currency_sum){.currency = currency, .last.at = INSTANT_FIRST};
    return &state->sums[at];
}

static bool leads(const struct currency_sum *a, const struct currency_sum *b)
{
    return a->conversions == b->conversions ? touch_key_compare(&a->last, &b->last) > 0
                                            : a->conversions > b->conversions;
}

struct currency_sum journey_state_revenue(const struct journey_state *state)
{
    const struct currency_sum *found = NULL;
    const struct currency_sum *without = NULL;
    for (uint32_t i = 0; i < state->sum_count; i++) {
        const struct currency_sum *sum = &state->sums[i];
        without = sum->currency == 0 ? sum : without;
        if (instant_is_set(sum->last.at) && (found == NULL || leads(sum, found)))
            found = sum;
    }
    if (found)
        return *found;
    return without ? *without : (struct currency_sum){0};
}

/* Rounded to a whole number, halves away from 0. */
static int mean(int sum, int count)
{
    int twice = 2 * (sum < 0 ? -sum : sum);
    return (twice + count) / (2 * count) * (sum < 0 ? -1 : 1);
}

int16_t journey_state_trend(const struct journey_state *state)
{
    int sums[2] = {0}, counts[2] = {0};
    for (uint8_t i = 0; i < state->score_count; i++) {
        struct instant newest = state->scores[state->score_count - 1].at;
        int64_t half = instant_since(newest, state->scores[i].at).us / SCORE_HALF.us;
        if (half > 1)
            continue;
        sums[half] += state->scores[i].score;
        counts[half]++;
    }
    if (counts[0] == 0 || counts[1] == 0)
        return SCORE_ABSENT;
    return (int16_t)(mean(sums[0], counts[0]) - mean(sums[1], counts[1]));
}

void scores_push(struct journey_state *state, struct instant at, int16_t score)
{
    uint8_t gone = 0;
    while (gone < state->score_count &&
           instant_since(at, state->scores[gone].at).us >= 2 * SCORE_HALF.us)
        gone++;
    if (gone == 0 && state->score_count == STATE_MAX_SCORES)
        gone = 1;
    state->score_count -= gone;
    memmove(state->scores, state->scores + gone, state->score_count * sizeof *state->scores);
    state->scores[state->score_count++] = (struct score_said){at, score};
}

static bool scores_equal(const struct journey_state *a, const struct journey_state *b)
{
    for (uint8_t i = 0; i < a->score_count && i < b->score_count; i++)
        if (a->scores[i].at.us != b->scores[i].at.us || a->scores[i].score != b->scores[i].score)
            return false;
    return a->score_count == b->score_count;
}

static bool key_equal(const struct touch_key *a, const struct touch_key *b)
{
    return touch_key_compare(a, b) == 0;
}

static bool counted_equal(const struct journey_policy *policy, const struct journey_state *a,
                          const struct journey_state *b)
{
    for (uint32_t i = 0; i < policy->counted_count; i++) {
        const struct event_progress *x = &a->counted[i], *y = &b->counted[i];
        if (x->count != y->count || x->first_day != y->first_day || x->time_count != y->time_count)
            return false;
        for (uint32_t j = 0; j < x->time_count; j++)
            if (x->times[j].us != y->times[j].us)
                return false;
    }
    return true;
}

static bool goals_equal(const struct journey_state *a, const struct journey_state *b)
{
    if (a->goal_day != b->goal_day || a->goals_today != b->goals_today ||
        memcmp(a->in_window, b->in_window, sizeof a->in_window) != 0)
        return false;
    for (int i = 0; i < POLICY_MAX_NTH_GOALS; i++)
        if (a->goals[i].count != b->goals[i].count ||
            a->goals[i].first.us != b->goals[i].first.us ||
            a->goals[i].is_counted != b->goals[i].is_counted)
            return false;
    return true;
}

static bool instant_equal(const struct journey_state *a, const struct journey_state *b)
{
    return a->is_alone == b->is_alone && a->is_checkpoint == b->is_checkpoint &&
           a->change_count == b->change_count;
}

static bool position_equal(const struct journey_state *a, const struct journey_state *b)
{
    return a->stage == b->stage && a->status == b->status &&
           a->journey_number == b->journey_number && a->stage_since.us == b->stage_since.us &&
           a->converted == b->converted && a->is_identified == b->is_identified;
}

static bool last_values_equal(const struct journey_state *a, const struct journey_state *b)
{
    return a->last_touch_at.us == b->last_touch_at.us && a->last_node == b->last_node &&
           a->last_department == b->last_department && a->last_order_at.us == b->last_order_at.us &&
           a->zone.code == b->zone.code && a->zone.at.us == b->zone.at.us && scores_equal(a, b);
}

static const struct touch_key *last_in(const struct journey_state *state, uint32_t currency)
{
    uint32_t at = sum_position(state, currency);
    bool has_last = at < state->sum_count && state->sums[at].currency == currency &&
                    instant_is_set(state->sums[at].last.at);
    return has_last ? &state->sums[at].last : NULL;
}

static bool has_lasts_of(const struct journey_state *state, const struct journey_state *other)
{
    for (uint32_t i = 0; i < other->sum_count; i++) {
        const struct touch_key *last = last_in(state, other->sums[i].currency);
        if (!instant_is_set(other->sums[i].last.at))
            continue;
        if (last == NULL || !key_equal(last, &other->sums[i].last))
            return false;
    }
    return true;
}

static bool pieces_equal(const struct journey_policy *policy, const struct journey_state *before,
                         const struct journey_state *after)
{
    struct strbuf a = {.arena = before->arena}, b = {.arena = before->arena};
    pieces_pack(policy, before, &a);
    pieces_pack(policy, after, &b);
    return span_equal(strbuf_span(&a), strbuf_span(&b));
}

bool journey_converged(const struct journey_policy *policy, const struct journey_state *before,
                       const struct journey_state *after)
{
    return instant_is_set(before->last.at) && key_equal(&before->last, &after->last) &&
           instant_equal(before, after) && key_equal(&before->last_inbound, &after->last_inbound) &&
           position_equal(before, after) && last_values_equal(before, after) &&
           goals_equal(before, after) && counted_equal(policy, before, after) &&
           has_lasts_of(before, after) && has_lasts_of(after, before) &&
           orders_equal(&before->orders, &after->orders) && !journey_tail_is_cut(before) &&
           tail_equal(&before->tail, &after->tail) && pieces_equal(policy, before, after);
}

static void add_sums(struct journey_state *to, const struct journey_state *from, int64_t sign)
{
    for (uint32_t i = 0; i < from->sum_count; i++) {
        struct currency_sum d = from->sums[i], *sum = journey_sum(to, d.currency);
        sum->conversions += sign * d.conversions;
        sum->revenue =
            sign > 0 ? sum_add(sum->revenue, d.revenue) : sum_sub(sum->revenue, d.revenue);
        sum->margin = sign > 0 ? sum_add(sum->margin, d.margin) : sum_sub(sum->margin, d.margin);
        sum->with_margin += sign * d.with_margin;
        sum->with_cost += sign * d.with_cost;
        sum->cost = sign > 0 ? sum_add(sum->cost, d.cost) : sum_sub(sum->cost, d.cost);
        sum->revenue_with_margin = sign > 0
                                       ? sum_add(sum->revenue_with_margin, d.revenue_with_margin)
                                       : sum_sub(sum->revenue_with_margin, d.revenue_with_margin);
    }
}

static void take_last(struct journey_state *out, const struct journey_state *from)
{
    for (uint32_t i = 0; i < out->sum_count; i++) {
        const struct touch_key *last = last_in(from, out->sums[i].currency);
        if (last)
            out->sums[i].last = *last;
    }
}

static void settle_sums(struct journey_state *state)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < state->sum_count; i++)
        if (state->sums[i].conversions != 0 || state->sums[i].revenue != 0 ||
            state->sums[i].margin != 0 || state->sums[i].with_cost != 0)
            state->sums[kept++] = state->sums[i];
    state->sum_count = kept;
}

/* first_seen can differ only if the range began with the timeline: then that of `after` is right.
 * Otherwise the old final state has it right. */
void journey_conclude(const struct journey_state *old_final, const struct journey_state *before,
                      const struct journey_state *after, bool converged, struct arena *arena,
                      struct journey_state *out)
{
    journey_state_copy(out, converged ? old_final : after, arena);
    bool moved = before->first_seen.us != after->first_seen.us;
    out->first_seen = moved ? after->first_seen : old_final->first_seen;
    out->order_count = old_final->order_count + after->order_count - before->order_count;
    out->sum_count = 0;
    add_sums(out, old_final, 1);
    add_sums(out, after, 1);
    add_sums(out, before, -1);
    settle_sums(out);
    take_last(out, converged ? old_final : after);
}
