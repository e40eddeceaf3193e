/* log_limit.h: at most LOG_LIMIT_BURST lines of one (level, event) per second; the rest is counted
 * and summed up. */
#ifndef TUTTI_RUNTIME_LOG_LIMIT_H
#define TUTTI_RUNTIME_LOG_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOG_LIMIT_BURST = 10, LOG_LIMIT_SLOTS = 64, LOG_LIMIT_NAME = 48 };

struct log_limit_slot {
    int level;
    char event[LOG_LIMIT_NAME]; /* "" = free */
    int64_t since_us;           /* start of the second that is being counted */
    uint32_t passed;            /* lines let through in it */
    uint64_t suppressed;        /* lines held back since the last summary */
};

/* A zeroed struct is ready for use. Not locked: the caller does that. Times are of a monotonic
 * clock. */
struct log_limit {
    struct log_limit_slot slots[LOG_LIMIT_SLOTS];
};

/* Whether a line may be written now. More kinds of events than slots: the longest unused kind is
 * forgotten. */
bool log_limit_pass(struct log_limit *limit, int level, const char *event, int64_t now_us);

/* The next summary that is due (its second is over, or all of them when `now_us` is INT64_MAX):
 * copies the slot to *out and sets its count to 0. False if there is none. */
bool log_limit_due(struct log_limit *limit, int64_t now_us, struct log_limit_slot *out);

#endif
