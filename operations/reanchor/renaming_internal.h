/* renaming_internal.h: one rereading of values between the files that read them, decide
 * what they become and store it.
 */
#ifndef TUTTI_OPERATIONS_REANCHOR_RENAMING_INTERNAL_H
#define TUTTI_OPERATIONS_REANCHOR_RENAMING_INTERNAL_H

#include "common/codec/seal.h"
#include "operations/desk.h"
#include "operations/reanchor/renaming.h"
#include "services/identity-resolver/keys/identity_keys.h"

struct rereading {
    struct desk *desk;
    const struct identity_policy *current, *candidate;
    const struct identity_type *now, *then; /* the type at hand, in both */
    bool is_other;                          /* its values have other forms */
    struct seal_keys raw_keys;
    struct identity_keys keys;
    struct id position;
    int64_t missing, unfound, unsure; /* of the type */
    struct renaming *out;
    uint64_t looked_at; /* values of all types */
};

/* identity_renaming_read.c: every kept value of the type at hand, into out; counts the identifiers
 * that it cannot tell about. */
enum outcome renaming_read_values(struct rereading *work, struct err *err);

/* The identifier names no person any more; once is enough. */
void renaming_vanish(struct rereading *work, const struct id *identifier);

/* renaming_blocked.c: of a type that is not judged by its raw values, the stored identifiers of
 * values that the candidate lists as blocked and the current policy does not. */
enum outcome renaming_block_listed(struct rereading *work, struct err *err);

/* identity_renaming_rules.c: whether the two policies block the same values of the type at hand. */
bool renaming_blocks_alike(const struct rereading *work);
/* Why newly blocked values act on what arrives alone; NULL: on what is stored, too. */
const char *renaming_why_not_judged(const struct rereading *work, bool has_raw_keys);

/* identity_renaming_store.c: once keys were exchanged, a hash may lead to an id that was made under
 * a former one: out names that.
 */
enum outcome renaming_follow_hashes(struct rereading *work, struct err *err);

#endif
