/* resolve.h: what the database must learn from a batch, and the one transaction that teaches it
 * (docs/architecture.md).
 *
 * 0. Covered touchpoints (everything cached and old enough) need no database.
 * 1. The active policy is held for the transaction.
 * 2. The profiles concerned are locked (identity.lock_stripes, ascending) and read: members, their
 *    links, orders about them.
 * 3. Closure: the touched profiles are evaluated alone. A neighbouring profile that one of their
 *    links would join under its own clusters is added, until there is none. The other neighbours
 *    are locked too.
 * 4. What differs is written once, with its outcome: identifiers, links, the change of the map and
 *    its messages.
 *
 * New identifiers need no lock: the second transaction finds their key taken and starts again. A
 * transaction also starts again if it needs a lock below one that it holds, and that lock is taken.
 * It then takes all the locks of its earlier attempts first.
 *
 * A version of the map is even. It is one more (odd) for an identifier in quarantine: its profile
 * is shared. */
#ifndef TUTTI_RESOLVE_H
#define TUTTI_RESOLVE_H

#include "common/service/erased.h"
#include "services/identity-resolver/keys/identity_keys.h"
#include "services/identity-resolver/keys/identity_touchpoint.h"
#include "services/identity-resolver/store/identity_rules_store.h"

/* A touchpoint of the batch as identity sees it. */
struct sighting {
    struct id event_id;
    struct instant occurred_at;
    const struct typed_id *ids; /* strongest first; ids[0] is the anchor */
    size_t id_count;
    bool lacks_anchor; /* the anchor was erased: these are the others, and nothing links them */
    /* of a touchpoint that says that its values of a unique type are one, and is believed;
     * otherwise nothing */
    struct span alias_topic, alias_source;
};

struct sightings {
    struct sighting *items;
    size_t count, capacity;
};

/* What one transaction did, for metrics. */
struct resolve_counts {
    size_t merged, split; /* identifiers that moved into, and out of, an existing profile */
    size_t quarantined, released;
    size_t refused[REFUSED_MAX_IDENTIFIERS + 1]; /* links that came to be refused, by rule */
    size_t largest_profile; /* of the touched ones, as max_identifiers counts */
    size_t neighbours;      /* profiles locked only to test links */
    size_t plain;           /* new identifiers whose profile was known without reading links */
    size_t rows_read;       /* identifiers and links, under the locks */
    size_t restarts;
    bool is_slow; /* a link leads out of the touched profiles */
};

/* A committed identity change: to be published, then deleted from the outbox. */
struct committed_change {
    int64_t version;                      /* even; 0: nothing moved */
    struct identity_outbox_row *messages; /* in the batch's arena */
    size_t message_count;
    size_t moved; /* identifiers */
    struct resolve_counts counts;
};

struct resolver {
    struct identity_policy policy;
    struct active_policy active;
    struct arena arena; /* of the policy */
    struct identity_keys keys;
    struct resolver_cache cache;
    struct erased *erased; /* NULL: a tool, which adds no identifiers */
    /* id -> cached_identifier: what the last look-up and transaction learnt, even if the cache
     * forgets it */
    struct map batch;
    struct db *db;
    const struct seal_keys
        *raw_keys; /* seals the raw values of new identifiers; NULL: they are not stored */
    /* id -> span: the values of the batch if they are stored; the caller's */
    struct map raw_values;
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
    enum refusal ordered; /* why the ordered link is refused, or REFUSED_NOT */
};

/* True if everything about the sighting is cached and old enough. Writes what the cache has of its
 * identifiers to `known` (id_count entries), because the cache may forget them. Entries that it
 * lacks stay as they were. */
bool resolver_is_covered(struct resolver *resolver, const struct sighting *sighting,
                         struct cached_identifier *known);

/* From the cache or the batch; NULL if neither knows it. Valid until the next put. */
const struct cached_identifier *resolver_known(struct resolver *resolver, const struct id *id);

/* Drops an erased identifier from the cache: what the cache says of it and its links is no longer
 * true. */
void resolver_forget(struct resolver *resolver, const struct id *identifier_id);

