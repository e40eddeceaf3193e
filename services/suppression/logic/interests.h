/* interests.h: which events and scores the rules of a policy ask for. */
#ifndef TUTTI_CONTACT_INTERESTS_H
#define TUTTI_CONTACT_INTERESTS_H

#include "services/suppression/logic/contact.h"

struct interest {
    struct span event;
    enum contact_kind kind;
    bool needs_product;  /* every rule that asks for it wants a product */
    bool may_return;     /* or the order whose products it takes back, to one of them */
    bool ignores_copies; /* every rule that asks for it looks at the customer's own facts alone */
};

struct interests {
    struct interest *items;
    size_t count, capacity;
    uint64_t lengths; /* bit n: an event of n bytes is among them (bit 63: of 63 or more) */
    bool has_score;
    int16_t score_max; /* scores at or below it matter under any event */
};

/* An event that is asked for already keeps its kind. */
void interests_add(struct interests *interests, struct arena *arena, struct interest item);
/* Adds what the rules ask for, or only the holds (rule_is_hold). */
void interests_add_rules(struct interests *interests, struct arena *arena,
                         const struct contact_policy *policy, bool only_holds);

/* NULL for nearly every event, mostly after one look at its length. */
const struct interest *interests_find(const struct interests *interests, struct span event);
bool interests_have_score(const struct interests *interests, int64_t score);
/* False if nobody would read the fact's copies under the other identifiers of its touchpoint. */
bool interests_read_copies(const struct interests *interests, const struct contact_fact *fact);

#endif
