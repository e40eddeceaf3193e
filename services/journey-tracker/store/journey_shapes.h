/* journey_shapes.h: shapes in memory and in journey.shapes, and what the policies make of them in
 * shape_meanings of the slot.
 *
 * They only grow. New ones are written in small transactions of their own, before the batch that
 * needs them. So two instances agree on the codes. */
#ifndef TUTTI_JOURNEY_SHAPES_H
#define TUTTI_JOURNEY_SHAPES_H

#include "common/codec/touchpoint.h"
#include "common/service/generation.h"
#include "common/store/db.h"
#include "services/journey-tracker/logic/journey.h"

struct shapes;

/* A shape as a batch met it: known, or still to be settled (shapes_settle). */
struct shape_ref {
    const struct shape *shape; /* NULL until settled */
    struct shape_text text;    /* borrowed from the batch, only while not settled */
    struct span key;           /* what identifies the shape: all texts, length-prefixed */
};

/* Loads every dictionary code and shape of the database and gives the policy its codes. *out is set
 * on errors too: close it. */
enum outcome shapes_open(struct db *db, struct journey_policy *policy, struct shapes **out,
                         struct err *err);
void shapes_close(struct shapes *shapes); /* NULL is fine */

/* The shape of a touchpoint; a repeat within the batch yields the same reference. References live
 * in the batch's arena. */
struct shape_ref *shapes_ref(struct shapes *shapes, struct arena *arena,
                             const struct touchpoint *touchpoint);
/* Writes and compiles the new shapes of the batch, with their meaning; must run outside a
 * transaction. RETRY "generation_changed" if the policies are not those of the generation. */
enum outcome shapes_settle(struct shapes *shapes, struct arena *arena,
                           const struct generation *generation, struct err *err);
/* Forgets references of a batch that is over. */
void shapes_forget_batch(struct shapes *shapes);

/* Inside a transaction: writes to the slot what the policies make of every shape in memory:
 * network, touch_kind, conversion. */
enum outcome shapes_write_meanings(struct shapes *shapes, struct arena *arena, struct err *err);
/* The same of the shapes that have no row there: another instance found them when it still worked
 * by other policies. */
enum outcome shapes_write_missing(struct shapes *shapes, struct arena *arena, struct err *err);

/* For unpacking states: NULL if the code is not in memory; shapes_load then fetches it. `shapes` is
 * a struct shapes. */
const struct shape *shapes_find(void *shapes, uint32_t code);
/* Fetches the shape of a code; code 0: all of them. FATAL "shape_missing" if the database has no
 * such row. */
enum outcome shapes_load(struct shapes *shapes, struct arena *arena, uint32_t code,
                         struct err *err);

#endif
