/* effect.h: what an identity order would change: the profiles it touches before and after,
 * and what moves with them. */
#ifndef TUTTI_OPERATIONS_ORDERS_EFFECT_H
#define TUTTI_OPERATIONS_ORDERS_EFFECT_H

#include "common/store/db.h"
#include "operations/report.h"
#include "services/identity-resolver/resolve/resolve.h"

/* An identifier of a touched profile. */
struct effect_member {
    struct id identifier_id, before, after; /* its profile */
    struct id stored; /* in the database: before, or after once the plan was executed */
    int64_t version;  /* of stored */
};

struct effect_members {
    struct effect_member *items; /* oldest first */
    size_t count, capacity;
};

/* Members of the profiles of these identifiers and of all profiles that the plan's moves leave or
 * enter. */
enum outcome effect_members(struct db *db, struct arena *arena, const struct id *identifiers,
                            size_t count, const struct resolve_plan *plan,
                            struct effect_members *out, struct err *err);

/* True if some members leave the profile that others stay in or leave for elsewhere. */
bool effect_splits(const struct effect_members *members);

/* Reports every member with its profile before and after, what moves (touchpoints, conversions and
 * revenue), and open contact reservations. */
enum outcome effect_report(struct db *db, const struct effect_members *members,
                           struct report *report, struct err *err);

#endif
