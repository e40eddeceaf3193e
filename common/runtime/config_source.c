/* config_source.c: reads files and the environment, and assigns what they give. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/pack.h"
#include "common/runtime/config_internal.h"

enum { LARGEST_FILE = 1024 * 1024 };

extern char **environ;

static enum outcome read_open_file(struct config *config, int fd, struct span *out, struct err *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || S_ISDIR(status.st_mode))
        return err_set(err, OUTCOME_FATAL, "config_file", "not a readable file");
    struct strbuf text = {.arena = &config->arena};
    for (;;) {
        strbuf_reserve(&text, 4096);
        ssize_t n = read(fd, text.ptr + text.len, 4096);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, OUTCOME_FATAL, "config_file", "%s", strerror(errno));
        if (n == 0)
            break;
        text.len += (size_t)n;
        if (text.len > LARGEST_FILE)
            return err_set(err, OUTCOME_FATAL, "config_file", "larger than 1 MB");
    }
    *out = strbuf_span(&text);
    return OUTCOME_OK;
}

static enum outcome read_whole(struct config *config, const char *path, struct span *out,
                               struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, OUTCOME_FATAL, "config_file", "%s", strerror(errno));
    enum outcome outcome = read_open_file(config, fd, out, err);
    close(fd);
    return outcome;
}

/* Assigning */

static void set_entry(struct config *config, struct entry *entry, struct span value,
                      enum origin origin, const char *where)
{
    entry->text = arena_copy(&config->arena, value).ptr;
    entry->origin = origin;
    entry->where = where;
    entry->order = ++config->assignments;
}

static struct entry *pass_through(struct config *config, const char *key)
{
    struct entry *entry = config_find(config, key);
    if (entry)
        return entry;
    entry = arena_push(&config->arena, config);
    *entry = (struct entry){.name = arena_copy(&config->arena, span_of(key)).ptr};
    return entry;
}

/* The name of the secret that key is the _file form of, or NULL. */
static const char *secret_of_file_key(struct config *config, const char *key)
{
    size_t n = strlen(key);
    if (n <= 5 || strcmp(key + n - 5, "_file") != 0)
        return NULL;
    const char *name = arena_printf(&config->arena, "%.*s", (int)(n - 5), key);
    const struct entry *entry = config_find(config, name);
    bool is_secret = entry && entry->setting ? entry->setting->type == SETTING_SECRET
                                             : config_is_secret_kafka(name);
    return is_secret ? name : NULL;
}

static enum outcome assign_secret_file(struct config *config, const char *name, struct span path,
                                       enum origin origin, const char *where, struct err *err)
{
    struct span content = SPAN_NONE;
    const char *path_text = arena_copy(&config->arena, path).ptr;
    enum outcome outcome = read_whole(config, path_text, &content, err);
    if (outcome != OUTCOME_OK)
        return err_prefix(err, "%s: %s_file = %.100s", where, name, path_text);
    if (content.len > 0 && content.ptr[content.len - 1] == '\n')
        content.len--;
    if (content.len > 0 && content.ptr[content.len - 1] == '\r')
        content.len--;
    if (content.len > 0 && memchr(content.ptr, '\0', content.len))
        return err_set(err, OUTCOME_FATAL, "config_file", "%s: %s_file = %.100s: holds a NUL byte",
                       where, name, path_text);
    set_entry(config, pass_through(config, name), content, origin,
              arena_printf(&config->arena, "%s, file %s", where, path_text));
    return OUTCOME_OK;
}

enum outcome config_assign(struct config *config, const char *key, struct span value,
                           enum origin origin, const char *where, bool *known, struct err *err)
{
    struct entry *entry = config_find(config, key);
    const char *secret = entry && entry->setting ? NULL : secret_of_file_key(config, key);
    *known =
        (entry && entry->setting) || secret || (strncmp(key, "kafka.", 6) == 0 && key[6] != '\0');
    if (!*known)
        return OUTCOME_OK;
    if (!span_is_clean_utf8(value))
        return err_set(err, OUTCOME_FATAL, "config_syntax",
                       "%s: the value of %s is not clean UTF-8", where, key);
    entry = config_find(config, secret ? secret : key);
    /* The environment has no order, so S and S_FILE together have no winner. */
    if (entry && entry->order && entry->origin == ORIGIN_ENVIRONMENT &&
        origin == ORIGIN_ENVIRONMENT)
        return err_set(err, OUTCOME_FATAL, "config_twice", "%s: %s is given by %s too", where,
                       entry->name, entry->where);
    if (secret)
        return assign_secret_file(config, secret, value, origin, where, err);
    set_entry(config, pass_through(config, key), value, origin, where);
    return OUTCOME_OK;
}

/* File */

