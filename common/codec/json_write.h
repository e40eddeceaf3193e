/* json_write.h: values appended to a text as JSON. */
#ifndef TUTTI_CODEC_JSON_WRITE_H
#define TUTTI_CODEC_JSON_WRITE_H

#include "common/base/pack.h"
#include "common/base/span.h"

/* A JSON string of the bytes; bytes that are not UTF-8 become U+FFFD. */
void json_add_text(struct strbuf *out, struct span text);
/* A JSON string of hex digits. */
void json_add_hex(struct strbuf *out, struct span bytes);
/* A JSON text again, without its blanks; false if it is no JSON, and nothing is appended. */
bool json_add_compact(struct strbuf *out, struct span text);

#endif
