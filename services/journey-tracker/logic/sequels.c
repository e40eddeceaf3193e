/* sequels.c: a touch is the sequel of steps before it, and becomes one that waits for a sequel. */
#include "services/journey-tracker/logic/sequels.h"

static struct sequels_state *sequels_of(struct journey_state *state)
{
    if (state->sequels == NULL) {
        state->sequels = arena_calloc(state->arena, 1, sizeof *state->sequels);
        state->sequels->steps = (struct recent){.size = sizeof(struct sequel), .max = SEQUELS_MAX};
    }
    return state->sequels;
}

struct sequels_state *sequels_copy(const struct sequels_state *from, struct arena *arena)
{
    struct sequels_state *to = arena_alloc(arena, sizeof *to);
    recent_copy(&to->steps, &from->steps, arena);
    return to;
}

void sequels_before(struct passing *p)
{
    if (p->state->sequels)
        recent_prune(&p->state->sequels->steps, instant_minus(p->touch->key.at, SEQUELS_WITHIN));
}

/* ---- cells ---- */
static uint32_t node_of_sequel(const struct journey_policy *policy, const struct sequel *s)
{
    return s->is_conversion ? policy->conversion_node : s->touch.shape->kind;
}

static struct step step_of(const struct journey_policy *policy, const struct sequel *s,
                           const struct shown_segments *shown)
{
    return (struct step){.shown = shown,
                         .month = reporting_month(policy, s->touch.at),
                         .stage = s->stage,
                         .from = s->from,
                         .to = node_of_sequel(policy, s),
                         .from_department = s->from_department,
                         .to_department = s->touch.shape->department};
}

static void emit_after(struct journey_effects *effects, const struct step *step, int which,
                       int64_t amount)
{
    for (int i = 0; i < step->shown->count; i++) {
        const struct cell_key key = step_key(CELL_STEP_AFTER, step, step->shown->codes[i]);
        int64_t *v = effects_cell(effects, &key);
        effects_add(effects, &v[which], amount);
        if (which == 1)
            effects_add(effects, &v[2], 1);
    }
}

/* Money of a step: value 1 is revenue, 2 is cost. */
static void emit_money(struct journey_effects *effects, const struct step *step, uint32_t currency,
                       int which, int64_t micros)
{
    for (int i = 0; i < step->shown->count && micros != 0; i++) {
        struct cell_key key = step_key(CELL_STEP_MONEY, step, step->shown->codes[i]);
        key.dims[6] = currency;
        effects_add_micros(effects, effects_cell(effects, &key), which, micros);
    }
}

static void emit_conversion(const struct passing *p, const struct sequel *s)
{
    const struct shown_segments shown = segments_shown(p->policy, s->touch.segments);
    const struct step step = step_of(p->policy, s, &shown);
    emit_after(p->effects, &step, 0, 1);
    emit_money(p->effects, &step, p->touch->shape->currency, 1, or_zero(p->touch->value_micros));
}

static void emit_score(const struct passing *p, const struct sequel *s)
{
    const struct shown_segments shown = segments_shown(p->policy, s->touch.segments);
    const struct step step = step_of(p->policy, s, &shown);
    emit_after(p->effects, &step, 1, p->touch->score);
}

/* ---- a touch comes ---- */
static void follow(const struct passing *p, struct sequel *s)
{
    if (p->conversion >= 0 && !s->is_followed) {
        s->is_followed = true;
        if (p->effects)
            emit_conversion(p, s);
    }
    if (p->touch->score != SCORE_ABSENT && !s->is_scored) {
        s->is_scored = true;
        if (p->effects)
            emit_score(p, s);
    }
}

/* One more touch has come. What has both, or is too many touches ago, waits no longer. */
static void follow_all(const struct passing *p, struct recent *steps)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < steps->count; i++) {
        struct sequel *s = recent_at(steps, i);
        if (++s->ago > SEQUELS_MAX)
            continue;
        follow(p, s);
        if (s->is_followed && s->is_scored)
            continue;
        if (kept != i)
            memcpy(recent_at(steps, kept), s, sizeof *s);
        kept++;
    }
    steps->count = kept;
}

static void remember_step(const struct passing *p)
{
    const struct recent_touch touch = {p->touch->key.at, p->touch->shape,
                                       p->segments & p->policy->segments.with_figures};
    struct sequel *s = recent_push(&sequels_of(p->state)->steps, p->state->arena, &touch);
    s->from = p->step.from;
    s->from_department = p->step.from_department;
    s->stage = (uint8_t)p->step.stage;
    s->is_conversion = p->conversion >= 0;
}

