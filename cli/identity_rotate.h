/* identity_rotate.h: what the parts of `tutti identity rotate-key` share. */
#ifndef TUTTI_CLI_IDENTITY_ROTATE_H
#define TUTTI_CLI_IDENTITY_ROTATE_H

#include "cli/database.h"
#include "services/identity-resolver/keys/identity_keys.h"

/* Identifiers whose raw value is kept get a hash under the current key, in bounded transactions;
 * services may run. *added says how many, *left how many values did not lead to their identifier.
 * Does nothing where privacy.key_file is not set. */
enum outcome rotate_fill(struct call *call, struct db *db, const struct identity_keys *keys,
                         uint64_t *added, uint64_t *left, struct err *err);
/* Hashes under former keys are deleted, in bounded transactions. */
enum outcome rotate_forget(struct db *db, int16_t key_number, struct err *err);

#endif
