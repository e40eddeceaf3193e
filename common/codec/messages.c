/* messages.c: writes and reads the records of schemas/avro that our own services exchange. */
#include "common/codec/messages.h"

#include "common/codec/avro/avro_write.h"
#include "common/codec/framing.h"

static void start(struct strbuf *out, int32_t schema_id)
{
    pack_byte(out, 0);
    pack_be32(out, (uint32_t)schema_id);
}

/* Passes the prefix, which must name this schema. */
static enum outcome begin(struct span value, int32_t schema_id, struct unpack *u, struct err *err)
{
    int32_t id;
    CHECK(frame_confluent(value, &id, u, err));
    if (id != schema_id)
        return err_set(err, OUTCOME_REJECT, "unknown_schema_id",
                       "schema id %d where %d was expected", (int)id, (int)schema_id);
    return OUTCOME_OK;
}

static enum outcome finish(const struct unpack *u, struct err *err)
{
    if (u->failed)
        return err_set(err, OUTCOME_REJECT, "avro_invalid", "the record is truncated or malformed");
    if (u->at != u->end)
        return err_set(err, OUTCOME_REJECT, "avro_trailing_bytes", "bytes follow the record");
    return OUTCOME_OK;
}

enum { ENTRY_LEAST = sizeof(struct id) * 2 + 8 + 1, ENTRY_USUAL = ENTRY_LEAST + 24 };

static void write_others(struct strbuf *out, const struct resolved_header *header)
{
    if (header->other_count)
        avro_write_long(out, header->other_count);
    for (uint32_t i = 0; i < header->other_count; i++) {
        avro_write_id(out, &header->others[i].identifier_id);
        avro_write_id(out, &header->others[i].profile_id);
        pack_be64(out, (uint64_t)header->others[i].map_version);
        avro_write_bytes(out, header->others[i].address_of);
    }
    avro_write_long(out, 0);
}

void resolved_encode(struct strbuf *out, int32_t writer_schema_id,
                     const struct resolved_header *header, struct span payload)
{
    strbuf_reserve(out, 104 + (size_t)header->other_count * ENTRY_USUAL + payload.len);
    start(out, RESOLVED_ID_BASE + writer_schema_id);
    avro_write_id(out, &header->event_id);
    avro_write_id(out, &header->anchor_id);
    avro_write_id(out, &header->profile_id);
    pack_be64(out, (uint64_t)header->map_version);
    avro_write_long(out, header->received_at);
    avro_write_bytes(out, header->address_of);
    write_others(out, header);
    strbuf_add(out, payload.ptr, payload.len);
}

/* One block, as we write it: how many there are is known before, which matters where a hundred
 * thousand records are decoded at once. */
static void read_others(struct arena *arena, struct unpack *u, struct resolved_header *header)
{
    uint64_t count = avro_read_block(u);
    header->others = NULL;
    header->other_count = 0;
    if (count == 0)
        return;
    if (count > (size_t)(u->end - u->at) / ENTRY_LEAST) {
        u->failed = true;
        return;
    }
    struct resolved_other *others = arena_alloc(arena, (size_t)count * sizeof *others);
    for (uint64_t i = 0; i < count; i++) {
        others[i].identifier_id = avro_read_id(u);
        others[i].profile_id = avro_read_id(u);
        others[i].map_version = (int64_t)unpack_be64(u);
        others[i].address_of = avro_read_string(u);
    }
    header->others = others;
    header->other_count = (uint32_t)count;
    if (avro_read_block(u) != 0)
        u->failed = true;
}

struct span resolved_other_keys(struct arena *arena, const struct resolved_header *header)
{
    enum { KEY_SIZE = 8 };
    if (header->other_count == 0)
        return SPAN_NONE;
    char *keys = arena_alloc(arena, (size_t)header->other_count * KEY_SIZE);
    for (uint32_t i = 0; i < header->other_count; i++)
        memcpy(keys + (size_t)i * KEY_SIZE, header->others[i].identifier_id.bytes, KEY_SIZE);
    return (struct span){keys, (size_t)header->other_count * KEY_SIZE};
}

