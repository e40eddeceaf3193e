/* section.h: answers made of several statements, each printed as a table under a heading, or all as
 * one JSON object. */
#ifndef TUTTI_CLI_SECTION_H
#define TUTTI_CLI_SECTION_H

#include "cli/database.h"

struct section {
    const char *name; /* key in JSON */
    const char *title;
    const struct statement
        *statement;          /* all columns of type text; $1 is the same for all, where used */
    const char *columns[12]; /* a name that begins with > is aligned to the right */
};

/* Runs and prints the sections (NULL-name-ended); parameter may be NULL. */
enum outcome sections_print(struct call *call, struct db *db, const struct section *sections,
                            const struct id *parameter, bool json, struct err *err);

#endif
