/* resolver_signals.h: which touchpoints bind everyone whom they name: opt-outs, and what opens or
 * ends a hold of contact.json.
 *
 * When the anchor of a touchpoint was erased, the touchpoint goes with it. Only these go on, for
 * the other identifiers. suppression judges them by the same file and stores the copies
 * (docs/decisions/0022-facts-of-every-identifier.md). This reader needs the names of events and the
 * scores only. */
#ifndef TUTTI_RESOLVER_SIGNALS_H
#define TUTTI_RESOLVER_SIGNALS_H

#include "common/base/arena.h"
#include "common/codec/touchpoint.h"

struct signals {
    struct span *events; /* these open or end a hold */
    size_t event_count;
    int64_t score_max; /* a score up to this opens a hold under any event; INT64_MIN: none does */
};

/* Reads contact.json; the events are in the arena. FATAL naming the place where it cannot be read.
 */
enum outcome signals_read(struct arena *arena, const char *path, struct signals *out,
                          struct err *err);

bool signals_include(const struct signals *signals, const struct touchpoint *touchpoint);

#endif
