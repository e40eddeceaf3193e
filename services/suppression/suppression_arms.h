/* suppression_arms.h: which arms of holdouts identifiers have drawn: suppression.arms. Both calls
 * belong into the transaction of suppression_transact.c. */
#ifndef TUTTI_SUPPRESSION_ARMS_H
#define TUTTI_SUPPRESSION_ARMS_H

#include "services/suppression/suppression_store.h"

/* Those of the anchors, by anchor and holdout; texts in the arena. Their profiles are locked. */
enum outcome arms_find(struct db *db, struct arena *arena, const int64_t *anchors, size_t count,
                       struct arms *out, struct err *err);
/* Those whose request was decided here (decisions: sorted by request_id), in the order of their
 * keys. What an anchor has drawn stays. */
enum outcome arms_store(struct db *db, struct arena *arena, const struct arms *arms,
                        const struct decision_rows *decisions, struct err *err);

#endif
