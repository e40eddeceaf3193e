/* journey.h: the derivation of a timeline as an automaton. A state goes through one touch after the
 * other, and each touch adds something to the figures.
 *
 * The exact meaning of every figure is in docs/figures.md. A timeline is the list of a profile's
 * facts in the one order: time, rank, event_id, anchor (touch_rank of common/words). Facts that are
 * no touches (direction none) are part of it; repeats of a message are not (journey_drop_repeats).
 * For a whole timeline
 *
 *     derive = sum of journey_advance over its facts + journey_trailing of the last state
 *
 * Trailing is what the deadlines after the last touch add. It is dated in the future, and a later
 * touch takes it back.
 *
 * The state has two parts.
 *
 * The WINDOWED part decides what later touches do. Everything in it is either overwritten by a
 * later touch of the same sort, or saturates. So two timelines that differ early soon have equal
 * windowed parts. Three members are exceptions, which keep a difference to the end or to the next
 * change: journey_number, stage_since, the newest scores.
 *
 * The CUMULATIVE part decides nothing: first_seen, order_count and the sums per currency. It
 * travels as differences only. Behind the point where a re-derivation stopped, stored CHECKPOINTS
 * may therefore have it out of date, which does no harm. Only the profile's final state has it
 * right.
 *
 * Restarts stand between instants. A state whose instant may still grow at its front cannot be gone
 * on from: journey_may_follow.
 *
 * How to derive again after a late event, a merge or a split:
 *
 *   1. Take the newest checkpoint of an instant before that of the first touch that differs, or an
 *      empty state. It is the start of both sides, `before` and `after`. Prime both if its tail is
 * cut.
 *   2. Call journey_rederive chunk by chunk. A chunk ends with the instant of a stored checkpoint:
 *      put the packed state of `after` in its place.
 *   3. Stop when the last touch that differs is behind and journey_converged is true, or at the
 * end.
 *   4. journey_conclude gives the final state.
 *   5. journey_trailing_replace(old final, new final). */
#ifndef TUTTI_JOURNEY_H
#define TUTTI_JOURNEY_H

#include "common/base/arena.h"
#include "common/base/cell.h"
#include "common/base/id.h"
#include "common/base/map.h"
#include "common/base/pack.h"
#include "services/journey-tracker/logic/funnel.h"
#include "services/journey-tracker/logic/policy.h"
#include "services/journey-tracker/logic/shape.h"

#define MICROS_ABSENT INT64_MIN
#define SCORE_ABSENT  INT16_MIN

/* ---- facts ---- */
struct touch_key {
    struct instant at;
    uint8_t rank; /* enum touch_rank, of the shape and the value (touch_rank_of) */
    struct id event_id;
    int64_t anchor; /* short key */
};

struct touch {
    struct touch_key key;
    const struct shape *shape;
    int64_t value_micros, margin_micros, cost_micros; /* MICROS_ABSENT */
    int16_t score;                                    /* SCORE_ABSENT */
    /* Filters of categories (policy.filters_of_lines) that a line of the order answers. */
    struct filter_set by_lines;
    uint64_t decision;    /* decision_key, where a rule asks for it; 0: none */
    uint64_t opportunity; /* that it answers (opportunity_key); 0: none */
    int16_t zone;         /* code of the time zone that it says; 0: none */
    bool is_sale;         /* journey_is_sale, whoever owns the sale */
    uint64_t order;       /* journey_order_key of an order or a return; 0: it names no order */
    struct span traits;   /* what it says of the customer (trait.h); len 0: nothing */
};

/* The one order of touchpoints. */
int touch_key_compare(const struct touch_key *a, const struct touch_key *b);
/* A decision_id as tails keep it: 64 bits of its hash, never 0; 0 where there is none. */
uint64_t decision_key(struct span decision_id);
/* The rank of a touch of this shape and value. */
enum touch_rank touch_rank_of(const struct shape *shape, int64_t value_micros);
/* About one event_id in 256 marks its instant as a checkpoint. The ids decide, so that the same set
 * of facts always has the same checkpoints, in whatever order the facts arrive. */
bool event_marks_checkpoint(const struct id *event_id);

