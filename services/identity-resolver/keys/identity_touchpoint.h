/* identity_touchpoint.h: which identifiers a touchpoint carries, as keyed ids, and its anchor. */
#ifndef TUTTI_IDENTITY_TOUCHPOINT_H
#define TUTTI_IDENTITY_TOUCHPOINT_H

#include "common/base/map.h"
#include "common/codec/digest.h"
#include "common/codec/touchpoint.h"
#include "services/identity-resolver/keys/id_finder.h"
#include "services/identity-resolver/logic/identity.h"

struct typed_id {
    struct id id;
    const struct identity_type *type;
};

/* The text of a usable value that is hashed (after its source where the type is scoped); in the
 * arena or borrowed. */
struct span identity_canonical(const struct identity_value *value, struct arena *arena);

/* Usable identifiers without repeats, strongest first (rank, then id): ids[0] is the anchor.
 * Returns how many; 0: the touchpoint is unidentified. A type that links nothing stays only if it
 * is alone. A value of a scoped type needs a source. Scratch space comes from the arena. */
size_t identity_collect(const struct identity_policy *policy, const struct digest_key *key,
                        const struct touchpoint *touchpoint, struct arena *arena,
                        struct typed_id ids[TOUCHPOINT_MAX_IDENTIFIERS + 8]);

/* The same, and puts the values as they were sent into `values` (id -> span, borrowed from
 * touchpoint or arena; may be NULL). After an exchange of keys, `finder` says which id a hash
 * stands for; NULL: hashes are ids. may_alias: the former id that the touchpoint names is a user
 * id, too (identity_may_alias). */
size_t identity_collect_values(const struct identity_policy *policy, const struct digest_key *key,
                               struct id_finder *finder, const struct touchpoint *touchpoint,
                               bool may_alias, struct arena *arena,
                               struct typed_id ids[TOUCHPOINT_MAX_IDENTIFIERS + 8],
                               struct map *values);

/* Whether the touchpoint names a former id (previous_id): `alias` and `merge`. */
bool identity_names_former(const struct touchpoint *touchpoint);

#endif
