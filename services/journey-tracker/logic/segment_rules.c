/* segment_rules.c: gives atoms that ask the same their one place, and memory that several atoms
 * need its one slot. */
#include "services/journey-tracker/logic/segments.h"

static enum outcome no_room(struct err *err, const char *what, int most)
{
    return err_set(err, OUTCOME_FATAL, "policy_invalid", "more than %d different %s", most, what);
}

static bool same_key(const struct segment_slot *a, const struct segment_slot *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case SLOT_COUNT:
        return a->filter == b->filter;
    case SLOT_LEDGER:
        return a->filter == b->filter && a->measure == b->measure &&
               span_equal(a->currency, b->currency);
    case SLOT_OPEN:
        return a->filter == b->filter && a->until == b->until;
    case SLOT_SCORE:
        if (a->score_kind.ptr == NULL || b->score_kind.ptr == NULL)
            return a->score_kind.ptr == b->score_kind.ptr;
        return span_equal(a->score_kind, b->score_kind);
    case SLOT_TRAIT:
        return a->trait == b->trait;
    }
    return false;
}

static uint32_t ledgers_of(const struct segment_rules *rules)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < rules->slot_count; i++)
        n += rules->slots[i].kind == SLOT_LEDGER;
    return n;
}

static void grow(struct segment_slot *slot, const struct segment_slot *wanted)
{
    if (wanted->ever > slot->ever)
        slot->ever = wanted->ever;
    if (wanted->times > slot->times)
        slot->times = wanted->times;
    if (wanted->longest.us > slot->longest.us)
        slot->longest = wanted->longest;
    if (wanted->days > slot->days)
        slot->days = wanted->days;
}

enum outcome segment_rules_slot(struct segment_rules *rules, const struct segment_slot *wanted,
                                uint8_t *slot, struct err *err)
{
    uint32_t i = 0;
    while (i < rules->slot_count && !same_key(&rules->slots[i], wanted))
        i++;
    if (i == rules->slot_count) {
        if (i == SEGMENT_ATOMS_MAX)
            return no_room(err, "atoms", SEGMENT_ATOMS_MAX);
        if (wanted->kind == SLOT_LEDGER && ledgers_of(rules) == SEGMENT_LEDGERS_MAX)
            return no_room(err, "sums", SEGMENT_LEDGERS_MAX);
        rules->slots[rules->slot_count++] = *wanted;
    }
    grow(&rules->slots[i], wanted);
    *slot = (uint8_t)i;
    return OUTCOME_OK;
}

static bool same_values(const struct segment_atom *a, const struct segment_atom *b)
{
    if (a->test != b->test || a->value_count != b->value_count)
        return false;
    for (int i = 0; i < a->value_count; i++)
        if (a->values[i] != b->values[i])
            return false;
    return true;
}

static bool same_atom(const struct segment_atom *a, const struct segment_atom *b)
{
    return a->kind == b->kind && a->slot == b->slot && a->is_most == b->is_most &&
           a->bound == b->bound && a->within.us == b->within.us && a->days == b->days &&
           a->places == b->places && same_values(a, b);
}

enum outcome segment_rules_atom(struct segment_rules *rules, const struct segment_atom *atom,
                                uint8_t *position, struct err *err)
{
    uint32_t i = 0;
    while (i < rules->atom_count && !same_atom(&rules->atoms[i], atom))
        i++;
    if (i == SEGMENT_ATOMS_MAX)
        return no_room(err, "atoms", SEGMENT_ATOMS_MAX);
    if (i == rules->atom_count)
        rules->atoms[rules->atom_count++] = *atom;
    *position = (uint8_t)i;
    return OUTCOME_OK;
}

uint32_t segment_rules_find(const struct segment_rules *rules, struct span id,
                            struct nearest *nearest)
{
    uint32_t i = 0;
    *nearest = nearest_start(id, NEAREST_ANY);
    for (; i < rules->count && !span_equal(rules->items[i].id, id); i++)
        nearest_consider(nearest, rules->items[i].id);
    return i;
}

void segment_rules_finish(struct segment_rules *rules)
{
    for (uint32_t i = 0; i < rules->slot_count; i++) {
        const struct segment_slot *slot = &rules->slots[i];
        if (slot->kind == SLOT_COUNT || slot->kind == SLOT_LEDGER || slot->kind == SLOT_OPEN)
            filter_set_add(&rules->filters, slot->filter);
        if (slot->kind == SLOT_OPEN)
            filter_set_add(&rules->filters, slot->until);
    }
    for (uint32_t i = 0; i < rules->atom_count; i++) {
        const struct segment_atom *atom = &rules->atoms[i];
        rules->has_places |= atom->kind == ATOM_STAGE || atom->kind == ATOM_STATUS;
        if (atom->kind == ATOM_NEW && atom->within.us > rules->newest.us)
            rules->newest = atom->within;
    }
    for (uint32_t i = 0; i < rules->count; i++)
        rules->with_figures |= rules->items[i].has_figures ? UINT32_C(1) << i : 0;
}
