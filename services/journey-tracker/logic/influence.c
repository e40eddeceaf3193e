/* influence.c: the piece of a state that follows customers on their paths to a goal, step by step.
 * Influence is computed from these steps.
 *
 * A creditable touch continues the open path of a goal if it comes at most the lookback after its
 * last touch; else it opens one. A conversion of the goal ends the path, and without a path it is
 * unprompted. A path that nothing continues ends by itself. All steps of a path count in the
 * segments before its first touch, so that in every segment as many go into a node as come out. */
#include "services/journey-tracker/logic/journey_internal.h"

struct open_path {
    uint32_t node; /* of the last touch; 0: no path is open */
    struct instant last;
    uint32_t segments; /* before the first touch */
};

struct influence_state {
    struct open_path open[POLICY_MAX_INFLUENCE];
    uint8_t done; /* bits: a rule that asks for the first conversion had it */
};

struct path_step {
    uint32_t from, to;
    struct instant at;
    uint32_t segments;
    bool is_sent;
    const struct touch *conversion; /* NULL: the step leads to none */
};

static void emit(const struct journey_policy *policy, const struct influence_rule *rule,
                 const struct path_step *step, struct journey_effects *effects)
{
    const struct shown_segments shown = segments_shown(policy, step->segments);
    struct cell_key key = {
        CELL_PATH, reporting_month(policy, step->at), {rule->goal_code, 0, step->from, step->to}};
    if (step->conversion)
        key.dims[4] = step->conversion->shape->currency;
    for (int i = 0; i < shown.count; i++) {
        key.dims[1] = shown.codes[i];
        int64_t *v = effects_cell(effects, &key);
        effects_add(effects, &v[0], 1);
        effects_add(effects, &v[2], step->is_sent ? 1 : 0);
        if (step->conversion)
            effects_add_micros(effects, v, 1, or_zero(step->conversion->value_micros));
    }
}

static struct instant end_of(const struct influence_rule *rule, const struct open_path *path)
{
    return instant_plus(path->last, rule->lookback);
}

static void emit_end(const struct journey_policy *policy, const struct influence_rule *rule,
                     const struct open_path *path, struct journey_effects *effects)
{
    emit(policy, rule,
         &(struct path_step){.from = path->node,
                             .to = policy->path_words[PATH_NONE],
                             .at = end_of(rule, path),
                             .segments = path->segments},
         effects);
}

/* Ends the paths that nothing continued in time. */
void influence_before(struct passing *p)
{
    struct influence_state *s = p->state->influence;
    for (uint32_t i = 0; s != NULL && i < p->policy->influence_count; i++) {
        const struct influence_rule *rule = &p->policy->influence[i];
        if (s->open[i].node == 0 ||
            instant_compare(p->touch->key.at, end_of(rule, &s->open[i])) <= 0)
            continue;
        if (p->effects)
            emit_end(p->policy, rule, &s->open[i], p->effects);
        s->open[i] = (struct open_path){0};
    }
}

static bool converts_for(const struct passing *p, uint32_t goal_code)
{
    for (uint8_t i = 0; i < p->conversions.count; i++)
        if (p->policy->conversions[p->conversions.rules[i]].goal_code == goal_code)
            return true;
    return false;
}

static bool converts(const struct passing *p, const struct influence_rule *rule)
{
    if (rule->counted_by < 0)
        return converts_for(p, rule->goal_code);
    return p->touch->shape->is_touch && p->touch->shape->direction == DIRECTION_INBOUND &&
           all_goals(p->policy, p->counted, p->nth_counted) >> rule->counted_by & 1;
}

/* A campaign may have the name of a word that steps use. */
static bool is_word(const struct journey_policy *policy, uint32_t code)
{
    for (int i = 0; i < PATH_WORDS; i++)
        if (policy->path_words[i] == code)
            return true;
    return false;
}

static uint32_t node_of(const struct journey_policy *policy, const struct influence_rule *rule,
                        const struct shape *shape)
{
    if (rule->node == PATH_BY_CHANNEL)
        return shape->channel;
    if (rule->node == PATH_BY_KIND || shape->campaign == 0 || is_word(policy, shape->campaign))
        return shape->kind;
    return shape->campaign;
}

static struct influence_state *influence_of(struct journey_state *state)
{
    if (state->influence == NULL)
        state->influence = arena_new(state->arena, struct influence_state);
    return state->influence;
}

