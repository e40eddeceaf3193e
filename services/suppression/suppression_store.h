/* suppression_store.h: the ledger's facts as timeline.h stores them, decisions and the outbox.
 * Every call but the outbox look-up and clean-up belongs into the transaction of
 * suppression_transact.c, in the order of this header. */
#ifndef TUTTI_SUPPRESSION_STORE_H
#define TUTTI_SUPPRESSION_STORE_H

#include "common/timeline/timeline.h"
#include "services/suppression/logic/contact.h"

/* A fact of the ledger; what stands below `decision` is known only of a fact that this batch
 * brought. */
struct ledger_fact {
    struct fact_key key;
    struct contact_fact body; /* at and event_id repeat the key */
    struct span decision;     /* body.decision_id as the table has it */
    struct id anchor_id, profile_id;
    int64_t version;
    struct span batch_id, opportunity_id, correlation;
    int64_t timestamp_ms; /* of the record */
    int32_t lane;
    const struct ledger_fact
        *origin; /* of a fact that was read: the one that this batch inserted, or NULL */
};

struct ledger_facts {
    struct ledger_fact *items;
    size_t count, capacity;
};

extern const struct timeline_schema suppression_timeline;

/* Fills the derived members of facts that timeline_read_facts returned. */
void ledger_facts_complete(struct ledger_fact *facts, size_t count);

/* Facts (sorted by key) that stood there already and came in earlier than was known so far:
 * received_at becomes the smaller one. Marks them in is_news, where those that were inserted are
 * marked already. Locks them in the order of the keys, after all inserts. */
enum outcome suppression_store_lower_received(struct db *db, struct arena *arena,
                                              const struct ledger_facts *facts, bool *is_news,
                                              struct err *err);

/* Decisions of requests, sorted by request_id; requests without one are left out. */
enum outcome suppression_store_find_decisions(struct db *db, struct arena *arena,
                                              const struct id *requests, size_t count,
                                              struct reservation **rows, size_t *row_count,
                                              struct err *err);

struct decision_row {
    struct id request_id, profile_id; /* nil profile: no customer was identified */
    int64_t anchor;                   /* INT64_MIN: none */
    int16_t verdict, outcome, priority;
    /* INSTANT_ABSENT */
    struct instant requested_at, asked_for_at, planned_at, latest_at, expires_at, retry_at, sent_at,
        outcome_at;
    struct instant claimed_at; /* only read back */
    int64_t waited_us;         /* INT64_MIN: not known */
    struct span channel, department, class, purpose, campaign_id, product_id, tags, reason, rule_id,
        rule_owner, batch_id, rules, opportunity_id, sequence_id, moved_by, zones, zone_data;
    /* not stored */
    struct span correlation;
    int32_t lane;
    bool is_inserted; /* set by suppression_store_insert_decisions */
};

struct decision_rows {
    struct decision_row *items;
    size_t count, capacity;
};

/* Sorts rows by request_id, leaves one for each, and inserts those that have no decision yet;
 * is_inserted tells which. */
enum outcome suppression_store_insert_decisions(struct db *db, struct arena *arena,
                                                struct decision_rows *rows, int32_t generation,
                                                struct instant now, struct err *err);

/* Stored verdicts of requests; of each row what a channel is told. */
struct verdict_row {
    struct decision_row decision; /* without what is no part of an answer */
    struct instant decided_at;
};

enum outcome suppression_store_find_verdicts(struct db *db, struct arena *arena,
                                             const struct id *requests, size_t count,
                                             struct verdict_row **rows, size_t *row_count,
                                             struct err *err);

struct outcome_row {
    struct id request_id;
    int16_t outcome;
    struct instant outcome_at, sent_at; /* sent_at INSTANT_ABSENT: not known */
    struct span cause;
    bool is_changed; /* set by suppression_store_update_outcomes */
};

struct outcome_rows {
    struct outcome_row *items;
    size_t count, capacity;
};

/* Locks the decisions, sorted, then lets later outcomes replace earlier ones. request_ids must
 * differ and be sorted. */
enum outcome suppression_store_update_outcomes(struct db *db, struct arena *arena,
                                               struct outcome_row *rows, size_t count,
                                               struct err *err);

enum { OUTBOX_DECISION = 0, OUTBOX_REVOCATION = 1 };

struct suppression_outbox_row {
    struct id request_id, profile_id;
    int16_t kind;
    int32_t lane; /* not read back */
    struct span channel, department, correlation, payload;
};

struct outbox_rows {
    struct suppression_outbox_row *items;
    size_t count, capacity;
};

enum outcome suppression_store_insert_outbox(struct db *db, struct arena *arena, int64_t instance,
                                             const struct outbox_rows *rows, struct err *err);
/* What this instance wrote, and what others wrote for these lanes longer than `age` ago; texts in
 * the arena. */
enum outcome suppression_store_find_outbox(struct db *db, struct arena *arena, int64_t instance,
                                           const int32_t *lanes, size_t lane_count,
                                           struct duration age, struct outbox_rows *rows,
                                           struct err *err);
enum outcome suppression_store_delete_outbox(struct db *db, struct arena *arena,
                                             const struct suppression_outbox_row *rows,
                                             size_t count, struct err *err);

#endif
