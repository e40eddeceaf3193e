/* zone_store.h: the time zones that a generation works by: those it has, or those of this host. */
#ifndef TUTTI_OPERATIONS_POLICIES_ZONE_STORE_H
#define TUTTI_OPERATIONS_POLICIES_ZONE_STORE_H

#include "common/service/generation.h"
#include "operations/policies/zone_files.h"

struct zone_choice {
    struct id zones; /* hash: tutti_meta.zone_sets.zones */
    struct zone_book book;
    const struct zone_files *files; /* to be stored; NULL: they are stored already */
};

/* The zones of the active generation; those of this host where there is none, or with `refresh`.
 * Says so where this host has others. */
enum outcome zone_choose(struct desk *desk, bool refresh, struct zone_choice *out, struct err *err);
/* Inside a transaction: stores them unless they are stored. */
enum outcome zone_store(struct db *db, struct arena *arena, const struct zone_choice *choice,
                        struct err *err);
/* Views ask PostgreSQL for days in the zones of a policy: FATAL "zones_differ" if its answers are
 * others than ours at any change of the clocks from 1970 on. */
enum outcome zone_compare(struct desk *desk, const struct zone_choice *choice, struct span name,
                          struct err *err);

#endif
