/* exists.h: a name that was asked for is one of those that there are. */
#ifndef TUTTI_OPERATIONS_INSPECT_EXISTS_H
#define TUTTI_OPERATIONS_INSPECT_EXISTS_H

#include "operations/desk.h"

/* An error that names the nearest one, unless the name is among those that the statement finds in
 * its first column. */
enum outcome must_exist(struct desk *desk, const struct statement *statement, const char *what,
                        const char *name, struct err *err);

#endif
