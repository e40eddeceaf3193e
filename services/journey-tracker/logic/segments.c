/* segments.c: what is true of a customer at an instant, when it stops by itself, and what a fact
 * changes. */
#include <stdlib.h>

#include "services/journey-tracker/logic/journey_internal.h"
#include "services/journey-tracker/logic/trait.h"

/* ---- what a state remembers ---- */
struct segments_state *segments_of(const struct journey_policy *policy, struct journey_state *state)
{
    const struct segment_rules *rules = &policy->segments;
    if (state->segments)
        return state->segments;
    size_t slots = rules->slot_count * sizeof *state->segments->slots;
    struct segments_state *s = arena_alloc(state->arena, sizeof *s + slots);
    memset(s, 0, sizeof *s + slots);
    s->first = INSTANT_FIRST;
    s->slot_count = rules->slot_count;
    return state->segments = s;
}

static void copy_slot(struct slot_state *to, const struct slot_state *from, struct arena *arena)
{
    *to = *from;
    if (from->kept > 0) {
        to->times = arena_alloc(arena, SEGMENT_TIMES_MAX * sizeof *to->times);
        memcpy(to->times, from->times, from->kept * sizeof *to->times);
    } else {
        to->times = NULL;
    }
    to->day_capacity = from->day_count;
    to->days = NULL;
    if (from->day_count > 0) {
        to->days = arena_alloc(arena, from->day_count * sizeof *to->days);
        memcpy(to->days, from->days, from->day_count * sizeof *to->days);
    }
}

struct segments_state *segments_copy(const struct segments_state *from, struct arena *arena)
{
    struct segments_state *to =
        arena_alloc(arena, sizeof *to + from->slot_count * sizeof *to->slots);
    *to = *from;
    for (uint32_t i = 0; i < from->slot_count; i++)
        copy_slot(&to->slots[i], &from->slots[i], arena);
    return to;
}

/* Whether a window that begins at `from` still holds at t. */
static bool is_within(struct instant from, struct duration window, struct instant t)
{
    return instant_since(t, from).us < window.us;
}

/* ---- the truth of an atom ---- */
/* An instant at which to ask: windows there; stage and status after the deadlines up to `deadline`.
 */
struct asking {
    const struct journey_policy *policy;
    const struct journey_state *state;
    const struct segments_state *s;
    struct instant t;
    int32_t day;
    uint8_t stage, status;
};

static struct asking ask_at(const struct journey_policy *policy, const struct journey_state *state,
                            struct instant t, bool before_touch)
{
    struct asking a = {policy, state, state->segments, t, reporting_day(policy, t), 0, 0};
    struct deadline deadlines[DEADLINES_MAX];
    if (!policy->segments.has_places)
        return a;
    a.stage = state->stage;
    a.status = state->status;
    size_t n = journey_deadlines(policy, state, deadlines);
    for (size_t i = 0; i < n && instant_compare(deadlines[i].at, t) < (before_touch ? 0 : 1); i++) {
        a.status = deadlines[i].to_status;
        if (deadlines[i].reason == REASON_EXIT)
            a.stage = STAGE_NONE;
    }
    return a;
}

/* The n-th newest time that is kept, from 1; INSTANT_FIRST: there are not so many. */
static struct instant nth_newest(const struct slot_state *slot, int64_t n)
{
    return n <= slot->kept ? slot->times[slot->kept - n] : INSTANT_FIRST;
}

static bool has_done(const struct asking *a, const struct segment_atom *atom)
{
    const struct slot_state *slot = &a->s->slots[atom->slot];
    if (atom->within.us == 0)
        return slot->ever >= atom->bound;
    struct instant nth = nth_newest(slot, atom->bound);
    return instant_is_set(nth) && is_within(nth, atom->within, a->t);
}

static bool reaches(const struct segment_atom *atom, micros_sum sum)
{
    return (sum >= atom->bound) != atom->is_most;
}

/* The first day of the ledger that is less than `days` before `day`. */
static uint32_t first_day(const struct slot_state *slot, int32_t day, int32_t days)
{
    uint32_t i = 0;
    while (i < slot->day_count && (int64_t)slot->days[i].day + days <= day)
        i++;
    return i;
}

