/* avro_schema.c: parses the JSON of an Avro schema; references become pointers, logical types are
 * read. */
#include "common/codec/avro/avro_schema.h"

#include <jansson.h>

enum { MAX_TEXT = 1024 * 1024, MAX_DEPTH = 64, MAX_TYPES = 4096 };

struct named_list {
    struct avro_type **items;
    size_t count, capacity;
};

struct parser {
    struct arena *arena;
    struct named_list named;
    size_t types;
    bool recursive;
    const struct place *place;
    struct err *err;
};

/* The field that is read, within those that hold it: for messages only. */
struct place {
    const struct place *outer;
    struct span field;
};

static enum outcome parse_type(struct parser *p, json_t *json, struct span space, int depth,
                               struct avro_type **out);

static void place_print(const struct place *place, struct strbuf *out)
{
    if (place == NULL)
        return;
    place_print(place->outer, out);
    strbuf_addf(out, "%s" SPAN_FMT, out->len ? "." : "", SPAN_ARG(place->field));
}

static enum outcome unusable(struct parser *p, const char *what)
{
    struct strbuf path = {.arena = p->arena};
    place_print(p->place, &path);
    return err_set(p->err, OUTCOME_REJECT, "schema_unusable", "schema: %s%s%s", what,
                   path.len ? " in the field " : "", path.len ? path.ptr : "");
}

static struct span text_of(json_t *json)
{
    return json_is_string(json) ? (struct span){json_string_value(json), json_string_length(json)}
                                : SPAN_NONE;
}

static struct span copy_text(struct parser *p, json_t *json)
{
    return arena_copy(p->arena, text_of(json));
}

static bool primitive_kind(struct span name, enum avro_kind *out)
{
    static const struct {
        const char *name;
        enum avro_kind kind;
    } primitives[] = {
        {"null", KIND_NULL},   {"boolean", KIND_BOOLEAN}, {"int", KIND_INT},
        {"long", KIND_LONG},   {"float", KIND_FLOAT},     {"double", KIND_DOUBLE},
        {"bytes", KIND_BYTES}, {"string", KIND_STRING},
    };
    for (size_t i = 0; i < sizeof primitives / sizeof *primitives; i++)
        if (span_is(name, primitives[i].name)) {
            *out = primitives[i].kind;
            return true;
        }
    return false;
}

/* The namespace part of a full name: everything before the last dot. */
static struct span namespace_of(struct span name)
{
    const char *dot = memrchr(name.ptr, '.', name.len);
    return dot ? (struct span){name.ptr, (size_t)(dot - name.ptr)} : SPAN("");
}

static struct span full_name(struct parser *p, struct span name, struct span space)
{
    if (memchr(name.ptr, '.', name.len) || space.len == 0)
        return arena_copy(p->arena, name);
    return span_of(arena_printf(p->arena, SPAN_FMT "." SPAN_FMT, SPAN_ARG(space), SPAN_ARG(name)));
}

static struct avro_type *find_named(struct parser *p, struct span name)
{
    for (size_t i = 0; i < p->named.count; i++)
        if (span_equal(p->named.items[i]->name, name))
            return p->named.items[i];
    return NULL;
}

static enum outcome new_type(struct parser *p, enum avro_kind kind, struct avro_type **out)
{
    if (++p->types > MAX_TYPES)
        return unusable(p, "more than 4096 types");
    *out = arena_new(p->arena, struct avro_type);
    (*out)->kind = kind;
    return OUTCOME_OK;
}

/* A type given as text: a primitive, or the name of a type defined before. */
static enum outcome parse_name(struct parser *p, struct span text, struct span space,
                               struct avro_type **out)
{
    enum avro_kind kind;
    if (primitive_kind(text, &kind))
        return new_type(p, kind, out);
    if (text.len == 0)
        return unusable(p, "an empty type name");
    *out = find_named(p, full_name(p, text, space));
    if (*out == NULL)
        return unusable(p, "a type name that is not defined");
    p->recursive |= (*out)->open;
    return OUTCOME_OK;
}

