/* erased.h: people who were erased: their identifiers' tombstones (identity.erased), and since when.
 *
 * `tutti erase` works while no service runs, so a service reads them once, at its start. */
#ifndef TUTTI_SERVICE_ERASED_H
#define TUTTI_SERVICE_ERASED_H

#include "common/base/arena.h"
#include "common/base/id.h"
#include "common/base/instant.h"
#include "common/base/map.h"
#include "common/store/db.h"

struct erased {
    struct map since; /* identifier id -> struct instant */
};

/* Reads every tombstone into the arena, which must live as long as *out. */
enum outcome erased_read(struct db *db, struct arena *arena, struct erased *out, struct err *err);

/* True if what this identifier did at that time was erased: it must not come back, however often old input is read again. */
bool erased_covers(const struct erased *erased, const struct id *identifier_id, struct instant occurred_at);

#endif
