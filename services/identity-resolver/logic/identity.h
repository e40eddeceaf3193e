/* identity.h: the vocabulary of identity: types, normalising, blocked values, and the partition of links into profiles.
 *
 * Identity is a function of the SET of links. A link is the anchor of a touchpoint (its strongest identifier) and another
 * identifier seen with it. Links are taken in the order (first_seen, hash); one is accepted unless the united profile would hold
 * two values of a unique type or too many identifiers. A profile is a component of accepted links, named after its member with
 * the smallest (first_seen, identifier_id). Everything here is pure. */
#ifndef TUTTI_IDENTITY_LOGIC_IDENTITY_H
#define TUTTI_IDENTITY_LOGIC_IDENTITY_H

#include "common/base/arena.h"
#include "common/base/id.h"
#include "common/base/instant.h"

enum { IDENTITY_MAX_TYPES = 32, IDENTITY_MAX_UNIQUE = 16, IDENTITY_MAX_VALUE = 512 };

enum normaliser { NORMALISE_PLAIN, NORMALISE_EMAIL, NORMALISE_PHONE };

struct identity_type {
    struct span name;
    int16_t rank; /* 1 is the strongest; also the type's code in the database */
    bool is_unique;
    bool links; /* false: an anchor where nothing else is present, links nothing */
    enum normaliser normaliser;
};

/* A blocked pattern of the form ^[set]*$ or ^[set]+$: the usual kind, matched without a regex engine. */
struct char_class_pattern {
    bool accepts[256];
    bool matches_empty;
};

struct identity_policy {
    struct identity_type types[IDENTITY_MAX_TYPES]; /* by rank */
    size_t type_count;
    struct span *blocked; /* ASCII lower case, sorted by span_compare */
    size_t blocked_count, blocked_longest;
    struct char_class_pattern *classes;
    size_t class_count;
    struct span calling_code; /* digits, for phones without one */
    bool gmail_dots_and_plus; /* fold them away */
    uint32_t max_identifiers;
};

/* The type of that name, NULL if the policy has none. */
const struct identity_type *identity_find_type(const struct identity_policy *policy, struct span name);

/* Whether a value is blank or blocked (also in quotes, case-insensitive): it stays in the event and is never an identifier. */
bool identity_is_blocked(const struct identity_policy *policy, struct span value);

/* The normalised form of an NFC value, in the arena or borrowed; false if it is blocked, longer than IDENTITY_MAX_VALUE bytes or
 * no usable phone number. is_digest: the value is said to be hashed, and hexadecimal is lower-cased.
 * Phones: separators dropped, + or 00 is international, otherwise the default calling code replaces one leading 0; 7 to 15
 * digits. */
bool identity_normalise(const struct identity_policy *policy, const struct identity_type *type, struct span value, bool is_digest,
                        struct arena *arena, struct span *out);

struct identity_node {
    struct id identifier_id;
    struct instant first_seen;
    uint16_t unique_types; /* bit of its type if that is unique, else 0 */
    uint32_t profile;      /* out: index of the node that names its profile */
};

struct identity_link {
    uint32_t a, b; /* indexes of nodes */
    struct instant first_seen;
    struct id hash;   /* digest of both ids: the order of links first seen at the same time */
    bool is_accepted; /* out: joins, or lies within, one profile */
};

/* Fills profile of every node and is_accepted of every link; sorts links. Rules: docs/figures.md, Identity. */
void identity_partition(const struct identity_policy *policy, struct arena *arena, struct identity_node *nodes, size_t node_count,
                        struct identity_link *links, size_t link_count);

#endif