static micros_sum spent_from(const struct slot_state *slot, uint32_t from)
{
    micros_sum sum = 0;
    for (uint32_t i = from; i < slot->day_count; i++)
        sum = sum_add(sum, slot->days[i].amount);
    return sum;
}

static bool is_wanted_score(const struct segment_atom *atom, int64_t score)
{
    return atom->is_most ? score <= atom->bound : score >= atom->bound;
}

static bool is_wanted_trait(const struct segment_atom *atom, const struct slot_state *slot)
{
    if (!slot->is_set || slot->is_nothing)
        return false;
    if (atom->test == TRAIT_AT_LEAST)
        return slot->value >= atom->bound;
    if (atom->test == TRAIT_AT_MOST)
        return slot->value <= atom->bound;
    for (int i = 0; i < atom->value_count; i++)
        if (atom->values[i] == slot->value)
            return true;
    return atom->test == TRAIT_IS_KNOWN;
}

/* Whether what is set at slot->at still holds. */
static bool is_open(const struct slot_state *slot, const struct segment_atom *atom,
                    struct instant t)
{
    return slot->is_set && (atom->within.us == 0 || is_within(slot->at, atom->within, t));
}

static bool atom_holds(const struct asking *a, const struct segment_atom *atom)
{
    const struct slot_state *slot = &a->s->slots[atom->slot];
    switch (atom->kind) {
    case ATOM_DID:
        return has_done(a, atom) != atom->is_most;
    case ATOM_SPENT:
        return reaches(atom, spent_from(slot, first_day(slot, a->day, atom->days)));
    case ATOM_OPEN:
        return is_open(slot, atom, a->t);
    case ATOM_SCORE:
        return is_open(slot, atom, a->t) && is_wanted_score(atom, slot->value);
    case ATOM_TRAIT:
        return is_wanted_trait(atom, slot);
    case ATOM_NEW:
        return instant_is_set(a->s->first) && is_within(a->s->first, atom->within, a->t);
    case ATOM_STAGE:
        return atom->places >> a->stage & 1;
    case ATOM_STATUS:
        return a->status != STATUS_NONE && atom->places >> a->status & 1;
    }
    return false;
}

static uint64_t atoms_at(const struct asking *a)
{
    const struct segment_rules *rules = &a->policy->segments;
    uint64_t atoms = 0;
    for (uint32_t i = 0; i < rules->atom_count; i++)
        atoms |= (uint64_t)atom_holds(a, &rules->atoms[i]) << i;
    return atoms;
}

/* Goes on to the node after the condition. The depth is bounded by the parser. */
static bool node_holds(const struct segment_node **at, uint64_t atoms, uint32_t segments)
{
    const struct segment_node *node = (*at)++;
    if (node->kind == NODE_ATOM)
        return atoms >> node->value & 1;
    if (node->kind == NODE_SEGMENT)
        return segments >> node->value & 1;
    if (node->kind == NODE_NOT)
        return !node_holds(at, atoms, segments);
    bool all = true, any = false;
    for (int i = 0; i < node->value; i++) {
        bool holds = node_holds(at, atoms, segments);
        all &= holds;
        any |= holds;
    }
    return node->kind == NODE_ALL ? all : any;
}

/* Bits of the segments, given the atoms. */
static uint32_t mask_of(const struct segment_rules *rules, uint64_t atoms)
{
    uint32_t mask = 0;
    for (uint32_t i = 0; i < rules->count; i++) {
        const struct segment_node *at = rules->items[i].when.items;
        mask |= (uint32_t)node_holds(&at, atoms, mask) << i;
    }
    return mask;
}

static uint32_t mask_at(const struct journey_policy *policy, const struct journey_state *state,
                        struct instant t, bool before_touch)
{
    const struct asking a = ask_at(policy, state, t, before_touch);
    return mask_of(&policy->segments, atoms_at(&a));
}

