/* refusals.h: keys that a registry refused, remembered for a while. The table is bounded: the
 * oldest refusal gives way, so a flood of unknown keys never shuts out a key that is good. */
#ifndef TUTTI_CODEC_REFUSALS_H
#define TUTTI_CODEC_REFUSALS_H

#include "common/base/map.h"
#include "common/base/outcome.h"

struct refusals {
    struct map slots;    /* key -> uint32_t */
    struct refusal *all; /* a ring of REFUSALS_MAX */
    uint32_t next;
};

enum { REFUSALS_MAX = 4096, REFUSALS_KEY_MAX = 16 };

void refusals_init(struct refusals *refusals, size_t key_size);
void refusals_free(struct refusals *refusals);
/* The refusal of a key, NULL if there is none or its time (monotonic) is over. */
const struct err *refusals_find(const struct refusals *refusals, const void *key, int64_t now_us);
void refusals_add(struct refusals *refusals, const void *key, const struct err *why,
                  int64_t until_us);

#endif
