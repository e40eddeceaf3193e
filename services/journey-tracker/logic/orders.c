/* orders.c: the orders that a state remembers, and the counts that they are part of.
 *
 * An order can be returned as long as it is remembered. So stage rules and goals with nth count two
 * parts: what is settled, in saturating counts, and the remembered orders that were not returned. A
 * state is the same whatever the way to it: which orders are remembered follows from the timeline
 * alone (the newest POLICY_MAX_ORDERS of the last policy.orders.keep).
 *
 * A return that finds no order is remembered among them, for the repeats that other tellers send.
 */
#include "services/journey-tracker/logic/journey_internal.h"

/* ---- hashes ---- */
/* They are stored, so the function is ours: multiply and fold, 64 bits at a time. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 29;
}

static uint64_t mix_text(uint64_t hash, struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        hash = mix(hash, (uint8_t)text.ptr[i]);
    return mix(hash, text.len + 256);
}

static uint64_t mix_sum(uint64_t hash, micros_sum sum)
{
    return mix(mix(hash, (uint64_t)sum), (uint64_t)((micros_bits)sum >> 64));
}

static uint64_t mix_sums(uint64_t hash, const struct order_sums *sums)
{
    return mix_sum(mix_sum(mix_sum(hash, sums->value), sums->margin), sums->by_goal);
}

static uint64_t mix_id(uint64_t hash, const struct id *id)
{
    return mix(mix(hash, id_half(id, 0)), id_half(id, 1));
}

enum { ORDER_BITS = 40 }; /* of the hash of an order id */

uint64_t journey_order_key(const struct journey_policy *policy, const struct shape *shape,
                           struct span order_id)
{
    if (order_id.len == 0 || policy->orders.keep.us <= 0)
        return 0;
    uint64_t hash = mix_text(1, order_id);
    if (policy->orders.by_source)
        hash = mix_text(hash, shape->source);
    hash = mix(hash, 0) & ((UINT64_C(1) << ORDER_BITS) - 1);
    return hash ? hash : 1;
}

static uint32_t digest(const struct order_detail *d)
{
    uint64_t hash = mix_id(mix(1, (uint64_t)d->key.at.us), &d->key.event_id);
    hash = mix(hash, (uint64_t)d->key.anchor);
    hash = mix(hash, (uint64_t)d->is_conversion | (uint64_t)d->has_value << 1 |
                         (uint64_t)d->has_margin << 2);
    hash = mix(mix(mix(hash, d->place->code), d->seller->code), d->money->code);
    for (uint8_t i = 0; i < d->sales.count; i++)
        hash = mix(mix(hash, (uint64_t)d->sales.rules[i]), d->sharing[i]);
    hash = mix(mix(hash, d->matched), d->counted);
    hash = mix(mix(hash, d->goals), d->return_goals);
    hash = mix_sums(mix_sums(hash, &d->told), &d->back);
    for (uint32_t i = 0; i < d->eligible_count; i++) {
        const struct tail_touch *t = &d->eligible[i];
        hash = mix(mix(mix_id(hash, &t->event_id), (uint64_t)t->at.us), t->shape->code);
    }
    for (const struct order_return *r = d->returns; r; r = r->earlier)
        hash = mix(mix(hash, r->shape->code), (uint64_t)r->amount);
    return (uint32_t)(hash ^ hash >> 32);
}

/* ---- what is settled ---- */
/* Keeps the newest times, oldest first. */
static void keep_time(struct event_progress *progress, uint32_t max, struct instant t)
{
    uint32_t n = progress->time_count, at = n;
    while (at > 0 && instant_compare(progress->times[at - 1], t) > 0)
        at--;
    if (n == max) {
        if (at == 0)
            return;
        memmove(progress->times, progress->times + 1, (at - 1) * sizeof *progress->times);
        progress->times[at - 1] = t;
        return;
    }
    memmove(progress->times + at + 1, progress->times + at, (n - at) * sizeof *progress->times);
    progress->times[at] = t;
    progress->time_count++;
}

