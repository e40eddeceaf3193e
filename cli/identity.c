/* identity.c: `tutti identity`: an operator's orders about who is who, trying and applying a
 * policy, and raw values. */
#include "cli/identity.h"

#include <pwd.h>
#include <unistd.h>

static const struct word {
    const char *name;
    enum exit_status (*run)(struct call *call);
    int arguments; /* besides the word */
    const char *usage;
} words[] = {
    {"unlink", identity_order, 2, "unlink A B --reason TEXT"},
    {"link", identity_order, 2, "link A B --reason TEXT [--same-person]"},
    {"release", identity_order, 1, "release A --reason TEXT"},
    {"plan", identity_plan, 0, "plan --policy FILE"},
    {"apply", identity_plan, 0, "apply --policy FILE"},
    {"reveal", identity_reveal, 1, "reveal A"},
    {"rewrap", identity_rewrap, 0, "rewrap"},
    {"rotate-key", identity_rotate, 0, "rotate-key"},
};

const char *identity_actor(const struct call *call)
{
    const char *given = call_option(call, "actor");
    if (given && *given)
        return given;
    const struct passwd *user = getpwuid(geteuid());
    return user && *user->pw_name ? user->pw_name : "operator";
}

static enum exit_status run_identity(struct call *call)
{
    const char *name = call_argument(call, 0);
    for (size_t i = 0; name && i < sizeof words / sizeof *words; i++)
        if (strcmp(name, words[i].name) == 0) {
            if (call->argument_count != words[i].arguments + 1)
                return misuse(call, "expected %s", words[i].usage);
            return words[i].run(call);
        }
    return misuse(call,
                  "expected unlink, link, release, plan, apply, reveal, rewrap or rotate-key");
}

static const struct option options[] = {
    {"reason", "TEXT",
     "unlink, link, release: why; kept with the order and readable by all: no personal data."},
    {"same-person", NULL,
     "link: A and B are two values of one unique type, such as two customer numbers, and count as "
     "one."},
    {"execute", NULL, "Act; without it only the plan is printed."},
    {"actor", "NAME", "Who acts (the user of this process)."},
    {"policy", "FILE", "plan, apply: the candidate identity policy."},
    {"force", NULL,
     "apply: also a policy that plan refuses. release: also what has very many links. rotate-key "
     "--to finished: also "
     "where identifiers would be lost."},
    {"to", "PHASE",
     "rotate-key: the phase to reach: announced, rotating, finished; the same again does nothing "
     "more."},
    {"cancel", NULL, "rotate-key: take the announcement of the new key back."},
    {"limit", "N", "plan, apply: examples of each kind (5)."},
    {"batch", "N", "apply: profiles per transaction, or a tenth of the facts (500)."},
    {"wait", "SECONDS",
     "unlink: how long suppression may take to catch up, and to store carried opt-outs (60)."},
    {"topic", "NAME",
     "unlink, apply: topic of resolved touchpoints (tutti.touchpoints-resolved.v1)."},
    {"group", "NAME", "unlink, apply: suppression's consumer group (suppression)."},
    {"journey-group", "NAME", "apply: journey-tracker's consumer group (journey-tracker)."},
    {"changes-topic", "NAME", "apply: topic of identity changes (tutti.identity-changes.v1)."},
    {"schema-id", "N", "unlink: id of the touchpoint schema (1)."},
    {"json", NULL, "One JSON object."},
    {NULL, NULL, NULL},
};

const struct command command_identity = {
    .name = "identity",
    .arguments = "unlink|link|release|plan|apply|reveal|rewrap|rotate-key [A] [B]",
    .summary = "Undo or make a merge, release from quarantine, try and apply an identity policy, "
               "reveal values",
    .details =
        "  unlink A B   the two are never in one profile, whatever path would unite them\n"
        "  link A B     the two are one customer, unless a rule of the policy forbids it\n"
        "               with --same-person two values of a unique type are one person; unlink or a "
        "later link takes it back\n"
        "  release A    never in quarantine, however many others it links to; says how "
        "many, and every later batch that\n"
        "               touches it reads them all: above 10,000 it needs --force\n"
        "  plan         computes all profiles from the stored evidence under --policy and "
        "says what would change;\n"
        "               exits with 1 for a policy that would put too much into one profile\n"
        "  apply        plan, then with --execute the switch and a sweep in bounded batches "
        "while services run;\n"
        "               run it again where it was interrupted; where types or ranks differ, "
        "with the services stopped\n"
        "  reveal A     the raw value; needs the role tutti_pii and privacy.key_file\n"
        "  rewrap       wraps all values with privacy.key_file that "
        "privacy.previous_key_file still wraps\n"
        "  rotate-key   says where the exchange of identity.key_file stands; with "
        "--execute, --to announced announces the new\n"
        "               key, --to rotating makes it the current one and finds by it what "
        "raw values are kept of, and\n"
        "               --to finished forgets the previous one\n"
        "\n"
        "A and B are <type>:<value> or an identifier's UUID. unlink, link, release and "
        "apply print what they would do and act\n"
        "with --execute only. A cut waits until suppression (--group) has read every "
        "message. Opt-outs and holds that one\n"
        "side would lose are sent again for it: a cut frees no one from an opt-out. "
        "identity-resolver publishes the changes\n"
        "of profiles, and all services follow them.",
    .options = options,
    .max_arguments = 3,
    .run = run_identity,
};
