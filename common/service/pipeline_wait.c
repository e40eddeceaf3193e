/* pipeline_wait.c: waits for servers while the service stays a live member of its group. */
#include <string.h>

#include "common/runtime/clock.h"
#include "common/runtime/log.h"
#include "common/runtime/stop.h"
#include "common/service/admin_http.h"
#include "common/service/pipeline_internal.h"
#include "common/service/renew.h"

enum { SLICE_MS = 100, ACK_TIMEOUT_MS = 2000, STAY_US = 1000000 };

/* Serves the group and the health conditions. */
static void serve(struct pipeline *pipeline, int timeout_ms)
{
    struct err err; /* the consumer keeps a fatal error and reports it again with the next batch */
    bool caught_up;
    consumer_take(pipeline->consumer, pipeline->records, 0, 0, timeout_ms, &caught_up, &err);
    admin_http_beat(consumer_max_poll_interval_us(pipeline->consumer));
    admin_http_condition("kafka", consumer_is_joined(pipeline->consumer));
    admin_http_condition("postgres", db_is_up(pipeline->context->db));
}

void pipeline_stay(struct pipeline *pipeline)
{
    int64_t now = clock_monotonic_us();
    if (now < pipeline->next_stay_us)
        return;
    pipeline->next_stay_us = now + STAY_US;
    serve(pipeline, 0);
}

static void heartbeat(void *pipeline)
{
    serve(pipeline, 0);
}

bool pipeline_is_abandoned(const struct pipeline *pipeline)
{
    return stop_requested() || consumer_epoch(pipeline->consumer) != pipeline->epoch;
}

void pipeline_pause(struct pipeline *pipeline, int64_t us)
{
    int64_t deadline = clock_monotonic_us() + us, left;
    while ((left = deadline - clock_monotonic_us()) > 0 && !pipeline_is_abandoned(pipeline))
        serve(pipeline, left < SLICE_MS * 1000 ? (int)((left + 999) / 1000) : SLICE_MS);
}

enum outcome pipeline_wait_database(struct pipeline *pipeline, struct err *err)
{
    enum outcome outcome;
    while ((outcome = db_ready(pipeline->context->db, err)) == OUTCOME_RETRY &&
           !pipeline_is_abandoned(pipeline)) {
        pipeline_log_retry(pipeline, "waiting_for_database", err);
        pipeline_pause(pipeline, SLICE_MS * 1000);
    }
    return outcome;
}

enum outcome pipeline_wait_acks(struct pipeline *pipeline, struct err *err)
{
    enum outcome outcome;
    do {
        outcome =
            producer_wait(pipeline->context->producer, ACK_TIMEOUT_MS, heartbeat, pipeline, err);
    } while (outcome == OUTCOME_RETRY && strcmp(err->code, "produce_stalled") == 0 &&
             !stop_requested());
    return outcome;
}

void pipeline_undo(struct pipeline *pipeline)
{
    db_rollback(pipeline->context->db);
    if (pipeline->service->dropped)
        pipeline->service->dropped(pipeline->self);
}

void pipeline_log_retry(struct pipeline *pipeline, const char *event, const struct err *err)
{
    pipeline->is_outdated = pipeline->is_outdated || renew_is_due(err);
    log_event(LOG_WARN, event, "code", err->code, "message", err->message, NULL);
}
