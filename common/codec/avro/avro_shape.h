/* avro_shape.h: a schema as a tree with the defaults of its fields, for turning JSON into Avro and
 * back. */
#ifndef TUTTI_CODEC_AVRO_SHAPE_H
#define TUTTI_CODEC_AVRO_SHAPE_H

#include "common/base/map.h"
#include "common/codec/avro/avro_schema.h"

struct json_t; /* a tree of jansson */

struct avro_shape {
    struct arena arena;
    struct avro_schema schema;
    struct json_t *text; /* the parsed schema; owns the defaults */
    struct map defaults; /* struct avro_member * of a field -> struct json_t * of its default */
};

/* Reads a schema. REJECT "schema_unusable" if it is malformed or recursive. */
enum outcome avro_shape_open(struct span schema_json, struct avro_shape **out, struct err *err);
void avro_shape_close(struct avro_shape *shape);

/* The default of a field, NULL if it has none. Borrowed. */
struct json_t *avro_shape_default(const struct avro_shape *shape, const struct avro_member *field);

#endif
