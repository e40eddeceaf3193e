/* journey_store.h: what journey-tracker stores of a profile: facts, derived rows, checkpoints. */
#ifndef TUTTI_JOURNEY_STORE_H
#define TUTTI_JOURNEY_STORE_H

#include "common/store/db.h"
#include "common/timeline/timeline.h"
#include "services/journey-tracker/logic/journey.h"

enum { ZONE_UNKNOWN = -1 }; /* a text that is no name of a zone */

/* A fact of journey.facts; texts are borrowed from the batch. */
struct journey_fact {
    struct fact_key key;
    int32_t shape;
    struct instant received_at;                       /* us INT64_MIN: absent */
    int64_t value_micros, margin_micros, cost_micros; /* INT64_MIN: absent */
    int16_t score;                                    /* INT16_MIN: absent */
    int16_t zone; /* code of a zone_set; ZONE_UNKNOWN; INT16_MIN: absent */
    struct span message_id, order_id, content_id, product_id, location_id, agent_id, decision_id;
    struct span case_id, opportunity_id;
    struct span lines, line_amounts; /* order_lines.h */
    struct span others;              /* resolved_other_keys */
    struct span traits;              /* what it says of the customer: said.h */
};

struct facts {
    struct journey_fact *items;
    size_t count, capacity;
};

extern const struct timeline_schema journey_timeline;

/* ---- derived rows ---- */

/* All sort their rows, so that transactions lock them in one order. Of stage rows with equal
 * keys only the last is written. */
#define ROW_KIND(name, row, list)                                                                  \
    enum outcome journey_store_remove_##name(struct db *db, struct arena *arena,                   \
                                             struct list *rows, struct err *err);                  \
    enum outcome journey_store_write_##name(struct db *db, struct arena *arena, struct list *rows, \
                                            struct err *err);
#include "services/journey-tracker/logic/rows.def"

enum outcome journey_store_remove_opportunities(struct db *db, struct arena *arena,
                                                struct opportunity_rows *rows, struct err *err);
enum outcome journey_store_write_opportunities(struct db *db, struct arena *arena,
                                               struct opportunity_rows *rows, struct err *err);

/* What became of an opportunity. */
struct opportunity_step_found {
    struct id id;
    int step; /* enum opportunity_step */
    struct instant at;
};
struct opportunity_steps {
    struct opportunity_step_found *items;
    size_t count;
};
/* Of the opportunities of these rows, in their order, those that stand. */
enum outcome journey_store_find_opportunities(struct db *db, struct arena *arena,
                                              const struct opportunity_rows *rows,
                                              struct opportunity_steps *out, struct err *err);

/* ---- checkpoints ---- */
struct checkpoint {
    int64_t profile;
    struct instant at;   /* the state holds after all facts of this instant */
    struct span payload; /* SPAN_NONE: not read, or to be deleted */
};
struct checkpoints {
    struct checkpoint *items;
    size_t count, capacity;
};
/* Finds, in place, the newest checkpoint strictly before each (profile, at); payload SPAN_NONE
 * where there is none. */
enum outcome journey_store_find_checkpoints(struct db *db, struct arena *arena,
                                            struct checkpoint *wanted, size_t count,
                                            struct err *err);
/* Finds, in place, the second checkpoint after each (profile, at), as a place to stop; at
 * INSTANT_NEVER where there is none. */
enum outcome journey_store_find_stops(struct db *db, struct arena *arena, struct checkpoint *wanted,
                                      size_t count, struct err *err);
enum outcome journey_store_delete_checkpoints(struct db *db, struct arena *arena,
                                              const struct checkpoints *list, struct err *err);
/* Sorts; of one (profile, at) the last one given is kept. */
enum outcome journey_store_write_checkpoints(struct db *db, struct arena *arena,
                                             struct checkpoints *list, struct err *err);

#endif
