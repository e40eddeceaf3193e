/* resolver_signals.h: which touchpoints bind everyone they name: opt-outs, and what opens or ends a
 * hold of contact.json.
 *
 * Everything else that a touchpoint says belongs to its anchor, and goes with it when the anchor
 * was erased. These go on for the other identifiers: suppression stores copies of them
 * (docs/decisions/0022-facts-of-every-identifier.md). Which rules are holds says the row of their
 * kind (services/suppression/logic/rules.h). */
#ifndef TUTTI_RESOLVER_SIGNALS_H
#define TUTTI_RESOLVER_SIGNALS_H

#include "common/base/arena.h"
#include "common/codec/json.h"
#include "common/codec/touchpoint.h"
#include "services/suppression/logic/interests.h"

struct signals {
    struct interests holds; /* events and scores that open or end one */
};

/* Reads contact.json; the events are in the arena or borrowed from the document. FATAL naming the
 * place where it is not valid. */
enum outcome signals_read(struct arena *arena, const struct json *contact, struct signals *out,
                          struct err *err);

bool signals_include(const struct signals *signals, const struct touchpoint *touchpoint);

#endif
