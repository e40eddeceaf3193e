/* avro_compile.c: turns a writer's schema into a decode plan: fields are matched by name,
 * everything else is skipped. */
#include <stdlib.h>

#include "common/codec/avro/avro_plan.h"

enum { MAX_OPS = 16384, MAX_VISITS = 65536, MAX_LEVELS = 64 };

struct op_list {
    struct plan_op *items;
    size_t count, capacity;
};
struct index_list {
    uint32_t *items;
    size_t count, capacity;
};
struct symbol_list {
    const struct avro_member **items;
    size_t count, capacity;
};

struct compiler {
    struct arena *arena;
    struct op_list ops;
    struct index_list targets, after;
    struct symbol_list symbols;
    unsigned visits, levels;
    struct err *err;
};

static enum outcome skip(struct compiler *c, const struct avro_type *type);
static enum outcome take(struct compiler *c, const struct avro_type *type, uint16_t field);

static enum outcome unusable(struct compiler *c, const char *what, const char *path)
{
    return err_set(c->err, OUTCOME_REJECT, "schema_unusable", "schema: %s%s", what, path);
}

/* Appends an operation and yields its index. Operations beyond MAX_OPS are refused at the end:
 * types are limited too, so the list stays small. */
static uint32_t emit(struct compiler *c, enum plan_code code, uint32_t n)
{
    struct plan_op *op = arena_push(c->arena, &c->ops);
    *op = (struct plan_op){.code = (uint8_t)code, .n = n, .field = PLAN_NO_FIELD};
    return (uint32_t)c->ops.count - 1;
}

static uint32_t emit_field(struct compiler *c, enum plan_code code, uint32_t n, uint16_t field)
{
    uint32_t at = emit(c, code, n);
    c->ops.items[at].field = field;
    c->ops.items[at].offset = plan_fields[field].offset;
    return at;
}

/* A body to be compiled at the current place: skipped where field is PLAN_NO_FIELD. */
static enum outcome body(struct compiler *c, const struct avro_type *type, uint16_t field)
{
    return field == PLAN_NO_FIELD ? skip(c, type) : take(c, type, field);
}

static enum outcome nullable(struct compiler *c, const struct avro_type *type, uint8_t null_branch,
                             uint16_t field)
{
    uint32_t at = emit(c, OP_NULLABLE, 0);
    c->ops.items[at].branch = null_branch;
    CHECK(body(c, type->members[1 - null_branch].type, field));
    uint32_t end = (uint32_t)c->ops.count;
    struct plan_op *op = &c->ops.items[at];
    op->jump = end;
    if (null_branch == 0 && end == at + 2 && c->ops.items[at + 1].code == OP_TAKE_TEXT) {
        *op = c->ops.items[at + 1];
        op->code = OP_TAKE_OPT_TEXT;
        op->jump = at + 1;
        c->ops.count--;
    }
    return OUTCOME_OK;
}

static enum outcome any_union(struct compiler *c, const struct avro_type *type, uint16_t field)
{
    uint32_t at = emit(c, OP_UNION, type->count), first = (uint32_t)c->targets.count;
    c->ops.items[at].jump = first;
    for (uint32_t i = 0; i < type->count; i++)
        *arena_push(c->arena, &c->targets) = 0;
    struct index_list exits = {0};
    for (uint32_t i = 0; i < type->count; i++) {
        c->targets.items[first + i] = (uint32_t)c->ops.count;
        CHECK(body(c, type->members[i].type, field));
        *arena_push(c->arena, &exits) = emit(c, OP_JUMP, 0);
    }
    for (size_t i = 0; i < exits.count; i++)
        c->ops.items[exits.items[i]].jump = (uint32_t)c->ops.count;
    return OUTCOME_OK;
}

static enum outcome compile_union(struct compiler *c, const struct avro_type *type, uint16_t field)
{
    if (type->count == 2 && type->members[0].type->kind == KIND_NULL &&
        type->members[1].type->kind != KIND_NULL)
        return nullable(c, type, 0, field);
    if (type->count == 2 && type->members[1].type->kind == KIND_NULL &&
        type->members[0].type->kind != KIND_NULL)
        return nullable(c, type, 1, field);
    return any_union(c, type, field);
}

