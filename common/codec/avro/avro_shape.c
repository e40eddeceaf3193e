/* avro_shape.c: parses the schema, and finds the default of each field in its JSON. */
#include "common/codec/avro/avro_shape.h"

#include <jansson.h>
#include <stdlib.h>

/* Walks type and the JSON it was read from side by side. A name in the JSON is a primitive or an
 * earlier definition. */
static void collect_defaults(struct avro_shape *shape, const struct avro_type *type, json_t *json)
{
    if (json_is_array(json)) {
        for (uint32_t i = 0; i < type->count; i++)
            collect_defaults(shape, type->members[i].type, json_array_get(json, i));
        return;
    }
    if (!json_is_object(json))
        return;
    json_t *inner = json_object_get(json, "type");
    if (!json_is_string(inner)) {
        collect_defaults(shape, type, inner);
    } else if (type->kind == KIND_ARRAY) {
        collect_defaults(shape, type->members[0].type, json_object_get(json, "items"));
    } else if (type->kind == KIND_MAP) {
        collect_defaults(shape, type->members[0].type, json_object_get(json, "values"));
    } else if (type->kind == KIND_RECORD) {
        json_t *fields = json_object_get(json, "fields");
        for (uint32_t i = 0; i < type->count && i < json_array_size(fields); i++) {
            const struct avro_member *field = &type->members[i];
            json_t *field_json = json_array_get(fields, i),
                   *value = json_object_get(field_json, "default");
            if (value)
                *(json_t **)map_put(&shape->defaults, &field, NULL) = value;
            collect_defaults(shape, field->type, json_object_get(field_json, "type"));
        }
    }
}

enum outcome avro_shape_open(struct span schema_json, struct avro_shape **out, struct err *err)
{
    struct avro_shape *shape = calloc(1, sizeof *shape);
    if (shape == NULL)
        abort();
    map_init(&shape->defaults, NULL, sizeof(struct avro_member *), sizeof(json_t *));
    enum outcome outcome = avro_schema_parse(&shape->arena, schema_json, &shape->schema, err);
    if (outcome == OUTCOME_OK && shape->schema.recursive)
        outcome =
            err_set(err, OUTCOME_REJECT, "schema_unusable", "schema: a record contains itself");
    if (outcome == OUTCOME_OK) {
        shape->text = json_loadb(schema_json.ptr, schema_json.len, JSON_DECODE_ANY, NULL);
        collect_defaults(shape, shape->schema.root, shape->text);
        *out = shape;
        return OUTCOME_OK;
    }
    avro_shape_close(shape);
    return outcome;
}

void avro_shape_close(struct avro_shape *shape)
{
    if (shape == NULL)
        return;
    json_decref(shape->text);
    map_free(&shape->defaults);
    arena_free(&shape->arena);
    free(shape);
}

json_t *avro_shape_default(const struct avro_shape *shape, const struct avro_member *field)
{
    json_t **found = map_find(&shape->defaults, &field);
    return found ? *found : NULL;
}