static void settle_count(const struct journey_policy *policy, struct journey_state *state,
                         const struct order_entry *entry)
{
    const struct counted_event *event = &policy->counted[entry->counted];
    struct event_progress *progress = &state->counted[entry->counted];
    int32_t day = reporting_day(policy, entry->at);
    if (event->later_day && progress->count == 0)
        progress->first_day = day;
    else if (event->later_day && progress->first_day != day)
        progress->first_day = INT32_MIN;
    if (progress->count < event->enough)
        progress->count++;
    if (event->times > 0)
        keep_time(progress, event->times, entry->at);
}

static void settle_goal(struct goal_progress *progress, uint16_t nth, struct instant t)
{
    if (progress->count >= nth)
        return;
    if (progress->count == 0 || instant_compare(t, progress->first) < 0)
        progress->first = t;
    if (++progress->count == nth)
        progress->first = (struct instant){0};
}

void orders_settle(const struct journey_policy *policy, struct journey_state *state,
                   const struct order_entry *entry)
{
    if (entry->is_returned)
        return;
    if (entry->counted >= 0)
        settle_count(policy, state, entry);
    for (uint32_t slots = entry->nth_goals; slots; slots &= slots - 1) {
        int slot = __builtin_ctz(slots);
        settle_goal(&state->goals[slot], policy->goals[policy->nth_goals[slot]].nth, entry->at);
    }
}

/* ---- what is remembered ---- */
static void settle_one(const struct journey_policy *policy, struct journey_state *state, uint32_t i)
{
    struct journey_orders *orders = &state->orders;
    orders_settle(policy, state, &orders->items[i]);
    orders->count--;
    memmove(orders->items + i, orders->items + i + 1, (orders->count - i) * sizeof *orders->items);
}

/* Orders and returns without one have room each: neither drives out the other. */
static void make_room(const struct journey_policy *policy, struct journey_state *state,
                      bool is_unknown)
{
    struct journey_orders *orders = &state->orders;
    uint32_t n = 0, oldest = 0;
    for (uint32_t i = orders->count; i-- > 0;)
        if (orders->items[i].is_unknown == is_unknown) {
            oldest = i;
            n++;
        }
    if (n == (is_unknown ? POLICY_MAX_UNKNOWN : POLICY_MAX_ORDERS))
        settle_one(policy, state, oldest);
}

void orders_prune(const struct journey_policy *policy, struct journey_state *state,
                  struct instant t)
{
    struct instant since = instant_minus(t, policy->orders.keep);
    while (state->orders.count > 0 && instant_compare(state->orders.items[0].at, since) < 0)
        settle_one(policy, state, 0);
}

void orders_push(const struct journey_policy *policy, struct journey_state *state,
                 const struct order_entry *entry)
{
    struct journey_orders *orders = &state->orders;
    if (entry->order == 0) {
        orders_settle(policy, state, entry);
        return;
    }
    if (orders->items == NULL)
        orders->items = arena_alloc(state->arena, ORDERS_ROOM * sizeof *orders->items);
    make_room(policy, state, entry->is_unknown);
    orders->items[orders->count++] = *entry;
}

void orders_copy(struct journey_orders *to, const struct journey_orders *from, struct arena *arena)
{
    *to = *from;
    to->items = NULL;
    if (from->count == 0)
        return;
    to->items = arena_alloc(arena, ORDERS_ROOM * sizeof *to->items);
    memcpy(to->items, from->items, from->count * sizeof *to->items);
}

bool orders_equal(const struct journey_orders *a, const struct journey_orders *b)
{
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++) {
        const struct order_entry *x = &a->items[i], *y = &b->items[i];
        if (x->order != y->order || x->at.us != y->at.us || x->digest != y->digest ||
            x->nth_goals != y->nth_goals || x->nth_counted != y->nth_counted ||
            x->counted != y->counted || x->is_told != y->is_told ||
            x->is_returned != y->is_returned || x->is_unknown != y->is_unknown)
            return false;
    }
    return true;
}

