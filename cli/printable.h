/* printable.h: texts of others for a terminal: an event's name may hold what moves the cursor, or
 * turns the text around it. */
#ifndef TUTTI_CLI_PRINTABLE_H
#define TUTTI_CLI_PRINTABLE_H

#include "common/base/arena.h"

/* The text with control characters, line ends included, marks of direction and invisible ones as
 * JSON escapes them (\u001b). */
const char *printable(struct arena *arena, struct span text);

#endif
