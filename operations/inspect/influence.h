/* influence.h: what would be lost without some of the touches on the paths to a goal; nothing is
 * changed. */
#ifndef TUTTI_OPERATIONS_INSPECT_INFLUENCE_H
#define TUTTI_OPERATIONS_INSPECT_INFLUENCE_H

#include "operations/desk.h"
#include "operations/report.h"

struct influence_request {
    const char *goal;
    const char *share; /* of all sends, to stop: a decimal text from 0 to 1; NULL: none */
    const char *first,
        *last;           /* days YYYY-MM-DD whose months count, with all between; NULL: no bound */
    const char *segment; /* before the first touch of a path; NULL: everybody */
};

/* The influence of each node; with a share, which nodes may be stopped and what is lost then. A
 * goal whose paths are not followed, or a segment without figures, is an error that names the
 * nearest one. */
enum outcome influence_report(struct desk *desk, const struct influence_request *request,
                              struct report *report, struct err *err);

#endif
