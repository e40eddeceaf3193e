/* metrics_flush.c: sorts the diffs by lane and number, adds their cells in memory, and writes one
 * row per lane and cell. */
#include "services/metrics-aggregator/metrics_flush.h"

#include <stdlib.h>

#include "common/codec/cells.h"
#include "common/codec/compress.h"
#include "services/metrics-aggregator/logic/late.h"
#include "services/metrics-aggregator/logic/merge.h"
#include "services/metrics-aggregator/logic/sequence.h"
#include "services/metrics-aggregator/metrics_sums.h"

/* One run of flush_run. */
struct run {
    struct metrics_flush *flush;
    struct arena *arena;
    struct merge merge; /* of what customers did; at the end, of everything */
    struct merge again; /* of what was made again under other policies */
    struct flush_counts counts;
    const struct numbered *items; /* by lane, then by number */
    size_t item_count;
    struct metrics_lane_row *lanes;
    size_t lane_count;
    struct sum_row *rows; /* by cell, then by lane */
    size_t row_count;
    struct sum_row *new_keys;
    size_t new_key_count;
    struct id seen_generation; /* the last one that was looked up, and its number */
    int32_t seen_number;
};

void flush_open(struct metrics_flush *flush, struct db *db, const struct generation *generation,
                size_t cache_bytes)
{
    *flush =
        (struct metrics_flush){.db = db, .generation = *generation, .cache_bytes = cache_bytes};
    map_init(&flush->next_seq, NULL, sizeof(int32_t), sizeof(int64_t));
    map_init(&flush->known_keys, NULL, sizeof(int64_t), sizeof(struct cell_key));
}

void flush_close(struct metrics_flush *flush)
{
    map_free(&flush->next_seq);
    map_free(&flush->known_keys);
    arena_free(&flush->scratch);
}

/* ---- what is new ---- */
static const struct journey_diff *diff_of(const struct numbered *item)
{
    return item->diff;
}

static int item_compare(const void *a, const void *b)
{
    int32_t x = diff_of(a)->lane, y = diff_of(b)->lane;
    return x != y ? (x < y ? -1 : 1) : numbered_compare(a, b);
}

static bool is_known_repeat(const struct metrics_flush *flush, const struct journey_diff *diff)
{
    const int64_t *next = map_find(&flush->next_seq, &diff->lane);
    return next && diff->seq < *next;
}

static void sort_items(struct run *run, const struct journey_diff *diffs, size_t count)
{
    struct numbered *items = arena_array(run->arena, struct numbered, count);
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (is_known_repeat(run->flush, &diffs[i]))
            run->counts.repeated++;
        else
            items[n++] = (struct numbered){diffs[i].seq, diffs[i].more, &diffs[i]};
    qsort(items, n, sizeof *items, item_compare);
    run->items = items;
    run->item_count = n;
}

static enum outcome lock_lanes(struct run *run, struct err *err)
{
    int32_t *lanes = arena_array(run->arena, int32_t, run->item_count);
    for (size_t i = 0; i < run->item_count; i++) {
        int32_t lane = diff_of(&run->items[i])->lane;
        if (run->lane_count == 0 || lanes[run->lane_count - 1] != lane)
            lanes[run->lane_count++] = lane;
    }
    run->lanes = arena_array(run->arena, struct metrics_lane_row, run->lane_count);
    return metrics_store_lock_lanes(run->flush->db, run->arena, lanes, run->lane_count, run->lanes,
                                    err);
}

/* ---- adding diffs ---- */
static enum outcome generation_number(struct run *run, const struct id *generation, int32_t *number,
                                      struct err *err)
{
    if (!id_equal(&run->seen_generation, generation)) {
        CHECK(metrics_store_find_generation(run->flush->db, run->arena, generation,
                                            &run->seen_number, err));
        run->seen_generation = *generation;
    }
    *number = run->seen_number;
    return OUTCOME_OK;
}

/* Sums of an older generation were dropped with it. A newer one than the active cannot exist. */
static enum outcome check_outdated(struct run *run, const struct journey_diff *diff, bool *outdated,
                                   struct err *err)
{
    int32_t number = 0;
    *outdated = !id_equal(&diff->generation, &run->flush->generation.id);
    if (!*outdated)
        return OUTCOME_OK;
    CHECK(generation_number(run, &diff->generation, &number, err));
    if (number > 0 && number < run->flush->generation.number)
        return OUTCOME_OK;
    return err_set(err, OUTCOME_FATAL, "generation_unknown",
                   "number %lld of lane %d belongs to policies that were never active here",
                   (long long)diff->seq, diff->lane);
}

