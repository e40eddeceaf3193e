/* json.c: jansson's tree copied into an arena with links to the parents, so that every error can
 * name its place. */
#include "common/codec/json_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_FILE = 16 * 1024 * 1024 };

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

static enum outcome parse(struct arena *arena, struct span text, const struct document *document,
                          const struct json **out, struct err *err)
{
    json_error_t where;
    *out = NULL;
    json_object_seed(0);
    json_t *tree = json_loadb(text.ptr ? text.ptr : "", text.len,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
    if (tree == NULL)
        return err_set(err, json_on_error(document), "json_invalid", SPAN_FMT ":%d:%d: %s",
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
    CHECK(outcome);
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
