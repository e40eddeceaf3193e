/* identity_blocked.c: reads the values and patterns that are never identifiers. */
#include "services/identity-resolver/policy/identity_blocked.h"

#include <ctype.h>
#include <stdlib.h>

#include "common/base/nearest.h"
#include "common/base/pack.h"
#include "services/identity-resolver/policy/identity_fold.h"

enum { NEAR = 3 }; /* letters; further away is no help */

static enum outcome unknown_type(const struct identity_policy *policy, const struct json *at,
                                 struct span name, struct err *err)
{
    struct nearest nearest = nearest_start(name, NEAR);
    for (size_t i = 0; i < policy->type_count; i++)
        nearest_consider(&nearest, policy->types[i].name);
    if (nearest.name.ptr == NULL)
        return json_fail(at, err, "no type is called \"" SPAN_FMT "\"", SPAN_ARG(name));
    return json_fail(at, err, "no type is called \"" SPAN_FMT "\", did you mean \"" SPAN_FMT "\"?",
                     SPAN_ARG(name), SPAN_ARG(nearest.name));
}

enum outcome identity_type_index(const struct identity_policy *policy, const struct json *at,
                                 struct span name, int16_t *out, struct err *err)
{
    const struct identity_type *type = identity_find_type(policy, name);
    if (type == NULL)
        return unknown_type(policy, at, name, err);
    *out = (int16_t)(type - policy->types);
    return OUTCOME_OK;
}

static int span_qsort_compare(const void *a, const void *b)
{
    return span_compare(*(const struct span *)a, *(const struct span *)b);
}

