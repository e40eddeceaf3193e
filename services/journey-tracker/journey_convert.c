/* journey_convert.c: between what is stored (facts, packed states) and what derive works on. */
#include "services/journey-tracker/journey_tracker.h"

enum outcome tracker_touch(struct tracker *tracker, struct arena *arena,
                           const struct journey_fact *fact, struct touch *out, struct err *err)
{
    uint32_t code = (uint32_t)fact->shape;
    const struct shape *shape = shapes_find(tracker->shapes, code);
    if (shape == NULL) {
        CHECK(shapes_load(tracker->shapes, arena, code, err));
        shape = shapes_find(tracker->shapes, code);
    }
    *out = (struct touch){{fact->key.occurred_at, fact->key.event_id, fact->key.anchor},
                          shape,
                          fact->value_micros,
                          fact->margin_micros,
                          fact->score};
    return OUTCOME_OK;
}

enum outcome tracker_unpack(struct tracker *tracker, struct arena *arena, struct span payload,
                            struct journey_state *out, struct err *err)
{
    if (payload.len == 0) {
        journey_state_init(out, arena);
        return OUTCOME_OK;
    }
    const struct shape_lookup lookup = {shapes_find, tracker->shapes};
    for (;;) {
        uint32_t missing = 0;
        enum outcome o =
            journey_state_unpack(&tracker->policy, payload, &lookup, arena, out, &missing, err);
        if (o != OUTCOME_RETRY || missing == 0)
            return o;
        CHECK(shapes_load(tracker->shapes, arena, missing, err));
    }
}

struct span tracker_pack(const struct tracker *tracker, struct arena *arena,
                         const struct journey_state *state)
{
    struct strbuf out = {.arena = arena};
    strbuf_reserve(&out, 240);
    journey_state_pack(&tracker->policy, state, &out);
    return strbuf_span(&out);
}

bool tracker_lacks_window(const struct tracker *tracker, const struct journey_state *state,
                          const struct touch *touches, size_t count)
{
    bool may_cut = state->tail.count + count > tracker->policy.tail_max;
    for (size_t i = 0; i < count; i++)
        if (journey_needs_window(&tracker->policy, state, &touches[i]) ||
            (may_cut && touches[i].shape->is_order))
            return true;
    return false;
}
