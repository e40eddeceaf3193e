/* funnel.c: a piece of the state (pieces.def): the start of the journey, until it has reached the
 * highest stage that a rule gives. A rise counts for every stage on the way, in the month in which
 * the journey began.
 *
 * Its bytes: z the start, as microseconds before last_seen; v the segments before it, as bits. */
#include "services/journey-tracker/logic/funnel.h"

#include "services/journey-tracker/logic/journey_internal.h"

static enum journey_stage highest_stage(const struct journey_policy *policy)
{
    return policy->rule_count ? policy->rules[0].stage : STAGE_INQUIRY;
}

static void add_stage(const struct passing *p, const struct funnel_state *funnel,
                      const struct shown_segments *shown, uint32_t stage)
{
    struct cell_key key = {CELL_FUNNEL, reporting_month(p->policy, funnel->start), {stage}};
    for (int i = 0; i < shown->count; i++) {
        key.dims[1] = shown->codes[i];
        int64_t *v = effects_cell(p->effects, &key);
        effects_add(p->effects, &v[0], 1);
        effects_add(p->effects, &v[1], stage < p->state->stage ? 1 : 0);
        effects_add(p->effects, &v[2],
                    instant_since(p->touch->key.at, funnel->start).us / US_PER_SECOND);
    }
}

static void begin(const struct passing *p)
{
    struct funnel_state *funnel = arena_new(p->state->arena, struct funnel_state);
    funnel->start = p->touch->key.at;
    funnel->segments = p->segments & p->policy->segments.with_figures;
    p->state->funnel = funnel;
}

void funnel_before(struct passing *p)
{
}

/* Only an inbound touch moves a journey on, or opens one. */
void funnel_after(struct passing *p)
{
    struct journey_state *s = p->state;
    if (s->stage <= p->stage_before || touch_key_compare(&s->last_inbound, &p->touch->key) != 0)
        return;
    if (p->stage_before == STAGE_NONE)
        begin(p);
    if (p->effects) {
        const struct shown_segments shown = segments_shown(p->policy, s->funnel->segments);
        for (uint32_t stage = p->stage_before + 1; stage <= s->stage; stage++)
            add_stage(p, s->funnel, &shown, stage);
    }
    if (s->stage >= highest_stage(p->policy))
        s->funnel = NULL;
}

struct funnel_state *funnel_copy(const struct funnel_state *from, struct arena *arena)
{
    struct funnel_state *copy = arena_new(arena, struct funnel_state);
    *copy = *from;
    return copy;
}

void funnel_pack(const struct journey_policy *policy, const struct journey_state *state,
                 struct strbuf *out)
{
    pack_age(out, state->last.at, state->funnel->start);
    pack_varint(out, state->funnel->segments);
}

void funnel_unpack(struct piece_bytes *bytes, const struct journey_policy *policy,
                   struct journey_state *state)
{
    struct funnel_state *funnel = arena_new(state->arena, struct funnel_state);
    funnel->start = unpack_age(&bytes->in, state->last.at);
    funnel->segments = (uint32_t)unpack_varint(&bytes->in);
    bytes->in.failed |= (funnel->segments & ~policy->segments.with_figures) != 0;
    state->funnel = funnel;
}
