/* opportunities.c: what a fact does to each offer: it ends, accepts or cancels the opportunity that
 * is live, and it opens another one or is covered. */
#include "services/journey-tracker/logic/opportunities.h"

#include "services/journey-tracker/logic/journey_internal.h"

/* ---- ids ---- */
static void add_part(struct strbuf *out, const void *bytes, size_t len)
{
    pack_be32(out, (uint32_t)len);
    strbuf_add(out, bytes, len);
}

static void add_number(struct strbuf *out, int64_t number)
{
    uint64_t big_endian = __builtin_bswap64((uint64_t)number);
    add_part(out, &big_endian, sizeof big_endian);
}

struct id opportunity_id(struct arena *arena, const struct offer_rules *rules,
                         const struct offer *offer, const struct offer_trigger *trigger)
{
    struct strbuf parts = {.arena = arena};
    add_part(&parts, offer->rule_id.ptr, offer->rule_id.len);
    add_part(&parts, offer->id.ptr, offer->id.len);
    add_part(&parts, trigger->event_id.bytes, sizeof trigger->event_id.bytes);
    add_number(&parts, trigger->at.us);
    add_number(&parts, trigger->anchor);
    return rules->digest(strbuf_span(&parts));
}

static uint64_t key_of(const struct id *id)
{
    return id_half(id, 0);
}

uint64_t opportunity_key(struct span text)
{
    struct id id;
    return id_from_uuid(text, &id) ? key_of(&id) : 0;
}

/* ---- what a state remembers ---- */
static struct opportunities_state *held_of(struct journey_state *state)
{
    if (state->opportunities == NULL)
        state->opportunities = arena_new(state->arena, struct opportunities_state);
    return state->opportunities;
}

struct opportunities_state *opportunities_copy(const struct opportunities_state *from,
                                               struct arena *arena)
{
    if (from->count == 0)
        return NULL;
    struct opportunities_state *to = arena_new(arena, struct opportunities_state);
    to->count = to->capacity = from->count;
    to->items = arena_alloc(arena, from->count * sizeof *to->items);
    memcpy(to->items, from->items, from->count * sizeof *to->items);
    return to;
}

/* Where the offer's opportunity is, or would be. */
static size_t place_of(const struct opportunities_state *s, uint8_t offer)
{
    size_t i = 0;
    while (i < s->count && s->items[i].offer < offer)
        i++;
    return i;
}

static struct offer_held *find_held(const struct opportunities_state *s, uint8_t offer)
{
    if (s == NULL)
        return NULL;
    size_t i = place_of(s, offer);
    return i < s->count && s->items[i].offer == offer ? &s->items[i] : NULL;
}

static struct offer_held *add_held(struct journey_state *state, uint8_t offer)
{
    struct opportunities_state *s = held_of(state);
    size_t i = place_of(s, offer);
    if (i == s->count || s->items[i].offer != offer) {
        arena_push(state->arena, s);
        memmove(s->items + i + 1, s->items + i, (s->count - 1 - i) * sizeof *s->items);
    }
    s->items[i] = (struct offer_held){.offer = offer};
    return &s->items[i];
}

static void drop_held(struct opportunities_state *s, struct offer_held *held)
{
    struct offer_held *end = s->items + s->count--;
    memmove(held, held + 1, (size_t)(end - held - 1) * sizeof *held);
}

static bool is_live(const struct offer_held *held, const struct offer *offer, struct instant t)
{
    return !held->has_ended && instant_since(t, held->trigger.at).us < offer->expires.us;
}

/* Whether a trigger at t is covered, and opens no other one. */
static bool covers(const struct offer_held *held, const struct offer *offer, struct instant t)
{
    return is_live(held, offer, t) || instant_since(t, held->trigger.at).us < offer->cooling.us;
}

/* Forgets what neither lives nor cools. */
static void prune(const struct journey_policy *policy, struct opportunities_state *s,
                  struct instant t)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++)
        if (covers(&s->items[i], &policy->offers.items[s->items[i].offer], t))
            s->items[kept++] = s->items[i];
    s->count = kept;
}

void opportunities_before(struct passing *p)
{
    if (p->state->opportunities)
        prune(p->policy, p->state->opportunities, p->touch->key.at);
}

/* ---- a fact comes ---- */
/* What a fact does to one offer, in this order. */
enum phase { PHASE_ANSWER, PHASE_TRIGGER, PHASE_SEGMENT };

/* One offer's turn of a fact. */
struct turn {
    const struct passing *p;
    const struct offer *offer;
    uint8_t index;        /* of the offer */
    bool matches_filters; /* the fact may match any */
    uint32_t segments;    /* after the fact */
};

