/* batches.h: long work over a table as bounded transactions, which can be stopped between two of
 * them. */
#ifndef TUTTI_CLI_BATCHES_H
#define TUTTI_CLI_BATCHES_H

#include "cli/progress.h"
#include "common/base/arena.h"
#include "common/store/db.h"

/* One batch inside a transaction; *found is 0 at the end. The arena is the batch's. */
typedef enum outcome batch_step(void *work, struct arena *arena, int *found, struct err *err);

/* Runs step until it finds nothing; it calls progress_step itself. FATAL "stopped" at a signal:
 * what was committed stays. */
enum outcome batches_run(struct db *db, struct progress *progress, const char *what,
                         batch_step *step, void *work, struct err *err);

#endif
