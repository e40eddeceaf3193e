/* arena.h: bump allocation. A batch owns an arena; decoded events, loaded state and effects live
 * and die with it. */
#ifndef TUTTI_BASE_ARENA_H
#define TUTTI_BASE_ARENA_H

#include "common/base/span.h"

struct arena_block;
struct arena_cleanup;
struct arena {
    struct arena_block *first, *current, *large;
    struct arena_cleanup *cleanups; /* newest first */
    char *at, *end;
    size_t used; /* bytes handed out since the last reset */
};

/* A zeroed struct arena is ready for use. Running out of memory ends the process: a service
 * restarts safely. */
void *arena_alloc(struct arena *arena, size_t size); /* 16-byte aligned, not cleared */
void *arena_calloc(struct arena *arena, size_t count, size_t size);
/* Grows an array inside the arena: a copy unless it was the last allocation. old NULL: a new one.
 */
void *arena_realloc(struct arena *arena, void *old, size_t old_size, size_t new_size);
struct span arena_copy(struct arena *arena, struct span bytes);
/* Calls `run` with `what` when the arena is reset or freed, in the reverse order of these calls:
 * for what a library allocated and only the library can free. */
void arena_defer(struct arena *arena, void (*run)(void *what), void *what);
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Everything handed out becomes invalid; the blocks are kept for reuse, but large allocations go
 * back to malloc. */
void arena_reset(struct arena *arena);
void arena_free(struct arena *arena);

#define arena_new(arena, type)          ((type *)arena_calloc((arena), 1, sizeof(type)))
#define arena_array(arena, type, count) ((type *)arena_calloc((arena), (count), sizeof(type)))

/* Appends to an array {type *items; size_t count, capacity;} that lives in the arena; yields the
 * new element. */
#define arena_push(arena, list)                                                                    \
    ((list)->count == (list)->capacity                                                             \
         ? (void)((list)->items = arena_realloc(                                                   \
                      (arena), (list)->items, (list)->capacity * sizeof *(list)->items,            \
                      ((list)->capacity ? (list)->capacity * 2 : 16) * sizeof *(list)->items),     \
                  (list)->capacity = (list)->capacity ? (list)->capacity * 2 : 16)                 \
         : (void)0,                                                                                \
     &(list)->items[(list)->count++])

#endif
