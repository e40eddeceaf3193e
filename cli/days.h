/* days.h: the options --from and --to. */
#ifndef TUTTI_CLI_DAYS_H
#define TUTTI_CLI_DAYS_H

#include <stdbool.h>

struct call;

/* Both days as text YYYY-MM-DD; NULL: not given. False and a message if one is no day, or the first
 * is after the last. */
bool call_days(const struct call *call, const char **first, const char **last);

#endif
