/* avro_plan_test.c: for random writer schemas and random records, the compiled plan takes what
 * avro-c's generic decoder reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <avro.h>

#include "common/codec/avro/avro_plan.h"
#include "tests/support/random.h"

enum { SCHEMAS = 400, RECORDS = 4, BUFFER = 1 << 20 };

static struct random rnd;

struct bench {
    struct arena arena;
    unsigned names; /* for unique names of types */
    avro_schema_t schema;
    avro_value_t value;
    struct avro_plan *plan;
};

/* ---- random schemas ---- */

static void write_junk(struct bench *b, struct strbuf *out, int depth);
static void write_record(struct bench *b, struct strbuf *out, enum plan_group group, int depth);

static void write_list(struct bench *b, struct strbuf *out, int depth)
{
    strbuf_addf(out, random_below(&rnd, 2) ? "{\"type\":\"array\",\"items\":"
                                           : "{\"type\":\"map\",\"values\":");
    write_junk(b, out, depth + 1);
    strbuf_addf(out, "}");
}

static void write_junk_union(struct bench *b, struct strbuf *out, int depth)
{
    static const char *const branches[] = {"\"null\"", "\"int\"", "\"string\"", "\"double\"",
                                           "\"boolean\""};
    uint32_t first = random_below(&rnd, 5), count = 1 + random_below(&rnd, 5);
    strbuf_addf(out, "[");
    for (uint32_t i = 0; i < count; i++)
        strbuf_addf(out, "%s%s", i ? "," : "", branches[(first + i) % 5]);
    if (depth < 3 && random_below(&rnd, 2)) {
        strbuf_addf(out, ",");
        write_list(b, out, depth);
    }
    strbuf_addf(out, "]");
}

static void write_junk_record(struct bench *b, struct strbuf *out, int depth)
{
    uint32_t count = 1 + random_below(&rnd, 4);
    strbuf_addf(out, "{\"type\":\"record\",\"name\":\"J%u\",\"fields\":[", b->names++);
    for (uint32_t i = 0; i < count; i++) {
        strbuf_addf(out, "%s{\"name\":\"f%u\",\"type\":", i ? "," : "", i);
        write_junk(b, out, depth + 1);
        strbuf_addf(out, "}");
    }
    strbuf_addf(out, "]}");
}

/* Any type at all, for fields that no plan takes; but avro-c cannot hold arrays of elements without
 * size, so neither a bare null nor an empty record. */
static void write_junk(struct bench *b, struct strbuf *out, int depth)
{
    static const char *const primitives[] = {"boolean", "int",   "long",   "float",
                                             "double",  "bytes", "string", "long"};
    switch (random_below(&rnd, depth < 3 ? 13 : 10)) {
    case 8:
        strbuf_addf(out, "{\"type\":\"fixed\",\"name\":\"X%u\",\"size\":%u}", b->names++,
                    1 + (unsigned)random_below(&rnd, 20));
        break;
    case 9:
        strbuf_addf(out, "{\"type\":\"enum\",\"name\":\"E%u\",\"symbols\":[\"A\",\"B\",\"C\"]}",
                    b->names++);
        break;
    case 10:
        write_list(b, out, depth);
        break;
    case 11:
        write_junk_union(b, out, depth);
        break;
    case 12:
        write_junk_record(b, out, depth);
        break;
    default:
        strbuf_addf(out, "\"%s\"", primitives[random_below(&rnd, 8)]);
    }
}

static void write_text_type(struct bench *b, struct strbuf *out)
{
    if (random_below(&rnd, 6) == 0)
        strbuf_addf(out,
                    "{\"type\":\"enum\",\"name\":\"E%u\",\"symbols\":[\"zero\",\"one\",\"two\"]}",
                    b->names++);
    else
        strbuf_addf(out, random_below(&rnd, 4) ? "\"string\"" : "\"bytes\"");
}

