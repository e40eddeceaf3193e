/* journey_internal.h: what the files of the derivation share. Only logic/ includes it. */
#ifndef TUTTI_JOURNEY_INTERNAL_H
#define TUTTI_JOURNEY_INTERNAL_H

#include "services/journey-tracker/logic/journey.h"

/* Wrapping is defined, so that taking back is always exact. */
static inline int64_t wrap_add(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static inline int64_t wrap_sub(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

__extension__ typedef unsigned __int128 micros_bits;

static inline micros_sum sum_add(micros_sum a, micros_sum b)
{
    return (micros_sum)((micros_bits)a + (micros_bits)b);
}

static inline micros_sum sum_sub(micros_sum a, micros_sum b)
{
    return (micros_sum)((micros_bits)a - (micros_bits)b);
}

static inline bool instant_is_set(struct instant t)
{
    return t.us != INT64_MIN;
}

static inline int32_t reporting_day(const struct journey_policy *policy, struct instant t)
{
    return zone_day(&policy->zone, t);
}

/* First day of the month of t. */
int32_t reporting_month(const struct journey_policy *policy, struct instant t);

/* A return: of an event of returns, or an order with a negative value. */
bool is_return(const struct touch *touch);

/* Whether the touch matches a filter of the policy. */
static inline bool touch_matches(const struct journey_policy *policy, const struct touch *touch,
                                 unsigned filter)
{
    const struct shape *shape = touch->shape;
    bool asked =
        filter_set_has(&shape->filters, filter) ||
        (filter_set_has(&shape->line_filters, filter) && filter_set_has(&touch->by_lines, filter));
    return asked && filter_admits(&policy->filters[filter], touch->value_micros > 0, touch->score);
}

/* The conversion rules that a touch matches. */
static inline struct conversion_set touch_conversions(const struct touch *touch)
{
    if (is_return(touch))
        return (struct conversion_set){0};
    return touch->value_micros > 0 ? touch->shape->positive : touch->shape->otherwise;
}

/* Goals of the shape, and those that a line of the order decides; value and score left aside. */
static inline uint64_t goals_of(const struct journey_policy *policy, const struct touch *touch,
                                uint64_t certain, uint64_t by_lines)
{
    for (; by_lines; by_lines &= by_lines - 1)
        if (filter_set_has(&touch->by_lines, policy->goals[__builtin_ctzll(by_lines)].filter))
            certain |= by_lines & -by_lines;
    return certain;
}

/* Those of the goals that value and score of the touch admit. */
static inline uint64_t goals_admitting(const struct journey_policy *policy,
                                       const struct touch *touch, uint64_t goals)
{
    for (uint64_t asking = goals & policy->goals_asking; asking; asking &= asking - 1)
        if (!filter_admits(&policy->goals[__builtin_ctzll(asking)].on, touch->value_micros > 0,
                           touch->score))
            goals &= ~(asking & -asking);
    return goals;
}

/* Goals whose filter the touch matches, one bit each. */
static inline uint64_t touch_goals(const struct journey_policy *policy, const struct touch *touch)
{
    const struct shape *shape = touch->shape;
    return goals_admitting(policy, touch, goals_of(policy, touch, shape->goals, shape->line_goals));
}

/* Stage at t, given that no inbound touch lies between state->last_inbound and t. */
uint8_t journey_stage_at(const struct journey_state *state, struct instant t);

/* ---- effects ---- */
/* Values of a cell, for effects_add; valid until the next call. */
int64_t *effects_cell(struct journey_effects *effects, const struct cell_key *key);
static inline void effects_add(const struct journey_effects *effects, int64_t *sum, int64_t amount)
{
    *sum = effects->sign < 0 ? wrap_sub(*sum, amount) : wrap_add(*sum, amount);
}

/* Adds micro-units to value k of a cell and to its high part: an amount alone may be as large as 64
 * bits hold. */
static inline void effects_add_micros(const struct journey_effects *effects, int64_t *values, int k,
                                      int64_t micros)
{
    effects_add(effects, &values[k + CELL_HIGH], micros / CELL_LIMIT);
    effects_add(effects, &values[k], micros % CELL_LIMIT);
    cell_carry(values, k);
}

static inline int64_t or_zero(int64_t micros)
{
    return micros == MICROS_ABSENT ? 0 : micros;
}

static inline bool is_positive(const struct touch *touch)
{
    return touch->value_micros > 0;
}

/* Codes of the segments that a contribution counts in: 0 for all customers, then those with
 * figures.
 */
struct shown_segments {
    uint32_t codes[1 + SEGMENT_FIGURES_MAX];
    int count;
};

static inline struct shown_segments in_no_segment(void)
{
    return (struct shown_segments){{0}, 1};
}

/* A touch on the map. */
struct step {
    const struct shown_segments *shown;
    int32_t month;
    uint32_t stage, from, to, from_department, to_department;
    int64_t wait; /* microseconds; -1 for (start) and (exit): none */
};

/* A touch on its way through the rules. */
struct passing {
    const struct journey_policy *policy;
    struct journey_state *state;
    const struct touch *touch;
    struct journey_effects *effects; /* NULL: state only */
    int32_t day;
    uint8_t stage_before;
    struct conversion_set conversions; /* the rules by which it is a conversion */
    /* Of an order: */
    struct order_entry *again;  /* the order that this touch tells again; NULL: a new one */
    struct order_detail detail; /* after this touch */
    uint64_t matched, counted; /* goals that match it for the first time, and those that count it */
    uint16_t nth_goals, nth_counted; /* the same of goals with nth, by nth_slot */
    struct order_sums told;          /* what a further telling changes of its order */
    bool is_repeated_return;         /* another system told this return before */
    bool had_touch;                  /* there was a touch before */
    uint32_t segments;               /* those before the touch */
    struct shown_segments shown;     /* of these, those with figures */
    struct step step;                /* of a touch */
};

/* The stage or status of one customer changes from `from` (0: was in none) to `to` (0: leaves). */
void effects_stock(struct journey_effects *effects, enum cell_family family, int32_t day,
                   uint32_t from, uint32_t to);

/* A customer goes from one stage and status to others: the status alone, and each goal that asks
 * for more as well. */
struct position {
    uint32_t stage, status;
    bool is_identified;
};
void effects_status(struct journey_effects *effects, const struct journey_policy *policy,
                    int32_t day, struct position from, struct position to);

void effects_segment(struct journey_effects *effects, const struct journey_policy *policy,
                     const struct segment_flip *flip);

void effects_step(struct journey_effects *effects, const struct step *step);
/* The cell of a step in a family that has its dimensions. */
struct cell_key step_key(enum cell_family family, const struct step *step, uint32_t segment);

/* Amounts to share out among touches; share is in millionths of a conversion, margin may be
 * MICROS_ABSENT. A touch gets its part
 * of the new amount less its part of what was shared out before, so that the parts of an order that
 * was told in pieces, or given back in pieces, are those of its sum. */
struct crediting {
    const struct shown_segments *shown;
    uint32_t goal;
    int32_t day;
    uint32_t department, currency; /* codes: of the conversion */
    struct instant converted_at;   /* the conversion that the touches led to */
    int64_t share, value, margin;
    int64_t value_before, margin_before;
    bool is_left_out;      /* its goal is credited and does not count it */
    uint32_t unidentified; /* code of UNIDENTIFIED_PART; 0: somebody bought it */
};
/* Credit cells of the models that reports have; eligible are the n touches, oldest first. */
void effects_credit(struct journey_effects *effects, const struct credit_rules *rules,
                    const struct crediting *crediting, const struct tail_touch *eligible,
                    uint32_t n);
/* Tail touches as rows have them. */
struct span pack_eligible(struct arena *arena, const struct tail_touch *eligible, uint32_t n);

/* What a goal counts of one touch. */
struct goal_amount {
    const struct shown_segments *shown;
    int32_t day;
    uint32_t department, channel, currency;
    int64_t touches, returned, value, by_goal;
};
void effects_goal(struct journey_effects *effects, const struct journey_goal *goal,
                  const struct goal_amount *amount);

/* ---- goals ---- */
/* Counts a touch for the goals that it matches: all of p->matched. */
void pass_goals(struct passing *p, uint64_t goals, const struct order_sums *sums);

/* ---- orders ---- */
/* Forgets orders that can no longer be returned or told again at t: they are counted for good. */
void orders_prune(const struct journey_policy *policy, struct journey_state *state,
                  struct instant t);
/* Remembers an order; one without an order id is counted for good. */
void orders_push(const struct journey_policy *policy, struct journey_state *state,
                 const struct order_entry *entry);
/* Counts for good what the entry matched. */
void orders_settle(const struct journey_policy *policy, struct journey_state *state,
                   const struct order_entry *entry);
/* The order that this touch tells again, or that this return names; NULL: none. */
struct order_entry *orders_told(const struct journey_policy *policy, struct journey_state *state,
                                const struct touch *touch);
struct order_entry *orders_returned(const struct journey_policy *policy,
                                    struct journey_state *state, const struct touch *touch);
/* The first of the returns that name the touch's order, if they found none; NULL: none. */
struct order_entry *orders_unknown(const struct journey_policy *policy, struct journey_state *state,
                                   const struct touch *touch);
/* A changed detail takes the place of the entry's. */
void orders_detail(struct arena *arena, struct order_entry *entry,
                   const struct order_detail *detail);
bool orders_equal(const struct journey_orders *a, const struct journey_orders *b);
void orders_copy(struct journey_orders *to, const struct journey_orders *from, struct arena *arena);
/* How many orders of a conversion event of this journey are not fully returned. */
uint32_t orders_counted(const struct journey_state *state, int counted);
/* Whether one of them is of an earlier reporting day. */
bool orders_before_day(const struct journey_policy *policy, const struct journey_state *state,
                       int counted, int32_t day);
/* Time of the n-th newest of them, from 1; at most counted_event.times. */
struct instant orders_newest(const struct journey_state *state, int counted, uint32_t n);
/* The same for the touches that match a goal with nth. */
uint32_t orders_matching(const struct journey_state *state, int slot);
struct instant orders_first_match(const struct journey_state *state, int slot);

/* What a telling adds to the amounts of its order. */
struct order_sums sums_of(const struct touch *touch);
/* The order as it is after this telling, but for its goals and its conversion. */
struct order_detail telling(const struct passing *p);
void pass_telling(struct passing *p);
void pass_return(struct passing *p);
void remember_order(struct passing *p);
/* journey_alone of a return. */
void return_alone(const struct journey_policy *policy, const struct touch *touch,
                  struct journey_effects *effects);

/* Goals as bits: those without nth, and those with nth by their slot. */
static inline uint64_t all_goals(const struct journey_policy *policy, uint64_t goals,
                                 uint32_t slots)
{
    for (; slots; slots &= slots - 1)
        goals |= UINT64_C(1) << policy->nth_goals[__builtin_ctz(slots)];
    return goals;
}

/* ---- tail ---- */
void tail_prune(struct journey_tail *tail, struct instant since);
void tail_push(struct journey_tail *tail, struct arena *arena, const struct touch *touch,
               uint32_t max);
/* Contact Failed: the newest send that has not failed yet and has its decision; without a decision,
 * that of its channel and campaign. */
void tail_fail(struct journey_tail *tail, const struct touch *failure);
/* The touches that share credit, oldest first; valid until the tail changes. */
const struct tail_touch *tail_eligible(const struct journey_tail *tail, struct arena *arena,
                                       uint32_t *count);
bool tail_equal(const struct journey_tail *a, const struct journey_tail *b);

/* ---- pieces (pieces.def) ---- */
/* The bytes of a piece on their way in. */
struct piece_bytes {
    struct unpack in;
    const struct shape_lookup *shapes;
    uint32_t missing; /* code of a shape that is not loaded; 0: none */
};
/* The shape of this code; NULL and `missing` set where it is not loaded. */
const struct shape *piece_shape(struct piece_bytes *bytes, uint32_t code);

/* What every piece offers:
 *
 *   before     the state is that before the fact, and time moves on to it. Segments, which act
 *              first, set p->segments and p->shown.
 *   after      all rules have acted on the fact, and state->last is its key
 *   copy       a deep copy
 *   pack       its bytes, none at all where it remembers nothing. They say where they end. What no
 *              window reaches any more plays no part in them: two states whose bytes are equal
 *              can differ in nothing that follows.
 *   unpack     reads them; a failure is bytes->in.failed or bytes->missing
 *   trailing   only with PIECE_AHEAD: adds, dated ahead, what the passing of time does after the
 *              last fact of `after`, less what it does after that of `before`; either state may be
 *              NULL. Equal ones cost nothing.
 *
 * A piece that the policy does not ask for returns at once. */
#define PIECE(number, name)                                                                        \
    void name##_before(struct passing *p);                                                         \
    void name##_after(struct passing *p);                                                          \
    struct name##_state *name##_copy(const struct name##_state *from, struct arena *arena);        \
    void name##_pack(const struct journey_policy *policy, const struct journey_state *state,       \
                     struct strbuf *out);                                                          \
    void name##_unpack(struct piece_bytes *bytes, const struct journey_policy *policy,             \
                       struct journey_state *state);
