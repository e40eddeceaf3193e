/* responses.h: which sends customers answer.
 *
 * A send is a touch that matches responses.sends. An inbound touch answers at most one of the
 * newest RESPONSES_MAX sends before it that are not older than responses.within: the last one with
 * its decision, else the last one of its campaign. If that one has been answered, it answers none.
 */
#ifndef TUTTI_JOURNEY_RESPONSES_H
#define TUTTI_JOURNEY_RESPONSES_H

#include "services/journey-tracker/logic/recent.h"

struct send {
    struct recent_touch touch;
    struct id event_id;
    uint64_t decision;        /* 0: none */
    uint32_t device, network; /* codes of what was known of the customer; 0: nothing */
    uint8_t hour_of_week;     /* of the customer: 24 times the weekday, and the hour */
    bool is_answered;
};

struct responses_state {
    struct recent sends;      /* struct send */
    uint32_t device, network; /* of the last inbound touch that says one; 0: none did */
};

#endif
