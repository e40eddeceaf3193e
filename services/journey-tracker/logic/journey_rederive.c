/* journey_rederive.c: the difference between two derivations of one range: the new cells minus the
 * old ones, and the rows that differ. */
#include "services/journey-tracker/logic/journey_internal.h"

static bool same_touch(const struct touch *a, const struct touch *b)
{
    return touch_key_compare(&a->key, &b->key) == 0 && a->shape->code == b->shape->code &&
           a->shape->is_without_sale == b->shape->is_without_sale &&
           a->value_micros == b->value_micros && a->margin_micros == b->margin_micros &&
           a->score == b->score && a->decision == b->decision && a->order == b->order &&
           a->zone == b->zone && a->opportunity == b->opportunity;
}

/* Rows of a touch are derived in the order of their rules. */
int conversions_order(const struct conversion_row *a, const struct conversion_row *b)
{
    int c = touch_key_compare(&a->key, &b->key);
    return c ? c : a->rule - b->rule;
}

unsigned conversions_change(const struct conversion_row *before, struct conversion_row *after)
{
    bool same = before->is_first == after->is_first &&
                span_equal(before->further, after->further) &&
                before->stage_before == after->stage_before &&
                span_equal(before->eligible, after->eligible);
    return same ? 0 : ROW_WRITE;
}

int repeats_order(const struct touch_key *a, const struct touch_key *b)
{
    return touch_key_compare(a, b);
}

unsigned repeats_change(const struct touch_key *before, struct touch_key *after)
{
    (void)before, (void)after;
    return 0;
}

int orders_order(const struct order_change *a, const struct order_change *b)
{
    int c = touch_key_compare(&a->key, &b->key);
    return c ? c : a->rule - b->rule;
}

unsigned orders_change(const struct order_change *a, struct order_change *b)
{
    bool same = touch_key_compare(&a->order, &b->order) == 0 && a->is_return == b->is_return &&
                a->is_full == b->is_full && a->is_repeat == b->is_repeat &&
                span_equal(a->further, b->further) && a->seller == b->seller &&
                a->money == b->money && a->share == b->share && a->value == b->value &&
                a->margin == b->margin && a->over == b->over &&
                a->value_before == b->value_before && a->margin_before == b->margin_before &&
                span_equal(a->touches, b->touches);
    return same ? 0 : ROW_WRITE;
}

/* Rows are derived in the order of (changed_at, segment). */
int memberships_order(const struct membership_row *a, const struct membership_row *b)
{
    int c = instant_compare(a->changed_at, b->changed_at);
    return c ? c : a->segment - b->segment;
}

unsigned memberships_change(const struct membership_row *before, struct membership_row *after)
{
    if (touch_key_compare(&before->touch, &after->touch) != 0)
        return ROW_REMOVE | ROW_WRITE;
    return before->is_in != after->is_in ? ROW_WRITE : 0;
}

/* Rows are derived in the order of (touch, reason). */
int stages_order(const struct stage_row *a, const struct stage_row *b)
{
    int c = touch_key_compare(&a->touch, &b->touch);
    return c ? c : a->reason - b->reason;
}

static bool stage_same(const struct stage_row *a, const struct stage_row *b)
{
    return a->journey_number == b->journey_number && a->changed_at.us == b->changed_at.us &&
           a->position == b->position && a->from_stage == b->from_stage &&
           a->to_stage == b->to_stage && a->from_status == b->from_status &&
           a->to_status == b->to_status && a->seconds_in_stage == b->seconds_in_stage;
}

/* A row that said that the stage changed no longer says so. It is removed before it is written
 * again, so that its message is taken back. */
static bool stops_changing_stage(const struct stage_row *before, const struct stage_row *after)
{
    return before->from_stage != before->to_stage && after->from_stage == after->to_stage;
}

/* Whether messages about the two would be the same. */
static bool stage_looks_same(const struct stage_row *a, const struct stage_row *b)
{
    return a->from_stage == b->from_stage && a->to_stage == b->to_stage &&
           a->changed_at.us == b->changed_at.us;
}

