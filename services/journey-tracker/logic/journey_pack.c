/* journey_pack.c: a state as bytes: the header of state_header.def, lapses, then the variable part.
 *
 * Lapses stand there only with the flag of the header: their size in 4 bytes, and the bytes of
 * journey_lapses_pack. They follow from the rest and are for those who read states in SQL.
 *
 * The variable part, in this order; v is a varint, z a zigzag varint, a number its bytes:
 *
 *   1       flags: 1 the last fact is the last inbound touch, 2 a tail follows, 4 the tail was cut,
 *           8 the last fact is alone at its instant, 16 it then has a stage row, 32 pieces follow,
 *           64 a time zone follows
 *   1 16 8  rank, event_id and anchor of the last fact, unless flag 1
 *   v v     node and department of the last touch
 *   z v     goal_day, goals_today
 *   v v v   goals counted in the week, month, quarter; only where a goal has windows
 *   1       number of counted events; for each:
 *     v z     count, first day
 *     1 z...  number of times, then each time as microseconds before last_seen
 *   1 v z   for each goal with nth that counts: slot + 1, twice the count and 1 if it was counted,
 *           time of the first; then a 0
 *   v       number of remembered orders; for each:
 *     5 6 4 key of the order, microseconds before last_seen, digest
 *     1 v v counted event + 1, and 16 told, 32 returned, 64 unknown; goals with nth; those that
 *           counted it
 *   v       number of currencies; for each:
 *     v z z z z z currency, conversions, revenue, margin; these two are 2^64 times the first z, and
 *           the second
 *     z 1 16 8  newest conversion, or else return: microseconds before last_seen, rank, event_id,
 *           anchor
 *   v z     only with flag 64: code of the time zone, and when it was said: microseconds before
 *           last_seen
 *   v       only with flag 2: number of tail entries; for each:
 *     z 16 v  microseconds before last_seen, event_id, shape code * 4 + flags: 1 it has failed,
 *           2 a decision follows
 *     8     only with flag 2: its decision
 *   z       only with flags 2 and 4: dropped_at, as microseconds before last_seen
 *   v       only with flag 32: the pieces that follow, one bit each (pieces.def); their bytes, by
 *           number. Those of segments:
 *   v       segments before the instant of the last fact, as bits; then, each
 *           with a tag of 1 byte, 1 for the first touch, 2 and more for a slot of segment_rules:
 *     v     first touch: microseconds before last_seen
 *     1 1 v...  count: ever, number of times, then each as microseconds before last_seen
 *     v (v z z)...  ledger: number of days, then each as days before last_seen, and amount
 *     v     what is open: since when
 *     v z   score: its time, and the score
 *     1 z   trait: twice the rank and 1 if it is nothing, value
 *     0     ends
 *           Those of the other pieces: their files
 *   ...     facets, only with the flag of the header */
#include "services/journey-tracker/logic/journey_internal.h"

enum { TAIL_FAILED = 1, TAIL_DECISION = 2, TAIL_FLAGS = 4 };
enum {
    FLAG_SAME_KEY = 1,
    FLAG_TAIL = 2,
    FLAG_CUT = 4,
    FLAG_ALONE = 8,
    FLAG_CHANGED = 16,
    FLAG_PIECES = 32,
    FLAG_ZONE = 64
};

void pack_age(struct strbuf *out, struct instant last, struct instant t)
{
    pack_zigzag(out, wrap_sub(last.us, t.us));
}

struct instant unpack_age(struct unpack *in, struct instant last)
{
    return (struct instant){wrap_sub(last.us, unpack_zigzag(in))};
}

static void pack_time(struct strbuf *out, struct instant t)
{
    pack_be64(out, (uint64_t)t.us);
}

static struct instant unpack_time(struct unpack *in)
{
    return (struct instant){(int64_t)unpack_be64(in)};
}

/* A sum is a multiple of 2^64 and the rest, a signed number. The multiple is 0 as good as always.
 */
static int64_t high_of(micros_sum sum)
{
    return (int64_t)(sum_sub(sum, (int64_t)sum) >> 64);
}

static micros_sum sum_of(int64_t high, int64_t low)
{
    return sum_add((micros_sum)((micros_bits)(uint64_t)high << 64), low);
}

static void pack_sum(struct strbuf *out, micros_sum sum)
{
    pack_be64(out, (uint64_t)high_of(sum));
    pack_be64(out, (uint64_t)(int64_t)sum);
}

