/* policy.h: the journey policy as the derivation uses it: journey.json, goals.json, channels.json,
 * referrers.json, traits.json, segments.json and orchestration.json, checked and flattened.
 *
 * journey_policy.c (or a test) fills it; texts live in the caller's arena. Afterwards everything is
 * read-only, except the dictionary codes: the caller sets them once, with journey_policy_intern. */
#ifndef TUTTI_JOURNEY_POLICY_TYPES_H
#define TUTTI_JOURNEY_POLICY_TYPES_H

#include "common/base/arena.h"
#include "common/base/instant.h"
#include "common/base/map.h"
#include "common/base/outcome.h"
#include "common/base/zone_set.h"
#include "common/words/words.h"
#include "services/journey-tracker/logic/opportunities.h"
#include "services/journey-tracker/logic/segments.h"

enum {
    POLICY_MAX_RULES = 64,      /* stage rules */
    POLICY_MAX_GOALS = 64,      /* goals */
    POLICY_MAX_COUNTED = 8,     /* distinct conversion events */
    POLICY_MAX_SOLD_GOALS = 16, /* goals of conversion rules */
    TOUCH_MAX_GOALS = 4,        /* goals of conversion rules of one event */
    POLICY_MAX_NTH_GOALS = 16,  /* goals with nth */
    POLICY_MAX_WINDOWED = 16,   /* goals with windows */
    POLICY_MAX_WITHIN = 8,      /* nth of a stage rule that also has within */
    POLICY_TAIL_MAX = 256,      /* creditable touches kept in a state */
    POLICY_MAX_ORDERS = 32,     /* orders kept in a state: the newest */
    POLICY_MAX_UNKNOWN = 8,     /* returns kept in a state that found no order: the newest */
    POLICY_MAX_TRAITS = 32,     /* declared traits */
    POLICY_MAX_SOURCES = 8,     /* of a trait */
    POLICY_MAX_NETWORKS = 500,  /* texts that "(utm_source)" may give */
    POLICY_MAX_OWN_HOSTS = 200, /* patterns */
    RESPONSES_MAX = 32,         /* sends kept in a state: the newest */
    POLICY_MAX_INFLUENCE = 4,   /* goals whose paths are followed */
    POLICY_NOT_PREFERRED = 255, /* place of a source that orders.prefer does not list */
};

/* A journey ends after so many days without an inbound touch. The map has an (exit) after so many
 * days without any touch. */
#define JOURNEY_END ((struct duration){365 * US_PER_DAY})

struct stage_rule {
    enum journey_stage stage;
    struct touch_filter on; /* at most one event and one channel */
    struct span segment;    /* SPAN_NONE: none */
    struct span after;      /* SPAN_NONE: none */
    uint16_t nth;           /* 0: none */
    struct duration within; /* 0: none */
    bool later_day;
    uint8_t filter;      /* position of `on` in policy.filters */
    uint32_t in_segment; /* bit of `segment`; 0: none */
    int16_t counted;     /* position of its event in policy.counted, where nth */
    int16_t after_index; /* position of `after` in policy.counted */
};

/* A conversion event, and how much of its past in the journey the stage rules can still ask for. */
struct counted_event {
    struct span event;
    uint16_t enough; /* counting further than this decides nothing */
    uint8_t times;   /* times of earlier events to keep, newest (< POLICY_MAX_WITHIN) */
    bool later_day;
};

struct conversion_rule {
    struct span event, goal;
    uint32_t goal_code;
    bool any_value; /* else value_micros > 0 */
    struct duration lookback;
    uint8_t goal_slot; /* bit of the goal in journey_state.converted */
    /* Bit of the goal, if it is credited; 0: no such goal. */
    uint64_t credited;
};

/* Of each goal the first conversion rule that matches, in the order of the rules. */
struct conversion_set {
    int16_t rules[TOUCH_MAX_GOALS];
    uint8_t count;
};

