/* identity_history.h: random evidence about a dozen identifiers, and what it means by the rules of
 * docs/figures.md "Identity", written as plainly as possible: sets are bit masks, every union is
 * looked at member by member. */
#ifndef TUTTI_TESTS_IDENTITY_HISTORY_H
#define TUTTI_TESTS_IDENTITY_HISTORY_H

#include "services/identity-resolver/logic/identity.h"
#include "tests/support/random.h"

enum { HISTORY_IDS = 14, HISTORY_TYPES = 4 };

typedef uint32_t id_set; /* bits of identifiers by index */

enum newest_order { ORDER_NONE, ORDER_LINK, ORDER_SAME, ORDER_CUT };

/* What is known of a pair a < b. */
struct history_pair {
    struct id hash;
    bool is_observed, is_indirect;
    struct instant first_seen;
    enum newest_order newest;
};

struct history {
    struct identity_policy policy;
    size_t count;
    struct id ids[HISTORY_IDS];
    int16_t types[HISTORY_IDS];
    bool is_released[HISTORY_IDS];
    struct instant first_seen[HISTORY_IDS];
    struct history_pair pairs[HISTORY_IDS][HISTORY_IDS];
    id_set seen;
    bool has_orders; /* an operator is at work */
};

/* What is derived from it, and stored by a resolver. */
struct history_result {
    uint32_t profile[HISTORY_IDS]; /* identifier that names it */
    bool is_quarantined[HISTORY_IDS];
    enum refusal refused_by[HISTORY_IDS][HISTORY_IDS]; /* of pairs a < b that are links */
};

struct history history_start(struct random *r);
/* Another policy over the same types. */
void history_change_policy(struct history *h, struct random *r);
/* One more batch of touchpoints, or an operator's order: the identifiers it is about. */
id_set history_step(struct history *h, struct random *r);

/* Whether the pair a < b is a link: observed, or by order. */
bool history_is_link(const struct history *h, uint32_t a, uint32_t b);
static inline bool history_is_manual(const struct history_pair *pair)
{
    return pair->newest == ORDER_LINK || pair->newest == ORDER_SAME;
}
/* Whether two of a type were said to be one value: one in four pairs, from the start, and those
 * that an operator says it of. */
bool history_is_alias(const struct history *h, uint32_t a, uint32_t b);
/* Distinct identifiers with an observed link to i: in all, and by type (may be NULL). */
uint32_t history_degree(const struct history *h, uint32_t i, uint32_t by_type[HISTORY_TYPES]);
void history_evaluate(const struct history *h, struct history_result *out);

#endif
