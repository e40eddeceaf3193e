/* tzif.h: a zone from the bytes of a file of the time zone database (TZif, RFC 9636). */
#ifndef TUTTI_BASE_TZIF_H
#define TUTTI_BASE_TZIF_H

#include "common/base/arena.h"
#include "common/base/outcome.h"
#include "common/base/zone.h"

/* Versions 1 to 4. The rule at the end of the file is written out to the end of ZONE_LAST_YEAR;
 * changes that leave the offset as it is are left out. The tables live in the arena. REJECT
 * "tzif_invalid" for anything that is no such file, and for one that counts leap seconds: its
 * instants are not those of everybody else. */
enum outcome tzif_read(struct arena *arena, struct span bytes, struct zone *out, struct err *err);

#endif