/* Ends the loop that starts at `next`. */
static void close_loop(struct compiler *c, uint32_t next)
{
    uint32_t back = emit(c, OP_JUMP, 0);
    c->ops.items[back].jump = next;
    c->ops.items[next].jump = (uint32_t)c->ops.count;
}

static uint32_t open_loop(struct compiler *c)
{
    emit(c, OP_LOOP, 0);
    return emit(c, OP_NEXT, 0);
}

static enum outcome skip_collection(struct compiler *c, const struct avro_type *type)
{
    uint32_t next = open_loop(c);
    if (type->kind == KIND_MAP)
        emit(c, OP_SKIP_BYTES, 0);
    CHECK(skip(c, type->members->type));
    close_loop(c, next);
    return OUTCOME_OK;
}

static enum outcome skip_record(struct compiler *c, const struct avro_type *type)
{
    for (uint32_t i = 0; i < type->count; i++)
        CHECK(skip(c, type->members[i].type));
    return OUTCOME_OK;
}

/* Every visit is counted: types may be shared, and an expansion could be far larger than its
 * schema. */
static bool too_large(struct compiler *c)
{
    return ++c->visits > MAX_VISITS || c->ops.count > MAX_OPS || c->levels > MAX_LEVELS;
}

static enum outcome skip_inside(struct compiler *c, const struct avro_type *type)
{
    switch (type->kind) {
    case KIND_NULL:
        break;
    case KIND_BOOLEAN:
        emit(c, OP_SKIP_BOOLEAN, 0);
        break;
    case KIND_INT:
        emit(c, OP_SKIP_INT, 0);
        break;
    case KIND_LONG:
        emit(c, OP_SKIP_LONG, 0);
        break;
    case KIND_FLOAT:
        emit(c, OP_SKIP_FIXED, 4);
        break;
    case KIND_DOUBLE:
        emit(c, OP_SKIP_FIXED, 8);
        break;
    case KIND_BYTES:
    case KIND_STRING:
        emit(c, OP_SKIP_BYTES, 0);
        break;
    case KIND_FIXED:
        emit(c, OP_SKIP_FIXED, type->size);
        break;
    case KIND_ENUM:
        emit(c, OP_SKIP_ENUM, type->count);
        break;
    case KIND_ARRAY:
    case KIND_MAP:
        return skip_collection(c, type);
    case KIND_UNION:
        return compile_union(c, type, PLAN_NO_FIELD);
    case KIND_RECORD:
        return skip_record(c, type);
    }
    return OUTCOME_OK;
}

static enum outcome skip(struct compiler *c, const struct avro_type *type)
{
    if (too_large(c))
        return unusable(c, "too large or too deep when written out", "");
    c->levels++;
    enum outcome outcome = skip_inside(c, type);
    c->levels--;
    return outcome;
}

static enum outcome take_text(struct compiler *c, const struct avro_type *type, uint16_t field)
{
    uint32_t limit = (uint32_t)plan_fields[field].max;
    if (type->kind == KIND_STRING || type->kind == KIND_BYTES) {
        emit_field(c, OP_TAKE_TEXT, limit, field);
        return OUTCOME_OK;
    }
    if (type->kind != KIND_ENUM)
        return unusable(c, "expected text for ", plan_fields[field].path);
    uint32_t at = emit_field(c, OP_TAKE_ENUM, type->count, field);
    c->ops.items[at].jump = (uint32_t)c->symbols.count;
    *arena_push(c->arena, &c->symbols) = type->members;
    for (uint32_t i = 0; i < type->count; i++)
        if (type->members[i].name.len > limit)
            return unusable(c, "too long a symbol for ", plan_fields[field].path);
    return OUTCOME_OK;
}

