/* erase.h: a person is removed from every store; sums stay and hold no key of a person. */
#ifndef TUTTI_OPERATIONS_ERASURE_ERASE_H
#define TUTTI_OPERATIONS_ERASURE_ERASE_H

#include "operations/desk.h"
#include "operations/report.h"

struct erase_request {
    const char *identifier; /* as a person names it (operations/identifier.h) */
    const char *reason;     /* stands in the report */
    const char *without;    /* a service that was given up and does not run, or NULL */
    bool takes_opt_outs; /* those of addresses as well, also where an earlier erasure left them */
};

extern const struct setting erasure_settings[]; /* privacy.keep_money */

/* Whether without may name it: "journey-tracker" and "suppression"; the others read no map. */
bool erase_knows_service(const char *service);

/* Counts what erase_person would remove. REJECT "erased_already", "identifier_unknown",
 * "service_runs". */
enum outcome erase_plan(struct desk *desk, const struct erase_request *request,
                        struct report *report, struct err *err);
/* Erases, waiting as long as the desk says: for services that are busy or behind, then for messages
 * that may name the person. Whatever interrupts it, running it again ends where one undisturbed run
 * ends. RETRY with "nothing was changed" or "not known" in the message. */
enum outcome erase_person(struct desk *desk, const struct erase_request *request,
                          struct report *report, struct err *err);

#endif
