/* settings.c: the settings of the command line itself. */
#include "cli/command.h"

const struct setting cli_settings[] = {
    {"python", SETTING_TEXT, "python3", 0, 0, NULL,
     "Python of `tutti import`, with the packages of dev/requirements.txt."},
    {.name = NULL},
};