/* ---- state ---- */
struct tail_touch {
    struct instant at;
    struct id event_id;
    const struct shape *shape;
    uint64_t decision; /* of a send; 0: none */
    bool has_failed;   /* a send that failed: no credit from then on */
};

/* Creditable touches of the lookback, oldest first: items[head .. head + count). */
struct journey_tail {
    struct tail_touch *items;
    uint32_t head, count, capacity;
    /* The newest one that was left out though it is still inside the lookback. INSTANT_FIRST: none.
     */
    struct instant dropped_at;
    bool unbounded; /* nothing is left out (journey_prime) */
};

/* Of one conversion event in this journey: the orders that can no longer be returned. Those that
 * can are in journey_orders. */
struct event_progress {
    uint16_t count;    /* saturating at counted_event.enough */
    int32_t first_day; /* reporting day of the first; INT32_MIN if they are of several days */
    uint8_t time_count;
    struct instant times[POLICY_MAX_WITHIN]; /* of the newest, oldest first */
};

/* Of a goal with nth: the matching touches, without the orders that can still be returned. */
struct goal_progress {
    uint16_t count;       /* lifetime, saturating at nth */
    struct instant first; /* time of the first match while 0 < count < nth */
    bool is_counted;      /* the goal counted a touch that was not taken back */
};

/* A return of one order; the list goes back in time. */
struct order_return {
    const struct shape *shape; /* who told it: event and source */
    int64_t amount;
    const struct order_return *earlier;
};

/* What was told of an order, or what returns took back of it. */
struct order_sums {
    micros_sum value, margin, by_goal; /* by_goal: margin, or value where there is no margin */
};

/* What returns and later tellings of an order need. It is derived and never stored: see
 * journey_learn_orders. Read-only once it is made. */
struct order_detail {
    struct touch_key key;       /* of the conversion, else of the order */
    const struct shape *place;  /* of the order: department and channel of its goals */
    const struct shape *seller; /* of the conversion: department that converted */
    const struct shape *money;  /* of the telling with its value: source and currency */
    bool has_value, has_margin, is_conversion;
    /* Of the conversion: a rule for each of its goals, which shares with the newest `sharing` of
     * the eligible touches. */
    struct conversion_set sales;
    uint32_t sharing[TOUCH_MAX_GOALS];
    struct order_sums told, back;
    /* Goals that match the first telling, value and score left aside, and those of money from
     * which a return takes; goals that match a telling; those without nth that counted it. */
    uint64_t goals, return_goals, matched, counted;
    const struct tail_touch *eligible;
    uint32_t eligible_count;
    const struct order_return *returns;
};

struct order_entry {
    uint64_t order; /* journey_order_key */
    struct instant at;
    uint32_t digest; /* of the detail: tells whether two of them are equal */
    /* Bits by nth_slot: goals with nth that it matches, and those that counted it. */
    uint16_t nth_goals, nth_counted;
    int8_t counted;   /* position in policy.counted */
    bool is_told;     /* shape.is_told of the order */
    bool is_returned; /* fully */
    bool is_unknown;  /* no order: the first return that names an order that is not known */
    const struct order_detail *detail; /* NULL: the state was read from storage */
};

/* The newest orders that name an order id and may still be returned or told again, and the returns
 * that found none, oldest first. */
enum { ORDERS_ROOM = POLICY_MAX_ORDERS + POLICY_MAX_UNKNOWN };
struct journey_orders {
    struct order_entry *items; /* ORDERS_ROOM of them; NULL: none */
    uint32_t count;
    bool is_missed; /* a detail was needed that is not known: an error of the caller */
};

struct currency_sum {
    uint32_t currency;
    int64_t conversions;
    micros_sum revenue, margin;
    /* The conversions that say their margin: how many, and their revenue. */
    int64_t with_margin;
    micros_sum revenue_with_margin;
    int64_t with_cost; /* touches with a cost */
    micros_sum cost;
    /* Of the newest conversion or return; belongs to the windowed part. at = INSTANT_FIRST: none,
     * there are costs alone. */
    struct touch_key last;
};

enum { STATE_MAX_SCORES = 16, WINDOW_KINDS = PERIOD_COUNT - PERIOD_WEEK };

/* The newest scores, oldest first. */
struct score_said {
    struct instant at;
    int16_t score;
};

