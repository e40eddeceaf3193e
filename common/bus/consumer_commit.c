/* consumer_commit.c: commits the offsets of what was handed out, bounded in time. */
#include "common/bus/consumer_internal.h"
#include "common/runtime/clock.h"
#include "common/runtime/log.h"

enum { COMMIT_TIMEOUT_MS = 5000 };

static rd_kafka_topic_partition_list_t *done_offsets(const struct consumer *consumer)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)consumer->lane_count);
    for (size_t i = 0; i < consumer->lane_count; i++) {
        const struct lane *lane = &consumer->lanes[i];
        int64_t position = lag_position(consumer, lane);
        if (position > lane->committed)
            rd_kafka_topic_partition_list_add(list, consumer->topics.names[lane->topic],
                                              lane->partition)
                ->offset = position;
    }
    return list;
}

/* The answer to this commit; answers to earlier ones that came too late are thrown away. */
static rd_kafka_resp_err_t wait_for_commit(struct consumer *consumer)
{
    int64_t deadline = clock_monotonic_us() + (int64_t)COMMIT_TIMEOUT_MS * 1000, left;
    while ((left = deadline - clock_monotonic_us()) > 0) {
        rd_kafka_event_t *event =
            rd_kafka_queue_poll(consumer->commit_queue, (int)(left / 1000) + 1);
        if (!event)
            continue;
        bool is_ours = (uintptr_t)rd_kafka_event_opaque(event) == consumer->commit_serial;
        rd_kafka_resp_err_t rc = rd_kafka_event_error(event);
        rd_kafka_event_destroy(event);
        if (is_ours)
            return rc;
    }
    return RD_KAFKA_RESP_ERR__TIMED_OUT;
}

static void mark_committed(struct consumer *consumer, const rd_kafka_topic_partition_list_t *list)
{
    for (size_t i = 0; i < consumer->lane_count; i++) {
        struct lane *lane = &consumer->lanes[i];
        const rd_kafka_topic_partition_t *at = rd_kafka_topic_partition_list_find(
            (rd_kafka_topic_partition_list_t *)list, consumer->topics.names[lane->topic],
            lane->partition);
        if (at)
            lane->committed = at->offset;
    }
}

static void commit_failed(struct consumer *consumer, rd_kafka_resp_err_t rc)
{
    metric_add(consumer->metrics.commit_failures, 1);
    log_event(LOG_WARN, "kafka_commit_failed", "code", rd_kafka_err2name(rc), "message",
              rd_kafka_err2str(rc), NULL);
}

void consumer_commit(struct consumer *consumer)
{
    if (!consumer->is_assigned || rd_kafka_assignment_lost(consumer->rk))
        return;
    rd_kafka_topic_partition_list_t *list = done_offsets(consumer);
    if (list->cnt > 0) {
        void *serial = (void *)++consumer->commit_serial;
        rd_kafka_resp_err_t rc =
            rd_kafka_commit_queue(consumer->rk, list, consumer->commit_queue, NULL, serial);
        if (!rc)
            rc = wait_for_commit(consumer);
        if (rc)
            commit_failed(consumer, rc);
        else
            mark_committed(consumer, list);
    }
    rd_kafka_topic_partition_list_destroy(list);
}
