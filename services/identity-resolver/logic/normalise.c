/* normalise.c: from a value as sent to the value that is hashed. */
#include "services/identity-resolver/logic/identity.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

const struct identity_type *identity_find_type(const struct identity_policy *policy,
                                               struct span name)
{
    for (size_t i = 0; i < policy->type_count; i++)
        if (span_equal(policy->types[i].name, name))
            return &policy->types[i];
    return NULL;
}

int16_t identity_type_of_rank(const struct identity_policy *policy, int16_t rank)
{
    for (size_t i = 0; i < policy->type_count; i++)
        if (policy->types[i].rank == rank)
            return (int16_t)i;
    return -1;
}

static bool is_lower_case_of(struct span lower_case, const char *text)
{
    for (size_t i = 0; i < lower_case.len; i++)
        if (lower(text[i]) != lower_case.ptr[i])
            return false;
    return true;
}

static bool matches_pattern(const struct char_class_pattern *pattern, struct span value)
{
    struct span start = pattern->start, end = pattern->end;
    if (pattern->is_frame)
        return value.len >= start.len + end.len && is_lower_case_of(start, value.ptr) &&
               is_lower_case_of(end, value.ptr + value.len - end.len);
    for (size_t i = 0; i < value.len; i++)
        if (!pattern->accepts[(unsigned char)value.ptr[i]])
            return false;
    return value.len > 0 || pattern->matches_empty;
}

static struct span without_quotes(struct span value)
{
    while (value.len >= 2 && (value.ptr[0] == '"' || value.ptr[0] == '\'') &&
           value.ptr[value.len - 1] == value.ptr[0])
        value = span_trim((struct span){value.ptr + 1, value.len - 2});
    return value;
}

static bool is_listed(const struct blocked_values *blocked, struct span value)
{
    char text[IDENTITY_MAX_BLOCKED];
    if (value.len > blocked->longest || value.len > sizeof text)
        return false;
    for (size_t i = 0; i < value.len; i++)
        text[i] = lower(value.ptr[i]);
    struct span wanted = {text, value.len};
    size_t low = 0, high = blocked->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int c = span_compare(wanted, blocked->items[middle]);
        if (c == 0)
            return true;
        if (c < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

bool identity_is_blocked(const struct identity_policy *policy, const struct identity_type *type,
                         struct span value)
{
    value = without_quotes(span_trim(value));
    if (value.len == 0 || is_listed(&policy->blocked, value) || is_listed(&type->blocked, value))
        return true;
    for (size_t i = 0; i < policy->class_count; i++)
        if ((policy->classes[i].type < 0 || &policy->types[policy->classes[i].type] == type) &&
            matches_pattern(&policy->classes[i], value))
            return true;
    return false;
}

static struct span lowered(struct arena *arena, struct span value)
{
    size_t i = 0;
    while (i < value.len && lower(value.ptr[i]) == value.ptr[i])
        i++;
    if (i == value.len)
        return value;
    char *copy = arena_alloc(arena, value.len);
    for (i = 0; i < value.len; i++)
        copy[i] = lower(value.ptr[i]);
    return (struct span){copy, value.len};
}

static bool is_hexadecimal(struct span value)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = lower(value.ptr[i]);
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}

static bool is_gmail(struct span domain)
{
    return span_is(domain, "gmail.com") || span_is(domain, "googlemail.com");
}

/* An optional rule for one provider: dots in the local part, and everything from a plus on, do not
 * matter. */
static struct span fold_gmail(struct arena *arena, struct span email)
{
    const char *at = memchr(email.ptr, '@', email.len);
    if (at == NULL || !is_gmail((struct span){at + 1, email.len - (size_t)(at + 1 - email.ptr)}))
        return email;
    char *copy = arena_alloc(arena, email.len);
    size_t n = 0;
    for (const char *p = email.ptr; p < at && *p != '+'; p++)
        if (*p != '.')
            copy[n++] = *p;
    if (n == 0) /* nothing would be left that tells people apart */
        return email;
    size_t rest = email.len - (size_t)(at - email.ptr);
    memcpy(copy + n, at, rest);
    return (struct span){copy, n + rest};
}

static bool is_separator(char c)
{
    return c == ' ' || c == '(' || c == ')' || c == '-' || c == '.' || c == '/';
}

/* What people write before a national number: a trunk prefix, which the calling code replaces, or
 * an international prefix. With calling code 1 these are 1 and 011 (ten digits follow a 1, because
 * no area code begins with it). Elsewhere they are 0 and 00. */
static size_t dialling_prefix(struct span calling_code, const char *digits, size_t n,
                              bool *is_international)
{
    bool is_plan_1 = span_is(calling_code, "1");
    *is_international = true;
    if (n >= 2 && memcmp(digits, "00", 2) == 0)
        return 2;
    if (is_plan_1 && n >= 3 && memcmp(digits, "011", 3) == 0)
        return 3;
    *is_international = false;
    return (n >= 1 && digits[0] == '0') || (is_plan_1 && n == 11 && digits[0] == '1');
}

/* Takes the digits without separators; false if anything else is in the value. "(0)" is a trunk
 * prefix that is left out from abroad. */
static bool take_digits(struct span value, char digits[32], size_t *n)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (value.len - i >= 3 && memcmp(value.ptr + i, "(0)", 3) == 0)
            i += 2;
        else if (is_separator(c))
            continue;
        else if (c < '0' || c > '9' || *n == 32)
            return false;
        else
            digits[(*n)++] = c;
    }
    return true;
}

