/* touchpoint_key.h: the text that keys the record of a touchpoint, as a struct and as JSON.
 *
 * A key only spreads records over partitions. The order of strength is the default one of the
 * identity policy; another order does no harm. */
#ifndef TUTTI_CODEC_TOUCHPOINT_KEY_H
#define TUTTI_CODEC_TOUCHPOINT_KEY_H

#include "common/codec/touchpoint.h"

struct json_t; /* jansson's tree, from json_text_to_avro */

/* The text of the strongest identifier; SPAN_NONE if there is none. Borrowed. */
struct span touchpoint_strongest_identifier(const struct touchpoint *t);
struct span touchpoint_json_strongest_identifier(const struct json_t *touchpoint);

/* A text of the touchpoint by the name of its field; SPAN_NONE if it has none. Borrowed. */
struct span touchpoint_json_text(const struct json_t *touchpoint, const char *name);

#endif
