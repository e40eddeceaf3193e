/* journey_lanes.c: one function per statement; the messages of a transaction share a row. */
#include "services/journey-tracker/store/journey_lanes.h"

#include "common/base/pack.h"
#include "journey_tracker_sql.h"

enum outcome journey_store_next_seq(struct db *db, struct arena *arena, int32_t lane, int64_t count,
                                    int32_t out_partition, struct journey_lane_row *out,
                                    struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_int4(&p, lane);
    params_int8(&p, count);
    params_int4(&p, out_partition);
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_next_seq, &p, &r, NULL, err));
    *out = (struct journey_lane_row){.lane = lane,
                                     .seq = db_int8(r, 0, 0),
                                     .pub_seq = db_int8(r, 0, 1),
                                     .out_partition = db_int4(r, 0, 2)};
    return OUTCOME_OK;
}

enum outcome journey_store_insert_diffs(struct db *db, struct arena *arena, int32_t lane,
                                        const struct diff_row *rows, size_t count, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_int4(&p, lane);
    params_int8_array(&p, &rows->seq, sizeof *rows, count);
    params_bytea_array(&p, &rows->payload, sizeof *rows, count);
    return db_run(db, &sql_insert_outbox, &p, NULL, NULL, err);
}

static enum outcome run_on_lanes(struct db *db, struct arena *arena,
                                 const struct statement *statement, const int32_t *lanes,
                                 size_t count, struct db_result **result, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_int4_array(&p, lanes, sizeof *lanes, count);
    return db_run(db, statement, &p, result, NULL, err);
}

enum outcome journey_store_find_lanes(struct db *db, struct arena *arena, const int32_t *lanes,
                                      size_t count, struct journey_lane_row **rows,
                                      size_t *row_count, struct err *err)
{
    struct db_result *r = NULL;
    CHECK(run_on_lanes(db, arena, &sql_find_lanes, lanes, count, &r, err));
    *row_count = (size_t)db_rows(r);
    *rows = arena_array(arena, struct journey_lane_row, *row_count);
    for (size_t i = 0; i < *row_count; i++)
        (*rows)[i] = (struct journey_lane_row){.lane = db_int4(r, (int)i, 0),
                                               .pub_seq = db_int8(r, (int)i, 1),
                                               .out_partition = db_int4(r, (int)i, 2)};
    return OUTCOME_OK;
}

enum outcome journey_store_find_diffs(struct db *db, struct arena *arena, int32_t lane,
                                      int64_t pub_seq, struct diff_row **rows, size_t *count,
                                      struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_int4(&p, lane);
    params_int8(&p, pub_seq);
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_find_outbox, &p, &r, NULL, err));
    *count = (size_t)db_rows(r);
    *rows = arena_array(arena, struct diff_row, *count);
    for (size_t i = 0; i < *count; i++)
        (*rows)[i] =
            (struct diff_row){db_int8(r, (int)i, 0), arena_copy(arena, db_bytes(r, (int)i, 1))};
    return OUTCOME_OK;
}

enum outcome journey_store_mark_published(struct db *db, struct arena *arena, int32_t lane,
                                          int64_t pub_seq, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_int4(&p, lane);
    params_int8(&p, pub_seq);
    return db_run(db, &sql_mark_published, &p, NULL, NULL, err);
}

enum outcome journey_store_delete_applied(struct db *db, struct arena *arena, const int32_t *lanes,
                                          size_t count, struct err *err)
{
    CHECK(run_on_lanes(db, arena, &sql_skip_applied, lanes, count, NULL, err));
    return run_on_lanes(db, arena, &sql_delete_applied, lanes, count, NULL, err);
}

