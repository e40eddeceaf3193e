/* db_copy.c: binary COPY FROM STDIN through one 64 kB buffer. */
#include <stdlib.h>

#include "common/store/db_internal.h"
#include "common/store/db_wire.h"

enum { COPY_BUFFER = 64 * 1024 };

/* no flags, no header extension */
static const char signature[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
enum { SIGNATURE_BYTES = 19 };

enum outcome db_copy_begin(struct db *db, const char *sql, struct err *err)
{
    enum outcome outcome = db_check_usable(db, err);
    if (outcome != OUTCOME_OK)
        return outcome;
    PGresult *result = db_exec(db, sql);
    if (PQresultStatus(result) == PGRES_FATAL_ERROR)
        return db_fail(db, result, sql, err);
    bool is_copy = PQresultStatus(result) == PGRES_COPY_IN;
    PQclear(result);
    if (!is_copy)
        return db_misused(db, "db_copy_begin with another statement than COPY FROM STDIN", err);
    if (db->copy == NULL && (db->copy = malloc(COPY_BUFFER)) == NULL)
        abort();
    memcpy(db->copy, signature, SIGNATURE_BYTES);
    db->copy_len = SIGNATURE_BYTES;
    db->is_copying = true;
    db->is_copy_lost = false;
    return OUTCOME_OK;
}

/* After a refusal the rest is thrown away: db_copy_end tells. */
static void put(struct db *db, const char *bytes, size_t len)
{
    while (len > 0 && db->is_copying && !db->is_copy_lost) {
        int n = len < COPY_BUFFER ? (int)len : COPY_BUFFER;
        db->is_copy_lost = PQputCopyData(db->conn, bytes, n) != 1;
        bytes += n;
        len -= (size_t)n;
    }
}

static void flush(struct db *db)
{
    put(db, db->copy, db->copy_len);
    db->copy_len = 0;
}

/* Room for n bytes (at most a few dozen) in the buffer, counted as used. */
static inline char *take(struct db *db, size_t n)
{
    if (COPY_BUFFER - db->copy_len < n)
        flush(db);
    char *at = db->copy + db->copy_len;
    db->copy_len += n;
    return at;
}

void copy_row(struct db *db, int16_t columns)
{
    wire_be16(take(db, 2), (uint16_t)columns);
}

void copy_null(struct db *db)
{
    wire_be32(take(db, 4), UINT32_MAX);
}

void copy_int2(struct db *db, int16_t v)
{
    wire_be16(wire_be32(take(db, 6), 2), (uint16_t)v);
}

void copy_int4(struct db *db, int32_t v)
{
    wire_be32(wire_be32(take(db, 8), 4), (uint32_t)v);
}

void copy_int8(struct db *db, int64_t v)
{
    wire_be64(wire_be32(take(db, 12), 8), (uint64_t)v);
}

void copy_bool(struct db *db, bool v)
{
    *wire_be32(take(db, 5), 1) = v;
}

void copy_uuid(struct db *db, const struct id *v)
{
    wire_bytes(wire_be32(take(db, 20), 16), v->bytes, 16);
}

void copy_timestamptz(struct db *db, struct instant v)
{
    wire_be64(wire_be32(take(db, 12), 8), (uint64_t)wire_timestamptz(v));
}

void copy_bytes(struct db *db, struct span v)
{
    if (v.ptr == NULL || v.len <= COPY_BUFFER / 8) {
        wire_span(take(db, 4 + (v.ptr ? v.len : 0)), v);
        return;
    }
    wire_be32(take(db, 4), (uint32_t)v.len);
    flush(db);
    put(db, v.ptr, v.len);
}

enum outcome db_copy_end(struct db *db, int64_t *rows, struct err *err)
{
    if (!db->is_copying)
        return db->phase == DB_UP ? db_misused(db, "db_copy_end without db_copy_begin", err)
                                  : db_fail(db, NULL, "copy", err);
    wire_be16(take(db, 2), UINT16_MAX);
    flush(db);
    db->is_copying = false;
    bool is_sent = !db->is_copy_lost && PQputCopyEnd(db->conn, NULL) == 1;
    PGresult *result = is_sent ? db_collect(db) : NULL;
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        return db_fail(db, result, "copy", err);
    if (rows)
        *rows = strtoll(PQcmdTuples(result), NULL, 10);
    PQclear(result);
    return OUTCOME_OK;
}
