/* digest.h: BLAKE2b-128 of identifiers, links and policies (libsodium). */
#ifndef TUTTI_CODEC_DIGEST_H
#define TUTTI_CODEC_DIGEST_H

#include "common/base/arena.h"
#include "common/base/id.h"
#include "common/base/outcome.h"

enum { DIGEST_KEY_MAX = 64 };

/* Once, at the start: from then on the hash functions are those made for this processor. The hashes
 * are the same without. */
void digest_open(void);

/* The key of identity.key_file: identifiers leave the process only as hashes keyed with it. */
struct digest_key {
    uint8_t bytes[DIGEST_KEY_MAX];
    size_t len; /* 16..64 */
};

/* Reads a key file: 16 to 64 raw bytes, or hexadecimal text of that many (blanks around it are
 * ignored). FATAL naming setting and file. */
enum outcome digest_key_read(const char *setting, const char *path, struct digest_key *out,
                             struct err *err);
/* What the database may know of a key: the keyed hash of a fixed text. */
struct id digest_key_fingerprint(const struct digest_key *key);

/* Identifier id: keyed hash of (type, 0x00, normalised value). */
struct id digest_identifier(const struct digest_key *key, struct span type, struct span value);
/* Unkeyed hash of the two ids, smaller first: the order of links first seen at the same time. */
struct id digest_link(const struct id *a, const struct id *b);
/* Unkeyed hash of any bytes. */
struct id digest_bytes(struct span bytes);

/* SHA-256, for secrets that are stored as their hash. */
void digest_sha256(struct span bytes, uint8_t out[32]);
/* In a time that does not depend on the bytes. */
bool digest_equal(const uint8_t *a, const uint8_t *b, size_t size);

#endif