#define PIECE_AHEAD(name)                                                                          \
    void name##_trailing(const struct journey_policy *policy, const struct journey_state *before,  \
                         const struct journey_state *after, struct journey_effects *effects);
#include "services/journey-tracker/logic/pieces.def"

/* Which pieces of the state have bytes, and these; nothing where none has. */
void pieces_pack(const struct journey_policy *policy, const struct journey_state *state,
                 struct strbuf *out);

/* Those of the state, made where there are none. */
struct segments_state *segments_of(const struct journey_policy *policy,
                                   struct journey_state *state);
/* The segments after the touch, once segments_after has acted: as p->segments, with the touch. */
uint32_t segments_now(const struct passing *p);

/* Whether the touch may match one of these filters. A bot's touch, one whose sale another one owns,
 * and the repeat of a return match nothing. */
bool passing_asks(const struct passing *p, const struct filter_set *filters);
/* Whether the touch counts as one that happened. A further telling of an order does not, nor does
 * an order with a negative value: they only change amounts. */
bool passing_counts(const struct passing *p);

/* Of these segments those with figures. */
struct shown_segments segments_shown(const struct journey_policy *policy, uint32_t segments);

/* ---- rows (rows.def) ---- */
enum row_change { ROW_REMOVE = 1, ROW_WRITE = 2 };
#define ROW_KIND(name, row, list)                                                                  \
    int name##_order(const struct row *a, const struct row *b);                                    \
    unsigned name##_change(const struct row *before, struct row *after);
