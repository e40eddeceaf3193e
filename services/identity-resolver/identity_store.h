/* identity_store.h: the statements of identity-resolver, one function each. All arrays must be sorted by the caller where a
 * lock order depends on it (identifiers, profiles, links). */
#ifndef TUTTI_IDENTITY_STORE_H
#define TUTTI_IDENTITY_STORE_H

#include "common/codec/messages.h"
#include "common/store/db.h"
#include "services/identity-resolver/resolver_cache.h"

struct identifier_row {
    struct id identifier_id, profile_id;
    struct instant first_seen;
    int64_t version;
    int16_t type;
};

struct link_row {
    struct link_key key;
    struct instant first_seen;
    struct id evidence;
};

struct identifier_rows {
    struct identifier_row *items;
    size_t count, capacity;
};

struct link_rows {
    struct link_row *items;
    size_t count, capacity;
};

/* Plain reads; `type` is filled by store_members only. */
enum outcome store_find_identifiers(struct db *db, struct arena *arena, const struct id *ids, size_t count,
                                    struct identifier_rows *out, struct err *err);
enum outcome store_find_links(struct db *db, struct arena *arena, const struct link_row *wanted, size_t count,
                              struct link_rows *out, struct err *err);
enum outcome store_members(struct db *db, struct arena *arena, const struct id *profiles, size_t count,
                           struct identifier_rows *out, struct err *err);
enum outcome store_member_links(struct db *db, struct arena *arena, const struct id *members, size_t count, struct link_rows *out,
                                struct err *err);

/* Step 1: new identifiers, each its own profile; the ids really inserted come back. */
enum outcome store_insert_identifiers(struct db *db, struct arena *arena, const struct identifier_row *rows, size_t count,
                                      struct id **inserted, size_t *inserted_count, struct err *err);
enum outcome store_insert_profiles(struct db *db, struct arena *arena, const struct id *profiles, size_t count, struct err *err);
enum outcome store_lock_profiles(struct db *db, struct arena *arena, const struct id *profiles, size_t count, struct err *err);
enum outcome store_upsert_links(struct db *db, struct arena *arena, const struct link_row *links, size_t count, struct err *err);
enum outcome store_lower_first_seen(struct db *db, struct arena *arena, const struct identifier_row *rows, size_t count,
                                    struct err *err);
enum outcome store_next_version(struct db *db, struct arena *arena, int64_t *version, struct err *err);
/* Identifiers to their new profiles at this version. */
enum outcome store_move(struct db *db, struct arena *arena, const struct identity_move *moves, size_t count, int64_t version,
                        struct err *err);
enum outcome store_insert_changes(struct db *db, struct arena *arena, const struct identity_change *change, struct err *err);

enum outcome store_insert_outbox(struct db *db, struct arena *arena, int64_t version, int32_t part, const struct id *profile,
                                 struct span payload, struct err *err);
struct outbox_row {
    int64_t version;
    struct id profile_id;
    struct span payload; /* in the arena */
};
enum outcome store_find_outbox(struct db *db, struct arena *arena, struct outbox_row **rows, size_t *count, struct err *err);
enum outcome store_delete_outbox(struct db *db, struct arena *arena, const int64_t *versions, size_t count, struct err *err);

struct unidentified_row {
    struct id event_id;
    struct instant occurred_at, received_at;
    struct span source, message_id, channel, event_name, direction, department, purpose;
};
enum outcome store_insert_unidentified(struct db *db, struct arena *arena, const struct unidentified_row *rows, size_t count,
                                       struct err *err);

/* Writes the setting if it is not there; FATAL with `explanation` if another value is. */
enum outcome store_claim_setting(struct db *db, struct arena *arena, const char *name, struct span value, const char *explanation,
                                 struct err *err);
struct identity_policy;
enum outcome store_types(struct db *db, struct arena *arena, const struct identity_policy *policy, struct err *err);

#endif
