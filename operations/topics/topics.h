/* topics.h: the topics that there should be against those that there are. */
#ifndef TUTTI_OPERATIONS_TOPICS_TOPICS_H
#define TUTTI_OPERATIONS_TOPICS_TOPICS_H

#include "operations/desk.h"
#include "operations/report.h"

struct topics_request {
    int32_t partitions;        /* of touchpoint topics */
    struct duration retention; /* of input topics */
    bool applies;              /* creates what is missing */
};

struct topics_counts {
    size_t all, created;
    size_t missing, differing; /* at the end */
};

/* Reports each topic with its state. A topic that exists is never changed. */
enum outcome topics_look(struct desk *desk, const struct topics_request *request,
                         struct report *report, struct topics_counts *counts, struct err *err);

#endif