enum outcome resolved_decode(struct schema_set *set, struct arena *arena, struct span value,
                             struct resolved_header *header, struct framed *touchpoint,
                             struct err *err)
{
    struct unpack u;
    int32_t id;
    CHECK(frame_confluent(value, &id, &u, err));
    if (id < RESOLVED_ID_BASE)
        return err_set(err, OUTCOME_REJECT, "unknown_schema_id",
                       "schema id %d is not of a resolved touchpoint", (int)id);
    header->event_id = avro_read_id(&u);
    header->anchor_id = avro_read_id(&u);
    header->profile_id = avro_read_id(&u);
    header->map_version = (int64_t)unpack_be64(&u);
    header->received_at = avro_read_long(&u);
    header->address_of = avro_read_string(&u);
    read_others(arena, &u, header);
    if (u.failed)
        return err_set(err, OUTCOME_REJECT, "avro_truncated", "the value ends inside the header");
    touchpoint->schema_id = id - RESOLVED_ID_BASE;
    touchpoint->payload = (struct span){(const char *)u.at, (size_t)(u.end - u.at)};
    return schema_set_plan(set, touchpoint->schema_id, &touchpoint->plan, err);
}

void identity_change_encode(struct strbuf *out, const struct identity_change *change)
{
    start(out, SCHEMA_IDENTITY_CHANGE);
    avro_write_long(out, change->version);
    avro_write_long(out, change->changed_at);
    avro_write_bytes(out, change->cause);
    avro_write_opt_id(out, &change->cause_id);
    if (change->move_count)
        avro_write_long(out, change->move_count);
    for (uint32_t i = 0; i < change->move_count; i++) {
        avro_write_id(out, &change->moves[i].identifier_id);
        avro_write_id(out, &change->moves[i].profile_id);
        avro_write_id(out, &change->moves[i].old_profile_id);
        avro_write_boolean(out, change->moves[i].is_shared);
        avro_write_boolean(out, change->moves[i].is_person);
    }
    avro_write_long(out, 0);
}

struct move_list {
    struct identity_move *items;
    size_t count, capacity;
};

static void read_moves(struct arena *arena, struct unpack *u, struct move_list *moves)
{
    for (uint64_t count; (count = avro_read_block(u)) > 0 && !u->failed;)
        for (uint64_t i = 0; i < count && !u->failed; i++) {
            struct identity_move *move = arena_push(arena, moves);
            move->identifier_id = avro_read_id(u);
            move->profile_id = avro_read_id(u);
            move->old_profile_id = avro_read_id(u);
            move->is_shared = avro_read_boolean(u);
            move->is_person = avro_read_boolean(u);
        }
}

enum outcome identity_change_decode(struct arena *arena, struct span value,
                                    struct identity_change *out, struct err *err)
{
    struct unpack u;
    struct move_list moves = {0};
    CHECK(begin(value, SCHEMA_IDENTITY_CHANGE, &u, err));
    out->version = avro_read_long(&u);
    out->changed_at = avro_read_long(&u);
    out->cause = avro_read_string(&u);
    out->cause_id = avro_read_opt_id(&u);
    read_moves(arena, &u, &moves);
    out->moves = moves.items;
    out->move_count = (uint32_t)moves.count;
    return finish(&u, err);
}

void journey_diff_encode(struct strbuf *out, const struct journey_diff *diff)
{
    start(out, SCHEMA_JOURNEY_DIFF);
    avro_write_long(out, diff->lane);
    avro_write_long(out, diff->seq);
    avro_write_boolean(out, diff->more);
    avro_write_boolean(out, diff->again);
    avro_write_id(out, &diff->generation);
    avro_write_long(out, diff->raw_size);
    avro_write_bytes(out, diff->cells);
}

enum outcome journey_diff_decode(struct span value, struct journey_diff *out, struct err *err)
{
    struct unpack u;
    CHECK(begin(value, SCHEMA_JOURNEY_DIFF, &u, err));
    out->lane = avro_read_int(&u);
    out->seq = avro_read_long(&u);
    out->more = avro_read_boolean(&u);
    out->again = avro_read_boolean(&u);
    out->generation = avro_read_id(&u);
    out->raw_size = avro_read_int(&u);
    out->cells = avro_read_bytes(&u);
    return finish(&u, err);
}

void stage_change_encode(struct strbuf *out, const struct stage_change_message *message)
{
    start(out, SCHEMA_STAGE_CHANGE);
    avro_write_id(out, &message->id);
    avro_write_id(out, &message->profile_id);
    avro_write_opt_id(out, &message->touchpoint_id);
    avro_write_bytes(out, message->stage);
    avro_write_opt_string(out, message->from_stage);
    avro_write_opt_string(out, message->reason);
    avro_write_long(out, message->effective_at);
    avro_write_opt_id(out, &message->retracts);
    avro_write_long(out, message->version);
}

