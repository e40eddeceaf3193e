/* suppression_transact.h: one flush of the ledger: facts in, identity moved, decisions out, in ONE
 * transaction. */
#ifndef TUTTI_SUPPRESSION_TRANSACT_H
#define TUTTI_SUPPRESSION_TRANSACT_H

#include "common/service/generation.h"
#include "services/suppression/suppression_addresses.h"
#include "services/suppression/suppression_places.h"

/* What a transaction needs and never changes. */
struct suppression {
    struct db *db;
    struct timeline *timeline;
    struct contact_policy policy;
    struct zone_book zone_book; /* of the policy; empty where it asks for no zones */
    struct generation generation;
    struct erased *erased; /* may be read again */
    int64_t instance;      /* names this process in the outbox */
};

struct suppression_anchor_moves {
    struct anchor_move *items;
    size_t count, capacity;
};

struct suppression_anchors {
    int64_t *items;
    size_t count, capacity;
};

/* What a batch brought. */
struct suppression_flush {
    struct ledger_facts facts;              /* of identified touchpoints */
    struct ledger_facts unidentified;       /* requests without a usable identifier */
    struct suppression_anchor_moves moves;  /* of identity changes */
    struct suppression_anchor_moves named;  /* addresses that requests name */
    struct known_addresses known;           /* of the customers' own touchpoints */
    struct suppression_anchor_moves namers; /* the anchors that `known` is of */
    struct place_list places;               /* where customers were */
    struct suppression_anchor_moves placed; /* the anchors that `places` is of */
    /* of customers who were seen with an address of another profile, among the moves; then of those
     * who are joined with one that the ledger did not know */
    struct suppression_anchors seen;
    int32_t lane;            /* of the first record that matters */
    const struct id *judged; /* profiles whose open grants are judged again, for a tool */
    size_t judged_count;
    /* Results, to be published after the commit. */
    struct decision_rows decisions; /* is_inserted: new */
    struct outbox_rows messages;
    size_t vain_ends; /* new releases that end nothing */
};

/* The zones that the policy works by, from the generation. */
enum outcome suppression_load_zones(struct suppression *suppression, struct arena *arena,
                                    struct err *err);

/* Locks in the order facts, known addresses, places, anchors, states, decisions, arms, grants of
 * addresses, outbox. Runs from begin to a confirmed commit; on any error the caller rolls back and
 * drops the flush. A flush that was committed before finds its facts there and decides nothing. */
enum outcome suppression_transact(const struct suppression *suppression, struct arena *arena,
                                  struct suppression_flush *flush, struct instant now,
                                  struct err *err);

#endif
