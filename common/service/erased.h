/* erased.h: people who were erased: their identifiers' tombstones (identity.erased).
 *
 * `tutti erase` works while the services run: it is one transaction that runs alone (decision 24).
 * Every transaction that writes holds the erasures first, in a statement it needs anyway; if there
 * is one that its tombstones do not have, they are read again and the batch is decoded again. A
 * service must then forget what it cached about who is new among them (erased_next). */
#ifndef TUTTI_SERVICE_ERASED_H
#define TUTTI_SERVICE_ERASED_H

#include "common/base/map.h"
#include "common/codec/messages.h"
#include "common/store/db.h"

/* Key of the advisory lock in tutti_meta.hold_erasures(), which `tutti erase` takes exclusively. */
#define ERASURE_LOCK "7235417803202"

/* Who works without a transaction asks at least this often. Tombstones reach further ahead than
 * that (ERASED_AHEAD_US), so what was handled without knowing of them is covered by them. */
enum { ERASED_LEASE_US = 1000000, ERASED_AHEAD_US = 3000000 };

struct tombstone {
    struct instant erased_at; /* what occurred or was received up to then is gone */
    int64_t version; /* of the map: what was known of the identifier before has a smaller one */
};

struct erased {
    struct arena arena;
    struct map tombstones; /* identifier id -> struct tombstone */
    int64_t version;       /* of the newest erasure in it; 0: none */
    int64_t checked_us;    /* monotonic: there was no newer one then */
};

/* Reads every tombstone; what erased_check reads later is freed by erased_close. */
enum outcome erased_open(struct db *db, struct erased *erased, struct err *err);
void erased_close(struct erased *erased);

/* `version` is what tutti_meta.hold_erasures() said in the open transaction. If it is another than
 * that of the tombstones: reads them again, RETRY "erased_meanwhile". */
enum outcome erased_check(struct db *db, struct erased *erased, int64_t version, struct err *err);
/* The same for work without a transaction; asks the database only if the last answer is older than
 * ERASED_LEASE_US. */
enum outcome erased_check_lease(struct db *db, struct erased *erased, struct err *err);

/* Next identifier of the erasures after this version, or NULL: `for (size_t i = 0; (id =
 * erased_next(e, &i, v));)`. */
const struct id *erased_next(const struct erased *erased, size_t *cursor, int64_t after);
/* The smallest version of the map that an identifier may have: 0, or that of its tombstone. */
int64_t erased_version(const struct erased *erased, const struct id *identifier_id);

/* True if what this identifier did, or was received of it, at that time was erased: it must not
 * come back, however often old input is read again. */
bool erased_covers(const struct erased *erased, const struct id *identifier_id, struct instant at);
/* True if a move says what was known before somebody was erased: of the identifier, or of the
 * profile it moved to, which was that person's and which it has left since. */
bool erased_covers_move(const struct erased *erased, const struct identity_change *change,
                        const struct identity_move *move);
/* Takes out of a resolved touchpoint what was erased: others, and the profile where it was that of
 * a person erased since (the anchor has left it; a move says where to). True if the anchor was
 * erased and the touchpoint with it; so it was where there are others but no anchor. */
bool erased_covers_resolved(const struct erased *erased, struct resolved_header *header,
                            struct arena *arena, struct instant occurred_at);

#endif
