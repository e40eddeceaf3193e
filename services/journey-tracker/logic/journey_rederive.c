/* journey_rederive.c: the difference between two derivations of one range: the new cells minus the
 * old ones, and the rows that differ. */
#include "services/journey-tracker/logic/journey_internal.h"

static bool same_touch(const struct touch *a, const struct touch *b)
{
    return touch_key_compare(&a->key, &b->key) == 0 && a->shape->code == b->shape->code &&
           a->shape->is_without_sale == b->shape->is_without_sale &&
           a->value_micros == b->value_micros && a->margin_micros == b->margin_micros &&
           a->score == b->score && a->decision == b->decision && a->order == b->order;
}

static int conversion_order(const struct conversion_row *a, const struct conversion_row *b)
{
    return touch_key_compare(&a->key, &b->key);
}

static bool conversion_same(const struct conversion_row *a, const struct conversion_row *b)
{
    return a->goal == b->goal && a->is_first == b->is_first && a->stage_before == b->stage_before &&
           span_equal(a->eligible, b->eligible);
}

static bool order_same(const struct order_change *a, const struct order_change *b)
{
    return touch_key_compare(&a->order, &b->order) == 0 && a->is_return == b->is_return &&
           a->is_full == b->is_full && a->is_repeat == b->is_repeat && a->goal == b->goal &&
           a->seller == b->seller && a->money == b->money && a->share == b->share &&
           a->value == b->value && a->margin == b->margin && a->over == b->over &&
           a->value_before == b->value_before && a->margin_before == b->margin_before &&
           span_equal(a->touches, b->touches);
}

static void diff_orders(struct journey_effects *effects, const struct order_changes *before,
                        const struct order_changes *after)
{
    size_t i = 0, j = 0;
    while (i < before->count || j < after->count) {
        int order = i == before->count ? 1
                    : j == after->count
                        ? -1
                        : touch_key_compare(&before->items[i].key, &after->items[j].key);
        if (order < 0)
            *arena_push(effects->arena, &effects->orders_removed) = before->items[i];
        else if (order > 0 || !order_same(&before->items[i], &after->items[j]))
            *arena_push(effects->arena, &effects->orders) = after->items[j];
        i += order <= 0;
        j += order >= 0;
    }
}

static void diff_conversions(struct journey_effects *effects, const struct conversion_rows *before,
                             const struct conversion_rows *after)
{
    size_t i = 0, j = 0;
    while (i < before->count || j < after->count) {
        int order = i == before->count  ? 1
                    : j == after->count ? -1
                                        : conversion_order(&before->items[i], &after->items[j]);
        if (order < 0)
            *arena_push(effects->arena, &effects->conversions_removed) = before->items[i];
        else if (order > 0 || !conversion_same(&before->items[i], &after->items[j]))
            *arena_push(effects->arena, &effects->conversions) = after->items[j];
        i += order <= 0;
        j += order >= 0;
    }
}

/* Rows are derived in the order of (changed_at, segment). */
static int membership_order(const struct membership_row *a, const struct membership_row *b)
{
    int c = instant_compare(a->changed_at, b->changed_at);
    return c ? c : a->segment - b->segment;
}

static void diff_memberships(struct journey_effects *effects, const struct membership_rows *before,
                             const struct membership_rows *after)
{
    size_t i = 0, j = 0;
    while (i < before->count || j < after->count) {
        int order = i == before->count  ? 1
                    : j == after->count ? -1
                                        : membership_order(&before->items[i], &after->items[j]);
        bool is_moved =
            order == 0 && touch_key_compare(&before->items[i].touch, &after->items[j].touch) != 0;
        bool is_changed = order == 0 && before->items[i].is_in != after->items[j].is_in;
        if (order < 0 || is_moved)
            *arena_push(effects->arena, &effects->memberships_removed) = before->items[i];
        if (order > 0 || is_moved || is_changed)
            *arena_push(effects->arena, &effects->memberships) = after->items[j];
        i += order <= 0;
        j += order >= 0;
    }
}

/* Rows are derived in the order of (touch, reason). */
static int stage_order(const struct stage_row *a, const struct stage_row *b)
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

static void diff_stages(struct journey_effects *effects, const struct stage_rows *before,
                        const struct stage_rows *after)
{
    size_t i = 0, j = 0;
    while (i < before->count || j < after->count) {
        int order = i == before->count  ? 1
                    : j == after->count ? -1
                                        : stage_order(&before->items[i], &after->items[j]);
        if (order < 0 || (order == 0 && stops_changing_stage(&before->items[i], &after->items[j])))
            *arena_push(effects->arena, &effects->stages_removed) = before->items[i];
        if (order > 0 || (order == 0 && !stage_same(&before->items[i], &after->items[j]))) {
            struct stage_row *row = arena_push(effects->arena, &effects->stages);
            *row = after->items[j];
            row->is_told = order == 0 && stage_looks_same(&before->items[i], &after->items[j]);
        }
        i += order <= 0;
        j += order >= 0;
    }
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
    memset(&copy.conversions, 0, sizeof copy.conversions);
    memset(&copy.stages, 0, sizeof copy.stages);
    memset(&copy.orders, 0, sizeof copy.orders);
    memset(&copy.memberships, 0, sizeof copy.memberships);
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
    diff_conversions(effects, &old_effects.conversions, &new_effects.conversions);
    diff_orders(effects, &old_effects.orders, &new_effects.orders);
    diff_stages(effects, &old_effects.stages, &new_effects.stages);
    diff_memberships(effects, &old_effects.memberships, &new_effects.memberships);
}
