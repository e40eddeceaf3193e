/* following_internal.h: what the files of this folder share. */
#ifndef TUTTI_OPERATIONS_FOLLOWING_INTERNAL_H
#define TUTTI_OPERATIONS_FOLLOWING_INTERNAL_H

#include "operations/following/following.h"
#include "services/journey-tracker/follow/journey_follow.h"

struct following {
    struct desk *desk;
    const struct policy_order *order;
    struct generation *generation;
    const struct zone_choice *zones;
    struct follow *follow;
    struct arena arena; /* of one step */
};

/* Excludes another apply, then begins to derive, or goes on with what an earlier run began. The
 * connection uses the free slot from then on. Free it even after an error. */
enum outcome following_start(struct following *f, struct err *err);
void following_free(struct following *f);
/* Passes over everybody who was written since, until few are left. */
enum outcome following_run(struct following *f, struct err *err);
/* Inside the caller's transaction: the last passes, and the sales without a customer. */
enum outcome following_finish(struct following *f, struct err *err);
/* The generation and its slot are the active ones, from the commit on. */
enum outcome following_activate(struct following *f, struct err *err);
/* Empties a slot, and what was noted of profiles. */
enum outcome following_clear(struct desk *desk, int16_t slot, struct err *err);
/* One step of a pass: what it derives is written, with its sums. */
enum outcome following_step(struct following *f, int64_t *last, size_t *done, struct err *err);

#endif