/* ---- what the passing of time changes ---- */
/* An atom changes its truth. */
struct toggle {
    struct instant at;
    uint8_t atom;
};
struct toggles {
    struct toggle *items;
    size_t count, capacity;
};

static struct instant midnight(const struct journey_policy *policy, int64_t day)
{
    return zone_midnight(&policy->zone, (int32_t)day);
}

/* The end of the window that holds the atom's truth; INSTANT_NEVER: it has none. */
static struct instant window_end(const struct segments_state *s, const struct segment_atom *atom)
{
    const struct slot_state *slot = &s->slots[atom->slot];
    struct instant from = INSTANT_FIRST;
    if (atom->kind == ATOM_DID && atom->within.us > 0)
        from = nth_newest(slot, atom->bound);
    else if (atom->kind == ATOM_NEW)
        from = s->first;
    else if (atom->kind == ATOM_OPEN && slot->is_set)
        from = slot->at;
    else if (atom->kind == ATOM_SCORE && slot->is_set && is_wanted_score(atom, slot->value))
        from = slot->at;
    return instant_is_set(from) && atom->within.us > 0 ? instant_plus(from, atom->within)
                                                       : INSTANT_NEVER;
}

/* The earliest change of the atoms after the last fact, or something before it. */
static struct instant next_change(const struct asking *a)
{
    const struct segment_rules *rules = &a->policy->segments;
    struct instant due = INSTANT_NEVER;
    for (uint32_t i = 0; i < rules->atom_count; i++) {
        const struct segment_atom *atom = &rules->atoms[i];
        struct instant end = window_end(a->s, atom);
        if (atom->kind == ATOM_SPENT) {
            const struct slot_state *slot = &a->s->slots[atom->slot];
            uint32_t first = first_day(slot, a->day, atom->days);
            if (first < slot->day_count)
                end = midnight(a->policy, (int64_t)slot->days[first].day + atom->days);
        }
        if (instant_compare(end, a->t) > 0 && instant_compare(end, due) < 0)
            due = end;
    }
    struct deadline deadlines[DEADLINES_MAX];
    size_t n = rules->has_places ? journey_deadlines(a->policy, a->state, deadlines) : 0;
    for (size_t i = 0; i < n; i++)
        if (instant_compare(deadlines[i].at, a->t) > 0 && instant_compare(deadlines[i].at, due) < 0)
            due = deadlines[i].at;
    return due;
}

/* Fills what is true at the instant of the last fact. */
static void know(const struct journey_policy *policy, const struct journey_state *state)
{
    struct segments_state *s = state->segments;
    if (s->is_known)
        return;
    const struct asking a = ask_at(policy, state, state->last.at, false);
    s->atoms = atoms_at(&a);
    s->mask = mask_of(&policy->segments, s->atoms);
    s->due = next_change(&a);
    s->is_known = true;
}

static void add_toggle(struct toggles *list, struct arena *arena, struct instant at, uint32_t atom)
{
    *arena_push(arena, list) = (struct toggle){at, (uint8_t)atom};
}

/* Day after day leaves the window. */
static void add_ledger(const struct asking *a, uint32_t index, struct toggles *list,
                       struct arena *arena)
{
    const struct segment_atom *atom = &a->policy->segments.atoms[index];
    const struct slot_state *slot = &a->s->slots[atom->slot];
    uint32_t from = first_day(slot, a->day, atom->days);
    micros_sum sum = spent_from(slot, from);
    bool holds = reaches(atom, sum);
    for (uint32_t i = from; i < slot->day_count; i++) {
        sum = sum_sub(sum, slot->days[i].amount);
        if (reaches(atom, sum) == holds)
            continue;
        holds = !holds;
        add_toggle(list, arena, midnight(a->policy, (int64_t)slot->days[i].day + atom->days),
                   index);
    }
}

