/* producer.c: one librdkafka producer at a time, replaced when it turns fatal or when its caller
 * publishes again.
 *
 * Only failures are reported per message (delivery.report.only.error): everything sent is
 * acknowledged when nothing is outstanding any more and no failure was reported. */
#include "common/bus/producer.h"

#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bus/consumer.h"
#include "common/bus/kafka_conf.h"
#include "common/bus/kafka_reason.h"
#include "common/bus/kafka_topics.h"
#include "common/runtime/clock.h"
#include "common/runtime/config.h"
#include "common/runtime/log.h"
#include "common/runtime/telemetry.h"

enum {
    SLICE_MS = 100,
    /* rd_kafka_flush looks for acknowledgements only every 10 ms: a short wait asks more often. */
    SHORT_SLICE_MS = 1,
    SHORT_WAIT_US = 30000,
    FULL_TIMEOUT_US = 60000000, /* how long producer_send waits for room */
    STALL_ALARM_US = 5000000,
    CLOSE_TIMEOUT_US = 5000000,
};

struct target {
    char *name;
    rd_kafka_topic_t *rkt;
    int32_t partitions;
    struct metric *sent;
};

struct producer {
    const struct config *config;
    rd_kafka_t *rk;
    struct target *topics;
    size_t topic_count;
    bool is_fatal; /* librdkafka gave this instance up */
    /* a wait ended with messages outstanding: the next send starts with a new instance */
    bool is_abandoned;
    size_t failed; /* messages of this round that were not delivered */
    char first_failure[160];
    struct metric *errors, *replaced, *stalled;
};

static void note_failure(struct producer *producer, rd_kafka_resp_err_t rc)
{
    if (producer->failed++ == 0)
        snprintf(producer->first_failure, sizeof producer->first_failure, "%s",
                 rd_kafka_err2str(rc));
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    struct producer *producer = opaque;
    if (message->err && rk == producer->rk)
        note_failure(producer, message->err);
}

static void on_error(rd_kafka_t *rk, int rc, const char *reason, void *opaque)
{
    struct producer *producer = opaque;
    metric_add(producer->errors, 1);
    kafka_reason_keep(rk, rc, reason, NULL);
    if (rc == RD_KAFKA_RESP_ERR__FATAL && rk == producer->rk)
        producer->is_fatal = true;
    log_event(LOG_WARN, "kafka_error", "client", "producer", "code", rd_kafka_err2name(rc),
              "message", reason, NULL);
}

static enum outcome create(struct producer *producer, struct err *err)
{
    char text[256];
    rd_kafka_conf_t *conf;
    CHECK(kafka_conf_producer(producer->config, &conf, err));
    rd_kafka_conf_set_opaque(conf, producer);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_error_cb(conf, on_error);
    producer->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!producer->rk) {
        rd_kafka_conf_destroy(conf);
        return err_set(err, OUTCOME_FATAL, "config_invalid", "Kafka producer: %s", text);
    }
    rd_kafka_set_log_queue(producer->rk, NULL);
    return OUTCOME_OK;
}

enum outcome producer_open(const struct config *config, struct producer **out, struct err *err)
{
    struct producer *producer = calloc(1, sizeof *producer);
    if (!producer)
        abort();
    producer->config = config;
    producer->errors = metric_counter("kafka_errors_total", "client=\"producer\"",
                                      "Errors reported by the Kafka client.");
    producer->replaced = metric_counter("kafka_producer_replaced_total", "",
                                        "Producer instances given up for a new one.");
    producer->stalled = metric_counter("kafka_produce_stalls_total", "",
                                       "Times nothing was acknowledged for 5 seconds.");
    *out = NULL;
    enum outcome outcome = create(producer, err);
    if (outcome == OUTCOME_OK)
        *out = producer;
    else
        producer_close(producer);
    return outcome;
}

enum outcome producer_check_config(const struct config *config, struct err *err)
{
    rd_kafka_conf_t *conf;
    CHECK(kafka_conf_producer(config, &conf, err));
    rd_kafka_conf_destroy(conf);
    return OUTCOME_OK;
}

