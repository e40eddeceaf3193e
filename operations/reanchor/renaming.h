/* renaming.h: which other identifiers the stored ones are under other rules for values,
 * where raw values are kept.
 *
 * An id is the hash of a form (services/identity-resolver/logic/identity.h, identity_renormalise).
 * The id can be made again where the raw value of every identifier of a type is kept, and all
 * values of one former form have one new form. Identifiers whose forms coincide become one. Those
 * that are blocked now name no person. Most stay what they are. The walk over facts (anchors.h)
 * takes identifiers for what they become. */
#ifndef TUTTI_OPERATIONS_REANCHOR_RENAMING_H
#define TUTTI_OPERATIONS_REANCHOR_RENAMING_H

#include "common/base/map.h"
#include "operations/desk.h"
#include "services/identity-resolver/logic/identity.h"

struct renamed {
    struct id from, to; /* to: nil: it names no person */
    const struct identity_type *type;
};

struct renaming {
    struct renamed *items;
    size_t count, capacity;
    struct map to;   /* from -> to */
    size_t vanished; /* those whose `to` is nil */
};

/* Whether equal values of the two types, each of its policy, have equal forms, whatever is blocked.
 */
bool renaming_hashes_alike(const struct identity_policy *a, const struct identity_type *x,
                           const struct identity_policy *b, const struct identity_type *y);

/* Reads the raw values of the types whose values have other forms (anchors_check_rules allowed it),
 * and of those for which other values are blocked as far as they can be judged; warns of
 * which types they are not. In the desk's arena. FATAL where a type of other forms has an
 * identifier whose value does not tell.*/
enum outcome renaming_read(struct desk *desk, const struct identity_policy *current,
                           const struct identity_policy *candidate, struct renaming *out,
                           struct err *err);

/* What the identifier is afterwards: itself or another one; NULL: it names no person. */
const struct id *renaming_find(const struct renaming *renaming, const struct id *identifier);

/* Into tutti_meta.renamed, inside a transaction. */
enum outcome renaming_store(struct db *db, const struct renaming *renaming, struct err *err);

#endif
