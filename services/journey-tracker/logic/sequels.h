/* sequels.h: what follows a step of the map within seven days: the first conversion and the first
 * score on a later touch. Each asks only the newest SEQUELS_MAX touches before it. */
#ifndef TUTTI_JOURNEY_SEQUELS_H
#define TUTTI_JOURNEY_SEQUELS_H

#include "services/journey-tracker/logic/recent.h"

enum { SEQUELS_MAX = 64 };
#define SEQUELS_WITHIN ((struct duration){7 * US_PER_DAY})

/* A step to a touch, as the map has it. */
struct sequel {
    struct recent_touch touch;
    uint32_t from, from_department; /* codes: of the touch before */
    uint8_t stage;
    bool is_conversion; /* the node is (conversion) */
};

/* The newest touches, one after the other, back to the first one that still waits for something. A
 * conversion follows all touches before it: so those that wait for one are the newest. */
struct sequels_state {
    struct recent steps;           /* struct sequel */
    uint32_t unfollowed, unscored; /* how many of the newest wait for a conversion, for a score */
};

#endif
