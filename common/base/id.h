/* id.h: the 16-byte ids of events, identifiers, anchors and profiles, ordered as unsigned bytes everywhere. */
#ifndef TUTTI_BASE_ID_H
#define TUTTI_BASE_ID_H

#include "common/base/span.h"

struct id {
    uint8_t bytes[16];
};

static inline int id_compare(const struct id *a, const struct id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

static inline bool id_equal(const struct id *a, const struct id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static inline bool id_is_nil(const struct id *a)
{
    static const struct id nil;
    return id_equal(a, &nil);
}

/* The short key of DESIGN 6: the first 8 bytes, big-endian, as the signed value PostgreSQL's bigint has. */
static inline int64_t id_short(const struct id *a)
{
    uint64_t v;
    memcpy(&v, a->bytes, 8);
    return (int64_t)__builtin_bswap64(v);
}

/* Writes the uuid form, 36 characters and a NUL. */
void id_to_uuid(const struct id *a, char text[37]);
/* Reads the uuid form or 32 hex digits; false if malformed. */
bool id_from_uuid(struct span text, struct id *out);

#endif
