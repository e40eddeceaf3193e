/* pipeline_batch.c: one batch from decode to commit, with retries, halving and dead letters. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/runtime/clock.h"
#include "common/runtime/log.h"
#include "common/service/admin_http.h"
#include "common/service/pipeline_internal.h"

static void refuse(struct pipeline *pipeline, size_t i, const struct err *err)
{
    pipeline->reasons[i] = err->code;
    free(pipeline->details[i]);
    pipeline->details[i] = strdup(err->message);
}

static enum outcome decode_all(struct pipeline *pipeline, struct batch *batch, size_t *alive,
                               struct err *err)
{
    size_t first = (size_t)(batch->records - pipeline->records);
    for (size_t i = 0; i < batch->record_count; i++) {
        if (pipeline->reasons[first + i])
            continue;
        pipeline_stay(pipeline); /* a schema may have to be asked for at a slow registry */
        enum outcome outcome =
            pipeline->service->decode(pipeline->self, batch, &batch->records[i], err);
        if (outcome == OUTCOME_OK)
            ++*alive;
        else if (outcome == OUTCOME_REJECT)
            refuse(pipeline, first + i, err);
        else
            return outcome;
    }
    return OUTCOME_OK;
}

static enum outcome apply(struct pipeline *pipeline, struct batch *batch, struct err *err)
{
    int64_t started = clock_monotonic_us();
    enum outcome outcome = pipeline->service->apply(pipeline->self, batch, err);
    metric_observe(pipeline->metrics.commit_seconds,
                   (double)(clock_monotonic_us() - started) / 1e6);
    return outcome;
}

static enum outcome publish(struct pipeline *pipeline, struct batch *batch, struct err *err)
{
    const struct service *service = pipeline->service;
    if (service->publish)
        CHECK(service->publish(pipeline->self, batch, err));
    CHECK(pipeline_wait_acks(pipeline, err));
    if (service->finished == NULL)
        return OUTCOME_OK;
    CHECK(service->finished(pipeline->self, batch, err));
    return pipeline_wait_acks(pipeline, err);
}

/* Decoding answers RETRY only if the schema registry does not answer. */
static void report_registry(struct pipeline *pipeline, enum outcome outcome)
{
    bool is_down = outcome == OUTCOME_RETRY;
    if (is_down != pipeline->is_registry_down)
        admin_http_condition("registry", !is_down);
    pipeline->is_registry_down = is_down;
}

/* One run over the records of a range that are not marked. */
static enum outcome attempt(struct pipeline *pipeline, size_t first, size_t count, struct err *err)
{
    size_t alive = 0;
    struct batch batch = {&pipeline->arena, pipeline->records + first, count, clock_now(), NULL};
    arena_reset(&pipeline->arena);
    CHECK(pipeline_renew(pipeline, err));
    enum outcome outcome = decode_all(pipeline, &batch, &alive, err);
    report_registry(pipeline, outcome);
    if (outcome != OUTCOME_OK || alive == 0)
        return outcome;
    CHECK(pipeline_wait_database(pipeline, err));
    CHECK(apply(pipeline, &batch, err));
    return publish(pipeline, &batch, err);
}

static size_t count_alive(const struct pipeline *pipeline, size_t first, size_t count, size_t *last)
{
    size_t alive = 0;
    for (size_t i = first; i < first + count; i++) {
        if (!pipeline->reasons[i]) {
            alive++;
            *last = i;
        }
    }
    return alive;
}

enum { PATIENCE = 3 }; /* attempts at a range as a whole */

static enum outcome run_range(struct pipeline *pipeline, size_t first, size_t count,
                              struct err *err);

static enum outcome run_halves(struct pipeline *pipeline, size_t first, size_t count,
                               struct err *err)
{
    CHECK(run_range(pipeline, first, count / 2, err));
    return run_range(pipeline, first + count / 2, count - count / 2, err);
}

/* A record of the range is faulty: the only one, or one in either half. */
static enum outcome halve(struct pipeline *pipeline, size_t first, size_t count, struct err *err)
{
    size_t last = 0;
    if (count_alive(pipeline, first, count, &last) <= 1) {
        pipeline->reasons[last] = err->code;
        return OUTCOME_OK;
    }
    return run_halves(pipeline, first, count, err);
}

static void wait_before_retry(struct pipeline *pipeline, const char *event, const struct err *err)
{
    metric_add(pipeline->metrics.retries, 1);
    pipeline_log_retry(pipeline, event, err);
    pipeline->is_scan_due = true;
    pipeline_pause(pipeline, backoff_next_us(&pipeline->backoff));
}

/* Runs a range until every record took effect or is marked. RETRY: given up. A range that fails
 * again and again may be too large for one transaction (the server's timeouts end it), so its
 * halves are tried. While a server is down, that costs a few small batches. */
