/* identity_carry_send.c: carried opt-outs and holds to Kafka, and waiting until suppression has
 * them. */
#include "cli/identity_carry.h"
#include "cli/patience.h"
#include "cli/publisher.h"
#include "cli_sql.h"
#include "common/codec/avro/touchpoint_writer.h"
#include "common/codec/messages.h"
#include "services/suppression/logic/contact.h"

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

static enum outcome send_one(struct publisher *publisher, struct arena *arena,
                             const struct carried *item, int32_t schema_id, struct err *err)
{
    struct touchpoint t;
    touchpoint_clear(&t);
    t.message_id = item->message_id;
    t.source = SPAN("urn:tutti:identity");
    t.type = SPAN("identify");
    t.channel = item->channel;
    t.occurred_at = item->occurred_at.us;
    t.event_name = item->event;
    if (item->score != CONTACT_SCORE_ABSENT)
        t.score = item->score;
    if (item->opt_out.ptr)
        t.consent = consent_bytes(arena, item->opt_out);
    struct strbuf record = {.arena = arena}, value = {.arena = arena};
    touchpoint_write(&record, &t);
    struct resolved_header header = {
        item->event_id, item->anchor_id, item->profile_id, item->version, NULL, 0};
    resolved_encode(&value, schema_id, &header, strbuf_span(&record));
    char key[37];
    id_to_uuid(&item->profile_id, key);
    return publisher_send(publisher, item->channel, (struct span){key, 36}, strbuf_span(&value),
                          err);
}

static enum outcome send_all(struct call *call, const struct carried_list *list, const char *topic,
                             int32_t schema_id, struct err *err)
{
    struct publisher *publisher = NULL;
    enum outcome o = publisher_open(call, topic, false, &publisher, err);
    for (size_t i = 0; i < list->count && o == OUTCOME_OK; i++)
        o = send_one(publisher, &call->arena, &list->items[i], schema_id, err);
    if (o == OUTCOME_OK)
        o = publisher_finish(publisher, err);
    publisher_close(publisher);
    return o;
}

static enum outcome count_stored(struct db *db, struct arena *arena,
                                 const struct carried_list *list, size_t *stored, struct err *err)
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

enum outcome carry_send(struct call *call, struct db *db, const struct carried_list *list,
                        const char *topic, int32_t schema_id, struct duration deadline,
                        struct err *err)
{
    if (list->count == 0)
        return OUTCOME_OK;
    CHECK(send_all(call, list, topic, schema_id, err));
    struct patience patience = patience_of(deadline);
    size_t stored = 0;
    for (;;) {
        CHECK(count_stored(db, &call->arena, list, &stored, err));
        if (stored == list->count)
            return OUTCOME_OK;
        if (!patience_lasts(&patience, "suppression to store opt-outs and holds"))
            return err_set(err, OUTCOME_RETRY, "carry_timeout",
                           "suppression has stored %zu of %zu opt-outs and holds: is it running?",
                           stored, list->count);
    }
}
