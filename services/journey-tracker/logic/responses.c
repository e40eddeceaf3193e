/* responses.c: a touch answers a send, and becomes one. */
#include "services/journey-tracker/logic/responses.h"

static struct responses_state *responses_of(struct journey_state *state)
{
    if (state->responses == NULL) {
        state->responses = arena_calloc(state->arena, 1, sizeof *state->responses);
        state->responses->sends =
            (struct recent){.size = sizeof(struct send), .max = RESPONSES_MAX};
    }
    return state->responses;
}

struct responses_state *responses_copy(const struct responses_state *from, struct arena *arena)
{
    struct responses_state *to = arena_alloc(arena, sizeof *to);
    *to = *from;
    recent_copy(&to->sends, &from->sends, arena);
    return to;
}

void responses_before(struct passing *p)
{
    if (p->state->responses)
        recent_prune(&p->state->responses->sends,
                     instant_minus(p->touch->key.at, p->policy->responses.within));
}

/* ---- cells ---- */
/* When and on what something was sent or answered. */
struct context {
    struct instant at;
    uint32_t device, network;
    uint8_t hour_of_week;
};

/* What a touch adds to the cells of a context. */
struct response_amounts {
    int64_t sends, responses, wait, answers; /* wait in microseconds */
};

/* Channel, department and segments are always those of the send. */
static void emit_amounts(const struct passing *p, const struct recent_touch *send,
                         const struct context *context, const struct response_amounts *amounts)
{
    const struct shown_segments shown = segments_shown(p->policy, send->segments);
    struct cell_key key = {CELL_RESPONSES,
                           reporting_month(p->policy, context->at),
                           {send->shape->channel, send->shape->department,
                            context->hour_of_week % 24u, context->hour_of_week / 24u,
                            context->device, context->network}};
    for (int i = 0; i < shown.count; i++) {
        key.dims[6] = shown.codes[i];
        int64_t *v = effects_cell(p->effects, &key);
        effects_add(p->effects, &v[0], amounts->sends);
        effects_add(p->effects, &v[1], amounts->responses);
        effects_add(p->effects, &v[2], amounts->wait / 1000);
        effects_add(p->effects, &v[3], amounts->answers);
    }
}

static struct context context_of(const struct send *send)
{
    return (struct context){send->touch.at, send->device, send->network, send->hour_of_week};
}

/* ---- an answer ---- */
/* The zone that the customer's newest touchpoint with one says, else that of the policy. */
static uint8_t hour_of_week(const struct passing *p)
{
    const struct zone_name *said =
        p->policy->zones ? zone_set_of(p->policy->zones, p->state->zone.code) : NULL;
    struct zone_time time =
        zone_time(said ? &said->zone : &p->policy->person_zone, p->touch->key.at);
    return (uint8_t)(day_weekday(time.day) * 24 + time.second / 3600);
}

static struct send *send_meant(const struct recent *sends, const struct touch *touch)
{
    struct send *by_campaign = NULL;
    for (uint32_t i = sends->count; i-- > 0;) {
        struct send *send = recent_at(sends, i);
        if (touch->decision && send->decision == touch->decision)
            return send;
        if (by_campaign == NULL && touch->shape->campaign &&
            send->touch.shape->campaign == touch->shape->campaign)
            by_campaign = send;
    }
    return by_campaign;
}

static void emit_response(const struct passing *p, const struct send *send)
{
    const struct shape *shape = p->touch->shape;
    const struct context sent = context_of(send), answered = {p->touch->key.at, shape->device,
                                                              shape->network_code, hour_of_week(p)};
    int64_t wait = instant_since(answered.at, sent.at).us;
    emit_amounts(p, &send->touch, &sent, &(struct response_amounts){.responses = 1, .wait = wait});
    emit_amounts(p, &send->touch, &answered, &(struct response_amounts){.answers = 1});
    *arena_push(p->effects->arena, &p->effects->responses) = (struct response_row){
        .key = p->touch->key,
        .send_id = send->event_id,
        .sent_at = sent.at,
        .send_shape = send->touch.shape->code,
        .shape = shape->code,
        .local_hour = answered.hour_of_week % 24,
    };
}

static void answer(const struct passing *p)
{
    struct responses_state *s = p->state->responses;
    struct send *send = s ? send_meant(&s->sends, p->touch) : NULL;
    if (send == NULL || send->is_answered)
        return;
    send->is_answered = true;
    if (p->effects)
        emit_response(p, send);
}

