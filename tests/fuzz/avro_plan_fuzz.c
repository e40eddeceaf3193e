/* avro_plan_fuzz.c: any schema and any payload. First byte even: the rest is a payload of the
 * built-in schema; odd: two bytes of length, a schema, a payload. */
#include <stdint.h>
#include <stdlib.h>

#include "common/codec/avro/avro_plan.h"
#include "common/codec/schema/embedded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct avro_plan *builtin; /* compiled once, kept until the end */

/* Reads every byte that was taken, so that a sanitizer sees a bad pointer. */
static size_t touch(const struct touchpoint *t)
{
    size_t sum = 0;
    for (size_t i = 0; i < plan_field_count; i++) {
        const struct plan_field *f = &plan_fields[i];
        if (f->want != WANT_TEXT || f->group == GROUP_IDENTIFIER)
            continue;
        struct span s = *(const struct span *)(const void *)((const char *)t + f->offset);
        for (size_t n = 0; n < s.len; n++)
            sum += (uint8_t)s.ptr[n];
    }
    for (uint32_t i = 0; i < t->identifier_count; i++)
        sum += span_is_clean_utf8(t->identifiers[i].type) +
               span_is_clean_utf8(t->identifiers[i].value);
    struct span cursor = t->consent, key;
    bool value;
    while (consent_next(&cursor, &key, &value))
        if (!span_is_clean_utf8(key))
            abort();
    return sum;
}

static void decode(const struct avro_plan *plan, const uint8_t *data, size_t size)
{
    static struct touchpoint t;
    struct err err;
    enum outcome outcome =
        avro_plan_decode(plan, (struct span){(const char *)data, size}, &t, &err);
    if (outcome != OUTCOME_OK && outcome != OUTCOME_REJECT)
        abort();
    if (outcome == OUTCOME_OK && touch(&t) == 0)
        abort(); /* the required texts are not empty */
}

static const struct avro_plan *builtin_plan(void)
{
    struct err err;
    if (builtin == NULL && avro_plan_compile(embedded_schema("touchpoint"), &builtin, &err))
        abort();
    return builtin;
}

static void compile_and_decode(const uint8_t *data, size_t size)
{
    struct avro_plan *plan;
    struct err err;
    size_t schema_size = size < 2 ? SIZE_MAX : (size_t)data[0] << 8 | data[1];
    if (schema_size > size - 2)
        return;
    if (avro_plan_compile((struct span){(const char *)data + 2, schema_size}, &plan, &err) ==
        OUTCOME_OK)
        decode(plan, data + 2 + schema_size, size - 2 - schema_size);
    avro_plan_free(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] % 2 == 0)
        decode(builtin_plan(), data + 1, size - 1);
    else if (size > 0)
        compile_and_decode(data + 1, size - 1);
    return 0;
}