static enum outcome read_line(struct config *config, struct span line, const char *where,
                              struct err *err)
{
    bool known;
    line = span_trim(line);
    if (line.len == 0 || line.ptr[0] == '#')
        return OUTCOME_OK;
    const char *equals = memchr(line.ptr, '=', line.len);
    if (equals == NULL)
        return err_set(err, OUTCOME_FATAL, "config_syntax",
                       "%s: no '=' in this line; expected `key = value`", where);
    struct span key = span_trim((struct span){line.ptr, (size_t)(equals - line.ptr)});
    struct span value =
        span_trim((struct span){equals + 1, line.len - (size_t)(equals + 1 - line.ptr)});
    if (key.len == 0)
        return err_set(err, OUTCOME_FATAL, "config_syntax",
                       "%s: no key before '='; expected `key = value`", where);
    if (!span_is_clean_utf8(line))
        return err_set(err, OUTCOME_FATAL, "config_syntax", "%s: not clean UTF-8", where);
    const char *name = arena_copy(&config->arena, key).ptr;
    enum outcome outcome = config_assign(config, name, value, ORIGIN_FILE, where, &known, err);
    if (outcome != OUTCOME_OK || known)
        return outcome;
    if (config_is_bare_kafka(config, name))
        return config_assign(config, arena_printf(&config->arena, "kafka.%s", name), value,
                             ORIGIN_FILE, where, &known, err);
    return err_set(err, OUTCOME_FATAL, "config_unknown", "%s: unknown setting \"%.100s\"%s", where,
                   name, config_nearest_key(config, name));
}

enum outcome config_read_file(struct config *config, const char *path, struct err *err)
{
    struct span text = SPAN_NONE;
    enum outcome outcome = read_whole(config, path, &text, err);
    if (outcome != OUTCOME_OK)
        return err_prefix(err, "configuration file %.150s", path);
    if (text.len >= 3 && memcmp(text.ptr, "\xEF\xBB\xBF", 3) == 0)
        text = (struct span){text.ptr + 3, text.len - 3};
    for (int line = 1; text.len > 0 && outcome == OUTCOME_OK; line++) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t length = end ? (size_t)(end - text.ptr) : text.len;
        outcome = read_line(config, (struct span){text.ptr, length},
                            arena_printf(&config->arena, "%.150s:%d", path, line), err);
        size_t step = length + (end != NULL);
        text = (struct span){text.ptr + step, text.len - step};
    }
    return outcome;
}

/* Environment */

/* The key that a variable means: a setting or its _file form by exact mapping, else kafka.* with
 * '_' for '.'; NULL if none. */
static const char *key_of_variable(struct config *config, const char *variable)
{
    for (size_t i = 0; i < config->count; i++) {
        const struct entry *entry = &config->items[i];
        const char *own = entry->setting ? config_variable_of(config, entry->name) : NULL;
        if (own && strcmp(own, variable) == 0)
            return entry->name;
        if (own && entry->setting->type == SETTING_SECRET &&
            strcmp(arena_printf(&config->arena, "%s_FILE", own), variable) == 0)
            return arena_printf(&config->arena, "%s_file", entry->name);
    }
    if (strncmp(variable, "TUTTI_KAFKA_", 12) != 0 || variable[12] == '\0')
        return NULL;
    char *key = arena_printf(&config->arena, "%s", variable + strlen("TUTTI_"));
    for (char *p = key; *p; p++)
        *p = *p == '_' ? '.' : (char)tolower((unsigned char)*p);
    size_t n = strlen(key);
    bool is_file = n > 5 && strcmp(key + n - 5, ".file") == 0;
    const char *secret = is_file ? arena_printf(&config->arena, "%.*s", (int)(n - 5), key) : key;
    return is_file && config_is_secret_kafka(secret)
               ? arena_printf(&config->arena, "%s_file", secret)
               : key;
}

static enum outcome read_variable(struct config *config, const char *variable, const char *value,
                                  struct err *err)
{
    bool known;
    const char *key = key_of_variable(config, variable);
    if (key == NULL) {
        const char *nearest = config_nearest_variable(config, variable);
        if (nearest)
            return err_set(err, OUTCOME_FATAL, "config_unknown",
                           "environment: unknown variable \"%.100s\"%s", variable, nearest);
        config->ignored = config->ignored
                              ? arena_printf(&config->arena, "%s %.100s", config->ignored, variable)
                              : variable;
        return OUTCOME_OK;
    }
    const char *where = arena_printf(&config->arena, "environment %.100s", variable);
    return config_assign(config, key, span_of(value), ORIGIN_ENVIRONMENT, where, &known, err);
}

enum outcome config_read_environment(struct config *config, struct err *err)
{
    for (char **at = environ; at && *at; at++) {
        const char *equals = strchr(*at, '=');
        if (equals == NULL || strncmp(*at, "TUTTI_", 6) != 0)
            continue;
        const char *variable = arena_printf(&config->arena, "%.*s", (int)(equals - *at), *at);
        if (config_is_foreign_variable(variable, equals + 1))
            continue;
        CHECK(read_variable(config, variable, equals + 1, err));
    }
    return OUTCOME_OK;
}
