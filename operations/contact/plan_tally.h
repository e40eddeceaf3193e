/* plan_tally.h: what a contact plan counts: verdicts before and after, and what hung on the
 * contacts that the candidate refuses. */
#ifndef TUTTI_OPERATIONS_CONTACT_PLAN_TALLY_H
#define TUTTI_OPERATIONS_CONTACT_PLAN_TALLY_H

#include "common/base/map.h"
#include "operations/contact/plan.h"

/* In which ways the same requests are counted. */
enum plan_by { BY_ALL, BY_RULE, BY_DEPARTMENT, BY_PRIORITY, BY_MONTH, BY_COUNT };

struct credited_sum {
    struct span currency;
    int64_t micros;
};

/* What followed a contact that would go. */
struct plan_effect {
    bool is_new;                                       /* the active policy grants it */
    bool is_answered, is_answered_later, is_converted; /* the second: at any time */
    const struct credited_sum *money;                  /* credited to it */
    size_t money_count;
};

struct plan_row {
    struct span name, kind; /* kind: of a rule */
    int64_t requests, granted, refused, new, freed, alone, customers, responses, later,
        later_customers, conversions;
    struct {
        struct credited_sum *items;
        size_t count, capacity;
    } money;
    struct id last_customer, last_later; /* who were counted last: customers come one by one */
};

struct plan_tally {
    struct arena *arena;
    struct map rows[BY_COUNT]; /* hash of the name -> struct plan_row */
    int64_t requests, sends, customers;
    int64_t verdicts[2][2];  /* [refused before][refused after] */
    int64_t stored, drifted; /* verdicts that stand, and those of them that are not given again */
    const struct contact_policy *candidate;
    struct span model;
};

void plan_tally_open(struct plan_tally *tally, struct arena *arena,
                     const struct contact_policy *candidate);
/* A request under both policies. stored: its stored verdict, 0 for none. */
void plan_tally_add(struct plan_tally *tally, const struct walked *before,
                    const struct walked *after, int16_t stored);
/* One that the candidate refuses, and that was made or is granted by the active policy. */
void plan_tally_refuse(struct plan_tally *tally, const struct id *customer,
                       const struct walked *after, const struct plan_effect *effect);
void plan_tally_report(const struct plan_tally *tally, struct report *report);

#endif