static enum outcome take_number(struct compiler *c, const struct avro_type *type, uint16_t field)
{
    const struct plan_field *f = &plan_fields[field];
    bool is_time = f->want == WANT_TIME;
    if (type->kind == KIND_INT && type->logical == LOGICAL_NONE) {
        emit_field(c, OP_TAKE_INT, 0, field);
        return OUTCOME_OK;
    }
    if (type->kind != KIND_LONG)
        return unusable(c, is_time ? "expected a timestamp for " : "expected an int or a long for ",
                        f->path);
    if (is_time ? type->logical == LOGICAL_OTHER : type->logical != LOGICAL_NONE)
        return unusable(c, "another logical type than expected for ", f->path);
    uint32_t at = emit_field(c, OP_TAKE_LONG, 0, field);
    c->ops.items[at].branch = (uint8_t)type->logical;
    return OUTCOME_OK;
}

static enum outcome take_boolean(struct compiler *c, const struct avro_type *type, uint16_t field)
{
    if (type->kind != KIND_BOOLEAN)
        return unusable(c, "expected a boolean for ", plan_fields[field].path);
    emit_field(c, OP_TAKE_BOOLEAN, 0, field);
    return OUTCOME_OK;
}

static uint16_t find_field(enum plan_group group, struct span name)
{
    for (size_t i = 0; i < plan_field_count; i++)
        if (plan_fields[i].group == group && span_is(name, plan_fields[i].name))
            return (uint16_t)i;
    return PLAN_NO_FIELD;
}

static enum outcome take_record(struct compiler *c, const struct avro_type *type,
                                enum plan_group group)
{
    uint64_t seen[4] = {0};
    for (uint32_t i = 0; i < type->count; i++) {
        uint16_t field = find_field(group, type->members[i].name);
        if (field != PLAN_NO_FIELD) {
            if (seen[field / 64] >> field % 64 & 1)
                return unusable(c, "two fields named ", plan_fields[field].path);
            seen[field / 64] |= UINT64_C(1) << field % 64;
        }
        CHECK(body(c, type->members[i].type, field));
    }
    return OUTCOME_OK;
}

static enum outcome take_nested(struct compiler *c, const struct avro_type *type, uint16_t field)
{
    const struct plan_field *f = &plan_fields[field];
    if (type->kind != KIND_RECORD)
        return unusable(c, "expected a record for ", f->path);
    if (f->inner == GROUP_CONTACT)
        emit(c, OP_CONTACT, 0);
    return take_record(c, type, f->inner);
}

/* One element of identifiers; elements that are null are passed over. */
static enum outcome take_identifier(struct compiler *c, const struct avro_type *type,
                                    uint16_t field)
{
    if (type->kind == KIND_UNION && type->count == 2) {
        uint8_t null_branch = type->members[0].type->kind == KIND_NULL ? 0 : 1;
        if (type->members[null_branch].type->kind != KIND_NULL)
            return unusable(c, "expected records in ", plan_fields[field].path);
        uint32_t at = emit(c, OP_NULLABLE, 0);
        c->ops.items[at].branch = null_branch;
        CHECK(take_identifier(c, type->members[1 - null_branch].type, field));
        c->ops.items[at].jump = (uint32_t)c->ops.count;
        return OUTCOME_OK;
    }
    if (type->kind != KIND_RECORD)
        return unusable(c, "expected records in ", plan_fields[field].path);
    emit_field(c, OP_IDENTIFIER, 0, field);
    CHECK(take_record(c, type, GROUP_IDENTIFIER));
    emit(c, OP_TOUCHPOINT, 0);
    return OUTCOME_OK;
}

static enum outcome take_identifiers(struct compiler *c, const struct avro_type *type,
                                     uint16_t field)
{
    if (type->kind != KIND_ARRAY)
        return unusable(c, "expected an array for ", plan_fields[field].path);
    uint32_t next = open_loop(c);
    CHECK(take_identifier(c, type->members->type, field));
    close_loop(c, next);
    return OUTCOME_OK;
}

static enum outcome take_consent(struct compiler *c, const struct avro_type *type, uint16_t field)
{
    if (type->kind != KIND_MAP || type->members->type->kind != KIND_BOOLEAN)
        return unusable(c, "expected a map of boolean for ", plan_fields[field].path);
    emit_field(c, OP_CONSENT, 0, field);
    uint32_t next = open_loop(c);
    emit_field(c, OP_CHECK_TEXT, (uint32_t)plan_fields[field].max, field);
    emit(c, OP_SKIP_BOOLEAN, 0);
    close_loop(c, next);
    emit_field(c, OP_CONSENT_END, 0, field);
    return OUTCOME_OK;
}

