/* identity_policy.c: policies/identity.json -> struct identity_policy. */
#include "services/identity-resolver/identity_policy.h"

#include <stdlib.h>

#include "common/base/pack.h"
#include "common/codec/json.h"

static enum outcome read_type(const struct json *entry, struct identity_type *type, struct err *err)
{
    CHECK(json_check_keys(entry, "type rank", "unique links normalise", err));
    *type = (struct identity_type){.links = true};
    int64_t rank = 0;
    int normaliser = NORMALISE_PLAIN;
    CHECK(json_text(entry, "type", &type->name, err));
    CHECK(json_int(entry, "rank", 1, 32767, &rank, err));
    CHECK(json_bool(entry, "unique", &type->is_unique, err));
    CHECK(json_bool(entry, "links", &type->links, err));
    CHECK(json_choice(entry, "normalise", "plain|email|phone", &normaliser, err));
    type->rank = (int16_t)rank;
    type->normaliser = (enum normaliser)normaliser;
    return OUTCOME_OK;
}

static int type_compare(const void *a, const void *b)
{
    return ((const struct identity_type *)a)->rank - ((const struct identity_type *)b)->rank;
}

static enum outcome read_types(const struct json *list, struct identity_policy *policy, struct err *err)
{
    size_t unique = 0;
    if (json_count(list) == 0 || json_count(list) > IDENTITY_MAX_TYPES)
        return json_fail(list, err, "1 to %d types are needed", IDENTITY_MAX_TYPES);
    for (size_t i = 0; i < json_count(list); i++) {
        struct identity_type *type = &policy->types[i];
        CHECK(read_type(json_at(list, i), type, err));
        unique += type->is_unique;
        for (size_t j = 0; j < i; j++)
            if (span_equal(policy->types[j].name, type->name) || policy->types[j].rank == type->rank)
                return json_fail(json_at(list, i), err, "type and rank must differ from those of the other types");
        policy->type_count = i + 1;
    }
    if (unique > IDENTITY_MAX_UNIQUE)
        return json_fail(list, err, "at most %d types may be unique", IDENTITY_MAX_UNIQUE);
    qsort(policy->types, policy->type_count, sizeof *policy->types, type_compare);
    return OUTCOME_OK;
}

static int span_qsort_compare(const void *a, const void *b)
{
    return span_compare(*(const struct span *)a, *(const struct span *)b);
}

static enum outcome read_blocked_values(struct arena *arena, const struct json *list, struct identity_policy *policy,
                                        struct err *err)
{
    policy->blocked = arena_array(arena, struct span, json_count(list));
    for (size_t i = 0; i < json_count(list); i++) {
        struct span value;
        CHECK(json_as_text(json_at(list, i), &value, err));
        if (value.len > 64)
            return json_fail(json_at(list, i), err, "a blocked value has at most 64 bytes");
        value = arena_copy(arena, value);
        for (char *p = (char *)value.ptr; p < value.ptr + value.len; p++)
            if (*p >= 'A' && *p <= 'Z')
                *p |= 0x20;
        policy->blocked[policy->blocked_count++] = value;
        if (value.len > policy->blocked_longest)
            policy->blocked_longest = value.len;
    }
    qsort(policy->blocked, policy->blocked_count, sizeof *policy->blocked, span_qsort_compare);
    return OUTCOME_OK;
}

/* ^[set]*$ or ^[set]+$ with plain characters and a-b ranges; false for anything else. Brackets and backslashes have a meaning of
 * their own in regular expressions: rather refused than read otherwise than meant. */
static bool parse_class(struct span text, struct char_class_pattern *out)
{
    if (text.len < 6 || memcmp(text.ptr, "^[", 2) != 0 || text.ptr[text.len - 1] != '$' || text.ptr[text.len - 3] != ']')
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
        if (to < from || strchr("[]\\", from) || strchr("[]\\", to))
            return false;
        for (unsigned c = from; c <= to; c++)
            out->accepts[c] = true;
    }
    return set.len > 0 && set.ptr[0] != '^' && (repeat == '*' || repeat == '+');
}

static enum outcome read_blocked_patterns(struct arena *arena, const struct json *list, struct identity_policy *policy,
                                          struct err *err)
{
    policy->classes = arena_array(arena, struct char_class_pattern, json_count(list));
    for (size_t i = 0; i < json_count(list); i++) {
        struct span pattern = SPAN_NONE;
        CHECK(json_check_keys(json_at(list, i), "pattern", "", err));
        CHECK(json_text(json_at(list, i), "pattern", &pattern, err));
        if (!parse_class(pattern, &policy->classes[policy->class_count++]))
            return json_fail(json_at(list, i), err, "only patterns of the form ^[characters]*$ or ^[characters]+$ are supported");
    }
    return OUTCOME_OK;
}

static enum outcome read_blocked(struct arena *arena, const struct json *blocked, struct identity_policy *policy, struct err *err)
{
    const struct json *values = NULL, *patterns = NULL;
    if (blocked == NULL)
        return OUTCOME_OK;
    CHECK(json_check_keys(blocked, "", "values patterns", err));
    CHECK(json_list(blocked, "values", &values, err));
    CHECK(json_list(blocked, "patterns", &patterns, err));
    CHECK(read_blocked_values(arena, values, policy, err));
    return read_blocked_patterns(arena, patterns, policy, err);
}

static enum outcome check_calling_code(const struct json *root, struct span code, struct err *err)
{
    for (size_t i = 0; i < code.len; i++)
        if (code.ptr[i] < '0' || code.ptr[i] > '9')
            return json_fail(json_get(root, "default_calling_code"), err, "expected 1 to 3 digits such as \"49\"");
    if (code.len < 1 || code.len > 3)
        return json_fail(json_get(root, "default_calling_code"), err, "expected 1 to 3 digits such as \"49\"");
    return OUTCOME_OK;
}

enum outcome identity_policy_read(struct arena *arena, const char *path, struct identity_policy *out, struct err *err)
{
    const struct json *root, *types = NULL, *blocked = NULL;
    int64_t max_identifiers = 100;
    *out = (struct identity_policy){.calling_code = SPAN("1")};
    CHECK(json_read_file(arena, path, &root, err));
    CHECK(json_check_keys(root, "types", "default_calling_code gmail_dots_and_plus blocked max_identifiers", err));
    CHECK(json_list(root, "types", &types, err));
    CHECK(read_types(types, out, err));
    CHECK(json_section(root, "blocked", &blocked, err));
    CHECK(read_blocked(arena, blocked, out, err));
    CHECK(json_text(root, "default_calling_code", &out->calling_code, err));
    CHECK(check_calling_code(root, out->calling_code, err));
    CHECK(json_bool(root, "gmail_dots_and_plus", &out->gmail_dots_and_plus, err));
    CHECK(json_int(root, "max_identifiers", 2, 1000000, &max_identifiers, err));
    out->max_identifiers = (uint32_t)max_identifiers;
    return OUTCOME_OK;
}

struct span identity_policy_anchor_rules(struct arena *arena, const struct identity_policy *policy)
{
    struct strbuf text = {.arena = arena};
    for (size_t i = 0; i < policy->type_count; i++)
        strbuf_addf(&text, SPAN_FMT ":%d:%d ", SPAN_ARG(policy->types[i].name), policy->types[i].rank,
                    (int)policy->types[i].normaliser);
    strbuf_addf(&text, "calling_code:" SPAN_FMT " gmail:%d", SPAN_ARG(policy->calling_code), policy->gmail_dots_and_plus);
    return strbuf_span(&text);
}
