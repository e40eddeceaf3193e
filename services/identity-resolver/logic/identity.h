/* identity.h: the vocabulary of identity: types, normalising, blocked values, and the partition of
 * links into profiles.
 *
 * Identity is a function of the SET of evidence. A direct link connects the anchor of a touchpoint
 * (its strongest identifier) with another identifier seen with it. An indirect link connects two
 * others of its strongest identifiers: they belong together even where the anchor joins nothing. An
 * operator's order can be a link, too. Links are taken in order: manual ones, direct ones, indirect
 * ones, the observed ones by (strength, first_seen), equal ones by (ranks, hash). At its place a
 * link joins the clusters of its ends, unless one of the numbered refusals applies to the united
 * cluster. A profile is what is joined in the end. It is named after its member with the smallest
 * (first_seen, identifier_id). Rules: docs/figures.md, Identity.
 *
 * Whether a link is accepted depends on the link and the two clusters alone. Take a partition with
 * two properties. Every part, evaluated alone, gives exactly itself. Every link between two parts
 * is refused at its place, given both parts' own clusters there. Then, by induction over the order,
 * the global clusters at every place are those of the parts: the partition is the global result.
 *
 * That is why it is enough to look at the touched profiles and at the neighbours that join them
 * (identity_test_neighbours). Everything here is pure. */
#ifndef TUTTI_IDENTITY_LOGIC_IDENTITY_H
#define TUTTI_IDENTITY_LOGIC_IDENTITY_H

#include "common/base/arena.h"
#include "common/base/id.h"
#include "common/base/instant.h"
#include "common/base/outcome.h"

enum { IDENTITY_MAX_TYPES = 32, IDENTITY_MAX_VALUE = 512, IDENTITY_MAX_BLOCKED = 64 };

#define IDENTITY_UNBOUNDED UINT32_MAX

enum normaliser { NORMALISE_PLAIN, NORMALISE_EMAIL, NORMALISE_PHONE };

/* Why a link joins nothing: the first reason that applies. Also the code in the database. */
enum refusal {
    REFUSED_NOT,
    REFUSED_PAIR,            /* the two types may not link */
    REFUSED_QUARANTINE,      /* an end links too much */
    REFUSED_CUT,             /* would unite both ends of a cut */
    REFUSED_UNIQUE,          /* two identifiers of a unique type */
    REFUSED_LIMIT,           /* more identifiers of a type than its limit */
    REFUSED_MAX_IDENTIFIERS, /* more identifiers than a profile may have */
};

/* A key of the order of links. */
enum link_strength { LINK_MANUAL, LINK_EXACT, LINK_STRONG, LINK_WEAK };

/* Values that are never identifiers. */
struct blocked_values {
    struct span *items; /* as folded values compare: ASCII lower case, sorted by span_compare */
    size_t count, longest;
};

/* A blocked pattern, matched in any case. It needs no regex engine. Either ^[set]*$ or ^[set]+$,
 * or a frame: ^start.*end$. */
struct char_class_pattern {
    bool accepts[256];
    bool matches_empty;
    bool is_frame;
    struct span start, end; /* of a frame, ASCII lower case; at least one is not empty */
    int16_t type;           /* index of the only type it is for; -1: all */
};

struct identity_type {
    struct span name;
    int16_t rank; /* 1 is the strongest; also the type's code in the database */
    bool is_unique;
    /* false: it links nothing, and is the anchor of a touchpoint that has no other identifier */
    bool links;
    bool counts;       /* false: it takes no place in max_identifiers and none in max_degree */
    bool is_scoped;    /* equal values of two sources are two identifiers */
    bool match_hashed; /* the hashed form is the SHA-256 of the clear form, in hexadecimal */
    enum normaliser normaliser;
    uint32_t limit; /* identifiers of it in one profile at most */
    /* the limit counts those first seen in this long up to the link; 0: all */
    struct duration limit_window;
    /* by type index: quarantine if linked to more identifiers of that type */
    uint32_t max_links[IDENTITY_MAX_TYPES];
    struct blocked_values blocked;
    struct span address_of; /* channels that reach a person by it, separated by blanks */
};

/* Whose messages about former ids are believed. */
struct identity_trust {
    struct span topic; /* empty: any; with * at its end: topics that begin like this */
    struct span source;
};

