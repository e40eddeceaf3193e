/* json_to_avro.h: JSON values to Avro bytes, driven by the schema.
 *
 * Fields that are null or have a default may be absent. An unknown field is an error that names
 * the nearest one. Where the schema says timestamp-millis or timestamp-micros, an integer is
 * taken as it is, and a text is read as RFC 3339. bytes and fixed are hex digits (a fixed of 16
 * bytes also in the form of a UUID), so that what avro_to_json writes can be read again. Of a
 * union, the first branch that the value fits is taken; {"<branch name>": value} names the
 * branch. */
#ifndef TUTTI_CODEC_JSON_TO_AVRO_H
#define TUTTI_CODEC_JSON_TO_AVRO_H

#include "common/codec/avro/avro_shape.h"
#include "common/codec/json_tree.h"

/* Appends the Avro bytes of value. REJECT "json_invalid" with the path of the field at fault; out
 * is then as before. */
enum outcome json_to_avro(const struct avro_shape *shape, struct json_t *value, struct strbuf *out,
                          struct err *err);

/* The same from a text. Duplicate keys, trailing text and bad UTF-8 are refused. *parsed (may be
 * NULL) gets the tree, which the caller gives back with json_tree_free. */
enum outcome json_text_to_avro(const struct avro_shape *shape, struct span text, struct strbuf *out,
                               struct json_t **parsed, struct err *err);

#endif
