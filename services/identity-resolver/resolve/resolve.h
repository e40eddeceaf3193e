/* resolve.h: what the database must learn from a batch, and the one transaction that teaches it
 * (docs/architecture.md).
 *
 * 0. Covered touchpoints (everything cached and old enough) need no database. 1. The active policy,
 * held for the transaction.
 * 2. The profiles concerned are locked (identity.lock_stripes, ascending) and read: members, their
 * links, orders about them.
 * 3. Closure: the touched profiles are evaluated alone; a neighbouring profile that one of their
 * links would join under its own clusters is added, until none is; the others are locked too. 4.
 * What differs is written once, with its outcome: identifiers, links, the change of the map and its
 * messages. New identifiers need no lock: whoever comes second finds their key taken, and the
 * transaction starts again. Where a lock is needed below one that is held and is not free, it also
 * starts again, with all the locks of before taken first.
 *
 * A version of the map is even, and one more (odd) for identifiers that are in quarantine: the
 * profile is shared. */
#ifndef TUTTI_RESOLVE_H
#define TUTTI_RESOLVE_H

#include "common/service/erased.h"
#include "services/identity-resolver/keys/identity_keys.h"
#include "services/identity-resolver/keys/identity_touchpoint.h"
#include "services/identity-resolver/store/identity_store.h"

/* A touchpoint of the batch as identity sees it. */
struct sighting {
    struct id event_id;
    struct instant occurred_at;
    const struct typed_id *ids; /* strongest first; ids[0] is the anchor */
    size_t id_count;
    bool lacks_anchor; /* it was erased: these are the others, and nothing links them */
};

struct sightings {
    struct sighting *items;
    size_t count, capacity;
};

/* What one transaction did, for metrics. */
struct resolve_counts {
    size_t merged,
        split; /* identifiers that moved into, and out of, a profile that was there before */
    size_t quarantined, released;
    size_t refused[REFUSED_MAX_IDENTIFIERS + 1]; /* links that came to be refused, by rule */
    size_t largest_profile;                      /* of those touched, as max_identifiers counts */
    size_t neighbours;                           /* profiles locked only to test links */
    size_t plain;     /* new identifiers whose profile was known without its links */
    size_t rows_read; /* identifiers and links, under the locks */
    size_t restarts;
    bool is_slow; /* a link left the touched profiles */
};

/* An identity change that was committed: to be published, then deleted from the outbox. */
struct committed_change {
    int64_t version;                      /* even; 0: nothing moved */
    struct identity_outbox_row *messages; /* in the batch's arena */
    size_t message_count;
    size_t moved; /* identifiers */
    struct resolve_counts counts;
};

/* The active policy as it was last read. */
struct active_policy {
    int32_t version;
    bool is_complete; /* no sweep is under way */
    bool has_orders;
    int32_t key_epoch; /* steps of key exchanges so far */
    int64_t erasures;  /* version of the newest erasure, held with it */
};

struct resolver {
    struct identity_policy policy;
    struct active_policy active;
    struct arena arena; /* of the policy */
    struct identity_keys keys;
    struct resolver_cache cache;
    struct erased *erased; /* NULL: a tool, which adds no identifiers */
    struct map batch;      /* id -> cached_identifier: what the last look-up and transaction learnt,
                              whatever the cache forgets */
    struct db *db;
    const struct seal_keys
        *raw_keys; /* raw values of new identifiers are stored, sealed; NULL: they are not */
    struct map
        raw_values; /* id -> span: the values of the batch, where they are stored; the caller's */
};

/* An operator's order. */
struct manual_order {
    struct span kind;          /* "link", "cut" or "release" */
    struct id a, b;            /* b is nil for a release */
    struct span actor, reason; /* not empty */
};

struct resolve_orders {
    const struct manual_order *items;
    size_t count;
};

/* A stored link whose outcome changes. */
struct plan_link {
    struct link_key key;
    enum refusal before, after;
};

/* What a review changes; in the arena. */
struct resolve_plan {
    const struct identity_move *moves;
    size_t move_count;
    const struct plan_link *links;
    size_t link_count;
    enum refusal ordered; /* what refuses the link that is ordered */
};

/* True if everything about the sighting is cached and old enough. Of its identifiers, what the
 * cache has is written to `known` (id_count of them), because it may forget them; what it lacks is
 * left as it was. */
bool resolver_is_covered(struct resolver *resolver, const struct sighting *sighting,
                         struct cached_identifier *known);

