/* converter.c: a child process with a pipe for what it prints. */
#include "data/converter.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const char *converter_find(struct arena *arena, const char *name)
{
    static const char *const folders[] = {"data", "../data", "../../data", "../../../data",
                                          "../share/tutti/data"};
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length < 0 ? 0 : length] = '\0';
    char *slash = strrchr(program, '/');
    if (slash)
        *slash = '\0';
    for (size_t i = 0; i < 2 * (sizeof folders / sizeof *folders); i++) {
        bool from_program = i % 2 == 1;
        const char *path = arena_printf(arena, "%s%s%s/%s.py", from_program ? program : "",
                                        from_program ? "/" : "", folders[i / 2], name);
        if (access(path, R_OK) == 0)
            return path;
    }
    return NULL;
}

/* In the child. No shell in between: the path is one argument, whatever is in it. */
static void become(const char *python, const char *path, int out)
{
    dup2(out, STDOUT_FILENO);
    signal(SIGPIPE, SIG_DFL);
    execlp(python, python, path, (char *)NULL);
    _exit(127);
}

enum outcome converter_start(const char *python, const char *path, struct converter *out,
                             struct err *err)
{
    int ends[2];
    out->python = python;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_set(err, OUTCOME_FATAL, "converter", "pipe: %s", strerror(errno));
    fflush(NULL);
    out->child = fork();
    if (out->child == 0)
        become(python, path, ends[1]);
    int error = errno;
    close(ends[1]);
    out->lines = out->child > 0 ? fdopen(ends[0], "r") : NULL;
    if (out->lines)
        return OUTCOME_OK;
    close(ends[0]);
    return err_set(err, OUTCOME_FATAL, "converter", "fork: %s", strerror(error));
}

enum outcome converter_wait(struct converter *converter, struct err *err)
{
    int status;
    fclose(converter->lines);
    while (waitpid(converter->child, &status, 0) < 0)
        if (errno != EINTR)
            return err_set(err, OUTCOME_FATAL, "converter", "waitpid: %s", strerror(errno));
    if (WIFSIGNALED(status))
        return err_set(err, OUTCOME_FATAL, "converter", "the converter was ended by signal %d",
                       WTERMSIG(status));
    if (WEXITSTATUS(status) == 127)
        return err_set(err, OUTCOME_FATAL, "converter",
                       "%s: cannot be started; the setting python must name a Python with the "
                       "packages of dev/requirements.txt",
                       converter->python);
    if (WEXITSTATUS(status) != 0)
        return err_set(err, OUTCOME_FATAL, "converter",
                       "the converter failed with exit status %d; does the setting python name one "
                       "with the packages of dev/requirements.txt?",
                       WEXITSTATUS(status));
    return OUTCOME_OK;
}

void converter_stop(struct converter *converter)
{
    fclose(converter->lines);
    kill(converter->child, SIGTERM);
    waitpid(converter->child, NULL, 0);
}
