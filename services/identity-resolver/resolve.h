/* resolve.h: what the database must learn from a batch, and the one transaction that teaches it (docs/architecture.md).
 *
 * 0. covered touchpoints (everything cached and old enough) need no database; 1. insert identifiers and lock rows; 2. lock the
 * profiles concerned until none is missing; 3. insert links, lower first_seen, read members and links again, compute the
 * pure partition; 4. version = nextval after the last lock, write what changed, one identity change into the outbox, commit. */
#ifndef TUTTI_RESOLVE_H
#define TUTTI_RESOLVE_H

#include "common/codec/digest.h"
#include "services/identity-resolver/identity_store.h"
#include "services/identity-resolver/identity_touchpoint.h"

/* A touchpoint of the batch as identity sees it. */
struct sighting {
    struct id event_id;
    struct instant occurred_at;
    const struct typed_id *ids; /* strongest first; ids[0] is the anchor */
    size_t id_count;
};

struct sightings {
    struct sighting *items;
    size_t count, capacity;
};

/* An identity change that was committed: to be published, then deleted from the outbox. */
struct committed_change {
    int64_t version;
    struct outbox_row *messages; /* in the batch's arena */
    size_t message_count;
    size_t merged_profiles;
};

struct resolver {
    struct identity_policy policy;
    struct digest_key key;
    struct resolver_cache cache;
    struct db *db;
};

/* True if everything about the sighting is cached and old enough. */
bool resolver_is_covered(struct resolver *resolver, const struct sighting *sighting);

/* Looks the identifiers and links of uncovered sightings up by plain reads into the cache. */
enum outcome resolver_look_up(struct resolver *resolver, struct arena *arena, const struct sightings *uncovered, struct err *err);

/* The transaction for what is still uncovered; fills the cache after the commit. change->version is 0 if nothing moved. */
enum outcome resolver_transact(struct resolver *resolver, struct arena *arena, const struct sightings *uncovered,
                               struct instant now, struct committed_change *change, struct err *err);

#endif
