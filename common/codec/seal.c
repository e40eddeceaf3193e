/* seal.c: see seal.h. */
#include "common/codec/seal.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "common/runtime/private_file.h"

#define TAG_SIZE crypto_aead_xchacha20poly1305_ietf_ABYTES

_Static_assert(SEAL_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "size of a key");
_Static_assert(SEAL_NONCE_SIZE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "size of a nonce");
_Static_assert(SEAL_WRAPPED_SIZE == SEAL_NONCE_SIZE + SEAL_KEY_SIZE + TAG_SIZE,
               "size of a wrapped key");

const struct setting seal_settings[] = {
    {"privacy.key_file", SETTING_TEXT, "", 0, 0, NULL,
     "File with the key that raw identifier values are encrypted with: 32 bytes, or 64 hexadecimal "
     "digits; empty: none are "
     "kept."},
    {"privacy.previous_key_file", SETTING_TEXT, "", 0, 0, NULL,
     "File with the key before it, while `tutti identity rewrap` has not exchanged all."},
    {.name = NULL},
};

static struct id fingerprint_of(const uint8_t key[SEAL_KEY_SIZE])
{
    static const uint8_t text[] = "tutti privacy key";
    struct id out;
    crypto_generichash(out.bytes, sizeof out.bytes, text, sizeof text - 1, key, SEAL_KEY_SIZE);
    return out;
}

static enum outcome read_key(const char *setting, const char *path, struct seal_key *out,
                             struct err *err)
{
    char buffer[4 * SEAL_KEY_SIZE];
    FILE *file;
    CHECK(private_file_open(setting, path, &file, err));
    size_t length = fread(buffer, 1, sizeof buffer, file), written = 0;
    fclose(file);
    struct span text = span_trim((struct span){buffer, length});
    if (text.len == 2 * SEAL_KEY_SIZE)
        sodium_hex2bin(out->bytes, sizeof out->bytes, text.ptr, text.len, NULL, &written, NULL);
    if (length == SEAL_KEY_SIZE) {
        memcpy(out->bytes, buffer, SEAL_KEY_SIZE);
        written = SEAL_KEY_SIZE;
    }
    sodium_memzero(buffer, sizeof buffer);
    if (written != SEAL_KEY_SIZE)
        return err_set(err, OUTCOME_FATAL, "key_unusable",
                       "%s: %s must hold %d bytes, or that many in hexadecimal", setting, path,
                       SEAL_KEY_SIZE);
    out->fingerprint = fingerprint_of(out->bytes);
    return OUTCOME_OK;
}

enum outcome seal_keys_read(const char *current, const char *previous, struct seal_keys *out,
                            struct err *err)
{
    *out = (struct seal_keys){.has_previous = previous && *previous};
    if (sodium_init() < 0)
        return err_set(err, OUTCOME_FATAL, "no_randomness", "libsodium cannot be initialised");
    CHECK(read_key("privacy.key_file", current, &out->current, err));
    return out->has_previous ? read_key("privacy.previous_key_file", previous, &out->previous, err)
                             : OUTCOME_OK;
}

enum outcome seal_keys_open(const struct config *config, struct seal_keys *out, bool *configured,
                            struct err *err)
{
    const char *current = config_text(config, "privacy.key_file");
    *out = (struct seal_keys){.has_previous = false};
    *configured = *current != '\0';
    return *configured
               ? seal_keys_read(current, config_text(config, "privacy.previous_key_file"), out, err)
               : OUTCOME_OK;
}

/* ciphertext has room for text.len + TAG_SIZE bytes. */
static void encrypt(uint8_t *ciphertext, struct span text, const struct id *row,
                    const uint8_t *nonce, const uint8_t *key)
{
    crypto_aead_xchacha20poly1305_ietf_encrypt(ciphertext, NULL, (const uint8_t *)text.ptr,
                                               text.len, row->bytes, sizeof row->bytes, NULL, nonce,
                                               key);
}

static enum outcome decrypt(uint8_t *text, struct span ciphertext, const struct id *row,
                            const uint8_t *nonce, const uint8_t *key, struct err *err)
{
    if (ciphertext.len < TAG_SIZE ||
        crypto_aead_xchacha20poly1305_ietf_decrypt(text, NULL, NULL,
                                                   (const uint8_t *)ciphertext.ptr, ciphertext.len,
                                                   row->bytes, sizeof row->bytes, nonce, key) != 0)
        return err_set(err, OUTCOME_REJECT, "seal_broken",
                       "a sealed value was changed, or belongs to another row");
    return OUTCOME_OK;
}

