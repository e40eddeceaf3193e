/* journey_rederive.c: the difference between two derivations of one range: cells of the new less
 * the old, rows that differ. */
#include "services/journey-tracker/logic/journey_internal.h"

static bool same_touch(const struct touch *a, const struct touch *b)
{
    return touch_key_compare(&a->key, &b->key) == 0 && a->shape->code == b->shape->code &&
           a->value_micros == b->value_micros && a->margin_micros == b->margin_micros &&
           a->score == b->score;
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

/* Rows are derived in the order of (touch, reason). */
static int stage_order(const struct stage_row *a, const struct stage_row *b)
{
    int c = touch_key_compare(&a->touch, &b->touch);
    return c ? c : a->reason - b->reason;
}

static bool stage_same(const struct stage_row *a, const struct stage_row *b)
{
    return a->journey_number == b->journey_number && a->changed_at.us == b->changed_at.us &&
           a->from_stage == b->from_stage && a->to_stage == b->to_stage &&
           a->from_status == b->from_status && a->to_status == b->to_status &&
           a->seconds_in_stage == b->seconds_in_stage;
}

/* What said that the stage changed no longer does: it goes before it is written again, so that it
 * is taken back. */
static bool stops_changing_stage(const struct stage_row *before, const struct stage_row *after)
{
    return before->from_stage != before->to_stage && after->from_stage == after->to_stage;
}

/* Whether a message about either would be the same. */
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

static void derive_side(const struct journey_policy *policy, struct journey_state *state,
                        const struct touch *touches, size_t count, int sign,
                        struct journey_effects *effects)
{
    effects->sign = sign;
    for (size_t i = 0; i < count; i++)
        journey_advance(policy, state, &touches[i], effects);
}

static bool both_empty(const struct journey_state *a, const struct journey_state *b)
{
    return !instant_is_set(a->last.at) && !instant_is_set(b->last.at);
}

void journey_rederive(const struct journey_policy *policy, struct journey_state *before,
                      const struct touch *old_touches, size_t old_count,
                      struct journey_state *after, const struct touch *new_touches,
                      size_t new_count, struct journey_effects *effects)
{
    struct journey_effects old_side = *effects, new_side;
    memset(&old_side.conversions, 0, sizeof old_side.conversions);
    memset(&old_side.stages, 0, sizeof old_side.stages);
    old_side.missed_window = journey_tail_is_cut(before) || journey_tail_is_cut(after);
    before->tail.unbounded = after->tail.unbounded = true;

    size_t common = 0;
    if (both_empty(before, after) || journey_converged(policy, before, after)) {
        while (common < old_count && common < new_count &&
               same_touch(&old_touches[common], &new_touches[common])) {
            journey_advance(policy, before, &old_touches[common], NULL);
            journey_advance(policy, after, &new_touches[common++], NULL);
        }
    }
    derive_side(policy, before, old_touches + common, old_count - common, -1, &old_side);
    new_side = old_side;
    memset(&new_side.conversions, 0, sizeof new_side.conversions);
    memset(&new_side.stages, 0, sizeof new_side.stages);
    derive_side(policy, after, new_touches + common, new_count - common, 1, &new_side);

    effects->cells = new_side.cells;
    effects->sign = 1;
    effects->missed_window |= new_side.missed_window;
    diff_conversions(effects, &old_side.conversions, &new_side.conversions);
    diff_stages(effects, &old_side.stages, &new_side.stages);
}
