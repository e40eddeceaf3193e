/* journey_store.h: the statements of journey-tracker beyond the shared timeline: rows, checkpoints,
 * lanes, outboxes. */
#ifndef TUTTI_JOURNEY_STORE_H
#define TUTTI_JOURNEY_STORE_H

#include "common/store/db.h"
#include "common/timeline/timeline.h"
#include "services/journey-tracker/logic/journey.h"

/* A fact of journey.facts; texts are borrowed from the batch. */
struct journey_fact {
    struct fact_key key;
    int32_t shape;
    struct instant received_at; /* us INT64_MIN: absent, as for the numbers below */
    int64_t value_micros, margin_micros, cost_micros;
    int16_t score; /* INT16_MIN: absent */
    struct span message_id, order_id, content_id, product_id, location_id, agent_id, decision_id;
    struct span others; /* resolved_other_keys */
};

extern const struct timeline_schema journey_timeline;

/* ---- derived rows ---- */
enum outcome journey_store_remove_conversions(struct db *db, struct arena *arena,
                                              const struct conversion_rows *rows, struct err *err);
enum outcome journey_store_write_conversions(struct db *db, struct arena *arena,
                                             struct conversion_rows *rows, struct err *err);
enum outcome journey_store_remove_stages(struct db *db, struct arena *arena,
                                         struct stage_rows *rows, struct err *err);
enum outcome journey_store_write_stages(struct db *db, struct arena *arena, struct stage_rows *rows,
                                        struct err *err);

/* ---- checkpoints ---- */
struct checkpoint {
    int64_t profile;
    struct instant at;
    struct id event_id;
    struct span payload; /* SPAN_NONE: not read, or to be deleted */
};
struct checkpoints {
    struct checkpoint *items;
    size_t count, capacity;
};
/* For each (profile, at): the newest checkpoint strictly before at; payload SPAN_NONE where there
 * is none. In place. */
enum outcome journey_store_find_checkpoints(struct db *db, struct arena *arena,
                                            struct checkpoint *wanted, size_t count,
                                            struct err *err);
/* For each (profile, at): the second checkpoint after at, as a place to stop; at INSTANT_NEVER
 * where there is none. In place. */
enum outcome journey_store_find_stops(struct db *db, struct arena *arena, struct checkpoint *wanted,
                                      size_t count, struct err *err);
enum outcome journey_store_delete_checkpoints(struct db *db, struct arena *arena,
                                              const struct checkpoints *list, struct err *err);
/* Sorts and keeps the last of equal keys. */
enum outcome journey_store_write_checkpoints(struct db *db, struct arena *arena,
                                             struct checkpoints *list, struct err *err);

/* ---- lanes and outboxes ---- */
struct journey_lane_row {
    int32_t lane, out_partition;
    int64_t seq, pub_seq;
};
/* Takes `count` numbers: seq is the last of them. A new lane gets out_partition for good. Locks the
 * lane's row. */
enum outcome journey_store_next_seq(struct db *db, struct arena *arena, int32_t lane, int64_t count,
                                    int32_t out_partition, struct journey_lane_row *out,
                                    struct err *err);
enum outcome journey_store_insert_diffs(struct db *db, struct arena *arena, int32_t lane,
                                        const int64_t *seqs, const struct span *payloads,
                                        size_t count, struct err *err);
/* Lanes among these with something unpublished. */
enum outcome journey_store_find_lanes(struct db *db, struct arena *arena, const int32_t *lanes,
                                      size_t count, struct journey_lane_row **rows,
                                      size_t *row_count, struct err *err);
struct diff_row {
    int64_t seq;
    struct span payload; /* in the arena */
};
/* Up to 200 rows after pub_seq, in order. */
enum outcome journey_store_find_diffs(struct db *db, struct arena *arena, int32_t lane,
                                      int64_t pub_seq, struct diff_row **rows, size_t *count,
                                      struct err *err);
enum outcome journey_store_mark_published(struct db *db, struct arena *arena, int32_t lane,
                                          int64_t pub_seq, struct err *err);
/* Rows that metrics-aggregator has applied. */
enum outcome journey_store_delete_applied(struct db *db, struct arena *arena, const int32_t *lanes,
                                          size_t count, struct err *err);

struct stage_message {
    int64_t id; /* of the row that holds it with the others of its transaction */
    struct id profile_id;
    struct span payload;
};
struct stage_messages {
    struct stage_message *items;
    size_t count, capacity;
};
/* The id of the next row. Taken while the customers are locked, it orders what is said of them. */
enum outcome journey_store_next_stage_messages(struct db *db, struct arena *arena, int64_t *id,
                                               struct err *err);
enum outcome journey_store_insert_stage_messages(struct db *db, struct arena *arena, int32_t lane,
                                                 const struct stage_messages *messages,
                                                 struct err *err);
enum outcome journey_store_find_stage_messages(struct db *db, struct arena *arena,
                                               const int32_t *lanes, size_t count,
                                               struct stage_messages *out, struct err *err);
enum outcome journey_store_delete_stage_messages(struct db *db, struct arena *arena,
                                                 const struct stage_messages *messages,
                                                 struct err *err);
/* Whole rows that have a message of one of these profiles, whatever their lane; and what such a row
 * has from now on. */
enum outcome journey_store_find_stage_messages_of(struct db *db, struct arena *arena,
                                                  const struct id *profiles, size_t count,
                                                  struct stage_messages *out, struct err *err);
enum outcome journey_store_replace_stage_messages(struct db *db, struct arena *arena,
                                                  const struct stage_messages *row,
                                                  struct err *err);

#endif
