/* avro_to_json.c: walks the schema and the bytes together, and appends JSON as it goes. */
#include "common/codec/avro/avro_to_json.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>

#include "common/codec/json_write.h"

enum { MAX_ELEMENTS = 4 * 1024 * 1024, MAX_NESTING = 64 };

struct printer {
    const struct avro_shape *shape;
    enum avro_print print;
    struct unpack in;
    struct strbuf *out;
    size_t elements; /* of all arrays and maps so far: an array of nulls costs no bytes */
    int depth;
    struct err *err;
};

static enum outcome print_value(struct printer *p, const struct avro_type *type);

static void add_uuid(struct strbuf *out, const struct id *id)
{
    char text[37];
    id_to_uuid(id, text);
    strbuf_addf(out, "\"%s\"", text);
}

static enum outcome broken(struct printer *p, const char *code, const char *what)
{
    return err_set(p->err, OUTCOME_REJECT, code, "avro: %s", what);
}

static struct span take(struct printer *p, uint64_t length)
{
    if (length > (uint64_t)(p->in.end - p->in.at)) {
        p->in.failed = true;
        return SPAN("");
    }
    return unpack_bytes(&p->in, (size_t)length);
}

static struct span take_text(struct printer *p)
{
    int64_t length = unpack_zigzag(&p->in);
    if (length < 0)
        p->in.failed = true;
    return p->in.failed ? SPAN("") : take(p, (uint64_t)length);
}

static void print_real(struct printer *p, bool narrow)
{
    double v;
    float f;
    struct span bytes = take(p, narrow ? sizeof f : sizeof v);
    if (p->in.failed)
        return;
    memcpy(narrow ? (void *)&f : (void *)&v, bytes.ptr, bytes.len);
    if (narrow)
        v = f;
    if (!isfinite(v))
        strbuf_addf(p->out, "null");
    else
        strbuf_addf(p->out, narrow ? "%.9g" : "%.17g", v);
}

static void print_fixed(struct printer *p, const struct avro_type *type)
{
    struct span bytes = take(p, type->size);
    struct id id;
    if (p->in.failed)
        return;
    if (bytes.len != sizeof id.bytes) {
        json_add_hex(p->out, bytes);
        return;
    }
    memcpy(id.bytes, bytes.ptr, sizeof id.bytes);
    add_uuid(p->out, &id);
}

/* One block of an array or a map: its element count, 0 at the end. */
static enum outcome next_block(struct printer *p, int64_t *count)
{
    *count = unpack_zigzag(&p->in);
    if (*count < 0 && !p->in.failed) {
        unpack_zigzag(&p->in); /* size of the block in bytes */
        if (*count == INT64_MIN)
            return broken(p, "avro_bad_length", "bad count");
        *count = -*count;
    }
    if (p->in.failed)
        return broken(p, "avro_truncated", "ends too early");
    if (*count > MAX_ELEMENTS || (p->elements += (size_t)*count) > MAX_ELEMENTS)
        return broken(p, "avro_too_many", "too many elements");
    return OUTCOME_OK;
}

static enum outcome print_elements(struct printer *p, const struct avro_type *type)
{
    bool is_map = type->kind == KIND_MAP, first = true;
    strbuf_add(p->out, is_map ? "{" : "[", 1);
    for (int64_t count = 1; count > 0;) {
        CHECK(next_block(p, &count));
        for (int64_t i = 0; i < count; i++, first = false) {
            if (!first)
                strbuf_add(p->out, ",", 1);
            if (is_map) {
                json_add_text(p->out, take_text(p));
                strbuf_add(p->out, ":", 1);
            }
            CHECK(print_value(p, type->members[0].type));
        }
    }
    strbuf_add(p->out, is_map ? "}" : "]", 1);
    return OUTCOME_OK;
}

/* True if a printed field says no more than its absence would. */
static bool is_default(const struct avro_shape *shape, const struct avro_member *field,
                       struct span printed)
{
    json_t *value = avro_shape_default(shape, field);
    if (value == NULL)
        return false;
    return json_is_null(value)                                   ? span_is(printed, "null")
           : json_is_false(value)                                ? span_is(printed, "false")
           : json_is_array(value) && json_array_size(value) == 0 ? span_is(printed, "[]")
           : json_is_string(value) && printed.len == json_string_length(value) + 2
               ? memcmp(printed.ptr + 1, json_string_value(value), printed.len - 2) == 0
               : false;
}

