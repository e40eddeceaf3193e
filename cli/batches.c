/* batches.c: see batches.h. */
#include "cli/batches.h"

#include "common/runtime/stop.h"

enum outcome batches_run(struct db *db, struct progress *progress, const char *what,
                         batch_step *step, void *work, struct err *err)
{
    struct arena arena = {0};
    enum outcome o = OUTCOME_OK;
    progress_start(progress, what, 0);
    for (int found = 1; found > 0 && o == OUTCOME_OK && !stop_requested();) {
        o = db_begin(db, err);
        if (o == OUTCOME_OK)
            o = step(work, &arena, &found, err);
        if (o == OUTCOME_OK)
            o = db_commit(db, err);
        else
            db_rollback(db);
        arena_reset(&arena);
    }
    progress_end(progress);
    arena_free(&arena);
    return o == OUTCOME_OK && stop_requested()
               ? err_set(err, OUTCOME_FATAL, "stopped", "stopped; run it again to go on")
               : o;
}
