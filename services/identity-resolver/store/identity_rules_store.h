/* identity_rules_store.h: the statements about what rules identity: settings, types, versions of
 * the policy, operators' orders, and hashes under later keys. */
#ifndef TUTTI_IDENTITY_RULES_STORE_H
#define TUTTI_IDENTITY_RULES_STORE_H

#include "services/identity-resolver/logic/identity.h"
#include "services/identity-resolver/store/identity_store.h"

/* Writes the setting if it is not there. FATAL with `explanation` if the stored value differs. */
enum outcome identity_store_claim_setting(struct db *db, struct arena *arena, const char *name,
                                          struct span value, const char *explanation,
                                          struct err *err);
/* Replaces the stored anchor rules and types. */
enum outcome identity_store_replace_rules(struct db *db, struct arena *arena,
                                          const struct identity_policy *policy, struct span rules,
                                          struct err *err);
enum outcome identity_store_types(struct db *db, struct arena *arena,
                                  const struct identity_policy *policy, struct err *err);

/* A hash under the current key, and under the previous key while keys are exchanged, else nil. */
struct value_hash {
    struct id hash, previous;
};
struct value_hashes {
    struct value_hash *items;
    size_t count, capacity;
};
struct found_row {
    struct id hash, identifier_id;
    bool is_by_previous; /* found by the hash under the previous key */
};
struct found_rows {
    struct found_row *items;
    size_t count, capacity;
};
/* The ids of the known hashes, once each. */
enum outcome identity_store_find_hashes(struct db *db, struct arena *arena,
                                        const struct value_hashes *hashes, struct found_rows *out,
                                        struct err *err);
/* About `limit` of the hashes that were written last, under the key of that number. */
enum outcome identity_store_newest_found_by(struct db *db, struct arena *arena, size_t limit,
                                            int16_t key_number, struct found_rows *out,
                                            struct err *err);
enum outcome identity_store_insert_found_by(struct db *db, struct arena *arena,
                                            const struct found_rows *rows, int16_t key_number,
                                            struct err *err);

/* The active policy as it was last read. */
struct active_policy {
    int32_t version;
    bool is_complete; /* no sweep is under way */
    bool has_orders;
    int32_t key_epoch; /* steps of key exchanges so far */
    int64_t erasures;  /* version of the newest erasure, held with it */
};
/* The active policy, held until the transaction ends. *found is false if there is none, or if it
 * changed a moment ago. */
enum outcome identity_store_hold_active(struct db *db, struct arena *arena,
                                        struct active_policy *out, bool *found, struct err *err);
/* The active policy's text (in the arena) and hash; FATAL "no_identity_policy" if there is none. */
enum outcome identity_store_find_policy(struct db *db, struct arena *arena, int32_t *version,
                                        struct id *hash, struct span *text, struct err *err);
/* Stores version 1 with this text unless a policy is active. Complete if there is no identifier
 * yet. */
enum outcome identity_store_claim_policy(struct db *db, struct arena *arena, const struct id *hash,
                                         struct span text, struct err *err);
/* Waits for the transactions that hold the active policy, then makes this one active. Inside a
 * transaction. */
enum outcome identity_store_insert_policy(struct db *db, struct arena *arena, const struct id *hash,
                                          struct span text, const char *actor, int32_t *version,
                                          struct err *err);
/* Stores how far the sweep came; NULL: it is complete. */
enum outcome identity_store_set_swept(struct db *db, struct arena *arena, const struct id *swept_to,
                                      struct err *err);

/* An operator's order. */
struct manual_order {
    struct span kind;          /* order_kind_name */
    struct id a, b;            /* b is nil for a release */
    struct span actor, reason; /* not empty */
};
struct resolve_orders {
    const struct manual_order *items;
    size_t count;
};
/* Makes every transaction look for orders from now on, and waits for those that did not. Outside of
 * a transaction. */
enum outcome identity_store_mark_orders(struct db *db, struct arena *arena, struct err *err);
/* *ids: one per order, in the arena. */
enum outcome identity_store_insert_orders(struct db *db, struct arena *arena,
                                          const struct resolve_orders *orders, int64_t **ids,
                                          struct err *err);
enum outcome identity_store_stamp_orders(struct db *db, struct arena *arena, const int64_t *ids,
                                         size_t count, int64_t version, struct err *err);

/* A touchpoint of this topic and source said that the two are one value of their type. */
struct alias_row {
    struct link_key key;
    struct span topic, source;
};
struct alias_rows {
    struct alias_row *items;
    size_t count, capacity;
};
enum outcome identity_store_insert_aliases(struct db *db, struct arena *arena,
                                           const struct alias_rows *rows, struct err *err);
/* Those that name one of these identifiers; with repeats. */
enum outcome identity_store_find_aliases(struct db *db, struct arena *arena, const struct id *ids,
                                         size_t count, struct alias_rows *out, struct err *err);

/* ORDER_SAME is a link of two values of a unique type that count as one. */
enum order_kind { ORDER_LINK, ORDER_SAME, ORDER_CUT, ORDER_RELEASE };
/* As it is stored. */
const char *order_kind_name(enum order_kind kind);
enum order_kind order_kind_of(struct span text);
static inline bool order_links(enum order_kind kind)
{
    return kind == ORDER_LINK || kind == ORDER_SAME;
}
struct order_row {
    enum order_kind kind;
    struct link_key key; /* a release: a only */
};
struct order_rows {
    struct order_row *items;
    size_t count, capacity;
};
/* Orders that name one of these identifiers, oldest first. */
enum outcome identity_store_find_orders(struct db *db, struct arena *arena, const struct id *ids,
                                        size_t count, struct order_rows *out, struct err *err);

#endif
