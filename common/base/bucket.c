/* bucket.c: see bucket.h. */
#include "common/base/bucket.h"

#include <sodium/crypto_generichash.h>

int32_t bucket_of(struct span name, const struct id *id)
{
    uint8_t hash[8];
    uint64_t number = 0;
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    crypto_generichash_update(&state, (const uint8_t *)name.ptr, name.len);
    crypto_generichash_update(&state, (const uint8_t *)"", 1);
    crypto_generichash_update(&state, id->bytes, sizeof id->bytes);
    crypto_generichash_final(&state, hash, sizeof hash);
    for (size_t i = 0; i < sizeof hash; i++)
        number = number << 8 | hash[i];
    return (int32_t)(number % BUCKET_COUNT);
}
