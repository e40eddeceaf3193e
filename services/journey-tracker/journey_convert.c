/* journey_convert.c: loads a shape that is not in memory yet, then tries again. */
#include "services/journey-tracker/journey_convert.h"

enum outcome convert_touch(struct tracker *tracker, struct arena *arena,
                           const struct journey_fact *fact, struct touch *out, struct err *err)
{
    uint32_t code = (uint32_t)fact->shape;
    const struct shape *shape = shapes_find(tracker->shapes, code);
    if (shape == NULL) {
        CHECK(shapes_load(tracker->shapes, arena, code, err));
        shape = shapes_find(tracker->shapes, code);
    }
    *out = (struct touch){
        .key = {fact->key.occurred_at, (uint8_t)touch_rank_of(shape, fact->value_micros),
                fact->key.event_id, fact->key.anchor},
        .shape = shape,
        .value_micros = fact->value_micros,
        .margin_micros = fact->margin_micros,
        .cost_micros = fact->cost_micros,
        .score = fact->score,
        .traits = fact->traits,
        .zone = fact->zone > 0 ? fact->zone : 0,
    };
    if (shape->is_send || shape->is_failure || tracker->policy.responses.is_asked)
        out->decision = decision_key(fact->decision_id);
    if (shape->answer)
        out->opportunity = opportunity_key(fact->opportunity_id);
    if (shape->is_order || shape->is_return)
        out->order = journey_order_key(&tracker->policy, shape, fact->order_id);
    if (fact->lines.len > 0 && !filter_set_is_empty(&tracker->policy.filters_of_lines))
        out->by_lines = journey_filters_of_lines(&tracker->policy, fact->lines);
    out->is_sale = journey_is_sale(&tracker->policy, out);
    return OUTCOME_OK;
}

enum outcome convert_unpack(struct tracker *tracker, struct arena *arena, struct span payload,
                            struct journey_state *out, struct err *err)
{
    if (payload.len == 0) {
        journey_state_init(out, arena);
        return OUTCOME_OK;
    }
    const struct shape_lookup lookup = {shapes_find, tracker->shapes};
    for (;;) {
        uint32_t missing = 0;
        enum outcome outcome =
            journey_state_unpack(&tracker->policy, payload, &lookup, arena, out, &missing, err);
        if (outcome != OUTCOME_RETRY || missing == 0)
            return outcome;
        CHECK(shapes_load(tracker->shapes, arena, missing, err));
    }
}

struct span convert_pack(const struct tracker *tracker, struct arena *arena,
                         const struct journey_state *state)
{
    struct strbuf out = {.arena = arena};
    strbuf_reserve(&out, 240);
    journey_state_pack(&tracker->policy, state, &out);
    return strbuf_span(&out);
}
