/* consumer.c: opening, taking, committing and closing; see consumer.h and consumer_internal.h. */
#include "common/bus/consumer.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/bus/consumer_internal.h"
#include "common/bus/kafka_conf.h"
#include "common/bus/kafka_reason.h"
#include "common/bus/kafka_topics.h"
#include "common/runtime/clock.h"
#include "common/runtime/log.h"

enum {
    MERGE_WAIT_US = 500000, /* how long the merge waits in total for lanes that should have data */
    REPORT_US = 1000000,
    ASK_MS = 200, /* for an answer about offsets, once the fetch before it is answered */
    CLOSE_TIMEOUT_US = 10000000,
    LANE_QUEUE_SHARE = 16, /* a partition queue holds this part of the whole consumer's bounds */
};

static void on_error(rd_kafka_t *rk, int rc, const char *reason, void *opaque)
{
    struct consumer *consumer = opaque;
    kafka_reason_keep(rk, rc, reason, NULL);
    fetch_error(consumer, rc, reason);
    if (rc == RD_KAFKA_RESP_ERR__FATAL) {
        char text[256];
        rd_kafka_resp_err_t original = rd_kafka_fatal_error(rk, text, sizeof text);
        err_set(&consumer->fatal, OUTCOME_FATAL, "kafka_fatal", "Kafka consumer: %s: %s",
                rd_kafka_err2name(original), text);
    }
}

static void open_metrics(struct consumer *consumer)
{
    consumer->metrics.rebalances =
        metric_counter("kafka_rebalances_total", "", "Assignments given and taken.");
    consumer->metrics.idle_while_lagging =
        metric_counter("consumer_idle_while_lagging_seconds_total", "",
                       "Time spent waiting although the broker has records.");
    consumer->metrics.errors = metric_counter("kafka_errors_total", "client=\"consumer\"",
                                              "Errors reported by the Kafka client.");
    consumer->metrics.commit_failures =
        metric_counter("kafka_commit_failures_total", "", "Offset commits that failed.");
}

static void set_share(rd_kafka_conf_t *conf, const char *name, long total, long least)
{
    char text[32];
    long share = total / LANE_QUEUE_SHARE > least ? total / LANE_QUEUE_SHARE : least;
    snprintf(text, sizeof text, "%ld", share < total ? share : total);
    kafka_conf_force(conf, name, text);
}

/* The bounds of the whole consumer become the budget of the merge; each partition queue gets a
 * small share. */
static void divide_bounds(struct consumer *consumer, rd_kafka_conf_t *conf)
{
    long records = kafka_conf_number(conf, "queued.min.messages");
    long kbytes = kafka_conf_number(conf, "queued.max.messages.kbytes");
    consumer->order = order_new((size_t)records, (size_t)kbytes * 1024);
    set_share(conf, "queued.min.messages", records, 2000);
    set_share(conf, "queued.max.messages.kbytes", kbytes, 2048);
}

static enum outcome create(struct consumer *consumer, rd_kafka_conf_t *conf, struct err *err)
{
    char text[256];
    consumer->max_poll_interval_us =
        (int64_t)kafka_conf_number(conf, "max.poll.interval.ms") * 1000;
    consumer->ask_timeout_ms = ASK_MS + (int)kafka_conf_number(conf, "fetch.wait.max.ms");
    divide_bounds(consumer, conf);
    rd_kafka_conf_set_opaque(conf, consumer);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_rebalance_cb(conf, assignment_callback);
    consumer->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (!consumer->rk) {
        rd_kafka_conf_destroy(conf);
        return err_set(err, OUTCOME_FATAL, "config_invalid", "Kafka consumer: %s", text);
    }
    rd_kafka_set_log_queue(consumer->rk, NULL);
    rd_kafka_poll_set_consumer(consumer->rk);
    consumer->main_queue = rd_kafka_queue_get_consumer(consumer->rk);
    consumer->commit_queue = rd_kafka_queue_new(consumer->rk);
    static const uint64_t one = 1;
    rd_kafka_queue_io_event_enable(consumer->main_queue, consumer->wake_fd, &one, sizeof one);
    return OUTCOME_OK;
}

static enum outcome subscribe(struct consumer *consumer, const char *const *topics, struct err *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
    enum outcome outcome = OUTCOME_OK;
    for (; *topics && outcome == OUTCOME_OK; topics++) {
        int32_t count;
        topic_names_index(&consumer->topics, *topics);
        rd_kafka_topic_partition_list_add(list, *topics, RD_KAFKA_PARTITION_UA);
        if (**topics != '^')
            outcome = kafka_topic_partitions(consumer->rk, *topics, &count, err);
    }
    rd_kafka_resp_err_t rc =
        outcome == OUTCOME_OK ? rd_kafka_subscribe(consumer->rk, list) : RD_KAFKA_RESP_ERR_NO_ERROR;
    if (rc)
        outcome = err_set(err, OUTCOME_FATAL, "subscribe_failed", "cannot subscribe: %s",
                          rd_kafka_err2str(rc));
    rd_kafka_topic_partition_list_destroy(list);
    return outcome;
}

