/* identity_fold.h: the first step from a value as sent to the value that is hashed. */
#ifndef TUTTI_IDENTITY_FOLD_H
#define TUTTI_IDENTITY_FOLD_H

#include "common/base/arena.h"
#include "services/identity-resolver/logic/identity.h"

/* The value in NFC, without blanks at both ends, its letters, blanks and digits folded by the
 * normaliser of the type. The pure
 * rules (identity_normalise, identity_is_blocked, identity_renormalise) take values in this form.
 * In the arena or borrowed. */
struct span identity_fold(struct arena *arena, const struct identity_type *type, struct span value);

#endif
