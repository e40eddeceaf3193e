/* avro_to_json.h: Avro bytes to one line of JSON, driven by the schema; every length is checked. */
#ifndef TUTTI_CODEC_AVRO_TO_JSON_H
#define TUTTI_CODEC_AVRO_TO_JSON_H

#include "common/codec/avro/avro_shape.h"

enum avro_print {
    AVRO_PRINT_ALL = 0,
    AVRO_PRINT_SHORT = 1, /* fields that are null or equal to an empty default are left out */
};

/* Appends the JSON of one value of the schema, taken from the front of *bytes, which moves on.
 * Times stay integers, a fixed of 16 bytes is printed as a UUID, other bytes as hex digits, NaN and
 * infinities as null. REJECT "avro_truncated", "avro_bad_length", "avro_bad_union",
 * "avro_bad_boolean", "avro_too_many", "avro_too_deep". */
enum outcome avro_to_json(const struct avro_shape *shape, struct span *bytes, enum avro_print print,
                          struct strbuf *out, struct err *err);

#endif
