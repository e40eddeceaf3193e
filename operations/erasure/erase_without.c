/* erase_without.c: an erasure without a service that was given up; see erase_internal.h. What the
 * service has not read of this person is done for it, by its own code, so that its map agrees and
 * the erasure finds everything. What it would publish of the person is taken out of its outbox.
 * Should it be started after all, it finds nothing newer in what it reads. */
#include "operations/erasure/erase_internal.h"

#include <inttypes.h>

#include "erasure_sql.h"
#include "services/journey-tracker/journey_moves.h"
#include "services/suppression/suppression_moves.h"

enum without { WITHOUT_JOURNEY, WITHOUT_SUPPRESSION, WITHOUT_COUNT };

static const struct reader {
    const char *service, *role;
    enum outcome (*apply)(struct db *db, const struct config *config,
                          const struct anchor_move *moves, size_t count, struct err *err);
    const struct statement *find;
} readers[WITHOUT_COUNT] = {
    [WITHOUT_JOURNEY] = {"journey-tracker", "tutti_journey", journey_moves_apply,
                         &sql_erase_moves_journey},
    [WITHOUT_SUPPRESSION] = {"suppression", "tutti_suppression", suppression_moves_apply,
                             &sql_erase_moves_suppression},
};

static const struct reader *find_reader(const char *service)
{
    for (size_t i = 0; service && i < WITHOUT_COUNT; i++)
        if (strcmp(readers[i].service, service) == 0)
            return &readers[i];
    return NULL;
}

bool erase_knows_service(const char *service)
{
    return find_reader(service) != NULL;
}

bool erase_is_without(const struct erasure *e, const char *service)
{
    return e->request->without && strcmp(e->request->without, service) == 0;
}

enum outcome erase_check_without(struct erasure *e, struct err *err)
{
    const struct reader *reader = find_reader(e->request->without);
    struct params p;
    struct db_result *r = NULL;
    if (reader == NULL)
        return OUTCOME_OK;
    params_init(&p, e->desk->arena);
    params_text(&p, span_of(reader->service));
    params_text(&p, span_of(reader->role));
    CHECK(db_run(e->desk->db, &sql_erase_sessions, &p, &r, NULL, err));
    int64_t sessions = db_int8(r, 0, 0);
    return sessions == 0
               ? OUTCOME_OK
               : err_set(err, OUTCOME_REJECT, "service_runs",
                         "%s runs (%" PRId64 " connections): leave --without away, or stop it",
                         reader->service, sessions);
}

struct moves {
    struct anchor_move *items;
    size_t count, capacity;
};

static enum outcome find_moves(struct erasure *e, const struct reader *reader, struct moves *out,
                               struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    erasure_params(e, &p);
    CHECK(db_run(e->desk->db, reader->find, &p, &r, NULL, err));
    for (int row = 0; row < db_rows(r); row++)
        *arena_push(e->desk->arena, out) =
            (struct anchor_move){db_uuid(r, row, 0), db_uuid(r, row, 1), db_int8(r, row, 2)};
    return OUTCOME_OK;
}

enum outcome erase_catch_up(struct erasure *e, struct err *err)
{
    const struct reader *reader = find_reader(e->request->without);
    struct moves moves = {0};
    if (reader == NULL)
        return OUTCOME_OK;
    CHECK(erase_check_without(e, err));
    CHECK(erasure_find_members(e, err));
    CHECK(find_moves(e, reader, &moves, err));
    if (moves.count == 0)
        return OUTCOME_OK;
    enum outcome outcome =
        reader->apply(e->desk->db, e->desk->config, moves.items, moves.count, err);
    if (outcome != OUTCOME_OK)
        db_rollback(e->desk->db);
    e->moved += outcome == OUTCOME_OK ? moves.count : 0;
    return outcome;
}

/* No service will publish them. */
enum outcome erase_forget_messages(struct erasure *e, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    if (erase_is_without(e, "journey-tracker")) {
        size_t taken;
        CHECK(journey_moves_forget_messages(e->desk->db, e->desk->arena, e->members, e->count,
                                            &taken, err));
        erasure_add(e, "journey.message_outbox", (int64_t)taken);
    }
    if (!erase_is_without(e, "suppression"))
        return OUTCOME_OK;
    params_init(&p, e->desk->arena);
    params_uuid_array(&p, e->members, sizeof *e->members, e->count);
    CHECK(db_run(e->desk->db, &sql_erase_forget_suppression, &p, &r, NULL, err));
    erasure_count(e, r);
    return OUTCOME_OK;
}
