/* seal.h: raw values at rest (libsodium, XChaCha20-Poly1305).
 *
 * Each row is encrypted with a random key of its own, and that key is wrapped with the privacy
 * key of privacy.key_file. Forgetting the wrapped key of a row erases its value. Forgetting the
 * privacy key erases all values.
 *
 * Two privacy keys may be active while they are exchanged: the current one writes, both read.
 * The fingerprint in each row names the key that wrapped it. */
#ifndef TUTTI_CODEC_SEAL_H
#define TUTTI_CODEC_SEAL_H

#include "common/base/arena.h"
#include "common/base/id.h"
#include "common/base/outcome.h"
#include "common/runtime/config.h"

enum {
    SEAL_KEY_SIZE = 32,
    SEAL_NONCE_SIZE = 24,
    SEAL_WRAPPED_SIZE = SEAL_NONCE_SIZE + SEAL_KEY_SIZE + 16
};

extern const struct setting seal_settings[]; /* privacy.key_file, privacy.previous_key_file */

struct seal_key {
    uint8_t bytes[SEAL_KEY_SIZE];
    struct id fingerprint; /* what the database may know of the key */
};

struct seal_keys {
    struct seal_key current, previous;
    bool has_previous;
};

/* A sealed value as identity.raw_values holds it. */
struct sealed {
    struct id key_id;        /* fingerprint of the privacy key */
    struct span wrapped_key; /* nonce, then the row's key encrypted: SEAL_WRAPPED_SIZE bytes */
    struct span nonce;       /* of the value: SEAL_NONCE_SIZE bytes */
    struct span sealed;      /* the value encrypted: 16 bytes longer than it */
};

/* Reads key files: 32 raw bytes, or 64 hexadecimal digits (blanks around them are ignored).
 * previous: NULL or "" for none. FATAL naming setting and file. */
enum outcome seal_keys_read(const char *current, const char *previous, struct seal_keys *out,
                            struct err *err);
/* The same from the settings; *out has no keys and *configured is false where privacy.key_file is
 * empty. */
enum outcome seal_keys_open(const struct config *config, struct seal_keys *out, bool *configured,
                            struct err *err);

/* Seals a value for the row of identifier_id: a sealed value moved to another row does not open. In
 * the arena. */
void seal_value(const struct seal_keys *keys, struct arena *arena, const struct id *identifier_id,
                struct span value, struct sealed *out);
/* Opens it, in the arena. REJECT "seal_key_unknown" if neither key wrapped it, "seal_broken" if it
 * was changed or moved. */
enum outcome seal_open(const struct seal_keys *keys, struct arena *arena,
                       const struct id *identifier_id, const struct sealed *sealed,
                       struct span *value, struct err *err);
/* Wraps the row's key with the current privacy key; the value itself stays as it is. Errors as
 * seal_open. */
enum outcome seal_rewrap(const struct seal_keys *keys, struct arena *arena,
                         const struct id *identifier_id, const struct sealed *old,
                         struct sealed *out, struct err *err);

#endif
