/* sequels.h: what follows a step of the map within seven days: the first conversion and the first
 * score on a later touch. Each asks only the newest SEQUELS_MAX touches before it. */
#ifndef TUTTI_JOURNEY_SEQUELS_H
#define TUTTI_JOURNEY_SEQUELS_H

#include "services/journey-tracker/logic/recent.h"

enum { SEQUELS_MAX = 64 };
#define SEQUELS_WITHIN ((struct duration){7 * US_PER_DAY})

/* A step to a touch, as the map has it, while a conversion or a score may still follow. */
struct sequel {
    struct recent_touch touch;
    uint32_t from, from_department; /* codes: of the touch before */
    uint8_t stage;
    uint8_t ago;        /* touches since then */
    bool is_conversion; /* the node is (conversion) */
    bool is_followed, is_scored;
};

struct sequels_state {
    struct recent steps; /* struct sequel */
};

#endif
