/* suppression_touchpoint.c: a touchpoint as a fact of the ledger. */
#include "services/suppression/suppression_touchpoint.h"

#include "common/base/pack.h"
#include "common/codec/items_json.h"
#include "common/codec/json.h"
#include "common/codec/preferences_json.h"
#include "common/words/words.h"
#include "services/suppression/logic/consent.h"

static const struct {
    enum event_word event;
    enum contact_kind kind;
} always[] = {
    {EVENT_CONTACT_REQUESTED, CONTACT_REQUEST}, {EVENT_CONTACT_SENT, CONTACT_SENT},
    {EVENT_CAMPAIGN_SENT, CONTACT_SENT},        {EVENT_CONTACT_DELIVERED, CONTACT_DELIVERED},
    {EVENT_CONTACT_FAILED, CONTACT_FAILED},     {EVENT_CONTACT_CANCELLED, CONTACT_CANCELLED},
    {EVENT_UNSUBSCRIBED, CONTACT_SIGNAL},
};

struct interests suppression_interests(struct arena *arena, const struct contact_policy *policy)
{
    struct interests interests = {0};
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        interests_add(&interests, arena,
                      (struct interest){.event = span_of(event_word(always[i].event)),
                                        .kind = always[i].kind});
    interests_add_rules(&interests, arena, policy, false);
    return interests;
}

static int16_t score_of(const struct touchpoint *tp)
{
    return tp->score == LONG_ABSENT ? CONTACT_SCORE_ABSENT : (int16_t)tp->score;
}

/* Priorities beyond any range are kept as out of range. */
static int16_t priority_of(int64_t priority)
{
    if (priority == LONG_ABSENT)
        return CONTACT_PRIORITY_ABSENT;
    return priority < 0 ? -1 : priority > INT16_MAX ? INT16_MAX : (int16_t)priority;
}

static struct span join_tags(struct arena *arena, struct span json, int16_t *flags)
{
    const struct json *list;
    struct strbuf tags = {.arena = arena};
    if (json.len == 0)
        return SPAN_NONE;
    bool is_list = json_parse_span(arena, json, "tags_json", &list, NULL) == OUTCOME_OK &&
                   json_shape(list) == SHAPE_LIST;
    for (size_t i = 0; is_list && i < json_count(list); i++) {
        struct span tag = SPAN_NONE;
        is_list = json_as_text(json_at(list, i), &tag, NULL) == OUTCOME_OK &&
                  memchr(tag.ptr, '\n', tag.len) == NULL;
        if (i > 0)
            pack_byte(&tags, '\n');
        strbuf_add(&tags, tag.ptr, tag.len);
    }
    if (!is_list)
        *flags |= CONTACT_BAD_TAGS;
    return is_list && tags.len > 0 ? strbuf_span(&tags) : SPAN_NONE;
}

static struct span consent_text(struct arena *arena, const struct touchpoint *tp)
{
    struct strbuf out = {.arena = arena};
    struct span cursor = tp->consent, word;
    for (bool value; consent_next(&cursor, &word, &value);)
        consent_write(&out, word, value);
    return out.len ? strbuf_span(&out) : SPAN_NONE;
}

bool suppression_is_outbound(struct span direction, struct span type, struct span event)
{
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        if (always[i].kind != CONTACT_SIGNAL && span_is(event, event_word(always[i].event)))
            return true;
    return direction_of(direction, type, event) == DIRECTION_OUTBOUND;
}

static int16_t flags_of(const struct touchpoint *tp, struct span event)
{
    bool is_not_said = tp->is_bot || suppression_is_outbound(tp->direction, tp->type, event);
    bool is_negative = tp->value_micros != LONG_ABSENT && tp->value_micros < 0;
    return (int16_t)((tp->has_contact ? CONTACT_HAS_CONTACT : 0) |
                     (is_not_said ? CONTACT_IS_NOT_SAID : 0) |
                     (is_negative ? CONTACT_IS_NEGATIVE : 0));
}