static micros_sum unpack_sum(struct unpack *in)
{
    int64_t high = (int64_t)unpack_be64(in);
    return sum_of(high, (int64_t)unpack_be64(in));
}

void pack_short_sum(struct strbuf *out, micros_sum sum)
{
    pack_zigzag(out, high_of(sum));
    pack_zigzag(out, (int64_t)sum);
}

micros_sum unpack_short_sum(struct unpack *in)
{
    int64_t high = unpack_zigzag(in);
    return sum_of(high, unpack_zigzag(in));
}

struct id unpack_id(struct unpack *in)
{
    struct id id = {0};
    struct span bytes = unpack_bytes(in, sizeof id.bytes);
    if (!in->failed)
        memcpy(id.bytes, bytes.ptr, sizeof id.bytes);
    return id;
}

#define TYPE_U8    uint8_t
#define TYPE_U32   uint32_t
#define TYPE_COUNT uint32_t
#define TYPE_I16   int16_t
#define TYPE_I64   int64_t
#define TYPE_SUM   micros_sum
#define TYPE_TIME  struct instant
#define TYPE_ID    struct id

struct state_header {
#define STATE_FIELD(type, field, ...) TYPE_##type field;
#define STATE_FACET                   STATE_FIELD
#include "services/journey-tracker/logic/state_header.def"
};

/* HEADER_CONVERTED is for the first goal of the conversion rules. */
enum { HEADER_CONVERTED = 1, HEADER_FACETS = 2, HEADER_LAPSES = 4, HEADER_FURTHER = 8 };

static struct state_header header_of(const struct journey_state *s)
{
    struct currency_sum revenue = journey_state_revenue(s);
    const struct score_said *newest = s->score_count ? &s->scores[s->score_count - 1] : NULL;
    return (struct state_header){
        .layout = JOURNEY_LAYOUT,
        .stage = s->stage,
        .status = s->status,
        .flags = (s->converted & 1 ? HEADER_CONVERTED : 0) |
                 (s->converted > 1 ? HEADER_FURTHER : 0) |
                 (newest || revenue.with_cost || s->zone.code ? HEADER_FACETS : 0),
        .is_identified = s->is_identified,
        .last_inbound_rank = s->last_inbound.rank,
        .journey_number = s->journey_number,
        .first_seen = s->first_seen.us == INT64_MAX ? INSTANT_FIRST : s->first_seen,
        .last_seen = s->last.at,
        .last_inbound_at = s->last_inbound.at,
        .last_inbound_id = s->last_inbound.event_id,
        .last_inbound_anchor = s->last_inbound.anchor,
        .stage_since = s->stage_since,
        .last_touch_at = s->last_touch_at,
        .order_count = s->order_count > UINT32_MAX ? UINT32_MAX : (uint32_t)s->order_count,
        .currency = revenue.currency,
        .revenue = revenue.revenue,
        .margin = revenue.margin,
        .revenue_with_margin = revenue.revenue_with_margin,
        .has_margin = revenue.with_margin > 0,
        .last_order_at = s->last_order_at,
        .last_score = newest ? newest->score : SCORE_ABSENT,
        .last_score_at = newest ? newest->at : INSTANT_FIRST,
        .score_trend = journey_state_trend(s),
        .cost = revenue.cost,
        .has_cost = revenue.with_cost > 0,
        .zone = s->zone.code,
        .zone_at = s->zone.at,
    };
}

/* Currency, revenue, margin and cost come from the sums; scores are in the variable part. */
static void take_header(struct journey_state *s, const struct state_header *h)
{
    s->stage = h->stage;
    s->status = h->status;
    s->converted = h->flags & HEADER_CONVERTED;
    s->is_identified = h->is_identified & 1;
    s->journey_number = h->journey_number;
    s->first_seen = instant_is_set(h->first_seen) ? h->first_seen : INSTANT_NEVER;
    s->last.at = h->last_seen;
    s->last_inbound = (struct touch_key){h->last_inbound_at, h->last_inbound_rank,
                                         h->last_inbound_id, h->last_inbound_anchor};
    s->stage_since = h->stage_since;
    s->last_touch_at = h->last_touch_at;
    s->order_count = h->order_count;
    s->last_order_at = h->last_order_at;
}

void pack_id(struct strbuf *out, struct id id)
{
    strbuf_add(out, id.bytes, sizeof id.bytes);
}

