/* touchpoint_writer.c: see touchpoint_writer.h. The order of the calls is the order of the schema's
 * fields; a test compares the bytes with those of the schema-driven encoder. */
#include "common/codec/avro/touchpoint_writer.h"

enum { BRANCH_NULL = 0, BRANCH_VALUE = 2 /* zigzag of 1 */ };

void touchpoint_clear(struct touchpoint *t)
{
    memset(t, 0, offsetof(struct touchpoint, identifiers));
    memset(&t->identifier_count, 0, sizeof *t - offsetof(struct touchpoint, identifier_count));
    t->occurred_at = t->original_at = t->sent_at = t->received_at = t->session_index = LONG_ABSENT;
    t->contact.priority = t->contact.planned_at = t->contact.expires_at = t->contact.batch_size =
        t->contact.latest_at = LONG_ABSENT;
    t->value_micros = t->margin_micros = t->cost_micros = LONG_ABSENT;
    t->score = t->score_raw = LONG_ABSENT;
}

static inline void put_byte(struct strbuf *out, uint8_t v)
{
    if (out->len + 2 > out->capacity)
        strbuf_reserve(out, 1);
    out->ptr[out->len++] = (char)v;
}

static inline void put_long(struct strbuf *out, int64_t v)
{
    uint64_t rest = ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
    if (out->len + 12 > out->capacity)
        strbuf_reserve(out, 10);
    for (; rest >= 0x80; rest >>= 7)
        out->ptr[out->len++] = (char)(rest | 0x80);
    out->ptr[out->len++] = (char)rest;
}

static inline void put_text(struct strbuf *out, struct span s)
{
    put_long(out, (int64_t)s.len);
    if (out->len + s.len + 1 > out->capacity)
        strbuf_reserve(out, s.len);
    if (s.len)
        memcpy(out->ptr + out->len, s.ptr, s.len);
    out->len += s.len;
}

static inline void put_optional_text(struct strbuf *out, struct span s)
{
    put_byte(out, s.ptr ? BRANCH_VALUE : BRANCH_NULL);
    if (s.ptr)
        put_text(out, s);
}

static inline void put_optional_long(struct strbuf *out, int64_t v)
{
    put_byte(out, v != LONG_ABSENT ? BRANCH_VALUE : BRANCH_NULL);
    if (v != LONG_ABSENT)
        put_long(out, v);
}

/* A nested record of optional texts: null where all are absent. */
static void put_texts(struct strbuf *out, const struct span *texts, size_t count)
{
    bool any = false;
    for (size_t i = 0; i < count; i++)
        any |= texts[i].ptr != NULL;
    put_byte(out, any ? BRANCH_VALUE : BRANCH_NULL);
    for (size_t i = 0; any && i < count; i++)
        put_optional_text(out, texts[i]);
}

static void put_identifiers(struct strbuf *out, const struct touchpoint *t)
{
    if (t->identifier_count)
        put_long(out, t->identifier_count);
    for (uint32_t i = 0; i < t->identifier_count; i++) {
        const struct touchpoint_identifier *id = &t->identifiers[i];
        put_text(out, id->type);
        put_text(out, id->value);
        put_text(out, id->encoding.ptr ? id->encoding : SPAN("none"));
        put_text(out, id->collection.ptr ? id->collection : SPAN("users"));
    }
    put_byte(out, 0);
}

static void put_contact(struct strbuf *out, const struct touchpoint *t)
{
    put_byte(out, t->has_contact ? BRANCH_VALUE : BRANCH_NULL);
    if (!t->has_contact)
        return;
    put_optional_text(out, t->contact.class);
    put_optional_text(out, t->contact.purpose);
    put_optional_text(out, t->contact.tags_json);
    put_optional_long(out, t->contact.priority);
    put_optional_long(out, t->contact.planned_at);
    put_optional_long(out, t->contact.expires_at);
    put_optional_text(out, t->contact.batch_id);
    put_optional_long(out, t->contact.batch_size);
    put_optional_long(out, t->contact.latest_at);
    put_optional_text(out, t->contact.sequence_id);
}

static void put_head(struct strbuf *out, const struct touchpoint *t)
{
    put_text(out, t->message_id);
    put_text(out, t->source);
    put_text(out, t->type);
    put_text(out, t->channel);
    put_long(out, t->occurred_at);
    put_optional_text(out, t->event_name);
    put_optional_text(out, t->event_schema);
    put_optional_text(out, t->direction);
    put_optional_text(out, t->department);
    put_optional_text(out, t->purpose);
    put_optional_text(out, t->platform);
    put_optional_long(out, t->original_at);
    put_optional_long(out, t->sent_at);
    put_optional_long(out, t->received_at);
    put_optional_text(out, t->timezone);
    put_optional_text(out, t->user_id);
    put_optional_text(out, t->anonymous_id);
    put_optional_text(out, t->previous_id);
    put_optional_text(out, t->group_id);
    put_optional_text(out, t->session_id);
    put_optional_long(out, t->session_index);
    put_identifiers(out, t);
}

static void put_surroundings(struct strbuf *out, const struct touchpoint *t)
{
    put_texts(out, &t->campaign.id, sizeof t->campaign / sizeof(struct span));
    put_texts(out, &t->page.url, sizeof t->page / sizeof(struct span));
    put_texts(out, &t->device.id, sizeof t->device / sizeof(struct span));
    put_texts(out, &t->geo.country, sizeof t->geo / sizeof(struct span));
    put_optional_text(out, t->ip);
    put_optional_text(out, t->user_agent);
    put_optional_text(out, t->locale);
    put_optional_text(out, t->location_id);
    put_optional_text(out, t->agent_id);
    put_optional_text(out, t->content_id);
    put_optional_text(out, t->goal_id);
    put_optional_text(out, t->decision_id);
    put_optional_text(out, t->journey_id);
}

static void put_business(struct strbuf *out, const struct touchpoint *t)
{
    put_optional_text(out, t->product_id);
    put_optional_text(out, t->product_category);
    put_optional_long(out, t->value_micros);
    put_optional_long(out, t->margin_micros);
    put_optional_long(out, t->cost_micros);
    put_optional_text(out, t->currency);
    put_optional_text(out, t->order_id);
    put_optional_text(out, t->case_id);
    put_optional_text(out, t->opportunity_id);
    put_optional_long(out, t->score);
    put_optional_text(out, t->score_kind);
    put_optional_long(out, t->score_raw);
    put_byte(out, t->consent.ptr ? BRANCH_VALUE : BRANCH_NULL);
    strbuf_add(out, t->consent.ptr, t->consent.len);
    put_optional_text(out, t->preferences_json);
    put_optional_text(out, t->traits_json);
    put_optional_text(out, t->properties_json);
    put_optional_text(out, t->items_json);
    put_optional_text(out, t->context_json);
    put_byte(out, t->is_test);
    put_byte(out, t->is_bot);
}

void touchpoint_write(struct strbuf *out, const struct touchpoint *t)
{
    put_head(out, t);
    put_surroundings(out, t);
    put_contact(out, t);
    put_business(out, t);
}

void touchpoint_write_framed(struct strbuf *out, int32_t schema_id, const struct touchpoint *t)
{
    pack_byte(out, 0);
    pack_be32(out, (uint32_t)schema_id);
    touchpoint_write(out, t);
}
