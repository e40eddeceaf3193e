/* unnamed.h: grants of requests that named no address, though their channel has addresses. Whoever
 * asked for one chooses the address that it goes to, and may choose one that said no. */
#ifndef TUTTI_OPERATIONS_INSPECT_UNNAMED_H
#define TUTTI_OPERATIONS_INSPECT_UNNAMED_H

#include "common/store/db.h"

/* Rows of channel, department and how many; the most frequent first. */
enum outcome unnamed_requests(struct db *db, struct arena *arena, struct db_result **rows,
                              struct err *err);

#endif