/* Deadlines of stage and status after the last fact. */
static void add_deadlines(const struct asking *a, uint32_t index, struct toggles *list,
                          struct arena *arena)
{
    struct asking at = *a;
    struct deadline deadlines[DEADLINES_MAX];
    size_t n = journey_deadlines(a->policy, a->state, deadlines);
    bool holds = atom_holds(a, &a->policy->segments.atoms[index]);
    for (size_t i = 0; i < n; i++) {
        if (instant_compare(deadlines[i].at, a->t) <= 0)
            continue;
        at.status = deadlines[i].to_status;
        at.stage = deadlines[i].reason == REASON_EXIT ? STAGE_NONE : at.stage;
        if (atom_holds(&at, &a->policy->segments.atoms[index]) == holds)
            continue;
        holds = !holds;
        add_toggle(list, arena, deadlines[i].at, index);
    }
}

static int toggle_order(const void *a, const void *b)
{
    return instant_compare(((const struct toggle *)a)->at, ((const struct toggle *)b)->at);
}

/* All changes of atoms after the last fact, if no other follows. */
static struct toggles toggles_after(const struct asking *a, struct arena *arena)
{
    const struct segment_rules *rules = &a->policy->segments;
    struct toggles list = {0};
    for (uint32_t i = 0; i < rules->atom_count; i++) {
        const struct segment_atom *atom = &rules->atoms[i];
        struct instant end = window_end(a->s, atom);
        if (atom->kind == ATOM_SPENT)
            add_ledger(a, i, &list, arena);
        else if (atom->kind == ATOM_STAGE || atom->kind == ATOM_STATUS)
            add_deadlines(a, i, &list, arena);
        else if (instant_compare(end, a->t) > 0 && instant_compare(end, INSTANT_NEVER) < 0)
            add_toggle(&list, arena, end, i);
    }
    if (list.count > 1)
        qsort(list.items, list.count, sizeof *list.items, toggle_order);
    return list;
}

static void add_flips(struct segment_flips *flips, struct arena *arena, struct instant at,
                      uint32_t before, uint32_t after)
{
    for (uint32_t changed = before ^ after; changed; changed &= changed - 1) {
        int segment = __builtin_ctz(changed);
        *arena_push(arena, flips) =
            (struct segment_flip){at, (uint8_t)segment, after >> segment & 1};
    }
}

/* The instant of the last fact is settled, then time passes, up to but without `until`. */
static void find_flips(const struct journey_policy *policy, const struct journey_state *state,
                       struct instant until, struct arena *arena, struct segment_flips *flips)
{
    const struct segments_state *s = state->segments;
    know(policy, state);
    add_flips(flips, arena, state->last.at, s->settled, s->mask);
    if (instant_compare(s->due, until) >= 0)
        return;
    const struct asking a = ask_at(policy, state, state->last.at, false);
    struct toggles list = toggles_after(&a, arena);
    uint64_t atoms = s->atoms;
    uint32_t mask = s->mask;
    for (size_t i = 0; i < list.count;) {
        struct instant at = list.items[i].at;
        if (instant_compare(at, until) >= 0)
            return;
        for (; i < list.count && list.items[i].at.us == at.us; i++)
            atoms ^= UINT64_C(1) << list.items[i].atom;
        uint32_t next = mask_of(&policy->segments, atoms);
        add_flips(flips, arena, at, mask, next);
        mask = next;
    }
}

void journey_segments_ahead(const struct journey_policy *policy, const struct journey_state *state,
                            struct arena *arena, struct segment_flips *flips)
{
    *flips = (struct segment_flips){0};
    if (state == NULL || state->segments == NULL || !instant_is_set(state->last.at))
        return;
    find_flips(policy, state, INSTANT_NEVER, arena, flips);
}

struct shown_segments segments_shown(const struct journey_policy *policy, uint32_t segments)
{
    struct shown_segments shown = in_no_segment();
    for (uint32_t rest = segments & policy->segments.with_figures; rest; rest &= rest - 1)
        shown.codes[shown.count++] = policy->segments.items[__builtin_ctz(rest)].code;
    return shown;
}

/* ---- time passes ---- */
static void emit_flips(const struct journey_policy *policy, const struct segment_flips *flips,
                       struct journey_effects *effects)
{
    for (size_t i = 0; i < flips->count; i++)
        effects_segment(effects, policy, &flips->items[i]);
}

