/* explain.c: `tutti explain`: everything that is known about one customer, and why. */
#include "cli/explain_why.h"
#include "cli/identifier.h"
#include "cli/section.h"
#include "cli_sql.h"

static const struct section sections[] = {
    {"members",
     "Who: identifiers of this customer",
     &sql_explain_members,
     {"profile", "identifier", "type", "first_seen", "note"}},
    {"orders",
     "What operators ordered about them",
     &sql_explain_orders,
     {"made", "order", "a", "b", "actor", "reason"}},
    {"links",
     "Why: which touchpoint first showed two identifiers together",
     &sql_explain_links,
     {"identifier", "other", "first_seen", "touchpoint", "note"}},
    {"journey",
     "Journey",
     &sql_explain_journey,
     {"stage", "since", "status", "first_seen", "last_seen", ">orders", ">revenue", "currency"}},
    {"touches",
     "Last touches",
     &sql_explain_touches,
     {"occurred", "direction", "channel", "department", "event", "campaign", ">revenue",
      "touchpoint"}},
    {"conversions",
     "Last conversions and their credit",
     &sql_explain_conversions,
     {"converted", "goal", ">revenue", "model", "channel", "campaign", "touched", ">credit"}},
    {"holds", "Open holds", &sql_explain_holds, {"rule", "owner", "since", "until"}},
    {"decisions",
     "Contact decisions",
     &sql_explain_decisions,
     {"requested", "channel", "department", "verdict", "reason", "rule", "outcome", "request"}},
    {.name = NULL},
};

static enum outcome explain_one(struct call *call, struct db *db, struct err *err)
{
    struct id identifier, profile;
    CHECK(identifier_parse(call, db, call_argument(call, 0), &identifier, err));
    CHECK(identifier_profile(call, db, &identifier, &profile, err));
    return sections_print(call, db, sections, &profile, call_has(call, "json"), err);
}

static enum outcome explain_two(struct call *call, struct db *db, struct err *err)
{
    struct id a, b;
    CHECK(identifier_parse(call, db, call_argument(call, 0), &a, err));
    CHECK(identifier_parse(call, db, call_argument(call, 1), &b, err));
    return explain_why(call, db, &a, &b, err);
}

static enum exit_status run_explain(struct call *call)
{
    struct db *db = NULL;
    struct err err = {0};
    bool why = call_has(call, "why");
    if (call->argument_count != (why ? 2 : 1))
        return misuse(call, why ? "--why: expected two identifiers" : "expected <type>:<value>");
    enum outcome outcome = database_connect(call, &db, &err);
    if (outcome == OUTCOME_OK)
        outcome = why ? explain_two(call, db, &err) : explain_one(call, db, &err);
    db_close(db);
    return outcome == OUTCOME_OK ? EXIT_DONE : failed(&err);
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
