/* standing_lock.h: a lock that is held across transactions, by a connection of its own that stays
 * in one transaction.
 *
 * It is a table lock, so only a role with rights on that table can take one; an advisory lock is
 * free for every login of the database. The transaction has no snapshot and no number of its own,
 * so it keeps no row from VACUUM. A pooler in transaction mode leaves it alone. */
#ifndef TUTTI_STORE_STANDING_LOCK_H
#define TUTTI_STORE_STANDING_LOCK_H

#include "common/store/db.h"

struct standing_lock;
enum standing_mode { STANDING_SHARED, STANDING_ALONE };

/* Connects as db does and takes the lock of an empty table, which no statement reads. RETRY
 * "lock_taken" if others hold a lock that excludes it; it never waits for them. */
enum outcome standing_lock_take(const struct db *db, const char *table, enum standing_mode mode,
                                struct standing_lock **out, struct err *err);
/* False after the loss of its connection: whoever needs it takes it again. */
bool standing_lock_is_held(struct standing_lock *lock);
/* NULL: nothing to do. */
void standing_lock_release(struct standing_lock *lock);

#endif
