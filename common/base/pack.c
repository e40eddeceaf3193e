/* pack.c: see pack.h. */
#include "common/base/pack.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void strbuf_reserve(struct strbuf *buf, size_t more)
{
    if (buf->len + more + 1 <= buf->capacity)
        return;
    size_t capacity = buf->capacity ? buf->capacity * 2 : 256;
    while (capacity < buf->len + more + 1)
        capacity *= 2;
    if (buf->arena)
        buf->ptr = arena_realloc(buf->arena, buf->ptr, buf->capacity, capacity);
    else if ((buf->ptr = realloc(buf->ptr, capacity)) == NULL)
        abort();
    buf->capacity = capacity;
}

void strbuf_add(struct strbuf *buf, const void *bytes, size_t len)
{
    strbuf_reserve(buf, len);
    if (len)
        memcpy(buf->ptr + buf->len, bytes, len);
    buf->len += len;
    buf->ptr[buf->len] = '\0';
}

void strbuf_addf(struct strbuf *buf, const char *format, ...)
{
    va_list ap, again;
    va_start(ap, format);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    strbuf_reserve(buf, (size_t)n);
    vsnprintf(buf->ptr + buf->len, (size_t)n + 1, format, again);
    va_end(again);
    buf->len += (size_t)n;
}

void strbuf_free(struct strbuf *buf)
{
    if (buf->arena == NULL)
        free(buf->ptr);
    buf->ptr = NULL;
    buf->len = buf->capacity = 0;
}

void pack_byte(struct strbuf *buf, uint8_t v)
{
    strbuf_add(buf, &v, 1);
}

void pack_be16(struct strbuf *buf, uint16_t v)
{
    v = __builtin_bswap16(v);
    strbuf_add(buf, &v, sizeof v);
}

void pack_be32(struct strbuf *buf, uint32_t v)
{
    v = __builtin_bswap32(v);
    strbuf_add(buf, &v, sizeof v);
}

void pack_be64(struct strbuf *buf, uint64_t v)
{
    v = __builtin_bswap64(v);
    strbuf_add(buf, &v, sizeof v);
}

void pack_varint(struct strbuf *buf, uint64_t v)
{
    uint8_t bytes[10];
    size_t n = 0;
    while (v >= 0x80) {
        bytes[n++] = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    bytes[n++] = (uint8_t)v;
    strbuf_add(buf, bytes, n);
}

void pack_zigzag(struct strbuf *buf, int64_t v)
{
    pack_varint(buf, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}

void pack_span(struct strbuf *buf, struct span s)
{
    pack_varint(buf, s.len);
    strbuf_add(buf, s.ptr, s.len);
}

static const uint8_t *take(struct unpack *u, size_t len)
{
    if (u->failed || (size_t)(u->end - u->at) < len) {
        u->failed = true;
        return NULL;
    }
    const uint8_t *p = u->at;
    u->at += len;
    return p;
}

uint8_t unpack_byte(struct unpack *u)
{
    const uint8_t *p = take(u, 1);
    return p ? *p : 0;
}

uint16_t unpack_be16(struct unpack *u)
{
    uint16_t v = 0;
    const uint8_t *p = take(u, sizeof v);
    if (p)
        memcpy(&v, p, sizeof v);
    return __builtin_bswap16(v);
}

uint32_t unpack_be32(struct unpack *u)
{
    uint32_t v = 0;
    const uint8_t *p = take(u, sizeof v);
    if (p)
        memcpy(&v, p, sizeof v);
    return __builtin_bswap32(v);
}

uint64_t unpack_be64(struct unpack *u)
{
    uint64_t v = 0;
    const uint8_t *p = take(u, sizeof v);
    if (p)
        memcpy(&v, p, sizeof v);
    return __builtin_bswap64(v);
}

uint64_t unpack_varint(struct unpack *u)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t b = unpack_byte(u);
        if (u->failed || (shift == 63 && b > 1))
            break;
        v |= (uint64_t)(b & 0x7F) << shift;
        if (!(b & 0x80))
            return v;
    }
    u->failed = true;
    return 0;
}

int64_t unpack_zigzag(struct unpack *u)
{
    uint64_t v = unpack_varint(u);
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

struct span unpack_bytes(struct unpack *u, size_t len)
{
    const uint8_t *p = take(u, len);
    return p ? (struct span){(const char *)p, len} : SPAN_NONE;
}

struct span unpack_span(struct unpack *u)
{
    return unpack_bytes(u, unpack_varint(u));
}
