/* zones.h: the time zones of a generation, as `tutti policy apply` stored them. No service reads
 * the files of its host, so two hosts always agree. */
#ifndef TUTTI_SERVICE_ZONES_H
#define TUTTI_SERVICE_ZONES_H

#include "common/base/zone_set.h"
#include "common/service/generation.h"

/* Every name of generation->zones; the set lives in the arena. Without zones it is empty. */
enum outcome zones_load(struct db *db, struct arena *arena, const struct id *zones,
                        struct zone_set *out, struct err *err);
/* The same, with the zones of countries and the version of the database. */
enum outcome zones_load_book(struct db *db, struct arena *arena, const struct id *zones,
                             struct zone_book *out, struct err *err);
/* The zone of a policy's text: UTC needs no set. FATAL "policy_invalid" with the nearest name. */
enum outcome zones_find(const struct zone_set *set, struct arena *arena, struct span name,
                        const struct zone **out, struct err *err);

#endif
