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
    bool needs_case =
        new_type->normaliser == NORMALISE_PLAIN && old_type->normaliser != NORMALISE_PLAIN;
    return identity_keeps_spelling(before, old_type) && !needs_case;
}

/* A form under the old rules is its own form. A form that may be a digest can stand for touchpoints
 * that said so, and for others that did not. */
enum renormalised identity_renormalise(const struct identity_policy *after,
                                       const struct identity_type *type, struct span form,
                                       struct arena *arena, struct identity_value *out)
{
    struct identity_value digest;
    bool is_usable = identity_normalise(after, type, form, false, arena, out);
    if (!identity_is_digest_form(form))
        return is_usable ? RENORMALISED : RENORMALISED_NOTHING;
    bool is_usable_digest = identity_normalise(after, type, form, true, arena, &digest);
    if (is_usable != is_usable_digest)
        return RENORMALISED_UNSURE;
    if (!is_usable)
        return RENORMALISED_NOTHING;
    return span_equal(out->text, digest.text) && out->needs_digest == digest.needs_digest
               ? RENORMALISED
               : RENORMALISED_UNSURE;
}