static bool matches(const struct turn *turn, const struct offer_filters *filters)
{
    for (int i = 0; i < filters->count && turn->matches_filters; i++)
        if (touch_matches(turn->p->policy, turn->p->touch, filters->items[i]))
            return true;
    return false;
}

static struct id id_of(const struct turn *turn, const struct offer_trigger *trigger)
{
    return opportunity_id(turn->p->state->arena, &turn->p->policy->offers, turn->offer, trigger);
}

static void emit(const struct turn *turn, const struct offer_held *held, enum phase phase,
                 enum opportunity_step step)
{
    struct journey_effects *effects = turn->p->effects;
    if (effects == NULL)
        return;
    *arena_push(effects->arena, &effects->opportunities) =
        (struct opportunity_row){.by = turn->p->touch->key,
                                 .id = id_of(turn, &held->trigger),
                                 .trigger = held->trigger,
                                 .rule_code = turn->offer->rule_code,
                                 .code = turn->offer->code,
                                 .offer = turn->index,
                                 .phase = (uint8_t)phase,
                                 .step = (uint8_t)step};
}

/* The names of what has ended play no part any more. */
static void end(const struct turn *turn, struct offer_held *held, enum opportunity_step step)
{
    emit(turn, held, PHASE_ANSWER, step);
    held->has_ended = true;
    held->base = 0;
    held->name_count = 0;
}

static void cancel(const struct turn *turn, struct offer_held *held, enum phase phase)
{
    emit(turn, held, phase, STEP_CANCELLED);
    drop_held(turn->p->state->opportunities, held);
}

static bool is_named(const struct turn *turn, const struct offer_held *held)
{
    uint64_t key = turn->p->touch->opportunity;
    struct id own = id_of(turn, &held->trigger);
    if (key == key_of(&own))
        return true;
    for (int i = 0; i < held->name_count; i++)
        if (held->names[i] == key)
            return true;
    return false;
}

/* The live one ends or is accepted. Yields it if it is still live. */
static struct offer_held *pass_answer(const struct turn *turn, struct offer_held *held)
{
    const struct touch *touch = turn->p->touch;
    bool answers = touch->opportunity != 0 && touch->shape->answer != 0;
    if (matches(turn, &turn->offer->done_on)) {
        end(turn, held, STEP_WON);
        return NULL;
    }
    if (matches(turn, &turn->offer->cancel_on)) {
        cancel(turn, held, PHASE_ANSWER);
        return NULL;
    }
    if (!answers || !is_named(turn, held))
        return held;
    if (touch->shape->answer == STEP_DECLINED) {
        end(turn, held, STEP_DECLINED);
        return NULL;
    }
    if (!held->is_accepted)
        emit(turn, held, PHASE_ANSWER, STEP_ACCEPTED);
    held->is_accepted = true;
    return held;
}

static void add_name(const struct turn *turn, struct offer_held *held,
                     const struct offer_trigger *trigger)
{
    struct id id = id_of(turn, trigger);
    if (held->name_count == OFFER_NAMES_MAX)
        memmove(held->names, held->names + 1, --held->name_count * sizeof *held->names);
    held->names[held->name_count++] = key_of(&id);
}

static void pass_trigger(const struct turn *turn, struct offer_held *held)
{
    const struct touch_key *key = &turn->p->touch->key;
    const struct offer_trigger trigger = {key->at, key->event_id, key->anchor};
    if (held && covers(held, turn->offer, key->at)) {
        emit(turn, held, PHASE_TRIGGER, STEP_COVERED);
        if (!held->has_ended && is_live(held, turn->offer, key->at))
            add_name(turn, held, &trigger);
        return;
    }
    if (turn->p->segments & turn->offer->not_if)
        return;
    struct offer_held *opened = add_held(turn->p->state, turn->index);
    opened->trigger = trigger;
    opened->base = turn->segments & turn->offer->not_if;
    emit(turn, opened, PHASE_TRIGGER, STEP_OPENED);
}

static void take_turn(const struct turn *turn)
{
    struct offer_held *held = find_held(turn->p->state->opportunities, turn->index);
    bool was_live = held && is_live(held, turn->offer, turn->p->touch->key.at);
    bool is_still = was_live && pass_answer(turn, held) != NULL;
    if (matches(turn, &turn->offer->on))
        pass_trigger(turn, find_held(turn->p->state->opportunities, turn->index));
    if (is_still && turn->segments & turn->offer->not_if & ~held->base)
        cancel(turn, held, PHASE_SEGMENT);
}

