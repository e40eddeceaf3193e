/* progress.h: how far a long command has come: one line that rewrites itself on a terminal, else a
 * line every 10 s. */
#ifndef TUTTI_CLI_PROGRESS_H
#define TUTTI_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *what; /* "touchpoints" */
    uint64_t total;   /* 0 = unknown */
    uint64_t done;
    int64_t started_us, shown_us; /* monotonic */
    bool on_terminal, is_shown;
};

void progress_start(struct progress *progress, const char *what, uint64_t total);
/* Cheap: looks at the clock once in 256 calls. */
void progress_step(struct progress *progress, uint64_t more);
/* The last line: how many, how long, how fast. */
void progress_end(struct progress *progress);
/* Clears the line that rewrites itself, so that a message can be written. */
void progress_pause(struct progress *progress);

#endif
