/* json_check.c: what a reader of a document asks of it: its keys, and values of a type. Every error
 * names the place. */
#include <stdio.h>

#include "common/base/nearest.h"
#include "common/base/pack.h"
#include "common/codec/json_internal.h"

enum { WHOLE_DIGITS = 12, DECIMALS = 6 }; /* of an amount */

/* Appends "rules[3].per"; nothing for the root. Recursion is as deep as the text, which jansson
 * limits. */
static void add_path(struct strbuf *out, const struct json *value)
{
    const struct json *parent = value->parent;
    if (parent == NULL)
        return;
    add_path(out, parent);
    if (parent->shape == SHAPE_LIST)
        strbuf_addf(out, "[%zu]", (size_t)(value - parent->items));
    else
        strbuf_addf(out, "%s" SPAN_FMT, out->len ? "." : "", SPAN_ARG(value->key));
}

enum outcome json_fail(const struct json *value, struct err *err, const char *format, ...)
{
    struct strbuf path = {0};
    char what[320];
    va_list ap;
    va_start(ap, format);
    vsnprintf(what, sizeof what, format, ap);
    va_end(ap);
    add_path(&path, value);
    struct span name = json_name(value);
    enum outcome outcome =
        err_set(err, json_on_error(value->document), "json_invalid", SPAN_FMT ": %s%s%s",
                SPAN_ARG(name), path.len ? path.ptr : "", path.len ? ": " : "", what);
    strbuf_free(&path);
    return outcome;
}

enum outcome json_placed(const struct json *value, enum outcome outcome, struct err *err)
{
    if (outcome == OUTCOME_OK)
        return OUTCOME_OK;
    const struct err found = *err;
    return json_fail(value, err, "%s", found.message);
}

enum outcome json_fail_nearest(const struct json *value, const struct nearest *nearest,
                               const char *what, struct err *err)
{
    if (nearest->name.ptr == NULL)
        return json_fail(value, err, "%s", what);
    return json_fail(value, err, "%s; did you mean \"" SPAN_FMT "\"?", what,
                     SPAN_ARG(nearest->name));
}

/* What a value is, for the end of "expected x, got y"; at most 60 bytes of a text. */
static const char *describe(const struct json *value, char *text, size_t size)
{
    static const char *const shapes[] = {"null", NULL, NULL, NULL, NULL, "a list", "an object"};
    if (shapes[value->shape])
        return shapes[value->shape];
    if (value->shape == SHAPE_BOOL)
        return value->integer ? "true" : "false";
    if (value->shape == SHAPE_INT)
        snprintf(text, size, "%lld", (long long)value->integer);
    else if (value->shape == SHAPE_REAL)
        snprintf(text, size, "%g", value->real);
    else
        snprintf(text, size, "\"%.60s\"", value->text.ptr);
    return text;
}

/* Data never enters an error of a touchpoint's text: only files are quoted. */
static enum outcome expected(const struct json *value, const char *what, struct err *err)
{
    char text[80];
    if (!value->document->is_file)
        return json_fail(value, err, "expected %s", what);
    return json_fail(value, err, "expected %s, got %s", what, describe(value, text, sizeof text));
}

/* The next blank-separated word of *list; false at the end. */
static bool next_word(struct span *list, struct span *word)
{
    *list = span_trim(*list);
    const char *blank = memchr(list->ptr, ' ', list->len);
    size_t len = blank ? (size_t)(blank - list->ptr) : list->len;
    *word = (struct span){list->ptr, len};
    *list = (struct span){list->ptr + len, list->len - len};
    return len > 0;
}

static bool has_word(const char *list, struct span word)
{
    struct span rest = span_of(list), each;
    while (next_word(&rest, &each))
        if (span_equal(each, word))
            return true;
    return false;
}

static void consider_words(const char *list, struct nearest *nearest)
{
    struct span rest = span_of(list), each;
    while (next_word(&rest, &each))
        nearest_consider(nearest, each);
}

static enum outcome unknown_key(const struct json *member, const char *required,
                                const char *optional, struct err *err)
{
    struct nearest nearest = nearest_start(member->key, 3); /* further away is no help */
    consider_words(required, &nearest);
    consider_words(optional, &nearest);
    if (nearest.name.ptr == NULL)
        return json_fail(member, err, "unknown key");
    return json_fail(member, err, "unknown key, did you mean \"" SPAN_FMT "\"?",
                     SPAN_ARG(nearest.name));
}

/* Where editors look for the schema of a document. */
static bool is_schema(const struct json *member)
{
    return member->parent->parent == NULL && span_is(member->key, "$schema");
}

static enum outcome check_known(const struct json *member, const char *required,
                                const char *optional, struct err *err)
{
    if (is_schema(member))
        return member->shape == SHAPE_TEXT ? OUTCOME_OK : expected(member, "a text", err);
    return has_word(required, member->key) || has_word(optional, member->key)
               ? OUTCOME_OK
               : unknown_key(member, required, optional, err);
}

/* A null could mean the default, none, or no bound: it is refused. */
static enum outcome check_no_null(const struct json *value, struct err *err)
{
    for (size_t i = 0; i < value->count && value->document->is_file; i++)
        if (value->items[i].shape == SHAPE_NULL)
            return json_fail(&value->items[i], err,
                             "null is no value: leave the key out for the default");
    return OUTCOME_OK;
}

