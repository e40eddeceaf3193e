/* erased.h: the tombstones of erased people's identifiers (identity.erased), as every service that
 * stores facts must heed them.
 *
 * `tutti erase` works while the services run: it is one transaction that runs alone
 * (docs/decisions, 24). Every transaction that writes holds the erasures first, in a statement that
 * it needs anyway. If there is an erasure that its tombstones lack, they are read again and the
 * batch is decoded again. A service must then forget what it cached about the newly erased
 * (erased_next).
 *
 * The table belongs to the schema identity, but three services and `tutti` read it in the same way
 * and under the same lock. A service must not include another, so the one reader stands below them
 * all. */
#ifndef TUTTI_SERVICE_ERASED_H
#define TUTTI_SERVICE_ERASED_H

#include "common/base/map.h"
#include "common/codec/messages.h"
#include "common/store/db.h"

/* Work without a transaction must ask at least this often. Tombstones reach further ahead than that
 * (ERASED_AHEAD_US), so they cover what was handled before they were known. */
enum { ERASED_LEASE_US = 1000000, ERASED_AHEAD_US = 3000000 };

struct tombstone {
    struct instant erased_at; /* what occurred or was received up to then is gone */
    int64_t version; /* version of the map: earlier knowledge of the identifier has a smaller one */
};

struct erased {
    struct arena arena;
    struct map tombstones; /* identifier id -> struct tombstone */
    int64_t version;       /* of the newest erasure in it; 0: none */
    int64_t checked_us;    /* monotonic time at which there was no newer erasure */
};

/* Reads every tombstone. erased_close also frees what erased_check reads later. */
enum outcome erased_open(struct db *db, struct erased *erased, struct err *err);
void erased_close(struct erased *erased);

/* `version` is the answer of tutti_meta.hold_erasures() in the open transaction. If the tombstones
 * have another version, reads them again and answers RETRY "erased_meanwhile". */
enum outcome erased_check(struct db *db, struct erased *erased, int64_t version, struct err *err);
/* The same for work without a transaction. Asks the database only if the last answer is older than
 * ERASED_LEASE_US. */
enum outcome erased_check_lease(struct db *db, struct erased *erased, struct err *err);

/* The next identifier of the erasures after this version, or NULL: `for (size_t i = 0; (id =
 * erased_next(e, &i, v));)`. */
const struct id *erased_next(const struct erased *erased, size_t *cursor, int64_t after);
/* The smallest version of the map that an identifier may have: 0, or that of its tombstone. */
int64_t erased_version(const struct erased *erased, const struct id *identifier_id);

/* True if what this identifier did at that time, or what was received of it then, was erased. It
 * must not come back, however often old input is read again. */
bool erased_covers(const struct erased *erased, const struct id *identifier_id, struct instant at);
/* True if a move is older than an erasure of its identifier, or of the profile it moved to. That
 * profile was the erased person's; the identifier has left it since. */
bool erased_covers_move(const struct erased *erased, const struct identity_change *change,
                        const struct identity_move *move);
/* Takes out of a resolved touchpoint what was erased: other identifiers, and a profile whose person
 * was erased since (the anchor has left it; a move says where to). True if the anchor was erased,
 * and the touchpoint with it. A touchpoint with others but no anchor lost its anchor earlier. */
bool erased_covers_resolved(const struct erased *erased, struct resolved_header *header,
                            struct arena *arena, struct instant occurred_at);

#endif
