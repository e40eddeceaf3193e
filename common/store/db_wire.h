/* db_wire.h: values in PostgreSQL's binary form, written in place; shared by parameters and COPY.
 * Each returns the end. */
#ifndef TUTTI_STORE_DB_WIRE_H
#define TUTTI_STORE_DB_WIRE_H

#include "common/base/instant.h"

static inline char *wire_be16(char *at, uint16_t v)
{
    v = __builtin_bswap16(v);
    memcpy(at, &v, sizeof v);
    return at + sizeof v;
}

static inline char *wire_be32(char *at, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(at, &v, sizeof v);
    return at + sizeof v;
}

static inline char *wire_be64(char *at, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(at, &v, sizeof v);
    return at + sizeof v;
}

static inline char *wire_bytes(char *at, const void *bytes, size_t len)
{
    memcpy(at, bytes, len);
    return at + len;
}

/* Length and bytes; -1 for NULL. */
static inline char *wire_span(char *at, struct span v)
{
    if (v.ptr == NULL)
        return wire_be32(at, UINT32_MAX);
    return wire_bytes(wire_be32(at, (uint32_t)v.len), v.ptr, v.len);
}

/* INSTANT_NEVER and INSTANT_FIRST are infinity and -infinity. What only overflows must not become
 * one of them: it stays out of the server's range and is refused there. */
static inline int64_t wire_timestamptz(struct instant t)
{
    int64_t v;
    if (t.us == INT64_MAX || t.us == INT64_MIN)
        return t.us;
    return __builtin_sub_overflow(t.us, POSTGRES_EPOCH_US, &v) ? INT64_MIN + 1 : v;
}

#endif
