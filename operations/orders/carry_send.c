/* carry_send.c: carried opt-outs, holds and pauses to Kafka, and waiting until suppression has
 * them. */
#include "operations/orders/carry.h"

#include "common/bus/producer.h"
#include "common/codec/avro/touchpoint_writer.h"
#include "common/codec/messages.h"
#include "operations/patience.h"
#include "orders_sql.h"
#include "services/suppression/logic/contact.h"

enum { SEND_MS = 60000 };

/* A map of booleans as Avro writes it: one block of entries, then the end. */
static struct span consent_bytes(struct arena *arena, struct span channels)
{
    struct strbuf entries = {.arena = arena}, out = {.arena = arena};
    int64_t count = 0;
    for (struct span channel; next_word(&channels, ' ', &channel); count++) {
        pack_zigzag(&entries, (int64_t)channel.len);
        strbuf_add(&entries, channel.ptr, channel.len);
        pack_byte(&entries, 0);
    }
    pack_zigzag(&out, count);
    strbuf_add(&out, entries.ptr, entries.len);
    pack_byte(&out, 0);
    return strbuf_span(&out);
}

struct sending {
    struct producer *producer;
    int topic;
    int32_t schema_id;
    struct arena *arena;
};

static enum outcome send_one(const struct sending *sending, const struct carried *item,
                             struct err *err)
{
    struct arena *arena = sending->arena;
    struct touchpoint t;
    touchpoint_clear(&t);
    t.message_id = item->message_id;
    t.source = SPAN("urn:tutti:identity");
    t.type = SPAN("identify");
    t.channel = item->channel;
    t.occurred_at = item->occurred_at.us;
    t.event_name = item->event;
    t.case_id = item->case_id;
    t.order_id = item->order_id;
    if (item->score != CONTACT_SCORE_ABSENT)
        t.score = item->score;
    if (item->opt_out.ptr)
        t.consent = consent_bytes(arena, item->opt_out);
    t.preferences_json = item->pause;
    struct strbuf record = {.arena = arena}, value = {.arena = arena};
    touchpoint_write(&record, &t);
    struct resolved_header header = {item->event_id,
                                     item->anchor_id,
                                     item->profile_id,
                                     item->version,
                                     item->occurred_at.us,
                                     SPAN(""),
                                     NULL,
                                     0};
    resolved_encode(&value, sending->schema_id, &header, strbuf_span(&record));
    char key[37];
    id_to_uuid(&item->profile_id, key);
    return producer_send(sending->producer, sending->topic, -1, (struct span){key, 36},
                         strbuf_span(&value), NULL, 0, err);
}

static enum outcome send_list(struct sending *sending, const struct carried_list *list,
                              const char *topic, struct err *err)
{
    CHECK(producer_topic(sending->producer, topic, &sending->topic, &(int32_t){0}, err));
    for (size_t i = 0; i < list->count; i++)
        CHECK(send_one(sending, &list->items[i], err));
    return producer_wait(sending->producer, SEND_MS, NULL, NULL, err);
}

static enum outcome send_all(struct desk *desk, const struct carried_list *list, const char *topic,
                             int32_t schema_id, struct err *err)
{
    struct sending sending = {.schema_id = schema_id, .arena = desk->arena};
    CHECK(producer_open(desk->config, &sending.producer, err));
    enum outcome outcome = send_list(&sending, list, topic, err);
    producer_close(sending.producer);
    return outcome;
}

static enum outcome ask_stored(struct db *db, struct arena *arena, const struct carried_list *list,
                               size_t *stored, struct err *err)
{
    struct params p;
    struct db_result *r = NULL;
    params_init(&p, arena);
    params_uuid_array(&p, &list->items->anchor_id, sizeof *list->items, list->count);
    params_timestamptz_array(&p, &list->items->occurred_at, sizeof *list->items, list->count);
    params_uuid_array(&p, &list->items->event_id, sizeof *list->items, list->count);
    CHECK(db_run(db, &sql_carry_stored, &p, &r, NULL, err));
    *stored = (size_t)db_int8(r, 0, 0);
    return OUTCOME_OK;
}

/* Asked ten times a second, perhaps for an hour: nothing of it is kept. */
static enum outcome count_stored(struct db *db, const struct carried_list *list, size_t *stored,
                                 struct err *err)
{
    struct arena arena = {0};
    enum outcome outcome = ask_stored(db, &arena, list, stored, err);
    arena_free(&arena);
    return outcome;
}

enum outcome carry_send(struct desk *desk, const struct carried_list *list, const char *topic,
                        int32_t schema_id, struct err *err)
{
    if (list->count == 0)
        return OUTCOME_OK;
    CHECK(send_all(desk, list, topic, schema_id, err));
    struct patience patience = patience_of(desk);
    size_t stored = 0;
    for (;;) {
        CHECK(count_stored(desk->db, list, &stored, err));
        if (stored == list->count)
            return OUTCOME_OK;
        if (!patience_lasts(&patience, "suppression to store opt-outs and holds"))
            return err_set(err, OUTCOME_RETRY, "carry_timeout",
                           "suppression has stored %zu of %zu opt-outs and holds: is it running?",
                           stored, list->count);
    }
}