static void pass_conversion(const struct passing *p, uint32_t i)
{
    const struct influence_rule *rule = &p->policy->influence[i];
    struct influence_state *s = influence_of(p->state);
    bool is_prompted = s->open[i].node != 0;
    if (p->effects)
        emit(p->policy, rule,
             &(struct path_step){.from = is_prompted ? s->open[i].node
                                                     : p->policy->path_words[PATH_START],
                                 .to = p->policy->path_words[PATH_CONVERSION],
                                 .at = p->touch->key.at,
                                 .segments = is_prompted ? s->open[i].segments : p->segments,
                                 .conversion = p->touch},
             p->effects);
    s->open[i] = (struct open_path){0};
    if (rule->first_only)
        s->done |= (uint8_t)(1 << i);
}

static void pass_step(const struct passing *p, uint32_t i)
{
    const struct influence_rule *rule = &p->policy->influence[i];
    struct open_path *path = &influence_of(p->state)->open[i];
    uint32_t from = path->node;
    if (from == 0) {
        from = p->policy->path_words[PATH_START];
        path->segments = p->segments;
    }
    path->node = node_of(p->policy, rule, p->touch->shape);
    path->last = p->touch->key.at;
    if (p->effects)
        emit(p->policy, rule,
             &(struct path_step){.from = from,
                                 .to = path->node,
                                 .at = path->last,
                                 .segments = path->segments,
                                 .is_sent = p->touch->shape->direction == DIRECTION_OUTBOUND},
             p->effects);
}

void influence_after(struct passing *p)
{
    const struct shape *shape = p->touch->shape;
    bool is_step = shape->is_touch && shape->creditable && !is_return(p->touch);
    for (uint32_t i = 0; i < p->policy->influence_count; i++) {
        if (p->state->influence && p->state->influence->done >> i & 1)
            continue;
        if (converts(p, &p->policy->influence[i]))
            pass_conversion(p, i);
        else if (is_step)
            pass_step(p, i);
    }
}

/* ---- the passing of time ---- */
static const struct open_path *open_path(const struct journey_state *state, uint32_t i)
{
    return state && state->influence && state->influence->open[i].node != 0
               ? &state->influence->open[i]
               : NULL;
}

static bool same_path(const struct open_path *a, const struct open_path *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return a->node == b->node && a->last.us == b->last.us && a->segments == b->segments;
}

void influence_trailing(const struct journey_policy *policy, const struct journey_state *before,
                        const struct journey_state *after, struct journey_effects *effects)
{
    for (uint32_t i = 0; i < policy->influence_count; i++) {
        const struct open_path *was = open_path(before, i), *is = open_path(after, i);
        if (same_path(was, is))
            continue;
        effects->sign = -1;
        if (was)
            emit_end(policy, &policy->influence[i], was, effects);
        effects->sign = 1;
        if (is)
            emit_end(policy, &policy->influence[i], is, effects);
    }
}

/* ---- storage ---- */
struct influence_state *influence_copy(const struct influence_state *from, struct arena *arena)
{
    struct influence_state *to = arena_new(arena, struct influence_state);
    *to = *from;
    return to;
}

/* 1       goals whose first conversion has come, as bits; then each open path:
 * 1 v v v number of the rule, from 1; node; last touch: microseconds before that of the last fact;
 *         segments before the first touch, as bits
 * 0       ends */
void influence_pack(const struct journey_policy *policy, const struct journey_state *state,
                    struct strbuf *out)
{
    bool is_open = false;
    for (uint32_t i = 0; i < policy->influence_count; i++)
        is_open |= open_path(state, i) != NULL;
    if (!is_open && state->influence->done == 0)
        return;
    pack_byte(out, state->influence->done);
    for (uint32_t i = 0; i < policy->influence_count; i++) {
        const struct open_path *path = open_path(state, i);
        if (path == NULL)
            continue;
        pack_byte(out, (uint8_t)(i + 1));
        pack_varint(out, path->node);
        pack_age(out, state->last.at, path->last);
        pack_varint(out, path->segments);
    }
    pack_byte(out, 0);
}

static void unpack_path(struct unpack *in, const struct journey_policy *policy,
                        const struct journey_state *state, struct open_path *path)
{
    uint64_t node = unpack_varint(in);
    path->last = unpack_age(in, state->last.at);
    uint64_t segments = unpack_varint(in);
    in->failed |= node == 0 || node > UINT32_MAX || segments >> policy->segments.count != 0;
    path->node = (uint32_t)node;
    path->segments = (uint32_t)segments;
}

void influence_unpack(struct piece_bytes *bytes, const struct journey_policy *policy,
                      struct journey_state *state)
{
    struct unpack *in = &bytes->in;
    struct influence_state *s = influence_of(state);
    uint8_t tag;
    s->done = unpack_byte(in);
    in->failed |= s->done >> policy->influence_count != 0;
    while ((tag = unpack_byte(in)) != 0 && !in->failed) {
        if (tag <= policy->influence_count)
            unpack_path(in, policy, state, &s->open[tag - 1]);
        else
            in->failed = true;
    }
}
