/* journey_follow.h: for `tutti policy apply` while services run: derives profiles under policies
 * that are not active yet, into the slot that is not active, and derives those again that a service
 * has written meanwhile.
 *
 * Every function works on the connection of the caller, which uses the slot of the generation
 * (generation_use_slot), and inside its transaction. What services may still change is read from
 * the active slot, under locks that they wait for. Sums are not written: they are handed back. The
 * rules are those of tests/model/following.py. */
#ifndef TUTTI_JOURNEY_FOLLOW_H
#define TUTTI_JOURNEY_FOLLOW_H

#include "common/base/cell.h"
#include "common/service/generation.h"

struct follow;

/* What sums change by; lives until the next call that takes cells. */
struct follow_cells {
    struct cell *items;
    size_t count, capacity;
};

/* Reads the policies of dir, and the time zones of the generation. *out is set on errors too: close
 * it. */
enum outcome follow_open(struct db *db, const char *dir, const struct generation *generation,
                         struct follow **out, struct err *err);
void follow_close(struct follow *follow); /* NULL is fine */

/* The first thing in every transaction: no erasure, and no other follower, until it ends. FATAL
 * "building_gone" if the generation is not being built any more. */
enum outcome follow_hold(struct follow *follow, struct err *err);
/* How many profiles are to be derived. */
enum outcome follow_count(struct follow *follow, uint64_t *count, struct err *err);
/* Gives new shapes their meaning under these policies, and takes over which sales are those of
 * erased people. Before a pass over the profiles. */
enum outcome follow_prepare(struct follow *follow, struct err *err);
/* Derives the next profiles after *last, and moves *last on; *done = how many, 0 at the end of a
 * pass. */
enum outcome follow_step(struct follow *follow, int64_t *last, size_t *done,
                         struct follow_cells *cells, struct err *err);
/* Sales of touchpoints without an identifier get their owners. Once, when no service can write. */
enum outcome follow_settle_nobody(struct follow *follow, struct err *err);
/* The sales that no customer is known for, and those of erased people, in steps: *is_done at the
 * end. Once, when no service can write and no profile is left. */
enum outcome follow_alone(struct follow *follow, bool *is_done, struct follow_cells *cells,
                          struct err *err);
/* What is live and was told otherwise goes to the outbox of lane 0: changes of stage, and
 * opportunities. Before the switch, in its transaction. */
enum outcome follow_tell(struct follow *follow, struct err *err);

#endif