/* The newest time zone that a fact said. */
struct zone_said {
    int16_t code; /* 0: none did */
    struct instant at;
};

struct journey_state {
    struct arena *arena; /* where tail and sums grow */
    /* windowed */
    struct touch_key last;         /* newest fact; at = INSTANT_FIRST: no fact yet */
    struct touch_key last_inbound; /* at = INSTANT_FIRST: none */
    /* of the instant of `last`: */
    bool is_alone;                /* it is the only fact */
    bool is_checkpoint;           /* an event_id marks it */
    uint8_t change_count;         /* stage rows of its touches, saturating */
    struct instant last_touch_at; /* INSTANT_FIRST: none */
    uint32_t last_node, last_department;
    uint32_t journey_number; /* 0: none yet */
    uint8_t stage, status;   /* after last_inbound; without the deadlines since */
    /* The goals that ask for identified customers count this one, from the first touch on. The
     * timeline does not decide it: who starts a derivation sets it, and it stays. */
    bool is_identified;
    struct instant stage_since;
    uint16_t converted;   /* goals of conversion rules that it converted for, by goal_slot */
    int32_t goal_day;     /* reporting day of the last touch */
    uint64_t goals_today; /* goals counted on that day */
    /* Goals counted in the week, month and quarter of that day, by window_slot. */
    uint16_t in_window[WINDOW_KINDS];
    struct event_progress counted[POLICY_MAX_COUNTED];
    struct goal_progress goals[POLICY_MAX_NTH_GOALS];
    struct journey_orders orders;
    struct instant last_order_at; /* INSTANT_FIRST: none */
    struct score_said scores[STATE_MAX_SCORES];
    uint8_t score_count;
    struct zone_said zone;
    struct journey_tail tail;
#define PIECE(number, name) struct name##_state *name;
#include "services/journey-tracker/logic/pieces.def"
    /* cumulative */
    struct instant first_seen; /* INSTANT_NEVER: none */
    int64_t order_count;
    /* By currency, ascending; no entry without conversions, money and costs. */
    struct currency_sum *sums;
    uint32_t sum_count, sum_capacity;
};

/* An empty timeline's state. */
void journey_state_init(struct journey_state *state, struct arena *arena);
/* A deep copy; `to` grows in arena. */
void journey_state_copy(struct journey_state *to, const struct journey_state *from,
                        struct arena *arena);
/* The sums of the currency with the most conversions, of several the one with the newest; zeroes
 * where there is no conversion. */
struct currency_sum journey_state_revenue(const struct journey_state *state);
/* How the scores of the 90 days up to the newest differ from those of the 90 days before, as whole
 * numbers: SCORE_ABSENT where either half has none. */
int16_t journey_state_trend(const struct journey_state *state);

/* ---- effects ---- */
struct conversion_row {
    struct touch_key key;
    uint32_t shape; /* its code */
    int16_t rule;   /* its conversion rule */
    uint32_t goal;  /* dictionary code */
    /* The goal as text, where the touch has others whose rules stand before this one's; else
     * SPAN_NONE. */
    struct span further;
    bool is_first; /* of this goal */
    uint8_t stage_before;
    int64_t value, margin; /* of the touch; may be MICROS_ABSENT */
    uint32_t eligible_count;
    /* Oldest first, ELIGIBLE_SIZE each: event_id 16, occurred_at in us 8, shape code 4; big-endian.
     */
    struct span eligible;
};
enum { ELIGIBLE_SIZE = 28 };

/* What happened to an order after it was counted: a return, or another telling that changed its
 * amounts. A return without an order is one as well. Amounts are signed. */
struct order_change {
    struct touch_key key;   /* of this return or telling */
    uint32_t shape;         /* its code */
    struct touch_key order; /* order_detail.key; at = INSTANT_FIRST: no order */
    bool is_return, is_full, is_repeat;
    int16_t rule;           /* conversion rule of the goal */
    uint32_t goal;          /* code; 0: none */
    struct span further;    /* as in conversion_row */
    uint32_t seller, money; /* codes of shapes: department, and currency */
    int32_t share;          /* of a conversion, in millionths */
    /* Shared out among the touches; without any: unattributed. The margin may be MICROS_ABSENT.
     * Before this change they shared value_before and margin_before. */
    int64_t value, margin, value_before, margin_before;
    int64_t over; /* value that is more than the order had: unattributed */
    uint32_t touch_count;
    struct span touches; /* as conversion_row.eligible */
};

