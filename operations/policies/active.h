/* active.h: the active identity policy, as the database has it. */
#ifndef TUTTI_OPERATIONS_POLICIES_ACTIVE_H
#define TUTTI_OPERATIONS_POLICIES_ACTIVE_H

#include "common/store/db.h"

/* The active row of identity.policies. */
struct active_row {
    int32_t version; /* 0: none */
    struct id hash, swept_to;
    struct span policy;
    bool is_complete;
};
/* Whether this file is the active policy. */
bool active_is(struct span text, const struct active_row *active);
enum outcome active_read(struct db *db, struct arena *arena, struct active_row *out,
                         struct err *err);

#endif
