/* desk.h: what an operation works with: settings, a connection, memory, and a listener that is told
 * how far the work has come.
 *
 * A face (the command line, later a page or a door) opens a desk, calls one operation, shows the
 * report and closes the desk. Operations know neither terminals nor exit codes. */
#ifndef TUTTI_OPERATIONS_DESK_H
#define TUTTI_OPERATIONS_DESK_H

#include "common/base/arena.h"
#include "common/base/instant.h"
#include "common/runtime/config.h"
#include "common/store/standing_lock.h"

enum desk_message { DESK_NOTE, DESK_WARNING };

/* Who looks on while an operation works. Each function may be NULL. Calls come from the thread that
 * runs the operation; begin and end never nest. */
struct listener {
    void *context;
    void (*begin)(void *context, const char *what, uint64_t total); /* total 0: unknown */
    void (*step)(void *context, uint64_t more);
    void (*pause)(void *context); /* the work goes no further for now: an error follows */
    void (*end)(void *context);
    void (*tell)(void *context, enum desk_message kind, const char *text);
    bool (*is_stopped)(void *context); /* asked between two steps of long work */
};

struct desk {
    const struct config *config;
    struct arena *arena; /* lives as long as the desk; reports are built in it */
    struct db *db;       /* NULL until desk_connect */
    /* Until desk_close; NULL: not taken. */
    struct standing_lock *presence, *review;
    struct duration wait; /* how long services may take that are busy or behind */
    struct listener listener;
};

/* Connects unless that is done, waiting up to 5 s for a server that is starting. */
enum outcome desk_connect(struct desk *desk, struct err *err);
void desk_close(struct desk *desk);

/* Progress: "touchpoints", of so many. */
void desk_begin(struct desk *desk, const char *what, uint64_t total);
void desk_step(struct desk *desk, uint64_t more);
void desk_pause(struct desk *desk);
void desk_end(struct desk *desk);
/* Something a person should know now, while the work goes on. */
void desk_note(struct desk *desk, const char *format, ...) __attribute__((format(printf, 2, 3)));
void desk_warn(struct desk *desk, const char *format, ...) __attribute__((format(printf, 2, 3)));

bool desk_is_stopped(const struct desk *desk);
/* FATAL "stopped" if so. */
enum outcome desk_check_stop(const struct desk *desk, struct err *err);

#endif
