/* warnings.h: what a person should know of a file that is valid. */
#ifndef TUTTI_WARNINGS_H
#define TUTTI_WARNINGS_H

#include "common/base/arena.h"

/* A sentence each, without the name of the file. */
struct warnings {
    struct span *items;
    size_t count, capacity;
};

/* text lives as long as the list. */
static inline void warnings_add(struct arena *arena, struct warnings *out, const char *text)
{
    *arena_push(arena, out) = span_of(text);
}

#endif
