/* journey_follow_alone.c: sales without a customer, counted when nothing can change any more. */
#include "services/journey-tracker/follow/journey_follow_internal.h"

enum outcome follow_alone(struct follow *follow, bool *is_done, struct follow_cells *cells,
                          struct err *err)
{
    struct saving saving;
    arena_reset(&follow->step_arena);
    saving_init(&saving, &follow->step_arena);
    CHECK(alone_sales_next(&follow->tracker, &follow->alone, &saving, is_done, err));
    *cells = follow_sorted_cells(&follow->step_arena, &saving.effects);
    return follow_write_rows(follow, &saving, err);
}
