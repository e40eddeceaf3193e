/* lock_out.c: the lock that running services share, and re-anchoring that is under way. */
#include "operations/lock_out.h"

#include <poll.h>

#include "common/runtime/clock.h"
#include "common/service/generation.h"
#include "operations_sql.h"

enum { LEAVE_US = 1000000, LEAVE_POLL_MS = 50 };

static enum outcome try_lock_out(struct db *db, bool *locked, struct err *err)
{
    static const struct statement take_lock = {"lock_out_take",
                                               "SELECT pg_try_advisory_lock(" GENERATION_LOCK ")"};
    struct db_result *r = NULL;
    CHECK(db_run(db, &take_lock, NULL, &r, NULL, err));
    *locked = db_bool(r, 0, 0);
    return OUTCOME_OK;
}

/* The server hears a moment later that a service has ended. */
enum outcome lock_out_all(struct desk *desk, struct err *err)
{
    bool locked;
    int64_t deadline = clock_monotonic_us() + LEAVE_US;
    CHECK(try_lock_out(desk->db, &locked, err));
    while (!locked && clock_monotonic_us() < deadline) {
        poll(NULL, 0, LEAVE_POLL_MS);
        CHECK(try_lock_out(desk->db, &locked, err));
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
    static const struct statement hold = {
        "lock_out_policies", "SELECT pg_try_advisory_lock_shared(" GENERATION_LOCK ")"};
    struct db_result *r = NULL;
    CHECK(db_run(desk->db, &hold, NULL, &r, NULL, err));
    bool held = db_bool(r, 0, 0);
    if (!held)
        return err_set(err, OUTCOME_REJECT, "policy_apply_running",
                       "policies are being applied: run this when that is done");
    return check_anchors_settled(desk, err);
}
