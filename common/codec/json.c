/* json.c: jansson's tree copied into an arena with links to the parents, so that every error can
 * name its place. */
#include "common/codec/json.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/nearest.h"
#include "common/base/pack.h"

enum { MAX_FILE = 16 * 1024 * 1024 };

struct document {
    struct span name;
    bool is_file; /* otherwise data: never quoted */
};

struct json {
    enum json_shape shape;
    const struct document *document;
    const struct json *parent;
    struct span key; /* of a member */
    struct span text;
    int64_t integer; /* also a boolean */
    double real;
    size_t count;
    struct json *items;
};

static void copy(struct arena *arena, json_t *from, struct json *to);

static void adopt(struct json *child, const struct json *parent)
{
    child->document = parent->document;
    child->parent = parent;
}

static void copy_list(struct arena *arena, json_t *from, struct json *to)
{
    to->count = json_array_size(from);
    to->items = arena_array(arena, struct json, to->count);
    for (size_t i = 0; i < to->count; i++) {
        adopt(&to->items[i], to);
        copy(arena, json_array_get(from, i), &to->items[i]);
    }
}

static void copy_object(struct arena *arena, json_t *from, struct json *to)
{
    size_t i = 0;
    to->count = json_object_size(from);
    to->items = arena_array(arena, struct json, to->count);
    for (void *at = json_object_iter(from); at; at = json_object_iter_next(from, at), i++) {
        adopt(&to->items[i], to);
        to->items[i].key = arena_copy(arena, span_of(json_object_iter_key(at)));
        copy(arena, json_object_iter_value(at), &to->items[i]);
    }
}

static void copy(struct arena *arena, json_t *from, struct json *to)
{
    switch (json_typeof(from)) {
    case JSON_NULL:
        to->shape = SHAPE_NULL;
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        to->shape = SHAPE_BOOL;
        to->integer = json_is_true(from);
        break;
    case JSON_INTEGER:
        to->shape = SHAPE_INT;
        to->integer = json_integer_value(from);
        break;
    case JSON_REAL:
        to->shape = SHAPE_REAL;
        to->real = json_real_value(from);
        break;
    case JSON_STRING:
        to->shape = SHAPE_TEXT;
        to->text =
            arena_copy(arena, (struct span){json_string_value(from), json_string_length(from)});
        break;
    case JSON_ARRAY:
        to->shape = SHAPE_LIST;
        copy_list(arena, from, to);
        break;
    case JSON_OBJECT:
        to->shape = SHAPE_OBJECT;
        copy_object(arena, from, to);
        break;
    }
}

static enum outcome on_error(const struct document *document)
{
    return document->is_file ? OUTCOME_FATAL : OUTCOME_REJECT;
}

static enum outcome parse(struct arena *arena, struct span text, const struct document *document,
                          const struct json **out, struct err *err)
{
    json_error_t where;
    *out = NULL;
    json_object_seed(0);
    json_t *tree = json_loadb(text.ptr ? text.ptr : "", text.len,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
    if (tree == NULL)
        return err_set(err, on_error(document), "json_invalid", SPAN_FMT ":%d:%d: %s",
                       SPAN_ARG(document->name), where.line, where.column,
                       document->is_file ? where.text : "not valid JSON");
    struct json *root = arena_new(arena, struct json);
    root->document = document;
    copy(arena, tree, root);
    json_decref(tree);
    *out = root;
    return OUTCOME_OK;
}

static const struct document *new_document(struct arena *arena, const char *name, bool is_file)
{
    struct document *document = arena_new(arena, struct document);
    *document = (struct document){span_of(name), is_file};
    return document;
}

enum outcome json_parse_span(struct arena *arena, struct span text, const char *name,
                             const struct json **out, struct err *err)
{
    return parse(arena, text, new_document(arena, name, false), out, err);
}

enum outcome json_parse_file(struct arena *arena, struct span text, const char *path,
                             const struct json **out, struct err *err)
{
    return parse(arena, text, new_document(arena, path, true), out, err);
}

static enum outcome read_all(int fd, struct arena *arena, const char *path, struct span *out,
                             struct err *err)
{
    struct stat status;
    if (fd < 0 || fstat(fd, &status))
        return err_set(err, OUTCOME_FATAL, "file_unreadable", "%s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode) || status.st_size > MAX_FILE)
        return err_set(err, OUTCOME_FATAL, "file_unreadable",
                       "%s: not a regular file of at most 16 MB", path);
    char *bytes = arena_alloc(arena, (size_t)status.st_size + 1);
    size_t have = 0;
    for (ssize_t n = 1; n > 0 && have < (size_t)status.st_size; have += (size_t)n)
        if ((n = read(fd, bytes + have, (size_t)status.st_size - have)) < 0)
            return err_set(err, OUTCOME_FATAL, "file_unreadable", "%s: %s", path, strerror(errno));
    *out = (struct span){bytes, have};
    return OUTCOME_OK;
}

enum outcome json_read_file(struct arena *arena, const char *path, const struct json **out,
                            struct err *err)
{
    struct span text = SPAN_NONE;
    *out = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum outcome outcome = read_all(fd, arena, path, &text, err);
    if (fd >= 0)
        close(fd);
    if (outcome)
        return outcome;
    struct span name = arena_copy(arena, span_of(path));
    return json_parse_file(arena, text, name.ptr, out, err);
}

enum json_shape json_shape(const struct json *value)
{
    return value ? value->shape : SHAPE_NULL;
}

size_t json_count(const struct json *value)
{
    return value ? value->count : 0;
}

const struct json *json_at(const struct json *value, size_t i)
{
    return i < json_count(value) ? &value->items[i] : NULL;
}

struct span json_key(const struct json *value)
{
    return value->key;
}

struct span json_name(const struct json *value)
{
    return value->document->name;
}

const struct json *json_get(const struct json *value, const char *key)
{
    if (json_shape(value) != SHAPE_OBJECT)
        return NULL;
    for (size_t i = 0; i < value->count; i++)
        if (span_is(value->items[i].key, key))
            return value->items[i].shape == SHAPE_NULL ? NULL : &value->items[i];
    return NULL;
}

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
        err_set(err, on_error(value->document), "json_invalid", SPAN_FMT ": %s%s%s", SPAN_ARG(name),
                path.len ? path.ptr : "", path.len ? ": " : "", what);
    strbuf_free(&path);
    return outcome;
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

/* Whoever writes null may mean the default, none or no bound. */
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
