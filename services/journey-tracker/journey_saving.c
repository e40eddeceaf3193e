/* journey_saving.c: the common end of both paths. Cells are packed in chunks, each with a number of
 * its lane; what others should know becomes messages (journey_telling.c). */
#include "services/journey-tracker/journey_saving.h"

#include <stdlib.h>

#include "common/codec/cells.h"
#include "common/codec/compress.h"
#include "common/codec/messages.h"
#include "services/journey-tracker/journey_convert.h"
#include "services/journey-tracker/journey_telling.h"

enum { CELLS_PER_CHUNK = 16000 }; /* about 512 kB packed */

void saving_init(struct saving *saving, struct arena *arena)
{
    *saving = (struct saving){0};
    journey_effects_init(&saving->effects, arena);
}

void saving_advance(const struct tracker *tracker, struct saving *saving, int64_t profile,
                    struct journey_state *state, const struct touch *touch)
{
    struct arena *arena = saving->effects.arena;
    journey_advance(&tracker->policy, state, touch, &saving->effects);
    if (state->is_checkpoint)
        *arena_push(arena, &saving->checkpoints) =
            (struct checkpoint){profile, touch->key.at, convert_pack(tracker, arena, state)};
}

static struct cell *sorted_cells(struct arena *arena, const struct journey_effects *effects,
                                 size_t *count)
{
    struct cell *cells = arena_array(arena, struct cell, effects->cells.count);
    size_t cursor = 0, n = 0;
    while (journey_effects_next(effects, &cursor, &cells[n]))
        n++;
    qsort(cells, n, sizeof *cells, cell_compare);
    *count = n;
    return cells;
}

static enum outcome encode_chunk(struct tracker *tracker, struct arena *arena,
                                 struct journey_diff diff, const struct cell *cells, size_t count,
                                 struct span *out, struct err *err)
{
    struct strbuf packed = {.arena = arena}, compressed = {.arena = arena},
                  message = {.arena = arena};
    cells_pack(&packed, cells, count);
    CHECK(lz4_pack(strbuf_span(&packed), &compressed, err));
    diff.generation = tracker->generation.id;
    diff.raw_size = (int32_t)packed.len;
    diff.cells = strbuf_span(&compressed);
    journey_diff_encode(&message, &diff);
    *out = strbuf_span(&message);
    return OUTCOME_OK;
}

/* Chunks get consecutive numbers of the lane. All but the transaction's last one say `more`. */
static enum outcome write_diff(struct tracker *tracker, struct journey_flush *flush,
                               const struct journey_effects *effects, struct err *err)
{
    size_t count;
    struct cell *cells = sorted_cells(flush->arena, effects, &count);
    size_t chunks = (count + CELLS_PER_CHUNK - 1) / CELLS_PER_CHUNK;
    if (chunks == 0)
        return OUTCOME_OK;
    CHECK(journey_store_next_seq(tracker->db, flush->arena, flush->lane, (int64_t)chunks,
                                 flush->lane % tracker->diff_partitions, &flush->lane_row, err));
    struct diff_row *rows = arena_array(flush->arena, struct diff_row, chunks);
    for (size_t i = 0; i < chunks; i++) {
        size_t from = i * CELLS_PER_CHUNK,
               n = count - from < CELLS_PER_CHUNK ? count - from : CELLS_PER_CHUNK;
        struct journey_diff diff = {.lane = flush->lane,
                                    .seq = flush->lane_row.seq - (int64_t)(chunks - 1 - i),
                                    .more = i + 1 < chunks,
                                    .again = flush->sweep_count > 0};
        rows[i].seq = diff.seq;
        CHECK(encode_chunk(tracker, flush->arena, diff, cells + from, n, &rows[i].payload, err));
        *arena_push(flush->arena, &flush->diffs) = rows[i];
    }
    return journey_store_insert_diffs(tracker->db, flush->arena, flush->lane, rows, chunks, err);
}

static enum outcome write_all(struct tracker *tracker, struct journey_flush *flush,
                              struct saving *saving, const struct map *profile_of, struct err *err)
{
    struct journey_effects *effects = &saving->effects;
    struct db *db = tracker->db;
    if (effects->missed_window)
        return err_set(
            err, OUTCOME_FATAL, "missed_window",
            "a conversion was derived without its whole lookback, or a return without its "
            "order");
#define ROW_KIND(name, row, list)                                                                  \
    CHECK(journey_store_remove_##name(db, flush->arena, &effects->name##_removed, err));           \
    CHECK(journey_store_write_##name(db, flush->arena, &effects->name, err));
#include "services/journey-tracker/logic/rows.def"
    CHECK(journey_store_delete_checkpoints(db, flush->arena, &saving->dead_checkpoints, err));
    CHECK(journey_store_write_checkpoints(db, flush->arena, &saving->checkpoints, err));
    CHECK(write_diff(tracker, flush, effects, err));
    return flush->sweep_count > 0 ? OUTCOME_OK
                                  : telling_write(tracker, flush, effects, profile_of, err);
}

enum outcome saving_write(struct tracker *tracker, struct journey_flush *flush,
                          struct saving *saving, const struct map *profile_of, struct err *err)
{
    enum outcome outcome = write_all(tracker, flush, saving, profile_of, err);
    /* These rows are ours. If the database refuses them (numbers go backwards after a restore), no
     * touchpoint is at fault. */
    if (outcome == OUTCOME_REJECT)
        err->outcome = outcome = OUTCOME_FATAL;
    return outcome;
}