void opportunities_after(struct passing *p)
{
    const struct offer_rules *rules = &p->policy->offers;
    if (rules->count == 0)
        return;
    bool asks = passing_counts(p) && passing_asks(p, &rules->filters);
    const struct opportunities_state *s = p->state->opportunities;
    if (!asks && (s == NULL || s->count == 0))
        return;
    struct turn turn = {
        .p = p, .matches_filters = asks, .segments = rules->not_if ? segments_now(p) : 0};
    for (uint8_t i = 0; i < rules->count; i++) {
        turn.offer = &rules->items[i];
        turn.index = i;
        take_turn(&turn);
    }
    if (p->state->opportunities)
        prune(p->policy, p->state->opportunities, p->touch->key.at);
}

/* ---- storage ----
 *   1       number of offers with an opportunity; for each:
 *     1 1     position of the offer; 1 accepted, 2 ended, and 4 times the number of names
 *     v 16 8  trigger: microseconds before last_seen, event_id, anchor
 *     v       segments after it, only as long as it lives
 *     8...    names */
enum { HELD_ACCEPTED = 1, HELD_ENDED = 2, HELD_NAMES = 4 };

/* Names and segments matter as long as it lives. */
static void pack_held(struct strbuf *out, const struct offer_rules *rules,
                      const struct offer_held *held, struct instant last)
{
    bool lives = is_live(held, &rules->items[held->offer], last);
    int names = lives ? held->name_count : 0;
    pack_byte(out, held->offer);
    pack_byte(out, (uint8_t)((held->is_accepted ? HELD_ACCEPTED : 0) |
                             (held->has_ended ? HELD_ENDED : 0) | names * HELD_NAMES));
    pack_age(out, last, held->trigger.at);
    pack_id(out, held->trigger.event_id);
    pack_be64(out, (uint64_t)held->trigger.anchor);
    if (lives)
        pack_varint(out, held->base);
    for (int i = 0; i < names; i++)
        pack_be64(out, held->names[i]);
}

void opportunities_pack(const struct journey_policy *policy, const struct journey_state *state,
                        struct strbuf *out)
{
    const struct opportunities_state *s = state->opportunities;
    if (s->count == 0)
        return;
    pack_byte(out, (uint8_t)s->count);
    for (size_t i = 0; i < s->count; i++)
        pack_held(out, &policy->offers, &s->items[i], state->last.at);
}

static bool unpack_held(struct unpack *in, const struct offer_rules *rules,
                        struct journey_state *state, int least)
{
    uint8_t offer = unpack_byte(in), flags = unpack_byte(in);
    if (in->failed || offer < least || offer >= rules->count ||
        flags >= (OFFER_NAMES_MAX + 1) * HELD_NAMES)
        return false;
    struct offer_held *held = add_held(state, offer);
    held->is_accepted = flags & HELD_ACCEPTED;
    held->has_ended = flags & HELD_ENDED;
    held->trigger.at = unpack_age(in, state->last.at);
    held->trigger.event_id = unpack_id(in);
    held->trigger.anchor = (int64_t)unpack_be64(in);
    if (is_live(held, &rules->items[offer], state->last.at))
        held->base = (uint32_t)unpack_varint(in);
    for (int n = flags / HELD_NAMES; held->name_count < n; held->name_count++)
        held->names[held->name_count] = unpack_be64(in);
    return !in->failed;
}

void opportunities_unpack(struct piece_bytes *bytes, const struct journey_policy *policy,
                          struct journey_state *state)
{
    int least = 0;
    for (int n = unpack_byte(&bytes->in); n > 0 && !bytes->in.failed; n--) {
        if (!unpack_held(&bytes->in, &policy->offers, state, least))
            bytes->in.failed = true;
        else
            least = state->opportunities->items[state->opportunities->count - 1].offer + 1;
    }
}

/* ---- rows ---- */
int opportunities_order(const struct opportunity_row *a, const struct opportunity_row *b)
{
    int c = touch_key_compare(&a->by, &b->by);
    if (c == 0)
        c = a->offer - b->offer;
    return c ? c : a->phase - b->phase;
}

unsigned opportunities_change(const struct opportunity_row *before, struct opportunity_row *after)
{
    return before->step == after->step && id_equal(&before->id, &after->id)
               ? 0
               : ROW_REMOVE | ROW_WRITE;
}

/* ---- rules ---- */
static void add_filters(struct filter_set *set, const struct offer_filters *filters)
{
    for (int i = 0; i < filters->count; i++)
        filter_set_add(set, filters->items[i]);
}

void offer_rules_finish(struct offer_rules *rules)
{
    for (uint32_t i = 0; i < rules->count; i++) {
        const struct offer *offer = &rules->items[i];
        add_filters(&rules->filters, &offer->on);
        add_filters(&rules->filters, &offer->done_on);
        add_filters(&rules->filters, &offer->cancel_on);
        rules->not_if |= offer->not_if;
    }
}
