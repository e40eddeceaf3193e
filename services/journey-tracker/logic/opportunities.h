/* opportunities.h: what one event in a customer's life lets other departments offer, and what
 * becomes of each offer, as an automaton over his timeline.
 *
 * docs/figures.md has the exact meaning; in short: each offer of a rule is by itself. A trigger
 * opens an opportunity of it, unless one is live or cools, which then covers the trigger. A live
 * one ends by a fact (won, cancelled, declined) or by its time (expired); it may be accepted
 * before.
 *
 * What a fact does to an opportunity is a row of its own, a STEP. So no row is ever changed, and
 * what is derived twice is compared step by step. That time is over needs no step: it follows from
 * the time of the trigger.
 *
 * The state belongs to the windowed part (journey.h): per offer the one opportunity that is live or
 * cools. */
#ifndef TUTTI_JOURNEY_OPPORTUNITIES_H
#define TUTTI_JOURNEY_OPPORTUNITIES_H

#include "common/base/arena.h"
#include "common/base/id.h"
#include "common/base/instant.h"
#include "common/base/outcome.h"
#include "services/journey-tracker/logic/filter.h"

enum {
    OFFERS_MAX = 64, /* of all rules */
    OFFER_RULES_MAX = 32,
    OFFERS_OF_RULE_MAX = 16,
    OFFER_NAMES_MAX = 4, /* covered triggers by which an opportunity may be named: the newest */
    GESTURE_LIMITS_MAX = 16,
};

enum offer_priority { OFFER_LOW = 1, OFFER_NORMAL, OFFER_HIGH };

/* Stored: new steps go to the end. */
enum opportunity_step {
    STEP_OPENED = 1,
    STEP_ACCEPTED,
    STEP_WON,
    STEP_CANCELLED,
    STEP_DECLINED,
    STEP_COVERED
};

/* Filters, as positions in policy.filters: a touch matches one of them. */
struct offer_filters {
    uint8_t items[2], count;
};

/* An offer of a rule. */
struct offer {
    struct span rule_id, id, product, owner, title; /* title may be SPAN_NONE */
    uint32_t rule_code, code;                       /* of the dictionary */
    enum offer_priority priority;
    struct offer_filters on, done_on, cancel_on; /* of the rule, and of the offer */
    uint32_t not_if; /* bits of segments: of all, of the rule, of the offer */
    struct duration after, expires, cooling;
};

/* What staff may give away to make good for something. */
struct gesture_limit {
    struct span currency;
    int64_t per_case, per_agent_month; /* micro-units */
};
struct gesture_rules {
    bool is_asked;
    uint8_t case_on, case_until; /* filters: what opens and what ends a case */
    struct gesture_limit limits[GESTURE_LIMITS_MAX];
    uint32_t limit_count;
    struct span approver; /* SPAN_NONE: nobody is named */
};

struct offer_rules {
    struct offer items[OFFERS_MAX];
    uint32_t count;
    /* BLAKE2b-128, which is no part of the pure code. */
    struct id (*digest)(struct span bytes);
    struct gesture_rules gestures;
    /* Derived (offer_rules_finish): all filters and all segments that offers ask. */
    struct filter_set filters;
    uint32_t not_if;
};

/* Fills what the rest derives: once, when all offers are there. */
void offer_rules_finish(struct offer_rules *rules);

/* ---- state ---- */
struct offer_trigger {
    struct instant at;
    struct id event_id;
    int64_t anchor;
};

struct offer_held {
    uint8_t offer; /* position in offer_rules.items */
    struct offer_trigger trigger;
    bool is_accepted;
    bool has_ended;                  /* won or declined; what is cancelled is forgotten */
    uint32_t base;                   /* segments of not_if that the trigger left the customer in */
    uint64_t names[OFFER_NAMES_MAX]; /* opportunity_key of covered triggers, oldest first */
    uint8_t name_count;
};

/* At most one of an offer, by offer. */
struct opportunities_state {
    struct offer_held *items;
    size_t count, capacity;
};

/* The id of the opportunity that a trigger opens, if it does. */
struct id opportunity_id(struct arena *arena, const struct offer_rules *rules,
                         const struct offer *offer, const struct offer_trigger *trigger);
/* An id of an opportunity as touches name it: 64 bits, 0 for a text that is no id. */
uint64_t opportunity_key(struct span text);

#endif
