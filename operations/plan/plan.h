/* plan.h: a candidate identity policy tried on all stored evidence, and the move to it. */
#ifndef TUTTI_OPERATIONS_PLAN_PLAN_H
#define TUTTI_OPERATIONS_PLAN_PLAN_H

#include "operations/desk.h"
#include "operations/reanchor/anchors.h"
#include "operations/report.h"

struct plan_request {
    const char *path; /* of the candidate identity.json */
    bool applies;     /* the plan of a move; an interrupted move goes on */
    bool executes;    /* plan_act will follow: the report says so */
    bool forces;      /* also a policy that is refused */
    size_t limit;     /* examples of each kind */
    size_t batch;     /* profiles per transaction, or a tenth of the facts */
    const char *actor;
    struct readers readers;
};

struct plan;

/* Computes all profiles under the candidate and reports what would change. Nothing is changed.
 * *has_act: the policy is not in force yet, or not everywhere. REJECT "profile_too_large", with a
 * complete report, for a policy that would put too much into one profile. plan_close is needed
 * even after an error; *out may be NULL. Desk and request must live as long as the plan. */
enum outcome plan_look(struct desk *desk, const struct plan_request *request, struct report *report,
                       struct plan **out, bool *has_act, struct err *err);
/* Moves to the candidate, or goes on with that. */
enum outcome plan_act(struct plan *plan, struct err *err);
void plan_close(struct plan *plan);

#endif
