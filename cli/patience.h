/* patience.h: waiting for services within a bound, and saying so where somebody looks on. */
#ifndef TUTTI_CLI_PATIENCE_H
#define TUTTI_CLI_PATIENCE_H

#include "common/base/instant.h"

struct patience {
    int64_t began_us, until_us; /* monotonic */
    bool is_said;
};

struct patience patience_of(struct duration longest);
/* A pause, then true; false when the time is over or a signal came. After a second it says, once,
 * what it waits for. */
bool patience_lasts(struct patience *patience, const char *what);

#endif