/* AT_RISK and LAPSED both show as inactivity. */
enum stage_reason { REASON_RULE, REASON_AT_RISK, REASON_LAPSED, REASON_EXIT };

/* (touch, reason) is the key of a row. */
struct stage_row {
    struct id id; /* event_id of the touchpoint, last byte XOR reason */
    /* The touchpoint: this inbound touch, or the last one before the deadline. */
    struct touch_key touch;
    uint8_t reason; /* enum stage_reason */
    uint32_t journey_number;
    struct instant changed_at;
    uint8_t position; /* among the rows of this customer and instant, from 1, saturating */
    uint8_t from_stage, to_stage, from_status, to_status; /* 0: null */
    int64_t seconds_in_stage;                             /* -1: null */
    bool is_told; /* what differs from the old row does not show in its message */
};

/* A settled change of membership. (touch, changed_at, segment) is the key of a row. */
struct membership_row {
    struct touch_key touch; /* the last fact at or before the change */
    struct instant changed_at;
    uint32_t code; /* of the segment */
    uint8_t segment;
    bool is_in;
};

/* An answer to a send. (key) is the key of a row. */
struct response_row {
    struct touch_key key; /* of the answer */
    struct id send_id;
    struct instant sent_at;
    uint32_t send_shape, shape; /* codes: of the send, and of the answer */
    int16_t local_hour;         /* of the answer, in the zone of the person */
};

/* A step of an opportunity (opportunities.h). */
struct opportunity_row {
    struct touch_key by; /* the fact that took it */
    struct id id;        /* of the opportunity */
    struct offer_trigger trigger;
    uint32_t rule_code, code; /* of the rule and of the offer */
    uint8_t offer;            /* position in the policy */
    uint8_t phase;            /* order of the steps of one fact and offer */
    uint8_t step;             /* enum opportunity_step */
};

/* Rows of repeats are the keys of facts that do not count, because another fact of their profile is
 * the same message. */
#define ROW_KIND(name, row, list)                                                                  \
    struct list {                                                                                  \
        struct row *items;                                                                         \
        size_t count, capacity;                                                                    \
    };
#include "services/journey-tracker/logic/rows.def"

/* What a transaction adds: cells and rows. Initialise with journey_effects_init. Several profiles
 * may share one.
 *
 * Of removed rows only the key counts. Apply the removals of ALL profiles before the upserts: when
 * a touch moves from one profile to another, the one removes its rows and the other writes them. */
struct journey_effects {
    struct arena *arena;
    struct map cells; /* struct cell_key -> int64_t[CELL_VALUES] */
    int sign;         /* +1 or -1: weight of the cells; rows do not use it */
#define ROW_KIND(name, row, list) struct list name, name##_removed;
#include "services/journey-tracker/logic/rows.def"
    /* A conversion was derived from a tail that was not complete, or a return without the detail of
     * its order: an error of the caller. */
    bool missed_window;
};

void journey_effects_init(struct journey_effects *effects, struct arena *arena);
/* The next cell that is not all zero; false at the end. Start with *cursor = 0. */
bool journey_effects_next(const struct journey_effects *effects, size_t *cursor, struct cell *out);

/* ---- repeats ---- */
/* Takes the repeats out of touches of one profile: whole instants, in order. Returns how many
 * remain, at the front and in order; adds the others to `repeats`, in order too. */
size_t journey_drop_repeats(struct touch *touches, size_t count, struct arena *arena,
                            struct repeat_rows *repeats);
/* Adds the rows that differ between the repeats of a range before and after, both in order. */
void journey_diff_repeats(struct journey_effects *effects, const struct repeat_rows *before,
                          const struct repeat_rows *after);

/* ---- derivation ---- */
/* True if a state can go on with a fact of this key. It is of a later instant, or comes after the
 * only fact of its instant and is of another event. All else derives its instant again. */
bool journey_may_follow(const struct journey_state *state, const struct touch_key *key);
/* The same for touches in order: each of them that is of the state's instant. */
bool journey_may_go_on(const struct journey_state *state, const struct touch *touches,
                       size_t count);