/* Looks the identifiers and links of uncovered sightings up by plain reads, into the cache. */
enum outcome resolver_look_up(struct resolver *resolver, struct arena *arena,
                              const struct sightings *uncovered, struct err *err);

/* Fills the cache with about `count` of the identifiers that were written last, and as many links.
 */
enum outcome resolver_warm_up(struct resolver *resolver, struct arena *arena, size_t count,
                              struct err *err);

/* The transaction for sightings that are still uncovered (at least one). Fills the cache after the
 * commit. change->version is 0 if nothing moved. */
enum outcome resolver_transact(struct resolver *resolver, struct arena *arena,
                               const struct sightings *uncovered, struct instant now,
                               struct committed_change *change, struct err *err);

/* What is to be evaluated again: the profiles of these identifiers and of those that orders name.
 */
struct review {
    const struct id *identifiers;
    size_t identifier_count;
    const struct resolve_orders *orders; /* are stored first; may be NULL */
    bool is_dry_run;                     /* everything is computed, then rolled back */
    struct instant now;
};

struct review_result {
    struct committed_change change;
    struct resolve_plan plan;
};

/* Evaluates the profiles again under the active policy. REJECT "identifier_unknown" if an
 * identifier was never seen. The result is zero after an error. */
enum outcome resolver_review(struct resolver *resolver, struct arena *arena,
                             const struct review *review, struct review_result *result,
                             struct err *err);

/* One bounded step of the sweep after a change of policy. Reviews the next `limit` profiles after
 * *position (nil: from the start) in order of profile_id. Moves *position on and stores it in
 * identity.policies.swept_to in the same transaction. *count is the number of profiles; at 0 the
 * policy is marked complete. Changes stay in the outbox, which identity-resolver scans. */
enum outcome resolver_sweep_step(struct resolver *resolver, struct arena *arena, size_t limit,
                                 struct id *position, size_t *count, struct err *err);

/* Asks the database for the hashes of which the finder is unsure; then the finder has an answer for
 * each. Hashes known only by the previous key (*by_previous) get one under the current key. RETRY
 * "keys_changed": everything must be hashed again. */
enum outcome resolver_find_ids(struct resolver *resolver, struct arena *arena,
                               struct id_finder *finder, size_t *by_previous, struct err *err);

/* Reads again which keys are at work. Work without a transaction must call it now and then, or it
 * would miss the new hashes of its values. RETRY "keys_changed" if another key makes the hashes
 * now; FATAL if a needed key was not given. */
enum outcome resolver_follow_keys(struct resolver *resolver, struct arena *arena, struct err *err);

/* The key and the anchor rules fix what stored identifiers mean. The first program to claim them
 * writes them down, with the types. FATAL if the database has others, or needs a key that was not
 * given. */
enum outcome resolver_claim_key(struct resolver *resolver, struct arena *arena, struct err *err);
enum outcome resolver_claim_rules(struct db *db, struct arena *arena,
                                  const struct identity_policy *policy, struct err *err);

/* Makes this text the active policy (a new version, not yet swept). The anchor rules must be those
 * of the active policy. *version is the new one. FATAL if the text is no policy. */
enum outcome resolver_activate_policy(struct db *db, struct arena *arena, struct span text,
                                      const char *actor, int32_t *version, struct err *err);

/* The same with other anchor rules, inside the caller's transaction. The caller makes the stored
 * facts fit. */
enum outcome resolver_replace_rules(struct db *db, struct arena *arena, struct span text,
                                    const struct identity_policy *policy, const char *actor,
                                    int32_t *version, struct err *err);

/* At the start of a service: claims version 1 with this text if no policy is active. FATAL
 * "other_policy" if the active policy has another hash. Then loads the active policy. */
enum outcome resolver_claim_policy(struct resolver *resolver, struct arena *arena, struct span text,
                                   struct err *err);

/* A resolver for tools: checks the keys against the database, loads the active policy, keeps no
 * cache. Close it with resolver_close, also after an error. The connection stays the caller's. */
enum outcome resolver_open_tool(struct resolver *resolver, struct arena *arena, struct db *db,
                                const struct config *config, struct err *err);
void resolver_close(struct resolver *resolver);

#endif