struct journey_goal {
    struct span id, parent, title, unit;
    uint32_t code;
    bool lower_is_better;
    /* Of a goal of customers: those in the status, or else in the segment. */
    enum journey_status status;    /* STATUS_NONE: a goal of touches, or of a segment */
    struct span segment;           /* SPAN_NONE: a goal of touches, or of a status */
    enum journey_stage from_stage; /* with status: this stage or a higher one; STAGE_NONE: any */
    bool identified;               /* with status: only identified customers */
    struct touch_filter on;        /* of a goal of touches */
    uint8_t filter;                /* position of `on` in policy.filters */
    bool credited;
    uint16_t nth;           /* 0: every touch */
    uint8_t nth_slot;       /* index in journey_state.goals where nth */
    struct duration within; /* 0: none */
    enum goal_measure measure;
    /* Bits of enum period_kind above PERIOD_DAY: customers of these are counted, as those of every
     * day are. */
    uint8_t windows;
    uint8_t window_slot; /* bit in journey_state.in_window where windows */
};

static inline bool goal_is_of_touches(const struct journey_goal *goal)
{
    return goal->measure != MEASURE_STOCK && goal->measure != MEASURE_ENTRIES;
}

/* How touches share a conversion. */
struct credit_rules {
    uint32_t models; /* bit by enum credit_model: those that reports have; any other is for rows */
    enum credit_model stored; /* one of them: the model of goals */
    /* position_based: percent of the first and of the last touch; those between share the rest. */
    uint32_t first, last;
    struct duration half_life; /* time_decay */
};

/* Returns, and orders that are told more than once. */
struct order_rules {
    struct span_list return_events;
    struct duration return_within; /* age of an order that a return may still name */
    struct span_list events;       /* events that may tell one order several times */
    struct duration within;        /* from the telling that counts to the others */
    bool by_source;                /* equal order ids of two sources are two orders */
    struct span_list prefer;       /* sources, the first one tells the value */
    /* The rest is derived. */
    struct duration keep; /* how long an order is remembered */
    int16_t stand_in;     /* conversion rule for a return without an order, -1: none */
};

/* The network of a channel rule that is taken from campaign.source. */
#define NETWORK_OF_SOURCE "(utm_source)"

/* Patterns: the exact value, `*` stands for any run of characters; SPAN_NONE: not asked. */
struct channel_rule {
    struct span referrer_host, utm_medium, utm_source, click_network;
    struct span channel, network; /* network may be "(utm_source)" or "(click_network)" */
};

/* Inbound touches that may earn credit, whatever their event: all that is given must hold. Patterns
 * as above, in any ASCII case. */
struct visit_rule {
    struct span utm_medium, utm_source, click_network; /* SPAN_NONE: not asked */
    bool click_id;                                     /* there must be one */
};

/* What a touch is on a path to a goal: its campaign (its kind where it has none), kind or channel.
 */
enum path_node { PATH_BY_CAMPAIGN, PATH_BY_KIND, PATH_BY_CHANNEL };

/* Words that stand for no touch in steps of paths and in what is computed from them. */
enum path_word { PATH_START, PATH_CONVERSION, PATH_NONE, PATH_OTHER, PATH_UNPROMPTED, PATH_WORDS };

/* A goal whose paths are followed. Its conversions are those of the conversion rules that name it.
 * Where none does, they are the inbound touches that the goal counts. */
struct influence_rule {
    struct span goal;
    uint32_t goal_code;
    enum path_node node;
    bool first_only;          /* nothing is followed after the first conversion */
    struct duration lookback; /* from a touch of the path to the next one at most */
    int8_t counted_by;        /* position in goals; -1: conversion rules name it */
};

enum trait_type { TRAIT_TEXT, TRAIT_NUMBER, TRAIT_BOOLEAN, TRAIT_DATE };
enum trait_rule { TRAIT_LATEST, TRAIT_FIRST, TRAIT_MAX, TRAIT_MIN };

/* A declared trait of customers: trait.h. */
struct journey_trait {
    struct span name, title;
    uint8_t type, rule;       /* enum trait_type, enum trait_rule */
    struct span_list sources; /* the most trusted first */
};

/* What a send is, and how long it may be answered. */
struct response_rules {
    bool is_asked; /* the policy asks for responses at all */
    struct touch_filter sends;
    uint8_t filter; /* position of `sends` in policy.filters */
    struct duration within;
};