#define PACK_U8(v)    pack_byte(out, v)
#define PACK_U32(v)   pack_be32(out, v)
#define PACK_COUNT(v) pack_be32(out, v)
#define PACK_I16(v)   pack_be16(out, (uint16_t)(v))
#define PACK_I64(v)   pack_be64(out, (uint64_t)(v))
#define PACK_SUM(v)   pack_sum(out, v)
#define PACK_TIME(v)  pack_time(out, v)
#define PACK_ID(v)    pack_id(out, v)

static void pack_header(struct strbuf *out, const struct state_header *h)
{
#define STATE_FIELD(type, field, ...) PACK_##type(h->field);
#include "services/journey-tracker/logic/state_header.def"
}

static void pack_facets(struct strbuf *out, const struct state_header *h)
{
#define STATE_FACET(type, field, ...) PACK_##type(h->field);
#include "services/journey-tracker/logic/state_header.def"
}

#define UNPACK_U8    unpack_byte(in)
#define UNPACK_U32   unpack_be32(in)
#define UNPACK_COUNT unpack_be32(in)
#define UNPACK_I16   (int16_t) unpack_be16(in)
#define UNPACK_I64   (int64_t) unpack_be64(in)
#define UNPACK_SUM   unpack_sum(in)
#define UNPACK_TIME  unpack_time(in)
#define UNPACK_ID    unpack_id(in)

static struct state_header unpack_header(struct unpack *in)
{
    struct state_header h = {0};
#define STATE_FIELD(type, field, ...) h.field = UNPACK_##type;
#include "services/journey-tracker/logic/state_header.def"
    return h;
}

bool journey_packed_is_identified(struct span packed)
{
    struct unpack in = unpack_of(packed);
    struct state_header h = unpack_header(&in);
    return !in.failed && h.layout == JOURNEY_LAYOUT && h.is_identified & 1;
}

static void pack_progress(const struct journey_policy *policy, struct strbuf *out,
                          const struct journey_state *s)
{
    pack_zigzag(out, s->goal_day);
    pack_varint(out, s->goals_today);
    for (int i = 0; i < WINDOW_KINDS && policy->has_windows; i++)
        pack_varint(out, s->in_window[i]);
    pack_byte(out, (uint8_t)policy->counted_count);
    for (uint32_t i = 0; i < policy->counted_count; i++) {
        const struct event_progress *e = &s->counted[i];
        pack_varint(out, e->count);
        pack_zigzag(out, e->first_day);
        pack_byte(out, e->time_count);
        for (uint32_t j = 0; j < e->time_count; j++)
            pack_age(out, s->last.at, e->times[j]);
    }
    for (int i = 0; i < POLICY_MAX_NTH_GOALS; i++) {
        if (s->goals[i].count == 0 && !s->goals[i].is_counted)
            continue;
        pack_byte(out, (uint8_t)(i + 1));
        pack_varint(out, s->goals[i].count * 2u + s->goals[i].is_counted);
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
            e->times[j] = unpack_age(in, s->last.at);
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
        uint64_t count = unpack_varint(in);
        s->goals[slot - 1].count = (uint16_t)(count / 2);
        s->goals[slot - 1].is_counted = count & 1;
        s->goals[slot - 1].first.us = unpack_zigzag(in);
    }
}

enum { ORDER_TOLD = 16, ORDER_RETURNED = 32, ORDER_UNKNOWN = 64, ORDER_COUNTED = 15 };

static void pack_orders(struct strbuf *out, const struct journey_state *s)
{
    pack_varint(out, s->orders.count);
    for (uint32_t i = 0; i < s->orders.count; i++) {
        const struct order_entry *e = &s->orders.items[i];
        uint64_t age = (uint64_t)wrap_sub(s->last.at.us, e->at.us);
        pack_byte(out, (uint8_t)(e->order >> 32));
        pack_be32(out, (uint32_t)e->order);
        pack_be16(out, (uint16_t)(age >> 32));
        pack_be32(out, (uint32_t)age);
        pack_be32(out, e->digest);
        pack_byte(out, (uint8_t)((e->counted + 1) | (e->is_told ? ORDER_TOLD : 0) |
                                 (e->is_returned ? ORDER_RETURNED : 0) |
                                 (e->is_unknown ? ORDER_UNKNOWN : 0)));
        pack_varint(out, e->nth_goals);
        pack_varint(out, e->nth_counted);
    }
}

