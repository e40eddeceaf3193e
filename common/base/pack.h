/* pack.h: bounded reading and writing of packed bytes: varints, zigzag, fixed big-endian. Pure, no
 * allocation but the arena. */
#ifndef TUTTI_BASE_PACK_H
#define TUTTI_BASE_PACK_H

#include "common/base/arena.h"
#include "common/base/id.h"

/* A growing byte buffer; lives in an arena, or on the heap when arena is NULL (strbuf_free). Always
 * room for a NUL. */
struct strbuf {
    struct arena *arena;
    char *ptr;
    size_t len, capacity;
};

void strbuf_reserve(struct strbuf *buf, size_t more);
void strbuf_add(struct strbuf *buf, const void *bytes, size_t len);
void strbuf_addf(struct strbuf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void strbuf_free(struct strbuf *buf);
static inline struct span strbuf_span(const struct strbuf *buf)
{
    return (struct span){buf->ptr ? buf->ptr : "", buf->len};
}
static inline void strbuf_reset(struct strbuf *buf)
{
    buf->len = 0;
}

void pack_byte(struct strbuf *buf, uint8_t v);
void pack_be16(struct strbuf *buf, uint16_t v);
void pack_be32(struct strbuf *buf, uint32_t v);
void pack_be64(struct strbuf *buf, uint64_t v);
/* LEB128, and zigzag + LEB128: the encoding of Avro's int and long. */
void pack_varint(struct strbuf *buf, uint64_t v);
void pack_zigzag(struct strbuf *buf, int64_t v);
void pack_span(struct strbuf *buf, struct span s); /* varint length, bytes */

/* A reader that fails once and stays failed: read everything, check `failed` at the end. */
struct unpack {
    const uint8_t *at, *end;
    bool failed;
};

static inline struct unpack unpack_of(struct span s)
{
    const uint8_t *p = (const uint8_t *)(s.ptr ? s.ptr : "");
    return (struct unpack){p, p + s.len, false};
}
uint8_t unpack_byte(struct unpack *u);
uint16_t unpack_be16(struct unpack *u);
uint32_t unpack_be32(struct unpack *u);
uint64_t unpack_be64(struct unpack *u);
uint64_t unpack_varint(struct unpack *u);
int64_t unpack_zigzag(struct unpack *u);
struct span unpack_span(struct unpack *u); /* borrowed from the input */
struct span unpack_bytes(struct unpack *u, size_t len);

#endif
