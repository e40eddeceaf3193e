/* identity_keys.h: the keys of identifier hashes: which ones this program was given, and which ones
 * are at work.
 *
 * The id of an identifier is the hash of its value under the key that was current when it was
 * stored first, and changes with no key: facts, links and profiles know it as an opaque number.
 * When the key is exchanged, what changes is the hash by which a value is found: identity.found_by
 * leads from hashes under later keys to ids. The database says where an exchange stands:
 *
 *   one key    -> announced   every identity-resolver must have the next key, too; hashes are still
 * those of the current one announced  -> rotating    the next key is the current one: ids of new
 * values are made with it; a value that is not found by it is looked for by its hash under the
 * previous key rotating   -> one key     the previous key is forgotten
 *
 * Whoever stores an identifier has read the epoch, which every step raises, under a lock that a
 * step waits for: a value never gets an id under the one key while it gets another under the other
 * (docs/decisions/0023-key-rotation.md). */
#ifndef TUTTI_IDENTITY_KEYS_H
#define TUTTI_IDENTITY_KEYS_H

#include "common/codec/digest.h"
#include "common/runtime/config.h"
#include "common/store/db.h"

enum key_phase { KEYS_ONE, KEYS_ANNOUNCED, KEYS_ROTATING };

/* What the database says. */
struct key_state {
    int32_t epoch; /* steps of exchanges so far */
    int16_t
        number; /* of the current key; 0: there was never another one, ids are hashes under it */
    enum key_phase phase;
    struct id current, next, previous; /* fingerprints; nil where there is none */
};

enum { MAX_GIVEN_KEYS = 2 };

struct given_key {
    struct digest_key key;
    struct id fingerprint;
};

struct identity_keys {
    struct given_key given[MAX_GIVEN_KEYS]; /* identity.key_file, identity.previous_key_file */
    size_t given_count;
    bool needs_next; /* of a service: it is there when the next key comes into force */
    struct key_state state;
    struct digest_key current, previous; /* at work; previous only while KEYS_ROTATING */
};

/* Reads the files of identity.key_file and, if it is set, identity.previous_key_file. FATAL naming
 * setting and file. */
enum outcome identity_keys_read(const struct config *config, struct identity_keys *keys,
                                struct err *err);

/* The current key's fingerprint is written down by the first one to come. */
enum outcome identity_keys_claim(struct identity_keys *keys, struct db *db, struct arena *arena,
                                 struct err *err);
/* What the database says now, and the keys for it. FATAL "other_setting" or "missing_key" if one is
 * not among the given ones; `keys` is then as before. */
enum outcome identity_keys_follow(struct identity_keys *keys, struct db *db, struct arena *arena,
                                  struct err *err);

/* True where the id of a value may be another one than its hash. */
static inline bool identity_keys_were_rotated(const struct identity_keys *keys)
{
    return keys->state.number > 0;
}

/* Where an exchange stands, by the database alone. */
enum outcome key_state_read(struct db *db, struct arena *arena, struct key_state *out,
                            struct err *err);
/* The next step: everything in `to` but the epoch, provided that the state is still `from`; waits
 * for the transactions that store identifiers. FATAL "keys_changed" if it is not,
 * "no_identity_policy" on an empty database. */
enum outcome key_state_write(struct db *db, struct arena *arena, const struct key_state *from,
                             const struct key_state *to, struct err *err);

#endif
