/* batches.h: long work over a table as bounded transactions, which can be stopped between two of
 * them. */
#ifndef TUTTI_OPERATIONS_BATCHES_H
#define TUTTI_OPERATIONS_BATCHES_H

#include "operations/desk.h"

/* One batch inside a transaction; *found is 0 at the end. The arena is the batch's. */
typedef enum outcome batch_step(void *work, struct arena *arena, int *found, struct err *err);

/* Runs step until it finds nothing; step calls desk_step itself. FATAL "stopped" if the desk is
 * stopped: what was committed stays. */
enum outcome batches_run(struct desk *desk, const char *what, batch_step *step, void *work,
                         struct err *err);

#endif