static struct order_entry unpack_order(struct unpack *in, const struct journey_state *s)
{
    struct order_entry e = {.order = (uint64_t)unpack_byte(in) << 32};
    e.order |= unpack_be32(in);
    uint64_t age = (uint64_t)unpack_be16(in) << 32;
    age |= unpack_be32(in);
    e.at.us = wrap_sub(s->last.at.us, (int64_t)age);
    e.digest = unpack_be32(in);
    uint8_t flags = unpack_byte(in);
    e.counted = (int8_t)((flags & ORDER_COUNTED) - 1);
    e.is_told = flags & ORDER_TOLD;
    e.is_returned = flags & ORDER_RETURNED;
    e.is_unknown = flags & ORDER_UNKNOWN;
    e.nth_goals = (uint16_t)unpack_varint(in);
    e.nth_counted = (uint16_t)unpack_varint(in);
    return e;
}

static void unpack_orders(struct unpack *in, const struct journey_policy *policy,
                          struct journey_state *s)
{
    uint64_t count = unpack_varint(in);
    if (count > ORDERS_ROOM) {
        in->failed = true;
        return;
    }
    if (count > 0)
        s->orders.items = arena_alloc(s->arena, ORDERS_ROOM * sizeof *s->orders.items);
    for (uint64_t i = 0; i < count && !in->failed; i++) {
        struct order_entry e = unpack_order(in, s);
        in->failed |= e.counted >= (int)policy->counted_count;
        s->orders.items[s->orders.count++] = e;
    }
}

enum { NO_LAST = 255 }; /* in place of a rank */

static void pack_sums(struct strbuf *out, const struct journey_state *s)
{
    pack_varint(out, s->sum_count);
    for (uint32_t i = 0; i < s->sum_count; i++) {
        pack_varint(out, s->sums[i].currency);
        pack_zigzag(out, s->sums[i].conversions);
        pack_short_sum(out, s->sums[i].revenue);
        pack_short_sum(out, s->sums[i].margin);
        pack_zigzag(out, s->sums[i].with_margin);
        pack_short_sum(out, s->sums[i].revenue_with_margin);
        pack_zigzag(out, s->sums[i].with_cost);
        pack_short_sum(out, s->sums[i].cost);
        bool has_last = instant_is_set(s->sums[i].last.at);
        pack_byte(out, has_last ? s->sums[i].last.rank : NO_LAST);
        if (!has_last)
            continue;
        pack_age(out, s->last.at, s->sums[i].last.at);
        pack_id(out, s->sums[i].last.event_id);
        pack_be64(out, (uint64_t)s->sums[i].last.anchor);
    }
}

static void unpack_sums(struct unpack *in, struct journey_state *s)
{
    uint64_t count = unpack_varint(in);
    for (uint64_t i = 0; i < count && !in->failed; i++) {
        struct currency_sum *sum = journey_sum(s, (uint32_t)unpack_varint(in));
        sum->conversions = unpack_zigzag(in);
        sum->revenue = unpack_short_sum(in);
        sum->margin = unpack_short_sum(in);
        sum->with_margin = unpack_zigzag(in);
        sum->revenue_with_margin = unpack_short_sum(in);
        sum->with_cost = unpack_zigzag(in);
        sum->cost = unpack_short_sum(in);
        sum->last.rank = unpack_byte(in);
        if (sum->last.rank == NO_LAST) {
            sum->last.rank = 0;
            continue;
        }
        sum->last.at = unpack_age(in, s->last.at);
        sum->last.event_id = unpack_id(in);
        sum->last.anchor = (int64_t)unpack_be64(in);
    }
}

static void pack_scores(struct strbuf *out, const struct journey_state *s)
{
    pack_byte(out, s->score_count);
    for (uint8_t i = 0; i < s->score_count; i++) {
        pack_age(out, s->last.at, s->scores[i].at);
        pack_byte(out, (uint8_t)(int8_t)s->scores[i].score);
    }
}

static void unpack_scores(struct unpack *in, struct journey_state *s)
{
    uint8_t count = unpack_byte(in);
    in->failed |= count > STATE_MAX_SCORES;
    for (uint8_t i = 0; i < count && !in->failed; i++) {
        struct instant at = unpack_age(in, s->last.at);
        s->scores[s->score_count++] = (struct score_said){at, (int8_t)unpack_byte(in)};
    }
}

