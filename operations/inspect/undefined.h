/* undefined.h: words of consent that the contact policy has no meaning for. */
#ifndef TUTTI_OPERATIONS_INSPECT_UNDEFINED_H
#define TUTTI_OPERATIONS_INSPECT_UNDEFINED_H

#include "common/store/db.h"

struct undefined_word {
    struct span word; /* folded */
    int64_t touchpoints;
};

struct undefined_words {
    struct undefined_word *items; /* the most frequent first, in the arena */
    size_t count, capacity;
};

/* FATAL "no_generation" if no policy is active. */
enum outcome undefined_words(struct db *db, struct arena *arena, struct undefined_words *out,
                             struct err *err);

#endif