void sequels_after(struct passing *p)
{
    if (!p->touch->shape->is_touch)
        return;
    follow_all(p, &sequels_of(p->state)->steps);
    remember_step(p);
    if (p->effects && p->touch->cost_micros != MICROS_ABSENT)
        emit_money(p->effects, &p->step, p->touch->shape->currency, 2, p->touch->cost_micros);
}

/* Nothing follows by the passing of time. */
void sequels_trailing(const struct journey_policy *policy, const struct journey_state *before,
                      const struct journey_state *after, struct journey_effects *effects)
{
    (void)policy, (void)before, (void)after, (void)effects;
}

/* ---- bytes ---- */
/* CHAINED: it comes from the item before. */
enum {
    SEQUEL_STAGE = 15,
    SEQUEL_CONVERSION = 16,
    SEQUEL_FOLLOWED = 32,
    SEQUEL_SCORED = 64,
    SEQUEL_CHAINED = 128
};

static bool is_chained(const struct journey_policy *policy, const struct sequel *before,
                       const struct sequel *s)
{
    return before && s->from == node_of_sequel(policy, before) &&
           s->from_department == before->touch.shape->department;
}

static void pack_sequel(const struct journey_policy *policy, struct strbuf *out,
                        struct instant last, const struct sequel *before, const struct sequel *s)
{
    bool chained = is_chained(policy, before, s);
    recent_pack(out, last, &s->touch);
    pack_byte(out, (uint8_t)(s->stage | (s->is_conversion ? SEQUEL_CONVERSION : 0) |
                             (s->is_followed ? SEQUEL_FOLLOWED : 0) |
                             (s->is_scored ? SEQUEL_SCORED : 0) | (chained ? SEQUEL_CHAINED : 0)));
    pack_byte(out, s->ago);
    if (chained)
        return;
    pack_varint(out, s->from);
    pack_varint(out, s->from_department);
}

void sequels_pack(const struct journey_policy *policy, const struct journey_state *state,
                  struct strbuf *out)
{
    const struct recent *steps = &state->sequels->steps;
    const struct sequel *before = NULL;
    if (steps->count == 0)
        return;
    pack_byte(out, (uint8_t)steps->count);
    for (uint32_t i = 0; i < steps->count; i++) {
        const struct sequel *s = recent_at(steps, i);
        pack_sequel(policy, out, state->last.at, before, s);
        before = s;
    }
}

static void unpack_sequel(struct piece_bytes *bytes, const struct journey_policy *policy,
                          struct journey_state *state)
{
    struct unpack *in = &bytes->in;
    struct recent *steps = &state->sequels->steps;
    const struct recent_touch touch = recent_unpack(bytes, state->last.at);
    struct sequel *s = recent_push(steps, state->arena, &touch);
    uint8_t flags = unpack_byte(in);
    s->stage = flags & SEQUEL_STAGE;
    s->is_conversion = flags & SEQUEL_CONVERSION;
    s->is_followed = flags & SEQUEL_FOLLOWED;
    s->is_scored = flags & SEQUEL_SCORED;
    s->ago = unpack_byte(in);
    in->failed |= s->stage >= STAGE_COUNT || (flags & SEQUEL_CHAINED && steps->count < 2);
    if (in->failed)
        return;
    if (flags & SEQUEL_CHAINED) {
        const struct sequel *before = recent_at(steps, steps->count - 2);
        s->from = node_of_sequel(policy, before);
        s->from_department = before->touch.shape->department;
    } else {
        s->from = (uint32_t)unpack_varint(in);
        s->from_department = (uint32_t)unpack_varint(in);
    }
}

void sequels_unpack(struct piece_bytes *bytes, const struct journey_policy *policy,
                    struct journey_state *state)
{
    sequels_of(state);
    uint8_t count = unpack_byte(&bytes->in);
    bytes->in.failed |= count > SEQUELS_MAX;
    for (uint8_t i = 0; i < count && !bytes->in.failed && !bytes->missing; i++)
        unpack_sequel(bytes, policy, state);
}

static struct span packed(const struct journey_policy *policy, const struct journey_state *state)
{
    struct strbuf out = {.arena = state->arena};
    if (state->sequels)
        sequels_pack(policy, state, &out);
    return strbuf_span(&out);
}

bool sequels_equal(const struct journey_policy *policy, const struct journey_state *a,
                   const struct journey_state *b)
{
    return span_equal(packed(policy, a), packed(policy, b));
}
