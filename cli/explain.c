/* explain.c: `tutti explain`. */
#include "cli/session.h"
#include "operations/inspect/inspect.h"
#include "operations/inspect/why.h"

static enum exit_status run_explain(struct call *call)
{
    struct session s;
    bool why = call_has(call, "why");
    if (call->argument_count != (why ? 2 : 1))
        return misuse(call, why ? "--why: expected two identifiers" : "expected <type>:<value>");
    const char *a = call_argument(call, 0), *b = call_argument(call, 1);
    session_open(&s, call);
    return session_close(&s, why ? explain_why(&s.desk, a, b, &s.report, &s.err)
                                 : explain_customer(&s.desk, a, &s.report, &s.err));
}

static const struct option options[] = {
    {"why", NULL,
     "Two identifiers: the chain of evidence that unites them, or what keeps them apart."},
    {"json", NULL, "One JSON object."},
    {NULL, NULL, NULL},
};

const struct command command_explain = {
    .name = "explain",
    .arguments = "<type>:<value> | --why A B",
    .summary = "Say who a customer is and by which evidence, and show journey, credit and verdicts",
    .details = "The value is normalised and hashed as identity-resolver does it, so policy.dir and "
               "identity.key_file are needed;\n"
               "an identifier's UUID does without them.",
    .options = options,
    .max_arguments = 2,
    .run = run_explain,
};