static enum outcome print_record(struct printer *p, const struct avro_type *type)
{
    strbuf_add(p->out, "{", 1);
    bool first = true;
    for (uint32_t i = 0; i < type->count; i++) {
        const struct avro_member *field = &type->members[i];
        size_t start = p->out->len;
        if (!first)
            strbuf_add(p->out, ",", 1);
        json_add_text(p->out, field->name);
        strbuf_add(p->out, ":", 1);
        size_t value = p->out->len;
        CHECK(print_value(p, field->type));
        struct span printed = {p->out->ptr + value, p->out->len - value};
        if (p->print == AVRO_PRINT_SHORT && is_default(p->shape, field, printed))
            p->out->len = start;
        else
            first = false;
    }
    strbuf_add(p->out, "}", 1);
    return OUTCOME_OK;
}

static enum outcome print_union(struct printer *p, const struct avro_type *type)
{
    int64_t branch = unpack_zigzag(&p->in);
    if (!p->in.failed && (branch < 0 || branch >= type->count))
        return broken(p, "avro_bad_union", "no such branch of a union");
    return p->in.failed ? OUTCOME_OK : print_value(p, type->members[branch].type);
}

static enum outcome print_boolean(struct printer *p)
{
    uint8_t v = unpack_byte(&p->in);
    if (v > 1)
        return broken(p, "avro_bad_boolean", "a boolean is neither 0 nor 1");
    strbuf_addf(p->out, "%s", v ? "true" : "false");
    return OUTCOME_OK;
}

static enum outcome print_enum(struct printer *p, const struct avro_type *type)
{
    int64_t symbol = unpack_zigzag(&p->in);
    if (symbol < 0 || symbol >= type->count)
        return broken(p, "avro_bad_enum", "no such symbol of an enum");
    json_add_text(p->out, type->members[symbol].name);
    return OUTCOME_OK;
}

static enum outcome print_kind(struct printer *p, const struct avro_type *type)
{
    switch (type->kind) {
    case KIND_NULL:
        strbuf_add(p->out, "null", 4);
        return OUTCOME_OK;
    case KIND_BOOLEAN:
        return print_boolean(p);
    case KIND_INT:
    case KIND_LONG:
        strbuf_addf(p->out, "%" PRId64, unpack_zigzag(&p->in));
        return OUTCOME_OK;
    case KIND_FLOAT:
    case KIND_DOUBLE:
        print_real(p, type->kind == KIND_FLOAT);
        return OUTCOME_OK;
    case KIND_BYTES:
        json_add_hex(p->out, take_text(p));
        return OUTCOME_OK;
    case KIND_STRING:
        json_add_text(p->out, take_text(p));
        return OUTCOME_OK;
    case KIND_FIXED:
        print_fixed(p, type);
        return OUTCOME_OK;
    case KIND_ENUM:
        return print_enum(p, type);
    case KIND_ARRAY:
    case KIND_MAP:
        return print_elements(p, type);
    case KIND_RECORD:
        return print_record(p, type);
    case KIND_UNION:
        return print_union(p, type);
    }
    return broken(p, "schema_unusable", "unknown kind");
}

static enum outcome print_value(struct printer *p, const struct avro_type *type)
{
    if (++p->depth > MAX_NESTING)
        return broken(p, "avro_too_deep", "nested too deeply");
    enum outcome outcome = print_kind(p, type);
    p->depth--;
    if (outcome == OUTCOME_OK && p->in.failed)
        return broken(p, "avro_truncated", "ends too early, or a length is impossible");
    return outcome;
}

enum outcome avro_to_json(const struct avro_shape *shape, struct span *bytes, enum avro_print print,
                          struct strbuf *out, struct err *err)
{
    struct printer p = {
        .shape = shape, .print = print, .in = unpack_of(*bytes), .out = out, .err = err};
    size_t before = out->len;
    enum outcome outcome = print_value(&p, shape->schema.root);
    if (outcome != OUTCOME_OK) {
        out->len = before;
        return outcome;
    }
    *bytes = (struct span){(const char *)p.in.at, (size_t)(p.in.end - p.in.at)};
    return OUTCOME_OK;
}
