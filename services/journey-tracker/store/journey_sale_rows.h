/* journey_sale_rows.h: journey.sales and journey.sale_copies: the one owner of each sale, and the
 * other touchpoints that tell it.
 *
 * A row of journey.sales is locked before any anchor and any state, in the order of (occurred_at,
 * event_id). Who holds it may change its owner and its copies. */
#ifndef TUTTI_JOURNEY_SALE_ROWS_H
#define TUTTI_JOURNEY_SALE_ROWS_H

#include "common/store/db.h"
#include "common/timeline/timeline.h"

/* A sale under one anchor. */
struct sale_row {
    struct fact_key key;
    int16_t rank;      /* enum touch_rank */
    bool is_inserted;  /* out of journey_store_insert_sales: it is the owner's row now */
    bool is_ownerless; /* out of journey_store_lock_sales: its owner was erased */
};
struct sale_rows {
    struct sale_row *items;
    size_t count, capacity;
};

/* (occurred_at, event_id), then anchor: the order in which rows are locked */
int sale_row_compare(const void *a, const void *b);
/* By (occurred_at, event_id) alone. */
int sale_compare(const struct fact_key *a, const struct fact_key *b);

/* Makes owners of sorted rows whose sale has none yet; sets is_inserted. Waits for transactions
 * that insert the same sale. *inserted: how many. */
enum outcome journey_store_insert_sales(struct db *db, struct arena *arena,
                                        const struct sale_rows *rows, size_t *inserted,
                                        struct err *err);
/* Locks the rows of these sales and returns their owners, sorted. */
enum outcome journey_store_lock_sales(struct db *db, struct arena *arena,
                                      const struct sale_rows *sales, struct sale_rows *owners,
                                      struct err *err);
/* The copies of these sales. */
enum outcome journey_store_find_copies(struct db *db, struct arena *arena,
                                       const struct sale_rows *sales, struct sale_rows *copies,
                                       struct err *err);
/* The copies under these anchors. */
enum outcome journey_store_find_copies_of(struct db *db, struct arena *arena,
                                          const int64_t *anchors, size_t count,
                                          struct sale_rows *copies, struct err *err);
/* New owners of locked sales; copies that become, and that cease to be. Sorts them. */
enum outcome journey_store_write_owners(struct db *db, struct arena *arena, struct sale_rows *rows,
                                        struct err *err);
enum outcome journey_store_add_copies(struct db *db, struct arena *arena, struct sale_rows *rows,
                                      struct err *err);
enum outcome journey_store_drop_copies(struct db *db, struct arena *arena, struct sale_rows *rows,
                                       struct err *err);
/* What the map has of these anchors, read without a lock. */
enum outcome journey_store_find_anchors(struct db *db, struct arena *arena, const int64_t *anchors,
                                        size_t count, struct anchor_move **out, size_t *out_count,
                                        struct err *err);

#endif
