/* journey_deadlines.c: what happens by itself when no touch follows: at risk, lapsed, the end of
 * the journey, the (exit) of the map. */
#include "services/journey-tracker/logic/journey_internal.h"

int32_t reporting_month(const struct journey_policy *policy, struct instant t)
{
    return day_month(reporting_day(policy, t));
}

uint8_t journey_stage_at(const struct journey_state *state, struct instant t)
{
    if (!instant_is_set(state->last_inbound.at) ||
        instant_since(t, state->last_inbound.at).us > JOURNEY_END.us)
        return STAGE_NONE;
    return state->stage;
}

size_t journey_deadlines(const struct journey_policy *policy, const struct journey_state *state,
                         struct deadline out[DEADLINES_MAX])
{
    if (!instant_is_set(state->last_inbound.at))
        return 0;
    struct instant t = state->last_inbound.at;
    uint8_t status = state->status;
    size_t n = 0;
    if (status != STATUS_AT_RISK && status != STATUS_LAPSED &&
        policy->at_risk_after.us != INT64_MAX) {
        out[n++] = (struct deadline){REASON_AT_RISK, instant_plus(t, policy->at_risk_after), status,
                                     STATUS_AT_RISK};
        status = STATUS_AT_RISK;
    }
    if (status != STATUS_LAPSED) {
        out[n++] = (struct deadline){REASON_LAPSED, instant_plus(t, policy->lapsed_after), status,
                                     STATUS_LAPSED};
        status = STATUS_LAPSED;
    }
    out[n++] = (struct deadline){REASON_EXIT, instant_plus(t, JOURNEY_END), status, status};
    return n;
}

/* A trailing change, reduced to what its cells say, so that an equal one costs nothing. */
struct part {
    int32_t present, period;
    uint32_t a, b, c;
    uint32_t is_identified;
};
enum { PART_AT_RISK, PART_LAPSED, PART_END, PART_EXIT, PART_COUNT };

static void trailing_parts(const struct journey_policy *policy, const struct journey_state *state,
                           struct part parts[PART_COUNT])
{
    memset(parts, 0, PART_COUNT * sizeof *parts);
    if (state == NULL)
        return;
    struct deadline deadlines[DEADLINES_MAX];
    size_t n = journey_deadlines(policy, state, deadlines);
    for (size_t i = 0; i < n; i++) {
        const struct deadline *d = &deadlines[i];
        parts[PART_AT_RISK + d->reason - REASON_AT_RISK] =
            (struct part){1,
                          reporting_day(policy, d->at),
                          d->from_status,
                          d->to_status,
                          state->stage,
                          state->is_identified};
    }
    if (!instant_is_set(state->last_touch_at))
        return;
    struct instant exit = instant_plus(state->last_touch_at, JOURNEY_END);
    parts[PART_EXIT] = (struct part){1,
                                     reporting_month(policy, exit),
                                     journey_stage_at(state, exit),
                                     state->last_node,
                                     state->last_department,
                                     false};
}

static void emit_part(const struct journey_policy *policy, struct journey_effects *effects,
                      int which, const struct part *part)
{
    if (!part->present)
        return;
    const struct shown_segments nobody = in_no_segment();
    if (which == PART_EXIT)
        effects_step(effects,
                     &(struct step){&nobody, part->period, part->a, part->b, 0, part->c, 0, -1});
    else
        effects_status(effects, policy, part->period,
                       (struct position){part->c, part->a, part->is_identified},
                       (struct position){which == PART_END ? STAGE_NONE : part->c, part->b,
                                         part->is_identified});
    if (which == PART_END)
        effects_stock(effects, CELL_STAGE, part->period, part->c, STAGE_NONE);
}

static void replace_pieces(const struct journey_policy *policy, const struct journey_state *before,
                           const struct journey_state *after, struct journey_effects *effects)
{
#define PIECE_AHEAD(name) name##_trailing(policy, before, after, effects);
#include "services/journey-tracker/logic/pieces.def"
}

void journey_trailing(const struct journey_policy *policy, const struct journey_state *state,
                      struct journey_effects *effects)
{
    struct part parts[PART_COUNT];
    trailing_parts(policy, state, parts);
    for (int i = 0; i < PART_COUNT; i++)
        emit_part(policy, effects, i, &parts[i]);
    bool adds = effects->sign > 0;
    replace_pieces(policy, adds ? NULL : state, adds ? state : NULL, effects);
}

void journey_trailing_replace(const struct journey_policy *policy,
                              const struct journey_state *before, const struct journey_state *after,
                              struct journey_effects *effects)
{
    struct part old_parts[PART_COUNT], new_parts[PART_COUNT];
    trailing_parts(policy, before, old_parts);
    trailing_parts(policy, after, new_parts);
    for (int i = 0; i < PART_COUNT; i++) {
        if (memcmp(&old_parts[i], &new_parts[i], sizeof old_parts[i]) == 0)
            continue;
        effects->sign = -1;
        emit_part(policy, effects, i, &old_parts[i]);
        effects->sign = 1;
        emit_part(policy, effects, i, &new_parts[i]);
    }
    replace_pieces(policy, before, after, effects);
}
