/* journey_follow_telling.c: what other systems know of customers and what is no longer so. Only
 * what is live is told: history stays as it was told. */
#include "common/codec/messages.h"
#include "journey_tracker_sql.h"
#include "services/journey-tracker/follow/journey_follow_internal.h"
#include "services/journey-tracker/journey_telling.h"

enum { MESSAGES_PER_ROW = 500 };

/* Messages in rows of the outbox, each with a version of its own. */
struct teller {
    struct follow *follow;
    struct told_messages row;
    int64_t version;
};

static enum outcome write_row(struct teller *t, struct err *err)
{
    struct arena *arena = &t->follow->step_arena;
    if (t->row.count > 0)
        CHECK(journey_store_insert_messages(t->follow->tracker.db, arena, 0, &t->row, err));
    t->row = (struct told_messages){0};
    return OUTCOME_OK;
}

/* Before a message is made: its row has room, and its version is known. */
static enum outcome make_room(struct teller *t, struct err *err)
{
    if (t->row.count >= MESSAGES_PER_ROW)
        CHECK(write_row(t, err));
    if (t->row.count > 0)
        return OUTCOME_OK;
    return journey_store_next_messages(t->follow->tracker.db, &t->follow->step_arena, &t->version,
                                       err);
}

static void add(struct teller *t, enum told_topic topic, const struct id *profile_id,
                struct span payload)
{
    *arena_push(&t->follow->step_arena, &t->row) =
        (struct told_message){t->version, (uint8_t)topic, *profile_id, payload};
}

static enum outcome tell_opportunity(struct teller *t, const struct db_result *r, int row,
                                     struct err *err)
{
    struct strbuf payload = {.arena = &t->follow->step_arena};
    CHECK(make_room(t, err));
    struct opportunity_change_message message = {
        .id = db_uuid(r, row, 0),
        .profile_id = db_uuid(r, row, 1),
        .rule_id = db_bytes(r, row, 2),
        .offer_id = db_bytes(r, row, 3),
        .product = db_bytes(r, row, 4),
        .owner = db_bytes(r, row, 5),
        .priority = db_bytes(r, row, 6),
        .state = opportunity_state_text(db_int2(r, row, 7)),
        .opened_at = db_timestamptz(r, row, 8).us,
        .due_at = db_timestamptz(r, row, 9).us,
        .expires_at = db_timestamptz(r, row, 10).us,
        .effective_at = db_timestamptz(r, row, 11).us,
        .version = t->version,
    };
    if (db_int2(r, row, 7) == 0)
        message.retracts = message.id;
    opportunity_change_encode(&payload, &message);
    add(t, TOLD_OPPORTUNITIES, &message.profile_id, strbuf_span(&payload));
    return OUTCOME_OK;
}

static enum outcome tell_stage(struct teller *t, const struct db_result *r, int row,
                               struct err *err)
{
    CHECK(make_room(t, err));
    struct id profile_id = db_uuid(r, row, 1);
    const struct stage_row change = {
        .id = db_uuid(r, row, 2),
        .touch = {.anchor = db_int8(r, row, 3), .event_id = db_uuid(r, row, 4)},
        .from_stage = (uint8_t)db_int2(r, row, 5),
        .to_stage = (uint8_t)db_int2(r, row, 6),
        .reason = db_int2(r, row, 7) == CHANGED_BY_RULE ? REASON_RULE : REASON_EXIT,
        .changed_at = db_timestamptz(r, row, 8),
    };
    add(t, TOLD_STAGES, &profile_id,
        stage_change_text(&t->follow->step_arena, &change, &profile_id, t->version,
                          db_bool(r, row, 0)));
    return OUTCOME_OK;
}

enum outcome follow_tell(struct follow *follow, struct err *err)
{
    struct teller t = {.follow = follow};
    struct params p;
    struct db_result *r = NULL;
    arena_reset(&follow->step_arena);
    params_init(&p, &follow->step_arena);
    params_uuid(&p, &follow->tracker.generation.id);
    CHECK(db_run(follow->tracker.db, &sql_follow_opportunities, &p, &r, NULL, err));
    for (int row = 0; row < db_rows(r); row++)
        CHECK(tell_opportunity(&t, r, row, err));
    params_init(&p, &follow->step_arena);
    CHECK(db_run(follow->tracker.db, &sql_follow_stages, &p, &r, NULL, err));
    for (int row = 0; row < db_rows(r); row++)
        CHECK(tell_stage(&t, r, row, err));
    return write_row(&t, err);
}
