/* segments.h: which segments a customer is in, as an automaton over his timeline.
 *
 * A segment is a condition on typed atoms, and each atom knows when it lapses by itself. So the
 * truth at any instant follows from a small state. docs/figures.md has the exact meaning; in short:
 *
 *   - Membership at an instant t asks the facts up to and including t. The facts of one instant
 *     count together, so an instant is settled when a later fact comes.
 *   - What a touch carries ("before") asks the facts before it in the one order, windows at its
 * time, and what lapsed before its time.
 *
 * A row is a change of membership that is settled. What comes after the last fact by the passing of
 * time alone follows from the state, and is stored with it (journey_lapses_pack).
 *
 * The state belongs to the windowed part (journey.h). It keeps, per filter that is counted, the
 * newest times as far as any atom can ask for them; per sum a day and amount for each day; one time
 * for what is open; the last score; the best observation of a trait. What no window reaches any
 * more plays no part in bytes or comparisons. */
#ifndef TUTTI_JOURNEY_SEGMENTS_H
#define TUTTI_JOURNEY_SEGMENTS_H

#include "common/base/instant.h"
#include "common/base/nearest.h"
#include "common/base/outcome.h"
#include "services/journey-tracker/logic/filter.h"

enum {
    SEGMENTS_MAX = 32,
    SEGMENT_FIGURES_MAX = 8, /* with figures */
    SEGMENT_ATOMS_MAX = 64,  /* different ones of all segments */
    SEGMENT_LEDGERS_MAX = 4, /* different sums */
    SEGMENT_TIMES_MAX = 16,  /* of one count */
    SEGMENT_LIST_MAX = 16,
    SEGMENT_TIERS_MAX = 16,
    SEGMENT_DEPTH_MAX = 4,
};

/* What an atom remembers; several atoms may share it. */
enum segment_slot_kind { SLOT_COUNT, SLOT_LEDGER, SLOT_OPEN, SLOT_SCORE, SLOT_TRAIT };
enum segment_measure { MEASURED_VALUE, MEASURED_MARGIN, MEASURED_COST };

struct segment_slot {
    enum segment_slot_kind kind;
    uint8_t filter; /* COUNT, LEDGER; OPEN: what opens */
    uint8_t until;  /* OPEN: what ends */
    uint8_t ever;   /* COUNT: largest number asked without a window */
    uint8_t times;  /* COUNT: largest number asked within one */
    /* COUNT, OPEN, SCORE: the longest window; INT64_MAX: one of them never ends. */
    struct duration longest;
    enum segment_measure measure; /* LEDGER */
    struct span currency;         /* LEDGER */
    uint32_t currency_code;       /* of the dictionary */
    int32_t days;                 /* LEDGER: the longest window */
    struct span score_kind;       /* SCORE; SPAN_NONE: any */
    uint8_t trait;                /* TRAIT: position in policy.traits */
    struct span_list named;       /* TRAIT: texts that atoms name, value - 1 */
};

enum segment_atom_kind {
    ATOM_DID,
    ATOM_SPENT,
    ATOM_OPEN,
    ATOM_SCORE,
    ATOM_TRAIT,
    ATOM_NEW,
    ATOM_STAGE,
    ATOM_STATUS
};
enum trait_test { TRAIT_IS, TRAIT_AT_LEAST, TRAIT_AT_MOST, TRAIT_IS_KNOWN };

struct segment_atom {
    enum segment_atom_kind kind;
    uint8_t slot;           /* but for NEW, STAGE, STATUS */
    bool is_most;           /* at_most, below */
    int64_t bound;          /* number, micro-units, score, trait's value */
    struct duration within; /* 0: ever */
    int32_t days;           /* SPENT */
    uint32_t places;        /* STAGE, STATUS: bits of the enum */
    enum trait_test test;   /* TRAIT */
    int64_t values[SEGMENT_LIST_MAX];
    uint8_t value_count; /* TRAIT_IS */
};

/* A condition in the order in which it is written. */
enum segment_node_kind { NODE_ATOM, NODE_SEGMENT, NODE_ALL, NODE_ANY, NODE_NOT };
struct segment_node {
    uint8_t kind;
    uint8_t value; /* atom, segment, or how many conditions follow */
};
struct segment_nodes {
    struct segment_node *items;
    size_t count, capacity;
};

struct segment {
    struct span id, title, owner;
    bool has_figures;
    uint32_t code; /* of the dictionary */
    struct segment_nodes when;
};

/* A customer has the first tier whose segment it is in. */
struct segment_tier {
    struct span tier, segment;
};

/* The fields from `filters` on are derived (segment_rules_finish). */
struct segment_rules {
    struct segment items[SEGMENTS_MAX];
    uint32_t count;
    struct segment_atom atoms[SEGMENT_ATOMS_MAX];
    uint32_t atom_count;
    struct segment_slot slots[SEGMENT_ATOMS_MAX]; /* every slot has an atom */
    uint32_t slot_count;
    struct segment_tier tiers[SEGMENT_TIERS_MAX];
    uint32_t tier_count;
    struct filter_set filters; /* those that slots ask */
    uint32_t with_figures;     /* bits of segments */
    bool has_places;           /* an atom asks for stage or status */
    struct duration newest;    /* the longest new_within; 0: none */
};

/* ---- state ---- */
/* An exact sum of micro-units, each of 64 bits. */
__extension__ typedef __int128 micros_sum;

struct ledger_day {
    int32_t day;
    micros_sum amount;
};

/* What one slot remembers. */
struct slot_state {
    struct instant *times;   /* COUNT, oldest first; room for segment_slot.times */
    uint8_t kept, ever;      /* COUNT */
    bool is_set;             /* OPEN, SCORE, TRAIT */
    bool is_nothing;         /* TRAIT */
    uint8_t rank;            /* TRAIT */
    struct instant at;       /* OPEN, SCORE */
    int64_t value;           /* SCORE, TRAIT */
    struct ledger_day *days; /* LEDGER, by day */
    uint32_t day_count, day_capacity;
};

/* A change of membership at an instant. */
struct segment_flip {
    struct instant at;
    uint8_t segment;
    bool is_in;
};
struct segment_flips {
    struct segment_flip *items;
    size_t count, capacity;
};

struct segments_state {
    uint32_t settled;     /* membership just before the instant of the last fact */
    struct instant first; /* first touch; INSTANT_FIRST: none */
    /* Not stored: what is true at the instant of the last fact with the facts so far, and until
     * when it stays true. */
    bool is_known;
    uint64_t atoms;
    uint32_t mask;
    struct instant due;
    uint32_t slot_count;
    struct slot_state slots[]; /* segment_rules.slot_count */
};

/* ---- making the rules; FATAL "policy_invalid" where there is no room ---- */
/* The slot of this kind and key, made if it is new; it grows to what `wanted` asks. */
enum outcome segment_rules_slot(struct segment_rules *rules, const struct segment_slot *wanted,
                                uint8_t *slot, struct err *err);
/* The position of an atom, put there if it is new. */
enum outcome segment_rules_atom(struct segment_rules *rules, const struct segment_atom *atom,
                                uint8_t *position, struct err *err);
/* The position of the segment of this id; the count where there is none, and then *nearest has the
 * nearest id. */
uint32_t segment_rules_find(const struct segment_rules *rules, struct span id,
                            struct nearest *nearest);
/* Fills what the rest derives: once, when all segments are there. */
void segment_rules_finish(struct segment_rules *rules);

#endif
