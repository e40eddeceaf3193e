/* consumer_internal.h: what the files of the consumer share: its struct, its lanes (assigned
 * partitions) and its topics.
 *
 * Every lane reads its own partition queue of librdkafka. A partition whose records are not next
 * in time fills its own small queue and is no longer fetched, while the one that is next goes
 * on. So memory and skew are bounded without pause and resume.
 *
 * The queue of the consumer itself then carries only callbacks and errors. One eventfd wakes for
 * all queues. */
#ifndef TUTTI_BUS_CONSUMER_INTERNAL_H
#define TUTTI_BUS_CONSUMER_INTERNAL_H

#include <librdkafka/rdkafka.h>

#include "common/bus/consumer.h"
#include "common/bus/order.h"
#include "common/runtime/telemetry.h"

struct lane {
    int topic;
    int32_t partition;
    rd_kafka_queue_t *queue;
    int64_t next;      /* offset after the last record handed out; -1 before any */
    int64_t committed; /* next offset confirmed by the broker; -1 before any */
    uint32_t taken;    /* handed out and not yet counted */

    /* consumer_lag.c */
    int64_t seen;     /* offset after the last record or end mark that was fetched; before any: the
                         committed one; -1: not known */
    int64_t end_mark; /* where the last end mark stood; -1 before any */
    int64_t asked_low, asked_end, asked_us; /* what the broker told last, and when */
    int64_t seen_at_report;
    uint32_t starved_reports;
    struct metric *lag, *starved, *lost;
};

enum { LAG_UNKNOWN = -1, LAG_NEVER_ASKED = -2 }; /* as lane.asked_end */

struct topic_names {
    char **names; /* as given at open; names that a regex found are appended */
    struct metric **consumed;
    struct metric **unread; /* 1 while it may not be read */
    size_t count;
};

struct consumer {
    rd_kafka_t *rk;
    rd_kafka_queue_t *main_queue, *commit_queue;
    int wake_fd;
    struct consumer_events events;
    struct topic_names topics;
    struct lane *lanes; /* sorted by topic index and partition: ties of the merge */
    size_t lane_count;
    struct order *order;
    int64_t epoch;
    rd_kafka_topic_partition_list_t *given; /* by the group, unread partitions included; or NULL */
    int64_t next_look_us;                   /* at topics that may not be read */
    bool has_unread;
    bool is_assigned, is_lost, is_down, is_starved;
    size_t ask_next;          /* the lane that is asked for next */
    int64_t waiting_since_us; /* since when the merge waits for a lane; 0: it does not */
    int64_t next_report_us;
    int ask_timeout_ms; /* of a question about offsets, which waits behind a fetch */
    int64_t max_poll_interval_us;
    uintptr_t commit_serial;
    struct err fatal; /* outcome OK until a fatal error */
    struct {
        struct metric *rebalances, *idle_while_lagging, *errors, *commit_failures;
    } metrics;
};

/* consumer_topics.c */
int topic_names_index(struct topic_names *topics, const char *name); /* adds an unknown name */
void topic_names_free(struct topic_names *topics);

/* consumer_assignment.c */
void assignment_callback(rd_kafka_t *rk, rd_kafka_resp_err_t rc,
                         rd_kafka_topic_partition_list_t *parts, void *opaque);
void assignment_clear(struct consumer *consumer);
/* Asks about unread topics again, when it is time; assigns everything anew if one may be read now.
 */
void assignment_look(struct consumer *consumer);

/* consumer_lag.c */
void lag_open_lane(const struct consumer *consumer, struct lane *lane);
void lag_close_lane(struct lane *lane);
void lag_read_committed(struct consumer *consumer, const rd_kafka_topic_partition_list_t *parts);
/* A record or an end mark was fetched: counts what retention deleted before it. */
void lag_saw(struct consumer *consumer, struct lane *lane, int64_t offset);
/* The offset up to which everything was handed out, marks of transactions included; -1 before any.
 */
int64_t lag_position(const struct consumer *consumer, const struct lane *lane);
void lag_report(struct consumer *consumer);

/* consumer_fetch.c */
/* Moves up to limit messages from the partition queues into the merge. Returns how many messages
 * and end marks it saw. */
size_t fetch_absorb(struct consumer *consumer, size_t limit);
void fetch_message(struct consumer *consumer, struct lane *lane, rd_kafka_message_t *message);
void fetch_drop(void *message);
void fetch_error(struct consumer *consumer, rd_kafka_resp_err_t rc, const char *reason);

#endif
