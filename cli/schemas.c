/* schemas.c: see schemas.h. */
#include "cli/schemas.h"

#include <stdlib.h>

#include "common/codec/embedded.h"
#include "common/codec/messages.h"
#include "common/codec/schema_set.h"

struct schemas {
    struct schema_set *set;
    struct map shapes; /* int32_t id -> struct avro_shape * */
};

static const struct {
    int32_t id;
    const char *name;
} own[] = {
    {SCHEMA_IDENTITY_CHANGE, "identity_change"},
    {SCHEMA_JOURNEY_DIFF, "journey_diff"},
    {SCHEMA_STAGE_CHANGE, "stage_change"},
    {SCHEMA_CONTACT_DECISION, "contact_decision"},
    {-1,
     "touchpoint"}, /* looked up by fingerprint only: ids of touchpoints come from the settings */
};
enum { OWN_COUNT = sizeof own / sizeof *own };

enum outcome schemas_open(const struct config *config, struct schemas **out, struct err *err)
{
    struct schemas *schemas = calloc(1, sizeof *schemas);
    if (schemas == NULL)
        abort();
    map_init(&schemas->shapes, NULL, sizeof(int32_t), sizeof(struct avro_shape *));
    enum outcome outcome = schema_set_open(config, &schemas->set, err);
    if (outcome == OUTCOME_OK)
        *out = schemas;
    else
        schemas_close(schemas);
    return outcome;
}

void schemas_close(struct schemas *schemas)
{
    if (schemas == NULL)
        return;
    struct avro_shape **shape;
    const void *key;
    for (size_t i = 0; (shape = map_next(&schemas->shapes, &i, &key));)
        avro_shape_close(*shape);
    map_free(&schemas->shapes);
    if (schemas->set)
        schema_set_close(schemas->set);
    free(schemas);
}

static enum outcome text_of(struct schemas *schemas, int32_t id, struct span *text, struct err *err)
{
    for (int i = 0; i < OWN_COUNT; i++)
        if (own[i].id == id) {
            *text = embedded_schema(own[i].name);
            return OUTCOME_OK;
        }
    return schema_set_text(schemas->set, id, text, err);
}

enum outcome schemas_shape(struct schemas *schemas, int32_t id, const struct avro_shape **out,
                           struct err *err)
{
    struct avro_shape **known = map_find(&schemas->shapes, &id), *shape;
    if (known) {
        *out = *known;
        return OUTCOME_OK;
    }
    struct span text;
    enum outcome outcome = text_of(schemas, id, &text, err);
    if (outcome == OUTCOME_OK)
        outcome = avro_shape_open(text, &shape, err);
    if (outcome != OUTCOME_OK)
        return outcome;
    *(struct avro_shape **)map_put(&schemas->shapes, &id, NULL) = shape;
    *out = shape;
    return OUTCOME_OK;
}

enum outcome schemas_shape_by_fingerprint(struct schemas *schemas, uint64_t fingerprint,
                                          const struct avro_shape **out, struct err *err)
{
    for (int i = 0; i < OWN_COUNT; i++) {
        const struct avro_shape *shape;
        enum outcome outcome = schemas_shape(schemas, own[i].id, &shape, err);
        if (outcome != OUTCOME_OK)
            return outcome;
        struct strbuf canonical = {0};
        avro_schema_canonical(&shape->schema, &canonical);
        bool is_it = avro_fingerprint(strbuf_span(&canonical)) == fingerprint;
        strbuf_free(&canonical);
        if (is_it) {
            *out = shape;
            return OUTCOME_OK;
        }
    }
    return err_set(err, OUTCOME_REJECT, "unknown_schema_id", "no schema with fingerprint %016llx",
                   (unsigned long long)fingerprint);
}
