/* converter.h: a Python program that prints a public data set as touchpoints, one line of JSON
 * each. */
#ifndef TUTTI_DATA_CONVERTER_H
#define TUTTI_DATA_CONVERTER_H

#include <stdio.h>
#include <sys/types.h>

#include "common/base/arena.h"
#include "common/base/outcome.h"

/* Where data/<name>.py lies: in the sources, next to the program in the build folder, or installed.
 * NULL if it is nowhere. */
const char *converter_find(struct arena *arena, const char *name);

struct converter {
    const char *python;
    pid_t child;
    FILE *lines; /* what it prints */
};

/* Starts it under a Python. FATAL "converter" if there is no process to be had; a Python that does
 * not exist shows in converter_wait. */
enum outcome converter_start(const char *python, const char *path, struct converter *out,
                             struct err *err);
/* Waits for its end. FATAL "converter" with what an operator can do, unless it exited with 0. */
enum outcome converter_wait(struct converter *converter, struct err *err);
/* Ends it early. */
void converter_stop(struct converter *converter);

#endif