static void write_time_type(struct strbuf *out)
{
    static const char *const types[] = {"\"long\"", "\"int\"",
                                        "{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}",
                                        "{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}"};
    strbuf_addf(out, "%s", types[random_below(&rnd, 4)]);
}

/* A type that the plan accepts for the field. */
static void write_wanted(struct bench *b, struct strbuf *out, const struct plan_field *field,
                         int depth)
{
    switch (field->want) {
    case WANT_TEXT:
        write_text_type(b, out);
        break;
    case WANT_LONG:
        strbuf_addf(out, random_below(&rnd, 2) ? "\"long\"" : "\"int\"");
        break;
    case WANT_TIME:
        write_time_type(out);
        break;
    case WANT_BOOLEAN:
        strbuf_addf(out, "\"boolean\"");
        break;
    case WANT_RECORD:
        write_record(b, out, field->inner, depth + 1);
        break;
    case WANT_IDENTIFIERS:
        strbuf_addf(out, "{\"type\":\"array\",\"items\":");
        write_record(b, out, field->inner, depth + 1);
        strbuf_addf(out, "}");
        break;
    case WANT_CONSENT:
        strbuf_addf(out, "{\"type\":\"map\",\"values\":\"boolean\"}");
        break;
    }
}

static bool is_required(const struct plan_field *field)
{
    return field->group == GROUP_TOUCHPOINT && (size_t)(field - plan_fields) < 5;
}

static void write_field_type(struct bench *b, struct strbuf *out, const struct plan_field *field,
                             int depth)
{
    uint32_t form = is_required(field) ? 9 : random_below(&rnd, 10);
    if (form < 5)
        strbuf_addf(out, "[\"null\",");
    else if (form < 7)
        strbuf_addf(out, "[");
    write_wanted(b, out, field, depth);
    if (form < 5)
        strbuf_addf(out, "]");
    else if (form < 7)
        strbuf_addf(out,
                    form == 5 || field->want != WANT_TEXT
                        ? ",\"null\"]"
                        : ",\"null\",{\"type\":\"enum\",\"name\":\"E%u\",\"symbols\":[\"x\"]}]",
                    b->names++);
}

static void write_one_field(struct bench *b, struct strbuf *out, const struct plan_field *field,
                            int depth)
{
    if (out->ptr[out->len - 1] != '[')
        strbuf_addf(out, ",");
    strbuf_addf(out, "{\"name\":\"%s\",\"type\":", field->name);
    write_field_type(b, out, field, depth);
    strbuf_addf(out, "}");
}

static void write_junk_field(struct bench *b, struct strbuf *out)
{
    if (out->ptr[out->len - 1] != '[')
        strbuf_addf(out, ",");
    strbuf_addf(out, "{\"name\":\"junk%u\",\"type\":", b->names++);
    write_junk(b, out, 0);
    strbuf_addf(out, "}");
}

/* The group's fields in random order, some left out, others of the writer's own in between. */
static void write_record(struct bench *b, struct strbuf *out, enum plan_group group, int depth)
{
    /* prime, so every field is met once */
    size_t start = random_below(&rnd, (uint32_t)plan_field_count), step = 37;
    strbuf_addf(out, "{\"type\":\"record\",\"name\":\"R%u\",\"fields\":[", b->names++);
    for (size_t i = 0; i < plan_field_count; i++) {
        const struct plan_field *field = &plan_fields[(start + i * step) % plan_field_count];
        if (random_below(&rnd, 40) == 0)
            write_junk_field(b, out);
        bool is_kept = is_required(field) || strcmp(field->path, "identifiers.value") == 0;
        if (field->group == group && (is_kept || random_below(&rnd, 5)))
            write_one_field(b, out, field, depth);
    }
    strbuf_addf(out, "]}");
}

/* ---- random records ---- */

static void fill(avro_value_t *value, const struct plan_field *field);

static const struct plan_field *field_named(enum plan_group group, const char *name)
{
    for (size_t i = 0; i < plan_field_count; i++)
        if (plan_fields[i].group == group && strcmp(plan_fields[i].name, name) == 0)
            return &plan_fields[i];
    return NULL;
}