/* ---- a send ---- */
static void remember_send(const struct passing *p)
{
    struct responses_state *s = responses_of(p->state);
    const struct recent_touch touch = {p->touch->key.at, p->touch->shape,
                                       p->segments & p->policy->segments.with_figures};
    struct send *send = recent_push(&s->sends, p->state->arena, &touch);
    send->event_id = p->touch->key.event_id;
    send->decision = p->touch->decision;
    send->device = s->device;
    send->network = s->network;
    send->hour_of_week = hour_of_week(p);
    if (p->effects) {
        const struct context sent = context_of(send);
        emit_amounts(p, &touch, &sent, &(struct response_amounts){.sends = 1});
    }
}

static void note_context(const struct passing *p)
{
    const struct shape *shape = p->touch->shape;
    if (shape->device == 0 && shape->network_code == 0)
        return;
    struct responses_state *s = responses_of(p->state);
    s->device = shape->device ? shape->device : s->device;
    s->network = shape->network_code ? shape->network_code : s->network;
}

void responses_after(struct passing *p)
{
    const struct response_rules *rules = &p->policy->responses;
    const struct shape *shape = p->touch->shape;
    if (!rules->is_asked || !shape->is_touch)
        return;
    bool is_inbound = shape->direction == DIRECTION_INBOUND;
    if (is_inbound)
        answer(p);
    if (touch_matches(p->policy, p->touch, rules->filter))
        remember_send(p);
    if (is_inbound)
        note_context(p);
}

/* ---- rows ---- */
int responses_order(const struct response_row *a, const struct response_row *b)
{
    return touch_key_compare(&a->key, &b->key);
}

unsigned responses_change(const struct response_row *before, struct response_row *after)
{
    bool same = id_equal(&before->send_id, &after->send_id) &&
                before->sent_at.us == after->sent_at.us &&
                before->send_shape == after->send_shape && before->local_hour == after->local_hour;
    return same ? 0 : ROW_WRITE;
}

/* ---- bytes ---- */
enum { SEND_ANSWERED = 1, SEND_DECISION = 2 };

static void pack_send(struct strbuf *out, struct instant last, const struct send *send)
{
    recent_pack(out, last, &send->touch);
    pack_id(out, send->event_id);
    pack_byte(out, (uint8_t)((send->is_answered ? SEND_ANSWERED : 0) |
                             (send->decision ? SEND_DECISION : 0)));
    pack_byte(out, send->hour_of_week);
    pack_varint(out, send->device);
    pack_varint(out, send->network);
    if (send->decision)
        pack_be64(out, send->decision);
}

void responses_pack(const struct journey_policy *policy, const struct journey_state *state,
                    struct strbuf *out)
{
    const struct responses_state *s = state->responses;
    (void)policy;
    if (s->sends.count == 0 && s->device == 0 && s->network == 0)
        return;
    pack_varint(out, s->device);
    pack_varint(out, s->network);
    pack_byte(out, (uint8_t)s->sends.count);
    for (uint32_t i = 0; i < s->sends.count; i++)
        pack_send(out, state->last.at, recent_at(&s->sends, i));
}

static void unpack_send(struct piece_bytes *bytes, struct journey_state *state)
{
    struct unpack *in = &bytes->in;
    const struct recent_touch touch = recent_unpack(bytes, state->last.at);
    struct send *send = recent_push(&state->responses->sends, state->arena, &touch);
    send->event_id = unpack_id(in);
    uint8_t flags = unpack_byte(in);
    send->is_answered = flags & SEND_ANSWERED;
    send->hour_of_week = unpack_byte(in);
    send->device = (uint32_t)unpack_varint(in);
    send->network = (uint32_t)unpack_varint(in);
    send->decision = flags & SEND_DECISION ? unpack_be64(in) : 0;
}

void responses_unpack(struct piece_bytes *bytes, const struct journey_policy *policy,
                      struct journey_state *state)
{
    struct responses_state *s = responses_of(state);
    (void)policy;
    s->device = (uint32_t)unpack_varint(&bytes->in);
    s->network = (uint32_t)unpack_varint(&bytes->in);
    uint8_t count = unpack_byte(&bytes->in);
    bytes->in.failed |= count > RESPONSES_MAX;
    for (uint8_t i = 0; i < count && !bytes->in.failed && !bytes->missing; i++)
        unpack_send(bytes, state);
}
