/* renaming_rules.c: which rules for values differ between two policies. */
#include "operations/reanchor/renaming_internal.h"

bool renaming_hashes_alike(const struct identity_policy *a, const struct identity_type *x,
                           const struct identity_policy *b, const struct identity_type *y)
{
    if (x->normaliser != y->normaliser || x->match_hashed != y->match_hashed ||
        x->is_scoped != y->is_scoped)
        return false;
    return (x->normaliser != NORMALISE_PHONE || span_equal(a->calling_code, b->calling_code)) &&
           (x->normaliser != NORMALISE_EMAIL || a->gmail_dots_and_plus == b->gmail_dots_and_plus);
}

static bool lists_equal(const struct blocked_values *a, const struct blocked_values *b)
{
    return spans_equal(a->items, a->count, b->items, b->count);
}

static bool is_class_of(const struct identity_policy *policy,
                        const struct char_class_pattern *pattern, struct span type)
{
    return pattern->type < 0 || span_equal(policy->types[pattern->type].name, type);
}

/* In the order in which they are written. */
static bool classes_equal(const struct identity_policy *a, const struct identity_policy *b,
                          struct span type)
{
    size_t i = 0, j = 0;
    for (;; i++, j++) {
        while (i < a->class_count && !is_class_of(a, &a->classes[i], type))
            i++;
        while (j < b->class_count && !is_class_of(b, &b->classes[j], type))
            j++;
        if (i == a->class_count || j == b->class_count)
            return i == a->class_count && j == b->class_count;
        const struct char_class_pattern *x = &a->classes[i], *y = &b->classes[j];
        if (memcmp(x->accepts, y->accepts, sizeof x->accepts) != 0 ||
            x->matches_empty != y->matches_empty || x->is_frame != y->is_frame ||
            !span_equal(x->start, y->start) || !span_equal(x->end, y->end))
            return false;
    }
}

bool renaming_blocks_alike(const struct rereading *work)
{
    return lists_equal(&work->current->blocked, &work->candidate->blocked) &&
           lists_equal(&work->now->blocked, &work->then->blocked) &&
           classes_equal(work->current, work->candidate, work->now->name);
}

const char *renaming_why_not_judged(const struct rereading *work, bool has_raw_keys)
{
    if (!identity_keeps_spelling(work->current, work->now))
        return "a value is stored in a form that leaves out more than its case";
    if (work->now->is_scoped)
        return "it is scoped";
    return has_raw_keys ? NULL : "privacy.key_file is not set";
}
