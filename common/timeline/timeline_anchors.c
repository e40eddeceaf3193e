/* timeline_anchors.c: the map anchor -> profile: locks the rows that are there, inserts the others,
 * then applies newer moves. */
#include <stdlib.h>

#include "common/timeline/timeline_sql.h"

static int row_compare(const void *a, const void *b)
{
    const struct anchor_row *x = a, *y = b;
    return (x->anchor > y->anchor) - (x->anchor < y->anchor);
}

/* One row per anchor with the newest version among the moves, sorted. REJECT if two ids share a
 * short key. */
static enum outcome wanted_rows(struct arena *arena, const struct anchor_move *moves, size_t count,
                                struct anchor_row **out, size_t *out_count, struct err *err)
{
    struct anchor_row *rows = arena_array(arena, struct anchor_row, count);
    for (size_t i = 0; i < count; i++)
        rows[i] = (struct anchor_row){.anchor = id_short(&moves[i].anchor_id),
                                      .anchor_id = moves[i].anchor_id,
                                      .profile_id = moves[i].profile_id,
                                      .version = moves[i].version,
                                      .is_inserted = true};
    qsort(rows, count, sizeof *rows, row_compare);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct anchor_row *last = kept ? &rows[kept - 1] : NULL;
        if (last == NULL || last->anchor != rows[i].anchor)
            rows[kept++] = rows[i];
        else if (!id_equal(&last->anchor_id, &rows[i].anchor_id))
            return err_set(err, OUTCOME_REJECT, "anchor_collision",
                           "two identifiers share the short key %lld", (long long)last->anchor);
        else if (rows[i].version > last->version)
            *last = rows[i];
    }
    *out = rows;
    *out_count = kept;
    return OUTCOME_OK;
}

static struct anchor_row *find_row(struct anchor_row *rows, size_t count, int64_t anchor)
{
    struct anchor_row key = {.anchor = anchor};
    return bsearch(&key, rows, count, sizeof *rows, row_compare);
}

static int64_t *short_profiles(struct arena *arena, const struct anchor_row *rows, size_t count)
{
    int64_t *profiles = arena_array(arena, int64_t, count);
    for (size_t i = 0; i < count; i++)
        profiles[i] = id_short(&rows[i].profile_id);
    return profiles;
}

/* The rows that were not there to be locked. */
static enum outcome insert_rows(struct timeline *tl, struct db *db, const struct anchor_row *rows,
                                size_t count, struct err *err)
{
    size_t absent = 0;
    for (size_t i = 0; i < count; i++)
        absent += rows[i].is_inserted;
    if (absent == 0)
        return OUTCOME_OK;
    CHECK(db_copy_begin(db, tl->statements[SQL_COPY_ANCHORS].sql, err));
    for (size_t i = 0; i < count; i++) {
        if (!rows[i].is_inserted)
            continue;
        copy_row(db, 5);
        copy_int8(db, rows[i].anchor);
        copy_int8(db, id_short(&rows[i].profile_id));
        copy_int8(db, rows[i].version);
        copy_uuid(db, &rows[i].anchor_id);
        copy_uuid(db, &rows[i].profile_id);
    }
    return timeline_copy_end(db, "anchor_race", err);
}

/* Compares a wanted row, now locked, with what the table has. */
static enum outcome settle_row(struct anchor_row *row, const struct db_result *result, int r,
                               struct err *err)
{
    if (row == NULL)
        return err_set(err, OUTCOME_FATAL, "anchor_unasked",
                       "an anchor came back that was not asked for");
    struct id anchor_id = db_uuid(result, r, 2), profile_id = db_uuid(result, r, 3);
    int64_t version = db_int8(result, r, 1);
    row->is_inserted = false;
    if (!id_equal(&anchor_id, &row->anchor_id))
        return err_set(err, OUTCOME_REJECT, "anchor_collision",
                       "two identifiers share the short key %lld", (long long)row->anchor);
    row->old_profile_id = profile_id;
    row->was_shared = version_is_shared(version);
    row->is_newer = row->version > version;
    if (row->is_newer) {
        row->is_moved = !id_equal(&profile_id, &row->profile_id) ||
                        row->was_shared != version_is_shared(row->version) ||
                        version_is_person(version) != version_is_person(row->version);
        return OUTCOME_OK;
    }
    row->profile_id = profile_id;
    row->version = version;
    return OUTCOME_OK;
}

static enum outcome lock_rows(struct timeline *tl, struct db *db, struct arena *arena,
                              struct anchor_row *rows, size_t count, struct err *err)
{
    struct params p;
    params_init(&p, arena);
    params_int8_array(&p, &rows->anchor, sizeof *rows, count);
    struct db_result *result = NULL;
    CHECK(db_run(db, &tl->statements[SQL_LOCK_ANCHORS], &p, &result, NULL, err));
    for (int r = 0; r < db_rows(result); r++)
        CHECK(settle_row(find_row(rows, count, db_int8(result, r, 0)), result, r, err));
    return OUTCOME_OK;
}

static enum outcome write_moves(struct timeline *tl, struct db *db, struct arena *arena,
                                const struct anchor_row *rows, size_t count, struct err *err)
{
    struct anchor_row *moved = arena_array(arena, struct anchor_row, count);
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (rows[i].is_newer)
            moved[n++] = rows[i];
    if (n == 0)
        return OUTCOME_OK;
    struct params p;
    params_init(&p, arena);
    params_int8_array(&p, &moved->anchor, sizeof *moved, n);
    params_int8_array(&p, short_profiles(arena, moved, n), sizeof(int64_t), n);
    params_int8_array(&p, &moved->version, sizeof *moved, n);
    params_uuid_array(&p, &moved->profile_id, sizeof *moved, n);
    return db_run(db, &tl->statements[SQL_MOVE_ANCHORS], &p, NULL, NULL, err);
}

enum outcome timeline_lock_anchors(struct timeline *tl, struct db *db, struct arena *arena,
                                   const struct anchor_move *moves, size_t count,
                                   struct anchor_row **rows, size_t *row_count, struct err *err)
{
    *row_count = 0;
    if (count == 0)
        return OUTCOME_OK;
    CHECK(wanted_rows(arena, moves, count, rows, row_count, err));
    CHECK(lock_rows(tl, db, arena, *rows, *row_count, err));
    CHECK(insert_rows(tl, db, *rows, *row_count, err));
    return write_moves(tl, db, arena, *rows, *row_count, err);
}
