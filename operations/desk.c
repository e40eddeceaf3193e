/* desk.c: connecting, and calls of the listener where it has the function; see desk.h. */
#include "operations/desk.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/runtime/clock.h"

enum { CONNECT_US = 5000000, CONNECT_POLL_MS = 100, MOST_TEXT = 1024 };

enum outcome desk_connect(struct desk *desk, struct err *err)
{
    if (desk->db)
        return OUTCOME_OK;
    CHECK(db_open(desk->config, "tutti", &desk->db, err));
    int64_t deadline = clock_monotonic_us() + CONNECT_US;
    enum outcome outcome;
    while ((outcome = db_ready(desk->db, err)) == OUTCOME_RETRY && clock_monotonic_us() < deadline)
        poll(NULL, 0, CONNECT_POLL_MS);
    if (outcome != OUTCOME_OK)
        desk_close(desk);
    return outcome;
}

void desk_close(struct desk *desk)
{
    standing_lock_release(desk->presence);
    standing_lock_release(desk->review);
    desk->presence = desk->review = NULL;
    db_close(desk->db);
    desk->db = NULL;
}

void desk_begin(struct desk *desk, const char *what, uint64_t total)
{
    if (desk->listener.begin)
        desk->listener.begin(desk->listener.context, what, total);
}

void desk_step(struct desk *desk, uint64_t more)
{
    if (desk->listener.step)
        desk->listener.step(desk->listener.context, more);
}

void desk_pause(struct desk *desk)
{
    if (desk->listener.pause)
        desk->listener.pause(desk->listener.context);
}

void desk_end(struct desk *desk)
{
    if (desk->listener.end)
        desk->listener.end(desk->listener.context);
}

static void tell(struct desk *desk, enum desk_message kind, const char *format, va_list ap)
{
    char text[MOST_TEXT];
    vsnprintf(text, sizeof text, format, ap);
    if (desk->listener.tell)
        desk->listener.tell(desk->listener.context, kind, text);
}

void desk_note(struct desk *desk, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    tell(desk, DESK_NOTE, format, ap);
    va_end(ap);
}

void desk_warn(struct desk *desk, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    tell(desk, DESK_WARNING, format, ap);
    va_end(ap);
}

bool desk_is_stopped(const struct desk *desk)
{
    return desk->listener.is_stopped && desk->listener.is_stopped(desk->listener.context);
}

enum outcome desk_check_stop(const struct desk *desk, struct err *err)
{
    return desk_is_stopped(desk)
               ? err_set(err, OUTCOME_FATAL, "stopped", "stopped; run it again to go on")
               : OUTCOME_OK;
}
