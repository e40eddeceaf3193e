/* erase_finish.c: the tidying up after the transaction; see erase_internal.h. All of it may be
 * done twice, and while the services run. */
#include "operations/erasure/erase_internal.h"

#include "common/runtime/clock.h"
#include "erasure_sql.h"
#include "services/identity-resolver/resolve/resolve.h"

enum { AT_ONCE = 100 }; /* identifiers of others in one transaction */

struct linked {
    struct id *items; /* identifiers of others */
    size_t count;
    struct id *quarantined;
    size_t quarantined_count;
};

static enum outcome find_linked(struct erasure *e, struct linked *out, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, e->desk->arena);
    params_int8(&p, e->version);
    CHECK(db_run(e->desk->db, &sql_erase_linked, &p, &r, NULL, err));
    size_t rows = (size_t)db_rows(r);
    *out = (struct linked){.items = arena_array(e->desk->arena, struct id, rows),
                           .count = rows,
                           .quarantined = arena_array(e->desk->arena, struct id, rows)};
    for (int row = 0; row < db_rows(r); row++) {
        out->items[row] = db_uuid(r, row, 0);
        if (db_bool(r, row, 1))
            out->quarantined[out->quarantined_count++] = out->items[row];
    }
    return OUTCOME_OK;
}

/* In a transaction of its own; services may hold some of these rows for a moment. */
static enum outcome run_counted(struct erasure *e, const struct statement *statement,
                                const struct params *p, struct err *err)
{
    struct db_result *r = NULL;
    enum outcome outcome;
    while ((outcome = db_run(e->desk->db, statement, p, &r, NULL, err)) == OUTCOME_RETRY &&
           db_is_up(e->desk->db) && erasure_may_wait(e))
        continue;
    CHECK(outcome);
    erasure_count(e, r);
    return OUTCOME_OK;
}

static enum outcome unname(struct erasure *e, struct err *err)
{
    struct params p;
    params_init(&p, e->desk->arena);
    params_uuid_array(&p, e->members, sizeof *e->members, e->count);
    params_int8(&p, e->version);
    return run_counted(e, &sql_erase_unname, &p, err);
}

static enum outcome clear_others(struct erasure *e, const struct linked *linked, struct err *err)
{
    for (size_t from = 0; from == 0 || from < linked->count;
         from += AT_ONCE) { /* once for the report if there are none */
        size_t left = linked->count - from, count = left < AT_ONCE ? left : AT_ONCE;
        int64_t anchors[AT_ONCE];
        struct params p;
        for (size_t i = 0; i < count; i++)
            anchors[i] = id_short(&linked->items[from + i]);
        params_init(&p, e->desk->arena);
        params_int8_array(&p, e->keys, sizeof *e->keys, e->count);
        params_int8_array(&p, anchors, sizeof *anchors, count);
        params_int8(&p, e->version);
        CHECK(run_counted(e, &sql_erase_others, &p, err));
    }
    return OUTCOME_OK;
}

static enum outcome review_some(struct erasure *e, struct resolver *resolver, const struct id *ids,
                                size_t count, struct err *err)
{
    struct review review = {.identifiers = ids, .identifier_count = count};
    enum outcome outcome;
    do {
        struct arena arena = {0};
        struct review_result result;
        review.now = clock_now();
        outcome = resolver_review(resolver, &arena, &review, &result, err);
        arena_free(&arena);
    } while (outcome == OUTCOME_RETRY && db_is_up(e->desk->db) && erasure_may_wait(e));
    return outcome;
}

static enum outcome review_all(struct erasure *e, struct resolver *resolver,
                               const struct linked *linked, struct err *err)
{
    for (size_t from = 0; from < linked->quarantined_count; from += AT_ONCE) {
        size_t left = linked->quarantined_count - from, count = left < AT_ONCE ? left : AT_ONCE;
        CHECK(review_some(e, resolver, linked->quarantined + from, count, err));
    }
    return OUTCOME_OK;
}

/* Identity is a function of the evidence that is left. */
static enum outcome review_quarantine(struct erasure *e, const struct linked *linked,
                                      struct err *err)
{
    struct resolver resolver = {.db = NULL};
    if (linked->quarantined_count == 0)
        return OUTCOME_OK;
    enum outcome outcome =
        resolver_open_tool(&resolver, e->desk->arena, e->desk->db, e->desk->config, err);
    if (outcome == OUTCOME_OK)
        outcome = review_all(e, &resolver, linked, err);
    resolver_close(&resolver);
    return outcome;
}

static enum outcome set_complete(struct erasure *e, struct err *err)
{
    struct params p;
    params_init(&p, e->desk->arena);
    params_int8(&p, e->version);
    return db_run(e->desk->db, &sql_erase_complete, &p, NULL, NULL, err);
}

static enum outcome run_steps(struct erasure *e, struct err *err)
{
    struct linked linked;
    CHECK(unname(e, err));
    CHECK(find_linked(e, &linked, err));
    CHECK(clear_others(e, &linked, err));
    CHECK(review_quarantine(e, &linked, err));
    return set_complete(e, err);
}

enum outcome erase_finish(struct erasure *e, struct err *err)
{
    enum outcome outcome = run_steps(e, err);
    return outcome == OUTCOME_OK
               ? outcome
               : err_prefix(err, "the person is erased, but rows of others may still "
                                 "name them, run this again");
}

/* False if there is none. */
static enum outcome take_pending(struct erasure *e, bool *found, struct err *err)
{
    struct db_result *r = NULL;
    CHECK(db_run(e->desk->db, &sql_erase_pending, NULL, &r, NULL, err));
    *found = db_rows(r) > 0;
    if (*found) {
        e->version = db_int8(r, 0, 1);
        erasure_take_members(e, r);
    }
    return OUTCOME_OK;
}

enum outcome erase_finish_pending(struct erasure *e, bool *was_asked, struct err *err)
{
    bool found;
    *was_asked = false;
    for (;;) {
        CHECK(take_pending(e, &found, err));
        if (!found)
            return OUTCOME_OK;
        for (size_t i = 0; i < e->count; i++)
            *was_asked = *was_asked || id_equal(&e->members[i], &e->identifier);
        CHECK(erase_finish(e, err));
        if (!*was_asked)
            e->tables.count = 0;
    }
}

static enum outcome ask_waiting(struct erasure *e, struct arena *arena, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_int8(&p, e->version);
    params_int8(&p, e->messages);
    params_uuid_array(&p, e->members, sizeof *e->members, e->count);
    CHECK(db_run(e->desk->db, &sql_erase_waiting, &p, &r, NULL, err));
    e->waiting.identity = db_int8(r, 0, 0);
    /* those of others */
    e->waiting.journey = erase_is_without(e, "journey-tracker") ? 0 : db_int8(r, 0, 1);
    e->waiting.suppression = db_int8(r, 0, 2);
    e->waiting.revocations = db_int8(r, 0, 3);
    return OUTCOME_OK;
}

/* Asked ten times a second, perhaps for an hour: nothing of it is kept. */
static enum outcome count_waiting(struct erasure *e, struct err *err)
{
    struct arena arena = {0};
    enum outcome outcome = ask_waiting(e, &arena, err);
    arena_free(&arena);
    return outcome;
}

enum outcome erase_wait_messages(struct erasure *e, struct err *err)
{
    do {
        CHECK(count_waiting(e, err));
    } while (erasure_waiting(e) > 0 && erasure_may_wait(e));
    return OUTCOME_OK;
}