static enum outcome add_diff(struct run *run, const struct journey_diff *diff, struct err *err)
{
    bool outdated;
    CHECK(check_outdated(run, diff, &outdated, err));
    if (outdated) {
        run->counts.outdated++;
        return OUTCOME_OK;
    }
    struct arena *scratch = &run->flush->scratch;
    struct span packed;
    struct cell *cells;
    size_t count;
    arena_reset(scratch);
    CHECK(lz4_unpack(scratch, diff->cells, diff->raw_size, &packed, err));
    CHECK(cells_unpack(scratch, packed, &cells, &count, err));
    CHECK(merge_add(diff->again ? &run->again : &run->merge, diff->lane, cells, count, err));
    run->counts.applied++;
    return OUTCOME_OK;
}

static enum outcome gap(int32_t lane, int64_t first, int64_t last, struct err *err)
{
    if (last == INT64_MAX)
        return err_set(err, OUTCOME_FATAL, "gap",
                       "lane %d: number %lld, of the same transaction as the one before, is not in "
                       "journey.outbox",
                       lane, (long long)first);
    return err_set(
        err, OUTCOME_FATAL, "gap",
        "lane %d: number %lld is missing (up to %lld), on the topic and in journey.outbox", lane,
        (long long)first, (long long)last);
}

static enum outcome add_message(struct run *run, int32_t lane, int64_t seq, struct span payload,
                                bool *more, struct err *err)
{
    struct journey_diff diff;
    CHECK(journey_diff_decode(payload, &diff, err));
    if (diff.lane != lane || diff.seq != seq)
        return err_set(err, OUTCOME_REJECT, "diff_malformed", "the message has another number");
    *more = diff.more;
    return add_diff(run, &diff, err);
}

/* Adds a message of the outbox. No other message can bring this number, so an error in it is
 * final. */
static enum outcome add_fetched(struct run *run, int32_t lane, struct sequence *sequence,
                                struct span payload, struct err *err)
{
    bool more = false;
    enum outcome outcome = add_message(run, lane, sequence->next, payload, &more, err);
    if (outcome == OUTCOME_REJECT)
        return err_set(err, OUTCOME_FATAL, "diff_malformed",
                       "lane %d: number %lld in journey.outbox cannot be read", lane,
                       (long long)sequence->next);
    CHECK(outcome);
    run->counts.from_outbox++;
    sequence_advance(sequence, more);
    return OUTCOME_OK;
}

/* Adds as many of the missing numbers as one query brings. */
static enum outcome fetch_some(struct run *run, struct arena *arena, int32_t lane,
                               struct sequence *sequence, int64_t last, struct err *err)
{
    struct db_result *rows = NULL;
    CHECK(metrics_store_find_diffs(run->flush->db, arena, lane, sequence->next, last, &rows, err));
    if (db_rows(rows) == 0 || db_int8(rows, 0, 0) != sequence->next)
        return gap(lane, sequence->next, last, err);
    for (int i = 0; i < db_rows(rows) && db_int8(rows, i, 0) == sequence->next; i++) {
        CHECK(add_fetched(run, lane, sequence, db_bytes(rows, i, 1), err));
        if (last == INT64_MAX && !sequence->open)
            break;
    }
    return OUTCOME_OK;
}

/* A gap may be longer than memory: the rows of a query live no longer than it takes to add them. */
static enum outcome fetch(struct run *run, int32_t lane, struct sequence *sequence, int64_t last,
                          struct err *err)
{
    struct arena arena = {0};
    enum outcome outcome = fetch_some(run, &arena, lane, sequence, last, err);
    arena_free(&arena);
    return outcome;
}

static enum outcome apply_lane(struct run *run, struct metrics_lane_row *lane,
                               const struct numbered *items, size_t count, struct err *err)
{
    struct sequence sequence = {.items = items, .count = count, .next = lane->next_seq};
    int64_t last;
    enum sequence_step step;
    while ((step = sequence_step(&sequence, &last)) != SEQUENCE_DONE) {
        if (step == SEQUENCE_FETCH) {
            CHECK(fetch(run, lane->lane, &sequence, last, err));
        } else {
            CHECK(add_diff(run, diff_of(sequence_item(&sequence)), err));
            sequence_advance(&sequence, sequence_item(&sequence)->more);
        }
    }
    run->counts.repeated += sequence.dropped;
    lane->next_seq = sequence.next;
    return OUTCOME_OK;
}