static bool same_flips(const struct segment_flips *a, const struct segment_flips *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->items[i].at.us != b->items[i].at.us || a->items[i].segment != b->items[i].segment ||
            a->items[i].is_in != b->items[i].is_in)
            return false;
    return true;
}

void segments_trailing(const struct journey_policy *policy, const struct journey_state *before,
                       const struct journey_state *after, struct journey_effects *effects)
{
    struct segment_flips old_flips, new_flips;
    if (policy->segments.count == 0)
        return;
    journey_segments_ahead(policy, before, effects->arena, &old_flips);
    journey_segments_ahead(policy, after, effects->arena, &new_flips);
    if (same_flips(&old_flips, &new_flips))
        return;
    effects->sign = -1;
    emit_flips(policy, &old_flips, effects);
    effects->sign = 1;
    emit_flips(policy, &new_flips, effects);
}

/* ---- a fact comes ---- */
static void emit_rows(const struct passing *p, struct instant until)
{
    struct journey_effects *effects = p->effects;
    struct segment_flips flips = {0};
    find_flips(p->policy, p->state, until, effects->arena, &flips);
    for (size_t i = 0; i < flips.count; i++) {
        const struct segment_flip *flip = &flips.items[i];
        effects_segment(effects, p->policy, flip);
        *arena_push(effects->arena, &effects->memberships) = (struct membership_row){
            p->state->last, flip->at, p->policy->segments.items[flip->segment].code, flip->segment,
            flip->is_in};
    }
}

/* Time moves on from the last instant to t. */
static void settle(struct passing *p, struct instant t)
{
    struct segments_state *s = p->state->segments;
    know(p->policy, p->state);
    if (p->effects && (s->mask != s->settled || instant_compare(s->due, t) < 0))
        emit_rows(p, t);
    if (instant_compare(s->due, t) < 0)
        s->settled = mask_at(p->policy, p->state, (struct instant){t.us - 1}, false);
    else
        s->settled = s->mask;
}

void segments_before(struct passing *p)
{
    struct journey_state *state = p->state;
    struct instant t = p->touch->key.at;
    if (p->policy->segments.count == 0)
        return;
    struct segments_state *s = segments_of(p->policy, state);
    if (!instant_is_set(state->last.at))
        return;
    bool moves_on = instant_compare(t, state->last.at) > 0;
    if (moves_on)
        settle(p, t);
    if (moves_on && instant_compare(t, s->due) < 0)
        p->segments = s->mask;
    else
        p->segments = mask_at(p->policy, state, t, true);
    p->shown = segments_shown(p->policy, p->segments);
    if (!moves_on || instant_compare(t, s->due) >= 0)
        s->is_known = false;
}

/* Keeps the newest times; facts come in order. */
static void count(const struct segment_slot *slot, struct slot_state *state, struct arena *arena,
                  struct instant t)
{
    if (state->ever < slot->ever)
        state->ever++;
    if (slot->times == 0)
        return;
    if (state->times == NULL)
        state->times = arena_alloc(arena, SEGMENT_TIMES_MAX * sizeof *state->times);
    if (state->kept == slot->times)
        memmove(state->times, state->times + 1, --state->kept * sizeof *state->times);
    state->times[state->kept++] = t;
}

static void add_to_ledger(struct slot_state *state, struct arena *arena, int32_t day,
                          micros_sum amount)
{
    uint32_t n = state->day_count;
    if (amount == 0)
        return;
    if (n == 0 || state->days[n - 1].day != day) {
        if (n == state->day_capacity) {
            uint32_t capacity = n ? 2 * n : 8;
            state->days = arena_realloc(arena, state->days, n * sizeof *state->days,
                                        capacity * sizeof *state->days);
            state->day_capacity = capacity;
        }
        state->days[state->day_count++] = (struct ledger_day){.day = day};
    }
    struct ledger_day *last = &state->days[state->day_count - 1];
    last->amount = sum_add(last->amount, amount);
}

static micros_sum size_of(int64_t micros)
{
    micros_sum amount = or_zero(micros);
    return amount < 0 ? -amount : amount;
}

/* What a touch adds to a sum. A return takes back, and a further telling of an order adds what it
 * changes. */