static struct span or_none(struct span text)
{
    return text.len ? text : SPAN_NONE;
}

static void fill(const struct touchpoint *tp, struct span event, enum contact_kind kind,
                 struct arena *arena, struct contact_fact *out)
{
    *out = (struct contact_fact){
        .at = {tp->occurred_at},
        .kind = (int16_t)kind,
        .flags = flags_of(tp, event),
        .score = score_of(tp),
        .priority = CONTACT_PRIORITY_ABSENT,
        .event = event,
        .channel = tp->channel,
        .department = or_none(tp->department),
        .purpose = or_none(tp->purpose),
        .product_id = or_none(tp->product_id),
        .product_category = or_none(tp->product_category),
        .campaign_id = or_none(tp->campaign.id),
        .lines = items_json_read(arena, tp->items_json).lines,
        .source = tp->source,
        .case_id = or_none(tp->case_id),
        .order_id = or_none(tp->order_id),
        .received_at = INSTANT_ABSENT,
        .consent = consent_text(arena, tp),
        .planned_at = INSTANT_ABSENT,
        .expires_at = INSTANT_ABSENT,
        .latest_at = INSTANT_ABSENT,
    };
    if (tp->decision_id.len == 0 || !id_from_uuid(tp->decision_id, &out->decision_id))
        out->decision_id = (struct id){{0}};
    if (!tp->has_contact)
        return;
    out->class = or_none(tp->contact.class);
    out->purpose = tp->contact.purpose.len ? tp->contact.purpose : out->purpose;
    out->tags = join_tags(arena, tp->contact.tags_json, &out->flags);
    out->priority = priority_of(tp->contact.priority);
    out->planned_at.us = tp->contact.planned_at;
    out->expires_at.us = tp->contact.expires_at;
    out->latest_at.us = tp->contact.latest_at;
    out->sequence_id = or_none(tp->contact.sequence_id);
}

struct instant suppression_received_at(const struct contact_fact *fact, const struct touchpoint *tp,
                                       struct instant recorded_at)
{
    bool says_so = tp->received_at != LONG_ABSENT && tp->received_at < recorded_at.us;
    struct instant received_at = says_so ? (struct instant){tp->received_at} : recorded_at;
    return fact->kind == CONTACT_SIGNAL && instant_compare(received_at, fact->at) < 0
               ? received_at
               : INSTANT_ABSENT;
}

/* What matters in a touchpoint of any event: an answer of consent, or a bad score. */
static bool is_signal_anyway(const struct interests *interests, const struct touchpoint *tp)
{
    if (tp->consent.ptr != NULL)
        return true;
    return tp->score != LONG_ABSENT && interests_have_score(interests, tp->score);
}

/* A purchase that names no product keeps no offer away. What takes back may name its order alone.
 */
static bool may_name_product(const struct interest *interest, const struct touchpoint *tp)
{
    bool takes_back =
        interest->may_return || (tp->value_micros != LONG_ABSENT && tp->value_micros < 0);
    return tp->product_id.len > 0 || tp->product_category.len > 0 || tp->items_json.len > 0 ||
           (takes_back && tp->order_id.len > 0);
}

bool suppression_wants(const struct interests *interests, const struct touchpoint *tp,
                       struct arena *arena, struct contact_fact *out, size_t *unreadable)
{
    struct span event = event_of(tp->event_name, tp->type), preferences;
    const struct interest *interest = interests_find(interests, event);
    if (interest && interest->needs_product && !may_name_product(interest, tp))
        interest = NULL;
    *unreadable = 0;
    preferences = preferences_json_kept(arena, tp->preferences_json, unreadable);
    if (interest == NULL && preferences.len == 0 && !is_signal_anyway(interests, tp))
        return false;
    fill(tp, event, interest ? interest->kind : CONTACT_SIGNAL, arena, out);
    out->preferences = preferences;
    return true;
}
