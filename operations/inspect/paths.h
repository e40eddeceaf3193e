/* paths.h: where customers go after a touch; nothing is changed. */
#ifndef TUTTI_OPERATIONS_INSPECT_PATHS_H
#define TUTTI_OPERATIONS_INSPECT_PATHS_H

#include "operations/desk.h"
#include "operations/report.h"

#define PATHS_START "(start)" /* the beginning of a journey, as a node */
enum { PATHS_MAX_STEPS = 5, PATHS_MAX_WITHIN_DAYS = 365 };

struct paths_request {
    const char *node;         /* where to start: a node of the journey map, or PATHS_START */
    const char *first, *last; /* days of the starts, YYYY-MM-DD; NULL: no bound */
    const char *segment;      /* that the customer is in at the start; NULL: any customer */
    struct duration within;   /* from a touch to the next one at most, up to 365 days */
    int32_t steps[PATHS_MAX_STEPS];
    size_t step_count;
    int32_t kinds; /* rows of a step at most, besides those in brackets */
};

/* A row per step and kind of touch, and a row of step 0: the starts. A node or a segment that does
 * not exist is an error that names the nearest one. */
enum outcome paths_after(struct desk *desk, const struct paths_request *request,
                         struct report *report, struct err *err);

#endif
