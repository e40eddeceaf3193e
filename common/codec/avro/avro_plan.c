/* avro_plan.c: runs a decode plan over a payload: every length, count, branch and number is checked
 * before it is used. */
#include "common/codec/avro/avro_plan.h"

enum fault {
    FAULT_NONE,
    FAULT_TRUNCATED,
    FAULT_TRAILING,
    FAULT_LENGTH,
    FAULT_NUMBER,
    FAULT_UNION,
    FAULT_BOOLEAN,
    FAULT_ENUM,
    FAULT_TOO_MANY,
    FAULT_UTF8,
    FAULT_TOO_LONG,
    FAULT_TIME,
    FAULT_RANGE,
    FAULT_IDENTIFIERS,
};

static const struct {
    const char *code, *text;
} faults[] = {
    [FAULT_TRUNCATED] = {"avro_truncated", "the payload ends too early"},
    [FAULT_TRAILING] = {"avro_trailing_bytes", "bytes follow the record"},
    [FAULT_LENGTH] = {"avro_bad_length", "a negative length"},
    [FAULT_NUMBER] = {"avro_bad_number", "a number of more bits than its type has"},
    [FAULT_UNION] = {"avro_bad_union", "a union branch that does not exist"},
    [FAULT_BOOLEAN] = {"avro_bad_boolean", "a boolean that is neither 0 nor 1"},
    [FAULT_ENUM] = {"avro_bad_enum", "an enum symbol that does not exist"},
    [FAULT_TOO_MANY] = {"avro_too_many", "more than 100000 elements"},
    [FAULT_UTF8] = {"string_not_utf8", "text that is not strict UTF-8 without NUL"},
    [FAULT_TOO_LONG] = {"string_too_long", "text longer than its limit"},
    [FAULT_TIME] = {"time_out_of_range", "a time outside the years 1970 to 9999"},
    [FAULT_RANGE] = {"number_out_of_range", "a number outside its range"},
    [FAULT_IDENTIFIERS] = {"too_many_identifiers", "more than 32 identifiers"},
};

struct cursor {
    const uint8_t *at, *end;
};

/* Where the interpreter stopped. */
struct stop {
    const uint8_t *at;
    uint16_t field;
};

struct varint {
    const uint8_t *next; /* NULL: fault */
    uint64_t value;
    enum fault fault;
};

static struct varint __attribute__((noinline)) long_varint(const uint8_t *at, const uint8_t *end)
{
    struct varint r = {0};
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (at == end)
            return (struct varint){.fault = FAULT_TRUNCATED};
        uint8_t b = *at++;
        if (shift == 63 && b > 1)
            break;
        r.value |= (uint64_t)(b & 0x7F) << shift;
        if (!(b & 0x80)) {
            r.next = at;
            return r;
        }
    }
    return (struct varint){.fault = FAULT_NUMBER};
}