enum outcome producer_check_start(const struct config *config, struct err *err)
{
    rd_kafka_conf_t *conf;
    rd_kafka_t *rk;
    CHECK(kafka_conf_producer(config, &conf, err));
    CHECK(kafka_conf_try(RD_KAFKA_PRODUCER, conf, &rk, err));
    rd_kafka_destroy(rk);
    return OUTCOME_OK;
}

/* Drops what is outstanding. */
static void destroy_instance(struct producer *producer)
{
    if (!producer->rk)
        return;
    rd_kafka_t *rk = producer->rk;
    rd_kafka_purge(rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    producer->rk = NULL;
    while (rd_kafka_poll(rk, 0) > 0)
        ;
    for (size_t i = 0; i < producer->topic_count; i++) {
        if (producer->topics[i].rkt)
            rd_kafka_topic_destroy(producer->topics[i].rkt);
        producer->topics[i].rkt = NULL;
    }
    rd_kafka_destroy(rk);
}

static void replace_instance(struct producer *producer, const char *reason)
{
    struct err err;
    log_event(LOG_WARN, "kafka_producer_replaced", "reason", reason, NULL);
    metric_add(producer->replaced, 1);
    destroy_instance(producer);
    producer->is_fatal = producer->is_abandoned = false;
    producer->failed = 0;
    if (create(producer, &err) != OUTCOME_OK)
        /* the same settings made an instance before: only memory or threads can be lacking */
        abort();
}

void producer_close(struct producer *producer)
{
    if (!producer)
        return;
    int64_t deadline = clock_monotonic_us() + CLOSE_TIMEOUT_US;
    while (producer->rk && !producer->is_abandoned && rd_kafka_outq_len(producer->rk) > 0 &&
           clock_monotonic_us() < deadline)
        rd_kafka_flush(producer->rk, SLICE_MS);
    destroy_instance(producer);
    for (size_t i = 0; i < producer->topic_count; i++)
        free(producer->topics[i].name);
    free(producer->topics);
    free(producer);
}

static int add_topic(struct producer *producer, const char *name, int32_t partitions)
{
    char labels[320];
    size_t count = producer->topic_count + 1;
    producer->topics = realloc(producer->topics, count * sizeof *producer->topics);
    if (!producer->topics)
        abort();
    struct target *topic = &producer->topics[producer->topic_count];
    snprintf(labels, sizeof labels, "topic=\"%s\"", name);
    *topic = (struct target){.name = strdup(name), .partitions = partitions};
    topic->sent = metric_counter("records_produced_total", labels, "Records queued for Kafka.");
    producer->topic_count = count;
    return (int)count - 1;
}

enum outcome producer_topic(struct producer *producer, const char *name, int *topic,
                            int32_t *partition_count, struct err *err)
{
    for (size_t i = 0; i < producer->topic_count; i++) {
        if (strcmp(producer->topics[i].name, name) == 0) {
            *topic = (int)i;
            if (partition_count)
                *partition_count = producer->topics[i].partitions;
            return OUTCOME_OK;
        }
    }
    int32_t partitions;
    CHECK(kafka_topic_partitions(producer->rk, name, &partitions, err));
    *topic = add_topic(producer, name, partitions);
    if (partition_count)
        *partition_count = partitions;
    return OUTCOME_OK;
}

/* The topic's handle in the present instance; one that gave up or was given up is replaced first.
 */
static struct target *ready_target(struct producer *producer, int topic)
{
    if (producer->is_fatal || producer->is_abandoned)
        replace_instance(producer, producer->is_fatal ? "fatal" : "published_again");
    struct target *target = &producer->topics[topic];
    if (!target->rkt)
        target->rkt = rd_kafka_topic_new(producer->rk, target->name, NULL);
    if (!target->rkt)
        abort();
    return target;
}

/* After a refused message: OK means try again (there was no room). */
static enum outcome after_refusal(struct producer *producer, rd_kafka_resp_err_t rc,
                                  int64_t deadline, struct err *err)
{
    switch (rc) {
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
        if (clock_monotonic_us() >= deadline)
            return err_set(err, OUTCOME_RETRY, "produce_queue_full",
                           "the producer's queue stays full");
        rd_kafka_poll(producer->rk, SLICE_MS);
        return OUTCOME_OK;
    case RD_KAFKA_RESP_ERR__FATAL:
        producer->is_fatal = true;
        return err_set(err, OUTCOME_RETRY, "producer_replaced",
                       "the producer turned fatal and is replaced");
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        return err_set(err, OUTCOME_REJECT, "message_too_large",
                       "a message is above kafka.producer.message.max.bytes");
    default:
        return err_set(err, OUTCOME_RETRY, "produce_failed", "cannot queue a message: %s",
                       rd_kafka_err2str(rc));
    }
}

static rd_kafka_headers_t *add_headers(rd_kafka_headers_t *list, const struct header *headers,
                                       size_t count)
{
    if (!list)
        list = rd_kafka_headers_new(count);
    for (size_t i = 0; i < count; i++)
        rd_kafka_header_add(list, headers[i].name, -1, headers[i].value.ptr,
                            (ssize_t)headers[i].value.len);
    return list;
}

/* Takes headers over, also on failure. */
static rd_kafka_resp_err_t produce_full(struct producer *producer, rd_kafka_topic_t *rkt,
                                        int32_t partition, struct span key, struct span value,
                                        int64_t timestamp_ms, rd_kafka_headers_t *headers)
{
    rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = rkt},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)key.ptr, key.len}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)value.ptr, value.len}},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = timestamp_ms},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(producer->rk, parts, sizeof parts / sizeof *parts);
    if (!error)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_resp_err_t rc = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    rd_kafka_headers_destroy(headers);
    return rc;
}

