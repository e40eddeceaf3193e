/* renormalise.c: leads from the form of a stored value to its form under other rules. */
#include "services/identity-resolver/logic/identity.h"

bool identity_keeps_spelling(const struct identity_policy *policy, const struct identity_type *type)
{
    bool folds = type->normaliser == NORMALISE_EMAIL && policy->gmail_dots_and_plus;
    return !type->match_hashed && type->normaliser != NORMALISE_PHONE && !folds;
}

bool identity_can_renormalise(const struct identity_policy *before,
                              const struct identity_type *old_type,
                              const struct identity_type *new_type)
{
    /* other types need what folding loses, and take values that were no address */
    bool leaves_addresses =
        old_type->normaliser == NORMALISE_EMAIL && new_type->normaliser != NORMALISE_EMAIL;
    return identity_keeps_spelling(before, old_type) && !leaves_addresses;
}

/* Whether the form may have come as it is: marked as a digest or not. */
static bool may_have_come(const struct renormalising *rules, struct span form, bool is_digest,
                          struct arena *arena)
{
    struct identity_value before;
    return identity_normalise(rules->before, rules->old_type, form, is_digest, arena, &before) &&
           span_equal(before.text, form);
}

static bool is_same(bool is_usable, const struct identity_value *value, bool is_other_usable,
                    const struct identity_value *other)
{
    if (!is_usable || !is_other_usable)
        return is_usable == is_other_usable;
    return span_equal(value->text, other->text) && value->needs_digest == other->needs_digest;
}

enum renormalised identity_renormalise(const struct renormalising *rules, struct span form,
                                       struct span folded, struct arena *arena,
                                       struct identity_value *out)
{
    struct identity_value other;
    bool may_be_digest = may_have_come(rules, form, true, arena),
         may_be_clear = may_have_come(rules, form, false, arena),
         is_usable =
             identity_normalise(rules->after, rules->new_type, folded, !may_be_clear, arena, out);
    if (may_be_clear && may_be_digest &&
        !is_same(is_usable, out,
                 identity_normalise(rules->after, rules->new_type, folded, true, arena, &other),
                 &other))
        return RENORMALISED_UNSURE;
    return is_usable ? RENORMALISED : RENORMALISED_NOTHING;
}
