/* journey_lanes.h: the lanes that number the diffs, and the two outboxes: diffs, and
 * messages to others, that are committed but perhaps not published. */
#ifndef TUTTI_JOURNEY_LANES_H
#define TUTTI_JOURNEY_LANES_H

#include "common/store/db.h"

/* ---- lanes and diffs ---- */
struct journey_lane_row {
    int32_t lane, out_partition;
    int64_t seq, pub_seq;
};
struct diff_row {
    int64_t seq;
    struct span payload; /* in the arena */
};

/* Takes `count` numbers: seq is the last of them. A new lane gets out_partition for good. Locks the
 * lane's row. */
enum outcome journey_store_next_seq(struct db *db, struct arena *arena, int32_t lane, int64_t count,
                                    int32_t out_partition, struct journey_lane_row *out,
                                    struct err *err);
enum outcome journey_store_insert_diffs(struct db *db, struct arena *arena, int32_t lane,
                                        const struct diff_row *rows, size_t count, struct err *err);
/* Those of these lanes that have something unpublished. */
enum outcome journey_store_find_lanes(struct db *db, struct arena *arena, const int32_t *lanes,
                                      size_t count, struct journey_lane_row **rows,
                                      size_t *row_count, struct err *err);
/* Up to 200 rows after pub_seq, in order. */
enum outcome journey_store_find_diffs(struct db *db, struct arena *arena, int32_t lane,
                                      int64_t pub_seq, struct diff_row **rows, size_t *count,
                                      struct err *err);
enum outcome journey_store_mark_published(struct db *db, struct arena *arena, int32_t lane,
                                          int64_t pub_seq, struct err *err);
/* Deletes the diffs that metrics-aggregator has applied. */
enum outcome journey_store_delete_applied(struct db *db, struct arena *arena, const int32_t *lanes,
                                          size_t count, struct err *err);

/* ---- what is told to others: changes of stage, and opportunities ---- */
enum told_topic { TOLD_STAGES, TOLD_OPPORTUNITIES, TOLD_COUNT };
struct told_message {
    int64_t id;    /* of the row that holds it with the others of its transaction */
    uint8_t topic; /* enum told_topic */
    struct id profile_id;
    struct span payload;
};
struct told_messages {
    struct told_message *items;
    size_t count, capacity;
};

/* The id of the next row. It is taken while the customers are locked, so ids order what is said of
 * a customer. */
enum outcome journey_store_next_messages(struct db *db, struct arena *arena, int64_t *id,
                                         struct err *err);
enum outcome journey_store_insert_messages(struct db *db, struct arena *arena, int32_t lane,
                                           const struct told_messages *messages, struct err *err);
enum outcome journey_store_find_messages(struct db *db, struct arena *arena, const int32_t *lanes,
                                         size_t count, struct told_messages *out, struct err *err);
enum outcome journey_store_delete_messages(struct db *db, struct arena *arena,
                                           const struct told_messages *messages, struct err *err);

/* All messages of each row, of any lane, that has a message of one of these profiles. */
enum outcome journey_store_find_messages_of(struct db *db, struct arena *arena,
                                            const struct id *profiles, size_t count,
                                            struct told_messages *out, struct err *err);
/* Gives one row other messages, all with that row's id. */
enum outcome journey_store_replace_messages(struct db *db, struct arena *arena,
                                            const struct told_messages *row, struct err *err);

#endif