enum outcome stage_change_decode(struct span value, struct stage_change_message *out,
                                 struct err *err)
{
    struct unpack u;
    CHECK(begin(value, SCHEMA_STAGE_CHANGE, &u, err));
    out->id = avro_read_id(&u);
    out->profile_id = avro_read_id(&u);
    out->touchpoint_id = avro_read_opt_id(&u);
    out->stage = avro_read_string(&u);
    out->from_stage = avro_read_opt_string(&u);
    out->reason = avro_read_opt_string(&u);
    out->effective_at = avro_read_long(&u);
    out->retracts = avro_read_opt_id(&u);
    out->version = avro_read_long(&u);
    return finish(&u, err);
}

void opportunity_change_encode(struct strbuf *out, const struct opportunity_change_message *message)
{
    start(out, SCHEMA_OPPORTUNITY_CHANGE);
    avro_write_id(out, &message->id);
    avro_write_id(out, &message->profile_id);
    avro_write_bytes(out, message->rule_id);
    avro_write_bytes(out, message->offer_id);
    avro_write_bytes(out, message->product);
    avro_write_bytes(out, message->owner);
    avro_write_bytes(out, message->priority);
    avro_write_bytes(out, message->state);
    avro_write_long(out, message->opened_at);
    avro_write_long(out, message->due_at);
    avro_write_long(out, message->expires_at);
    avro_write_long(out, message->effective_at);
    avro_write_opt_id(out, &message->retracts);
    avro_write_long(out, message->version);
}

enum outcome opportunity_change_decode(struct span value, struct opportunity_change_message *out,
                                       struct err *err)
{
    struct unpack u;
    CHECK(begin(value, SCHEMA_OPPORTUNITY_CHANGE, &u, err));
    out->id = avro_read_id(&u);
    out->profile_id = avro_read_id(&u);
    out->rule_id = avro_read_string(&u);
    out->offer_id = avro_read_string(&u);
    out->product = avro_read_string(&u);
    out->owner = avro_read_string(&u);
    out->priority = avro_read_string(&u);
    out->state = avro_read_string(&u);
    out->opened_at = avro_read_long(&u);
    out->due_at = avro_read_long(&u);
    out->expires_at = avro_read_long(&u);
    out->effective_at = avro_read_long(&u);
    out->retracts = avro_read_opt_id(&u);
    out->version = avro_read_long(&u);
    return finish(&u, err);
}

void contact_decision_encode(struct strbuf *out, const struct contact_decision_message *message)
{
    start(out, SCHEMA_CONTACT_DECISION);
    avro_write_id(out, &message->request_id);
    avro_write_opt_id(out, &message->profile_id);
    avro_write_bytes(out, message->verdict);
    avro_write_opt_string(out, message->reason);
    avro_write_opt_string(out, message->rule_id);
    avro_write_opt_string(out, message->channel);
    avro_write_opt_string(out, message->department);
    avro_write_opt_string(out, message->cause);
    avro_write_long(out, message->requested_at);
    avro_write_long(out, message->decided_at);
    avro_write_opt_long(out, message->expires_at);
    avro_write_opt_long(out, message->retry_at);
    avro_write_opt_long(out, message->planned_at);
    avro_write_opt_long(out, message->asked_for_at);
    avro_write_opt_string(out, message->moved_by);
}

enum outcome contact_decision_decode(struct span value, struct contact_decision_message *out,
                                     struct err *err)
{
    struct unpack u;
    CHECK(begin(value, SCHEMA_CONTACT_DECISION, &u, err));
    out->request_id = avro_read_id(&u);
    out->profile_id = avro_read_opt_id(&u);
    out->verdict = avro_read_string(&u);
    out->reason = avro_read_opt_string(&u);
    out->rule_id = avro_read_opt_string(&u);
    out->channel = avro_read_opt_string(&u);
    out->department = avro_read_opt_string(&u);
    out->cause = avro_read_opt_string(&u);
    out->requested_at = avro_read_long(&u);
    out->decided_at = avro_read_long(&u);
    out->expires_at = avro_read_opt_long(&u);
    out->retry_at = avro_read_opt_long(&u);
    out->planned_at = avro_read_opt_long(&u);
    out->asked_for_at = avro_read_opt_long(&u);
    out->moved_by = avro_read_opt_string(&u);
    return finish(&u, err);
}
