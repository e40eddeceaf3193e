/* zone_files.h: the time zone database of this host, as files of Debian's package tzdata. Only
 * `tutti policy` reads it: services have the zones from the database. */
#ifndef TUTTI_OPERATIONS_POLICIES_ZONE_FILES_H
#define TUTTI_OPERATIONS_POLICIES_ZONE_FILES_H

#include "common/base/zone_set.h"
#include "operations/desk.h"

/* zones.dir */
extern const struct setting zone_settings[];

struct country_zone {
    struct span country; /* two letters */
    struct span name;    /* of one of its zones */
};

struct zone_files {
    struct span version; /* 2025b; "unknown" where no file says it */
    struct {
        struct zone_name *items;
        size_t count, capacity;
    } names; /* code: 1 and up, in the order of the names; no aliases yet */
    /* In the order of zone.tab. */
    struct {
        struct country_zone *items;
        size_t count, capacity;
    } countries;
};

/* What the files say, by name and by country. The names get their places in it. */
void zone_files_book(struct zone_files *files, struct arena *arena, struct zone_book *out);
/* Everything in the arena of the desk. FATAL "zones_unreadable" naming zones.dir. */
enum outcome zone_files_read(struct desk *desk, struct zone_files *out, struct err *err);

#endif
