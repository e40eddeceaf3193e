/* pipeline_internal.h: the state of the loop; only the pipeline*.c files include it. */
#ifndef TUTTI_SERVICE_PIPELINE_INTERNAL_H
#define TUTTI_SERVICE_PIPELINE_INTERNAL_H

#include "common/runtime/telemetry.h"
#include "common/service/backoff.h"
#include "common/service/dead_letter.h"
#include "common/service/parked.h"
#include "common/service/pipeline.h"

struct pipeline {
    const struct service *service;
    void *self;
    struct service_context *context;
    struct consumer *consumer;
    struct dead_letters *letters;
    struct parked *parked; /* NULL without a registry */
    struct arena arena;

    /* The batch: records, and why a record is dead (NULL: alive). */
    struct record *records;
    const char **reasons;
    char **details; /* the message of such a reason, or NULL */
    size_t count, max, max_record_bytes;
    size_t bytes, max_bytes; /* of keys and values: the batch ends where it has max_bytes */
    int64_t epoch;           /* of the assignment the batch was taken under */
    int64_t first_us;        /* when its first record was taken */
    int64_t flush_us;        /* how long it may wait for more, between the two bounds */
    int64_t flush_min_us, flush_max_us;

    /* An assignment that the service was not told yet. */
    int *new_topics;
    int32_t *new_partitions;
    size_t new_count;
    bool is_assignment_new;

    bool is_scan_due, is_registry_down;
    bool is_outdated;     /* other policies are active: the service is renewed first */
    int64_t next_stay_us; /* when work that takes long serves the group again */
    int64_t next_scan_us, scan_interval_us, next_check_us;
    struct backoff backoff, scan_backoff;

    struct metric **ok, **dead; /* per topic index */
    size_t topic_metrics;
    struct {
        struct metric *batch_seconds, *commit_seconds, *delay_seconds, *retries;
    } metrics;
};

/* pipeline.c: names and patterns of the input topics, NULL-ended; topics has room for the NULL. */
size_t pipeline_count_topics(const struct service *service);
enum outcome pipeline_read_topics(const struct service *service, const struct config *config,
                                  const char **topics, struct err *err);

/* Renews the service if other policies are active. */
enum outcome pipeline_renew(struct pipeline *pipeline, struct err *err);

/* pipeline_wait.c: waits without leaving the group. */
/* Stays a member of the group during work of its own: serves it every second at most, and only
 * looks at the clock otherwise. */
void pipeline_stay(struct pipeline *pipeline);
/* Waits so many microseconds, or until the batch is abandoned. */
void pipeline_pause(struct pipeline *pipeline, int64_t us);
/* True if repeating the batch makes no sense: a stop was requested, or the records come again after
 * a rebalance. */
bool pipeline_is_abandoned(const struct pipeline *pipeline);
/* Waits until the database is there. RETRY only if the batch is abandoned meanwhile. */
enum outcome pipeline_wait_database(struct pipeline *pipeline, struct err *err);
/* Waits until all that was sent is acknowledged, through any outage. RETRY if something has to be
 * sent again. */
enum outcome pipeline_wait_acks(struct pipeline *pipeline, struct err *err);
/* Rolls back and lets the service drop its batch. */
void pipeline_undo(struct pipeline *pipeline);
void pipeline_log_retry(struct pipeline *pipeline, const char *event, const struct err *err);

/* pipeline_batch.c: runs the collected records to their end. RETRY: the batch was given up, and
 * nothing was committed. */
enum outcome pipeline_batch(struct pipeline *pipeline, struct err *err);

#endif