static micros_sum amount_of(const struct passing *p, enum segment_measure measure)
{
    const struct touch *touch = p->touch;
    if (measure == MEASURED_COST)
        return or_zero(touch->cost_micros);
    bool is_value = measure == MEASURED_VALUE;
    if (p->again)
        return is_value ? p->told.value : p->told.margin;
    int64_t micros = is_value ? touch->value_micros : touch->margin_micros;
    return is_return(touch) ? -size_of(micros) : or_zero(micros);
}

static void open_or_end(const struct passing *p, const struct segment_slot *slot,
                        struct slot_state *state)
{
    if (touch_matches(p->policy, p->touch, slot->filter)) {
        state->is_set = true;
        state->at = p->touch->key.at;
    } else if (touch_matches(p->policy, p->touch, slot->until)) {
        state->is_set = false;
    }
}

static void pass_filters(const struct passing *p, struct segments_state *s)
{
    const struct segment_rules *rules = &p->policy->segments;
    bool counts = passing_counts(p);
    for (uint32_t i = 0; i < rules->slot_count; i++) {
        const struct segment_slot *slot = &rules->slots[i];
        if (slot->kind == SLOT_OPEN && counts)
            open_or_end(p, slot, &s->slots[i]);
        else if (slot->kind == SLOT_COUNT && counts &&
                 touch_matches(p->policy, p->touch, slot->filter))
            count(slot, &s->slots[i], p->state->arena, p->touch->key.at);
        else if (slot->kind == SLOT_LEDGER && slot->currency_code == p->touch->shape->currency &&
                 touch_matches(p->policy, p->touch, slot->filter))
            add_to_ledger(&s->slots[i], p->state->arena, p->day, amount_of(p, slot->measure));
    }
}

/* A text is kept as its place among those that atoms name, from 1; 0: none of them. */
static int64_t value_place(const struct segment_slot *slot, const struct journey_trait *trait,
                           const struct trait_value *value)
{
    if (trait->type != TRAIT_TEXT || value->is_nothing)
        return value->number;
    for (size_t i = 0; i < slot->named.count; i++)
        if (span_equal(slot->named.items[i], value->text))
            return (int64_t)i + 1;
    return 0;
}

static void pass_traits(const struct passing *p, struct segments_state *s)
{
    const struct segment_rules *rules = &p->policy->segments;
    for (uint32_t i = 0; i < rules->slot_count; i++) {
        const struct segment_slot *slot = &rules->slots[i];
        const struct journey_trait *trait = &p->policy->traits[slot->trait];
        struct slot_state *held = &s->slots[i];
        struct trait_value value;
        if (slot->kind != SLOT_TRAIT || !trait_observe(trait, p->touch->traits, &value, NULL))
            continue;
        uint8_t rank = trait_source_rank(trait, p->touch->shape->source);
        if (held->is_set && !trait_takes(trait, held->rank, held->value, rank, value.number))
            continue;
        held->is_set = true;
        held->is_nothing = value.is_nothing;
        held->rank = rank;
        held->value = value_place(slot, trait, &value);
    }
}

static void pass_score(const struct passing *p, struct segments_state *s)
{
    const struct segment_rules *rules = &p->policy->segments;
    for (uint32_t i = 0; i < rules->slot_count; i++) {
        struct span kind = rules->slots[i].score_kind;
        if (rules->slots[i].kind != SLOT_SCORE ||
            (kind.ptr && !span_equal(kind, p->touch->shape->score_kind)))
            continue;
        s->slots[i].is_set = true;
        s->slots[i].at = p->touch->key.at;
        s->slots[i].value = p->touch->score;
    }
}

uint32_t segments_now(const struct passing *p)
{
    if (p->policy->segments.count == 0)
        return 0;
    if (p->policy->segments.has_places)
        return mask_at(p->policy, p->state, p->touch->key.at, true);
    know(p->policy, p->state);
    return p->state->segments->mask;
}

