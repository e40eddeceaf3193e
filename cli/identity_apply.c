/* identity_apply.c: see identity_apply.h: the sweep ends at the tables that the policy would always
 * have had. */
#include "cli/identity_apply.h"

#include <poll.h>

#include "cli/identity.h"
#include "cli/progress.h"
#include "common/runtime/stop.h"
#include "services/identity-resolver/resolve/resolve.h"

enum { MAX_RETRIES = 100, RETRY_MS = 100 };

static enum outcome count_profiles(struct db *db, struct arena *arena, const struct id *from,
                                   size_t *out, struct err *err)
{
    static const struct statement count = {"apply_count",
                                           "SELECT count(*) FROM identity.identifiers WHERE "
                                           "identifier_id = profile_id AND profile_id > $1"};
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_uuid(&p, from);
    CHECK(db_run(db, &count, &p, &r, NULL, err));
    *out = (size_t)db_int8(r, 0, 0);
    return OUTCOME_OK;
}

/* Key of the advisory lock of whoever applies a policy: "idpolicy" as bytes. */
#define APPLY_LOCK "7594869441312613241"

/* Where the sweep stands is noted with the active policy: two at once would note it for each other.
 * The lock ends with the connection, so it is asked for again before every step. */
enum outcome apply_hold_alone(struct db *db, int32_t version, struct err *err)
{
    static const struct statement hold = {
        "apply_hold", "SELECT pg_try_advisory_lock(" APPLY_LOCK
                      "), (SELECT version FROM identity.policies WHERE is_active)"};
    struct db_result *r = NULL;
    CHECK(db_run(db, &hold, NULL, &r, NULL, err));
    bool is_alone = db_bool(r, 0, 0),
         is_active = !db_is_null(r, 0, 1) && db_int4(r, 0, 1) == version;
    if (!is_alone)
        return err_set(err, OUTCOME_FATAL, "apply_running",
                       "another `tutti identity apply` is at work");
    return is_active ? OUTCOME_OK
                     : err_set(err, OUTCOME_FATAL, "policy_changed",
                               "another policy was applied meanwhile");
}

/* A step that had to give way to the pipeline is done again. */
static enum outcome step(struct resolver *resolver, int32_t version, size_t batch,
                         struct id *position, size_t *count, struct err *err)
{
    enum outcome o = OUTCOME_RETRY;
    for (int i = 0; i < MAX_RETRIES && o == OUTCOME_RETRY; i++) {
        struct arena arena = {0};
        struct id at = *position;
        if (i > 0)
            poll(NULL, 0, RETRY_MS);
        if (stop_requested())
            return err_set(err, OUTCOME_FATAL, "stopped", "stopped; run it again to go on");
        o = db_ready(resolver->db, err);
        if (o == OUTCOME_OK)
            o = apply_hold_alone(resolver->db, version, err);
        if (o == OUTCOME_OK)
            o = resolver_sweep_step(resolver, &arena, batch, &at, count, err);
        if (o == OUTCOME_OK)
            *position = at;
        arena_free(&arena);
    }
    return o;
}

static enum outcome sweep(struct resolver *resolver, struct arena *arena, int32_t version,
                          struct id position, size_t batch, struct err *err)
{
    struct progress progress;
    size_t total = 0, count = 1;
    enum outcome o = count_profiles(resolver->db, arena, &position, &total, err);
    progress_start(&progress, "profiles reviewed", total);
    while (o == OUTCOME_OK && count > 0) {
        o = step(resolver, version, batch, &position, &count, err);
        progress_step(&progress, count);
    }
    if (o == OUTCOME_OK)
        progress_end(&progress);
    else
        progress_pause(&progress);
    return o;
}

static enum outcome switch_and_sweep(struct call *call, struct resolver *resolver, struct span text,
                                     const struct active_row *active, size_t batch, struct err *err)
{
    int32_t version = active->version;
    struct id position = active->swept_to;
    CHECK(apply_hold_alone(resolver->db, version, err));
    if (active_is(text, active)) {
        say("version %d is active already; going on with the review of the profiles", version);
    } else {
        CHECK(resolver_activate_policy(resolver->db, &call->arena, text, identity_actor(call),
                                       &version, err));
        position = (struct id){{0}};
        say("version %d is active", version);
    }
    return sweep(resolver, &call->arena, version, position, batch, err);
}

/* The key is looked at first: a policy that is active but cannot be swept would be worse than none.
 */
enum outcome apply_policy(struct call *call, struct db *db, struct span text,
                          const struct active_row *active, size_t batch, struct err *err)
{
    struct resolver resolver = {.db = NULL};
    enum outcome o = resolver_open_tool(&resolver, &call->arena, db, call->config, err);
    if (o == OUTCOME_OK)
        o = switch_and_sweep(call, &resolver, text, active, batch, err);
    resolver_close(&resolver);
    return o;
}