/* Takes a + in front, also behind separators. */
static bool take_plus(struct span *value)
{
    size_t i = 0;
    while (i < value->len && is_separator(value->ptr[i]))
        i++;
    if (i == value->len || value->ptr[i] != '+')
        return false;
    *value = (struct span){value->ptr + i + 1, value->len - i - 1};
    return true;
}

static bool normalise_phone(const struct identity_policy *policy, struct span value,
                            struct arena *arena, struct span *out)
{
    char digits[32];
    size_t n = 0, skip = 0;
    bool is_international = take_plus(&value);
    if (!take_digits(value, digits, &n))
        return false;
    if (!is_international)
        skip = dialling_prefix(policy->calling_code, digits, n, &is_international);
    size_t code = is_international ? 0 : policy->calling_code.len, total = code + n - skip;
    if (total < 7 || total > 15)
        return false;
    char *text = arena_alloc(arena, total + 1);
    text[0] = '+';
    memcpy(text + 1, policy->calling_code.ptr, code);
    memcpy(text + 1 + code, digits + skip, n - skip);
    *out = (struct span){text, total + 1};
    return true;
}

/* Anything may stand on both sides of the last @. */
static bool is_address(struct span email)
{
    for (size_t i = email.len; i > 0; i--)
        if (email.ptr[i - 1] == '@')
            return i > 1 && i < email.len;
    return false;
}

static bool normalise_email(const struct identity_policy *policy, struct span value,
                            struct arena *arena, struct span *out)
{
    if (!is_address(value))
        return false;
    *out = policy->gmail_dots_and_plus ? fold_gmail(arena, value) : value;
    return true;
}

static bool has_length_of_digest(struct span value)
{
    return value.len >= 32 && value.len <= 128;
}

/* Whether the value is a digest made elsewhere. For a type that matches hashed values, anything of
 * the length of a SHA-256 is one. Where an address is expected nothing else can be meant by it. */
static bool is_digest_of(const struct identity_type *type, struct span value, bool is_digest)
{
    bool is_said = is_digest && has_length_of_digest(value),
         is_sha256 = (type->match_hashed || type->normaliser == NORMALISE_EMAIL) && value.len == 64;
    return (is_said || is_sha256) && is_hexadecimal(value);
}

bool identity_is_digest_form(struct span form)
{
    for (size_t i = 0; i < form.len; i++)
        if (lower(form.ptr[i]) != form.ptr[i])
            return false;
    return has_length_of_digest(form) && is_hexadecimal(form);
}

bool identity_normalise(const struct identity_policy *policy, const struct identity_type *type,
                        struct span value, bool is_digest, struct arena *arena,
                        struct identity_value *out)
{
    value = span_trim(value);
    if (value.len > IDENTITY_MAX_VALUE || identity_is_blocked(policy, type, value))
        return false;
    *out = (struct identity_value){value, false};
    if (is_digest_of(type, value, is_digest)) {
        out->text = lowered(arena, value);
        return true;
    }
    out->needs_digest = type->match_hashed;
    if (type->normaliser == NORMALISE_PHONE)
        return normalise_phone(policy, value, arena, &out->text);
    return type->normaliser != NORMALISE_EMAIL || normalise_email(policy, value, arena, &out->text);
}