void segments_after(struct passing *p)
{
    const struct touch *touch = p->touch;
    if (p->policy->segments.count == 0)
        return;
    struct segments_state *s = segments_of(p->policy, p->state);
    if (touch->shape->is_touch && !instant_is_set(s->first) && p->policy->segments.newest.us > 0 &&
        !p->had_touch) {
        s->first = touch->key.at;
        s->is_known = false;
    }
    if (p->policy->segments.has_places && touch->shape->direction == DIRECTION_INBOUND)
        s->is_known = false;
    if (touch->score != SCORE_ABSENT) {
        pass_score(p, s);
        s->is_known = false;
    }
    if (touch->traits.len > 0) {
        pass_traits(p, s);
        s->is_known = false;
    }
    if (!passing_asks(p, &p->policy->segments.filters))
        return;
    pass_filters(p, s);
    s->is_known = false;
}

/* ---- storage ---- */
static bool is_stale(const struct segment_slot *slot, struct instant at, struct instant last)
{
    return slot->longest.us != INT64_MAX && !is_within(at, slot->longest, last);
}

static void pack_count(struct strbuf *out, const struct segment_slot *slot,
                       const struct slot_state *state, struct instant last, uint8_t tag)
{
    uint8_t from = 0;
    while (from < state->kept && is_stale(slot, state->times[from], last))
        from++;
    if (from == state->kept && state->ever == 0)
        return;
    pack_byte(out, tag);
    pack_byte(out, state->ever);
    pack_byte(out, (uint8_t)(state->kept - from));
    for (; from < state->kept; from++)
        pack_age(out, last, state->times[from]);
}

static void unpack_count(struct unpack *in, const struct segment_slot *slot,
                         struct slot_state *state, struct instant last, struct arena *arena)
{
    state->ever = unpack_byte(in);
    uint8_t n = unpack_byte(in);
    if (n > slot->times || state->ever > slot->ever) {
        in->failed = true;
        return;
    }
    if (n > 0)
        state->times = arena_alloc(arena, SEGMENT_TIMES_MAX * sizeof *state->times);
    for (; state->kept < n; state->kept++)
        state->times[state->kept] = unpack_age(in, last);
}

static void pack_ledger(struct strbuf *out, const struct segment_slot *slot,
                        const struct slot_state *state, int32_t day, uint8_t tag)
{
    uint32_t from = first_day(state, day, slot->days);
    if (from == state->day_count)
        return;
    pack_byte(out, tag);
    pack_varint(out, state->day_count - from);
    for (; from < state->day_count; from++) {
        pack_varint(out, (uint64_t)((int64_t)day - state->days[from].day));
        pack_short_sum(out, state->days[from].amount);
    }
}

static void unpack_ledger(struct unpack *in, struct slot_state *state, int32_t day,
                          struct arena *arena)
{
    uint64_t n = unpack_varint(in);
    if (n > (uint64_t)(in->end - in->at)) {
        in->failed = true;
        return;
    }
    state->days = arena_array(arena, struct ledger_day, n);
    state->day_capacity = (uint32_t)n;
    for (uint64_t i = 0; i < n && !in->failed; i++) {
        struct ledger_day *entry = &state->days[state->day_count++];
        entry->day = (int32_t)((int64_t)day - (int64_t)unpack_varint(in));
        entry->amount = unpack_short_sum(in);
    }
}

static void pack_trait(struct strbuf *out, const struct slot_state *state, uint8_t tag)
{
    if (!state->is_set)
        return;
    pack_byte(out, tag);
    pack_byte(out, (uint8_t)(state->rank << 1 | state->is_nothing));
    pack_zigzag(out, state->value);
}

static void pack_open(struct strbuf *out, const struct segment_slot *slot,
                      const struct slot_state *state, struct instant last, uint8_t tag)
{
    if (!state->is_set || is_stale(slot, state->at, last))
        return;
    pack_byte(out, tag);
    pack_age(out, last, state->at);
    if (slot->kind == SLOT_SCORE)
        pack_zigzag(out, state->value);
}

