/* log_text.h: the two text forms of a log line's parts; every byte that is not clean UTF-8 becomes
 * U+FFFD. */
#ifndef TUTTI_RUNTIME_LOG_TEXT_H
#define TUTTI_RUNTIME_LOG_TEXT_H

#include "common/base/pack.h"

/* Appends text as a JSON string with its quotes: always valid JSON in valid UTF-8, whatever the
 * bytes are. */
void json_quote(struct strbuf *out, struct span text);
/* Appends text as a logfmt value: bare where it is unambiguous, else quoted as json_quote does. */
void logfmt_value(struct strbuf *out, struct span text);

#endif