static enum avro_logical parse_logical(json_t *json, enum avro_kind kind)
{
    struct span name = text_of(json_object_get(json, "logicalType"));
    if (name.ptr == NULL)
        return LOGICAL_NONE;
    /* an invalid combination is to be ignored; only long has logical types we could misread */
    if (kind != KIND_LONG)
        return kind == KIND_INT ? LOGICAL_OTHER : LOGICAL_NONE;
    return span_is(name, "timestamp-millis")   ? LOGICAL_MILLIS
           : span_is(name, "timestamp-micros") ? LOGICAL_MICROS
           : span_is(name, "timestamp-nanos")  ? LOGICAL_NANOS
                                               : LOGICAL_OTHER;
}

static enum outcome parse_union(struct parser *p, json_t *json, struct span space, int depth,
                                struct avro_type **out)
{
    CHECK(new_type(p, KIND_UNION, out));
    struct avro_type *type = *out;
    type->count = (uint32_t)json_array_size(json);
    type->members = arena_array(p->arena, struct avro_member, type->count);
    for (uint32_t i = 0; i < type->count; i++) {
        json_t *branch = json_array_get(json, i);
        CHECK(parse_type(p, branch, space, depth + 1, &type->members[i].type));
        if (type->members[i].type->kind == KIND_UNION)
            return unusable(p, "a union directly inside a union");
    }
    return OUTCOME_OK;
}

/* Elements of an array, values of a map. */
static enum outcome parse_collection(struct parser *p, json_t *inner, struct span space, int depth,
                                     enum avro_kind kind, struct avro_type **out)
{
    if (inner == NULL)
        return unusable(p, kind == KIND_ARRAY ? "an array without items" : "a map without values");
    CHECK(new_type(p, kind, out));
    (*out)->count = 1;
    (*out)->members = arena_new(p->arena, struct avro_member);
    return parse_type(p, inner, space, depth + 1, &(*out)->members->type);
}

/* Starts a named type: its full name is known to everything inside it. */
static enum outcome define(struct parser *p, json_t *json, struct span space, enum avro_kind kind,
                           struct avro_type **out)
{
    struct span name = text_of(json_object_get(json, "name"));
    struct span own_space = text_of(json_object_get(json, "namespace"));
    if (name.ptr == NULL || name.len == 0)
        return unusable(p, "a record, enum or fixed without a name");
    CHECK(new_type(p, kind, out));
    (*out)->name = full_name(p, name, own_space.ptr ? own_space : space);
    if (find_named(p, (*out)->name))
        return unusable(p, "a type name defined twice");
    *arena_push(p->arena, &p->named) = *out;
    return OUTCOME_OK;
}

static enum outcome parse_field(struct parser *p, json_t *json, struct avro_type *record,
                                uint32_t i, int depth)
{
    struct avro_member *member = &record->members[i];
    member->name = copy_text(p, json_object_get(json, "name"));
    json_t *type = json_object_get(json, "type");
    if (member->name.ptr == NULL || member->name.len == 0 || type == NULL)
        return unusable(p, "a field without a name or a type");
    const struct place place = {p->place, member->name}, *outer = p->place;
    p->place = &place;
    enum outcome outcome =
        parse_type(p, type, namespace_of(record->name), depth + 1, &member->type);
    p->place = outer;
    return outcome;
}

static enum outcome parse_record(struct parser *p, json_t *json, struct span space, int depth,
                                 struct avro_type **out)
{
    json_t *fields = json_object_get(json, "fields");
    if (!json_is_array(fields))
        return unusable(p, "a record without fields");
    CHECK(define(p, json, space, KIND_RECORD, out));
    struct avro_type *record = *out;
    record->count = (uint32_t)json_array_size(fields);
    record->members = arena_array(p->arena, struct avro_member, record->count);
    record->open = true;
    for (uint32_t i = 0; i < record->count; i++)
        CHECK(parse_field(p, json_array_get(fields, i), record, i, depth));
    record->open = false;
    return OUTCOME_OK;
}

