/* resolve_internal.h: the working set of one resolving transaction, shared by resolve.c and resolve_graph.c. */
#ifndef TUTTI_RESOLVE_INTERNAL_H
#define TUTTI_RESOLVE_INTERNAL_H

#include "services/identity-resolver/resolve.h"

struct id_list {
    struct id *items;
    size_t count, capacity;
};

/* What the batch says of an identifier and what the database has. */
struct known_identifier {
    uint32_t row; /* index into work.members once it was read, else UINT32_MAX */
    bool is_new;  /* inserted by this transaction */
};

struct work {
    struct resolver *resolver;
    struct arena *arena;
    struct identifier_rows wanted;  /* identifiers of the batch with the smallest time; sorted by id */
    struct link_rows links;         /* links of the batch with the smallest (time, evidence); sorted by key */
    struct map is_new;              /* id -> bool */
    struct id_list old_profiles;    /* locked, sorted */
    struct identifier_rows members; /* under the locks: all members of the touched profiles, with new first_seen */
    struct link_rows member_links;
    struct identity_change change;
    struct committed_change *committed;
};

int id_qsort_compare(const void *a, const void *b);
void work_collect(struct work *work, const struct sightings *uncovered);
/* Sets profile_id of `wanted` to what the batch and the cache suggest. New identifiers are inserted with it, so that most need
 * no update once the partition is known; before the commit nobody sees a wrong guess. */
void work_guess_profiles(struct work *work);
/* Partition of members and member_links: fills work->change.moves (old identifiers that move) and `joins` (new ones
 * inserted with a wrong guess); profile_id of members becomes the new one. */
void work_partition(struct work *work, struct identity_move **joins, size_t *join_count);

#endif
