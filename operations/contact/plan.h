/* plan.h: what another contact policy would have granted and refused, on the stored past of all
 * customers (services/suppression/logic/walk.h). */
#ifndef TUTTI_OPERATIONS_CONTACT_PLAN_H
#define TUTTI_OPERATIONS_CONTACT_PLAN_H

#include "operations/desk.h"
#include "operations/report.h"
#include "services/suppression/logic/walk.h"

/* A request whose verdict the candidate would change. */
struct plan_change {
    struct id profile_id;
    const struct walked *before, *after; /* under the active policy, and under the candidate */
    struct span rule_id;                 /* that refuses it; SPAN_NONE: it is invalid */
};

struct contact_plan_request {
    const char *path;      /* of the candidate contact.json */
    const char *from, *to; /* first and last day, UTC; NULL: no bound */
    bool with_sends;       /* sends that answer no request, as if they had been asked for */
    const char *class;     /* of sends that name none */
    /* Called for each change, customer by customer; may be NULL. */
    enum outcome (*list)(void *context, const struct plan_change *change, struct err *err);
    void *context;
};

/* Nothing is changed. FATAL with file and place for a candidate that is no policy; "unknown_class"
 * names the nearest one. */
enum outcome contact_plan(struct desk *desk, const struct contact_plan_request *request,
                          struct report *report, struct err *err);

#endif