static void unpack_zone(struct unpack *in, struct journey_state *s)
{
    s->zone.code = (int16_t)unpack_varint(in);
    s->zone.at = unpack_age(in, s->last.at);
    in->failed |= s->zone.code <= 0;
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

static void pack_tail_touch(struct strbuf *out, const struct journey_state *s,
                            const struct tail_touch *t)
{
    uint64_t flags = (t->has_failed ? TAIL_FAILED : 0) | (t->decision ? TAIL_DECISION : 0);
    pack_age(out, s->last.at, t->at);
    pack_id(out, t->event_id);
    pack_varint(out, (uint64_t)t->shape->code * TAIL_FLAGS + flags);
    if (t->decision)
        pack_be64(out, t->decision);
}

static void pack_tail(struct strbuf *out, const struct journey_state *s, const struct kept *kept)
{
    pack_varint(out, kept->count);
    for (uint32_t i = 0; i < kept->count; i++)
        pack_tail_touch(out, s, &kept->items[i]);
    if (instant_is_set(kept->dropped_at))
        pack_age(out, s->last.at, kept->dropped_at);
}

/* Of an instant with several facts nothing is kept: no state goes on from there. */
static int instant_flags(const struct journey_state *s)
{
    if (!s->is_alone)
        return 0;
    return FLAG_ALONE | (s->change_count ? FLAG_CHANGED : 0);
}

static void unpack_last(struct unpack *in, uint8_t flags, struct journey_state *s)
{
    if (flags & FLAG_SAME_KEY) {
        s->last = s->last_inbound;
    } else {
        s->last.rank = unpack_byte(in);
        s->last.event_id = unpack_id(in);
        s->last.anchor = (int64_t)unpack_be64(in);
    }
    s->is_alone = flags & FLAG_ALONE;
    s->is_checkpoint = s->is_alone && event_marks_checkpoint(&s->last.event_id);
    s->change_count = flags & FLAG_CHANGED ? 1 : 0;
}

const struct shape *piece_shape(struct piece_bytes *bytes, uint32_t code)
{
    if (bytes->in.failed || bytes->missing)
        return NULL;
    const struct shape *shape = bytes->shapes->find(bytes->shapes->context, code);
    if (shape == NULL)
        bytes->missing = code;
    return shape;
}

void pieces_pack(const struct journey_policy *policy, const struct journey_state *state,
                 struct strbuf *out)
{
    uint32_t present = 0;
    struct strbuf bytes = {.arena = state->arena};
    size_t before;
#define PIECE(number, name)                                                                        \
    before = bytes.len;                                                                            \
    if (state->name)                                                                               \
        name##_pack(policy, state, &bytes);                                                        \
    present |= (bytes.len > before ? UINT32_C(1) : 0) << (number);
#include "services/journey-tracker/logic/pieces.def"
    if (present == 0)
        return;
    pack_varint(out, present);
    strbuf_add(out, bytes.ptr, bytes.len);
}

/* False if a shape is not known yet. */
static bool unpack_pieces(struct unpack *in, const struct journey_policy *policy,
                          const struct shape_lookup *shapes, struct journey_state *state,
                          uint32_t *missing)
{
    uint64_t known = 0, present = unpack_varint(in);
    struct piece_bytes bytes = {.in = *in, .shapes = shapes};
#define PIECE(number, name)                                                                        \
    known |= UINT64_C(1) << (number);                                                              \
    if (present >> (number)&1 && !bytes.in.failed && !bytes.missing)                               \
        name##_unpack(&bytes, policy, state);
#include "services/journey-tracker/logic/pieces.def"
    *in = bytes.in;
    in->failed |= (present & ~known) != 0;
    *missing = bytes.missing;
    return bytes.missing == 0;
}

void journey_state_pack(const struct journey_policy *policy, const struct journey_state *s,
                        struct strbuf *out)
{
    struct kept kept = kept_tail(policy, &s->tail);
    bool same = touch_key_compare(&s->last, &s->last_inbound) == 0;
    struct strbuf pieces = {.arena = s->arena}, lapses = {.arena = s->arena};
    pieces_pack(policy, s, &pieces);
    journey_lapses_pack(policy, s, s->arena, &lapses);
    strbuf_reserve(out, 2 * JOURNEY_HEADER_SIZE + s->orders.count * 20 +
                            kept.count * (sizeof(struct id) + 12));
    struct state_header header = header_of(s);
    header.flags |= lapses.len ? HEADER_LAPSES : 0;
    pack_header(out, &header);
    if (lapses.len) {
        pack_be32(out, (uint32_t)lapses.len);
        strbuf_add(out, lapses.ptr, lapses.len);
    }
    pack_byte(out, (uint8_t)((same ? FLAG_SAME_KEY : 0) | (kept.count ? FLAG_TAIL : 0) |
                             (pieces.len ? FLAG_PIECES : 0) | (s->zone.code ? FLAG_ZONE : 0) |
                             (instant_is_set(kept.dropped_at) ? FLAG_CUT : 0) | instant_flags(s)));
    if (!same) {
        pack_byte(out, s->last.rank);
        strbuf_add(out, s->last.event_id.bytes, sizeof s->last.event_id.bytes);
        pack_be64(out, (uint64_t)s->last.anchor);
    }
    pack_varint(out, s->last_node);
    pack_varint(out, s->last_department);
    if (header.flags & HEADER_FURTHER)
        pack_varint(out, s->converted >> 1);
    pack_progress(policy, out, s);
    pack_orders(out, s);
    pack_sums(out, s);
    pack_scores(out, s);
    if (s->zone.code) {
        pack_varint(out, (uint64_t)s->zone.code);
        pack_age(out, s->last.at, s->zone.at);
    }
    if (kept.count)
        pack_tail(out, s, &kept);
    strbuf_add(out, pieces.ptr, pieces.len);
    if (header.flags & HEADER_FACETS)
        pack_facets(out, &header);
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
        t->at = unpack_age(in, s->last.at);
        t->event_id = unpack_id(in);
        uint64_t word = unpack_varint(in);
        uint32_t code = (uint32_t)(word / TAIL_FLAGS);
        t->has_failed = word & TAIL_FAILED;
        t->decision = word & TAIL_DECISION ? unpack_be64(in) : 0;
        t->shape = in->failed ? NULL : shapes->find(shapes->context, code);
        if (t->shape == NULL && !in->failed) {
            *missing = code;
            return false;
        }
    }
    if (cut)
        s->tail.dropped_at = unpack_age(in, s->last.at);
    return true;
}

