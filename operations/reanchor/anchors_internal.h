/* anchors_internal.h: one batch of facts between the files that read, choose and write it.
 */
#ifndef TUTTI_OPERATIONS_REANCHOR_ANCHORS_INTERNAL_H
#define TUTTI_OPERATIONS_REANCHOR_ANCHORS_INTERNAL_H

#include "common/base/map.h"
#include "common/timeline/timeline.h"
#include "operations/reanchor/anchors.h"
#include "services/identity-resolver/store/identity_store.h"
#include "services/suppression/suppression_addresses.h"

struct fact {
    struct fact_key key;
    struct span others;
    struct span addresses; /* in suppression: of its identifiers, those that its channel reaches */
    bool is_outbound;      /* in journey: the company speaks */
};

/* What an identifier that a fact names is now. */
struct known {
    struct id id, profile_id; /* nil: it names no person any more */
    int64_t version;
    int16_t type;
};

/* A fact that another anchor, or another order of the others, is for. */
struct change {
    struct fact_key key;
    int64_t anchor;
    struct span others, addresses;
    bool is_repeat; /* of a change before it */
};
struct changes {
    struct change *items;
    size_t count, capacity;
};

struct ids {
    struct id *items;
    size_t count, capacity;
};

struct batch_of_facts {
    struct db *db;
    struct arena *arena;
    enum anchors_schema schema;
    const struct identity_policy *policy;
    struct fact *facts;
    size_t count;
    struct map known; /* short key -> struct known; of one that became another, both keys */
    struct map links; /* struct link_key -> struct link_row */
    struct changes all, moved;        /* moved: those with another anchor */
    struct changes left;              /* that name no person any more */
    struct map taken;                 /* struct fact_key -> nothing: keys that facts move to */
    struct map anchors;               /* short key -> nothing: anchors that facts move to */
    struct ids refused;               /* ends of links between two profiles */
    struct known_addresses addresses; /* that customers' own touchpoints name */
};

/* identity_anchors_write.c: what the batch changes, and that its facts are done. */
enum outcome anchors_write(struct batch_of_facts *b, struct err *err);

#endif
