/* journey_pack.c: a state as bytes: the fixed header of journey.h, then the variable part.
 *
 * Variable part: flags (1: last fact = last inbound touch, 2: a tail follows, 4: the tail was cut);
 * unless flag 1 event_id 16 and anchor 8 of the last fact; node, department of the last touch;
 * goal_day, goals_today; the counted events (count, first day, number of times, times before
 * last_seen); the goals with nth (count, age of the first); the sums (currency, conversions,
 * revenue, margin); the tail (count, entries: time before last_seen, event_id 16, shape code; with
 * flag 4 dropped_at). */
#include "services/journey-tracker/logic/journey_internal.h"

enum { FLAG_SAME_KEY = 1, FLAG_TAIL = 2, FLAG_CUT = 4 };

/* Differences of times may wrap: reading wraps back. */
static void pack_age(struct strbuf *out, const struct journey_state *state, struct instant t)
{
    pack_zigzag(out, wrap_sub(state->last.at.us, t.us));
}

static struct instant unpack_age(struct unpack *in, const struct journey_state *state)
{
    return (struct instant){wrap_sub(state->last.at.us, unpack_zigzag(in))};
}

static void pack_time(struct strbuf *out, struct instant t)
{
    pack_be64(out, (uint64_t)t.us);
}

static struct instant unpack_time(struct unpack *in)
{
    return (struct instant){(int64_t)unpack_be64(in)};
}

static struct id unpack_id(struct unpack *in)
{
    struct id id = {0};
    struct span bytes = unpack_bytes(in, sizeof id.bytes);
    if (!in->failed)
        memcpy(id.bytes, bytes.ptr, sizeof id.bytes);
    return id;
}

static void pack_header(struct strbuf *out, const struct journey_state *s)
{
    struct currency_sum revenue = journey_state_revenue(s);
    pack_byte(out, JOURNEY_LAYOUT);
    pack_byte(out, s->stage);
    pack_byte(out, s->status);
    pack_byte(out, s->has_converted);
    pack_be32(out, s->journey_number);
    pack_time(out, s->first_seen.us == INT64_MAX ? INSTANT_FIRST : s->first_seen);
    pack_time(out, s->last.at);
    pack_time(out, s->last_inbound.at);
    strbuf_add(out, s->last_inbound.event_id.bytes, sizeof s->last_inbound.event_id.bytes);
    pack_be64(out, (uint64_t)s->last_inbound.anchor);
    pack_time(out, s->stage_since);
    pack_time(out, s->last_touch_at);
    pack_be32(out, s->order_count > UINT32_MAX ? UINT32_MAX : (uint32_t)s->order_count);
    pack_be32(out, s->currency);
    pack_be64(out, (uint64_t)revenue.revenue);
    pack_be64(out, (uint64_t)revenue.margin);
    pack_time(out, s->last_order_at);
    pack_be16(out, (uint16_t)s->last_score);
}

static void unpack_header(struct unpack *in, struct journey_state *s)
{
    s->stage = unpack_byte(in);
    s->status = unpack_byte(in);
    s->has_converted = unpack_byte(in) & 1;
    s->journey_number = unpack_be32(in);
    s->first_seen = unpack_time(in);
    if (!instant_is_set(s->first_seen))
        s->first_seen = INSTANT_NEVER;
    s->last.at = unpack_time(in);
    s->last_inbound.at = unpack_time(in);
    s->last_inbound.event_id = unpack_id(in);
    s->last_inbound.anchor = (int64_t)unpack_be64(in);
    s->stage_since = unpack_time(in);
    s->last_touch_at = unpack_time(in);
    s->order_count = unpack_be32(in);
    s->currency = unpack_be32(in);
    unpack_be64(in); /* revenue and margin: from the sums */
    unpack_be64(in);
    s->last_order_at = unpack_time(in);
    s->last_score = (int16_t)unpack_be16(in);
}

