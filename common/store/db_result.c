/* db_result.c: typed reading of binary results, in place. A struct db_result is libpq's result
 * itself; an arena clears it. */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/pack.h"
#include "common/store/db_internal.h"

static const PGresult *of(const struct db_result *result)
{
    return (const PGresult *)result;
}

/* The bytes of a fixed-width value. Another width means that program and statement disagree:
 * reading on would invent data. */
static const char *fixed(const struct db_result *r, int row, int column, int width)
{
    if (PQgetlength(of(r), row, column) != width) {
        fprintf(stderr, "result column %d (%s) holds %d bytes, %d were expected\n", column,
                PQfname(of(r), column), PQgetlength(of(r), row, column), width);
        abort();
    }
    return PQgetvalue(of(r), row, column);
}

int db_rows(const struct db_result *result)
{
    return PQntuples(of(result));
}

bool db_is_null(const struct db_result *r, int row, int column)
{
    return PQgetisnull(of(r), row, column);
}

int16_t db_int2(const struct db_result *r, int row, int column)
{
    uint16_t v;
    memcpy(&v, fixed(r, row, column, sizeof v), sizeof v);
    return (int16_t)__builtin_bswap16(v);
}

int32_t db_int4(const struct db_result *r, int row, int column)
{
    uint32_t v;
    memcpy(&v, fixed(r, row, column, sizeof v), sizeof v);
    return (int32_t)__builtin_bswap32(v);
}

int64_t db_int8(const struct db_result *r, int row, int column)
{
    uint64_t v;
    memcpy(&v, fixed(r, row, column, sizeof v), sizeof v);
    return (int64_t)__builtin_bswap64(v);
}

bool db_bool(const struct db_result *r, int row, int column)
{
    return *fixed(r, row, column, 1) != 0;
}

struct span db_bytes(const struct db_result *r, int row, int column)
{
    if (db_is_null(r, row, column))
        return SPAN_NONE;
    return (struct span){PQgetvalue(of(r), row, column), (size_t)PQgetlength(of(r), row, column)};
}

struct id db_uuid(const struct db_result *r, int row, int column)
{
    struct id id;
    memcpy(id.bytes, fixed(r, row, column, sizeof id.bytes), sizeof id.bytes);
    return id;
}

static struct instant to_instant(int64_t us)
{
    struct instant t = {us};
    if (t.us == INT64_MAX || t.us == INT64_MIN)
        return t;
    return instant_plus(t, (struct duration){POSTGRES_EPOCH_US});
}

struct instant db_timestamptz(const struct db_result *r, int row, int column)
{
    return to_instant(db_int8(r, row, column));
}

/* The elements of an array of fixed width, each after its length: dimensions (0: no element), a
 * flag for NULLs, the type, then count and first index. */
static struct unpack array_of(const struct db_result *r, int row, int column, uint32_t width,
                              size_t *count)
{
    struct unpack u = unpack_of(db_bytes(r, row, column));
    uint32_t dimensions = unpack_be32(&u), nulls = unpack_be32(&u);
    unpack_be32(&u);
    *count = dimensions ? unpack_be32(&u) : 0;
    if (dimensions)
        unpack_be32(&u);
    if (u.failed || dimensions > 1 || nulls ||
        (size_t)(u.end - u.at) != *count * (sizeof(uint32_t) + width)) {
        fprintf(stderr, "result column %d (%s) holds another array than was expected\n", column,
                PQfname(of(r), column));
        abort();
    }
    return u;
}

size_t db_int4_array(const struct db_result *r, int row, int column, struct arena *arena,
                     const int32_t **out)
{
    size_t count;
    struct unpack u = array_of(r, row, column, sizeof(int32_t), &count);
    int32_t *items = arena_array(arena, int32_t, count);
    for (size_t i = 0; i < count; i++) {
        unpack_be32(&u);
        items[i] = (int32_t)unpack_be32(&u);
    }
    *out = items;
    return count;
}

size_t db_timestamptz_array(const struct db_result *r, int row, int column, struct arena *arena,
                            const struct instant **out)
{
    size_t count;
    struct unpack u = array_of(r, row, column, sizeof(int64_t), &count);
    struct instant *items = arena_array(arena, struct instant, count);
    for (size_t i = 0; i < count; i++) {
        unpack_be32(&u);
        items[i] = to_instant((int64_t)unpack_be64(&u));
    }
    *out = items;
    return count;
}

static void clear(void *libpq)
{
    PQclear(libpq);
}

struct db_result *db_result_new(struct arena *arena, PGresult *libpq)
{
    arena_defer(arena, clear, libpq);
    return (struct db_result *)libpq;
}