static enum outcome take_inside(struct compiler *c, const struct avro_type *type, uint16_t field)
{
    if (type->kind == KIND_NULL)
        return OUTCOME_OK;
    if (type->kind == KIND_UNION)
        return compile_union(c, type, field);
    switch (plan_fields[field].want) {
    case WANT_TEXT:
        return take_text(c, type, field);
    case WANT_LONG:
    case WANT_TIME:
        return take_number(c, type, field);
    case WANT_BOOLEAN:
        return take_boolean(c, type, field);
    case WANT_RECORD:
        return take_nested(c, type, field);
    case WANT_IDENTIFIERS:
        return take_identifiers(c, type, field);
    case WANT_CONSENT:
        return take_consent(c, type, field);
    }
    return OUTCOME_FATAL;
}

static enum outcome take(struct compiler *c, const struct avro_type *type, uint16_t field)
{
    if (too_large(c))
        return unusable(c, "too large or too deep when written out", "");
    c->levels++;
    enum outcome outcome = take_inside(c, type, field);
    c->levels--;
    return outcome;
}

static bool passes_null_first(const struct plan_op *op)
{
    return op->code == OP_TAKE_OPT_TEXT || (op->code == OP_NULLABLE && op->branch == 0);
}

/* Numbers the nullable fields that follow each other, so that several nulls are passed at once. */
static void chain_nulls(struct compiler *c)
{
    for (size_t i = 0; i < c->ops.count; i++) {
        uint32_t at = (uint32_t)i, first = (uint32_t)c->after.count, run = 0;
        while (run < UINT16_MAX && passes_null_first(&c->ops.items[at]) &&
               c->ops.items[at].run == 0) {
            c->ops.items[at].chain = first + run;
            c->ops.items[at].run = 1;
            at = c->ops.items[at].jump;
            *arena_push(c->arena, &c->after) = at;
            run++;
        }
        for (at = (uint32_t)i; run > 0; at = c->ops.items[at].jump)
            c->ops.items[at].run = (uint16_t)run--;
    }
}

static void make_blank(struct touchpoint *blank)
{
    int64_t absent = LONG_ABSENT;
    *blank = (struct touchpoint){0};
    for (size_t i = 0; i < plan_field_count; i++)
        if (plan_fields[i].want == WANT_LONG || plan_fields[i].want == WANT_TIME)
            memcpy((char *)blank + plan_fields[i].offset, &absent, sizeof absent);
}

static enum outcome compile(struct avro_plan *plan, struct span schema_json, struct err *err)
{
    struct compiler c = {.arena = &plan->arena, .err = err};
    struct avro_schema schema;
    CHECK(avro_schema_parse(c.arena, schema_json, &schema, err));
    if (schema.recursive)
        return unusable(&c, "a record that contains itself", "");
    if (schema.root->kind != KIND_RECORD)
        return unusable(&c, "the outermost type is not a record", "");
    CHECK(take_record(&c, schema.root, GROUP_TOUCHPOINT));
    if (c.ops.count > MAX_OPS)
        return unusable(&c, "too large or too deep when written out", "");
    emit(&c, OP_END, 0);
    chain_nulls(&c);
    plan->ops = c.ops.items;
    plan->targets = c.targets.items;
    plan->after = c.after.items;
    plan->symbols = c.symbols.items;
    make_blank(&plan->blank);
    return OUTCOME_OK;
}

enum outcome avro_plan_compile(struct span schema_json, struct avro_plan **out, struct err *err)
{
    struct avro_plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL)
        return err_set(err, OUTCOME_FATAL, "out_of_memory", "out of memory");
    enum outcome outcome = compile(plan, schema_json, err);
    if (outcome) {
        avro_plan_free(plan);
        plan = NULL;
    }
    *out = plan;
    return outcome;
}

void avro_plan_free(struct avro_plan *plan)
{
    if (plan)
        arena_free(&plan->arena);
    free(plan);
}
