/* arena.c: blocks of doubling size, reused after a reset. A large piece has a block of its own,
 * which malloc can grow in place. */
#include "common/base/arena.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_BLOCK = 64 * 1024, LARGEST_BLOCK = 4 * 1024 * 1024, LARGE = 512 * 1024 };

struct arena_block {
    struct arena_block *next, *previous; /* previous: of large ones only */
    size_t size;
    _Alignas(16) char data[];
};

struct arena_cleanup {
    struct arena_cleanup *next;
    void (*run)(void *what);
    void *what;
};

static void enter_block(struct arena *arena, struct arena_block *block)
{
    arena->current = block;
    arena->at = block->data;
    arena->end = block->data + block->size;
}

static void add_block(struct arena *arena, size_t need)
{
    struct arena_block *after = arena->current;
    if (after && after->next && after->next->size >= need) {
        enter_block(arena, after->next);
        return;
    }
    size_t size = after ? after->size * 2 : FIRST_BLOCK;
    if (size > LARGEST_BLOCK)
        size = LARGEST_BLOCK;
    if (size < need)
        size = LARGEST_BLOCK;
    struct arena_block *block = malloc(sizeof *block + size);
    if (block == NULL)
        abort();
    block->size = size;
    block->next = after ? after->next : NULL;
    if (after)
        after->next = block;
    else
        arena->first = block;
    enter_block(arena, block);
}

/* What an allocation of size bytes takes: a multiple of 16, also for 0 bytes, so that each has its
 * own address. */
static size_t taken(size_t size)
{
    if (size > SIZE_MAX / 2)
        abort();
    return size ? (size + 15) & ~(size_t)15 : 16;
}

/* A large block: the same for a new one (old NULL) and for one that grows. */
static void *large_block(struct arena *arena, struct arena_block *old, size_t size)
{
    struct arena_block *block = realloc(old, sizeof *block + size);
    if (block == NULL)
        abort();
    if (old == NULL) {
        block->next = arena->large;
        block->previous = NULL;
    }
    block->size = size;
    if (block->next)
        block->next->previous = block;
    if (block->previous)
        block->previous->next = block;
    else
        arena->large = block;
    return block->data;
}

static void free_blocks(struct arena_block *block)
{
    for (struct arena_block *next; block; block = next) {
        next = block->next;
        free(block);
    }
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size = taken(size);
    if (size > LARGE) {
        arena->used += size;
        return large_block(arena, NULL, size);
    }
    if ((size_t)(arena->end - arena->at) < size)
        add_block(arena, size);
    void *p = arena->at;
    arena->at += size;
    arena->used += size;
    return p;
}

void *arena_calloc(struct arena *arena, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / 2 / size)
        abort();
    void *p = arena_alloc(arena, count * size);
    memset(p, 0, count * size);
    return p;
}

void *arena_realloc(struct arena *arena, void *old, size_t old_size, size_t new_size)
{
    size_t before = taken(old_size), after = taken(new_size);
    if (old && before > LARGE && after > LARGE) {
        arena->used += after - before;
        return large_block(
            arena, (struct arena_block *)((char *)old - offsetof(struct arena_block, data)), after);
    }
    if (old && after <= LARGE && (char *)old + before == arena->at &&
        (size_t)(arena->end - (char *)old) >= after) {
        arena->at = (char *)old + after;
        arena->used += after - before;
        return old;
    }
    void *p = arena_alloc(arena, new_size);
    if (old && old_size)
        memcpy(p, old, old_size < new_size ? old_size : new_size);
    return p;
}

struct span arena_copy(struct arena *arena, struct span bytes)
{
    if (bytes.ptr == NULL)
        return bytes;
    char *p = arena_alloc(arena, bytes.len + 1);
    memcpy(p, bytes.ptr, bytes.len);
    p[bytes.len] = '\0';
    return (struct span){p, bytes.len};
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list ap, again;
    va_start(ap, format);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    char *p = arena_alloc(arena, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, format, again);
    va_end(again);
    return p;
}

void arena_defer(struct arena *arena, void (*run)(void *what), void *what)
{
    struct arena_cleanup *cleanup = arena_new(arena, struct arena_cleanup);
    *cleanup = (struct arena_cleanup){arena->cleanups, run, what};
    arena->cleanups = cleanup;
}

static void run_cleanups(struct arena *arena)
{
    for (struct arena_cleanup *c = arena->cleanups; c; c = c->next)
        c->run(c->what);
    arena->cleanups = NULL;
}

void arena_reset(struct arena *arena)
{
    run_cleanups(arena);
    arena->used = 0;
    free_blocks(arena->large);
    arena->large = NULL;
    if (arena->first)
        enter_block(arena, arena->first);
}

void arena_free(struct arena *arena)
{
    run_cleanups(arena);
    free_blocks(arena->first);
    free_blocks(arena->large);
    *arena = (struct arena){0};
}