struct journey_policy {
    struct span reporting_timezone, default_timezone; /* of people who never told one */
    struct zone zone;                                 /* of days, weeks and months of all figures */
    struct zone person_zone;                          /* default_timezone */
    const struct zone_set *zones;                     /* by code; NULL: none is known */
    struct duration session;
    bool has_no_touch;
    struct span_list no_touch; /* events that are no touches; without has_no_touch: the default */
    struct stage_rule rules[POLICY_MAX_RULES]; /* highest stage first */
    uint32_t rule_count;
    struct counted_event counted[POLICY_MAX_COUNTED];
    uint32_t counted_count;
    struct span_list at_risk_on, lapsed_on;
    struct duration at_risk_after; /* INT64_MAX: never by itself */
    /* Above at_risk_after, unless that is never. At most JOURNEY_END, which is the default. */
    struct duration lapsed_after;
    struct conversion_rule *conversions;
    uint32_t conversion_count;
    struct duration lookback; /* the longest of the rules */
    bool has_creditable;
    struct span_list creditable; /* with has_creditable: these events and those visits */
    struct visit_rule *visits;
    uint32_t visit_count;
    struct order_rules orders;
    struct credit_rules credit;
    struct response_rules responses;
    struct journey_goal goals[POLICY_MAX_GOALS];
    uint32_t goal_count;
    uint64_t goals_asking; /* bit i: goals[i] asks for the value or the score of a touch */
    uint64_t goals_narrow; /* bit i: goals[i] asks more of a customer than the status */
    bool asks_identified;  /* a goal asks for identified customers */
    uint64_t goals_money;  /* bit i: goals[i] adds up amounts of touches */
    /* bit i: goals[i] counts touches without asking what the customer did before */
    uint64_t goals_alone;
    bool has_windows;                        /* a goal has windows */
    uint8_t nth_goals[POLICY_MAX_NTH_GOALS]; /* by nth_slot: position of the goal */
    struct channel_rule *channels;
    uint32_t channel_count;
    struct span_list own_hosts; /* patterns: such a referrer is none */
    struct span_list networks;  /* what "(utm_source)" may give; any other source is "(other)" */
    struct map referrers;       /* known sites: referrers.h */
    struct journey_trait traits[POLICY_MAX_TRAITS];
    uint32_t trait_count;
    bool keeps_declared;                      /* traits that are not declared are not stored */
    struct touch_filter filters[FILTERS_MAX]; /* no two are equal */
    uint32_t filter_count;
    struct filter_set filters_of_lines; /* those that ask for categories */
    struct segment_rules segments;
    struct offer_rules offers;
    struct influence_rule influence[POLICY_MAX_INFLUENCE];
    uint32_t influence_count;
    uint32_t path_words[PATH_WORDS]; /* dictionary codes */
    uint32_t conversion_node;        /* dictionary code of "(conversion)" */
    uint32_t unidentified;           /* dictionary code of UNIDENTIFIED_PART */
    uint32_t tail_max;               /* POLICY_TAIL_MAX, smaller in tests */
};

/* The models and their numbers where journey.json says nothing. */
struct credit_rules journey_policy_default_credit(void);

/* Of each goal the first rule of an event, those that ask for a value only with has_value. */
struct conversion_set conversions_of(const struct journey_policy *policy, struct span event,
                                     bool has_value);

/* The events of returns and the times of order_rules that hold where journey.json says nothing. */
void journey_policy_default_orders(struct order_rules *orders, struct arena *arena);

/* Fills the derived tables: counted, the rules' indexes and their order, what is asked of goals,
 * slots of nth and windows, the rest of orders. Call it once, after filling the rest. FATAL
 * "policy_invalid" where a limit above is broken, or where nth, after, within, later_day or orders
 * name no conversion event. */
enum outcome journey_policy_finish(struct journey_policy *policy, struct err *err);

/* The position of a filter in policy.filters, put there if it is new. FATAL "policy_invalid" if
 * there is no room. */
enum outcome journey_policy_filter(struct journey_policy *policy, const struct touch_filter *filter,
                                   uint8_t *out, struct err *err);

/* Gives each text of the policy that appears in cells or rows its dictionary code: the goals, the
 * goals of conversions, segments, offers, "(conversion)" and UNIDENTIFIED_PART. */
typedef enum outcome (*journey_intern)(void *context, struct span text, uint32_t *code,
                                       struct err *err);
enum outcome journey_policy_intern(struct journey_policy *policy, journey_intern intern,
                                   void *context, struct err *err);

#endif
