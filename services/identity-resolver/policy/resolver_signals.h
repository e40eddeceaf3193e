/* resolver_signals.h: which touchpoints bind everybody whom they name: opt-outs, and what opens or
 * ends a hold of contact.json.
 *
 * Everything else that a touchpoint says is its anchor's and goes with it when that was erased;
 * these go on for the other identifiers. suppression judges them by the same file and stores the
 * copies (docs/decisions/0022-facts-of-every-identifier.md); here only the names of events and the
 * scores are of interest. */
#ifndef TUTTI_RESOLVER_SIGNALS_H
#define TUTTI_RESOLVER_SIGNALS_H

#include "common/base/arena.h"
#include "common/codec/touchpoint.h"

struct signals {
    struct span *events; /* that open or end a hold */
    size_t event_count;
    int64_t score_max; /* a score up to it opens a hold under any event; INT64_MIN: none does */
};

/* Reads contact.json; the events are in the arena. FATAL naming the place where it cannot be read.
 */
enum outcome signals_read(struct arena *arena, const char *path, struct signals *out,
                          struct err *err);

bool signals_include(const struct signals *signals, const struct touchpoint *touchpoint);

#endif