enum outcome json_check_keys(const struct json *value, const char *required, const char *optional,
                             struct err *err)
{
    struct span rest = span_of(required), word;
    if (value->shape != SHAPE_OBJECT)
        return expected(value, "an object", err);
    for (size_t i = 0; i < value->count; i++)
        CHECK(check_known(&value->items[i], required, optional, err));
    while (next_word(&rest, &word)) {
        char key[64];
        snprintf(key, sizeof key, SPAN_FMT, SPAN_ARG(word));
        if (json_get(value, key) == NULL)
            return json_fail(value, err, "\"%s\" is missing", key);
    }
    return check_no_null(value, err);
}

enum outcome json_as_text(const struct json *value, struct span *out, struct err *err)
{
    if (value->shape != SHAPE_TEXT)
        return expected(value, "a text", err);
    *out = value->text;
    return OUTCOME_OK;
}

enum outcome json_as_int(const struct json *value, int64_t min, int64_t max, int64_t *out,
                         struct err *err)
{
    char what[80];
    if (value->shape != SHAPE_INT || value->integer < min || value->integer > max) {
        snprintf(what, sizeof what, "a whole number from %lld to %lld", (long long)min,
                 (long long)max);
        return expected(value, what, err);
    }
    *out = value->integer;
    return OUTCOME_OK;
}

enum outcome json_as_real(const struct json *value, double *out, struct err *err)
{
    if (value->shape != SHAPE_INT && value->shape != SHAPE_REAL)
        return expected(value, "a number", err);
    *out = value->shape == SHAPE_INT ? (double)value->integer : value->real;
    return OUTCOME_OK;
}

enum outcome json_as_bool(const struct json *value, bool *out, struct err *err)
{
    if (value->shape != SHAPE_BOOL)
        return expected(value, "true or false", err);
    *out = value->integer != 0;
    return OUTCOME_OK;
}

enum outcome json_as_duration(const struct json *value, struct duration *out, struct err *err)
{
    struct duration d;
    if (value->shape != SHAPE_TEXT || !duration_parse(value->text, &d))
        return expected(value, "an ISO 8601 duration such as P30D", err);
    *out = d;
    return OUTCOME_OK;
}

/* A decimal text: false unless it has digits, and at most so many before and after the point. */
static bool micros_of(struct span text, int64_t *out)
{
    size_t i = text.len > 0 && text.ptr[0] == '-', whole = 0, places = 0;
    int64_t number = 0;
    for (; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++, whole++)
        number = whole < WHOLE_DIGITS ? number * 10 + (text.ptr[i] - '0') : number;
    if (whole == 0 || whole > WHOLE_DIGITS)
        return false;
    bool has_point = i < text.len && text.ptr[i] == '.';
    for (i += has_point; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++, places++)
        number = places < DECIMALS ? number * 10 + (text.ptr[i] - '0') : number;
    if (i < text.len || places > DECIMALS || (has_point && places == 0))
        return false;
    for (; places < DECIMALS; places++)
        number *= 10;
    *out = text.ptr[0] == '-' ? -number : number;
    return true;
}

enum outcome json_as_amount(const struct json *value, int64_t *micros, struct err *err)
{
    if (value->shape != SHAPE_TEXT || !micros_of(value->text, micros))
        return expected(value, "an amount as text, such as \"99.50\"", err);
    return OUTCOME_OK;
}

enum outcome json_as_choice(const struct json *value, const char *choices, int *out,
                            struct err *err)
{
    char what[240];
    int i = 0;
    for (const char *at = choices; value->shape == SHAPE_TEXT && *at; i++) {
        size_t len = strcspn(at, "|");
        if (span_equal(value->text, (struct span){at, len})) {
            *out = i;
            return OUTCOME_OK;
        }
        at += len + (at[len] == '|');
    }
    snprintf(what, sizeof what, "one of %s", choices);
    return expected(value, what, err);
}

enum outcome json_text(const struct json *object, const char *key, struct span *out,
                       struct err *err)
{
    const struct json *value = json_get(object, key);
    return value ? json_as_text(value, out, err) : OUTCOME_OK;
}

enum outcome json_int(const struct json *object, const char *key, int64_t min, int64_t max,
                      int64_t *out, struct err *err)
{
    const struct json *value = json_get(object, key);
    return value ? json_as_int(value, min, max, out, err) : OUTCOME_OK;
}

enum outcome json_bool(const struct json *object, const char *key, bool *out, struct err *err)
{
    const struct json *value = json_get(object, key);
    return value ? json_as_bool(value, out, err) : OUTCOME_OK;
}

enum outcome json_duration(const struct json *object, const char *key, struct duration *out,
                           struct err *err)
{
    const struct json *value = json_get(object, key);
    return value ? json_as_duration(value, out, err) : OUTCOME_OK;
}

enum outcome json_amount(const struct json *object, const char *key, int64_t *micros,
                         struct err *err)
{
    const struct json *value = json_get(object, key);
    return value ? json_as_amount(value, micros, err) : OUTCOME_OK;
}

enum outcome json_choice(const struct json *object, const char *key, const char *choices, int *out,
                         struct err *err)
{
    const struct json *value = json_get(object, key);
    return value ? json_as_choice(value, choices, out, err) : OUTCOME_OK;
}

enum outcome json_list(const struct json *object, const char *key, const struct json **out,
                       struct err *err)
{
    *out = json_get(object, key);
    return *out && (*out)->shape != SHAPE_LIST ? expected(*out, "a list", err) : OUTCOME_OK;
}

enum outcome json_section(const struct json *object, const char *key, const struct json **out,
                          struct err *err)
{
    *out = json_get(object, key);
    return *out && (*out)->shape != SHAPE_OBJECT ? expected(*out, "an object", err) : OUTCOME_OK;
}