static enum outcome start(struct consumer *consumer, rd_kafka_conf_t *conf,
                          const char *const *topics, struct err *err)
{
    CHECK(create(consumer, conf, err));
    return subscribe(consumer, topics, err);
}

enum outcome consumer_open(const struct config *config, const char *group,
                           const char *const *topics, const struct consumer_events *events,
                           struct consumer **out, struct err *err)
{
    rd_kafka_conf_t *conf;
    *out = NULL;
    CHECK(kafka_conf_consumer(config, group, &conf, err));
    struct consumer *consumer = calloc(1, sizeof *consumer);
    if (!consumer || (consumer->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) < 0)
        abort();
    if (events)
        consumer->events = *events;
    open_metrics(consumer);
    enum outcome outcome = start(consumer, conf, topics, err);
    if (outcome == OUTCOME_OK)
        *out = consumer;
    else
        consumer_close(consumer);
    return outcome;
}

enum outcome consumer_check_config(const struct config *config, struct err *err)
{
    rd_kafka_conf_t *conf;
    CHECK(kafka_conf_consumer(config, "check", &conf, err));
    rd_kafka_conf_destroy(conf);
    return OUTCOME_OK;
}

static enum outcome try_topic(rd_kafka_t *rk, const char *topic, struct err *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t rc = rd_kafka_subscribe(rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    return rc ? err_set(err, OUTCOME_FATAL, "topic_invalid",
                        "input topic %s: neither a name nor a pattern that librdkafka knows", topic)
              : OUTCOME_OK;
}

enum outcome consumer_check_start(const struct config *config, const char *const *topics,
                                  struct err *err)
{
    rd_kafka_conf_t *conf;
    rd_kafka_t *rk;
    CHECK(kafka_conf_consumer(config, "check", &conf, err));
    CHECK(kafka_conf_try(RD_KAFKA_CONSUMER, conf, &rk, err));
    enum outcome outcome = OUTCOME_OK;
    for (; *topics && outcome == OUTCOME_OK; topics++)
        outcome = try_topic(rk, *topics, err);
    rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return outcome;
}

/* rd_kafka_consumer_close may hang while the coordinator is down; this way it is only waited for.
 */
static void leave_group(struct consumer *consumer)
{
    int64_t deadline = clock_monotonic_us() + CLOSE_TIMEOUT_US;
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(consumer->rk, consumer->main_queue);
    if (error) {
        rd_kafka_error_destroy(error);
        return;
    }
    while (!rd_kafka_consumer_closed(consumer->rk) && clock_monotonic_us() < deadline) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer->rk, 50);
        if (message)
            rd_kafka_message_destroy(message);
    }
}

void consumer_close(struct consumer *consumer)
{
    if (!consumer)
        return;
    consumer->events.assigned = NULL;
    if (consumer->rk) {
        leave_group(consumer);
        assignment_clear(consumer);
        rd_kafka_queue_io_event_enable(consumer->main_queue, -1, NULL, 0);
        rd_kafka_queue_destroy(consumer->main_queue);
        rd_kafka_queue_destroy(consumer->commit_queue);
        rd_kafka_destroy_flags(consumer->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    }
    if (consumer->given)
        rd_kafka_topic_partition_list_destroy(consumer->given);
    order_free(consumer->order, fetch_drop);
    close(consumer->wake_fd);
    topic_names_free(&consumer->topics);
    free(consumer);
}

/* A message on the consumer's own queue is an error, or one that was fetched before its lane had a
 * queue. */
static void serve_one(struct consumer *consumer, rd_kafka_message_t *message)
{
    const char *topic = message->rkt ? rd_kafka_topic_name(message->rkt) : "";
    for (size_t i = 0; i < consumer->lane_count; i++) {
        struct lane *lane = &consumer->lanes[i];
        if (lane->partition == message->partition &&
            strcmp(consumer->topics.names[lane->topic], topic) == 0) {
            fetch_message(consumer, lane, message);
            return;
        }
    }
    if (message->err)
        fetch_error(consumer, message->err, rd_kafka_message_errstr(message));
    rd_kafka_message_destroy(message);
}

/* Rebalances, log lines, errors; keeps the membership alive. */
static void serve(struct consumer *consumer, int timeout_ms)
{
    rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer->rk, timeout_ms);
    while (message) {
        serve_one(consumer, message);
        message = rd_kafka_consumer_poll(consumer->rk, 0);
    }
}

static void probe_brokers(struct consumer *consumer)
{
    const struct rd_kafka_metadata *metadata;
    if (rd_kafka_metadata(consumer->rk, 0, NULL, &metadata, 100) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        consumer->is_down = false;
        rd_kafka_metadata_destroy(metadata);
    }
}

static void report(struct consumer *consumer)
{
    int64_t now = clock_monotonic_us();
    for (size_t i = 0; i < consumer->lane_count; i++) {
        struct lane *lane = &consumer->lanes[i];
        if (lane->taken)
            metric_add(consumer->topics.consumed[lane->topic], lane->taken);
        lane->taken = 0;
    }
    if (now < consumer->next_report_us)
        return;
    consumer->next_report_us = now + REPORT_US;
    lag_report(consumer);
    assignment_look(consumer);
    if (consumer->is_down)
        probe_brokers(consumer);
}

