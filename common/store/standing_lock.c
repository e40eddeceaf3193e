/* standing_lock.c: see standing_lock.h. */
#include "common/store/standing_lock.h"

#include <poll.h>
#include <stdlib.h>

#include "common/runtime/clock.h"
#include "common/store/db_internal.h"

enum { CONNECT_US = 5000000, CONNECT_POLL_MS = 50, COMMAND_BYTES = 160 };

struct standing_lock {
    struct db *db;
};

static enum outcome connect(struct db *db, struct err *err)
{
    int64_t deadline = clock_monotonic_us() + CONNECT_US;
    enum outcome outcome;
    while ((outcome = db_ready(db, err)) == OUTCOME_RETRY && clock_monotonic_us() < deadline)
        poll(NULL, 0, CONNECT_POLL_MS);
    return outcome;
}

static enum outcome hold(struct db *db, const char *table, enum standing_mode mode, struct err *err)
{
    char command[COMMAND_BYTES];
    snprintf(command, sizeof command, "LOCK TABLE %s IN %s MODE NOWAIT", table,
             mode == STANDING_SHARED ? "ROW SHARE" : "EXCLUSIVE");
    CHECK(connect(db, err));
    CHECK(db_begin(db, err));
    CHECK(db_script(db, "SET LOCAL idle_in_transaction_session_timeout = 0", err));
    return db_script(db, command, err);
}

enum outcome standing_lock_take(const struct db *db, const char *table, enum standing_mode mode,
                                struct standing_lock **out, struct err *err)
{
    struct db *own = db_clone(db);
    *out = NULL;
    enum outcome outcome = hold(own, table, mode, err);
    if (outcome != OUTCOME_OK) {
        bool is_taken = db_sqlstate_is(own, "55P03");
        db_close(own);
        return is_taken ? err_set(err, OUTCOME_RETRY, "lock_taken", "others hold %s", table)
                        : outcome;
    }
    struct standing_lock *lock = malloc(sizeof *lock);
    if (lock == NULL)
        abort();
    lock->db = own;
    *out = lock;
    return OUTCOME_OK;
}

bool standing_lock_is_held(struct standing_lock *lock)
{
    static const struct statement ask = {"standing_lock_ask", "SELECT 1"};
    struct err ignored;
    return db_run(lock->db, &ask, NULL, NULL, NULL, &ignored) == OUTCOME_OK;
}

void standing_lock_release(struct standing_lock *lock)
{
    if (lock == NULL)
        return;
    db_rollback(lock->db); /* the server hears of a closed connection only a moment later */
    db_close(lock->db);
    free(lock);
}