/* How two types may link. */
struct identity_pair {
    bool may_link;
    enum link_strength strength;
};

struct identity_policy {
    struct identity_type types[IDENTITY_MAX_TYPES]; /* by rank */
    size_t type_count;
    struct identity_pair pairs[IDENTITY_MAX_TYPES][IDENTITY_MAX_TYPES]; /* symmetric */
    struct blocked_values blocked;                                      /* of all types */
    struct identity_trust *may_alias;
    size_t trust_count;
    struct char_class_pattern *classes;
    size_t class_count;
    struct span calling_code; /* digits, for phones without one */
    bool gmail_dots_and_plus; /* fold them away */
    uint32_t max_identifiers; /* identifiers of one profile, of the types that count */
    uint32_t max_degree;      /* quarantine if linked to more identifiers of the types that count */
    struct instant min_time;  /* what occurred before is refused */
};

/* A policy without types that has no limits: every pair links exactly. */
void identity_policy_init(struct identity_policy *policy);

/* Whether a touchpoint may have occurred then, given the timestamp of its Kafka record. REJECT
 * "time_in_the_future", "time_too_old". */
enum outcome identity_check_times(const struct identity_policy *policy, struct instant recorded_at,
                                  struct instant occurred_at, struct err *err);

/* The type of that name, NULL if the policy has none. */
const struct identity_type *identity_find_type(const struct identity_policy *policy,
                                               struct span name);
/* Index into types of the type with that rank (its code in the database), -1 if the policy has
 * none. */
int16_t identity_type_of_rank(const struct identity_policy *policy, int16_t rank);

/* Whether a value of that type is blank or blocked (also in quotes, in any case). It then stays in
 * the event and is never an identifier. */
bool identity_is_blocked(const struct identity_policy *policy, const struct identity_type *type,
                         struct span value);

/* A usable value. */
struct identity_value {
    struct span text; /* in the arena or borrowed */
    /* its canonical form is the lower-case hexadecimal SHA-256 of text, which the caller makes;
     * otherwise it is text */
    bool needs_digest;
};

/* The normalised form of a folded value (identity_fold). False if it is blocked, longer than
 * IDENTITY_MAX_VALUE bytes, or no usable phone number or e-mail address.
 *
 * is_digest: the value is said to be hashed; 32 to 128 hexadecimal digits are then lower-cased and
 * left alone. For e-mails and a type with match_hashed, 64 hexadecimal digits always are a digest.
 *
 * E-mails: something must stand on both sides of the last @.
 *
 * Phones: separators and "(0)" are dropped. + or 00 is international; otherwise the default calling
 * code replaces one leading 0. With the code 1, 011 is international, too, and a leading 1 of 11
 * digits is replaced. 7 to 15 digits remain. */
bool identity_normalise(const struct identity_policy *policy, const struct identity_type *type,
                        struct span value, bool is_digest, struct arena *arena,
                        struct identity_value *out);
/* Whether `form` may be a digest that was made elsewhere, for a type that does not match hashed
 * values. */
bool identity_is_digest_form(struct span form);

/* Other rules for values that are stored by their forms.
 *
 * If the old rules only fold (identity_fold), all values of one form stay together. Every stored
 * form can then be folded and normalised again under the new rules, unless they leave addresses
 * behind: the case is lost, and what was no address is not stored. It is blocked exactly if each of
 * its values is.
 *
 * This does not hold for phones and folded addresses: `0151 2345` may be blocked and `+1 151 2345`
 * not, and another calling code parts them. It does not hold where values and their digests are
 * one, because a digest cannot be normalised. */
bool identity_keeps_spelling(const struct identity_policy *policy,
                             const struct identity_type *type);
bool identity_can_renormalise(const struct identity_policy *before,
                              const struct identity_type *old_type,
                              const struct identity_type *new_type);

enum renormalised {
    RENORMALISED,
    RENORMALISED_NOTHING, /* blocked or not usable under the new rules */
    /* the result depends on whether the value came as a digest, and either may be */
    RENORMALISED_UNSURE,
};
struct renormalising {
    const struct identity_policy *before, *after;
    const struct identity_type *old_type, *new_type;
};
/* The new form of all values of an old form. identity_can_renormalise must hold. folded: the form
 * after identity_fold for the new type. */
