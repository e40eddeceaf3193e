/* config.c: brings tables, file, environment and flags together; see config.h for the rules. */
#include "common/runtime/config.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/runtime/config_internal.h"
#include "common/runtime/version.h"

/* The arguments as the flags that are ours and the settings. */
struct command_line {
    const char *file;
    bool check, print, help, version;
};

static void add_tables(struct config *config, const struct setting *const *tables)
{
    for (; *tables; tables++)
        for (const struct setting *s = *tables; s->name; s++)
            if (config_find(config, s->name) == NULL)
                *arena_push(&config->arena, config) = (struct entry){
                    .setting = s, .name = s->name, .text = s->default_value, .where = "default"};
}

static bool *own_switch(struct command_line *line, const char *name)
{
    return strcmp(name, "check-config") == 0   ? &line->check
           : strcmp(name, "print-config") == 0 ? &line->print
           : strcmp(name, "help") == 0         ? &line->help
           : strcmp(name, "version") == 0      ? &line->version
                                               : NULL;
}

/* Splits the argument at *at into name and value; the value of `--key value` is the next argument.
 * *value stays NULL for our own switches. */
static enum outcome take_flag(struct config *config, struct command_line *line, int argc,
                              char **argv, int *at, const char **name, const char **value,
                              struct err *err)
{
    const char *argument = argv[(*at)++];
    if (strcmp(argument, "-h") == 0)
        argument = "--help";
    if (strncmp(argument, "--", 2) != 0 || argument[2] == '\0' || argument[2] == '=')
        return err_set(err, OUTCOME_FATAL, "config_argument",
                       "unexpected argument \"%.100s\"; see --help", argument);
    size_t n = strcspn(argument + 2, "=");
    *name = arena_printf(&config->arena, "%.*s", (int)n, argument + 2);
    *value = argument[2 + n] == '=' ? argument + 2 + n + 1 : NULL;
    bool *own = own_switch(line, *name);
    if (own && *value)
        return err_set(err, OUTCOME_FATAL, "config_argument", "flag --%s takes no value", *name);
    if (own)
        *own = true;
    else if (*value == NULL && *at < argc)
        *value = argv[(*at)++];
    else if (*value == NULL)
        return err_set(err, OUTCOME_FATAL, "config_argument", "flag --%.100s needs a value", *name);
    return OUTCOME_OK;
}

static enum outcome assign_flag(struct config *config, const char *name, const char *value,
                                struct err *err)
{
    bool known;
    const char *where = arena_printf(&config->arena, "flag --%.100s", name);
    enum outcome outcome =
        config_assign(config, name, span_of(value), ORIGIN_FLAG, where, &known, err);
    if (outcome == OUTCOME_OK && !known)
        return err_set(err, OUTCOME_FATAL, "config_unknown", "unknown flag \"--%.100s\"%s", name,
                       config_nearest_flag(config, name));
    return outcome;
}

/* Run twice: first (assign = false) for our own flags, which say where the file is; last for the
 * settings. */
static enum outcome read_flags(struct config *config, struct command_line *line, int argc,
                               char **argv, bool assign, struct err *err)
{
    enum outcome outcome = OUTCOME_OK;
    for (int at = 1; at < argc && outcome == OUTCOME_OK;) {
        const char *name = NULL, *value = NULL;
        outcome = take_flag(config, line, argc, argv, &at, &name, &value, err);
        if (outcome != OUTCOME_OK || value == NULL)
            continue;
        if (strcmp(name, "config") == 0)
            line->file = value;
        else if (assign)
            outcome = assign_flag(config, name, value, err);
    }
    return outcome;
}

static enum outcome check_values(struct config *config, struct err *err)
{
    for (size_t i = 0; i < config->count; i++) {
        struct entry *entry = &config->items[i];
        if (entry->setting == NULL)
            continue;
        bool is_required = entry->setting->default_value == NULL;
        if (is_required && (entry->text == NULL || *entry->text == '\0'))
            return err_set(err, OUTCOME_FATAL, "config_missing",
                           "setting \"%s\" must be given (file, %s or --%s)", entry->name,
                           config_variable_of(config, entry->name), entry->name);
        CHECK(config_parse_value(entry, err));
    }
    return OUTCOME_OK;
}

