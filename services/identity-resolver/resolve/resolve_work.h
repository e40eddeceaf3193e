/* resolve_work.h: the working set of one resolving transaction, shared by the resolve_*.c files of
 * this folder. The service's own structure is resolver_self.h.
 *
 * A member is an identifier that was read under the locks, or a new one. An edge is a link that the
 * transaction knows. Inside is what the transaction evaluates and writes. Outside are neighbouring
 * profiles, locked to test links; they join only if a link is accepted. */
#ifndef TUTTI_RESOLVE_WORK_H
#define TUTTI_RESOLVE_WORK_H

#include "services/identity-resolver/resolve/resolve.h"

enum { NO_MEMBER = UINT32_MAX, NOT_STORED = -1, TYPE_UNKNOWN = -1, STRIPES = 65536 };

struct member {
    struct identifier_row row; /* as stored; of a new member, as it is seen */
    struct instant first_seen; /* as it is now */
    struct id profile_id;      /* as it is now, once evaluated */
    int16_t type;              /* index into the policy's types */
    bool is_new, is_inside, is_wanted;
    bool is_told;  /* new, and no touchpoint tells the readers of it: the change does */
    bool has_news; /* a link that is not stored yet */
    bool is_quarantined, is_released;
    bool has_refused;    /* as it is now */
    bool is_plain;       /* its outcome is known, so it is not evaluated */
    uint32_t joined;     /* the round in which it came inside */
    uint32_t degree;     /* observed links */
    uint32_t group;      /* root of its piece, or of its profile outside */
    uint32_t next, node; /* in its group; in the graph being built */
};

struct edge {
    struct link_row row; /* as it is now; refused_by is the outcome */
    uint32_t a, b;       /* members, NO_MEMBER while not read */
    int16_t stored;      /* refused_by as stored, or NOT_STORED */
    int16_t far_type;    /* type index of the end that is not read */
    bool is_observed, is_manual, is_older, is_wanted;
    bool far_quarantined;
    struct id far_profile; /* profile of that end, as a plain read saw it */
    uint32_t next;         /* in its group */
};

struct index_list {
    uint32_t *items;
    size_t count, capacity;
};

struct members {
    struct member *items;
    size_t count, capacity;
};

struct edges {
    struct edge *items;
    size_t count, capacity;
};

/* The request. It lives through all attempts. */
struct request {
    struct resolver *resolver;
    struct arena *arena;
    /* identifiers of the batch with the smallest time; sorted by id */
    struct identifier_rows wanted;
    /* links of the batch with the smallest (time, evidence); sorted by key */
    struct link_rows links;
    struct alias_rows aliases;         /* values that the batch says are one; with repeats */
    const struct sightings *uncovered; /* NULL: a review */
    struct map anchors;                /* id -> nothing: of those; made when it is needed */
    struct id_list seeds;              /* a review: identifiers whose profiles are evaluated */
    struct id_list profiles;           /* a review: more profiles, if they still exist; sorted */
    const struct resolve_orders *orders;
    const struct id *swept_to;
    bool is_review, is_dry_run;
    bool is_careful; /* a key was taken, so look up identifiers that seem new */
    struct span cause;
    struct id cause_id;
    struct instant now;
    uint8_t *stripes; /* bits: stripes to lock first */
    struct committed_change *committed;
    struct resolve_plan *plan; /* may be NULL */
};

/* One attempt. */
struct work {
    struct request *request;
    struct resolver *resolver;
    struct arena *arena;
    bool starts_again; /* the error only says that the attempt must be repeated */
    bool is_review, has_orders;
    /* true while the batch's profiles are read: not all of their links will be needed */
    bool leaves_links;
    uint8_t *held; /* bits: stripes */
    int32_t highest;
    struct members members;
    struct map member_of; /* id -> index */
    struct edges edges;
    struct map edge_of;  /* link_key -> index */
    struct map newest;   /* link_key -> enum order_kind: the newest order about the pair */
    struct map aliases;  /* link_key -> nothing: two values that are one, by a trusted source */
    struct map released; /* id -> nothing */
    struct map ordered;  /* id -> nothing: an order names it */
    struct map inside;   /* stored profile_id -> nothing */
    uint32_t round;
    int64_t *order_ids;
    struct identity_change change;
};

static inline struct member *find_member(struct work *work, const struct id *id)
{
    const uint32_t *at = map_find(&work->member_of, id);
    return at ? &work->members.items[*at] : NULL;
}

