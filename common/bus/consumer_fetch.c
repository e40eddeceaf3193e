/* consumer_fetch.c: from librdkafka's partition queues into the merge, one message at a time. */
#include "common/bus/consumer_internal.h"
#include "common/runtime/log.h"

enum { CHUNK = 256 };

void fetch_drop(void *message)
{
    rd_kafka_message_destroy(message);
}

void fetch_error(struct consumer *consumer, rd_kafka_resp_err_t rc, const char *reason)
{
    metric_add(consumer->metrics.errors, 1);
    if (rc == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        consumer->is_down = true;
    log_event(LOG_WARN, "kafka_error", "client", "consumer", "code", rd_kafka_err2name(rc),
              "message", reason, NULL);
}

void fetch_message(struct consumer *consumer, struct lane *lane, rd_kafka_message_t *message)
{
    size_t index = (size_t)(lane - consumer->lanes);
    bool is_end = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
    if (!message->err || is_end) {
        lag_saw(consumer, lane, message->offset);
        lane->seen = message->offset + !is_end;
    }
    if (!message->err) {
        order_push(consumer->order, index, rd_kafka_message_timestamp(message, NULL), message,
                   message->len + message->key_len);
        return;
    }
    if (is_end) {
        lane->end_mark = message->offset;
        order_end(consumer->order, index);
    } else
        fetch_error(consumer, message->err, rd_kafka_message_errstr(message));
    rd_kafka_message_destroy(message);
}

static size_t absorb_lane(struct consumer *consumer, size_t index, size_t limit)
{
    size_t seen = 0;
    struct lane *lane = &consumer->lanes[index];
    /* far cheaper than asking an empty queue for a message */
    size_t there = rd_kafka_queue_length(lane->queue);
    while (seen < limit && seen < there && order_has_room(consumer->order, index)) {
        rd_kafka_message_t *message = rd_kafka_consume_queue(lane->queue, 0);
        if (!message)
            break;
        fetch_message(consumer, lane, message);
        seen++;
    }
    return seen;
}

size_t fetch_absorb(struct consumer *consumer, size_t limit)
{
    size_t seen = 0, round;
    do {
        round = 0;
        order_balance(consumer->order);
        for (size_t i = 0; i < consumer->lane_count; i++)
            round += absorb_lane(consumer, i, CHUNK);
        seen += round;
    } while (round > 0 && seen < limit);
    if (seen)
        consumer->is_down = false;
    return seen;
}
