/* door_jobs.c: see door_jobs.h. */
#include "door/door_jobs.h"

#include <errno.h>
#include <time.h>

#include "common/base/instant.h"

void door_queue_open(struct door_queue *queue)
{
    pthread_condattr_t attributes;
    *queue = (struct door_queue){.last = &queue->first};
    pthread_mutex_init(&queue->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&queue->ready, &attributes);
    pthread_condattr_destroy(&attributes);
}

void door_queue_close(struct door_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->is_closed = true;
    pthread_cond_broadcast(&queue->ready);
    pthread_mutex_unlock(&queue->lock);
}

bool door_queue_is_closed(struct door_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    bool is_closed = queue->is_closed;
    pthread_mutex_unlock(&queue->lock);
    return is_closed;
}

static size_t size_of(const struct door_job *job)
{
    return job->requests.count ? job->requests.count : 1;
}

bool door_queue_put(struct door_queue *queue, struct door_job *job, size_t most)
{
    pthread_mutex_lock(&queue->lock);
    bool fits = !queue->is_closed && queue->waiting + size_of(job) <= most;
    if (fits) {
        job->next = NULL;
        *queue->last = job;
        queue->last = &job->next;
        queue->waiting += size_of(job);
        pthread_cond_signal(&queue->ready);
    }
    pthread_mutex_unlock(&queue->lock);
    return fits;
}

/* Under the lock: the front of the queue, cut off behind what is taken. */
static struct door_job *take_front(struct door_queue *queue, size_t most)
{
    struct door_job *first = queue->first, **end = &queue->first;
    size_t taken = 0;
    while (*end && (*end)->action == first->action && taken + size_of(*end) <= most) {
        taken += size_of(*end);
        end = &(*end)->next;
        if (first->action != DOOR_DECIDES && first->action != DOOR_CLAIMS)
            break;
    }
    struct door_job *rest = *end;
    *end = NULL;
    queue->first = rest;
    if (rest == NULL)
        queue->last = &queue->first;
    queue->waiting -= taken;
    return first;
}

static struct timespec in(int timeout_ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    int64_t ns = at.tv_nsec + timeout_ms * INT64_C(1000000);
    at.tv_sec += ns / 1000000000;
    at.tv_nsec = ns % 1000000000;
    return at;
}

struct door_job *door_queue_take(struct door_queue *queue, size_t most, int timeout_ms)
{
    struct timespec end = in(timeout_ms);
    struct door_job *jobs = NULL;
    pthread_mutex_lock(&queue->lock);
    while (queue->first == NULL && !queue->is_closed &&
           pthread_cond_timedwait(&queue->ready, &queue->lock, &end) != ETIMEDOUT) {
    }
    if (queue->first)
        jobs = take_front(queue, most);
    pthread_mutex_unlock(&queue->lock);
    return jobs;
}
