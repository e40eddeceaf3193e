/* json_to_avro.c: walks the schema and jansson's tree together. The place in the document is a
 * chain on the stack, printed only in an error. */
#include "common/codec/avro/json_to_avro.h"

#include <jansson.h>
#include <math.h>

#include "common/base/instant.h"
#include "common/base/nearest.h"

/* Where in the document we are, as a chain on the stack: printed only when something is wrong. */
struct place {
    const struct place *outer;
    const char *key; /* of a member; NULL: an element */
    size_t index;
};

struct encoder {
    const struct avro_shape *shape;
    struct strbuf *out;
    struct err *err;
};

static enum outcome encode(struct encoder *e, const struct avro_type *type, json_t *value,
                           const struct place *place);

static void place_print(const struct place *place, struct strbuf *out)
{
    if (place == NULL)
        return;
    place_print(place->outer, out);
    if (place->key == NULL)
        strbuf_addf(out, "[%zu]", place->index);
    else
        strbuf_addf(out, "%s%s", out->len ? "." : "", place->key);
}

static const char *const kind_words[] = {
    [KIND_NULL] = "null",
    [KIND_BOOLEAN] = "true or false",
    [KIND_INT] = "an integer",
    [KIND_LONG] = "an integer",
    [KIND_FLOAT] = "a number",
    [KIND_DOUBLE] = "a number",
    [KIND_BYTES] = "hex digits",
    [KIND_STRING] = "a text",
    [KIND_FIXED] = "hex digits",
    [KIND_ENUM] = "one of the symbols",
    [KIND_ARRAY] = "an array",
    [KIND_MAP] = "an object",
    [KIND_UNION] = "a value of the union",
    [KIND_RECORD] = "an object",
};

static enum outcome refuse(struct encoder *e, const struct place *place, const char *what)
{
    struct strbuf path = {0};
    place_print(place, &path);
    err_set(e->err, OUTCOME_REJECT, "json_invalid", "%s%s%s", path.len ? path.ptr : "",
            path.len ? ": " : "", what);
    strbuf_free(&path);
    return OUTCOME_REJECT;
}

static enum outcome expected(struct encoder *e, const struct place *place,
                             const struct avro_type *type)
{
    size_t kind = (size_t)type->kind;
    char text[64];
    snprintf(text, sizeof text, "expected %s",
             kind < sizeof kind_words / sizeof *kind_words ? kind_words[kind] : "a value");
    return refuse(e, place, text);
}

static bool is_instant(const struct avro_type *type)
{
    return type->kind == KIND_LONG &&
           (type->logical == LOGICAL_MICROS || type->logical == LOGICAL_MILLIS);
}

static enum outcome encode_instant(struct encoder *e, const struct avro_type *type, json_t *value,
                                   const struct place *place)
{
    struct instant t;
    if (!instant_parse((struct span){json_string_value(value), json_string_length(value)}, &t))
        return refuse(e, place, "expected a time such as 2026-01-31T09:30:00Z, or an integer");
    pack_zigzag(e->out, type->logical == LOGICAL_MICROS ? t.us : t.us / 1000);
    return OUTCOME_OK;
}

static enum outcome encode_integer(struct encoder *e, const struct avro_type *type, json_t *value,
                                   const struct place *place)
{
    if (json_is_string(value) && is_instant(type))
        return encode_instant(e, type, value, place);
    if (!json_is_integer(value))
        return is_instant(type) ? refuse(e, place, "expected a time: an integer or RFC 3339")
                                : expected(e, place, type);
    json_int_t v = json_integer_value(value);
    if (type->kind == KIND_INT && (v < INT32_MIN || v > INT32_MAX))
        return refuse(e, place, "beyond 32 bits");
    pack_zigzag(e->out, v);
    return OUTCOME_OK;
}

