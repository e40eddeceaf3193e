/* journey_tail.c: the creditable touches of the lookback that a state carries along. */
#include "services/journey-tracker/logic/journey_internal.h"

void tail_prune(struct journey_tail *tail, struct instant since)
{
    while (tail->count > 0 && instant_compare(tail->items[tail->head].at, since) < 0) {
        tail->head++;
        tail->count--;
    }
    if (tail->count == 0)
        tail->head = 0;
    if (instant_compare(tail->dropped_at, since) < 0)
        tail->dropped_at = INSTANT_FIRST;
}

/* Room for one more at the end: moved to the front while that is cheap, else twice the size. */
static void make_room(struct journey_tail *tail, struct arena *arena)
{
    if (tail->head + tail->count < tail->capacity)
        return;
    if (tail->head > 0 && tail->head >= tail->capacity / 2) {
        memmove(tail->items, tail->items + tail->head, tail->count * sizeof *tail->items);
        tail->head = 0;
        return;
    }
    uint32_t capacity = tail->capacity ? tail->capacity * 2 : 8;
    tail->items = arena_realloc(arena, tail->items, tail->capacity * sizeof *tail->items,
                                capacity * sizeof *tail->items);
    tail->capacity = capacity;
}

void tail_push(struct journey_tail *tail, struct arena *arena, const struct touch *touch,
               uint32_t max)
{
    make_room(tail, arena);
    tail->items[tail->head + tail->count++] =
        (struct tail_touch){touch->key.at, touch->key.event_id, touch->shape,
                            touch->shape->is_send ? touch->decision : 0, false};
    if (tail->unbounded || tail->count <= max)
        return;
    tail->dropped_at = tail->items[tail->head].at;
    tail->head++;
    tail->count--;
}

uint64_t decision_key(struct span decision_id)
{
    if (decision_id.len == 0)
        return 0;
    struct id hash = hash128(decision_id);
    uint64_t key = (uint64_t)id_short(&hash);
    return key ? key : 1;
}

static bool is_send_of(const struct tail_touch *send, const struct touch *failure)
{
    if (!send->shape->is_send || send->has_failed)
        return false;
    return failure->decision ? send->decision == failure->decision
                             : send->shape->channel == failure->shape->channel &&
                                   send->shape->campaign == failure->shape->campaign;
}

void tail_fail(struct journey_tail *tail, const struct touch *failure)
{
    for (uint32_t i = tail->count; i-- > 0;) {
        struct tail_touch *send = &tail->items[tail->head + i];
        if (is_send_of(send, failure)) {
            send->has_failed = true;
            return;
        }
    }
}

const struct tail_touch *tail_eligible(const struct journey_tail *tail, struct arena *arena,
                                       uint32_t *count)
{
    uint32_t kept = 0;
    *count = 0;
    if (tail->items == NULL)
        return NULL;
    const struct tail_touch *all = tail->items + tail->head;
    for (uint32_t i = 0; i < tail->count; i++)
        kept += !all[i].has_failed;
    *count = kept;
    if (kept == tail->count)
        return all;
    struct tail_touch *list = arena_array(arena, struct tail_touch, kept);
    for (uint32_t i = 0, n = 0; i < tail->count; i++)
        if (!all[i].has_failed)
            list[n++] = all[i];
    return list;
}

bool tail_equal(const struct journey_tail *a, const struct journey_tail *b)
{
    if (a->count != b->count || a->dropped_at.us != b->dropped_at.us)
        return false;
    for (uint32_t i = 0; i < a->count; i++) {
        const struct tail_touch *x = &a->items[a->head + i], *y = &b->items[b->head + i];
        if (x->at.us != y->at.us || x->shape->code != y->shape->code ||
            x->has_failed != y->has_failed || !id_equal(&x->event_id, &y->event_id))
            return false;
    }
    return true;
}

bool journey_tail_is_cut(const struct journey_state *state)
{
    return instant_is_set(state->tail.dropped_at);
}

bool journey_needs_window(const struct journey_policy *policy, const struct journey_state *state,
                          const struct touch *touch)
{
    const struct shape *shape = touch->shape;
    return (shape->positive.count || shape->otherwise.count) && journey_tail_is_cut(state) &&
           instant_compare(state->tail.dropped_at,
                           instant_minus(touch->key.at, policy->lookback)) >= 0;
}

bool journey_lacks_window(const struct journey_policy *policy, const struct journey_state *state,
                          const struct touch *touches, size_t count)
{
    bool may_cut = state->tail.count + count > policy->tail_max;
    if (journey_lacks_orders(state, touches, count))
        return true;
    for (size_t i = 0; i < count; i++)
        if (journey_needs_window(policy, state, &touches[i]) ||
            (may_cut && touches[i].shape->is_order))
            return true;
    return false;
}

void journey_prime(const struct journey_policy *policy, struct journey_state *state,
                   const struct touch *touches, size_t count)
{
    state->tail = (struct journey_tail){.dropped_at = INSTANT_FIRST, .unbounded = true};
    struct instant since = instant_minus(state->last_touch_at, policy->lookback);
    for (size_t i = 0; i < count; i++)
        if (touches[i].shape->is_failure)
            tail_fail(&state->tail, &touches[i]);
        else if (touches[i].shape->creditable && instant_compare(touches[i].key.at, since) >= 0)
            tail_push(&state->tail, state->arena, &touches[i], 0);
}
