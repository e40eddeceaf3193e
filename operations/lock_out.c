/* lock_out.c: the lock that running services hold, and re-anchoring that is under way. */
#include "operations/lock_out.h"

#include <poll.h>

#include "common/runtime/clock.h"
#include "common/service/generation.h"
#include "operations_sql.h"

enum { LEAVE_US = 1000000, LEAVE_POLL_MS = 50 };

static enum outcome try_lock(struct desk *desk, enum standing_mode mode, bool *locked,
                             struct err *err)
{
    enum outcome outcome =
        desk->presence ? OUTCOME_OK
                       : standing_lock_take(desk->db, PRESENCE_LOCK, mode, &desk->presence, err);
    *locked = outcome == OUTCOME_OK;
    return outcome == OUTCOME_RETRY && strcmp(err->code, "lock_taken") == 0 ? OUTCOME_OK : outcome;
}

/* The server hears a moment later that a service has ended. */
enum outcome lock_out_all(struct desk *desk, struct err *err)
{
    bool locked;
    int64_t deadline = clock_monotonic_us() + LEAVE_US;
    CHECK(try_lock(desk, STANDING_ALONE, &locked, err));
    while (!locked && clock_monotonic_us() < deadline) {
        poll(NULL, 0, LEAVE_POLL_MS);
        CHECK(try_lock(desk, STANDING_ALONE, &locked, err));
    }
    return locked ? OUTCOME_OK
                  : err_set(err, OUTCOME_FATAL, "services_running",
                            "services are running: stop all of them, run this, start them again");
}

enum outcome check_anchors_settled(struct desk *desk, struct err *err)
{
    struct db_result *r = NULL;
    CHECK(db_run(desk->db, &sql_lock_out_anchors, NULL, &r, NULL, err));
    bool is_under_way = db_bool(r, 0, 0);
    return is_under_way ? err_set(err, OUTCOME_FATAL, "anchors_under_way",
                                  "facts get other anchors: run `tutti identity apply` with the "
                                  "same policy until it is done")
                        : OUTCOME_OK;
}

enum outcome lock_out_services(struct desk *desk, struct err *err)
{
    CHECK(lock_out_all(desk, err));
    return check_anchors_settled(desk, err);
}

enum outcome lock_out_policies(struct desk *desk, struct err *err)
{
    bool held;
    CHECK(try_lock(desk, STANDING_SHARED, &held, err));
    if (!held)
        return err_set(err, OUTCOME_REJECT, "policy_apply_running",
                       "policies are being applied: run this when that is done");
    return check_anchors_settled(desk, err);
}
