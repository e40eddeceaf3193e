/* runtime_stop_test.c: what one signal, two signals and the program's own request do, each in a
 * process of its own. */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/runtime/clock.h"
#include "common/runtime/stop.h"

static bool is_readable(void)
{
    struct pollfd fd = {.fd = stop_fd(), .events = POLLIN};
    return poll(&fd, 1, 0) == 1;
}

static int not_requested(void)
{
    return !stop_requested() && !is_readable() ? 0 : 2;
}

static int one_signal(void)
{
    raise(SIGTERM);
    return stop_requested() && is_readable() ? 0 : 2;
}

static int interrupt(void)
{
    raise(SIGINT);
    return stop_requested() && is_readable() ? 0 : 2;
}

static int two_signals(void)
{
    raise(SIGTERM);
    raise(SIGINT);
    return 2;
}

static int own_request(void)
{
    stop_request();
    return stop_requested() && is_readable() ? 0 : 2;
}

static int signal_after_own_request(void)
{
    stop_request();
    raise(SIGTERM);
    return stop_requested() ? 0 : 2;
}

static int broken_pipe(void)
{
    int fds[2];
    if (pipe(fds) != 0)
        return 3;
    close(fds[0]);
    return write(fds[1], "x", 1) < 0 && !stop_requested() ? 0 : 2;
}

static int opened_twice(void)
{
    int fd = stop_fd();
    stop_open();
    raise(SIGTERM);
    return stop_fd() == fd && is_readable() ? 0 : 2;
}

static void exit_statuses(void **state)
{
    static const struct {
        const char *rule;
        int (*run)(void);
        int status;
    } rows[] = {
        {"nothing happened", not_requested, 0},
        {"SIGTERM asks", one_signal, 0},
        {"SIGINT asks", interrupt, 0},
        {"a second signal exits with 1", two_signals, 1},
        {"the program asks", own_request, 0},
        {"a first signal after that does not exit", signal_after_own_request, 0},
        {"SIGPIPE is ignored", broken_pipe, 0},
        {"opened twice", opened_twice, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pid_t child = fork();
        if (child == 0) {
            stop_open();
            _exit(rows[i].run());
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != rows[i].status)
            fail_msg("%s: status %x", rows[i].rule, (unsigned)status);
    }
}

static int hang(void)
{
    stop_within(1);
    kill(getpid(), SIGTERM);
    for (int64_t end = clock_monotonic_us() + 10 * US_PER_SECOND; clock_monotonic_us() < end;)
        poll(NULL, 0, 1000);
    return 4;
}

static void a_stop_that_hangs_is_ended(void **state)
{
    pid_t child = fork();
    if (child == 0) {
        stop_open();
        _exit(hang());
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void a_signal_wakes_a_poll(void **state)
{
    int from_child[2];
    assert_int_equal(pipe(from_child), 0);
    pid_t child = fork();
    if (child == 0) {
        stop_open();
        struct pollfd fd = {.fd = stop_fd(), .events = POLLIN};
        if (write(from_child[1], "r", 1) != 1)
            _exit(3);
        while (poll(&fd, 1, 20000) < 0)
            continue;
        _exit(fd.revents & POLLIN ? 0 : 2);
    }
    char ready;
    int status;
    assert_int_equal(read(from_child[0], &ready, 1), 1);
    kill(child, SIGTERM);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void clocks(void **state)
{
    int64_t first = clock_monotonic_us();
    struct instant now = clock_now();
    assert_true(clock_monotonic_us() >= first);
    assert_true(now.us > INT64_C(1600000000) * US_PER_SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_statuses),
        cmocka_unit_test(a_stop_that_hangs_is_ended),
        cmocka_unit_test(a_signal_wakes_a_poll),
        cmocka_unit_test(clocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
