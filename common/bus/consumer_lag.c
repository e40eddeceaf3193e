/* consumer_lag.c: how far each lane is behind, which lanes starve, and what was lost before it was
 * read.
 *
 * librdkafka reports a refused fetch once and is silent afterwards, and the end that it remembers
 * grows only with what it fetches. So some lanes a second are asked for at the broker. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/bus/consumer_internal.h"
#include "common/runtime/clock.h"
#include "common/runtime/log.h"

enum {
    ASKED_PER_REPORT = 64,
    COMMITTED_TIMEOUT_MS = 2000,
    STARVED_REPORTS = 60, /* reports are a second apart at least */
    FRESH_US = 1000000,
};

static const char *topic_of(const struct consumer *consumer, const struct lane *lane)
{
    return consumer->topics.names[lane->topic];
}

void lag_open_lane(const struct consumer *consumer, struct lane *lane)
{
    char labels[320], topic[320];
    const char *name = topic_of(consumer, lane);
    snprintf(labels, sizeof labels, "topic=\"%s\",partition=\"%d\"", name, lane->partition);
    snprintf(topic, sizeof topic, "topic=\"%s\"", name);
    lane->seen = lane->asked_low = lane->end_mark = -1;
    lane->asked_end = LAG_NEVER_ASKED;
    lane->lag = metric_gauge("kafka_consumer_lag", labels,
                             "Records that could be read and were not handed out yet; NaN: the "
                             "broker cannot be asked.");
    lane->starved = metric_gauge(
        "kafka_consumer_starved_seconds", labels,
        "Since when nothing was read although there is something, or the broker cannot be asked.");
    lane->lost = metric_counter("records_lost_total", topic,
                                "Records that were deleted before they were read.");
}

void lag_close_lane(struct lane *lane)
{
    metric_set(lane->lag, 0);
    metric_set(lane->starved, 0);
}

/* Where the group stands, for the first record of each lane to be compared with. */
void lag_read_committed(struct consumer *consumer, const rd_kafka_topic_partition_list_t *parts)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_copy(parts);
    bool is_known = !rd_kafka_committed(consumer->rk, list, COMMITTED_TIMEOUT_MS);
    for (size_t i = 0; is_known && i < consumer->lane_count; i++) {
        struct lane *lane = &consumer->lanes[i];
        const rd_kafka_topic_partition_t *at =
            rd_kafka_topic_partition_list_find(list, topic_of(consumer, lane), lane->partition);
        if (at && !at->err && at->offset >= 0)
            lane->seen = at->offset;
    }
    rd_kafka_topic_partition_list_destroy(list);
}

/* One end of each lane, -1 where the broker did not answer in time: one request to each broker,
 * which answers it only after the fetch that waits on the same connection (fetch.wait.max.ms).
 * rd_kafka_query_watermark_offsets would wait for a minute while the broker is away (librdkafka
 * 2.0.2); this call keeps its limit. */
static bool ask_ends(const struct consumer *consumer, struct lane *const *lanes, size_t count,
                     int64_t which, int64_t *ends)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, topic_of(consumer, lanes[i]), lanes[i]->partition)
            ->offset = which;
    bool is_told = !rd_kafka_offsets_for_times(consumer->rk, list, consumer->ask_timeout_ms);
    for (size_t i = 0; i < count; i++) {
        const rd_kafka_topic_partition_t *at = rd_kafka_topic_partition_list_find(
            list, topic_of(consumer, lanes[i]), lanes[i]->partition);
        ends[i] = is_told && !at->err ? at->offset : -1;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return is_told;
}

/* At most ASKED_PER_REPORT lanes. False if the brokers did not answer for all. */
static bool ask(const struct consumer *consumer, struct lane *const *lanes, size_t count)
{
    int64_t high[ASKED_PER_REPORT], low[ASKED_PER_REPORT];
    bool is_told = ask_ends(consumer, lanes, count, RD_KAFKA_OFFSET_END, high) &&
                   ask_ends(consumer, lanes, count, RD_KAFKA_OFFSET_BEGINNING, low);
    for (size_t i = 0; (is_told || count == 1) && i < count; i++) {
        lanes[i]->asked_low = is_told ? low[i] : -1;
        lanes[i]->asked_end = is_told && high[i] >= 0 ? high[i] : LAG_UNKNOWN;
        lanes[i]->asked_us = clock_monotonic_us();
    }
    return is_told;
}