static void fill_record(avro_value_t *value, int group)
{
    size_t count;
    const char *name;
    avro_value_t inner;
    avro_value_get_size(value, &count);
    for (size_t i = 0; i < count; i++) {
        avro_value_get_by_index(value, i, &inner, &name);
        fill(&inner, group < 0 ? NULL : field_named((enum plan_group)group, name));
    }
}

static const char *random_text(const struct plan_field *field)
{
    static const char *const texts[] = {
        "",       "a",       "abcdefg",    "12345678",          "somewhat longer than sixteen",
        "\u00e9", "x\u4e16", "\U0001F600", "plain then \u00fc", "0123456789abcde\u00df"};
    return texts[field && is_required(field) ? 1 + random_below(&rnd, 9) : random_below(&rnd, 10)];
}

static int64_t random_number(const struct plan_field *field, bool is_int)
{
    int64_t most = is_int ? 100 : INT64_C(1) << random_below(&rnd, 40);
    if (field && field->max < most)
        most = field->max;
    int64_t v = (int64_t)(random_next(&rnd) % (uint64_t)most);
    return field && field->min >= 0 ? v : random_below(&rnd, 2) ? -v : v;
}

static void fill_collection(avro_value_t *value, bool is_map, const struct plan_field *field)
{
    uint32_t count = random_below(&rnd, 4);
    avro_value_t inner;
    char key[24];
    for (uint32_t i = 0; i < count; i++) {
        snprintf(key, sizeof key, "key%u%s", i, random_text(NULL));
        if (is_map)
            avro_value_add(value, key, &inner, NULL, NULL);
        else
            avro_value_append(value, &inner, NULL);
        if (field && field->want == WANT_IDENTIFIERS)
            fill_record(&inner, GROUP_IDENTIFIER);
        else
            fill(&inner, NULL);
    }
}

static void fill_union(avro_value_t *value, const struct plan_field *field)
{
    avro_value_t branch;
    avro_schema_t schema = avro_value_get_schema(value);
    avro_value_set_branch(value, (int)random_below(&rnd, (uint32_t)avro_schema_union_size(schema)),
                          &branch);
    fill(&branch, field);
}

static void fill(avro_value_t *value, const struct plan_field *field)
{
    const char *text = random_text(field);
    char junk[32] = "junk";
    switch (avro_value_get_type(value)) {
    case AVRO_STRING:
        avro_value_set_string(value, text);
        break;
    case AVRO_BYTES:
        avro_value_set_bytes(value, (void *)(uintptr_t)text, strlen(text));
        break;
    case AVRO_INT32:
        avro_value_set_int(value, (int)random_number(field, true));
        break;
    case AVRO_INT64:
        avro_value_set_long(value, random_number(field, false));
        break;
    case AVRO_FLOAT:
        avro_value_set_float(value, 1.5f);
        break;
    case AVRO_DOUBLE:
        avro_value_set_double(value, -2.25);
        break;
    case AVRO_BOOLEAN:
        avro_value_set_boolean(value, (int)random_below(&rnd, 2));
        break;
    case AVRO_NULL:
        avro_value_set_null(value);
        break;
    case AVRO_ENUM:
        avro_value_set_enum(value,
                            (int)random_below(&rnd, (uint32_t)avro_schema_enum_number_of_symbols(
                                                        avro_value_get_schema(value))));
        break;
    case AVRO_FIXED:
        avro_value_set_fixed(value, junk,
                             (size_t)avro_schema_fixed_size(avro_value_get_schema(value)));
        break;
    case AVRO_ARRAY:
        fill_collection(value, false, field);
        break;
    case AVRO_MAP:
        fill_collection(value, true, field);
        break;
    case AVRO_UNION:
        fill_union(value, field);
        break;
    case AVRO_RECORD:
        fill_record(value, field ? (int)field->inner : -1);
        break;
    default:
        fail_msg("unknown type");
    }
}

