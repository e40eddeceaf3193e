/* progress.c: see progress.h. */
#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/instant.h"
#include "common/runtime/clock.h"

enum { TERMINAL_US = 200000, LOG_US = 10000000 };

void progress_start(struct progress *progress, const char *what, uint64_t total)
{
    int64_t now = clock_monotonic_us();
    *progress = (struct progress){.what = what,
                                  .total = total,
                                  .started_us = now,
                                  .shown_us = now,
                                  .on_terminal = isatty(STDERR_FILENO) == 1};
}

static double rate_of(const struct progress *progress, int64_t now)
{
    int64_t us = now - progress->started_us;
    return us > 0 ? (double)progress->done * 1e6 / (double)us : 0;
}

static void show(struct progress *progress, int64_t now)
{
    double rate = rate_of(progress, now);
    fprintf(stderr, "%s%" PRIu64 " %s, %.0f/s", progress->on_terminal ? "\r\033[K" : "",
            progress->done, progress->what, rate);
    if (progress->total > progress->done && rate > 0) {
        uint64_t left = progress->total - progress->done, seconds = (uint64_t)((double)left / rate);
        fprintf(stderr, ", %" PRIu64 " left, ETA %" PRIu64 ":%02" PRIu64, left, seconds / 60,
                seconds % 60);
    }
    fputs(progress->on_terminal ? "" : "\n", stderr);
    fflush(stderr);
    progress->shown_us = now;
    progress->is_shown = progress->on_terminal;
}

void progress_step(struct progress *progress, uint64_t more)
{
    uint64_t before = progress->done;
    progress->done += more;
    if (before / 256 == progress->done / 256)
        return;
    int64_t now = clock_monotonic_us();
    if (now - progress->shown_us >= (progress->on_terminal ? TERMINAL_US : LOG_US))
        show(progress, now);
}

void progress_pause(struct progress *progress)
{
    if (progress->is_shown)
        fputs("\r\033[K", stderr);
    progress->is_shown = false;
}

void progress_end(struct progress *progress)
{
    int64_t now = clock_monotonic_us();
    progress_pause(progress);
    fprintf(stderr, "%" PRIu64 " %s in %.1f s, %.0f/s\n", progress->done, progress->what,
            (double)(now - progress->started_us) / 1e6, rate_of(progress, now));
}