static inline enum fault read_long(struct cursor *c, int64_t *out)
{
    uint64_t v;
    if (__builtin_expect(c->at < c->end && *c->at < 0x80, 1)) {
        v = *c->at++;
    } else {
        struct varint r = long_varint(c->at, c->end);
        if (r.next == NULL) {
            *out = 0;
            return r.fault;
        }
        c->at = r.next;
        v = r.value;
    }
    *out = (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
    return FAULT_NONE;
}

static inline enum fault read_int(struct cursor *c, int64_t *out)
{
    enum fault fault = read_long(c, out);
    return fault ? fault : *out < INT32_MIN || *out > INT32_MAX ? FAULT_NUMBER : FAULT_NONE;
}

static inline enum fault skip_bytes(struct cursor *c, uint64_t n)
{
    if (n > (uint64_t)(c->end - c->at))
        return FAULT_TRUNCATED;
    c->at += n;
    return FAULT_NONE;
}

static inline enum fault read_bytes(struct cursor *c, struct span *out)
{
    int64_t n;
    enum fault fault = read_long(c, &n);
    if (fault)
        return fault;
    if (n < 0)
        return FAULT_LENGTH;
    *out = (struct span){(const char *)c->at, (size_t)n};
    return skip_bytes(c, (uint64_t)n);
}

#define EIGHT_ONES UINT64_C(0x0101010101010101)

/* True if the eight bytes are ASCII without NUL. */
static inline bool plain_word(uint64_t w)
{
    return ((w | ((w - EIGHT_ONES) & ~w)) & EIGHT_ONES << 7) == 0;
}

/* Quick yes for plain ASCII; anything else is looked at closely. `end` is the payload's end: bytes
 * up to it may be read. */
static inline bool is_clean(struct span s, const uint8_t *end)
{
    const uint8_t *p = (const uint8_t *)s.ptr, *last = p + s.len;
    uint64_t w;
    while (last - p >= 8) {
        memcpy(&w, p, 8);
        if (!plain_word(w))
            return span_is_clean_utf8(s);
        p += 8;
    }
    if (p == last)
        return true;
    if (end - p < 8)
        return span_is_clean_utf8((struct span){(const char *)p, (size_t)(last - p)});
    memcpy(&w, p, 8);
    uint64_t ours = (UINT64_C(1) << 8 * (last - p)) - 1;
    return plain_word((w & ours) | (EIGHT_ONES & ~ours)) || span_is_clean_utf8(s);
}

static inline enum fault read_text(struct cursor *c, uint32_t limit, struct span *out)
{
    enum fault fault = read_bytes(c, out);
    if (fault)
        return fault;
    if (out->len > limit)
        return FAULT_TOO_LONG;
    return is_clean(*out, c->end) ? FAULT_NONE : FAULT_UTF8;
}

static inline enum fault read_boolean(struct cursor *c, bool *out)
{
    if (c->at == c->end)
        return FAULT_TRUNCATED;
    if (*c->at > 1)
        return FAULT_BOOLEAN;
    *out = *c->at++;
    return FAULT_NONE;
}

static enum fault check_number(const struct plan_field *field, int64_t v)
{
    if (v >= field->min && v <= field->max)
        return FAULT_NONE;
    return field->want == WANT_TIME ? FAULT_TIME : FAULT_RANGE;
}

static inline enum fault read_number(struct cursor *c, const struct plan_op *op, char *base)
{
    int64_t v;
    enum fault fault = op->code == OP_TAKE_INT ? read_int(c, &v) : read_long(c, &v);
    if (fault)
        return fault;
    if (op->branch == LOGICAL_MILLIS && __builtin_mul_overflow(v, 1000, &v))
        return FAULT_TIME;
    if (op->branch == LOGICAL_NANOS)
        v = v / 1000 - (v % 1000 < 0);
    memcpy(base + op->offset, &v, sizeof v);
    return check_number(&plan_fields[op->field], v);
}

static enum fault read_enum(struct cursor *c, const struct plan_op *op, int64_t *index)
{
    enum fault fault = read_int(c, index);
    return fault ? fault : *index < 0 || *index >= op->n ? FAULT_ENUM : FAULT_NONE;
}

static inline enum fault read_branch(struct cursor *c, uint32_t count, int64_t *branch)
{
    enum fault fault = read_long(c, branch);
    return fault ? fault : *branch < 0 || *branch >= count ? FAULT_UNION : FAULT_NONE;
}

/* Count of the next block of an array or map, 0 at its end. A negative count is followed by the
 * size in bytes, which we do not need. */
static enum fault read_block(struct cursor *c, uint64_t *budget, uint64_t *count)
{
    int64_t n, size;
    enum fault fault = read_long(c, &n);
    if (fault == FAULT_NONE && n < 0) {
        fault = read_long(c, &size);
        if (fault == FAULT_NONE && size < 0)
            fault = FAULT_LENGTH;
    }
    *count = n < 0 ? -(uint64_t)n : (uint64_t)n;
    if (fault)
        return fault;
    if (*count > *budget)
        return FAULT_TOO_MANY;
    *budget -= *count;
    return FAULT_NONE;
}

/* The byte at c->at is a null's: passes it and the nulls of the nullable fields that follow. */
static inline const struct plan_op *pass_nulls(const struct avro_plan *plan,
                                               const struct plan_op *op, struct cursor *c)
{
    uint64_t w;
    uint32_t n = 1;
    if (c->end - c->at >= 8) {
        memcpy(&w, c->at, 8);
        n = w ? (uint32_t)__builtin_ctzll(w) / 8 : 8;
        n = n < op->run ? n : op->run;
    }
    c->at += n;
    return plan->ops + plan->after[op->chain + n - 1];
}

static enum fault new_identifier(struct touchpoint *out, char **base)
{
    if (out->identifier_count == TOUCHPOINT_MAX_IDENTIFIERS)
        return FAULT_IDENTIFIERS;
    struct touchpoint_identifier *identifier = &out->identifiers[out->identifier_count++];
    *identifier =
        (struct touchpoint_identifier){.encoding = SPAN("none"), .collection = SPAN("users")};
    *base = (char *)identifier;
    return FAULT_NONE;
}

/* The operations that the interpreter's own switch leaves aside because they are rare in
 * touchpoints. */
static enum fault run_rare(const struct avro_plan *plan, const struct plan_op *op, struct cursor *c,
                           char *base)
{
    int64_t v;
    struct span s;
    bool b;
    enum fault fault;
    switch (op->code) {
    case OP_SKIP_FIXED:
        return skip_bytes(c, op->n);
    case OP_SKIP_BOOLEAN:
        return read_boolean(c, &b);
    case OP_SKIP_INT:
        return read_int(c, &v);
    case OP_SKIP_LONG:
        return read_long(c, &v);
    case OP_SKIP_ENUM:
        return read_enum(c, op, &v);
    case OP_CHECK_TEXT:
        return read_text(c, op->n, &s);
    case OP_TAKE_BOOLEAN:
        fault = read_boolean(c, &b);
        if (fault == FAULT_NONE)
            memcpy(base + op->offset, &b, sizeof b);
        return fault;
    case OP_TAKE_ENUM:
        fault = read_enum(c, op, &v);
        if (fault == FAULT_NONE)
            memcpy(base + op->offset, &plan->symbols[op->jump][v].name, sizeof s);
        return fault;
    default:
        __builtin_unreachable();
    }
}

static enum fault run(const struct avro_plan *plan, struct span payload, struct touchpoint *out,
                      struct stop *stop)
{
    struct cursor c = {(const uint8_t *)payload.ptr, (const uint8_t *)payload.ptr + payload.len};
    const struct plan_op *op = plan->ops;
    uint64_t remaining[PLAN_MAX_LOOPS],
        *loop = remaining, budget = PLAN_MAX_ELEMENTS; /* the first slot stays unused */
    char *base = (char *)out;
    enum fault fault = FAULT_NONE;
    int64_t branch;
    struct span s;

    *loop = 0;
    for (;; op++) {
        switch (op->code) {
        case OP_TAKE_OPT_TEXT:
            if (c.at < c.end && *c.at == 0) {
                op = pass_nulls(plan, op, &c) - 1;
                continue;
            }
            if ((fault = read_branch(&c, 2, &branch)) || branch == 0)
                break;
            /* fall through */
        case OP_TAKE_TEXT:
            fault = read_text(&c, op->n, (struct span *)(void *)(base + op->offset));
            break;
        case OP_NULLABLE:
            if (op->run && c.at < c.end && *c.at == 0) {
                op = pass_nulls(plan, op, &c) - 1;
                continue;
            }
            if ((fault = read_branch(&c, 2, &branch)) == FAULT_NONE && branch == op->branch)
                op = plan->ops + op->jump - 1;
            break;
        case OP_TAKE_INT:
        case OP_TAKE_LONG:
            fault = read_number(&c, op, base);
            break;
        case OP_SKIP_BYTES:
            fault = read_bytes(&c, &s);
            break;
        case OP_UNION:
            if ((fault = read_branch(&c, op->n, &branch)) == FAULT_NONE)
                op = plan->ops + plan->targets[op->jump + branch] - 1;
            break;
        case OP_JUMP:
            op = plan->ops + op->jump - 1;
            break;
        case OP_LOOP:
            *++loop = 0;
            break;
        case OP_NEXT:
            if (*loop == 0 && (fault = read_block(&c, &budget, loop)))
                break;
            if (*loop == 0) {
                loop--;
                op = plan->ops + op->jump - 1;
            } else {
                --*loop;
            }
            break;
        case OP_IDENTIFIER:
            fault = new_identifier(out, &base);
            break;
        case OP_TOUCHPOINT:
            base = (char *)out;
            break;
        case OP_CONTACT:
            out->has_contact = true;
            break;
        case OP_CONSENT:
            out->consent.ptr = (const char *)c.at;
            break;
        case OP_CONSENT_END:
            out->consent.len = (size_t)((const char *)c.at - out->consent.ptr);
            break;
        case OP_END:
            *stop = (struct stop){c.at, PLAN_NO_FIELD};
            return c.at == c.end ? FAULT_NONE : FAULT_TRAILING;
        default:
            fault = run_rare(plan, op, &c, base);
        }
        if (__builtin_expect(fault != FAULT_NONE, 0)) {
            *stop = (struct stop){c.at, op->field};
            return fault;
        }
    }
}

static enum outcome fail(enum fault fault, struct span payload, const struct stop *stop,
                         struct err *err)
{
    long at = (long)(stop->at - (const uint8_t *)payload.ptr);
    const char *path = stop->field == PLAN_NO_FIELD ? "" : plan_fields[stop->field].path;
    return err_set(err, OUTCOME_REJECT, faults[fault].code, "%s%s%s at byte %ld of %zu", path,
                   *path ? ": " : "", faults[fault].text, at, payload.len);
}

static enum outcome missing(const char *field, struct err *err)
{
    return err_set(err, OUTCOME_REJECT, "field_missing", "%s is missing or blank", field);
}

static inline bool is_blank(struct span text)
{
    return text.len == 0 || (text.ptr[0] <= ' ' && span_trim(text).len == 0);
}

/* Two records whose ids are blank are not one message. */
static enum outcome check_required(const struct touchpoint *t, struct err *err)
{
    if (is_blank(t->message_id))
        return missing("message_id", err);
    if (is_blank(t->source))
        return missing("source", err);
    if (is_blank(t->type))
        return missing("type", err);
    if (is_blank(t->channel))
        return missing("channel", err);
    if (t->occurred_at == LONG_ABSENT)
        return missing("occurred_at", err);
    return OUTCOME_OK;
}

enum outcome avro_plan_decode(const struct avro_plan *plan, struct span payload,
                              struct touchpoint *out, struct err *err)
{
    if (payload.len > PLAN_MAX_PAYLOAD)
        return err_set(err, OUTCOME_REJECT, "value_too_large", "%zu bytes, more than 900000",
                       payload.len);
    const size_t head = offsetof(struct touchpoint, identifiers),
                 tail = offsetof(struct touchpoint, identifier_count);
    memcpy(out, &plan->blank, head);
    memcpy((char *)out + tail, (const char *)&plan->blank + tail, sizeof *out - tail);
    struct stop stop;
    if (payload.ptr == NULL)
        payload = SPAN("");
    enum fault fault = run(plan, payload, out, &stop);
    return fault ? fail(fault, payload, &stop, err) : check_required(out, err);
}
