/* funnel.h: how far the customers who came in one month get, and how long it takes them. */
#ifndef TUTTI_JOURNEY_FUNNEL_H
#define TUTTI_JOURNEY_FUNNEL_H

#include "common/base/instant.h"

/* Of a journey that can still rise. */
struct funnel_state {
    struct instant start; /* of its first touch */
    uint32_t segments;    /* before that touch, those with figures; bits */
};

#endif
