/* erase.c: `tutti erase`. */
#include "operations/erasure/erase.h"
#include "cli/session.h"

enum { MOST_SECONDS = 3600 };

static enum exit_status check_words(struct call *call, const struct erase_request *request)
{
    if (call->argument_count == 0)
        return misuse(call, "expected <type>:<value>");
    if (request->reason == NULL || span_trim(span_of(request->reason)).len == 0)
        return misuse(call, "--reason is missing");
    if (request->without && !erase_knows_service(request->without))
        return misuse(call, "--without: expected journey-tracker or suppression, got \"%.60s\"",
                      request->without);
    return EXIT_DONE;
}

static enum exit_status run_erase(struct call *call)
{
    struct session s;
    struct erase_request request = {.identifier = call_argument(call, 0),
                                    .reason = call_option(call, "reason"),
                                    .without = call_option(call, "without"),
                                    .takes_opt_outs = call_has(call, "opt-outs-too")};
    bool executes = call_has(call, "execute");
    enum exit_status status = check_words(call, &request);
    session_open(&s, call);
    if (status != EXIT_DONE)
        return status;
    if (!call_seconds(call, "wait", MOST_SECONDS, 60, &s.desk.wait))
        return EXIT_USAGE;
    status = session_close(&s, executes ? erase_person(&s.desk, &request, &s.report, &s.err)
                                        : erase_plan(&s.desk, &request, &s.report, &s.err));
    if (status == EXIT_DONE && !executes)
        say("nothing was changed; --execute acts");
    return status;
}

static const struct option options[] = {
    {"reason", "TEXT", "Why; printed in the report."},
    {"execute", NULL, "Act; without it only the rows are counted."},
    {"wait", "SECONDS",
     "So long for services that are busy or behind, then for messages that wait; 60 if not given."},
    {"without", "SERVICE",
     "journey-tracker or suppression, given up and not running: what it has not read of the person "
     "is done for it."},
    {"opt-outs-too", NULL,
     "Opt-outs of addresses go as well, also those that an earlier erasure of the person left."},
    {"json", NULL, "One JSON object."},
    {NULL, NULL, NULL},
};

const struct command command_erase = {
    .name = "erase",
    .arguments = "<type>:<value>",
    .summary = "Erase a person: all identifiers of the profile, in every store",
    .details =
        "Removes identifiers, links, raw values, timeline, states and decisions of everyone "
        "in the identifier's profile, and\n"
        "prints how many rows of which table. Sums of the reports stay, and opt-outs of addresses "
        "unless --opt-outs-too\n"
        "is given. Tombstones, keyed "
        "hashes with the time, drop what is\n"
        "read later and is older than the erasure; what happens from a few seconds after it "
        "is a new person. Open grants are\n"
        "revoked: suppression publishes that, after some seconds, and the command waits for "
        "it. The services may\n"
        "run; they stand still for the moment of the erasure, which is one transaction: it "
        "is done, or nothing is. Needs the\n"
        "owner of the database. Run it again where it was interrupted. The topics keep "
        "their own copies until retention ends.",
    .options = options,
    .max_arguments = 1,
    .run = run_erase,
};
