/* erase_alone.c: the one transaction of an erasure; see erase_internal.h. The lock is the exclusive
 * side of tutti_meta.hold_erasures(): transactions that hold the erasures end first, later ones see
 * the tombstones. Nothing else writes what is deleted here, so it needs no order of locks. */
#include "operations/erasure/erase_internal.h"

#include "common/service/erased.h"
#include "erasure_sql.h"
#include "operations/report_query.h"

/* Transactions that wait behind this lock wait no longer than lock_timeout. */
static enum outcome be_alone(struct erasure *e, struct err *err)
{
    CHECK(db_run(e->desk->db, &sql_erase_settings, NULL, NULL, NULL, err));
    return db_script(e->desk->db, "LOCK TABLE tutti_meta.erasure_lock IN EXCLUSIVE MODE", err);
}

/* A service that has not read yet who belongs to this person holds the history of others with
 * theirs. */
static enum outcome check_lag(struct erasure *e, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    erasure_params(e, &p);
    CHECK(db_run(e->desk->db, &sql_erase_lagging, &p, &r, NULL, err));
    enum outcome outcome = db_rows(r) == 0
                               ? OUTCOME_OK
                               : err_set(err, OUTCOME_RETRY, "service_lags",
                                         "%s has not read yet who this person is: is it "
                                         "running? (--without, if it was given up)",
                                         result_text(e->desk->arena, r, 0, 0));
    return outcome;
}

static enum outcome note_messages(struct erasure *e, struct err *err)
{
    struct db_result *r = NULL;
    CHECK(db_run(e->desk->db, &sql_erase_messages, NULL, &r, NULL, err));
    e->messages = db_int8(r, 0, 0);
    return OUTCOME_OK;
}

static enum outcome bury(struct erasure *e, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, e->desk->arena);
    params_uuid_array(&p, e->members, sizeof *e->members, e->count);
    params_int8(&p, ERASED_AHEAD_US);
    CHECK(db_run(e->desk->db, &sql_erase_tombstone, &p, &r, NULL, err));
    e->version = db_int8(r, 0, 0);
    return OUTCOME_OK;
}

static enum outcome delete_all(struct erasure *e, struct err *err)
{
    static const struct statement *const statements[] = {
        &sql_erase_delete_suppression,
        &sql_erase_delete_journey,
        &sql_erase_delete_identity,
    };
    e->tables.count = 0;
    CHECK(erase_leave_sales(e, err));
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        struct params p;
        struct db_result *r = NULL;
        erasure_params(e, &p);
        CHECK(db_run(e->desk->db, statements[i], &p, &r, NULL, err));
        erasure_count(e, r);
    }
    return OUTCOME_OK;
}

static enum outcome run_steps(struct erasure *e, struct err *err)
{
    CHECK(be_alone(e, err));
    CHECK(erasure_find_members(e, err)); /* as they are now that nothing moves */
    CHECK(check_lag(e, err));
    CHECK(note_messages(e, err));
    CHECK(erase_find_opt_outs(e, true, err));
    CHECK(bury(e, err));
    CHECK(erase_find_grants(e, err));
    CHECK(delete_all(e, err));
    CHECK(erase_keep_opt_outs(e, err));
    CHECK(erase_forget_messages(e, err));
    CHECK(erase_tell_channels(e, err));
    return db_commit(e->desk->db, err);
}

static bool is_lost(const struct err *err)
{
    return strcmp(err->code, "commit_unknown") == 0 || strcmp(err->code, "db_down") == 0;
}

static enum outcome attempt(struct erasure *e, struct err *err)
{
    CHECK(erase_catch_up(e, err));
    CHECK(db_begin(e->desk->db, err));
    enum outcome outcome = run_steps(e, err);
    if (outcome != OUTCOME_OK)
        db_rollback(e->desk->db);
    return outcome;
}

enum outcome erase_alone(struct erasure *e, struct err *err)
{
    for (;;) {
        enum outcome outcome = attempt(e, err);
        if (outcome != OUTCOME_RETRY)
            return outcome;
        if (is_lost(err))
            return err_prefix(err, "whether the person is erased is not known, run this again");
        if (!erasure_may_wait(e))
            return err_prefix(err, "nothing was changed, run this again");
    }
}
