/* door.h: what the parts of tutti-door share. Only the files of this folder include it.
 *
 *   main.c           settings, opening, waiting for the end
 *   door_api.c       the calls: who asks, what is asked; runs on the server's one thread
 *   door_tokens.c    who may ask
 *   door_requests.c  JSON -> framed touchpoints
 *   door_jobs.c      the queue between that thread and the workers
 *   door_worker.c    a worker: Kafka first, then the decision, then the answer
 *   door_answers.c   verdicts -> JSON */
#ifndef TUTTI_DOOR_H
#define TUTTI_DOOR_H

#include <stdatomic.h>

#include "common/runtime/telemetry.h"
#include "door/door_jobs.h"
#include "door/door_tokens.h"

enum { DOOR_MOST_WAITING = 1024, DOOR_MOST_TOGETHER = 256 };

struct door {
    const struct config *config;
    struct arena arena;
    struct door_schema schema; /* the server's thread */
    pthread_mutex_t tokens_lock;
    struct door_tokens tokens;
    struct door_queue queue;
    struct duration timeout;
    double rate;
    struct metric *seconds;
    atomic_bool has_failed; /* a worker met what waiting cannot cure */
};

/* door_api.c */
extern const struct http_route door_routes[];
extern const size_t door_route_count;
/* Fills a response that is no verdict, with Retry-After where asking again helps. */
void door_refuse(struct http_response *response, unsigned status, const char *code,
                 const char *message);
/* Counts a response of a call that began then (monotonic). */
void door_count(struct door *door, unsigned status, int64_t began_us);

/* door_worker.c */
struct door_worker;
/* RETRY while a server is away: call it again. */
enum outcome door_worker_open(struct door *door, struct door_worker **out, struct err *err);
/* Starts its thread, which serves until the queue is closed. */
void door_worker_start(struct door_worker *worker);
void door_worker_close(struct door_worker *worker); /* waits for the thread; NULL is fine */

#endif