static enum outcome shape_unknown(uint32_t code, struct err *err)
{
    return err_set(err, OUTCOME_RETRY, "shape_unknown",
                   "journey state names shape %u, which is not loaded", code);
}

enum outcome journey_state_unpack(const struct journey_policy *policy, struct span packed,
                                  const struct shape_lookup *shapes, struct arena *arena,
                                  struct journey_state *out, uint32_t *missing, struct err *err)
{
    struct unpack in = unpack_of(packed);
    journey_state_init(out, arena);
    const struct state_header header = unpack_header(&in);
    if (header.layout != JOURNEY_LAYOUT)
        return err_set(err, OUTCOME_FATAL, "state_corrupt",
                       "journey state of layout %d, expected %d", header.layout, JOURNEY_LAYOUT);
    if (header.flags & HEADER_LAPSES)
        unpack_bytes(&in, unpack_be32(&in));
    take_header(out, &header);
    uint8_t flags = unpack_byte(&in);
    unpack_last(&in, flags, out);
    out->last_node = (uint32_t)unpack_varint(&in);
    out->last_department = (uint32_t)unpack_varint(&in);
    if (header.flags & HEADER_FURTHER)
        out->converted |= (uint16_t)(unpack_varint(&in) << 1);
    out->goal_day = (int32_t)unpack_zigzag(&in);
    out->goals_today = unpack_varint(&in);
    for (int i = 0; i < WINDOW_KINDS && policy->has_windows; i++)
        out->in_window[i] = (uint16_t)unpack_varint(&in);
    unpack_counted(&in, policy, out);
    unpack_goals(&in, out);
    unpack_orders(&in, policy, out);
    unpack_sums(&in, out);
    unpack_scores(&in, out);
    if (flags & FLAG_ZONE)
        unpack_zone(&in, out);
    if ((flags & FLAG_TAIL) && !unpack_tail(&in, shapes, out, flags & FLAG_CUT, missing))
        return shape_unknown(*missing, err);
    if (policy->segments.count > 0)
        segments_of(policy, out);
    if ((flags & FLAG_PIECES) && !unpack_pieces(&in, policy, shapes, out, missing))
        return shape_unknown(*missing, err);
    if (header.flags & HEADER_FACETS)
        unpack_bytes(&in, JOURNEY_FACETS_SIZE);
    if (in.failed || in.at != in.end || out->stage >= STAGE_COUNT || out->status >= STATUS_COUNT)
        return err_set(err, OUTCOME_FATAL, "state_corrupt",
                       "journey state of %zu bytes cannot be read", packed.len);
    return OUTCOME_OK;
}
