/* consumer_assignment.c: the rebalance callback, and the lanes it makes. */
#include <stdlib.h>
#include <string.h>

#include "common/bus/consumer_internal.h"
#include "common/runtime/clock.h"
#include "common/runtime/log.h"

enum { LOOK_US = 30000000 }; /* between two looks at topics that may not be read */

static int lane_compare(const void *a, const void *b)
{
    const struct lane *x = a, *y = b;
    if (x->topic != y->topic)
        return x->topic < y->topic ? -1 : 1;
    return (x->partition > y->partition) - (x->partition < y->partition);
}

static const char *lane_topic(const struct consumer *consumer, const struct lane *lane)
{
    return consumer->topics.names[lane->topic];
}

/* The partition's own queue, no longer forwarded to the consumer's, waking the loop. Before the
 * fetch starts. */
static void lane_open_queue(struct consumer *consumer, struct lane *lane)
{
    static const uint64_t one = 1;
    lane->queue =
        rd_kafka_queue_get_partition(consumer->rk, lane_topic(consumer, lane), lane->partition);
    if (!lane->queue)
        abort();
    rd_kafka_queue_forward(lane->queue, NULL);
    rd_kafka_queue_io_event_enable(lane->queue, consumer->wake_fd, &one, sizeof one);
}

static struct lane lane_make(struct consumer *consumer, const rd_kafka_topic_partition_t *part)
{
    struct lane lane = {.topic = topic_names_index(&consumer->topics, part->topic),
                        .partition = part->partition,
                        .next = -1,
                        .committed = -1};
    lag_open_lane(consumer, &lane);
    lane_open_queue(consumer, &lane);
    return lane;
}

/* What librdkafka had fetched for a partition that is no longer ours. */
static void lane_close(struct lane *lane)
{
    rd_kafka_message_t *message;
    while ((message = rd_kafka_consume_queue(lane->queue, 0)))
        rd_kafka_message_destroy(message);
    rd_kafka_queue_io_event_enable(lane->queue, -1, NULL, 0);
    rd_kafka_queue_destroy(lane->queue);
    lag_close_lane(lane);
}

void assignment_clear(struct consumer *consumer)
{
    order_reset(consumer->order, 0, fetch_drop);
    for (size_t i = 0; i < consumer->lane_count; i++)
        lane_close(&consumer->lanes[i]);
    free(consumer->lanes);
    consumer->lanes = NULL;
    consumer->lane_count = 0;
    consumer->waiting_since_us = 0;
}

static void announce(struct consumer *consumer)
{
    size_t count = consumer->lane_count;
    int *topics = calloc(count + 1, sizeof *topics);
    int32_t *partitions = calloc(count + 1, sizeof *partitions);
    if (!topics || !partitions)
        abort();
    for (size_t i = 0; i < count; i++) {
        topics[i] = consumer->lanes[i].topic;
        partitions[i] = consumer->lanes[i].partition;
    }
    consumer->epoch++;
    log_event(LOG_INFO, "kafka_assignment", "partitions", log_int((long long)count), "epoch",
              log_int(consumer->epoch), NULL);
    if (consumer->events.assigned)
        consumer->events.assigned(consumer->events.arg, topics, partitions, count);
    free(topics);
    free(partitions);
}

static bool may_read(struct consumer *consumer, const char *name)
{
    int topic = topic_names_index(&consumer->topics, name);
    bool may =
        consumer->events.may_read == NULL || consumer->events.may_read(consumer->events.arg, topic);
    metric_set(consumer->topics.unread[topic], !may);
    return may;
}

/* Those of the parts whose topic may be read. The caller destroys the list. */
static rd_kafka_topic_partition_list_t *readable_of(struct consumer *consumer,
                                                    const rd_kafka_topic_partition_list_t *parts)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(parts->cnt);
    const char *asked = NULL;
    bool may = false;
    for (int i = 0; i < parts->cnt; i++) {
        const rd_kafka_topic_partition_t *part = &parts->elems[i];
        if (asked == NULL || strcmp(asked, part->topic) != 0)
            may = may_read(consumer, part->topic);
        asked = part->topic;
        if (may)
            rd_kafka_topic_partition_list_add(list, part->topic, part->partition);
    }
    return list;
}

static void keep_given(struct consumer *consumer, rd_kafka_topic_partition_list_t *given)
{
    if (consumer->given)
        rd_kafka_topic_partition_list_destroy(consumer->given);
    consumer->given = given;
    consumer->next_look_us = clock_monotonic_us() + LOOK_US;
}

static void assign_readable(struct consumer *consumer, const rd_kafka_topic_partition_list_t *parts)
{
    assignment_clear(consumer);
    consumer->lanes = calloc((size_t)parts->cnt + 1, sizeof *consumer->lanes);
    if (!consumer->lanes)
        abort();
    for (int i = 0; i < parts->cnt; i++)
        consumer->lanes[i] = lane_make(consumer, &parts->elems[i]);
    consumer->lane_count = (size_t)parts->cnt;
    qsort(consumer->lanes, consumer->lane_count, sizeof *consumer->lanes, lane_compare);
    order_reset(consumer->order, consumer->lane_count, fetch_drop);
    lag_read_committed(consumer, parts);
    rd_kafka_resp_err_t rc = rd_kafka_assign(consumer->rk, parts);
    if (rc)
        fetch_error(consumer, rc, "assign");
    consumer->is_assigned = true;
    consumer->is_lost = consumer->is_down = consumer->is_starved = false;
    announce(consumer);
}

static void assign(struct consumer *consumer, const rd_kafka_topic_partition_list_t *parts)
{
    rd_kafka_topic_partition_list_t *readable = readable_of(consumer, parts);
    keep_given(consumer, rd_kafka_topic_partition_list_copy(parts));
    consumer->has_unread = readable->cnt < parts->cnt;
    assign_readable(consumer, readable);
    rd_kafka_topic_partition_list_destroy(readable);
}

void assignment_look(struct consumer *consumer)
{
    if (!consumer->has_unread || clock_monotonic_us() < consumer->next_look_us)
        return;
    consumer->next_look_us = clock_monotonic_us() + LOOK_US;
    rd_kafka_topic_partition_list_t *readable = readable_of(consumer, consumer->given);
    if ((size_t)readable->cnt > consumer->lane_count) {
        consumer->has_unread = readable->cnt < consumer->given->cnt;
        assign_readable(consumer, readable);
    }
    rd_kafka_topic_partition_list_destroy(readable);
}

static void revoke(struct consumer *consumer)
{
    bool had_lanes = consumer->lane_count > 0;
    consumer->is_lost = rd_kafka_assignment_lost(consumer->rk);
    consumer->is_assigned = consumer->has_unread = false;
    keep_given(consumer, NULL);
    rd_kafka_assign(consumer->rk, NULL);
    assignment_clear(consumer);
    if (had_lanes)
        announce(consumer);
}

void assignment_callback(rd_kafka_t *rk, rd_kafka_resp_err_t rc,
                         rd_kafka_topic_partition_list_t *parts, void *opaque)
{
    struct consumer *consumer = opaque;
    metric_add(consumer->metrics.rebalances, 1);
    if (rc == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        assign(consumer, parts);
        return;
    }
    if (rc != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
        fetch_error(consumer, rc, "rebalance");
    revoke(consumer);
}
