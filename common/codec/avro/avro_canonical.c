/* avro_canonical.c: parsing canonical form and CRC-64-AVRO, by which single-object framing names a
 * schema. */
#include "common/codec/avro/avro_schema.h"

#define CRC_EMPTY UINT64_C(0xc15d213aa4d7a795)

static void write_type(struct avro_type *type, struct strbuf *out);

static void write_quoted(struct strbuf *out, struct span text)
{
    pack_byte(out, '"');
    strbuf_add(out, text.ptr, text.len);
    pack_byte(out, '"');
}

static void write_fields(struct avro_type *record, struct strbuf *out)
{
    strbuf_addf(out, ",\"fields\":[");
    for (uint32_t i = 0; i < record->count; i++) {
        strbuf_addf(out, "%s{\"name\":", i ? "," : "");
        write_quoted(out, record->members[i].name);
        strbuf_addf(out, ",\"type\":");
        write_type(record->members[i].type, out);
        pack_byte(out, '}');
    }
    pack_byte(out, ']');
}

static void write_symbols(const struct avro_type *type, struct strbuf *out)
{
    strbuf_addf(out, ",\"symbols\":[");
    for (uint32_t i = 0; i < type->count; i++) {
        if (i)
            pack_byte(out, ',');
        write_quoted(out, type->members[i].name);
    }
    pack_byte(out, ']');
}

/* Defined where it is met first, a mere name afterwards. */
static void write_named(struct avro_type *type, struct strbuf *out)
{
    if (type->written) {
        write_quoted(out, type->name);
        return;
    }
    type->written = true;
    strbuf_addf(out, "{\"name\":");
    write_quoted(out, type->name);
    strbuf_addf(out, ",\"type\":\"%s\"",
                type->kind == KIND_RECORD ? "record"
                : type->kind == KIND_ENUM ? "enum"
                                          : "fixed");
    if (type->kind == KIND_RECORD)
        write_fields(type, out);
    else if (type->kind == KIND_ENUM)
        write_symbols(type, out);
    else
        strbuf_addf(out, ",\"size\":%u", type->size);
    pack_byte(out, '}');
}

static void write_union(struct avro_type *type, struct strbuf *out)
{
    pack_byte(out, '[');
    for (uint32_t i = 0; i < type->count; i++) {
        if (i)
            pack_byte(out, ',');
        write_type(type->members[i].type, out);
    }
    pack_byte(out, ']');
}

static void write_type(struct avro_type *type, struct strbuf *out)
{
    static const char *const primitives[] = {"null",  "boolean", "int",   "long",
                                             "float", "double",  "bytes", "string"};
    if (type->kind <= KIND_STRING) {
        write_quoted(out, span_of(primitives[type->kind]));
    } else if (type->kind == KIND_UNION) {
        write_union(type, out);
    } else if (type->kind == KIND_ARRAY || type->kind == KIND_MAP) {
        strbuf_addf(out, type->kind == KIND_ARRAY ? "{\"type\":\"array\",\"items\":"
                                                  : "{\"type\":\"map\",\"values\":");
        write_type(type->members->type, out);
        pack_byte(out, '}');
    } else {
        write_named(type, out);
    }
}

void avro_schema_canonical(const struct avro_schema *schema, struct strbuf *out)
{
    write_type(schema->root, out);
}

uint64_t avro_fingerprint(struct span bytes)
{
    uint64_t crc = CRC_EMPTY;
    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= (uint8_t)bytes.ptr[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (CRC_EMPTY & -(crc & 1));
    }
    return crc;
}
