/* shape_set.c: keeps each schema that was asked for, next to the set that knows their texts. */
#include "common/codec/schema/shape_set.h"

#include <stdlib.h>

#include "common/codec/messages.h"
#include "common/codec/schema/embedded.h"
#include "common/codec/schema/schema_set.h"

struct shape_set {
    struct schema_set *schemas;
    struct map shapes; /* int32_t id -> struct avro_shape * */
};

static const struct {
    int32_t id;
    const char *name;
} own[] = {
    {SCHEMA_IDENTITY_CHANGE, "identity_change"},
    {SCHEMA_JOURNEY_DIFF, "journey_diff"},
    {SCHEMA_STAGE_CHANGE, "stage_change"},
    {SCHEMA_OPPORTUNITY_CHANGE, "opportunity_change"},
    {SCHEMA_CONTACT_DECISION, "contact_decision"},
    /* looked up by fingerprint only: ids of touchpoints come from the settings */
    {-1, "touchpoint"},
};
enum { OWN_COUNT = sizeof own / sizeof *own };

enum outcome shape_set_open(const struct config *config, struct shape_set **out, struct err *err)
{
    struct shape_set *set = calloc(1, sizeof *set);
    if (set == NULL)
        abort();
    map_init(&set->shapes, NULL, sizeof(int32_t), sizeof(struct avro_shape *));
    enum outcome outcome = schema_set_open(config, &set->schemas, err);
    if (outcome == OUTCOME_OK)
        *out = set;
    else
        shape_set_close(set);
    return outcome;
}

void shape_set_close(struct shape_set *set)
{
    if (set == NULL)
        return;
    struct avro_shape **shape;
    const void *key;
    for (size_t i = 0; (shape = map_next(&set->shapes, &i, &key));)
        avro_shape_close(*shape);
    map_free(&set->shapes);
    if (set->schemas)
        schema_set_close(set->schemas);
    free(set);
}

static enum outcome text_of(struct shape_set *set, int32_t id, struct span *text, struct err *err)
{
    for (int i = 0; i < OWN_COUNT; i++)
        if (own[i].id == id) {
            *text = embedded_schema(own[i].name);
            return OUTCOME_OK;
        }
    return schema_set_text(set->schemas, id, text, err);
}

enum outcome shape_set_plan(struct shape_set *set, int32_t id, const struct avro_plan **out,
                            struct err *err)
{
    *out = NULL;
    for (int i = 0; i < OWN_COUNT; i++)
        if (own[i].id == id)
            return OUTCOME_OK;
    return schema_set_plan(set->schemas, id, out, err);
}

enum outcome shape_set_get(struct shape_set *set, int32_t id, const struct avro_shape **out,
                           struct err *err)
{
    struct avro_shape **known = map_find(&set->shapes, &id), *shape;
    if (known) {
        *out = *known;
        return OUTCOME_OK;
    }
    struct span text;
    CHECK(text_of(set, id, &text, err));
    CHECK(avro_shape_open(text, &shape, err));
    *(struct avro_shape **)map_put(&set->shapes, &id, NULL) = shape;
    *out = shape;
    return OUTCOME_OK;
}

enum outcome shape_set_by_fingerprint(struct shape_set *set, uint64_t fingerprint,
                                      const struct avro_shape **out, struct err *err)
{
    for (int i = 0; i < OWN_COUNT; i++) {
        const struct avro_shape *shape;
        CHECK(shape_set_get(set, own[i].id, &shape, err));
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