static enum outcome run_range(struct pipeline *pipeline, size_t first, size_t count,
                              struct err *err)
{
    for (int tries = 1;; tries++) {
        enum outcome outcome = attempt(pipeline, first, count, err);
        if (outcome == OUTCOME_OK) {
            backoff_reset(&pipeline->backoff);
            return outcome;
        }
        pipeline_undo(pipeline);
        if (outcome == OUTCOME_REJECT)
            return halve(pipeline, first, count, err);
        if (outcome == OUTCOME_FATAL)
            return outcome;
        wait_before_retry(pipeline, "batch_retry", err);
        if (pipeline_is_abandoned(pipeline))
            return OUTCOME_RETRY;
        if (tries >= PATIENCE && count > 1)
            return run_halves(pipeline, first, count, err);
    }
}

static enum outcome send_letters(struct pipeline *pipeline, struct err *err)
{
    size_t sent = 0;
    for (size_t i = 0; i < pipeline->count; i++) {
        const struct record *record = &pipeline->records[i];
        if (!pipeline->reasons[i])
            continue;
        const char *topic = consumer_topic_name(pipeline->consumer, record->topic);
        CHECK(dead_letters_send(pipeline->letters, record, topic, pipeline->reasons[i],
                                pipeline->details[i], err));
        sent++;
    }
    return sent ? pipeline_wait_acks(pipeline, err) : OUTCOME_OK;
}

static enum outcome deliver_letters(struct pipeline *pipeline, struct err *err)
{
    enum outcome outcome;
    while ((outcome = send_letters(pipeline, err)) == OUTCOME_RETRY &&
           !pipeline_is_abandoned(pipeline))
        wait_before_retry(pipeline, "dead_letter_retry", err);
    if (outcome == OUTCOME_REJECT)
        outcome = OUTCOME_FATAL;
    return outcome;
}

static void mark_oversized(struct pipeline *pipeline)
{
    for (size_t i = 0; i < pipeline->count; i++) {
        const struct record *record = &pipeline->records[i];
        bool fits = record_size(record) + record_headers_size(record) <= pipeline->max_record_bytes;
        pipeline->reasons[i] = fits ? NULL : "record_too_large";
        free(pipeline->details[i]);
        pipeline->details[i] = NULL;
    }
}

static struct metric *topic_metric(const char *topic, const char *result)
{
    char labels[320];
    snprintf(labels, sizeof labels, "topic=\"%s\",result=\"%s\"", topic, result);
    return metric_counter("records_processed_total", labels,
                          "Records done, by what became of them.");
}

static void ensure_topic_metrics(struct pipeline *pipeline, size_t topic)
{
    if (topic < pipeline->topic_metrics)
        return;
    pipeline->ok = realloc(pipeline->ok, (topic + 1) * sizeof *pipeline->ok);
    pipeline->dead = realloc(pipeline->dead, (topic + 1) * sizeof *pipeline->dead);
    if (!pipeline->ok || !pipeline->dead)
        abort();
    for (size_t i = pipeline->topic_metrics; i <= topic; i++) {
        const char *name = consumer_topic_name(pipeline->consumer, (int)i);
        bool is_pattern = name[0] == '^';
        pipeline->ok[i] = is_pattern ? NULL : topic_metric(name, "ok");
        pipeline->dead[i] = is_pattern ? NULL : topic_metric(name, "dead_letter");
    }
    pipeline->topic_metrics = topic + 1;
}

static void count_done(struct pipeline *pipeline)
{
    int64_t now_ms = clock_now().us / 1000;
    for (size_t i = 0; i < pipeline->count; i++) {
        const struct record *record = &pipeline->records[i];
        size_t topic = (size_t)record->topic;
        ensure_topic_metrics(pipeline, topic);
        metric_add(pipeline->reasons[i] ? pipeline->dead[topic] : pipeline->ok[topic], 1);
        if (record->timestamp_ms > 0)
            metric_observe(pipeline->metrics.delay_seconds,
                           (double)(now_ms - record->timestamp_ms) / 1000);
    }
    metric_observe(pipeline->metrics.batch_seconds,
                   (double)(clock_monotonic_us() - pipeline->first_us) / 1e6);
}

static enum outcome run_and_commit(struct pipeline *pipeline, struct err *err)
{
    CHECK(run_range(pipeline, 0, pipeline->count, err));
    CHECK(deliver_letters(pipeline, err));
    consumer_commit(pipeline->consumer);
    count_done(pipeline);
    return OUTCOME_OK;
}

enum outcome pipeline_batch(struct pipeline *pipeline, struct err *err)
{
    mark_oversized(pipeline);
    enum outcome outcome = run_and_commit(pipeline, err);
    consumer_release(pipeline->consumer, pipeline->records, pipeline->count);
    pipeline->count = 0;
    pipeline->bytes = 0;
    return outcome;
}
