/* suppression_touchpoint.h: which touchpoints matter for contact decisions, and what of them the
 * ledger keeps. */
#ifndef TUTTI_SUPPRESSION_TOUCHPOINT_H
#define TUTTI_SUPPRESSION_TOUCHPOINT_H

#include "common/codec/touchpoint.h"
#include "services/suppression/logic/interests.h"

/* What the service keeps: requests, their results and opt-outs always, and whatever the policy's
 * rules ask for. */
struct interests suppression_interests(struct arena *arena, const struct contact_policy *policy);

/* False for nearly all touchpoints, at the cost of comparing the event's name. Else *out is filled;
 * its texts are borrowed from the touchpoint or in the arena. event_id is not set. *unreadable: how
 * many of its preferences cannot be kept. */
bool suppression_wants(const struct interests *interests, const struct touchpoint *touchpoint,
                       struct arena *arena, struct contact_fact *out, size_t *unreadable);
/* The company speaks: outbound, or a request, a send or a result, whatever direction they name. */
bool suppression_is_outbound(struct span direction, struct span type, struct span event);
/* What received_at of a fact is: the earlier of the record's timestamp and what the producer says,
 * where that is before the fact. */
struct instant suppression_received_at(const struct contact_fact *fact,
                                       const struct touchpoint *touchpoint,
                                       struct instant recorded_at);

#endif