void orders_detail(struct arena *arena, struct order_entry *entry,
                   const struct order_detail *detail)
{
    struct order_detail *copy = arena_alloc(arena, sizeof *copy);
    *copy = *detail;
    entry->detail = copy;
    entry->digest = digest(copy);
}

bool is_return(const struct touch *touch)
{
    return touch->shape->is_return || (touch->shape->returns_below_0 && touch->value_micros < 0 &&
                                       touch->value_micros != MICROS_ABSENT);
}

/* ---- which order a touch is about ---- */
static bool is_young(const struct order_entry *entry, const struct touch *touch,
                     struct duration within)
{
    return instant_since(touch->key.at, entry->at).us <= within.us;
}

/* False also if the detail is not known, which is noted. */
static bool has_detail(struct journey_state *state, const struct order_entry *entry)
{
    state->orders.is_missed |= entry->detail == NULL;
    return entry->detail != NULL;
}

static struct order_entry *newest_of(const struct journey_orders *orders, uint64_t order)
{
    for (uint32_t i = orders->count; i-- > 0;)
        if (orders->items[i].order == order && !orders->items[i].is_unknown)
            return &orders->items[i];
    return NULL;
}

/* A source that tells two currencies tells two orders. Another source may tell the same order in a
 * currency of its own. */
static bool is_one_order(const struct order_detail *detail, const struct touch *touch)
{
    const struct shape *shape = touch->shape, *money = detail->money;
    return !is_positive(touch) || !detail->has_value || shape->currency == money->currency ||
           !span_equal(shape->source, money->source);
}

struct order_entry *orders_told(const struct journey_policy *policy, struct journey_state *state,
                                const struct touch *touch)
{
    if (touch->order == 0 || !touch->shape->is_told)
        return NULL;
    struct order_entry *newest = newest_of(&state->orders, touch->order);
    if (newest == NULL || !newest->is_told || !is_young(newest, touch, policy->orders.within) ||
        !has_detail(state, newest))
        return NULL;
    return is_one_order(newest->detail, touch) ? newest : NULL;
}

static bool is_of_currency(const struct order_detail *detail, const struct touch *touch)
{
    uint32_t currency = touch->shape->currency;
    return touch->value_micros == MICROS_ABSENT || currency == 0 || !detail->has_value ||
           currency == detail->money->currency;
}

struct order_entry *orders_returned(const struct journey_policy *policy,
                                    struct journey_state *state, const struct touch *touch)
{
    struct order_entry *returned = NULL;
    for (uint32_t i = touch->order ? state->orders.count : 0; i-- > 0;) {
        struct order_entry *entry = &state->orders.items[i];
        if (!is_young(entry, touch, policy->orders.return_within))
            break;
        if (entry->order != touch->order || entry->is_unknown || !has_detail(state, entry) ||
            !is_of_currency(entry->detail, touch))
            continue;
        if (!entry->is_returned)
            return entry;
        returned = returned ? returned : entry;
    }
    return returned;
}

struct order_entry *orders_unknown(const struct journey_policy *policy, struct journey_state *state,
                                   const struct touch *touch)
{
    for (uint32_t i = touch->order ? state->orders.count : 0; i-- > 0;) {
        struct order_entry *entry = &state->orders.items[i];
        if (!is_young(entry, touch, policy->orders.return_within))
            break;
        if (entry->order == touch->order && entry->is_unknown && has_detail(state, entry) &&
            entry->detail->money->currency == touch->shape->currency)
            return entry;
    }
    return NULL;
}

bool journey_lacks_orders(const struct journey_state *state, const struct touch *touches,
                          size_t count)
{
    for (size_t i = 0; i < count && state->orders.count > 0; i++) {
        if (touches[i].order == 0 || !(is_return(&touches[i]) || touches[i].shape->is_told))
            continue;
        for (uint32_t j = 0; j < state->orders.count; j++)
            if (state->orders.items[j].order == touches[i].order &&
                state->orders.items[j].detail == NULL)
                return true;
    }
    return false;
}

