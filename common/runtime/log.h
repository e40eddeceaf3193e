/* log.h: JSON lines on stderr when it is not a terminal, logfmt when it is. No personal data above
 * debug. */
#ifndef TUTTI_RUNTIME_LOG_H
#define TUTTI_RUNTIME_LOG_H

#include <stdbool.h>

#include "common/base/outcome.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* level_name is debug|info|warn|error, format_name auto|json|logfmt. Before it is called, info and
 * above go out as for auto. */
void log_open(const char *service, const char *level_name, const char *format_name);

/* One line: event is a short snake_case name; then key, value pairs of C strings ended by NULL:
 *     log_event(LOG_WARN, "db_down", "message", err.message, NULL);
 * A value of NULL is written as null, a value of log_int as a number. Bytes that are not UTF-8
 * become U+FFFD. The same (level, event) more than 10 times in a second is counted and summed up in
 * one line `log_suppressed` (with suppressed_event and count) as soon as anything is logged after
 * that second, by log_flush, or at exit. Any thread may call. */
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));
bool log_enabled(enum log_level level);
/* Writes the summaries of suppressed lines now. */
void log_flush(void);

/* A number as text in one of 8 rotating buffers of this thread, for the values of log_event. */
const char *log_int(long long value);

#endif