unsigned stages_change(const struct stage_row *before, struct stage_row *after)
{
    if (stage_same(before, after))
        return 0;
    after->is_told = stage_looks_same(before, after);
    return stops_changing_stage(before, after) ? ROW_REMOVE | ROW_WRITE : ROW_WRITE;
}

/* diff_NAME: adds what differs between the rows of a range before and after, both in order. */
#define ROW_KIND(name, row, list)                                                                  \
    static void diff_##name(struct journey_effects *effects, const struct list *before,            \
                            const struct list *after)                                              \
    {                                                                                              \
        size_t i = 0, j = 0;                                                                       \
        while (i < before->count || j < after->count) {                                            \
            int order = i == before->count  ? 1                                                    \
                        : j == after->count ? -1                                                   \
                                            : name##_order(&before->items[i], &after->items[j]);   \
            unsigned change = order < 0   ? ROW_REMOVE                                             \
                              : order > 0 ? ROW_WRITE                                              \
                                          : name##_change(&before->items[i], &after->items[j]);    \
            if (change & ROW_REMOVE)                                                               \
                *arena_push(effects->arena, &effects->name##_removed) = before->items[i];          \
            if (change & ROW_WRITE)                                                                \
                *arena_push(effects->arena, &effects->name) = after->items[j];                     \
            i += order <= 0;                                                                       \
            j += order >= 0;                                                                       \
        }                                                                                          \
    }
#include "services/journey-tracker/logic/rows.def"

void journey_diff_repeats(struct journey_effects *effects, const struct repeat_rows *before,
                          const struct repeat_rows *after)
{
    diff_repeats(effects, before, after);
}

static void derive_side(const struct journey_policy *policy, const struct journey_side *side,
                        size_t from, int sign, struct journey_effects *effects)
{
    effects->sign = sign;
    for (size_t i = from; i < side->count; i++)
        journey_advance(policy, side->state, &side->touches[i], effects);
}

static bool equally_empty(const struct journey_state *a, const struct journey_state *b)
{
    return !instant_is_set(a->last.at) && !instant_is_set(b->last.at) &&
           a->is_identified == b->is_identified;
}

/* Takes both sides through the touches that they have in common, which change no figure; yields how
 * many there were. Only from equal states do equal touches do the same. */
static size_t pass_common(const struct journey_policy *policy, const struct journey_side *before,
                          const struct journey_side *after)
{
    size_t n = 0;
    if (!equally_empty(before->state, after->state) &&
        !journey_converged(policy, before->state, after->state))
        return 0;
    for (; n < before->count && n < after->count &&
           same_touch(&before->touches[n], &after->touches[n]);
         n++) {
        journey_advance(policy, before->state, &before->touches[n], NULL);
        journey_advance(policy, after->state, &after->touches[n], NULL);
    }
    return n;
}

/* The cells of effects with no rows. */
static struct journey_effects without_rows(const struct journey_effects *effects)
{
    struct journey_effects copy = *effects;
#define ROW_KIND(name, row, list) memset(&copy.name, 0, sizeof copy.name);
#include "services/journey-tracker/logic/rows.def"
    return copy;
}

void journey_rederive(const struct journey_policy *policy, const struct journey_side *before,
                      const struct journey_side *after, struct journey_effects *effects)
{
    struct journey_effects old_effects = without_rows(effects);
    old_effects.missed_window =
        journey_tail_is_cut(before->state) || journey_tail_is_cut(after->state);
    before->state->tail.unbounded = after->state->tail.unbounded = true;

    size_t common = pass_common(policy, before, after);
    derive_side(policy, before, common, -1, &old_effects);
    struct journey_effects new_effects = without_rows(&old_effects);
    derive_side(policy, after, common, 1, &new_effects);

    effects->cells = new_effects.cells;
    effects->sign = 1;
    effects->missed_window |= new_effects.missed_window;
#define ROW_KIND(name, row, list) diff_##name(effects, &old_effects.name, &new_effects.name);
#include "services/journey-tracker/logic/rows.def"
}
