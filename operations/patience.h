/* patience.h: bounded waits for services, with a message after a second. */
#ifndef TUTTI_OPERATIONS_PATIENCE_H
#define TUTTI_OPERATIONS_PATIENCE_H

#include "operations/desk.h"

struct patience {
    struct desk *desk;
    int64_t began_us, until_us; /* monotonic */
    int poll_ms;
    bool is_said;
};

/* As long as desk->wait, from now on. It polls ten times a second, unless poll_ms says otherwise.
 */
struct patience patience_of(struct desk *desk);
/* A pause, then true; false when the time is over or the desk is stopped. After a second it says,
 * once, what it waits for. */
bool patience_lasts(struct patience *patience, const char *what);

#endif