/* ---- what the generic decoder read ---- */

static struct span generic_text(avro_value_t *value)
{
    const char *text = NULL;
    const void *bytes = NULL;
    size_t size = 0;
    int symbol = 0;
    switch (avro_value_get_type(value)) {
    case AVRO_STRING:
        avro_value_get_string(value, &text, &size);
        return (struct span){text, size - 1};
    case AVRO_BYTES:
        avro_value_get_bytes(value, &bytes, &size);
        return (struct span){bytes ? bytes : "", size};
    default:
        avro_value_get_enum(value, &symbol);
        return span_of(avro_schema_enum_get(avro_value_get_schema(value), symbol));
    }
}

static int64_t generic_long(avro_value_t *value)
{
    int32_t small = 0;
    int64_t large = 0;
    if (avro_value_get_type(value) == AVRO_INT32) {
        avro_value_get_int(value, &small);
        return small;
    }
    avro_value_get_long(value, &large);
    return large;
}

/* Whether the schema text says timestamp-millis for a field: avro-c forgets logical types, so the
 * plan's own parser is asked about the type, and only about that. */
static bool is_millis(const struct avro_type *type)
{
    for (uint32_t i = 0; type->kind == KIND_UNION && i < type->count; i++)
        if (type->members[i].type->logical == LOGICAL_MILLIS)
            return true;
    return type->logical == LOGICAL_MILLIS;
}

static const struct avro_type *wanted_type(const struct avro_type *type, enum avro_kind kind)
{
    for (uint32_t i = 0; type->kind == KIND_UNION && i < type->count; i++)
        if (type->members[i].type->kind == kind)
            return type->members[i].type;
    return type;
}

static void expect_record(avro_value_t *value, const struct avro_type *type, enum plan_group group,
                          struct touchpoint *out, char *base);

static void expect_identifiers(avro_value_t *value, const struct avro_type *type,
                               struct touchpoint *out)
{
    size_t count;
    avro_value_t element;
    avro_value_get_size(value, &count);
    for (size_t i = 0; i < count; i++) {
        avro_value_get_by_index(value, i, &element, NULL);
        struct touchpoint_identifier *to = &out->identifiers[out->identifier_count++];
        *to = (struct touchpoint_identifier){.encoding = SPAN("none"), .collection = SPAN("users")};
        expect_record(&element, type->members->type, GROUP_IDENTIFIER, out, (char *)to);
    }
}

static void expect(avro_value_t *value, const struct plan_field *field, struct touchpoint *out,
                   char *base, bool millis)
{
    int flag = 0;
    int64_t number;
    switch (field->want) {
    case WANT_TEXT:
        *(struct span *)(void *)(base + field->offset) = generic_text(value);
        break;
    case WANT_LONG:
    case WANT_TIME:
        number = generic_long(value) * (millis ? 1000 : 1);
        memcpy(base + field->offset, &number, sizeof number);
        break;
    case WANT_BOOLEAN:
        avro_value_get_boolean(value, &flag);
        *(bool *)(void *)(base + field->offset) = flag != 0;
        break;
    default:
        break;
    }
}

static void expect_field(avro_value_t *value, const struct avro_type *type,
                         const struct plan_field *field, struct touchpoint *out, char *base)
{
    avro_value_t inner = *value;
    if (avro_value_get_type(value) == AVRO_UNION)
        avro_value_get_current_branch(value, &inner);
    if (avro_value_get_type(&inner) == AVRO_NULL)
        return;
    if (field->want == WANT_RECORD) {
        out->has_contact |= field->inner == GROUP_CONTACT;
        expect_record(&inner, wanted_type(type, KIND_RECORD), field->inner, out, base);
    } else if (field->want == WANT_IDENTIFIERS) {
        expect_identifiers(&inner, wanted_type(type, KIND_ARRAY), out);
    } else if (field->want == WANT_CONSENT) {
        out->consent = (struct span){(const char *)inner.self, 1};
    } else {
        expect(&inner, field, out, base, is_millis(type));
    }
}

