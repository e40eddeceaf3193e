/* doctor.c: `tutti doctor`. */
#include "cli/session.h"
#include "operations/inspect/inspect.h"

static enum exit_status run_doctor(struct call *call)
{
    struct session s;
    session_open(&s, call);
    bool is_well = doctor_examine(&s.desk, &s.report);
    session_close(&s, OUTCOME_OK);
    return is_well ? EXIT_DONE : EXIT_FAILED;
}

static const struct option options[] = {
    {"json", NULL, "A JSON array of findings."},
    {NULL, NULL, NULL},
};

const struct command command_doctor = {
    .name = "doctor",
    .arguments = "",
    .summary = "Check brokers, topics, database, migrations and policies, and say how to fix what "
               "is wrong",
    .details = "The exit status is 1 if anything failed; warnings do not count.",
    .options = options,
    .max_arguments = 0,
    .run = run_doctor,
};
