/* zone_set.h: every time zone of one version of the time zone database, by name and by code.
 *
 * A code is what stored rows keep of a name; the database gives it once and for all. */
#ifndef TUTTI_BASE_ZONE_SET_H
#define TUTTI_BASE_ZONE_SET_H

#include "common/base/arena.h"
#include "common/base/zone.h"

enum { ZONE_NONE = 0 }; /* the code of no zone */

struct zone_name {
    struct span name; /* Europe/Berlin */
    int16_t code;     /* from 1 */
    int16_t alias_of; /* code of another name whose clocks always show the same; ZONE_NONE: none */
    struct zone zone;
};

struct zone_set {
    const struct zone_name *names; /* in the order of their bytes */
    size_t count;
    const struct zone_name **by_code; /* NULL where a code has no name */
    size_t code_count;
};

/* Sorts the names and fills by_code. An alias gets the table of the name that it stands for. */
void zone_set_finish(struct zone_set *set, struct arena *arena, struct zone_name *names,
                     size_t count);
/* NULL: no such name, as it is written. */
const struct zone_name *zone_set_find(const struct zone_set *set, struct span name);
/* NULL: no such code. */
static inline const struct zone_name *zone_set_of(const struct zone_set *set, int16_t code)
{
    return code > 0 && (size_t)code < set->code_count ? set->by_code[code] : NULL;
}

/* The zones that a country has. */
struct zone_country {
    struct span country; /* ISO 3166-1, two capitals */
    int16_t *items;      /* codes of its zones */
    size_t count, capacity;
};

struct zone_countries {
    struct zone_country *items;
    size_t count, capacity;
};

void zone_country_add(struct zone_countries *countries, struct arena *arena, struct span country,
                      int16_t code);
/* NULL: a country without zones, or none at all. */
const struct zone_country *zone_country_find(const struct zone_countries *countries,
                                             struct span country);

/* All that one version of the database says. */
struct zone_book {
    struct zone_set set;
    struct zone_countries countries;
    struct span version; /* 2025b */
};

/* The name that is nearest to a wrong one; SPAN_NONE: none is near. */
struct span zone_set_nearest(const struct zone_set *set, struct span name);

#endif