/* All messages of a transaction are one row: topic, profile id, length and bytes of each. */
static struct span pack_messages(struct arena *arena, const struct told_messages *messages)
{
    struct strbuf packed = {.arena = arena};
    for (size_t i = 0; i < messages->count; i++) {
        pack_byte(&packed, messages->items[i].topic);
        strbuf_add(&packed, messages->items[i].profile_id.bytes,
                   sizeof messages->items[i].profile_id.bytes);
        pack_span(&packed, messages->items[i].payload);
    }
    return strbuf_span(&packed);
}

static enum outcome unpack_messages(struct arena *arena, int64_t id, struct span packed,
                                    struct told_messages *out, struct err *err)
{
    struct unpack u = unpack_of(packed);
    while (u.at < u.end && !u.failed) {
        uint8_t topic = unpack_byte(&u);
        struct span profile_id = unpack_bytes(&u, sizeof(struct id)), payload = unpack_span(&u);
        if (u.failed || topic >= TOLD_COUNT)
            return err_set(err, OUTCOME_FATAL, "outbox_malformed",
                           "journey.message_outbox: row %lld is not readable", (long long)id);
        struct told_message *message = arena_push(arena, out);
        *message =
            (struct told_message){.id = id, .topic = topic, .payload = arena_copy(arena, payload)};
        memcpy(message->profile_id.bytes, profile_id.ptr, profile_id.len);
    }
    return OUTCOME_OK;
}

enum outcome journey_store_next_messages(struct db *db, struct arena *arena, int64_t *id,
                                         struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    CHECK(db_run(db, &sql_next_message_outbox, &p, &r, NULL, err));
    *id = db_int8(r, 0, 0);
    return OUTCOME_OK;
}

enum outcome journey_store_insert_messages(struct db *db, struct arena *arena, int32_t lane,
                                           const struct told_messages *messages, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_int8(&p, messages->items[0].id);
    params_int4(&p, lane);
    params_bytea(&p, pack_messages(arena, messages));
    return db_run(db, &sql_insert_message_outbox, &p, NULL, NULL, err);
}

static enum outcome take_messages(struct arena *arena, struct db_result *r,
                                  struct told_messages *out, struct err *err)
{
    for (int i = 0; i < db_rows(r); i++)
        CHECK(unpack_messages(arena, db_int8(r, i, 0), db_bytes(r, i, 1), out, err));
    return OUTCOME_OK;
}

enum outcome journey_store_find_messages(struct db *db, struct arena *arena, const int32_t *lanes,
                                         size_t count, struct told_messages *out, struct err *err)
{
    struct db_result *r = NULL;
    CHECK(run_on_lanes(db, arena, &sql_find_message_outbox, lanes, count, &r, err));
    return take_messages(arena, r, out, err);
}

enum outcome journey_store_find_messages_of(struct db *db, struct arena *arena,
                                            const struct id *profiles, size_t count,
                                            struct told_messages *out, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_uuid_array(&p, profiles, sizeof *profiles, count);
    CHECK(db_run(db, &sql_find_message_outbox_of, &p, &r, NULL, err));
    return take_messages(arena, r, out, err);
}

enum outcome journey_store_replace_messages(struct db *db, struct arena *arena,
                                            const struct told_messages *row, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_int8(&p, row->items[0].id);
    params_bytea(&p, pack_messages(arena, row));
    return db_run(db, &sql_replace_message_outbox, &p, NULL, NULL, err);
}

enum outcome journey_store_delete_messages(struct db *db, struct arena *arena,
                                           const struct told_messages *messages, struct err *err)
{
    if (messages->count == 0)
        return OUTCOME_OK;
    int64_t *ids = arena_array(arena, int64_t, messages->count);
    size_t n = 0;
    for (size_t i = 0; i < messages->count; i++)
        if (n == 0 || ids[n - 1] != messages->items[i].id)
            ids[n++] = messages->items[i].id;
    struct params p;
    params_init(&p, arena);
    params_int8_array(&p, ids, sizeof *ids, n);
    return db_run(db, &sql_delete_message_outbox, &p, NULL, NULL, err);
}
