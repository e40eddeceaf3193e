/* identity_keys.c: `tutti identity reveal|rewrap|rotate-key`. */
#include "cli/identity.h"
#include "operations/keys/rotate.h"
#include "operations/keys/values.h"

enum exit_status identity_reveal(struct call *call)
{
    struct session s;
    session_open(&s, call);
    return session_close(&s, values_reveal(&s.desk, call_argument(call, 1), &s.report, &s.err));
}

enum exit_status identity_rewrap(struct call *call)
{
    struct session s;
    session_open(&s, call);
    return session_close(&s, values_rewrap(&s.desk, &s.err));
}

/* ---- rotate-key ---- */

/* ROTATE_LOOK for a word that is none. */
static enum rotate_goal goal_of(const char *to)
{
    static const struct {
        const char *word;
        enum rotate_goal goal;
    } goals[] = {
        {"announced", ROTATE_ANNOUNCED},
        {"rotating", ROTATE_ROTATING},
        {"finished", ROTATE_FINISHED},
    };
    for (size_t i = 0; to && i < sizeof goals / sizeof *goals; i++)
        if (strcmp(goals[i].word, to) == 0)
            return goals[i].goal;
    return ROTATE_LOOK;
}

static enum exit_status check_words(const struct call *call)
{
    bool cancels = call_has(call, "cancel");
    if (call_has(call, "to") && cancels)
        return misuse(call, "--to or --cancel, not both");
    if (call_has(call, "to") && goal_of(call_option(call, "to")) == ROTATE_LOOK)
        return misuse(call, "--to: expected announced, rotating or finished");
    if (call_has(call, "execute") && !cancels && !call_has(call, "to"))
        return misuse(call, "--execute needs --to announced, rotating or finished, or --cancel");
    return EXIT_DONE;
}

static void say_next(enum key_phase phase)
{
    static const char *const next[] = {
        [KEYS_ONE] =
            "--to announced --execute announces the key of identity.key_file; every "
            "identity-resolver must have it, and the one at work as identity.previous_key_file",
        [KEYS_ANNOUNCED] = "--to rotating --execute makes the new key the current one; --cancel "
                           "--execute takes the announcement back",
        [KEYS_ROTATING] = "--to rotating --execute hashes kept raw values with the new key; --to "
                          "finished --execute forgets the previous key",
    };
    say("%s", next[phase]);
}

enum exit_status identity_rotate(struct call *call)
{
    struct session s;
    struct rotate_request request = {.forces = call_has(call, "force")};
    enum key_phase phase = KEYS_ONE;
    if (!call_number(call, "limit", 0, 1000000, 5, &request.limit))
        return EXIT_USAGE;
    enum exit_status status = check_words(call);
    if (status != EXIT_DONE)
        return status;
    if (call_has(call, "execute"))
        request.goal = call_has(call, "cancel") ? ROTATE_CANCEL : goal_of(call_option(call, "to"));
    session_open(&s, call);
    status = session_close(&s, rotate_key(&s.desk, &request, &s.report, &phase, &s.err));
    if (status == EXIT_DONE && !call_has(call, "json"))
        say_next(phase);
    return status;
}