/* As values are compared: folded, if all are of one type, and in ASCII lower case. */
static struct span comparable(struct arena *arena, const struct identity_type *type,
                              struct span value)
{
    value = arena_copy(arena, type ? identity_fold(arena, type, value) : value);
    for (char *p = (char *)value.ptr; p < value.ptr + value.len; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p |= 0x20;
    return value;
}

/* type: NULL for values of all types. */
static enum outcome read_values(struct arena *arena, const struct json *list,
                                const struct identity_type *type, struct blocked_values *out,
                                struct err *err)
{
    out->items = arena_array(arena, struct span, json_count(list));
    for (size_t i = 0; i < json_count(list); i++) {
        struct span value;
        CHECK(json_as_text(json_at(list, i), &value, err));
        value = comparable(arena, type, value);
        if (value.len > IDENTITY_MAX_BLOCKED)
            return json_fail(json_at(list, i), err, "a blocked value has at most %d bytes",
                             IDENTITY_MAX_BLOCKED);
        out->items[out->count++] = value;
        if (value.len > out->longest)
            out->longest = value.len;
    }
    qsort(out->items, out->count, sizeof *out->items, span_qsort_compare);
    return OUTCOME_OK;
}

static enum outcome read_values_by_type(struct arena *arena, const struct json *section,
                                        struct identity_policy *policy, struct err *err)
{
    for (size_t i = 0; i < json_count(section); i++) {
        const struct json *list = json_at(section, i);
        int16_t type = -1;
        CHECK(identity_type_index(policy, list, json_key(list), &type, err));
        if (json_shape(list) != SHAPE_LIST)
            return json_fail(list, err, "expected a list of values");
        CHECK(read_values(arena, list, &policy->types[type], &policy->types[type].blocked, err));
    }
    return OUTCOME_OK;
}

static void accept(struct char_class_pattern *out, unsigned char c)
{
    bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    out->accepts[c] = true;
    if (is_letter)
        out->accepts[c ^ 0x20] = true;
}

/* ^[set]*$ or ^[set]+$ with plain ASCII characters and a-b ranges, in any case; false for anything
 * else. Brackets and backslashes mean something in regular expressions, so they are refused rather
 * than read in another sense. */
static bool parse_class(struct span text, struct char_class_pattern *out)
{
    if (text.len < 6 || memcmp(text.ptr, "^[", 2) != 0 || text.ptr[text.len - 1] != '$' ||
        text.ptr[text.len - 3] != ']')
        return false;
    char repeat = text.ptr[text.len - 2];
    out->matches_empty = repeat == '*';
    struct span set = {text.ptr + 2, text.len - 5};
    for (size_t i = 0; i < set.len; i++) {
        unsigned char from = (unsigned char)set.ptr[i], to = from;
        if (i + 2 < set.len && set.ptr[i + 1] == '-') {
            to = (unsigned char)set.ptr[i + 2];
            i += 2;
        }
        if (to < from || to > 0x7f || strchr("[]\\", from) || strchr("[]\\", to))
            return false;
        for (unsigned c = from; c <= to; c++)
            accept(out, (unsigned char)c);
    }
    return set.len > 0 && set.ptr[0] != '^' && (repeat == '*' || repeat == '+');
}

/* Literal text up to .* or $; what means something in a regular expression needs a backslash. */
static bool take_literal(struct span *text, struct strbuf *out)
{
    size_t i = 0;
    for (; i < text->len && !strchr(".$", text->ptr[i]); i++) {
        bool is_escaped = text->ptr[i] == '\\';
        if (is_escaped && ++i == text->len)
            return false;
        unsigned char c = (unsigned char)text->ptr[i];
        if (c < ' ' || c >= 0x7f || (is_escaped ? isalnum(c) : strchr("^|?*+()[]{}", c) != NULL))
            return false;
        pack_byte(out, (uint8_t)tolower(c));
    }
    *text = (struct span){text->ptr + i, text->len - i};
    return true;
}

/* ^start.*end$, with at least one character of the frame. */
static bool parse_frame(struct arena *arena, struct span text, struct char_class_pattern *out)
{
    struct strbuf start = {.arena = arena}, end = {.arena = arena};
    if (text.len < 1 || text.ptr[0] != '^')
        return false;
    text = (struct span){text.ptr + 1, text.len - 1};
    if (!take_literal(&text, &start) || text.len < 3 || memcmp(text.ptr, ".*", 2) != 0)
        return false;
    text = (struct span){text.ptr + 2, text.len - 2};
    if (!take_literal(&text, &end) || !span_is(text, "$"))
        return false;
    out->is_frame = true;
    out->start = strbuf_span(&start);
    out->end = strbuf_span(&end);
    return out->start.len + out->end.len > 0;
}

static enum outcome read_pattern(struct arena *arena, const struct json *entry,
                                 const struct identity_policy *policy,
                                 struct char_class_pattern *out, struct err *err)
{
    struct span pattern = SPAN_NONE, type = SPAN_NONE;
    CHECK(json_check_keys(entry, "pattern", "type", err));
    CHECK(json_text(entry, "pattern", &pattern, err));
    CHECK(json_text(entry, "type", &type, err));
    if (!parse_class(pattern, out) && !parse_frame(arena, pattern, out))
        return json_fail(entry, err,
                         "only patterns of the form ^[characters]*$, ^[characters]+$ or "
                         "^start.*end$ are supported");
    out->type = -1;
    return json_get(entry, "type")
               ? identity_type_index(policy, json_get(entry, "type"), type, &out->type, err)
               : OUTCOME_OK;
}

enum outcome identity_blocked_read(struct arena *arena, const struct json *section,
                                   struct identity_policy *policy, struct err *err)
{
    const struct json *values = NULL, *patterns = NULL, *types = NULL;
    if (section == NULL)
        return OUTCOME_OK;
    CHECK(json_check_keys(section, "", "values patterns types", err));
    CHECK(json_list(section, "values", &values, err));
    CHECK(json_list(section, "patterns", &patterns, err));
    CHECK(json_section(section, "types", &types, err));
    CHECK(read_values(arena, values, NULL, &policy->blocked, err));
    CHECK(read_values_by_type(arena, types, policy, err));
    policy->classes = arena_array(arena, struct char_class_pattern, json_count(patterns));
    for (size_t i = 0; i < json_count(patterns); i++)
        CHECK(read_pattern(arena, json_at(patterns, i), policy,
                           &policy->classes[policy->class_count++], err));
    return OUTCOME_OK;
}
