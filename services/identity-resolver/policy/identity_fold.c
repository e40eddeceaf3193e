/* identity_fold.c: picks what is folded. */
#include "services/identity-resolver/policy/identity_fold.h"

#include "common/codec/unicode.h"

struct span identity_fold(struct arena *arena, const struct identity_type *type, struct span value)
{
    value = unicode_nfc(arena, value);
    if (type->normaliser == NORMALISE_EMAIL)
        return unicode_email(arena, value);
    return type->normaliser == NORMALISE_PHONE ? unicode_phone(arena, value) : unicode_trim(value);
}
