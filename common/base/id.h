/* id.h: the 16-byte ids of events, identifiers, anchors and profiles, ordered as unsigned bytes
 * everywhere. */
#ifndef TUTTI_BASE_ID_H
#define TUTTI_BASE_ID_H

#include "common/base/span.h"

struct id {
    uint8_t bytes[16];
};

/* Half an id as a number that orders as its bytes do. */
static inline uint64_t id_half(const struct id *a, size_t half)
{
    uint64_t v;
    memcpy(&v, a->bytes + 8 * half, sizeof v);
    return __builtin_bswap64(v);
}

/* Sorting ids is a large part of the work: two comparisons of numbers instead of a call of memcmp.
 */
static inline int id_compare(const struct id *a, const struct id *b)
{
    uint64_t x = id_half(a, 0), y = id_half(b, 0);
    if (x == y) {
        x = id_half(a, 1);
        y = id_half(b, 1);
    }
    return (x > y) - (x < y);
}

static inline bool id_equal(const struct id *a, const struct id *b)
{
    return ((id_half(a, 0) ^ id_half(b, 0)) | (id_half(a, 1) ^ id_half(b, 1))) == 0;
}

static inline bool id_is_nil(const struct id *a)
{
    static const struct id nil;
    return id_equal(a, &nil);
}

/* The short key: the first 8 bytes, big-endian, as the signed value PostgreSQL's bigint has. */
static inline int64_t id_short(const struct id *a)
{
    return (int64_t)id_half(a, 0);
}

/* The smallest and the largest id with this short key. */
static inline void id_short_range(int64_t key, struct id *low, struct id *high)
{
    memset(low, 0, sizeof *low);
    memset(high, 255, sizeof *high);
    for (int i = 0; i < 8; i++)
        low->bytes[i] = high->bytes[i] = (uint8_t)((uint64_t)key >> (56 - 8 * i));
}

/* Writes the uuid form, 36 characters and a NUL. */
void id_to_uuid(const struct id *a, char text[37]);
/* Reads the uuid form or 32 hex digits; false if malformed. */
bool id_from_uuid(struct span text, struct id *out);

#endif
