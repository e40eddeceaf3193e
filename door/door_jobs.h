/* door_jobs.h: calls that wait for a worker, in the order in which they came. */
#ifndef TUTTI_DOOR_JOBS_H
#define TUTTI_DOOR_JOBS_H

#include <pthread.h>

#include "common/http/http_server.h"
#include "door/door_requests.h"

enum door_action { DOOR_DECIDES, DOOR_PEEKS, DOOR_SHOWS, DOOR_CLAIMS };

/* A call. It lives in the arena of its HTTP request, so until its response is finished. */
struct door_job {
    enum door_action action;
    struct door_requests requests;
    struct id named;     /* of DOOR_SHOWS and DOOR_CLAIMS: a request that was decided */
    int64_t ends_us;     /* monotonic: later it is answered with 503 */
    int64_t began_us;    /* monotonic */
    int64_t received_ms; /* wall clock: the timestamp of its records */
    bool shows_profile;
    struct span department, channels; /* of these two: what its token may see */
    struct http_response *response;
    struct door_job *next;
};

struct door_queue {
    pthread_mutex_t lock;
    pthread_cond_t ready;
    struct door_job *first, **last;
    size_t waiting; /* requests of all jobs */
    bool is_closed;
};

void door_queue_open(struct door_queue *queue);
void door_queue_close(
    struct door_queue *queue); /* wakes the workers; jobs are refused from then on */

bool door_queue_is_closed(struct door_queue *queue);

/* False: more than `most` requests would wait, or the queue is closed. */
bool door_queue_put(struct door_queue *queue, struct door_job *job, size_t most);
/* Waits at most timeout_ms for jobs, and takes as many as may share a transaction: all that wait
 * and want the same, up to `most` requests; of peeks and looks a single one. NULL: none came. */
struct door_job *door_queue_take(struct door_queue *queue, size_t most, int timeout_ms);

#endif