static enum outcome parse_enum(struct parser *p, json_t *json, struct span space,
                               struct avro_type **out)
{
    json_t *symbols = json_object_get(json, "symbols");
    if (!json_is_array(symbols))
        return unusable(p, "an enum without symbols");
    CHECK(define(p, json, space, KIND_ENUM, out));
    (*out)->count = (uint32_t)json_array_size(symbols);
    (*out)->members = arena_array(p->arena, struct avro_member, (*out)->count);
    for (uint32_t i = 0; i < (*out)->count; i++)
        if (((*out)->members[i].name = copy_text(p, json_array_get(symbols, i))).ptr == NULL)
            return unusable(p, "an enum symbol that is not text");
    return OUTCOME_OK;
}

static enum outcome parse_fixed(struct parser *p, json_t *json, struct span space,
                                struct avro_type **out)
{
    json_t *size = json_object_get(json, "size");
    if (!json_is_integer(size) || json_integer_value(size) < 0 ||
        json_integer_value(size) > MAX_TEXT)
        return unusable(p, "a fixed without a size between 0 and 1 MB");
    CHECK(define(p, json, space, KIND_FIXED, out));
    (*out)->size = (uint32_t)json_integer_value(size);
    return OUTCOME_OK;
}

static enum outcome parse_object(struct parser *p, json_t *json, struct span space, int depth,
                                 struct avro_type **out)
{
    json_t *type = json_object_get(json, "type");
    if (!json_is_string(type))
        return parse_type(p, type, space, depth + 1, out);
    struct span name = text_of(type);
    if (span_is(name, "record") || span_is(name, "error"))
        return parse_record(p, json, space, depth, out);
    if (span_is(name, "enum"))
        return parse_enum(p, json, space, out);
    if (span_is(name, "fixed"))
        return parse_fixed(p, json, space, out);
    if (span_is(name, "array"))
        return parse_collection(p, json_object_get(json, "items"), space, depth, KIND_ARRAY, out);
    if (span_is(name, "map"))
        return parse_collection(p, json_object_get(json, "values"), space, depth, KIND_MAP, out);
    CHECK(parse_name(p, name, space, out));
    if ((*out)->kind < KIND_FIXED) /* not a reference: the object is this mention's own */
        (*out)->logical = parse_logical(json, (*out)->kind);
    return OUTCOME_OK;
}

static enum outcome parse_type(struct parser *p, json_t *json, struct span space, int depth,
                               struct avro_type **out)
{
    if (depth > MAX_DEPTH)
        return unusable(p, "more than 64 levels");
    if (json_is_string(json))
        return parse_name(p, text_of(json), space, out);
    if (json_is_array(json))
        return parse_union(p, json, space, depth, out);
    if (json_is_object(json))
        return parse_object(p, json, space, depth, out);
    return unusable(p, "a type that is neither text, list nor object");
}

enum outcome avro_schema_parse(struct arena *arena, struct span text, struct avro_schema *out,
                               struct err *err)
{
    struct parser p = {.arena = arena, .err = err};
    if (text.ptr == NULL || text.len > MAX_TEXT)
        return unusable(&p, "no text, or more than 1 MB");
    json_error_t where;
    json_object_seed(0);
    json_t *json = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
    if (json == NULL)
        return err_set(err, OUTCOME_REJECT, "schema_unusable", "schema: not JSON at %d:%d",
                       where.line, where.column);
    *out = (struct avro_schema){0};
    enum outcome outcome = parse_type(&p, json, SPAN(""), 0, &out->root);
    out->recursive = p.recursive;
    json_decref(json);
    return outcome;
}
