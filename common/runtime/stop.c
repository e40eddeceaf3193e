/* stop.c: a stop is an event counter that signals and the program itself write to. */
#include "common/runtime/stop.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static atomic_bool requested;
static atomic_int signals;
static atomic_int event_fd = -1;
static unsigned limit_s = STOP_LIMIT_S;
static volatile sig_atomic_t status_over = 0; /* when the time is over */

void stop_request(void)
{
    int saved = errno;
    atomic_store(&requested, true);
    uint64_t one = 1;
    int fd = atomic_load(&event_fd);
    /* The counter can only be full when it is readable already. */
    if (fd >= 0 && write(fd, &one, sizeof one) < 0)
        errno = 0;
    errno = saved;
}

/* A server that hangs, or librdkafka that waits for a topic that was deleted. Only what a signal
 * handler may call. */
static void on_time_over(int number)
{
    static const char line[] =
        "{\"level\":\"warn\",\"event\":\"stop_forced\",\"message\":\"stopping took too long; what "
        "was not committed is done again at the next start\"}\n";
    (void)number;
    _exit(write(STDERR_FILENO, line, sizeof line - 1) < 0 ? 1 : status_over);
}

static void on_signal(int number)
{
    (void)number;
    if (atomic_fetch_add(&signals, 1) > 0)
        _exit(1);
    alarm(limit_s);
    stop_request();
}

void stop_open(void)
{
    if (atomic_load(&event_fd) < 0) {
        int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (fd < 0)
            abort();
        atomic_store(&event_fd, fd);
    }
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    struct sigaction over = {.sa_handler = on_time_over};
    sigaction(SIGALRM, &over, NULL);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGPIPE, &ignore, NULL);
}

void stop_within(unsigned seconds)
{
    limit_s = seconds;
}

void stop_failing(void)
{
    status_over = 1;
    alarm(limit_s);
}

bool stop_requested(void)
{
    return atomic_load_explicit(&requested, memory_order_relaxed);
}

int stop_fd(void)
{
    return atomic_load(&event_fd);
}
