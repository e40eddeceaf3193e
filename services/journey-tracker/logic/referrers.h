/* referrers.h: known sites that visitors come from, by host.
 *
 * Hosts have the form of unicode_host: lower case, ASCII, no dot at the end. */
#ifndef TUTTI_JOURNEY_REFERRERS_H
#define TUTTI_JOURNEY_REFERRERS_H

#include "common/base/arena.h"
#include "common/base/map.h"

enum { REFERRERS_MAX = 20000 };

/* Channel and network of the node of the map. */
struct referrer {
    struct span channel, network;
};

/* An empty table in the arena. A zeroed one is empty, too, but takes nothing. */
void referrers_init(struct map *table, struct arena *arena);
/* Whether the text can be a host: 1 to 253 bytes without blanks, `/`, `:`, `@`, `?`, `#`, `*`. */
bool referrers_is_host(struct span text);
/* False if the host is in the table already. Borrows the texts of the referrer, not the host. */
bool referrers_add(struct map *table, struct span host, const struct referrer *referrer);
/* The entry of the host, else of the nearest of its parent domains that has one; NULL if there is
 * none. The parents end below a registry's domain: neither `de` nor `co.uk` speaks for the shops
 * under it. */
const struct referrer *referrers_find(const struct map *table, struct span host);

#endif