enum renormalised identity_renormalise(const struct renormalising *rules, struct span form,
                                       struct span folded, struct arena *arena,
                                       struct identity_value *out);

struct identity_node {
    struct id identifier_id;
    struct instant first_seen;
    int16_t type; /* index into the policy's types */
    bool is_quarantined;
    uint32_t profile; /* out: index of the node that names its profile */
};

enum { IDENTITY_STRONGEST = 8 };

/* With which of its `count` identifiers, strongest first, a touchpoint links the i-th: those from
 * i + 1 up to this one (not included). Links of the first are direct, the others indirect. */
static inline size_t identity_links_until(size_t i, size_t count)
{
    if (i == 0 || count < IDENTITY_STRONGEST)
        return count;
    return i < IDENTITY_STRONGEST ? IDENTITY_STRONGEST : 0;
}

struct identity_link {
    uint32_t a, b;             /* indexes of nodes */
    struct instant first_seen; /* not looked at if manual */
    struct id hash;            /* digest of both ids: orders links that are otherwise equal */
    bool is_manual;   /* the newest order about the pair is a link; it may be observed, too */
    bool is_indirect; /* every touchpoint that shows it has another anchor; as first_seen */
    /* out: REFUSED_NOT if it joins, or if both ends are in one cluster at its place */
    enum refusal refused_by;
    /* out: keys of its place: strength, and the types of its ends */
    enum link_strength strength;
    int16_t stronger, weaker;
};

/* The newest order about the pair is a cut: the two are never in one profile. */
struct identity_cut {
    uint32_t a, b; /* indexes of nodes, both within the graph */
};

/* Two values of a unique type that count as one wherever one cluster holds both. */
struct identity_alias {
    uint32_t a, b; /* indexes of nodes of one type, both within the graph */
};

struct identity_graph {
    struct identity_node *nodes;
    size_t node_count;
    struct identity_link *links;
    size_t link_count;
    const struct identity_cut *cuts;
    size_t cut_count;
    const struct identity_alias *aliases;
    size_t alias_count;
};

/* Fills profile of every node and refused_by of every link, the global result for this graph alone.
 * Sorts links. */
void identity_partition(const struct identity_policy *policy, struct arena *arena,
                        struct identity_graph *graph);

/* A neighbouring profile with its links, cuts and aliases to the touched ones. Ends `a` are indexes
 * of nodes inside, ends `b` of nodes of this graph. */
struct identity_neighbour {
    struct identity_graph graph;
    struct identity_link *cross;
    size_t cross_count;
    const struct identity_cut *cuts;
    size_t cut_count;
    const struct identity_alias *aliases;
    size_t alias_count;
    bool joins; /* out */
};

/* Finds the neighbours that must be evaluated together with the touched profiles (inside). Such a
 * neighbour has a link to them that is accepted at its place, given both sides' own clusters there.
 * For the other neighbours, refused_by of every cross link gets its global value. The outputs of a
 * neighbour that joins are half done: unite both and ask again. */
void identity_test_neighbours(const struct identity_policy *policy, struct arena *arena,
                              struct identity_graph *inside, struct identity_neighbour *neighbours,
                              size_t count);

/* Whether an identifier of this type (index) is quarantined. It is linked to `degree` distinct
 * identifiers, and by type index to so many (types that do not count included). The caller knows
 * about an operator's release, which overrides this. */
bool identity_is_quarantined(const struct identity_policy *policy, int16_t type,
                             const uint32_t *degree_by_type, uint32_t degree);

/* Whether `alias` and `merge` messages of this source on this topic are believed. */
bool identity_may_alias(const struct identity_policy *policy, struct span topic,
                        struct span source);

/* Whether observed links between these types (indexes) count at all, and how strong they are. */
bool identity_may_link(const struct identity_policy *policy, int16_t type_a, int16_t type_b);
enum link_strength identity_strength(const struct identity_policy *policy, int16_t type_a,
                                     int16_t type_b);

/* "pair", "quarantine", "cut", "unique", "limit", "max_identifiers"; NULL for REFUSED_NOT. */
const char *identity_refusal_name(enum refusal refusal);

#endif