static enum outcome encode_real(struct encoder *e, const struct avro_type *type, json_t *value,
                                const struct place *place)
{
    if (!json_is_number(value))
        return expected(e, place, type);
    double v = json_number_value(value);
    float narrow = (float)v;
    if (type->kind == KIND_FLOAT && isfinite(v) && !isfinite(narrow))
        return refuse(e, place, "beyond a float");
    if (type->kind == KIND_FLOAT)
        strbuf_add(e->out, &narrow, sizeof narrow);
    else
        strbuf_add(e->out, &v, sizeof v);
    return OUTCOME_OK;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool add_hex(struct strbuf *out, struct span text)
{
    for (size_t i = 0; i + 1 < text.len; i += 2) {
        int high = hex_digit(text.ptr[i]), low = hex_digit(text.ptr[i + 1]);
        if (high < 0 || low < 0)
            return false;
        pack_byte(out, (uint8_t)(high << 4 | low));
    }
    return text.len % 2 == 0;
}

static enum outcome encode_bytes(struct encoder *e, const struct avro_type *type, json_t *value,
                                 const struct place *place)
{
    if (!json_is_string(value))
        return expected(e, place, type);
    struct span text = {json_string_value(value), json_string_length(value)};
    struct id id;
    if (type->kind == KIND_FIXED && type->size == sizeof id.bytes && id_from_uuid(text, &id)) {
        strbuf_add(e->out, id.bytes, sizeof id.bytes);
        return OUTCOME_OK;
    }
    if (type->kind == KIND_FIXED && text.len != 2 * (size_t)type->size)
        return refuse(e, place, "wrong number of hex digits");
    if (type->kind == KIND_BYTES)
        pack_varint(e->out, text.len / 2 * 2);
    return add_hex(e->out, text) ? OUTCOME_OK : expected(e, place, type);
}

static enum outcome encode_text(struct encoder *e, const struct avro_type *type, json_t *value,
                                const struct place *place)
{
    if (!json_is_string(value))
        return expected(e, place, type);
    pack_zigzag(e->out, (int64_t)json_string_length(value));
    strbuf_add(e->out, json_string_value(value), json_string_length(value));
    return OUTCOME_OK;
}

static enum outcome encode_enum(struct encoder *e, const struct avro_type *type, json_t *value,
                                const struct place *place)
{
    for (uint32_t i = 0; json_is_string(value) && i < type->count; i++)
        if (span_is(type->members[i].name, json_string_value(value))) {
            pack_zigzag(e->out, i);
            return OUTCOME_OK;
        }
    return expected(e, place, type);
}

static enum outcome encode_array(struct encoder *e, const struct avro_type *type, json_t *value,
                                 const struct place *place)
{
    if (!json_is_array(value))
        return expected(e, place, type);
    size_t count = json_array_size(value);
    if (count)
        pack_zigzag(e->out, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        struct place at = {place, NULL, i};
        CHECK(encode(e, type->members[0].type, json_array_get(value, i), &at));
    }
    pack_byte(e->out, 0);
    return OUTCOME_OK;
}

static enum outcome encode_map(struct encoder *e, const struct avro_type *type, json_t *value,
                               const struct place *place)
{
    if (!json_is_object(value))
        return expected(e, place, type);
    if (json_object_size(value))
        pack_zigzag(e->out, (int64_t)json_object_size(value));
    const char *key;
    json_t *entry;
    json_object_foreach(value, key, entry)
    {
        struct place at = {place, key, 0};
        pack_zigzag(e->out, (int64_t)strlen(key));
        strbuf_add(e->out, key, strlen(key));
        CHECK(encode(e, type->members[0].type, entry, &at));
    }
    pack_byte(e->out, 0);
    return OUTCOME_OK;
}

static const struct avro_member *find_member(const struct avro_type *type, const char *name)
{
    for (uint32_t i = 0; i < type->count; i++)
        if (span_is(type->members[i].name, name))
            return &type->members[i];
    return NULL;
}

static enum outcome unknown_field(struct encoder *e, const struct avro_type *type, const char *name,
                                  const struct place *place)
{
    struct nearest nearest = nearest_start(span_of(name), NEAREST_ANY - 1);
    for (uint32_t i = 0; i < type->count; i++)
        nearest_consider(&nearest, type->members[i].name);
    char text[256];
    if (nearest.name.ptr)
        snprintf(text, sizeof text, "unknown field \"%.60s\", the nearest is \"" SPAN_FMT "\"",
                 name, SPAN_ARG(nearest.name));
    else
        snprintf(text, sizeof text, "unknown field \"%.60s\"", name);
    return refuse(e, place, text);
}

static enum outcome encode_field(struct encoder *e, const struct avro_member *field, json_t *record,
                                 const struct place *place)
{
    char name[256];
    snprintf(name, sizeof name, SPAN_FMT, SPAN_ARG(field->name));
    struct place at = {place, name, 0};
    json_t *value = json_object_getn(record, field->name.ptr, field->name.len);
    if (value == NULL)
        value = avro_shape_default(e->shape, field);
    if (value == NULL && field->type->kind == KIND_UNION &&
        field->type->members[0].type->kind == KIND_NULL)
        value = json_null();
    return value ? encode(e, field->type, value, &at)
                 : refuse(e, &at, "missing, and it has no default");
}

static enum outcome encode_record(struct encoder *e, const struct avro_type *type, json_t *value,
                                  const struct place *place)
{
    if (!json_is_object(value))
        return expected(e, place, type);
    const char *key;
    json_t *entry;
    json_object_foreach(value, key, entry)
    {
        if (find_member(type, key) == NULL)
            return unknown_field(e, type, key, place);
    }
    for (uint32_t i = 0; i < type->count; i++)
        CHECK(encode_field(e, &type->members[i], value, place));
    return OUTCOME_OK;
}

/* Whether a value may belong to a branch, by its shape alone. */
static bool fits(const struct avro_type *type, json_t *value)
{
    switch (type->kind) {
    case KIND_NULL:
        return json_is_null(value);
    case KIND_BOOLEAN:
        return json_is_boolean(value);
    case KIND_INT:
    case KIND_LONG:
        return json_is_integer(value) || (json_is_string(value) && is_instant(type));
    case KIND_FLOAT:
    case KIND_DOUBLE:
        return json_is_number(value);
    case KIND_BYTES:
    case KIND_STRING:
    case KIND_FIXED:
    case KIND_ENUM:
        return json_is_string(value);
    case KIND_ARRAY:
        return json_is_array(value);
    case KIND_MAP:
    case KIND_RECORD:
        return json_is_object(value);
    case KIND_UNION:
        return false;
    }
    return false;
}

static enum outcome encode_branch(struct encoder *e, const struct avro_type *type, uint32_t branch,
                                  json_t *value, const struct place *place)
{
    pack_zigzag(e->out, branch);
    return encode(e, type->members[branch].type, value, place);
}

static uint32_t only_other_branch(const struct avro_type *type)
{
    uint32_t other = 0, count = 0;
    for (uint32_t i = 0; i < type->count; i++)
        if (type->members[i].type->kind != KIND_NULL) {
            other = i;
            count++;
        }
    return count == 1 ? other : UINT32_MAX;
}

/* A wrong value under ["null", T] is reported as T reports it; among several branches the first
 * that encodes is taken. */
static enum outcome encode_union(struct encoder *e, const struct avro_type *type, json_t *value,
                                 const struct place *place)
{
    for (uint32_t i = 0; i < type->count; i++)
        if (type->members[i].type->kind == KIND_NULL && json_is_null(value))
            return encode_branch(e, type, i, value, place);
    uint32_t only = only_other_branch(type);
    if (only != UINT32_MAX)
        return encode_branch(e, type, only, value, place);
    size_t before = e->out->len;
    for (uint32_t i = 0; i < type->count; i++) {
        json_t *named =
            json_is_object(value) && json_object_size(value) == 1 && type->members[i].type->name.len
                ? json_object_getn(value, type->members[i].type->name.ptr,
                                   type->members[i].type->name.len)
                : NULL;
        json_t *candidate = named ? named : value;
        if (!fits(type->members[i].type, candidate))
            continue;
        if (encode_branch(e, type, i, candidate, place) == OUTCOME_OK)
            return OUTCOME_OK;
        e->out->len = before;
    }
    return expected(e, place, type);
}

static enum outcome encode(struct encoder *e, const struct avro_type *type, json_t *value,
                           const struct place *place)
{
    switch (type->kind) {
    case KIND_NULL:
        return json_is_null(value) ? OUTCOME_OK : expected(e, place, type);
    case KIND_BOOLEAN:
        if (!json_is_boolean(value))
            return expected(e, place, type);
        pack_byte(e->out, json_is_true(value));
        return OUTCOME_OK;
    case KIND_INT:
    case KIND_LONG:
        return encode_integer(e, type, value, place);
    case KIND_FLOAT:
    case KIND_DOUBLE:
        return encode_real(e, type, value, place);
    case KIND_BYTES:
    case KIND_FIXED:
        return encode_bytes(e, type, value, place);
    case KIND_STRING:
        return encode_text(e, type, value, place);
    case KIND_ENUM:
        return encode_enum(e, type, value, place);
    case KIND_ARRAY:
        return encode_array(e, type, value, place);
    case KIND_MAP:
        return encode_map(e, type, value, place);
    case KIND_RECORD:
        return encode_record(e, type, value, place);
    case KIND_UNION:
        return encode_union(e, type, value, place);
    }
    return expected(e, place, type);
}

enum outcome json_to_avro(const struct avro_shape *shape, json_t *value, struct strbuf *out,
                          struct err *err)
{
    struct encoder e = {shape, out, err};
    size_t before = out->len;
    enum outcome outcome = encode(&e, shape->schema.root, value, NULL);
    if (outcome != OUTCOME_OK)
        out->len = before;
    return outcome;
}

enum outcome json_text_to_avro(const struct avro_shape *shape, struct span text, struct strbuf *out,
                               json_t **parsed, struct err *err)
{
    json_t *value;
    CHECK(json_tree_parse(text, &value, err));
    enum outcome outcome = json_to_avro(shape, value, out, err);
    if (outcome == OUTCOME_OK && parsed)
        *parsed = value;
    else
        json_decref(value);
    return outcome;
}
