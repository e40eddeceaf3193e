/* erase_grants.c: revocations of open grants; see erase_internal.h. They go the way of all
 * decisions: suppression publishes what is in its outbox. Without suppression the report names the
 * grants: it is the only record. */
#include "operations/erasure/erase_internal.h"

#include "common/codec/messages.h"
#include "common/runtime/clock.h"
#include "erasure_sql.h"

static struct span text_of(const struct erasure *e, const struct db_result *r, int row, int column)
{
    return db_is_null(r, row, column) ? SPAN_NONE
                                      : arena_copy(e->desk->arena, db_bytes(r, row, column));
}

static struct revocation_row revocation_of(const struct erasure *e, const struct db_result *r,
                                           int row, struct instant now)
{
    struct contact_decision_message message = {
        .request_id = db_uuid(r, row, 0),
        .profile_id = db_uuid(r, row, 1),
        .verdict = SPAN("revoked"),
        .channel = text_of(e, r, row, 2),
        .department = text_of(e, r, row, 3),
        .cause = SPAN("erasure"),
        .requested_at = db_timestamptz(r, row, 4).us,
        .decided_at = now.us,
        .expires_at = db_timestamptz(r, row, 5).us,
        .retry_at = LONG_ABSENT,
        .planned_at = LONG_ABSENT,
        .asked_for_at = LONG_ABSENT,
    };
    struct strbuf payload = {.arena = e->desk->arena};
    contact_decision_encode(&payload, &message);
    return (struct revocation_row){message.request_id, message.profile_id,    message.channel,
                                   message.department, strbuf_span(&payload), {message.expires_at}};
}

enum outcome erase_find_grants(struct erasure *e, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    struct instant now = clock_now();
    params_init(&p, e->desk->arena);
    params_int8_array(&p, e->keys, sizeof *e->keys, e->count);
    params_bool(&p, erase_is_without(e, "suppression"));
    CHECK(db_run(e->desk->db, &sql_erase_grants, &p, &r, NULL, err));
    e->revocations.count = 0;
    for (int row = 0; row < db_rows(r); row++)
        *arena_push(e->desk->arena, &e->revocations) = revocation_of(e, r, row, now);
    return OUTCOME_OK;
}

enum outcome erase_tell_channels(struct erasure *e, struct err *err)
{
    const struct revocation_row *rows = e->revocations.items;
    size_t count = e->revocations.count, stride = sizeof *rows;
    struct params p;
    if (count == 0 || erase_is_without(e, "suppression"))
        return OUTCOME_OK;
    params_init(&p, e->desk->arena);
    params_uuid_array(&p, &rows->request_id, stride, count);
    params_uuid_array(&p, &rows->profile_id, stride, count);
    params_text_array(&p, &rows->channel, stride, count);
    params_text_array(&p, &rows->department, stride, count);
    params_bytea_array(&p, &rows->payload, stride, count);
    return db_run(e->desk->db, &sql_erase_tell_channels, &p, NULL, NULL, err);
}
