/* db_params.c: parameters and one-dimensional arrays in PostgreSQL's binary form, built in one pass
 * in an arena. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/store/db.h"
#include "common/store/db_wire.h"

/* Oids of pg_type.dat; they never change. */
enum oid {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_BOOL_ARRAY = 1000,
    OID_BYTEA_ARRAY = 1001,
    OID_INT2_ARRAY = 1005,
    OID_INT4_ARRAY = 1007,
    OID_TEXT_ARRAY = 1009,
    OID_INT8_ARRAY = 1016,
    OID_TIMESTAMPTZ = 1184,
    OID_TIMESTAMPTZ_ARRAY = 1185,
    OID_UUID = 2950,
    OID_UUID_ARRAY = 2951,
};

enum { ARRAY_HEADER = 20, EMPTY_ARRAY_HEADER = 12 };

void params_init(struct params *params, struct arena *arena)
{
    params->arena = arena;
    params->count = 0;
}

static void add(struct params *p, enum oid type, const char *value, size_t length)
{
    if (p->count == PARAMS_MAX || length > INT_MAX) {
        fprintf(stderr, "statement parameter %d does not fit\n", p->count + 1);
        abort();
    }
    p->values[p->count] = value;
    p->lengths[p->count] = (int)length;
    p->types[p->count++] = type;
}

void params_int2(struct params *p, int16_t v)
{
    char *at = arena_alloc(p->arena, sizeof v);
    wire_be16(at, (uint16_t)v);
    add(p, OID_INT2, at, sizeof v);
}

void params_int4(struct params *p, int32_t v)
{
    char *at = arena_alloc(p->arena, sizeof v);
    wire_be32(at, (uint32_t)v);
    add(p, OID_INT4, at, sizeof v);
}

static void add_64(struct params *p, enum oid type, int64_t v)
{
    char *at = arena_alloc(p->arena, sizeof v);
    wire_be64(at, (uint64_t)v);
    add(p, type, at, sizeof v);
}

void params_int8(struct params *p, int64_t v)
{
    add_64(p, OID_INT8, v);
}

void params_timestamptz(struct params *p, struct instant v)
{
    add_64(p, OID_TIMESTAMPTZ, wire_timestamptz(v));
}

void params_bool(struct params *p, bool v)
{
    add(p, OID_BOOL, v ? "\1" : "\0", 1);
}

/* libpq takes a NULL pointer as SQL NULL. The bytes are borrowed until the statement has run. */
void params_text(struct params *p, struct span v)
{
    add(p, OID_TEXT, v.ptr, v.ptr ? v.len : 0);
}

void params_bytea(struct params *p, struct span v)
{
    add(p, OID_BYTEA, v.ptr, v.ptr ? v.len : 0);
}

void params_uuid(struct params *p, const struct id *v)
{
    char *at = arena_alloc(p->arena, sizeof v->bytes);
    memcpy(at, v->bytes, sizeof v->bytes);
    add(p, OID_UUID, at, sizeof v->bytes);
}

/* Dimensions, NULL flag, element type, length, lower bound; an empty array has no dimension. */
static char *array_header(char *at, enum oid element, size_t count, bool has_null)
{
    at = wire_be32(at, count > 0);
    at = wire_be32(at, has_null);
    at = wire_be32(at, element);
    if (count == 0)
        return at;
    at = wire_be32(at, (uint32_t)count);
    return wire_be32(at, 1);
}

/* An array of count elements of width bytes each: returns where the first element begins. */
static char *add_fixed_array(struct params *p, enum oid type, enum oid element, size_t count,
                             size_t width)
{
    size_t length = count ? ARRAY_HEADER + count * (4 + width) : EMPTY_ARRAY_HEADER;
    char *at = arena_alloc(p->arena, length);
    add(p, type, at, length);
    return array_header(at, element, count, false);
}

#define ELEMENT(type, i) ((const type *)(const void *)((const char *)first + (i)*stride))

void params_int2_array(struct params *p, const int16_t *first, size_t stride, size_t count)
{
    char *at = add_fixed_array(p, OID_INT2_ARRAY, OID_INT2, count, 2);
    for (size_t i = 0; i < count; i++)
        at = wire_be16(wire_be32(at, 2), (uint16_t)*ELEMENT(int16_t, i));
}

