/* suppression_touchpoint.h: which touchpoints matter for contact decisions, and what of them the
 * ledger keeps. */
#ifndef TUTTI_SUPPRESSION_TOUCHPOINT_H
#define TUTTI_SUPPRESSION_TOUCHPOINT_H

#include "common/codec/touchpoint.h"
#include "services/suppression/logic/contact.h"

struct interest {
    struct span event;
    enum contact_kind kind;
    bool
        needs_product; /* asked for only as a purchase: without a product it can match no request */
};

/* What the policy asks for, beside requests, their results and consent. */
struct interests {
    struct interest *items;
    size_t count, capacity;
    uint64_t lengths;  /* bit n: an event of n bytes is among them (bit 63: of 63 or more) */
    int16_t score_max; /* scores at or below it matter under any event; INT16_MIN: none */
};

struct interests interests_of(struct arena *arena, const struct contact_policy *policy);

/* False for nearly all touchpoints, at the cost of comparing the event's name. Else *out is filled;
 * its texts are borrowed from the touchpoint or in the arena. event_id is not set. */
bool suppression_wants(const struct interests *interests, const struct touchpoint *touchpoint,
                       struct arena *arena, struct contact_fact *out);

#endif
