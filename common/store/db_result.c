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

struct instant db_timestamptz(const struct db_result *r, int row, int column)
{
    struct instant t = {db_int8(r, row, column)};
    if (t.us == INT64_MAX || t.us == INT64_MIN)
        return t;
    return instant_plus(t, (struct duration){POSTGRES_EPOCH_US});
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
