/* avro_write.c: see avro_write.h. */
#include "common/codec/avro/avro_write.h"

void avro_write_boolean(struct strbuf *out, bool v)
{
    pack_byte(out, v);
}

void avro_write_long(struct strbuf *out, int64_t v)
{
    pack_zigzag(out, v);
}

void avro_write_bytes(struct strbuf *out, struct span s)
{
    pack_zigzag(out, (int64_t)s.len);
    strbuf_add(out, s.ptr, s.len);
}

void avro_write_id(struct strbuf *out, const struct id *id)
{
    strbuf_add(out, id->bytes, sizeof id->bytes);
}

void avro_write_opt_string(struct strbuf *out, struct span s)
{
    avro_write_long(out, s.ptr != NULL);
    if (s.ptr)
        avro_write_bytes(out, s);
}

void avro_write_opt_long(struct strbuf *out, int64_t v)
{
    avro_write_long(out, v != LONG_ABSENT);
    if (v != LONG_ABSENT)
        avro_write_long(out, v);
}

void avro_write_opt_id(struct strbuf *out, const struct id *id)
{
    avro_write_long(out, !id_is_nil(id));
    if (!id_is_nil(id))
        avro_write_id(out, id);
}

bool avro_read_boolean(struct unpack *u)
{
    uint8_t v = unpack_byte(u);
    u->failed |= v > 1;
    return v == 1;
}

int64_t avro_read_long(struct unpack *u)
{
    return unpack_zigzag(u);
}

int32_t avro_read_int(struct unpack *u)
{
    int64_t v = unpack_zigzag(u);
    u->failed |= v < INT32_MIN || v > INT32_MAX;
    return u->failed ? 0 : (int32_t)v;
}

struct span avro_read_bytes(struct unpack *u)
{
    int64_t len = unpack_zigzag(u);
    u->failed |= len < 0;
    return u->failed ? SPAN_NONE : unpack_bytes(u, (size_t)len);
}

struct span avro_read_string(struct unpack *u)
{
    struct span s = avro_read_bytes(u);
    if (!u->failed && !span_is_clean_utf8(s))
        u->failed = true;
    return u->failed ? SPAN_NONE : s;
}

struct id avro_read_id(struct unpack *u)
{
    struct id id = {{0}};
    struct span s = unpack_bytes(u, sizeof id.bytes);
    if (s.ptr)
        memcpy(id.bytes, s.ptr, sizeof id.bytes);
    return id;
}

/* True if the value of a ["null", T] follows. */
static bool read_present(struct unpack *u)
{
    int64_t branch = unpack_zigzag(u);
    u->failed |= branch != 0 && branch != 1;
    return !u->failed && branch == 1;
}

struct span avro_read_opt_string(struct unpack *u)
{
    return read_present(u) ? avro_read_string(u) : SPAN_NONE;
}

int64_t avro_read_opt_long(struct unpack *u)
{
    return read_present(u) ? avro_read_long(u) : LONG_ABSENT;
}

struct id avro_read_opt_id(struct unpack *u)
{
    return read_present(u) ? avro_read_id(u) : (struct id){{0}};
}

uint64_t avro_read_block(struct unpack *u)
{
    int64_t count = unpack_zigzag(u);
    if (count < 0)
        unpack_zigzag(u);
    return u->failed ? 0 : count < 0 ? -(uint64_t)count : (uint64_t)count;
}