static void fill_record(struct lane *lane, rd_kafka_message_t *message, struct record *record)
{
    *record = (struct record){
        .topic = lane->topic,
        .partition = lane->partition,
        .offset = message->offset,
        .timestamp_ms = rd_kafka_message_timestamp(message, NULL),
        .key = {message->key, message->key_len},
        .value = {message->payload, message->len},
        .handle = message,
    };
    lane->next = message->offset + 1;
    lane->taken++;
}

/* True once the lanes that are waited for had their time: then the merge goes on without them. */
static bool waited_enough(struct consumer *consumer)
{
    int64_t now = clock_monotonic_us();
    if (order_count(consumer->order) == 0)
        consumer->waiting_since_us = 0;
    else if (consumer->waiting_since_us == 0)
        consumer->waiting_since_us = now;
    if (consumer->waiting_since_us == 0 || now - consumer->waiting_since_us < MERGE_WAIT_US)
        return false;
    return order_give_up(consumer->order) > 0;
}

static size_t hand_out(struct consumer *consumer, struct record *records, size_t max,
                       size_t max_bytes)
{
    size_t count = 0, bytes = 0, index;
    while (count < max && bytes < max_bytes) {
        rd_kafka_message_t *message = order_pop(consumer->order, &index);
        if (message) {
            fill_record(&consumer->lanes[index], message, &records[count]);
            bytes += record_size(&records[count++]);
            consumer->waiting_since_us = 0;
        } else if (fetch_absorb(consumer, max) == 0 &&
                   !(order_is_waiting(consumer->order) && waited_enough(consumer))) {
            break;
        }
    }
    return count;
}

/* Waits for anything on any queue. False when the time is over. */
static bool wait_for_data(struct consumer *consumer, int64_t deadline)
{
    uint64_t wakes;
    int64_t before = clock_monotonic_us(), left = deadline - before;
    if (left <= 0)
        return false;
    bool is_lagging = order_is_waiting(consumer->order);
    if (order_count(consumer->order) > 0 && consumer->waiting_since_us > 0) {
        int64_t merge_left = consumer->waiting_since_us + MERGE_WAIT_US - before;
        left = merge_left < left ? merge_left : left;
    }
    struct pollfd fd = {.fd = consumer->wake_fd, .events = POLLIN};
    poll(&fd, 1, left > 0 ? (int)((left + 999) / 1000) : 0);
    if (read(consumer->wake_fd, &wakes, sizeof wakes) < 0)
        wakes = 0;
    if (is_lagging)
        metric_add(consumer->metrics.idle_while_lagging,
                   (double)(clock_monotonic_us() - before) / 1e6);
    return true;
}

size_t consumer_take(struct consumer *consumer, struct record *records, size_t max,
                     size_t max_bytes, int timeout_ms, bool *caught_up, struct err *err)
{
    size_t count = 0;
    int64_t deadline = clock_monotonic_us() + (int64_t)timeout_ms * 1000;
    do {
        serve(consumer, max == 0 ? timeout_ms : 0);
        if (max == 0 || consumer->fatal.outcome != OUTCOME_OK)
            break;
        fetch_absorb(consumer, 2 * max);
        count = hand_out(consumer, records, max, max_bytes);
    } while (count == 0 && wait_for_data(consumer, deadline));
    if (caught_up)
        *caught_up = consumer->is_assigned && order_is_drained(consumer->order);
    if (err)
        *err = consumer->fatal;
    report(consumer);
    return count;
}

void consumer_release(struct consumer *consumer, struct record *records, size_t count)
{
    for (size_t i = 0; i < count; i++)
        rd_kafka_message_destroy(records[i].handle);
}

bool record_header(const struct record *record, const char *name, struct span *value)
{
    rd_kafka_headers_t *headers;
    const void *bytes;
    size_t size;
    if (record->handle == NULL || rd_kafka_message_headers(record->handle, &headers) ||
        rd_kafka_header_get_last(headers, name, &bytes, &size))
        return false;
    *value = bytes ? (struct span){bytes, size} : SPAN_NONE;
    return true;
}

size_t record_headers_size(const struct record *record)
{
    rd_kafka_headers_t *headers;
    const char *name;
    const void *bytes;
    size_t size, sum = 0;
    if (rd_kafka_message_headers(record->handle, &headers))
        return 0;
    for (size_t i = 0;
         rd_kafka_header_get_all(headers, i, &name, &bytes, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         i++)
        sum += strlen(name) + size;
    return sum;
}

const char *consumer_topic_name(const struct consumer *consumer, int topic)
{
    return consumer->topics.names[topic];
}

int64_t consumer_epoch(const struct consumer *consumer)
{
    return consumer->epoch;
}

bool consumer_is_joined(const struct consumer *consumer)
{
    return consumer->is_assigned && !consumer->is_down && !consumer->is_starved;
}

int64_t consumer_max_poll_interval_us(const struct consumer *consumer)
{
    return consumer->max_poll_interval_us;
}
