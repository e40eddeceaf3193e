/* identity_evidence.h: all stored identifiers, links and orders as one graph in memory, for plan mode: about 200 bytes per
 * identifier and link. Read with cursors in one snapshot. */
#ifndef TUTTI_CLI_IDENTITY_EVIDENCE_H
#define TUTTI_CLI_IDENTITY_EVIDENCE_H

#include "cli/database.h"
#include "common/base/map.h"
#include "services/identity-resolver/logic/identity.h"

struct evidence {
    const struct identity_policy *policy; /* the candidate */
    struct identity_graph graph;          /* links that a pair or quarantine refuses are left out: they join nothing */
    uint32_t *before;                     /* per node: the node that names its profile today */
    bool *was_quarantined;                /* per node, today */
    bool *is_released;                    /* per node: an operator's order */
    uint32_t *degree;                     /* per node: linked identifiers */
    uint32_t *degree_by_type;             /* per node and type of the policy */
    size_t observed_links;                /* in the database */
    size_t refused_by_pair, refused_by_quarantine;
    struct map index; /* identifier id -> uint32_t node; map_free */
};

/* Reads everything and sets is_quarantined of the nodes by the candidate policy. Shows its progress. */
enum outcome evidence_read(struct db *db, struct arena *arena, const struct identity_policy *policy, struct evidence *out,
                           struct err *err);
void evidence_close(struct evidence *evidence);

#endif
