/* digest.c: see digest.h. */
#include "common/codec/digest.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/runtime/private_file.h"

void digest_open(void)
{
    if (sodium_init() < 0)
        abort();
}

static int hex_value(char c)
{
    char lower = (char)(c | 0x20);
    return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* True if text is an even number of hex digits; writes the bytes. */
static bool from_hex(struct span text, struct digest_key *out)
{
    if (text.len % 2 || text.len < 32 || text.len > 2 * DIGEST_KEY_MAX)
        return false;
    for (size_t i = 0; i < text.len; i += 2) {
        int high = hex_value(text.ptr[i]), low = hex_value(text.ptr[i + 1]);
        if (high < 0 || low < 0)
            return false;
        out->bytes[i / 2] = (uint8_t)(high << 4 | low);
    }
    out->len = text.len / 2;
    return true;
}

enum outcome digest_key_read(const char *setting, const char *path, struct digest_key *out,
                             struct err *err)
{
    char buffer[4 * DIGEST_KEY_MAX];
    FILE *file;
    CHECK(private_file_open(setting, path, &file, err));
    size_t n = fread(buffer, 1, sizeof buffer, file);
    fclose(file);
    if (from_hex(span_trim((struct span){buffer, n}), out))
        return OUTCOME_OK;
    if (n < 16 || n > DIGEST_KEY_MAX)
        return err_set(err, OUTCOME_FATAL, "key_unusable",
                       "%s: %s must hold 16 to %d bytes, or that many in hexadecimal", setting,
                       path, DIGEST_KEY_MAX);
    memcpy(out->bytes, buffer, n);
    out->len = n;
    return OUTCOME_OK;
}

struct id digest_key_fingerprint(const struct digest_key *key)
{
    return digest_identifier(key, SPAN("fingerprint"), SPAN("tutti identity key"));
}

struct id digest_identifier(const struct digest_key *key, struct span type, struct span value)
{
    struct id out;
    uint8_t buffer[512];
    if (type.len + 1 + value.len <= sizeof buffer) {
        memcpy(buffer, type.ptr, type.len);
        buffer[type.len] = 0;
        memcpy(buffer + type.len + 1, value.ptr, value.len);
        crypto_generichash(out.bytes, sizeof out.bytes, buffer, type.len + 1 + value.len,
                           key->bytes, key->len);
        return out;
    }
    crypto_generichash_state state;
    crypto_generichash_init(&state, key->bytes, key->len, sizeof out.bytes);
    crypto_generichash_update(&state, (const uint8_t *)type.ptr, type.len);
    crypto_generichash_update(&state, (const uint8_t *)"", 1);
    crypto_generichash_update(&state, (const uint8_t *)value.ptr, value.len);
    crypto_generichash_final(&state, out.bytes, sizeof out.bytes);
    return out;
}

struct id digest_link(const struct id *a, const struct id *b)
{
    struct id pair[2], out;
    bool ordered = id_compare(a, b) < 0;
    pair[0] = ordered ? *a : *b;
    pair[1] = ordered ? *b : *a;
    crypto_generichash(out.bytes, sizeof out.bytes, pair[0].bytes, sizeof pair, NULL, 0);
    return out;
}

struct id digest_bytes(struct span bytes)
{
    struct id out;
    crypto_generichash(out.bytes, sizeof out.bytes, (const uint8_t *)bytes.ptr, bytes.len, NULL, 0);
    return out;
}

void digest_sha256(struct span bytes, uint8_t out[32])
{
    crypto_hash_sha256(out, (const unsigned char *)bytes.ptr, bytes.len);
}

bool digest_equal(const uint8_t *a, const uint8_t *b, size_t size)
{
    return sodium_memcmp(a, b, size) == 0;
}
