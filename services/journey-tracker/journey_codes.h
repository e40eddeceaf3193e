/* journey_codes.h: dictionary codes and shapes, in memory and in the database.
 *
 * Both only grow. New ones are written in small transactions of their own before the batch that
 * needs them, so that two instances agree on the codes whichever comes first. */
#ifndef TUTTI_JOURNEY_CODES_H
#define TUTTI_JOURNEY_CODES_H

#include "common/codec/touchpoint.h"
#include "common/store/db.h"
#include "services/journey-tracker/logic/journey.h"

struct codes;

/* A shape as a batch met it: known, or to be settled by codes_settle before the batch is applied.
 */
struct shape_ref {
    const struct shape *shape; /* NULL until settled */
    struct shape_text text;    /* borrowed from the batch, only while not settled */
    struct span contact_class;
    struct span key; /* what identifies the shape: all texts, length-prefixed */
};

/* Loads every code and shape of the database and gives the policy its codes. */
enum outcome codes_open(struct db *db, struct journey_policy *policy, struct codes **out,
                        struct err *err);
void codes_close(struct codes *codes);

/* The shape of a touchpoint; a repeat within the batch yields the same reference. References live
 * in the batch's arena. */
struct shape_ref *codes_shape_ref(struct codes *codes, struct arena *arena,
                                  const struct touchpoint *touchpoint);
/* Writes and compiles the new shapes of the batch; must run outside a transaction. */
enum outcome codes_settle(struct codes *codes, struct arena *arena, struct err *err);
/* Forgets references of a batch that is over. */
void codes_forget_batch(struct codes *codes);

/* Writes what the active policies make of every shape (network, touch_kind, conversion) back to its
 * row. */
enum outcome codes_write_meanings(struct codes *codes, struct arena *arena, struct err *err);

/* For unpacking states: NULL if the code is unknown; codes_load_shape then fetches it. */
const struct shape *codes_find(void *codes, uint32_t code);
enum outcome codes_load_shape(struct codes *codes, struct arena *arena, uint32_t code,
                              struct err *err);

#endif