#include "services/journey-tracker/logic/rows.def"

/* ---- bytes ---- */
/* A time as microseconds before the last fact (state->last.at). Differences may wrap: reading wraps
 * back. */
void pack_age(struct strbuf *out, struct instant last, struct instant t);
struct instant unpack_age(struct unpack *in, struct instant last);
void pack_id(struct strbuf *out, struct id id);
struct id unpack_id(struct unpack *in);
/* A sum as two zigzag varints: 2^64 times the first, and the second. */
void pack_short_sum(struct strbuf *out, micros_sum sum);
micros_sum unpack_short_sum(struct unpack *in);

/* ---- deadlines ---- */
struct deadline {
    enum stage_reason reason;
    struct instant at;
    uint8_t from_status, to_status;
};
enum { DEADLINES_MAX = 3 };
/* All deadlines that act if no inbound touch follows, in order. */
size_t journey_deadlines(const struct journey_policy *policy, const struct journey_state *state,
                         struct deadline out[DEADLINES_MAX]);

/* The entry of currency, made if absent. */
struct currency_sum *journey_sum(struct journey_state *state, uint32_t currency);
/* A trend compares two halves of this length. */
#define SCORE_HALF ((struct duration){90 * US_PER_DAY})
/* A score that comes after all others. */
void scores_push(struct journey_state *state, struct instant at, int16_t score);

#endif
