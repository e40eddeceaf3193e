/* compare.h: profiles as they are against profiles as a candidate policy makes them. */
#ifndef TUTTI_OPERATIONS_PLAN_COMPARE_H
#define TUTTI_OPERATIONS_PLAN_COMPARE_H

#include "operations/plan/evidence.h"

enum { COMPARE_LARGEST = 10 };

struct large_profile {
    uint32_t node; /* that names it */
    uint32_t size; /* identifiers */
};

/* One way of members from a profile today to one afterwards; sorted by (before, after). */
struct flow {
    uint32_t before, after, size;
};

struct comparison {
    size_t identifiers;
    size_t profiles_before, profiles_after;
    /* profiles that would be joined to another, or come off one */
    size_t merges_gained, merges_lost;
    size_t quarantined, released; /* identifiers newly in, and no longer in, quarantine */
    size_t moved;                 /* identifiers whose profile changes */
    /* size 0 ends */
    struct large_profile largest_before[COMPARE_LARGEST], largest_after[COMPARE_LARGEST];
    struct flow *flows;
    size_t flow_count;
    bool *is_affected; /* per node that names a profile today: it gains or loses members */
    bool *is_split;    /* per node that names a profile today: its members go to several */
};

/* evidence->graph must be partitioned. In the arena. */
void identity_compare(const struct evidence *evidence, struct arena *arena, struct comparison *out);

#endif