static void report_loss(struct consumer *consumer, struct lane *lane, int64_t count)
{
    metric_add(lane->lost, (double)count);
    log_event(LOG_ERROR, "records_lost", "topic", topic_of(consumer, lane), "partition",
              log_int(lane->partition), "offset", log_int(lane->seen), "count", log_int(count),
              "message", "deleted by retention before they were read", NULL);
}

void lag_saw(struct consumer *consumer, struct lane *lane, int64_t offset)
{
    if (lane->seen < 0 || offset <= lane->seen)
        return;
    /* A gap: marks of transactions, compaction, or records that were deleted. */
    if (clock_monotonic_us() - lane->asked_us > FRESH_US)
        ask(consumer, &lane, 1);
    int64_t lost_to = lane->asked_low < offset ? lane->asked_low : offset;
    if (lost_to > lane->seen)
        report_loss(consumer, lane, lost_to - lane->seen);
}

int64_t lag_position(const struct consumer *consumer, const struct lane *lane)
{
    bool is_at_end = order_is_at_end(consumer->order, (size_t)(lane - consumer->lanes));
    return is_at_end && lane->end_mark > lane->next ? lane->end_mark : lane->next;
}

/* Until the first record it is not known where a lane stands between the broker's two ends. */
static double lag_of(const struct consumer *consumer, const struct lane *lane)
{
    int64_t low = -1, high = -1, position = lag_position(consumer, lane);
    size_t index = (size_t)(lane - consumer->lanes);
    if (lane->asked_end == LAG_UNKNOWN)
        return NAN;
    rd_kafka_get_watermark_offsets(consumer->rk, topic_of(consumer, lane), lane->partition, &low,
                                   &high);
    if (lane->asked_end > high || order_is_at_end(consumer->order, index))
        high = lane->asked_end;
    if (low < lane->asked_low)
        low = lane->asked_low; /* what librdkafka has not asked for itself is far below 0 */
    if (position < 0)
        position = lane->seen >= 0                               ? lane->seen
                   : order_is_waited_for(consumer->order, index) ? low
                                                                 : high;
    if (position < 0)
        return 0; /* nothing is known yet */
    return high > position ? (double)(high - position) : 0;
}

/* Something waits to be handed out, or there is nothing to read. */
static bool is_fed(const struct consumer *consumer, const struct lane *lane, double lag)
{
    size_t index = (size_t)(lane - consumer->lanes);
    return lag == 0 || rd_kafka_queue_length(lane->queue) > 0 ||
           order_lane_count(consumer->order, index) > 0 || lane->seen != lane->seen_at_report;
}

static bool report_lane(const struct consumer *consumer, struct lane *lane)
{
    double lag = lag_of(consumer, lane);
    lane->starved_reports = is_fed(consumer, lane, lag) ? 0 : lane->starved_reports + 1;
    lane->seen_at_report = lane->seen;
    metric_set(lane->lag, lag);
    metric_set(lane->starved, lane->starved_reports);
    return lane->starved_reports >= STARVED_REPORTS;
}

/* One partition that no broker leads makes the whole request fail: then one lane is asked for. */
static void ask_some(struct consumer *consumer)
{
    struct lane *lanes[ASKED_PER_REPORT];
    size_t some = consumer->lane_count < ASKED_PER_REPORT ? consumer->lane_count : ASKED_PER_REPORT;
    for (size_t i = 0; i < some; i++)
        lanes[i] = &consumer->lanes[(consumer->ask_next + i) % consumer->lane_count];
    if (some > 1 && ask(consumer, lanes, some)) {
        consumer->ask_next += some;
    } else if (some > 0) {
        ask(consumer, lanes, 1);
        consumer->ask_next++;
    }
}

void lag_report(struct consumer *consumer)
{
    ask_some(consumer);
    consumer->is_starved = false;
    for (size_t i = 0; i < consumer->lane_count; i++)
        consumer->is_starved |= report_lane(consumer, &consumer->lanes[i]);
}