static void pack_progress(const struct journey_policy *policy, struct strbuf *out,
                          const struct journey_state *s)
{
    pack_zigzag(out, s->goal_day);
    pack_varint(out, s->goals_today);
    pack_byte(out, (uint8_t)policy->counted_count);
    for (uint32_t i = 0; i < policy->counted_count; i++) {
        const struct event_progress *e = &s->counted[i];
        pack_varint(out, e->count);
        pack_zigzag(out, e->first_day);
        pack_byte(out, e->time_count);
        for (uint32_t j = 0; j < e->time_count; j++)
            pack_age(out, s, e->times[j]);
    }
    for (int i = 0; i < POLICY_MAX_NTH_GOALS; i++) {
        if (s->goals[i].count == 0)
            continue;
        pack_byte(out, (uint8_t)(i + 1));
        pack_varint(out, s->goals[i].count);
        pack_zigzag(out, s->goals[i].first.us);
    }
    pack_byte(out, 0);
}

static void unpack_counted(struct unpack *in, const struct journey_policy *policy,
                           struct journey_state *s)
{
    if (unpack_byte(in) != policy->counted_count)
        in->failed = true;
    for (uint32_t i = 0; i < policy->counted_count && !in->failed; i++) {
        struct event_progress *e = &s->counted[i];
        e->count = (uint16_t)unpack_varint(in);
        e->first_day = (int32_t)unpack_zigzag(in);
        e->time_count = unpack_byte(in);
        uint8_t times = policy->counted[i].times;
        if (e->time_count != (e->count < times ? e->count : times)) { /* rules rely on it */
            e->time_count = 0;
            in->failed = true;
        }
        for (uint32_t j = 0; j < e->time_count; j++)
            e->times[j] = unpack_age(in, s);
    }
}

static void unpack_goals(struct unpack *in, struct journey_state *s)
{
    uint8_t slot;
    while ((slot = unpack_byte(in)) != 0 && !in->failed) {
        if (slot > POLICY_MAX_NTH_GOALS) {
            in->failed = true;
            return;
        }
        s->goals[slot - 1].count = (uint16_t)unpack_varint(in);
        s->goals[slot - 1].first.us = unpack_zigzag(in);
    }
}

static void pack_sums(struct strbuf *out, const struct journey_state *s)
{
    pack_varint(out, s->sum_count);
    for (uint32_t i = 0; i < s->sum_count; i++) {
        pack_varint(out, s->sums[i].currency);
        pack_zigzag(out, s->sums[i].conversions);
        pack_zigzag(out, s->sums[i].revenue);
        pack_zigzag(out, s->sums[i].margin);
    }
}

static void unpack_sums(struct unpack *in, struct journey_state *s)
{
    uint64_t count = unpack_varint(in);
    for (uint64_t i = 0; i < count && !in->failed; i++) {
        struct currency_sum *sum = journey_sum(s, (uint32_t)unpack_varint(in));
        sum->conversions = unpack_zigzag(in);
        sum->revenue = unpack_zigzag(in);
        sum->margin = unpack_zigzag(in);
    }
}

/* The tail as it is kept: its newest entries, and the newest one left out. */
struct kept {
    const struct tail_touch *items;
    uint32_t count;
    struct instant dropped_at;
};

static struct kept kept_tail(const struct journey_policy *policy, const struct journey_tail *tail)
{
    uint32_t cut = tail->count > policy->tail_max ? tail->count - policy->tail_max : 0;
    const struct tail_touch *items = tail->count ? tail->items + tail->head : NULL;
    return (struct kept){items ? items + cut : NULL, tail->count - cut,
                         cut ? items[cut - 1].at : tail->dropped_at};
}

static void pack_tail(struct strbuf *out, const struct journey_state *s, const struct kept *kept)
{
    pack_varint(out, kept->count);
    for (uint32_t i = 0; i < kept->count; i++) {
        pack_age(out, s, kept->items[i].at);
        strbuf_add(out, kept->items[i].event_id.bytes, sizeof kept->items[i].event_id.bytes);
        pack_varint(out, kept->items[i].shape->code);
    }
    if (instant_is_set(kept->dropped_at))
        pack_age(out, s, kept->dropped_at);
}

