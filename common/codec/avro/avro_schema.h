/* avro_schema.h: the text of an Avro schema as a tree, its parsing canonical form and its
 * CRC-64-AVRO fingerprint. */
#ifndef TUTTI_CODEC_AVRO_SCHEMA_H
#define TUTTI_CODEC_AVRO_SCHEMA_H

#include "common/base/arena.h"
#include "common/base/outcome.h"
#include "common/base/pack.h"

enum avro_kind {
    KIND_NULL,
    KIND_BOOLEAN,
    KIND_INT,
    KIND_LONG,
    KIND_FLOAT,
    KIND_DOUBLE,
    KIND_BYTES,
    KIND_STRING,
    KIND_FIXED,
    KIND_ENUM,
    KIND_ARRAY,
    KIND_MAP,
    KIND_UNION,
    KIND_RECORD,
};

enum avro_logical {
    LOGICAL_NONE,
    LOGICAL_MILLIS, /* timestamp-millis on a long */
    LOGICAL_MICROS,
    LOGICAL_NANOS,
    LOGICAL_OTHER, /* any other: not an instant */
};

struct avro_type;
struct avro_member {
    struct span name; /* of a field or a symbol */
    struct avro_type
        *type; /* of a field, a branch, the elements or the values; NULL for a symbol */
};

struct avro_type {
    enum avro_kind kind;
    enum avro_logical logical;
    struct span name; /* full name of a record, enum or fixed */
    uint32_t size;    /* of a fixed, bytes */
    uint32_t count;
    struct avro_member
        *members; /* fields, symbols, branches, or the one type of elements or values */
    bool open;    /* while it is being defined */
    bool written; /* canonical form: later mentions are the name alone */
};

struct avro_schema {
    struct avro_type *root;
    bool recursive; /* some record contains itself */
};

/* Parses a schema of at most 1 MB, 64 levels and 4,096 types into the arena. REJECT
 * "schema_unusable" if malformed. */
enum outcome avro_schema_parse(struct arena *arena, struct span text, struct avro_schema *out,
                               struct err *err);

/* Parsing canonical form (Avro 1.11 specification, "Transforming into Parsing Canonical Form").
 * Once per parsed schema. */
void avro_schema_canonical(const struct avro_schema *schema, struct strbuf *out);

/* CRC-64-AVRO of the bytes, normally of a canonical form. */
uint64_t avro_fingerprint(struct span bytes);

#endif
