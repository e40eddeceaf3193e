/* cells.c: see cells.h. */
#include "common/codec/cells.h"

enum {
    CELL_MIN_BYTES = 5, /* family, period, no dims, bitmap, one value */
    CELL_MAX_BYTES = 1 + 5 + 1 + 5 * CELL_DIMS + 1 + 10 * CELL_VALUES,
};

int cell_compare(const void *a, const void *b)
{
    const struct cell_key *x = &((const struct cell *)a)->key, *y = &((const struct cell *)b)->key;
    if (x->family != y->family)
        return x->family < y->family ? -1 : 1;
    if (x->period != y->period)
        return x->period < y->period ? -1 : 1;
    for (int i = 0; i < CELL_DIMS; i++)
        if (x->dims[i] != y->dims[i])
            return x->dims[i] < y->dims[i] ? -1 : 1;
    return 0;
}

static uint8_t values_present(const struct cell *cell)
{
    uint8_t present = 0;
    for (int i = 0; i < CELL_VALUES; i++)
        if (cell->values[i] != 0)
            present |= (uint8_t)(1u << i);
    return present;
}

static uint8_t dims_used(const struct cell_key *key)
{
    uint8_t n = CELL_DIMS;
    while (n > 0 && key->dims[n - 1] == 0)
        n--;
    return n;
}

static char *put_varint(char *at, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        *at++ = (char)(v | 0x80);
    *at++ = (char)v;
    return at;
}

static char *put_zigzag(char *at, int64_t v)
{
    return put_varint(at, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}

/* One reservation per cell and plain stores: this runs for every changed figure of every flush. */
static void pack_cell(struct strbuf *out, const struct cell *cell, uint8_t present)
{
    strbuf_reserve(out, CELL_MAX_BYTES);
    char *at = out->ptr + out->len;
    uint8_t dims = dims_used(&cell->key);
    *at++ = (char)cell->key.family;
    at = put_zigzag(at, cell->key.period);
    *at++ = (char)dims;
    for (int i = 0; i < dims; i++)
        at = put_varint(at, cell->key.dims[i]);
    *at++ = (char)present;
    for (int i = 0; i < CELL_VALUES; i++)
        if (present >> i & 1)
            at = put_zigzag(at, cell->values[i]);
    out->len = (size_t)(at - out->ptr);
    *at = '\0';
}

void cells_pack(struct strbuf *out, const struct cell *cells, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        kept += values_present(&cells[i]) != 0;
    pack_varint(out, kept);
    for (size_t i = 0; i < count; i++) {
        uint8_t present = values_present(&cells[i]);
        if (present)
            pack_cell(out, &cells[i], present);
    }
}

static uint64_t take_varint(struct unpack *u)
{
    return u->at < u->end && *u->at < 0x80 ? *u->at++ : unpack_varint(u);
}

static int64_t take_zigzag(struct unpack *u)
{
    uint64_t v = take_varint(u);
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static bool take_cell(struct unpack *u, struct cell *cell)
{
    cell->key.family = unpack_byte(u);
    int64_t period = take_zigzag(u);
    uint8_t dims = unpack_byte(u);
    if (period < INT32_MIN || period > INT32_MAX || dims > CELL_DIMS)
        return false;
    cell->key.period = (int32_t)period;
    for (int i = 0; i < dims; i++) {
        uint64_t code = take_varint(u);
        if (code > UINT32_MAX)
            return false;
        cell->key.dims[i] = (uint32_t)code;
    }
    uint8_t present = unpack_byte(u);
    for (int i = 0; i < CELL_VALUES; i++)
        if (present >> i & 1)
            cell->values[i] = take_zigzag(u);
    return present != 0 && !u->failed;
}

enum outcome cells_unpack(struct arena *arena, struct span packed, struct cell **cells,
                          size_t *count, struct err *err)
{
    struct unpack u = unpack_of(packed);
    uint64_t announced = unpack_varint(&u);
    if (u.failed || announced > (size_t)(u.end - u.at) / CELL_MIN_BYTES)
        return err_set(err, OUTCOME_REJECT, "cells_malformed",
                       "the number of packed cells exceeds their bytes");
    struct cell *items = arena_array(arena, struct cell, announced);
    for (uint64_t i = 0; i < announced; i++)
        if (!take_cell(&u, &items[i]))
            return err_set(err, OUTCOME_REJECT, "cells_malformed", "packed cell %llu is malformed",
                           (unsigned long long)i);
    if (u.at != u.end)
        return err_set(err, OUTCOME_REJECT, "cells_malformed", "bytes follow the last packed cell");
    *cells = items;
    *count = (size_t)announced;
    return OUTCOME_OK;
}