static enum outcome apply_lanes(struct run *run, struct err *err)
{
    size_t from = 0;
    for (size_t i = 0; i < run->lane_count; i++) {
        size_t to = from;
        while (to < run->item_count && diff_of(&run->items[to])->lane == run->lanes[i].lane)
            to++;
        CHECK(apply_lane(run, &run->lanes[i], run->items + from, to - from, err));
        from = to;
    }
    return OUTCOME_OK;
}

/* ---- writing sums ---- */
static void make_rows(struct run *run)
{
    run->rows = metrics_sum_rows(run->arena, &run->merge, &run->row_count);
}

static enum outcome collect_new_keys(struct run *run, struct err *err)
{
    run->new_keys = arena_array(run->arena, struct sum_row, run->row_count);
    for (size_t i = 0; i < run->row_count; i++) {
        const struct sum_row *row = &run->rows[i], *before = i ? row - 1 : NULL;
        bool same_hash = before && before->cell == row->cell;
        const struct cell_key *known =
            same_hash ? &before->key : map_find(&run->flush->known_keys, &row->cell);
        if (known && memcmp(known, &row->key, sizeof *known) != 0)
            return err_set(err, OUTCOME_FATAL, "cell_collision", "two cells have the hash %lld",
                           (long long)row->cell);
        if (!known)
            run->new_keys[run->new_key_count++] = *row;
    }
    return OUTCOME_OK;
}

/* What changes periods that are closed is kept a second time, as their correction, in the same
 * transaction. The rows are those of what customers did. */
static enum outcome write_late(struct run *run, struct err *err)
{
    struct db *db = run->flush->db;
    if (run->row_count == 0)
        return OUTCOME_OK;
    struct sum_row *late = arena_array(run->arena, struct sum_row, run->row_count);
    int32_t closed_day = 0;
    size_t count = 0;
    CHECK(metrics_store_find_closed_day(db, run->arena, &run->flush->generation.id, &closed_day,
                                        err));
    for (size_t i = 0; i < run->row_count; i++) {
        late[count] = run->rows[i];
        late[count].closed_kinds = (int16_t)late_kinds(&run->rows[i].key, closed_day);
        count += late[count].closed_kinds != 0;
    }
    return count ? metrics_store_add_late(db, run->arena, late, count, err) : OUTCOME_OK;
}

static enum outcome write_sums(struct run *run, struct err *err)
{
    struct db *db = run->flush->db;
    make_rows(run);
    CHECK(write_late(run, err));
    if (run->again.sums.count > 0) {
        CHECK(merge_join(&run->merge, &run->again, err));
        make_rows(run);
    }
    CHECK(collect_new_keys(run, err));
    if (run->new_key_count > 0)
        CHECK(metrics_store_add_keys(db, run->arena, run->new_keys, run->new_key_count, err));
    if (run->row_count > 0)
        CHECK(metrics_store_add_sums(db, run->arena, run->rows, run->row_count, err));
    run->counts.cells = run->row_count;
    return OUTCOME_OK;
}

static enum outcome transact(struct run *run, struct err *err)
{
    struct metrics_flush *flush = run->flush;
    CHECK(db_begin(flush->db, err));
    CHECK(lock_lanes(run, err));
    CHECK(generation_still_active(flush->db, run->arena, &flush->generation, NULL, err));
    CHECK(apply_lanes(run, err));
    CHECK(write_sums(run, err));
    CHECK(metrics_store_move_lanes(flush->db, run->arena, run->lanes, run->lane_count, err));
    return db_commit(flush->db, err);
}

static void remember(struct run *run)
{
    struct metrics_flush *flush = run->flush;
    for (size_t i = 0; i < run->lane_count; i++)
        *(int64_t *)map_put(&flush->next_seq, &run->lanes[i].lane, NULL) = run->lanes[i].next_seq;
    if (map_bytes(&flush->known_keys) > flush->cache_bytes)
        map_free(&flush->known_keys);
    for (size_t i = 0; i < run->new_key_count; i++)
        *(struct cell_key *)map_put(&flush->known_keys, &run->new_keys[i].cell, NULL) =
            run->new_keys[i].key;
}

enum outcome flush_run(struct metrics_flush *flush, struct arena *arena,
                       const struct journey_diff *diffs, size_t count, struct flush_counts *counts,
                       struct err *err)
{
    struct run run = {.flush = flush, .arena = arena};
    merge_init(&run.merge, arena);
    merge_init(&run.again, arena);
    sort_items(&run, diffs, count);
    if (run.item_count > 0) {
        enum outcome outcome = transact(&run, err);
        if (outcome != OUTCOME_OK) {
            db_rollback(flush->db);
            return outcome;
        }
        remember(&run);
    }
    *counts = run.counts;
    return OUTCOME_OK;
}
