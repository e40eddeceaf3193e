/* metrics_flush.h: the one transaction of metrics-aggregator: numbered diffs in, sums out, each
 * number once.
 *
 * First the rows of metrics.progress of all lanes of the flush are locked, in order. Then each
 * number of a lane is compared with the expected one:
 *
 *   - equal: its diff is added;
 *   - lower: it was added earlier, and is dropped;
 *   - higher: the missing numbers are read from the producer's outbox, which keeps them until
 *     metrics.applied says that they are not needed.
 *
 * A number that is nowhere is a gap. That is FATAL, because no later figure could be right. The
 * numbers of one transaction of the producer (`more`) are added in one transaction here. What the
 * topic has not brought of it comes from the outbox. */
#ifndef TUTTI_METRICS_FLUSH_H
#define TUTTI_METRICS_FLUSH_H

#include "common/base/map.h"
#include "common/codec/messages.h"
#include "common/service/generation.h"

struct metrics_flush {
    struct db *db;
    struct generation generation;
    size_t cache_bytes; /* memory for known_keys */
    /* Filled after confirmed commits only. */
    struct map next_seq;   /* int32_t lane -> int64_t: at least this number is expected */
    struct map known_keys; /* int64_t cell -> struct cell_key: stored in metrics.cell_keys */
    struct arena scratch;  /* cells of one diff */
};

struct flush_counts {
    uint64_t applied;     /* diffs */
    uint64_t repeated;    /* dropped: applied earlier */
    uint64_t outdated;    /* dropped: of an older generation than the active one */
    uint64_t from_outbox; /* of the applied and outdated ones */
    uint64_t cells;       /* rows written */
};

/* db is borrowed. */
void flush_open(struct metrics_flush *flush, struct db *db, const struct generation *generation,
                size_t cache_bytes);
void flush_close(struct metrics_flush *flush);

/* Applies diffs in any order and commits. Diffs must have lane >= 0 and 1 <= seq < INT64_MAX.
 * REJECT "cells_malformed" or "lz4_invalid" for a diff of the topic; its neighbours then fetch it
 * from the outbox. FATAL "gap", "diff_malformed" (in the outbox), "sum_overflow", "cell_collision"
 * or "generation_unknown"; RETRY "generation_changed". After an error nothing is changed. */
enum outcome flush_run(struct metrics_flush *flush, struct arena *arena,
                       const struct journey_diff *diffs, size_t count, struct flush_counts *counts,
                       struct err *err);

#endif