/* From the cache or the batch; NULL if neither knows it. Valid until something is put. */
const struct cached_identifier *resolver_known(struct resolver *resolver, const struct id *id);

/* Somebody was erased: what the cache says of that identifier and its links is not true any more.
 */
void resolver_forget(struct resolver *resolver, const struct id *identifier_id);

/* Looks the identifiers and links of uncovered sightings up by plain reads into the cache. */
enum outcome resolver_look_up(struct resolver *resolver, struct arena *arena,
                              const struct sightings *uncovered, struct err *err);

/* Fills the cache with about `count` of the identifiers, and as many of the links, that were
 * written last. */
enum outcome resolver_warm_up(struct resolver *resolver, struct arena *arena, size_t count,
                              struct err *err);

/* The transaction for what is still uncovered (at least one sighting); fills the cache after the
 * commit. change->version is 0 if nothing moved. */
enum outcome resolver_transact(struct resolver *resolver, struct arena *arena,
                               const struct sightings *uncovered, struct instant now,
                               struct committed_change *change, struct err *err);

/* Evaluates the profiles of these identifiers again under the active policy, those of `orders` (may
 * be NULL) too, which are stored first. REJECT "identifier_unknown" if one was never seen. dry_run:
 * everything is computed, then rolled back. plan may be NULL. */
enum outcome resolver_review(struct resolver *resolver, struct arena *arena,
                             const struct id *identifiers, size_t count,
                             const struct resolve_orders *orders, bool dry_run, struct instant now,
                             struct committed_change *change, struct resolve_plan *plan,
                             struct err *err);

/* One bounded step of the sweep after a change of policy: reviews the next `limit` profiles after
 * *position (nil: the first) in order of profile_id, moves *position on and stores it in
 * identity.policies.swept_to in the same transaction. *count is how many were there; at 0 the
 * policy is marked complete. What moved is left in the outbox, which identity-resolver scans. */
enum outcome resolver_sweep_step(struct resolver *resolver, struct arena *arena, size_t limit,
                                 struct id *position, size_t *count, struct err *err);

/* Asks the database for the hashes of which the finder is unsure: from then on it has an answer for
 * each. Those known by a hash under the previous key (*by_previous) get one under the current key.
 * RETRY "keys_changed": everything must be hashed again. */
enum outcome resolver_find_ids(struct resolver *resolver, struct arena *arena,
                               struct id_finder *finder, size_t *by_previous, struct err *err);

/* Reads again which keys are at work: who works without a transaction must ask now and then, or it
 * would never meet its values' new hashes. RETRY "keys_changed" if hashes are made with another key
 * now, FATAL if a key is needed that was not given. */
enum outcome resolver_follow_keys(struct resolver *resolver, struct arena *arena, struct err *err);

/* The key and the anchor rules fix what stored identifiers mean: the first one to come writes them
 * down, with the types; FATAL where the database has others, or two of which one was not given. */
enum outcome resolver_claim_key(struct resolver *resolver, struct arena *arena, struct err *err);
enum outcome resolver_claim_rules(struct db *db, struct arena *arena,
                                  const struct identity_policy *policy, struct err *err);

/* Makes this text the active policy (a new version, not yet swept). The anchor rules must be those
 * of the active one. *version is the new one. FATAL if the text is no policy. */
enum outcome resolver_activate_policy(struct db *db, struct arena *arena, struct span text,
                                      const char *actor, int32_t *version, struct err *err);

/* The same with other anchor rules, inside the caller's transaction: what makes the stored facts
 * fit is up to the caller. */
enum outcome resolver_replace_rules(struct db *db, struct arena *arena, struct span text,
                                    const struct identity_policy *policy, const char *actor,
                                    int32_t *version, struct err *err);

/* At the start of a service: claims version 1 with this text if there is no active policy; FATAL
 * "other_policy" if the active one has another hash. Then loads the active one. */
enum outcome resolver_claim_policy(struct resolver *resolver, struct arena *arena, struct span text,
                                   struct err *err);

/* A resolver for tools: checks the keys against the database, loads the active policy, keeps no
 * cache. Close it with resolver_close; also half open. The connection stays the caller's. */
enum outcome resolver_open_tool(struct resolver *resolver, struct arena *arena, struct db *db,
                                const struct config *config, struct err *err);
void resolver_close(struct resolver *resolver);

#endif