static void unpack_slot(struct unpack *in, const struct journey_policy *policy, uint8_t index,
                        struct journey_state *state)
{
    const struct segment_slot *slot = &policy->segments.slots[index];
    struct slot_state *s = &state->segments->slots[index];
    uint8_t flags;
    switch (slot->kind) {
    case SLOT_COUNT:
        unpack_count(in, slot, s, state->last.at, state->arena);
        return;
    case SLOT_LEDGER:
        unpack_ledger(in, s, reporting_day(policy, state->last.at), state->arena);
        return;
    case SLOT_TRAIT:
        flags = unpack_byte(in);
        s->rank = flags >> 1;
        s->is_nothing = flags & 1;
        s->value = unpack_zigzag(in);
        break;
    case SLOT_OPEN:
    case SLOT_SCORE:
        s->at = unpack_age(in, state->last.at);
        s->value = slot->kind == SLOT_SCORE ? unpack_zigzag(in) : 0;
        break;
    }
    s->is_set = true;
}

static bool has_first(const struct journey_policy *policy, const struct journey_state *state)
{
    return instant_is_set(state->segments->first) &&
           is_within(state->segments->first, policy->segments.newest, state->last.at);
}

/* Tags: 0 ends, 1 is the first touch, the rest are slots. */
enum { TAG_FIRST = 1, TAG_SLOTS = 2 };

static void pack_slots(const struct journey_policy *policy, const struct journey_state *state,
                       struct strbuf *out)
{
    const struct segment_rules *rules = &policy->segments;
    struct instant last = state->last.at;
    int32_t day = reporting_day(policy, last);
    for (uint32_t i = 0; i < rules->slot_count; i++) {
        const struct segment_slot *slot = &rules->slots[i];
        const struct slot_state *s = &state->segments->slots[i];
        uint8_t tag = (uint8_t)(TAG_SLOTS + i);
        if (slot->kind == SLOT_COUNT)
            pack_count(out, slot, s, last, tag);
        else if (slot->kind == SLOT_LEDGER)
            pack_ledger(out, slot, s, day, tag);
        else if (slot->kind == SLOT_TRAIT)
            pack_trait(out, s, tag);
        else
            pack_open(out, slot, s, last, tag);
    }
}

void segments_pack(const struct journey_policy *policy, const struct journey_state *state,
                   struct strbuf *out)
{
    size_t start = out->len;
    pack_varint(out, state->segments->settled);
    size_t empty = out->len;
    if (has_first(policy, state)) {
        pack_byte(out, TAG_FIRST);
        pack_age(out, state->last.at, state->segments->first);
    }
    pack_slots(policy, state, out);
    if (out->len == empty && state->segments->settled == 0)
        out->len = start;
    else
        pack_byte(out, 0);
}

void segments_unpack(struct piece_bytes *bytes, const struct journey_policy *policy,
                     struct journey_state *state)
{
    struct unpack *in = &bytes->in;
    uint8_t tag;
    uint64_t settled = unpack_varint(in);
    struct segments_state *s = segments_of(policy, state);
    s->settled = (uint32_t)settled;
    in->failed |= settled >> policy->segments.count != 0;
    while (!in->failed && (tag = unpack_byte(in)) != 0) {
        if (tag == TAG_FIRST)
            s->first = unpack_age(in, state->last.at);
        else if (tag - TAG_SLOTS < (int)policy->segments.slot_count)
            unpack_slot(in, policy, (uint8_t)(tag - TAG_SLOTS), state);
        else
            in->failed = true;
    }
}

void journey_lapses_pack(const struct journey_policy *policy, const struct journey_state *state,
                         struct arena *arena, struct strbuf *out)
{
    struct segment_flips flips;
    journey_segments_ahead(policy, state, arena, &flips);
    if (flips.count == 0)
        return;
    pack_be64(out, (uint64_t)state->last.anchor);
    strbuf_add(out, state->last.event_id.bytes, sizeof state->last.event_id.bytes);
    for (size_t i = 0; i < flips.count; i++) {
        const struct segment_flip *flip = &flips.items[i];
        pack_be32(out, policy->segments.items[flip->segment].code);
        pack_be64(out, (uint64_t)flip->at.us);
        pack_byte(out, flip->is_in);
    }
}