/* Takes one more fact, which must be above state->last. effects NULL: state only. */
void journey_advance(const struct journey_policy *policy, struct journey_state *state,
                     const struct touch *touch, struct journey_effects *effects);

/* True if touch is a conversion whose eligible touches are not all in the state's tail: prime the
 * state first. */
bool journey_needs_window(const struct journey_policy *policy, const struct journey_state *state,
                          const struct touch *touch);
/* True if, on the way through these touches, a conversion may need creditable touches that the
 * state's bounded tail does not hold, or a touch may need the detail of an order (below). */
bool journey_lacks_window(const struct journey_policy *policy, const struct journey_state *state,
                          const struct touch *touches, size_t count);
/* True if the tail left something out that is still inside the lookback: prime before
 * journey_rederive. */
bool journey_tail_is_cut(const struct journey_state *state);
/* Replaces the tail by the creditable ones of these facts, and ends the credit of those that
 * failed, and keeps it complete from now on; packing cuts it again. The facts must be all those of
 * the profile in [state->last.at - lookback, state->last], in order, with those of the running
 * batch. */
void journey_prime(const struct journey_policy *policy, struct journey_state *state,
                   const struct touch *touches, size_t count);

/* ---- orders ---- */
/* The key of an order id of a touch of this shape, 0 for none; it never changes, so that states may
 * keep it. */
uint64_t journey_order_key(const struct journey_policy *policy, const struct shape *shape,
                           struct span order_id);
/* True if a touch is about an order of which the state does not have the detail. */
bool journey_lacks_orders(const struct journey_state *state, const struct touch *touches,
                          size_t count);
/* From where on journey_learn_orders needs the touches of the timeline. */
struct instant journey_orders_since(const struct journey_policy *policy,
                                    const struct journey_state *state);
/* Gives orders of the states their detail. `touches` are those of their common past, from a time on
 * up to an instant that both stand at or behind. From journey_orders_since on is enough but for
 * orders that were told again and again, in a chain that began before. Then it is false: call it
 * again with all touches. `after` may be NULL. */
bool journey_learn_orders(const struct journey_policy *policy, const struct touch *touches,
                          size_t count, struct journey_state *before, struct journey_state *after);

/* Adds (by effects->sign) what the deadlines after the last touch do if no touch follows. No rows:
 * the views compute these from the state. */
void journey_trailing(const struct journey_policy *policy, const struct journey_state *state,
                      struct journey_effects *effects);
/* Adds trailing(after) - trailing(before), at the cost of what differs. before or after may be
 * NULL, for an empty timeline. */
void journey_trailing_replace(const struct journey_policy *policy,
                              const struct journey_state *before, const struct journey_state *after,
                              struct journey_effects *effects);

/* One side of a re-derivation: a state, in and out, and the touches that it goes through, in
 * order. */
struct journey_side {
    struct journey_state *state;
    const struct touch *touches;
    size_t count;
};
/* Takes `before` through the old touches and `after` through the new ones. Adds new - old: cells,
 * and rows that differ. A range can be done in chunks, cut between instants. Both states start with
 * a tail that is not cut (else journey_prime them; missed_window tells) and keep it complete.
 * effects->sign is not used: it is +1 afterwards. */
void journey_rederive(const struct journey_policy *policy, const struct journey_side *before,
                      const struct journey_side *after, struct journey_effects *effects);
/* True if nothing that follows can differ: the windowed parts are equal, and at least one fact is
 * in them. */
bool journey_converged(const struct journey_policy *policy, const struct journey_state *before,
                       const struct journey_state *after);
/* The profile's new final state; out grows in arena. The windowed part is that of old_final if
 * converged, else that of after, which then is at the end of the timeline. The cumulative part is
 * that of old_final plus the difference between after and before. */
void journey_conclude(const struct journey_state *old_final, const struct journey_state *before,
                      const struct journey_state *after, bool converged, struct arena *arena,
                      struct journey_state *out);

/* ---- segments ---- */
/* Changes of membership that are not settled: at the instant of the last fact, and after it by the
 * passing of time alone. In order; in arena. state may be NULL. */
void journey_segments_ahead(const struct journey_policy *policy, const struct journey_state *state,
                            struct arena *arena, struct segment_flips *flips);