void journey_state_pack(const struct journey_policy *policy, const struct journey_state *s,
                        struct strbuf *out)
{
    struct kept kept = kept_tail(policy, &s->tail);
    bool same = touch_key_compare(&s->last, &s->last_inbound) == 0;
    strbuf_reserve(out, 2 * JOURNEY_HEADER_SIZE + kept.count * (sizeof(struct id) + 12));
    pack_header(out, s);
    pack_byte(out, (uint8_t)((same ? FLAG_SAME_KEY : 0) | (kept.count ? FLAG_TAIL : 0) |
                             (instant_is_set(kept.dropped_at) ? FLAG_CUT : 0)));
    if (!same) {
        strbuf_add(out, s->last.event_id.bytes, sizeof s->last.event_id.bytes);
        pack_be64(out, (uint64_t)s->last.anchor);
    }
    pack_varint(out, s->last_node);
    pack_varint(out, s->last_department);
    pack_progress(policy, out, s);
    pack_sums(out, s);
    if (kept.count)
        pack_tail(out, s, &kept);
}

/* False if a shape is not known yet. */
static bool unpack_tail(struct unpack *in, const struct shape_lookup *shapes,
                        struct journey_state *s, bool cut, uint32_t *missing)
{
    uint64_t count = unpack_varint(in);
    if (count > (uint64_t)(in->end - in->at) / sizeof(struct id)) {
        in->failed = true;
        return true;
    }
    s->tail.items = arena_array(s->arena, struct tail_touch, count);
    s->tail.capacity = (uint32_t)count;
    for (uint64_t i = 0; i < count && !in->failed; i++) {
        struct tail_touch *t = &s->tail.items[s->tail.count++];
        t->at = unpack_age(in, s);
        t->event_id = unpack_id(in);
        uint32_t code = (uint32_t)unpack_varint(in);
        t->shape = in->failed ? NULL : shapes->find(shapes->context, code);
        if (t->shape == NULL && !in->failed) {
            *missing = code;
            return false;
        }
    }
    if (cut)
        s->tail.dropped_at = unpack_age(in, s);
    return true;
}

enum outcome journey_state_unpack(const struct journey_policy *policy, struct span packed,
                                  const struct shape_lookup *shapes, struct arena *arena,
                                  struct journey_state *out, uint32_t *missing, struct err *err)
{
    struct unpack in = unpack_of(packed);
    journey_state_init(out, arena);
    uint8_t layout = unpack_byte(&in);
    if (layout != JOURNEY_LAYOUT)
        return err_set(err, OUTCOME_FATAL, "state_corrupt",
                       "journey state of layout %d, expected %d", layout, JOURNEY_LAYOUT);
    unpack_header(&in, out);
    uint8_t flags = unpack_byte(&in);
    out->last.event_id = flags & FLAG_SAME_KEY ? out->last_inbound.event_id : unpack_id(&in);
    out->last.anchor = flags & FLAG_SAME_KEY ? out->last_inbound.anchor : (int64_t)unpack_be64(&in);
    out->last_node = (uint32_t)unpack_varint(&in);
    out->last_department = (uint32_t)unpack_varint(&in);
    out->goal_day = (int32_t)unpack_zigzag(&in);
    out->goals_today = unpack_varint(&in);
    unpack_counted(&in, policy, out);
    unpack_goals(&in, out);
    unpack_sums(&in, out);
    if ((flags & FLAG_TAIL) && !unpack_tail(&in, shapes, out, flags & FLAG_CUT, missing))
        return err_set(err, OUTCOME_RETRY, "shape_unknown",
                       "journey state names shape %u, which is not loaded", *missing);
    if (in.failed || in.at != in.end || out->stage >= STAGE_COUNT || out->status >= STATUS_COUNT)
        return err_set(err, OUTCOME_FATAL, "state_corrupt",
                       "journey state of %zu bytes cannot be read", packed.len);
    return OUTCOME_OK;
}
