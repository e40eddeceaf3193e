/* batches.c: one transaction per batch; see batches.h. */
#include "operations/batches.h"

static enum outcome run_one(struct desk *desk, batch_step *step, void *work, struct arena *arena,
                            int *found, struct err *err)
{
    CHECK(desk_check_stop(desk, err));
    CHECK(db_begin(desk->db, err));
    return db_end(desk->db, step(work, arena, found, err), err);
}

enum outcome batches_run(struct desk *desk, const char *what, batch_step *step, void *work,
                         struct err *err)
{
    struct arena arena = {0};
    enum outcome outcome = OUTCOME_OK;
    desk_begin(desk, what, 0);
    for (int found = 1; found > 0 && outcome == OUTCOME_OK;) {
        outcome = run_one(desk, step, work, &arena, &found, err);
        arena_reset(&arena);
    }
    desk_end(desk);
    arena_free(&arena);
    return outcome;
}
