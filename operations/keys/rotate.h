/* rotate.h: the exchange of the key of identifier hashes, phase by phase, while services run
 * (services/identity-resolver/keys/identity_keys.h). */
#ifndef TUTTI_OPERATIONS_KEYS_ROTATE_H
#define TUTTI_OPERATIONS_KEYS_ROTATE_H

#include "operations/desk.h"
#include "operations/report.h"
#include "services/identity-resolver/keys/identity_keys.h"

/* The phase that is to be reached: the same goal again does nothing more. */
enum rotate_goal {
    ROTATE_LOOK, /* nothing is changed */
    ROTATE_ANNOUNCED,
    ROTATE_ROTATING,
    ROTATE_FINISHED,
    ROTATE_CANCEL, /* takes the announcement back */
};

struct rotate_request {
    enum rotate_goal goal;
    bool forces;   /* ROTATE_FINISHED: also where identifiers would be lost */
    int64_t limit; /* tombstones that are named */
};

/* Reports where the exchange stands, after the step. *phase is where it stands. REJECT "key_phase",
 * "other_setting", "former_key", "not_found_yet", each with a complete report. */
enum outcome rotate_key(struct desk *desk, const struct rotate_request *request,
                        struct report *report, enum key_phase *phase, struct err *err);

/* rotate_fill.c: identifiers whose raw value is kept get a hash under the current key, in bounded
 * transactions; services may run. *added says how many, *left how many values did not lead to their
 * identifier. Does nothing where privacy.key_file is not set. */
enum outcome rotate_fill(struct desk *desk, const struct identity_keys *keys, uint64_t *added,
                         uint64_t *left, struct err *err);
/* Hashes under former keys are deleted, in bounded transactions. */
enum outcome rotate_forget(struct desk *desk, int16_t key_number, struct err *err);

#endif