/* The same as bytes for those who read states in SQL, big-endian; nothing where nothing changes:
 * anchor 8 and event_id 16 of the last fact, then LAPSE_SIZE each: code of the segment 4, time in
 * us 8, 1 for in. */
enum { LAPSE_SIZE = 13 };
void journey_lapses_pack(const struct journey_policy *policy, const struct journey_state *state,
                         struct arena *arena, struct strbuf *out);

/* ---- sales ---- */
/* A sale is a conversion, or a touch with an amount in a goal that adds up amounts. The same
 * message may be stored under several anchors; its sale has one owner in the whole database. */
bool journey_is_sale(const struct journey_policy *policy, const struct touch *touch);

/* What a stored touch says for itself as the owner of its sale. */
enum sale_holder { HOLDER_IDENTIFIED, HOLDER_SHARED, HOLDER_NOBODY };
struct sale_claim {
    int64_t anchor;
    int16_t rank; /* enum touch_rank */
    uint8_t holder;
};
/* Below 0: a owns the sale rather than b. Which profile an anchor belongs to plays no part, so
 * merging and splitting people moves no sale. */
int journey_claim_compare(const struct sale_claim *a, const struct sale_claim *b);

/* Adds (by effects->sign; rows are then written or removed) what a sale without a customer adds:
 * the goals that ask nothing of a customer's past, and a conversion without credit, all of it in
 * the part UNIDENTIFIED_PART. */
void journey_alone(const struct journey_policy *policy, const struct touch *touch,
                   struct journey_effects *effects);

/* ---- credit ---- */
enum { CREDIT_WHOLE = 1000000 };
/* The part of touch i of n (oldest first) in total: equal parts, rounded towards zero. The
 * remainder goes to the earliest touches, one unit each. */
int64_t credit_split(int64_t total, uint32_t n, uint32_t i);
/* What each of the n touches of a conversion at that time weighs in a model of unequal parts. */
void credit_weights(const struct credit_rules *rules, enum credit_model model,
                    const struct tail_touch *touches, uint32_t n, struct instant converted_at,
                    int64_t *weights);
/* Parts in proportion to the weights, which are below 2^63 in sum and not all 0: rounded towards
 * zero, the units that are left over one each to the largest remainders, of equal ones to the
 * earliest. With equal weights they are those of credit_split. The total is below 2^66 in size;
 * arena is for what the work needs. */
void credit_apportion(struct arena *arena, micros_sum total, const int64_t *weights, uint32_t n,
                      micros_sum *parts);

/* ---- storage ----
 * A packed state has a header of fixed size (state_header.def) and then a variable part. If it has
 * scores or costs, it ends with what views show of them (STATE_FACET)
 * (journey_pack.c). */
#define STATE_SIZE_U8    1
#define STATE_SIZE_U32   4
#define STATE_SIZE_COUNT 4
#define STATE_SIZE_I16   2
#define STATE_SIZE_I64   8
#define STATE_SIZE_SUM   16
#define STATE_SIZE_TIME  8
#define STATE_SIZE_ID    16
enum {
    JOURNEY_LAYOUT = 8,
#define STATE_FIELD(type, ...) +STATE_SIZE_##type
    JOURNEY_HEADER_SIZE = 0
#include "services/journey-tracker/logic/state_header.def"
    ,
#define STATE_FACET(type, ...) +STATE_SIZE_##type
    JOURNEY_FACETS_SIZE = 0
#include "services/journey-tracker/logic/state_header.def"
};
/* The tail is cut to policy->tail_max; *state itself is not changed. */
void journey_state_pack(const struct journey_policy *policy, const struct journey_state *state,
                        struct strbuf *out);

/* is_identified of a packed state; false of an empty text. */
bool journey_packed_is_identified(struct span packed);

struct shape_lookup {
    const struct shape *(*find)(void *context, uint32_t code); /* NULL if not known yet */
    void *context;
};
/* RETRY "shape_unknown" with *missing set: load that shape and call again. FATAL "state_corrupt" if
 * the bytes are no state. */
enum outcome journey_state_unpack(const struct journey_policy *policy, struct span packed,
                                  const struct shape_lookup *shapes, struct arena *arena,
                                  struct journey_state *out, uint32_t *missing, struct err *err);

#endif
