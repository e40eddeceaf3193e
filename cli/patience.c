/* patience.c: see patience.h. */
#include "cli/patience.h"

#include <inttypes.h>
#include <poll.h>

#include "cli/command.h"
#include "common/runtime/clock.h"
#include "common/runtime/stop.h"

enum { POLL_MS = 100 };

struct patience patience_of(struct duration longest)
{
    int64_t now = clock_monotonic_us();
    return (struct patience){now, now + longest.us, false};
}

bool patience_lasts(struct patience *patience, const char *what)
{
    int64_t now = clock_monotonic_us();
    if (now > patience->until_us || stop_requested())
        return false;
    if (!patience->is_said && now - patience->began_us > US_PER_SECOND) {
        say("waiting for %s, %" PRId64 " seconds at most", what,
            (patience->until_us - patience->began_us) / US_PER_SECOND);
        patience->is_said = true;
    }
    poll(NULL, 0, POLL_MS);
    return true;
}