static struct span wrap(const struct seal_key *with, struct arena *arena, const struct id *row,
                        const uint8_t row_key[SEAL_KEY_SIZE])
{
    uint8_t *wrapped = arena_alloc(arena, SEAL_WRAPPED_SIZE);
    randombytes_buf(wrapped, SEAL_NONCE_SIZE);
    encrypt(wrapped + SEAL_NONCE_SIZE, (struct span){(const char *)row_key, SEAL_KEY_SIZE}, row,
            wrapped, with->bytes);
    return (struct span){(const char *)wrapped, SEAL_WRAPPED_SIZE};
}

static enum outcome unwrap(const struct seal_keys *keys, const struct id *row,
                           const struct sealed *sealed, uint8_t row_key[SEAL_KEY_SIZE],
                           struct err *err)
{
    const struct seal_key *key =
        id_equal(&sealed->key_id, &keys->current.fingerprint) ? &keys->current
        : keys->has_previous && id_equal(&sealed->key_id, &keys->previous.fingerprint)
            ? &keys->previous
            : NULL;
    if (key == NULL)
        return err_set(err, OUTCOME_REJECT, "seal_key_unknown",
                       "a value was sealed with a privacy key that is not given");
    if (sealed->wrapped_key.len != SEAL_WRAPPED_SIZE)
        return err_set(err, OUTCOME_REJECT, "seal_broken", "a wrapped key has the wrong length");
    struct span ciphertext = {sealed->wrapped_key.ptr + SEAL_NONCE_SIZE,
                              SEAL_WRAPPED_SIZE - SEAL_NONCE_SIZE};
    return decrypt(row_key, ciphertext, row, (const uint8_t *)sealed->wrapped_key.ptr, key->bytes,
                   err);
}

void seal_value(const struct seal_keys *keys, struct arena *arena, const struct id *identifier_id,
                struct span value, struct sealed *out)
{
    uint8_t row_key[SEAL_KEY_SIZE], *nonce = arena_alloc(arena, SEAL_NONCE_SIZE),
                                    *text = arena_alloc(arena, value.len + TAG_SIZE);
    randombytes_buf(row_key, sizeof row_key);
    randombytes_buf(nonce, SEAL_NONCE_SIZE);
    encrypt(text, value, identifier_id, nonce, row_key);
    *out = (struct sealed){
        .key_id = keys->current.fingerprint,
        .wrapped_key = wrap(&keys->current, arena, identifier_id, row_key),
        .nonce = {(const char *)nonce, SEAL_NONCE_SIZE},
        .sealed = {(const char *)text, value.len + TAG_SIZE},
    };
    sodium_memzero(row_key, sizeof row_key);
}

enum outcome seal_open(const struct seal_keys *keys, struct arena *arena,
                       const struct id *identifier_id, const struct sealed *sealed,
                       struct span *value, struct err *err)
{
    uint8_t row_key[SEAL_KEY_SIZE], *text = arena_alloc(arena, sealed->sealed.len + 1);
    if (sealed->nonce.len != SEAL_NONCE_SIZE)
        return err_set(err, OUTCOME_REJECT, "seal_broken", "a nonce has the wrong length");
    CHECK(unwrap(keys, identifier_id, sealed, row_key, err));
    enum outcome outcome = decrypt(text, sealed->sealed, identifier_id,
                                   (const uint8_t *)sealed->nonce.ptr, row_key, err);
    sodium_memzero(row_key, sizeof row_key);
    CHECK(outcome);
    *value = (struct span){(const char *)text, sealed->sealed.len - TAG_SIZE};
    return OUTCOME_OK;
}

enum outcome seal_rewrap(const struct seal_keys *keys, struct arena *arena,
                         const struct id *identifier_id, const struct sealed *old,
                         struct sealed *out, struct err *err)
{
    uint8_t row_key[SEAL_KEY_SIZE];
    CHECK(unwrap(keys, identifier_id, old, row_key, err));
    *out = *old;
    out->key_id = keys->current.fingerprint;
    out->wrapped_key = wrap(&keys->current, arena, identifier_id, row_key);
    sodium_memzero(row_key, sizeof row_key);
    return OUTCOME_OK;
}