static void expect_record(avro_value_t *value, const struct avro_type *type, enum plan_group group,
                          struct touchpoint *out, char *base)
{
    for (uint32_t i = 0; i < type->count; i++) {
        avro_value_t inner;
        const char *name;
        avro_value_get_by_index(value, i, &inner, &name);
        const struct plan_field *field = field_named(group, name);
        if (field)
            expect_field(&inner, type->members[i].type, field, out, base);
    }
}

static void assert_same_text(struct span got, struct span want, const char *path)
{
    if (!span_equal(got, want) || (got.ptr == NULL) != (want.ptr == NULL))
        fail_msg("%s: got " SPAN_FMT ", expected " SPAN_FMT, path, SPAN_ARG(got), SPAN_ARG(want));
}

static void assert_same_consent(struct span got, struct span want, avro_value_t *record)
{
    struct span key;
    bool value;
    size_t count = 0, expected = 0;
    avro_value_t consent, branch, entry;
    assert_int_equal(got.ptr == NULL, want.ptr == NULL);
    if (got.ptr == NULL)
        return;
    assert_int_equal(avro_value_get_by_name(record, "consent", &consent, NULL), 0);
    branch = consent;
    if (avro_value_get_type(&consent) == AVRO_UNION)
        avro_value_get_current_branch(&consent, &branch);
    avro_value_get_size(&branch, &expected);
    for (struct span cursor = got; consent_next(&cursor, &key, &value); count++) {
        char name[64];
        int flag;
        snprintf(name, sizeof name, SPAN_FMT, SPAN_ARG(key));
        assert_int_equal(avro_value_get_by_name(&branch, name, &entry, NULL), 0);
        avro_value_get_boolean(&entry, &flag);
        assert_int_equal(flag != 0, value);
    }
    assert_int_equal(count, expected);
}

static void assert_same(const struct touchpoint *got, const struct touchpoint *want,
                        avro_value_t *record)
{
    for (size_t i = 0; i < plan_field_count; i++) {
        const struct plan_field *f = &plan_fields[i];
        const char *a = (const char *)got + f->offset, *b = (const char *)want + f->offset;
        if (f->want == WANT_TEXT && f->group != GROUP_IDENTIFIER)
            assert_same_text(*(const struct span *)(const void *)a,
                             *(const struct span *)(const void *)b, f->path);
        else if ((f->want == WANT_LONG || f->want == WANT_TIME) &&
                 memcmp(a, b, sizeof(int64_t)) != 0)
            fail_msg("%s differs", f->path);
    }
    assert_int_equal(got->is_test, want->is_test);
    assert_int_equal(got->is_bot, want->is_bot);
    assert_int_equal(got->has_contact, want->has_contact);
    assert_int_equal(got->identifier_count, want->identifier_count);
    for (uint32_t i = 0; i < got->identifier_count; i++) {
        assert_same_text(got->identifiers[i].type, want->identifiers[i].type, "identifiers.type");
        assert_same_text(got->identifiers[i].value, want->identifiers[i].value,
                         "identifiers.value");
        assert_same_text(got->identifiers[i].encoding, want->identifiers[i].encoding,
                         "identifiers.encoding");
        assert_same_text(got->identifiers[i].collection, want->identifiers[i].collection,
                         "identifiers.collection");
    }
    assert_same_consent(got->consent, want->consent, record);
}

/* ---- the property ---- */

static size_t encode(avro_value_t *value, char *buffer)
{
    avro_writer_t writer = avro_writer_memory(buffer, BUFFER);
    if (avro_value_write(writer, value))
        fail_msg("avro-c cannot write: %s", avro_strerror());
    size_t size = (size_t)avro_writer_tell(writer);
    avro_writer_free(writer);
    return size;
}

/* Reads the bytes back, so that the expectation is the generic decoder's and not the generator's.
 */
