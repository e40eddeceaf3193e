/* call.h: splits a command's part of the command line from what belongs to the settings. */
#ifndef TUTTI_CLI_CALL_H
#define TUTTI_CLI_CALL_H

#include "cli/command.h"

enum { MAX_REST = 128 };
struct command_line {
    int count;
    char *arguments[MAX_REST]; /* for config_load: the program's name first */
    bool wants_help;
};

/* Options of the command and positional arguments go to call, every other flag to rest. */
enum exit_status call_parse(struct call *call, int argc, char **argv, struct command_line *rest);

#endif
