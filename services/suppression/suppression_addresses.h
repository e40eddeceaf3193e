/* suppression_addresses.h: addresses as rows: which of them customers were seen with, what stands
 * under them, and the open grants that rely on them. */
#ifndef TUTTI_SUPPRESSION_ADDRESSES_H
#define TUTTI_SUPPRESSION_ADDRESSES_H

#include "services/suppression/logic/addresses.h"
#include "services/suppression/suppression_store.h"

struct known_addresses {
    struct known_address *items;
    size_t count, capacity;
};

/* What a batch brought: written after the facts and before anchors are locked. Sorts the rows, and
 * says which were not stored, sorted too: the anchors of these must come to the map, since an
 * address is found by the profile of whoever named it. RETRY "address_race" if another transaction
 * wrote one of them meanwhile. */
enum outcome addresses_store_known(struct db *db, struct arena *arena,
                                   struct known_addresses *known, struct known_addresses *new,
                                   struct err *err);

/* Of these addresses, those that an erasure left opt-outs of: their rows of the map, to be locked
 * with the anchors. What was said of such an address binds whoever it belongs to now. */
enum outcome addresses_find_kept(struct db *db, struct arena *arena,
                                 const struct known_addresses *known, struct anchor_move **out,
                                 size_t *count, struct err *err);

/* Of these anchors, sorted by anchor. */
enum outcome addresses_find_known(struct db *db, struct arena *arena, const int64_t *anchors,
                                  size_t count, struct known_addresses *out, struct err *err);

struct address_ids {
    struct id *items;
    size_t count;
};

/* Before anchors are locked: whether grants may be open of these profiles, or of those that the
 * anchors are in by the map. Who gets one meanwhile has it under the lock of his state. */
enum outcome addresses_may_be_open(struct db *db, struct arena *arena, const int64_t *anchors,
                                   const struct id *profiles, size_t count, bool *out,
                                   struct err *err);

/* Before anchors are locked: addresses that customers were seen with, of these anchors, of the
 * profiles that these belong to, and of these profiles; as rows of the map, if they have none yet.
 */
enum outcome addresses_to_lock(struct db *db, struct arena *arena, const int64_t *anchors,
                               size_t anchor_count, const struct id *profiles, size_t profile_count,
                               struct anchor_move **out, size_t *count, struct err *err);

/* What stands under the addresses (any order, with repeats), sorted. The channels are known by
 * their names. */
enum outcome addresses_find_words(struct db *db, struct arena *arena,
                                  const struct contact_policy *policy, const int64_t *addresses,
                                  size_t count, struct address_words **words, size_t *word_count,
                                  struct err *err);

/* The same with everything that was ever said of them, and channels as they were sent. */
enum outcome addresses_find_all_words(struct db *db, struct arena *arena, const int64_t *addresses,
                                      size_t count, struct address_words **words,
                                      size_t *word_count, struct err *err);

/* Profiles with open grants that rely on one of the addresses. */
enum outcome addresses_find_granted(struct db *db, struct arena *arena, const int64_t *addresses,
                                    size_t count, struct address_ids *profiles, struct err *err);

struct address_grant {
    int64_t address;
    struct id request_id;
    struct instant expires_at;
};

struct address_grants {
    struct address_grant *items;
    size_t count, capacity;
};

/* Rows of new grants, and the rows of requests that are open no more. Sorts the grants. */
enum outcome addresses_store_grants(struct db *db, struct arena *arena,
                                    struct address_grants *grants, struct err *err);
enum outcome addresses_close_grants(struct db *db, struct arena *arena, const struct id *requests,
                                    size_t count, struct err *err);
/* Some of the rows whose grant expired more than a day ago; a statement of its own. */
enum outcome addresses_expire_grants(struct db *db, struct err *err);

#endif