/* ---- details of orders that were read from storage ---- */
struct instant journey_orders_since(const struct journey_policy *policy,
                                    const struct journey_state *state)
{
    for (uint32_t i = 0; i < state->orders.count; i++)
        if (state->orders.items[i].detail == NULL)
            return instant_minus(instant_minus(state->orders.items[i].at, policy->orders.keep),
                                 policy->lookback);
    return INSTANT_NEVER;
}

static const struct order_detail *detail_of(const struct journey_orders *orders,
                                            const struct order_entry *entry)
{
    for (uint32_t i = 0; i < orders->count; i++) {
        const struct order_entry *other = &orders->items[i];
        if (other->order == entry->order && other->at.us == entry->at.us &&
            other->digest == entry->digest)
            return other->detail;
    }
    return NULL;
}

static bool take_details(struct journey_orders *to, const struct journey_orders *from)
{
    bool all = true;
    for (uint32_t i = 0; i < to->count; i++) {
        struct order_entry *entry = &to->items[i];
        if (entry->detail == NULL)
            entry->detail = detail_of(from, entry);
        all &= entry->detail != NULL;
    }
    return all;
}

bool journey_learn_orders(const struct journey_policy *policy, const struct touch *touches,
                          size_t count, struct journey_state *before, struct journey_state *after)
{
    struct journey_state past;
    journey_state_init(&past, before->arena);
    past.tail.unbounded = true;
    for (size_t i = 0; i < count; i++)
        journey_advance(policy, &past, &touches[i], NULL);
    bool all = take_details(&before->orders, &past.orders);
    return (after == NULL || take_details(&after->orders, &past.orders)) && all;
}

/* ---- counts ---- */
uint32_t orders_counted(const struct journey_state *state, int counted)
{
    uint32_t n = state->counted[counted].count;
    for (uint32_t i = 0; i < state->orders.count; i++)
        n += state->orders.items[i].counted == counted && !state->orders.items[i].is_returned;
    return n;
}

bool orders_before_day(const struct journey_policy *policy, const struct journey_state *state,
                       int counted, int32_t day)
{
    const struct event_progress *settled = &state->counted[counted];
    if (settled->count > 0 && settled->first_day < day)
        return true;
    for (uint32_t i = 0; i < state->orders.count; i++) {
        const struct order_entry *entry = &state->orders.items[i];
        if (entry->counted == counted && !entry->is_returned &&
            reporting_day(policy, entry->at) < day)
            return true;
    }
    return false;
}

/* Merges the remembered and the settled ones from the newest on. */
struct instant orders_newest(const struct journey_state *state, int counted, uint32_t n)
{
    const struct event_progress *settled = &state->counted[counted];
    struct instant t = INSTANT_FIRST;
    uint32_t i = state->orders.count, j = settled->time_count;
    for (; n > 0; n--) {
        while (i > 0 && (state->orders.items[i - 1].counted != counted ||
                         state->orders.items[i - 1].is_returned))
            i--;
        bool is_settled = i == 0 || (j > 0 && instant_compare(settled->times[j - 1],
                                                              state->orders.items[i - 1].at) > 0);
        if (is_settled && j == 0)
            return INSTANT_FIRST;
        t = is_settled ? settled->times[--j] : state->orders.items[--i].at;
    }
    return t;
}

static bool is_match(const struct order_entry *entry, int slot)
{
    return (entry->nth_goals >> slot & 1) && !entry->is_returned;
}

uint32_t orders_matching(const struct journey_state *state, int slot)
{
    uint32_t n = state->goals[slot].count;
    for (uint32_t i = 0; i < state->orders.count; i++)
        n += is_match(&state->orders.items[i], slot);
    return n;
}

struct instant orders_first_match(const struct journey_state *state, int slot)
{
    struct instant first = state->goals[slot].count ? state->goals[slot].first : INSTANT_NEVER;
    for (uint32_t i = 0; i < state->orders.count; i++)
        if (is_match(&state->orders.items[i], slot) &&
            instant_compare(state->orders.items[i].at, first) < 0)
            first = state->orders.items[i].at;
    return first;
}