static enum outcome read_sources(struct config *config, struct command_line *line, int argc,
                                 char **argv, struct err *err)
{
    const char *file = line->file ? line->file : getenv("TUTTI_CONFIG");
    if (file && *file)
        CHECK(config_read_file(config, file, err));
    CHECK(config_read_environment(config, err));
    CHECK(read_flags(config, line, argc, argv, true, err));
    return check_values(config, err);
}

/* Help and version are answered even where the rest of the configuration is broken. */
static enum outcome load(struct config *config, int argc, char **argv, enum config_action *action,
                         struct err *err)
{
    struct command_line line = {0};
    CHECK(read_flags(config, &line, argc, argv, false, err));
    *action = line.help || line.version || line.print ? CONFIG_EXIT_OK
              : line.check                            ? CONFIG_CHECK
                                                      : CONFIG_RUN;
    if (line.help)
        config_print_help(config);
    else if (line.version)
        printf("%s %s (%s)\n", config->program, TUTTI_VERSION, tutti_revision);
    if (line.help || line.version)
        return OUTCOME_OK;
    CHECK(read_sources(config, &line, argc, argv, err));
    if (line.print)
        config_print_values(config);
    return OUTCOME_OK;
}

enum outcome config_load(const char *program, const struct setting *const *tables, int argc,
                         char **argv, struct config **out, enum config_action *action,
                         struct err *err)
{
    struct config *config = calloc(1, sizeof *config);
    if (config == NULL)
        abort();
    config->program = program;
    *out = NULL;
    *action = CONFIG_RUN;
    add_tables(config, tables);
    enum outcome outcome = load(config, argc, argv, action, err);
    if (outcome == OUTCOME_OK && *action != CONFIG_EXIT_OK)
        *out = config;
    else
        config_free(config);
    return outcome;
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    arena_free(&config->arena);
    free(config);
}

const char *config_ignored(const struct config *config)
{
    return config->ignored ? config->ignored : "";
}

static const struct entry *must_find(const struct config *config, const char *name)
{
    const struct entry *entry = config_find(config, name);
    if (entry == NULL || entry->setting == NULL) {
        fprintf(stderr, "no setting \"%s\" in the tables\n", name);
        abort();
    }
    return entry;
}

const char *config_text(const struct config *config, const char *name)
{
    return must_find(config, name)->text;
}

int64_t config_int(const struct config *config, const char *name)
{
    return must_find(config, name)->number;
}

bool config_bool(const struct config *config, const char *name)
{
    return must_find(config, name)->number != 0;
}

struct duration config_duration(const struct config *config, const char *name)
{
    return (struct duration){must_find(config, name)->number};
}

static int by_order(const void *a, const void *b)
{
    const struct entry *const *x = a, *const *y = b;
    return ((*x)->order > (*y)->order) - ((*x)->order < (*y)->order);
}

enum outcome config_visit(const struct config *config, const char *prefix, config_visit_fn *visit,
                          void *arg, struct err *err)
{
    size_t length = strlen(prefix), count = 0;
    struct arena arena = {0};
    const struct entry **found = arena_array(&arena, const struct entry *, config->count);
    for (size_t i = 0; i < config->count; i++)
        if (config->items[i].setting == NULL && strncmp(config->items[i].name, prefix, length) == 0)
            found[count++] = &config->items[i];
    if (count)
        qsort(found, count, sizeof *found, by_order);
    enum outcome outcome = OUTCOME_OK;
    for (size_t i = 0; i < count && outcome == OUTCOME_OK; i++)
        outcome = visit(arg, found[i]->name + length, found[i]->text, err);
    arena_free(&arena);
    return outcome;
}
