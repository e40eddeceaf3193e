/* nearest.h: the nearest of some names, for "did you mean". */
#ifndef TUTTI_BASE_NEAREST_H
#define TUTTI_BASE_NEAREST_H

#include "common/base/span.h"

enum { NEAREST_ANY = 255 };

struct nearest {
    struct span wanted;
    unsigned most; /* edits between wanted and a name that is still near; NEAREST_ANY: no bound */
    struct span name;  /* borrowed; SPAN_NONE as long as none is near */
    unsigned distance; /* of name */
};

/* Starts a search; borrows wanted. */
struct nearest nearest_start(struct span wanted, unsigned most);
/* Keeps the name if it is nearer than those before. */
void nearest_consider(struct nearest *nearest, struct span name);

#endif