static rd_kafka_resp_err_t produce_plain(rd_kafka_topic_t *rkt, int32_t partition, struct span key,
                                         struct span value)
{
    if (rd_kafka_produce(rkt, partition, RD_KAFKA_MSG_F_COPY, (void *)value.ptr, value.len, key.ptr,
                         key.len, NULL) == 0)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    return rd_kafka_last_error();
}

static enum outcome produce(struct producer *producer, int topic, int32_t partition,
                            struct span key, struct span value, int64_t timestamp_ms,
                            const struct header *headers, size_t header_count, struct err *err)
{
    struct target *target = ready_target(producer, topic);
    bool is_plain = header_count == 0 && timestamp_ms == 0;
    int64_t deadline = 0;
    for (;;) {
        rd_kafka_resp_err_t rc =
            is_plain ? produce_plain(target->rkt, partition, key, value)
                     : produce_full(producer, target->rkt, partition, key, value, timestamp_ms,
                                    add_headers(NULL, headers, header_count));
        if (rc == RD_KAFKA_RESP_ERR_NO_ERROR) {
            metric_add(target->sent, 1);
            return OUTCOME_OK;
        }
        if (deadline == 0)
            deadline = clock_monotonic_us() + FULL_TIMEOUT_US;
        CHECK(after_refusal(producer, rc, deadline, err));
    }
}

enum outcome producer_send(struct producer *producer, int topic, int32_t partition, struct span key,
                           struct span value, const struct header *headers, size_t header_count,
                           struct err *err)
{
    return produce(producer, topic, partition, key, value, 0, headers, header_count, err);
}

enum outcome producer_send_at(struct producer *producer, int topic, struct span key,
                              struct span value, int64_t timestamp_ms, struct err *err)
{
    return produce(producer, topic, RD_KAFKA_PARTITION_UA, key, value, timestamp_ms, NULL, 0, err);
}

static rd_kafka_headers_t *copy_headers(const struct record *original)
{
    rd_kafka_headers_t *headers;
    if (!original->handle || rd_kafka_message_headers(original->handle, &headers))
        return NULL;
    return rd_kafka_headers_copy(headers);
}

/* Takes headers over. */
static enum outcome send_again(struct producer *producer, int topic, struct span key,
                               const struct record *original, rd_kafka_headers_t *headers,
                               struct err *err)
{
    struct target *target = ready_target(producer, topic);
    int64_t deadline = clock_monotonic_us() + FULL_TIMEOUT_US;
    int64_t timestamp_ms = original->timestamp_ms > 0 ? original->timestamp_ms : 0;
    enum outcome outcome = OUTCOME_OK;
    while (outcome == OUTCOME_OK) {
        rd_kafka_resp_err_t rc =
            produce_full(producer, target->rkt, RD_KAFKA_PARTITION_UA, key, original->value,
                         timestamp_ms, rd_kafka_headers_copy(headers));
        if (rc == RD_KAFKA_RESP_ERR_NO_ERROR) {
            metric_add(target->sent, 1);
            break;
        }
        outcome = after_refusal(producer, rc, deadline, err);
    }
    rd_kafka_headers_destroy(headers);
    return outcome;
}

