/* erased.c: reads the tombstones and answers what they cover. */
#include "common/service/erased.h"

#include "common/runtime/clock.h"
#include "service_sql.h"

static enum outcome hold_version(struct db *db, int64_t *version, struct err *err)
{
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_erased_hold, NULL, &r, NULL, err));
    *version = db_int8(r, 0, 0);
    return OUTCOME_OK;
}

static enum outcome read_tombstones(struct db *db, struct erased *out, struct err *err)
{
    struct db_result *r = NULL;
    CHECK(db_run(db, &sql_erased_read_all, NULL, &r, NULL, err));
    map_init(&out->tombstones, &out->arena, sizeof(struct id), sizeof(struct tombstone));
    for (int row = 0; row < db_rows(r); row++) {
        struct id id = db_uuid(r, row, 0);
        *(struct tombstone *)map_put(&out->tombstones, &id, NULL) =
            (struct tombstone){db_timestamptz(r, row, 1), db_int8(r, row, 2)};
    }
    return OUTCOME_OK;
}

/* Reads the tombstones of this version; without an open transaction perhaps newer ones, too. */
static enum outcome read_version(struct db *db, struct erased *erased, int64_t version,
                                 struct err *err)
{
    struct erased fresh = {.version = version, .checked_us = erased->checked_us};
    CHECK(read_tombstones(db, &fresh, err));
    arena_free(&erased->arena);
    *erased = fresh;
    erased->tombstones.arena = &erased->arena;
    return OUTCOME_OK;
}

enum outcome erased_open(struct db *db, struct erased *erased, struct err *err)
{
    int64_t version;
    CHECK(hold_version(db, &version, err));
    return read_version(db, erased, version, err);
}

void erased_close(struct erased *erased)
{
    arena_free(&erased->arena);
    *erased = (struct erased){0};
}

enum outcome erased_check(struct db *db, struct erased *erased, int64_t version, struct err *err)
{
    if (version == erased->version) {
        erased->checked_us = clock_monotonic_us();
        return OUTCOME_OK;
    }
    CHECK(read_version(db, erased, version, err));
    return err_set(err, OUTCOME_RETRY, "erased_meanwhile",
                   "a person was erased: the batch is read again without them");
}

enum outcome erased_check_lease(struct db *db, struct erased *erased, struct err *err)
{
    int64_t asked_us = clock_monotonic_us(), version;
    if (asked_us - erased->checked_us < ERASED_LEASE_US)
        return OUTCOME_OK;
    CHECK(hold_version(db, &version, err));
    CHECK(erased_check(db, erased, version, err));
    /* the lock has been released already, so count from the question */
    erased->checked_us = asked_us;
    return OUTCOME_OK;
}

static const struct tombstone *find(const struct erased *erased, const struct id *identifier_id)
{
    return erased->tombstones.count == 0 ? NULL : map_find(&erased->tombstones, identifier_id);
}

const struct id *erased_next(const struct erased *erased, size_t *cursor, int64_t after)
{
    const struct tombstone *tombstone;
    const void *id;
    while ((tombstone = map_next(&erased->tombstones, cursor, &id)))
        if (tombstone->version > after)
            return id;
    return NULL;
}

int64_t erased_version(const struct erased *erased, const struct id *identifier_id)
{
    const struct tombstone *tombstone = find(erased, identifier_id);
    return tombstone ? tombstone->version : 0;
}

bool erased_covers(const struct erased *erased, const struct id *identifier_id, struct instant at)
{
    const struct tombstone *tombstone = find(erased, identifier_id);
    return tombstone && instant_compare(at, tombstone->erased_at) <= 0;
}

bool erased_covers_move(const struct erased *erased, const struct identity_change *change,
                        const struct identity_move *move)
{
    const struct tombstone *tombstone = find(erased, &move->identifier_id);
    if (tombstone && tombstone->version == 0 && change->changed_at <= tombstone->erased_at.us)
        return true;
    return change->version < erased_version(erased, &move->identifier_id) ||
           change->version < erased_version(erased, &move->profile_id);
}

/* Looks at a row of the map as a message has it. True if the row, or the touchpoint, is older than
 * the erasure of its identifier. */
static bool covers_row(const struct erased *erased, const struct id *identifier_id,
                       struct id *profile_id, int64_t *version, struct instant occurred_at)
{
    if (erased_covers(erased, identifier_id, occurred_at) ||
        *version < erased_version(erased, identifier_id))
        return true;
    if (*version < erased_version(erased, profile_id)) {
        *profile_id = *identifier_id;
        *version = 0;
    }
    return false;
}

bool erased_covers_resolved(const struct erased *erased, struct resolved_header *header,
                            struct arena *arena, struct instant occurred_at)
{
    bool has_anchor = !id_is_nil(&header->anchor_id),
         is_gone = !has_anchor && header->other_count > 0;
    if (erased->tombstones.count == 0 || (!has_anchor && !is_gone))
        return is_gone;
    struct resolved_other *others = arena_array(arena, struct resolved_other, header->other_count);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < header->other_count; i++) {
        others[kept] = header->others[i];
        kept += !covers_row(erased, &others[kept].identifier_id, &others[kept].profile_id,
                            &others[kept].map_version, occurred_at);
    }
    header->others = others;
    header->other_count = kept;
    return is_gone || covers_row(erased, &header->anchor_id, &header->profile_id,
                                 &header->map_version, occurred_at);
}