static void decode_generic(avro_value_t *value, const char *bytes, size_t size)
{
    avro_reader_t reader = avro_reader_memory(bytes, (int64_t)size);
    avro_value_reset(value);
    if (avro_value_read(reader, value))
        fail_msg("avro-c cannot read back: %s", avro_strerror());
    avro_reader_free(reader);
}

/* Every prefix, in a block of exactly its size so that a sanitizer sees one byte too many. */
static void assert_prefixes_rejected(const struct avro_plan *plan, const char *bytes, size_t size)
{
    struct touchpoint t;
    struct err err;
    for (size_t n = 0; n < size; n++) {
        char *exact = malloc(n + !n);
        memcpy(exact, bytes, n);
        assert_int_equal(avro_plan_decode(plan, (struct span){exact, n}, &t, &err), OUTCOME_REJECT);
        free(exact);
    }
}

/* Damaged bytes may decode or not; they must never be read beyond their end. */
static void survive_damage(const struct avro_plan *plan, const char *bytes, size_t size)
{
    struct touchpoint t;
    struct err err;
    for (int i = 0; i < 50 && size > 0; i++) {
        char *copy = malloc(size);
        memcpy(copy, bytes, size);
        for (uint32_t n = 1 + random_below(&rnd, 3); n > 0; n--)
            copy[random_below(&rnd, (uint32_t)size)] = (char)random_next(&rnd);
        enum outcome outcome = avro_plan_decode(plan, (struct span){copy, size}, &t, &err);
        assert_true(outcome == OUTCOME_OK || outcome == OUTCOME_REJECT);
        free(copy);
    }
}

static void check_record(struct bench *b, const struct avro_schema *schema, char *buffer)
{
    static struct touchpoint got, want;
    struct err err = {0};
    avro_value_reset(&b->value);
    fill_record(&b->value, GROUP_TOUCHPOINT);
    size_t size = encode(&b->value, buffer);
    decode_generic(&b->value, buffer, size);
    want = b->plan->blank;
    expect_record(&b->value, schema->root, GROUP_TOUCHPOINT, &want, (char *)&want);
    char *exact = malloc(size);
    memcpy(exact, buffer, size);
    if (avro_plan_decode(b->plan, (struct span){exact, size}, &got, &err))
        fail_msg("%s: %s", err.code, err.message);
    assert_same(&got, &want, &b->value);
    assert_prefixes_rejected(b->plan, exact, size);
    survive_damage(b->plan, exact, size);
    free(exact);
}

static void check_schema(char *buffer)
{
    struct bench b = {0};
    struct strbuf text = {.arena = &b.arena};
    struct avro_schema schema;
    struct err err = {0};
    write_record(&b, &text, GROUP_TOUCHPOINT, 0);
    if (avro_plan_compile(strbuf_span(&text), &b.plan, &err))
        fail_msg("%s in %s", err.message, text.ptr);
    assert_int_equal(avro_schema_parse(&b.arena, strbuf_span(&text), &schema, &err), OUTCOME_OK);
    if (avro_schema_from_json_length(text.ptr, text.len, &b.schema))
        fail_msg("avro-c: %s in %s", avro_strerror(), text.ptr);
    avro_value_iface_t *interface = avro_generic_class_from_schema(b.schema);
    assert_int_equal(avro_generic_value_new(interface, &b.value), 0);
    for (int i = 0; i < RECORDS; i++)
        check_record(&b, &schema, buffer);
    avro_value_decref(&b.value);
    avro_value_iface_decref(interface);
    avro_schema_decref(b.schema);
    avro_plan_free(b.plan);
    arena_free(&b.arena);
}

static void test_plan_equals_generic_decoder(void **state)
{
    char *buffer = malloc(BUFFER);
    for (int i = 0; i < SCHEMAS; i++)
        check_schema(buffer);
    free(buffer);
}

int main(void)
{
    rnd = random_from_environment();
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_plan_equals_generic_decoder)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
