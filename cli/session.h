/* session.h: one call of an operation (operations/): a desk made of the call's settings, with the
 * terminal as its listener, and the report at its end. */
#ifndef TUTTI_CLI_SESSION_H
#define TUTTI_CLI_SESSION_H

#include "cli/command.h"
#include "cli/progress.h"
#include "operations/desk.h"
#include "operations/report.h"

struct session {
    struct call *call;
    struct desk desk;
    struct report report;
    struct progress progress;
    struct err err;
};

/* Nothing is connected yet: the operation does that. */
void session_open(struct session *session, struct call *call);
/* Prints the report before the operation goes on, and begins another one. With --json it does so
 * only if the report is complete, because the output is one object. */
void session_show(struct session *session);
/* Prints the report and, unless the outcome is OK, the error; closes the desk. */
enum exit_status session_close(struct session *session, enum outcome outcome);

#endif
