/* session.c: the command line as the face of an operation; see session.h. */
#include "cli/session.h"

#include "cli/print.h"
#include "common/runtime/stop.h"

static void begin(void *context, const char *what, uint64_t total)
{
    struct session *session = context;
    progress_start(&session->progress, what, total);
}

static void step(void *context, uint64_t more)
{
    struct session *session = context;
    progress_step(&session->progress, more);
}

static void pause_progress(void *context)
{
    struct session *session = context;
    progress_pause(&session->progress);
}

static void end(void *context)
{
    struct session *session = context;
    progress_end(&session->progress);
}

static void tell(void *context, enum desk_message kind, const char *text)
{
    pause_progress(context);
    if (kind == DESK_WARNING)
        warn("%s", text);
    else
        say("%s", text);
}

static bool is_stopped(void *context)
{
    return stop_requested();
}

void session_open(struct session *session, struct call *call)
{
    *session =
        (struct session){.call = call, .desk = {.config = call->config, .arena = &call->arena}};
    session->desk.listener =
        (struct listener){session, begin, step, pause_progress, end, tell, is_stopped};
    report_init(&session->report, &call->arena);
}

static bool wants_json(const struct call *call)
{
    return call_knows(call, "json") && call_has(call, "json");
}

/* Half an object would mislead a program. */
static void print(struct session *session, bool is_complete)
{
    const struct report *report = &session->report;
    bool json = wants_json(session->call);
    if (report->first && !json)
        print_text(stdout, report);
    else if (report->first && is_complete)
        print_json(stdout, report);
    fflush(stdout);
    for (size_t i = 0; i < report->warnings.count; i++)
        warn("%s", report->warnings.items[i]);
    report_init(&session->report, session->report.arena);
}

void session_show(struct session *session)
{
    if (!wants_json(session->call) || session->report.is_complete)
        print(session, session->report.is_complete);
}

enum exit_status session_close(struct session *session, enum outcome outcome)
{
    print(session, outcome == OUTCOME_OK || session->report.is_complete);
    desk_close(&session->desk);
    return outcome == OUTCOME_OK ? EXIT_DONE : failed(&session->err);
}
