/* identity_keys.h: the keys of identifier hashes: which keys this program was given, and which are
 * at work.
 *
 * The id of an identifier is the hash of its value under the key that was current when it was first
 * stored. It never changes: facts, links and profiles know it as an opaque number. An exchange of
 * the key changes the hash by which a value is found: identity.found_by leads from hashes under
 * later keys to ids. The database says where an exchange stands:
 *
 *   one key -> announced    Every identity-resolver must have the next key, too. Hashes are still
 *                           those of the current one.
 *   announced -> rotating   The next key is current: ids of new values are made with it. A value
 *                           that it does not find is looked for by its hash under the previous key.
 *   rotating -> one key     The previous key is forgotten.
 *
 * A transaction that stores identifiers reads the epoch first, under a lock that each step waits
 * for. Every step raises the epoch. So a value never gets one id under the old key and another
 * under the new one (docs/decisions/0023-key-rotation.md). */
#ifndef TUTTI_IDENTITY_KEYS_H
#define TUTTI_IDENTITY_KEYS_H

#include "common/codec/digest.h"
#include "common/runtime/config.h"
#include "common/store/db.h"

enum key_phase { KEYS_ONE, KEYS_ANNOUNCED, KEYS_ROTATING };

/* What the database says. */
struct key_state {
    int32_t epoch; /* steps of exchanges so far */
    /* of the current key; 0: there was no other key before, so ids are hashes under it */
    int16_t number;
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
    bool needs_next; /* true for a service: it is running when the next key comes into force */
    struct key_state state;
    struct digest_key current, previous; /* at work; previous only while KEYS_ROTATING */
};

/* Reads the files of identity.key_file and, if it is set, identity.previous_key_file. FATAL naming
 * setting and file. */
enum outcome identity_keys_read(const struct config *config, struct identity_keys *keys,
                                struct err *err);

/* The first service to start writes the fingerprint of the current key down. */
enum outcome identity_keys_claim(struct identity_keys *keys, struct db *db, struct arena *arena,
                                 struct err *err);
/* Reads the state and picks the keys for it. FATAL "other_setting" or "missing_key" if one is not
 * among the given ones; `keys` then stays as it was. */
enum outcome identity_keys_follow(struct identity_keys *keys, struct db *db, struct arena *arena,
                                  struct err *err);

/* True if the id of a value may differ from its hash. */
static inline bool identity_keys_were_rotated(const struct identity_keys *keys)
{
    return keys->state.number > 0;
}

/* Reads where an exchange stands; needs no keys. */
enum outcome key_state_read(struct db *db, struct arena *arena, struct key_state *out,
                            struct err *err);
/* Writes the next step: everything in `to` but the epoch. Waits for the transactions that store
 * identifiers. FATAL "keys_changed" if the state is no longer `from`, "no_identity_policy" on an
 * empty database. */
enum outcome key_state_write(struct db *db, struct arena *arena, const struct key_state *from,
                             const struct key_state *to, struct err *err);

#endif
