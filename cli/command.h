/* command.h: what a command of `tutti` is, and what it is given.
 *
 * Data goes to stdout, messages to stderr. Exit status: 0 done, 1 failed, 2 used wrongly. */
#ifndef TUTTI_CLI_COMMAND_H
#define TUTTI_CLI_COMMAND_H

#include <stdio.h>

#include "common/base/instant.h"
#include "common/base/pack.h"
#include "common/runtime/config.h"

enum exit_status { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct option {
    const char *name;  /* without --; NULL ends a table */
    const char *value; /* what stands for the value in help; NULL: a switch */
    const char *help;
};

struct call;
struct command {
    const char *name;
    const char *arguments; /* as help shows them, for example "up|status" */
    const char *summary;   /* one line */
    const char *details;   /* paragraphs, may be NULL */
    const struct option *options;
    int max_arguments;
    enum exit_status (*run)(struct call *call);
};

enum { MAX_ARGUMENTS = 8, MAX_OPTIONS = 32 };

/* One run of a command: its arguments, options and settings. */
struct call {
    const struct command *command;
    const struct config *config;
    struct arena arena; /* lives as long as the call */
    const char *arguments[MAX_ARGUMENTS];
    int argument_count;
    const char
        *options[MAX_OPTIONS]; /* by position in command->options; a switch that is given is "" */
};

extern const struct setting cli_settings[];

/* Argument i, or NULL. */
const char *call_argument(const struct call *call, int i);
/* Value of an option of the command's table, NULL if it is not given. */
const char *call_option(const struct call *call, const char *name);
/* ... or another text if it was not given. */
const char *call_option_or(const struct call *call, const char *name, const char *otherwise);
bool call_has(const struct call *call, const char *name);
/* Whether the command's table has the option. */
bool call_knows(const struct call *call, const char *name);
/* The number of an option, or otherwise if it is not given; false and a message if it is no number
 * within [min, max]. */
bool call_number(const struct call *call, const char *name, int64_t min, int64_t max,
                 int64_t otherwise, int64_t *out);

/* The same for an option in seconds, at least one. */
bool call_seconds(const struct call *call, const char *name, int64_t max, int64_t otherwise,
                  struct duration *out);

/* Messages. complain is for errors ("error: ..."), warn for what does not stop the command. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "error: ..., see tutti help <command>"; returns EXIT_USAGE. */
enum exit_status misuse(const struct call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
enum exit_status failed(const struct err *err);

/* Escape sequence on a terminal that wants colours, else "". */
enum colour { COLOUR_OFF, COLOUR_BOLD, COLOUR_RED, COLOUR_GREEN, COLOUR_YELLOW };
const char *colour(FILE *stream, enum colour which);

extern const struct command command_migrate, command_topics, command_produce, command_cat,
    command_generate, command_import, command_explain, command_doctor, command_scoreboard,
    command_journey, command_influence, command_policy, command_identity, command_erase,
    command_contact;

#endif
