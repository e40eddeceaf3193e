/* identity_store.h: the statements about identifiers, links and their changes, one function each.
 * Rows are plain data; resolve.h says what they mean together. */
#ifndef TUTTI_IDENTITY_STORE_H
#define TUTTI_IDENTITY_STORE_H

#include "common/codec/messages.h"
#include "common/codec/seal.h"
#include "common/store/db.h"
#include "services/identity-resolver/store/resolver_cache.h"

struct identifier_row {
    struct id identifier_id, profile_id;
    struct instant first_seen;
    int64_t version;
    int16_t type; /* its rank */
    bool is_quarantined;
    bool has_refused; /* one of its links is or was refused */
};

struct link_row {
    struct link_key key;
    struct instant first_seen;
    struct id evidence;
    int16_t refused_by; /* enum refusal */
    bool is_indirect;
};

/* Whether sighting x of a link counts before y: direct, then early, then by evidence. */
static inline int link_row_compare(const struct link_row *x, const struct link_row *y)
{
    if (x->is_indirect != y->is_indirect)
        return x->is_indirect ? 1 : -1;
    int c = instant_compare(x->first_seen, y->first_seen);
    return c ? c : id_compare(&x->evidence, &y->evidence);
}

struct identifier_rows {
    struct identifier_row *items;
    size_t count, capacity;
};

struct link_rows {
    struct link_row *items;
    size_t count, capacity;
};

struct id_list {
    struct id *items;
    size_t count, capacity;
};

struct stripe_list {
    int32_t *items; /* ascending */
    size_t count, capacity;
};

/* ---- reading ---- */
enum outcome identity_store_find_identifiers(struct db *db, struct arena *arena,
                                             const struct id *ids, size_t count,
                                             struct identifier_rows *out, struct err *err);
enum outcome identity_store_find_links(struct db *db, struct arena *arena,
                                       const struct link_row *wanted, size_t count,
                                       struct link_rows *out, struct err *err);
/* All identifiers of these profiles. */
enum outcome identity_store_members(struct db *db, struct arena *arena, const struct id *profiles,
                                    size_t count, struct identifier_rows *out, struct err *err);
/* All links whose smaller end is one of these, and the refused links whose larger end is one. Some
 * come twice. */
enum outcome identity_store_member_links(struct db *db, struct arena *arena,
                                         const struct id *members, size_t count,
                                         struct link_rows *out, struct err *err);

/* Links of these identifiers (all in quarantine) to others in quarantine. Some come twice. */
enum outcome identity_store_quarantined_links(struct db *db, struct arena *arena,
                                              const struct id *members, size_t count,
                                              struct link_rows *out, struct err *err);

/* To how many identifiers of a type (rank) an identifier is linked. All links of the identifier are
 * refused. */
struct degree_row {
    struct id identifier_id;
    int16_t type;
    int64_t count;
};
struct degree_rows {
    struct degree_row *items;
    size_t count, capacity;
};
enum outcome identity_store_count_degrees(struct db *db, struct arena *arena, const struct id *ids,
                                          size_t count, struct degree_rows *out, struct err *err);

/* The next profiles after `after`, in order. */
enum outcome identity_store_next_profiles(struct db *db, struct arena *arena,
                                          const struct id *after, size_t limit, struct id_list *out,
                                          struct err *err);

/* About `limit` rows at the end of the tables, where the newest rows are. */
enum outcome identity_store_newest(struct db *db, struct arena *arena, size_t limit,
                                   struct identifier_rows *identifiers, struct link_rows *links,
                                   struct err *err);

/* ---- locks ---- */
/* Waits for the rows. */
enum outcome identity_store_lock_stripes(struct db *db, struct arena *arena,
                                         const struct stripe_list *stripes, struct err *err);
/* Never waits. *all: every row is locked. */
enum outcome identity_store_try_stripes(struct db *db, struct arena *arena,
                                        const struct stripe_list *stripes, bool *all,
                                        struct err *err);

/* ---- writing ---- */
/* Stores rows whose ids were made with the key `key_number`. REJECT with SQLSTATE 23505 if one is
 * there already. */
enum outcome identity_store_copy_identifiers(struct db *db, const struct identifier_row *rows,
                                             size_t count, int16_t key_number, struct err *err);
enum outcome identity_store_copy_links(struct db *db, const struct link_row *rows, size_t count,
                                       struct err *err);
/* Gives stored rows these values. */
enum outcome identity_store_update_identifiers(struct db *db, struct arena *arena,
                                               const struct identifier_row *rows, size_t count,
                                               struct err *err);
enum outcome identity_store_update_links(struct db *db, struct arena *arena,
                                         const struct link_row *rows, size_t count,
                                         struct err *err);
/* The next version of the map: even. */
enum outcome identity_store_next_version(struct db *db, struct arena *arena, int64_t *version,
                                         struct err *err);
enum outcome identity_store_insert_changes(struct db *db, struct arena *arena,
                                           const struct identity_change *change,
                                           int32_t policy_version, struct err *err);

enum outcome identity_store_insert_outbox(struct db *db, struct arena *arena, int64_t version,
                                          int32_t part, const struct id *profile,
                                          struct span payload, struct err *err);
struct identity_outbox_row {
    int64_t version;
    struct id profile_id;
    struct span payload; /* in the arena */
};
enum outcome identity_store_find_outbox(struct db *db, struct arena *arena,
                                        struct identity_outbox_row **rows, size_t *count,
                                        struct err *err);

/* For how many seconds the oldest erasure is incomplete, and an exchange of keys is in its phase.
 * 0: nothing is unfinished. */
struct open_work {
    int64_t erasure, announced, rotating;
};
enum outcome identity_store_find_open_work(struct db *db, struct open_work *out, struct err *err);
enum outcome identity_store_delete_outbox(struct db *db, struct arena *arena,
                                          const int64_t *versions, size_t count, struct err *err);

struct raw_value_row {
    struct id identifier_id;
    struct sealed sealed;
};
enum outcome identity_store_insert_raw_values(struct db *db, struct arena *arena,
                                              const struct raw_value_row *rows, size_t count,
                                              struct err *err);

#endif
