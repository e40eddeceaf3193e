/* evidence.h: all stored identifiers, links and orders as one graph in memory, for plan
 * mode: about 200 bytes per identifier and link. Read with cursors in one snapshot. */
#ifndef TUTTI_OPERATIONS_PLAN_EVIDENCE_H
#define TUTTI_OPERATIONS_PLAN_EVIDENCE_H

#include "common/base/map.h"
#include "operations/reanchor/renaming.h"
#include "services/identity-resolver/logic/identity.h"

struct evidence {
    const struct identity_policy *policy; /* the candidate */
    /* links that a pair or quarantine refuses are left out: they join nothing */
    struct identity_graph graph;
    struct id *stored;   /* per node: what it is today; the first of several that become it */
    struct id *profiles; /* per node: its profile today */
    /* per node: the node that stands for its profile today, the one that names it if it can */
    uint32_t *before;
    bool *was_quarantined;    /* per node, today */
    bool *is_released;        /* per node: an operator's order */
    uint32_t *degree;         /* per node: linked identifiers */
    uint32_t *degree_by_type; /* per node and type of the policy */
    size_t observed_links; /* in the database, or shown by its facts under the candidate's ranks */
    /* than the stored identifiers, or other values: links are those that facts show */
    bool has_other_ranks;
    const struct renaming *renaming;
    size_t united;        /* stored identifiers that become one with another */
    size_t gone_profiles; /* profiles today of which no node is a member */
    size_t facts_moved;   /* facts that would come under another anchor */
    size_t facts_left;    /* facts that would name no person */
    size_t refused_by_pair, refused_by_quarantine;
    struct map index; /* identifier id, today and afterwards -> uint32_t node; map_free */
    /* profiles of today whose naming identifier becomes another or disappears, with the node that
     * stands for them: id -> uint32_t; map_free */
    struct map names;
};

/* Reads everything, into the desk's arena, and sets is_quarantined of the nodes by the candidate
 * policy. stored: the active one, under whose ranks identifiers are stored; renaming: what they
 * become; other_ranks: links are taken from facts. */
enum outcome evidence_read(struct desk *desk, const struct identity_policy *policy,
                           const struct identity_policy *stored, const struct renaming *renaming,
                           bool other_ranks, struct evidence *out, struct err *err);
/* The node that stands for a profile of today, NULL if no node is a member. */
const uint32_t *evidence_profile(const struct evidence *evidence, const struct id *profile);

/* A link that facts show, between nodes. */
struct fact_link {
    uint32_t a, b;
    struct instant first_seen;
    bool is_indirect;
};
struct fact_links {
    struct fact_link *items;
    size_t count, capacity;
};
/* Inside evidence_read's transaction, with the nodes there: links that all facts show under the
 * candidate's ranks; counts facts_moved. */
enum outcome evidence_read_facts(struct desk *desk, struct evidence *evidence,
                                 struct fact_links *out, struct err *err);

void evidence_close(struct evidence *evidence);

#endif
