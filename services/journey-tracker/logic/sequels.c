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
    *to = *from;
    recent_copy(&to->steps, &from->steps, arena);
    return to;
}

static uint32_t at_most(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

void sequels_before(struct passing *p)
{
    struct sequels_state *s = p->state->sequels;
    if (s == NULL)
        return;
    recent_prune(&s->steps, instant_minus(p->touch->key.at, SEQUELS_WITHIN));
    s->unfollowed = at_most(s->unfollowed, s->steps.count);
    s->unscored = at_most(s->unscored, s->steps.count);
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
static void follow_all(const struct passing *p, struct sequels_state *s,
                       void (*emit)(const struct passing *p, const struct sequel *s),
                       uint32_t *waiting)
{
    for (uint32_t i = s->steps.count - *waiting; i < s->steps.count && p->effects; i++)
        emit(p, recent_at(&s->steps, i));
    *waiting = 0;
}

/* What waits for nothing any more goes. */
static void forget_done(struct sequels_state *s)
{
    uint32_t waiting = s->unfollowed > s->unscored ? s->unfollowed : s->unscored;
    recent_drop(&s->steps, s->steps.count - waiting);
}

static void remember_step(const struct passing *p, struct sequels_state *s)
{
    const struct recent_touch touch = {p->touch->key.at, p->touch->shape,
                                       p->segments & p->policy->segments.with_figures};
    struct sequel *step = recent_push(&s->steps, p->state->arena, &touch);
    step->from = p->step.from;
    step->from_department = p->step.from_department;
    step->stage = (uint8_t)p->step.stage;
    step->is_conversion = p->conversions.count > 0;
    s->unfollowed = at_most(s->unfollowed + 1, s->steps.count);
    s->unscored = at_most(s->unscored + 1, s->steps.count);
}

void sequels_after(struct passing *p)
{
    if (!p->touch->shape->is_touch)
        return;
    struct sequels_state *s = sequels_of(p->state);
    if (p->conversions.count > 0)
        follow_all(p, s, emit_conversion, &s->unfollowed);
    if (p->touch->score != SCORE_ABSENT)
        follow_all(p, s, emit_score, &s->unscored);
    forget_done(s);
    remember_step(p, s);
    if (p->effects && p->touch->cost_micros != MICROS_ABSENT)
        emit_money(p->effects, &p->step, p->touch->shape->currency, 2, p->touch->cost_micros);
}

/* ---- bytes ----
 *
 *   v v v   number of steps; how many of the newest wait for a conversion, and for a score
 *   v v z   of the first one: node and department that it comes from; microseconds before the
 *           last fact. Each of the others comes from the one before it
 *   each:
 *     v     of all but the first: microseconds since the one before
 *     v 1   code of its shape; stage, and 16 (conversion), 32 segments follow
 *     v     only with 32: segments before it, as bits */
enum { SEQUEL_STAGE = 15, SEQUEL_CONVERSION = 16, SEQUEL_SEGMENTS = 32 };

static void pack_sequel(struct strbuf *out, const struct sequel *s)
{
    pack_varint(out, s->touch.shape->code);
    pack_byte(out, (uint8_t)(s->stage | (s->is_conversion ? SEQUEL_CONVERSION : 0) |
                             (s->touch.segments ? SEQUEL_SEGMENTS : 0)));
    if (s->touch.segments)
        pack_varint(out, s->touch.segments);
}

void sequels_pack(const struct journey_policy *policy, const struct journey_state *state,
                  struct strbuf *out)
{
    const struct sequels_state *s = state->sequels;
    const struct sequel *before = NULL;
    (void)policy;
    if (s->steps.count == 0)
        return;
    pack_varint(out, s->steps.count);
    pack_varint(out, s->unfollowed);
    pack_varint(out, s->unscored);
    for (uint32_t i = 0; i < s->steps.count; i++) {
        const struct sequel *step = recent_at(&s->steps, i);
        if (before) {
            pack_varint(out, (uint64_t)wrap_sub(step->touch.at.us, before->touch.at.us));
        } else {
            pack_varint(out, step->from);
            pack_varint(out, step->from_department);
            pack_age(out, state->last.at, step->touch.at);
        }
        pack_sequel(out, step);
        before = step;
    }
}

static void unpack_sequel(struct piece_bytes *bytes, const struct journey_policy *policy,
                          struct journey_state *state)
{
    struct unpack *in = &bytes->in;
    struct recent *steps = &state->sequels->steps;
    struct sequel read = {0};
    if (steps->count == 0) {
        read.from = (uint32_t)unpack_varint(in);
        read.from_department = (uint32_t)unpack_varint(in);
        read.touch.at = unpack_age(in, state->last.at);
    } else {
        const struct sequel *before = recent_at(steps, steps->count - 1);
        read.from = node_of_sequel(policy, before);
        read.from_department = before->touch.shape->department;
        read.touch.at.us = wrap_add(before->touch.at.us, (int64_t)unpack_varint(in));
    }
    read.touch.shape = piece_shape(bytes, (uint32_t)unpack_varint(in));
    uint8_t flags = unpack_byte(in);
    read.stage = flags & SEQUEL_STAGE;
    read.is_conversion = flags & SEQUEL_CONVERSION;
    read.touch.segments = flags & SEQUEL_SEGMENTS ? (uint32_t)unpack_varint(in) : 0;
    in->failed |= read.stage >= STAGE_COUNT;
    if (!in->failed && !bytes->missing)
        *(struct sequel *)recent_push(steps, state->arena, &read.touch) = read;
}

void sequels_unpack(struct piece_bytes *bytes, const struct journey_policy *policy,
                    struct journey_state *state)
{
    struct sequels_state *s = sequels_of(state);
    uint64_t count = unpack_varint(&bytes->in);
    uint64_t unfollowed = unpack_varint(&bytes->in), unscored = unpack_varint(&bytes->in);
    bytes->in.failed |= count > SEQUELS_MAX || unfollowed > count || unscored > count;
    for (uint64_t i = 0; i < count && !bytes->in.failed && !bytes->missing; i++)
        unpack_sequel(bytes, policy, state);
    s->unfollowed = (uint32_t)unfollowed;
    s->unscored = (uint32_t)unscored;
}