void params_int4_array(struct params *p, const int32_t *first, size_t stride, size_t count)
{
    char *at = add_fixed_array(p, OID_INT4_ARRAY, OID_INT4, count, 4);
    for (size_t i = 0; i < count; i++)
        at = wire_be32(wire_be32(at, 4), (uint32_t)*ELEMENT(int32_t, i));
}

void params_int8_array(struct params *p, const int64_t *first, size_t stride, size_t count)
{
    char *at = add_fixed_array(p, OID_INT8_ARRAY, OID_INT8, count, 8);
    for (size_t i = 0; i < count; i++)
        at = wire_be64(wire_be32(at, 8), (uint64_t)*ELEMENT(int64_t, i));
}

void params_bool_array(struct params *p, const bool *first, size_t stride, size_t count)
{
    char *at = add_fixed_array(p, OID_BOOL_ARRAY, OID_BOOL, count, 1);
    for (size_t i = 0; i < count; i++) {
        at = wire_be32(at, 1);
        *at++ = *ELEMENT(bool, i);
    }
}

void params_uuid_array(struct params *p, const struct id *first, size_t stride, size_t count)
{
    char *at = add_fixed_array(p, OID_UUID_ARRAY, OID_UUID, count, 16);
    for (size_t i = 0; i < count; i++)
        at = wire_bytes(wire_be32(at, 16), ELEMENT(struct id, i)->bytes, 16);
}

void params_timestamptz_array(struct params *p, const struct instant *first, size_t stride,
                              size_t count)
{
    char *at = add_fixed_array(p, OID_TIMESTAMPTZ_ARRAY, OID_TIMESTAMPTZ, count, 8);
    for (size_t i = 0; i < count; i++)
        at = wire_be64(wire_be32(at, 8), (uint64_t)wire_timestamptz(*ELEMENT(struct instant, i)));
}

/* Element width of an array of fixed width, by its type. */
static size_t array_width(unsigned type)
{
    return type == OID_INT2_ARRAY ? 2 : type == OID_INT4_ARRAY ? 4 : 8;
}

static bool is_smallest(const char *at, size_t width)
{
    static const char smallest[8] = {(char)0x80};
    return memcmp(at, smallest, width) == 0;
}

void params_smallest_is_null(struct params *p)
{
    int last = p->count - 1;
    char *start = (char *)p->values[last], *to = start + ARRAY_HEADER;
    size_t width = array_width(p->types[last]);
    const char *from = to, *end = start + p->lengths[last];
    for (; from < end; from += 4 + width) {
        if (is_smallest(from + 4, width)) {
            to = wire_be32(to, UINT32_MAX);
            wire_be32(start + 4, 1);
            continue;
        }
        memmove(to, from, 4 + width);
        to += 4 + width;
    }
    if (p->lengths[last] > (int)EMPTY_ARRAY_HEADER)
        p->lengths[last] = (int)(to - start);
}

static void add_span_array(struct params *p, enum oid type, enum oid element,
                           const struct span *first, size_t stride, size_t count)
{
    size_t length = count ? ARRAY_HEADER + count * 4 : EMPTY_ARRAY_HEADER;
    bool has_null = false;
    for (size_t i = 0; i < count; i++) {
        const struct span *s = ELEMENT(struct span, i);
        has_null |= s->ptr == NULL;
        length += s->ptr ? s->len : 0;
    }
    char *at = arena_alloc(p->arena, length);
    add(p, type, at, length);
    at = array_header(at, element, count, has_null);
    for (size_t i = 0; i < count; i++)
        at = wire_span(at, *ELEMENT(struct span, i));
}

void params_text_array(struct params *p, const struct span *first, size_t stride, size_t count)
{
    add_span_array(p, OID_TEXT_ARRAY, OID_TEXT, first, stride, count);
}

void params_bytea_array(struct params *p, const struct span *first, size_t stride, size_t count)
{
    add_span_array(p, OID_BYTEA_ARRAY, OID_BYTEA, first, stride, count);
}
