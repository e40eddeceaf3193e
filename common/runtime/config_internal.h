/* config_internal.h: what the parts of the configuration share: the loaded values and the functions
 * over them. */
#ifndef TUTTI_RUNTIME_CONFIG_INTERNAL_H
#define TUTTI_RUNTIME_CONFIG_INTERNAL_H

#include "common/base/arena.h"
#include "common/runtime/config.h"

enum origin { ORIGIN_DEFAULT, ORIGIN_FILE, ORIGIN_ENVIRONMENT, ORIGIN_FLAG };

/* One setting of a table, or one pass-through key. */
struct entry {
    const struct setting *setting; /* NULL for a pass-through key */
    const char *name;
    const char *text; /* NULL: not given and without default */
    enum origin origin;
    /* "/etc/tutti.conf:3", "environment TUTTI_X", "flag --x"; for messages and --print-config */
    const char *where;
    int64_t number; /* of int, bytes, bool and duration (microseconds) */
    uint64_t order; /* grows with each assignment */
};

struct config {
    struct arena arena;
    const char *program;
    struct entry *items;
    size_t count, capacity;
    uint64_t assignments;
    const char *ignored; /* TUTTI_ variables of other programs, blank-separated; NULL if none */
};

/* config_names.c: which names exist. */

/* The entry of an exact name, or NULL. */
struct entry *config_find(const struct config *config, const char *name);
/* True for a pass-through key that holds a secret, by its name. */
bool config_is_secret_kafka(const char *name);
/* True if a bare key of a file looks like one of librdkafka and like none of ours. */
bool config_is_bare_kafka(const struct config *config, const char *key);
/* True for TUTTI_ variables that are not settings. */
bool config_is_foreign_variable(const char *name, const char *value);
/* TUTTI_ + upper case of a setting's name, in the config's arena. */
const char *config_variable_of(struct config *config, const char *name);
/* "; the nearest is x" for an unknown key or flag (without dashes), in the config's arena. */
const char *config_nearest_key(struct config *config, const char *key);
const char *config_nearest_flag(struct config *config, const char *flag);
/* The same for a variable; NULL if none is near enough for a misspelling: it belongs to another
 * program. */
const char *config_nearest_variable(struct config *config, const char *variable);

/* config_source.c: where values come from. Each assigns what it finds; the later call wins. */
enum outcome config_read_file(struct config *config, const char *path, struct err *err);
enum outcome config_read_environment(struct config *config, struct err *err);
/* Assigns to a setting, its _file form, or a pass-through key. *known is false, and nothing was
 * done, if there is none. */
enum outcome config_assign(struct config *config, const char *key, struct span value,
                           enum origin origin, const char *where, bool *known, struct err *err);

/* config_value.c: text to number by type and range; fills entry->number. */
enum outcome config_parse_value(struct entry *entry, struct err *err);
/* The range as text of the setting's type ("1s to 5m"), "" if there is none. */
void config_range_text(const struct setting *setting, char *text, size_t size);

/* config_print.c */
void config_print_help(const struct config *config);
void config_print_values(const struct config *config);

#endif