/* The root of a piece, part or profile in `group`. */
static inline uint32_t work_root(struct work *work, uint32_t i)
{
    struct member *items = work->members.items;
    while (items[i].group != i) {
        items[i].group = items[items[i].group].group;
        i = items[i].group;
    }
    return i;
}

/* resolve.c: collects the batch as identifiers and links, without what the cache covers. */
void request_collect(struct request *request, const struct sightings *uncovered);
void resolver_learn(struct resolver *resolver, const struct id *id,
                    const struct cached_identifier *entry);
void resolver_learn_link(struct resolver *resolver, const struct link_row *row);
/* resolve_sort.c: sorts, and keeps the smallest of each identifier and link. */
void request_sort(struct request *request);
void id_list_unique(struct id_list *list);

/* resolve_load.c: locks and reads profiles. */
/* Locks what the batch and earlier attempts suggest, reads the profiles of its identifiers, and
 * adds what is new. */
enum outcome work_load_batch(struct work *work, struct err *err);
/* Reads the profiles of identifiers that must be there (REJECT "identifier_unknown"), inside or
 * not. `hints`: profiles they may be in. */
enum outcome work_load(struct work *work, const struct id *ids, size_t count, struct id_list *hints,
                       struct err *err);
/* Reads the links of these members: all, or only those to identifiers in quarantine. */
enum outcome work_load_links(struct work *work, const struct id_list *members,
                             bool only_quarantined, struct err *err);
/* Brings the stored profiles of these members inside. */
void work_bring_inside(struct work *work, const struct id *ids, size_t count);
void work_bring_all_inside(struct work *work);

/* resolve_plain.c: settles members of which the outcome is known without their links (is_plain,
 * profile_id). Members of the batch and their profiles are there, links are not. */
void work_settle_plain(struct work *work);

/* resolve_degree.c: quarantine, and the far sides of links. */
enum outcome work_judge_degrees(struct work *work, struct err *err);
/* Counts, in the database, the links of identifiers under review that are stored as quarantined.
 * Released ones get their links. The others get only their links to each other, which no one else
 * would read. A batch leaves them as they are: their own review will come. */
enum outcome work_review_quarantined(struct work *work, struct err *err);
/* Fills far_type, far_quarantined and far_profile of these edges. */
enum outcome work_look_beyond(struct work *work, const struct index_list *edges, struct err *err);

/* resolve_graph.c: members and edges as graphs for the pure logic. */
static inline bool is_link(const struct edge *edge)
{
    return edge->is_observed || edge->is_manual;
}
/* Finds the ends of edges among the new members. */
void work_connect(struct work *work);
/* Builds a graph of members (their `node` becomes the place in the list) and edges between them. */
struct identity_graph work_graph(struct work *work, const struct index_list *members,
                                 const struct index_list *edges);
/* The edge as a link; its ends are the members' `node`. */
struct identity_link work_link(const struct work *work, const struct edge *edge);
/* Cuts with `a` in the one group and `b` in the other. The same group twice: within it. *count may
 * be 0. */
struct identity_cut *work_cuts(struct work *work, uint32_t group_a, uint32_t group_b,
                               size_t *count);
/* The same for aliases, those of orders included. */
struct identity_alias *work_aliases(struct work *work, uint32_t group_a, uint32_t group_b,
                                    size_t *count);
/* Takes the outcomes of a graph's links over into the edges. */
void work_take_outcomes(struct work *work, const struct identity_link *links, size_t count,
                        const struct identity_node *a_nodes, const struct identity_node *b_nodes);
/* Evaluates everything inside. */
void work_partition(struct work *work);

/* resolve_closure.c: adds neighbours until none joins. */
enum outcome work_close(struct work *work, struct err *err);

/* resolve_write.c: writes what differs, once. */
enum outcome work_write(struct work *work, struct err *err);
/* Puts what the database now has into the cache. After the commit only. */
void work_fill_cache(struct work *work);

/* resolve_policy.c */
enum outcome work_hold_policy(struct work *work, struct err *err);
/* Holds the active policy's row until the transaction ends. */
enum outcome resolver_hold_active(struct resolver *resolver, struct arena *arena,
                                  struct active_policy *active, struct err *err);
/* RETRY "keys_changed" if another key makes the hashes now, FATAL if that key was not given. In the
 * transaction that holds `active`. */
enum outcome resolver_check_keys(struct resolver *resolver, struct arena *arena,
                                 const struct active_policy *active, struct err *err);

#endif
