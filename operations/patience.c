/* patience.c: see patience.h. */
#include "operations/patience.h"

#include <inttypes.h>
#include <poll.h>

#include "common/runtime/clock.h"

enum { POLL_MS = 100 };

struct patience patience_of(struct desk *desk)
{
    int64_t now = clock_monotonic_us();
    return (struct patience){desk, now, now + desk->wait.us, POLL_MS, false};
}

bool patience_lasts(struct patience *patience, const char *what)
{
    int64_t now = clock_monotonic_us();
    if (now > patience->until_us || desk_is_stopped(patience->desk))
        return false;
    if (!patience->is_said && now - patience->began_us > US_PER_SECOND) {
        desk_note(patience->desk, "waiting for %s, %" PRId64 " seconds at most", what,
                  (patience->until_us - patience->began_us) / US_PER_SECOND);
        patience->is_said = true;
    }
    poll(NULL, 0, patience->poll_ms);
    return true;
}