enum outcome producer_forward(struct producer *producer, int topic, struct span key,
                              const struct record *original, const struct header *extra,
                              size_t extra_count, struct err *err)
{
    return send_again(producer, topic, key, original,
                      add_headers(copy_headers(original), extra, extra_count), err);
}

static bool begins_with_any(const char *name, const char *const *beginnings)
{
    for (; *beginnings; beginnings++)
        if (strncmp(name, *beginnings, strlen(*beginnings)) == 0)
            return true;
    return false;
}

enum outcome producer_return(struct producer *producer, int topic, struct span key,
                             const struct record *original, const char *const *without,
                             struct err *err)
{
    rd_kafka_headers_t *all, *kept = rd_kafka_headers_new(8);
    const char *name;
    const void *value;
    size_t size;
    if (rd_kafka_message_headers(original->handle, &all) == RD_KAFKA_RESP_ERR_NO_ERROR)
        for (size_t i = 0;
             rd_kafka_header_get_all(all, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
             i++)
            if (!begins_with_any(name, without))
                rd_kafka_header_add(kept, name, -1, value, (ssize_t)size);
    return send_again(producer, topic, key, original, kept, err);
}

static enum outcome settle(struct producer *producer, struct err *err)
{
    if (producer->is_fatal) {
        replace_instance(producer, "fatal");
        return err_set(err, OUTCOME_RETRY, "producer_replaced",
                       "the producer turned fatal and was replaced");
    }
    if (producer->failed > 0) {
        err_set(err, OUTCOME_RETRY, "produce_failed", "%zu messages were not delivered: %s",
                producer->failed, producer->first_failure);
        producer->failed = 0;
        return OUTCOME_RETRY;
    }
    producer->is_abandoned = false;
    return OUTCOME_OK;
}

static void alarm_stall(struct producer *producer, int left, int64_t idle_us)
{
    metric_add(producer->stalled, 1);
    log_event(LOG_WARN, "kafka_produce_stalled", "outstanding", log_int(left), "idle_seconds",
              log_int(idle_us / 1000000), NULL);
}

/* How long the next look at the acknowledgements may last. */
static int slice_ms(int64_t waited_us, int timeout_ms)
{
    int slice = waited_us < SHORT_WAIT_US ? SHORT_SLICE_MS : SLICE_MS;
    return timeout_ms < slice ? timeout_ms : slice;
}

enum outcome producer_wait(struct producer *producer, int timeout_ms, void (*while_waiting)(void *),
                           void *arg, struct err *err)
{
    int left = rd_kafka_outq_len(producer->rk);
    int64_t begun_us = clock_monotonic_us(), progress_us = begun_us,
            alarm_us = progress_us + STALL_ALARM_US;
    while (left > 0 && !producer->is_fatal) {
        rd_kafka_flush(producer->rk, slice_ms(clock_monotonic_us() - begun_us, timeout_ms));
        int before = left;
        int64_t now = clock_monotonic_us();
        left = rd_kafka_outq_len(producer->rk);
        if (left < before)
            progress_us = now;
        if (left == 0)
            break;
        if (while_waiting)
            while_waiting(arg);
        if (now - progress_us >= STALL_ALARM_US && now >= alarm_us) {
            alarm_stall(producer, left, now - progress_us);
            alarm_us = now + 2 * STALL_ALARM_US;
        }
        if (now - progress_us >= (int64_t)timeout_ms * 1000) {
            producer->is_abandoned = true;
            return err_set(err, OUTCOME_RETRY, "produce_stalled",
                           "%d messages are not acknowledged: %s", left,
                           kafka_reason(producer->rk, RD_KAFKA_RESP_ERR__TIMED_OUT));
        }
    }
    rd_kafka_poll(producer->rk, 0);
    return settle(producer, err);
}
