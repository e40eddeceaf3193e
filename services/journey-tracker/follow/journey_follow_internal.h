/* journey_follow_internal.h: what the journey_follow*.c files share. */
#ifndef TUTTI_JOURNEY_FOLLOW_INTERNAL_H
#define TUTTI_JOURNEY_FOLLOW_INTERNAL_H

#include "services/journey-tracker/follow/journey_follow.h"
#include "services/journey-tracker/journey_saving.h"
#include "services/journey-tracker/journey_sweep_sales.h"

struct follow {
    struct tracker tracker;
    struct arena arena, step_arena;
    struct alone_sales alone;
};

struct follow_keys {
    int64_t *items;
    size_t count, capacity;
};

struct follow_cells follow_sorted_cells(struct arena *arena, const struct journey_effects *effects);
enum outcome follow_write_rows(struct follow *follow, struct saving *saving, struct err *err);

#endif
